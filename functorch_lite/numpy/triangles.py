"""Unit matrices, triangles of matrices, and the indices of their elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..arrays import from_host, type_of
from ..errors import ShapeError
from ..primitives import elementwise as e
from ..primitives.slicing import iota
from ..primitives.structural import broadcast_in_dim
from ..promotion import as_operand, cast
from .axes import integer, integers
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
    shape = integers("eye", "N or M", (N, N if M is None else M))
    rows, columns = _places(shape)
    return cast(e.eq(e.add(rows, _offset(k)), columns), dtype_or(dtype, dtypes.default_float()))


def _offset(k: Any) -> Any:
    """The number of a diagonal, one that is off any matrix as the last one of all."""
    if isinstance(k, int):
        return np.int32(max(-_FAR, min(k, _FAR)))
    return small_integers(as_operand(k, "the number of a diagonal"), _FAR)


def _places(shape: tuple[Any, ...]) -> tuple[Any, Any]:
    """Row and column of each element of matrices."""
    int32 = np.dtype(np.int32)
    return tuple(iota(dtype=int32, shape=shape, dimension=i) for i in (0, 1))  # type: ignore[return-value]


def identity(n: int, dtype: Any = None) -> Any:
    """The identity matrix with n rows."""
    return eye(n, dtype=dtype)


def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    """A matrix with ones on and below diagonal `k`, zeros above."""
    return cast(
        _lower(integers("tri", "N or M", (N, N if M is None else M)), k), dtype_or(dtype, dtypes.default_float())
    )


def _lower(shape: tuple[Any, ...], k: Any) -> Any:
    rows, columns = _places(shape)
    return e.ge(e.add(rows, _offset(k)), columns)


def _triangle(name: str, m: Any, k: int, upper: bool) -> Any:
    x = asarray(m)
    if x.ndim < 2:
        raise ShapeError(f"{name} needs an array of at least 2 axes, got {type_of(x)}.")
    lower = _lower(x.shape[-2:], as_operand(k, "the number of a diagonal") - 1 if upper else k)
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
    return _host_indices(np.tril_indices(*_sizes("tril_indices", n, k, m)))


def triu_indices(n: int, k: int = 0, m: int | None = None) -> tuple[Any, ...]:
    """Rows and columns of the upper triangle of an (n, m) matrix."""
    return _host_indices(np.triu_indices(*_sizes("triu_indices", n, k, m)))


def _sizes(name: str, n: Any, k: Any, m: Any) -> tuple[int, ...]:
    rows, columns = integer(name, "n", n), integer(name, "m", n if m is None else m)
    return rows, max(-rows - 1, min(integer(name, "k", k), columns + 1)), columns


def tril_indices_from(arr: Any, k: int = 0) -> tuple[Any, ...]:
    """`tril_indices` for the shape of a matrix."""
    rows, columns = _matrix_shape("tril_indices_from", arr)
    return tril_indices(rows, k, columns)


def triu_indices_from(arr: Any, k: int = 0) -> tuple[Any, ...]:
    """`triu_indices` for the shape of a matrix."""
    rows, columns = _matrix_shape("triu_indices_from", arr)
    return triu_indices(rows, k, columns)


def _matrix_shape(name: str, arr: Any) -> tuple[int, int]:
    x = as_operand(arr)
    if x.ndim != 2:
        raise ShapeError(f"{name} needs a matrix, got {type_of(x)}.")
    return x.shape


def diag_indices(n: int, ndim: int = 2) -> tuple[Any, ...]:
    """The indices of the main diagonal of an array with `ndim` axes of length n."""
    return (arange(integer("diag_indices", "n", n)),) * integer("diag_indices", "ndim", ndim)


def diag_indices_from(arr: Any) -> tuple[Any, ...]:
    """The indices of the main diagonal of an array whose axes are equally long."""
    x = as_operand(arr)
    if x.ndim < 2 or len(set(x.shape)) > 1:
        raise ShapeError(f"diag_indices_from needs at least 2 axes, of equal length, got {type_of(x)}.")
    return diag_indices(x.shape[0], x.ndim)
