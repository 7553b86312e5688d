"""Unit matrices, triangles of matrices, and the indices of their elements."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from .. import dtypes
from ..arrays import from_host, type_of
from ..errors import ShapeError
from ..primitives import elementwise as e
from ..primitives.slicing import iota
from ..primitives.structural import broadcast_in_dim
from ..promotion import cast
from .creation import asarray, dtype_or
from .operands import like, small_integers
from .ranges import arange

__all__ = [
    "diag_indices",
    "diag_indices_from",
    "eye",
    "identity",
    "tri",
    "tril",
    "tril_indices",
    "tril_indices_from",
    "triu",
    "triu_indices",
    "triu_indices_from",
]


_FAR = 2**30


def eye(N: int, M: int | None = None, k: Any = 0, dtype: Any = None, *, device: Any = None) -> Any:
    """A matrix with ones on a diagonal, zeros elsewhere.

    Args:
      N: rows.
      M: columns; None: as many as rows.
      k: which diagonal; positive: above the main one.
      dtype: by default the default float.
      device: where to put it.
    """
    shape = (operator.index(N), operator.index(N if M is None else M))
    rows, columns = _places(shape)
    return cast(e.eq(e.add(rows, _offset(k)), columns), dtype_or(dtype, dtypes.default_float()))


def _offset(k: Any) -> Any:
    """The number of a diagonal, one that is off any matrix as the last one of all."""
    if isinstance(k, int):
        return np.int32(max(-_FAR, min(k, _FAR)))
    return small_integers(asarray(k), _FAR)


def _places(shape: tuple[Any, ...]) -> tuple[Any, Any]:
    """Row and column of each element of matrices."""
    int32 = np.dtype(np.int32)
    return tuple(iota(dtype=int32, shape=shape, dimension=i) for i in (0, 1))  # type: ignore[return-value]


def identity(n: int, dtype: Any = None) -> Any:
    """The identity matrix with n rows."""
    return eye(n, dtype=dtype)


def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    """A matrix with ones on and below diagonal `k`, zeros above."""
    return cast(_lower((N, N if M is None else M), k), dtype_or(dtype, dtypes.default_float()))


def _lower(shape: tuple[Any, ...], k: Any) -> Any:
    rows, columns = _places(shape)
    return e.ge(e.add(rows, _offset(k)), columns)


def _triangle(name: str, m: Any, k: int, upper: bool) -> Any:
    x = asarray(m)
    if x.ndim < 2:
        raise ShapeError(f"{name} needs an array of at least 2 axes, got {type_of(x)}.")
    lower = _lower(x.shape[-2:], k - 1 if upper else k)
    lower = broadcast_in_dim(lower, shape=x.shape, dims=(x.ndim - 2, x.ndim - 1)) if x.ndim > 2 else lower
    return e.select(lower, x, like(x, 0)) if upper else e.select(lower, like(x, 0), x)


def tril(m: Any, k: int = 0) -> Any:
    """Matrices with zeros above diagonal `k`."""
    return _triangle("tril", m, k, upper=False)


def triu(m: Any, k: int = 0) -> Any:
    """Matrices with zeros below diagonal `k`."""
    return _triangle("triu", m, k, upper=True)


def _host_indices(found: Any) -> tuple[Any, ...]:
    return tuple(from_host(i.astype(dtypes.default_int())) for i in found)


def tril_indices(n: int, k: int = 0, m: int | None = None) -> tuple[Any, ...]:
    """Rows and columns of the lower triangle of an (n, m) matrix."""
    return _host_indices(np.tril_indices(n, k, m))


def triu_indices(n: int, k: int = 0, m: int | None = None) -> tuple[Any, ...]:
    """Rows and columns of the upper triangle of an (n, m) matrix."""
    return _host_indices(np.triu_indices(n, k, m))


def tril_indices_from(arr: Any, k: int = 0) -> tuple[Any, ...]:
    """`tril_indices` for the shape of a matrix."""
    return tril_indices(arr.shape[-2], k, arr.shape[-1])


def triu_indices_from(arr: Any, k: int = 0) -> tuple[Any, ...]:
    """`triu_indices` for the shape of a matrix."""
    return triu_indices(arr.shape[-2], k, arr.shape[-1])


def diag_indices(n: int, ndim: int = 2) -> tuple[Any, ...]:
    """The indices of the main diagonal of an array with `ndim` axes of length n."""
    return (arange(n),) * ndim


def diag_indices_from(arr: Any) -> tuple[Any, ...]:
    """The indices of the main diagonal of an array whose axes are equally long."""
    if len(set(arr.shape)) > 1:
        raise ShapeError(f"diag_indices_from needs axes of equal length, got shape {tuple(arr.shape)}.")
    return diag_indices(arr.shape[0], len(arr.shape))
