"""Matrices of a form: block-diagonal, Toeplitz, circulant, Fourier's, Hilbert's."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from .. import numpy as fnp
from ..errors import ArgumentError, ShapeError
from ..promotion import as_operand

__all__ = [
    "block_diag",
    "circulant",
    "dft",
    "hilbert",
    "toeplitz",
]


def block_diag(*arrs: Any) -> Any:
    """Matrices along the diagonal of a matrix of zeros; vectors are rows, numbers are 1 by 1.

    >>> import functorch_lite.numpy as fnp, functorch_lite.scipy.linalg as linalg
    >>> linalg.block_diag(1, fnp.array([2, 3])).tolist()
    [[1, 0, 0], [0, 2, 3]]
    """
    blocks = [fnp.atleast_2d(x) for x in arrs] or [fnp.zeros((1, 0))]
    if any(b.ndim != 2 for b in blocks):
        raise ShapeError("block_diag takes matrices, vectors and numbers: arrays of at most 2 axes.")
    dtype = fnp.result_type(*blocks)
    columns = sum(b.shape[1] for b in blocks)
    rows, before = [], 0
    for b in blocks:
        width = b.shape[1]
        rows.append(fnp.pad(fnp.astype(b, dtype), ((0, 0), (before, columns - before - width))))
        before += width
    return fnp.concatenate(rows, 0)


def toeplitz(c: Any, r: Any = None) -> Any:
    """The matrix [..., n, m] with constant diagonals, first column `c`, and first row `r` but for its first element.

    By default `r` is conj(c).

    >>> import functorch_lite.scipy.linalg as linalg, functorch_lite.numpy as fnp
    >>> linalg.toeplitz(fnp.array([1, 2, 3])).tolist()
    [[1, 2, 3], [2, 1, 2], [3, 2, 1]]
    """
    column = fnp.atleast_1d(c)
    row = fnp.conj(column) if r is None else fnp.atleast_1d(r)
    lead = fnp.broadcast_shapes(column.shape[:-1], row.shape[:-1])
    n, m = column.shape[-1], row.shape[-1]
    parts = [fnp.flip(row[..., 1:], -1), column]
    both = fnp.concatenate([fnp.broadcast_to(x, (*lead, x.shape[-1])) for x in parts], -1)
    return both[..., np.arange(n)[:, None] - np.arange(m) + m - 1]


def circulant(c: Any) -> Any:
    """The matrix [..., n, n] whose columns are the vector [..., n] rolled by 0, 1, 2 ..."""
    x = fnp.atleast_1d(c)
    n = x.shape[-1]
    return x[..., (np.arange(n)[:, None] - np.arange(n)) % n]


def dft(n: int, scale: str | None = None, *, dtype: Any = None) -> Any:
    """The matrix of the Fourier transform of n numbers; `scale`: None, "sqrtn" or "n", by which it is divided."""
    if scale not in (None, "sqrtn", "n"):
        raise ArgumentError(f"dft: scale is None, 'sqrtn' or 'n', got {scale!r}.")
    turns = np.outer(np.arange(n), np.arange(n)) % n / n
    out = np.exp(-2j * np.pi * turns) / {None: 1, "sqrtn": np.sqrt(n), "n": n}[scale]
    kind = dtypes.complex_dtype(dtypes.default_float()) if dtype is None else dtypes.as_dtype(dtype)
    return as_operand(out.astype(kind))


def hilbert(n: int) -> Any:
    """The matrix 1 / (i + j + 1)."""
    i = np.arange(n)
    return as_operand((1 / (i[:, None] + i + 1)).astype(dtypes.default_float()))
