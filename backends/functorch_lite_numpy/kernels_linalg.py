"""Linear algebra by LAPACK: a matrix that has no factorisation gives NaN, and does not spoil the others of its stack.

SciPy, whose LAPACK has what NumPy's interface lacks, is imported on first use.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from functorch_lite.extend import registry

from .fourier import fft

__all__ = ["TABLE"]


def _wide(run: Callable[..., Any]) -> Callable[..., Any]:
    """16-bit floats computed in 32 bits, and rounded back."""

    def kernel(*buffers: Any, **params: Any) -> Any:
        dtype = buffers[0].dtype
        if dtype.itemsize != 2:
            return run(*buffers, **params)
        out = run(*(x.astype(np.float32) for x in buffers), **params)
        several = isinstance(out, tuple)
        cast = [y.astype(dtype) if y.dtype == np.float32 else y for y in (out if several else (out,))]
        return tuple(cast) if several else cast[0]

    return kernel


def _nan_where_it_fails(run: Callable[..., tuple[np.ndarray, ...]], x: np.ndarray) -> tuple[np.ndarray, ...]:
    """`run` of a stack; if it raises, of each matrix alone."""
    try:
        return run(x)
    except np.linalg.LinAlgError:
        if x.ndim == 2:
            like = run(np.zeros_like(x) + np.eye(*x.shape, dtype=x.dtype))
            return tuple(np.full_like(y, complex(np.nan, np.nan) if y.dtype.kind == "c" else np.nan) for y in like)
    flat = [_nan_where_it_fails(run, part) for part in x.reshape(-1, *x.shape[-2:])]
    return tuple(np.stack(parts).reshape(*x.shape[:-2], *parts[0].shape) for parts in zip(*flat, strict=True))


def _cholesky(x: np.ndarray) -> np.ndarray:
    return _nan_where_it_fails(lambda a: (np.linalg.cholesky(a),), x)[0]


def _eigh(x: np.ndarray, *, lower: bool) -> tuple[np.ndarray, ...]:
    return _nan_where_it_fails(lambda a: tuple(np.linalg.eigh(a, "L" if lower else "U")), x)


def _svd(x: np.ndarray, *, full_matrices: bool, compute_uv: bool) -> tuple[np.ndarray, ...]:
    def run(a: np.ndarray) -> tuple[np.ndarray, ...]:
        if not compute_uv:
            return (np.linalg.svd(a, compute_uv=False),)
        u, s, vh = np.linalg.svd(a, full_matrices=full_matrices)
        return s, u, vh

    return _nan_where_it_fails(run, x)


def _qr(x: np.ndarray, *, full_matrices: bool) -> tuple[np.ndarray, ...]:
    return tuple(np.linalg.qr(x, mode="complete" if full_matrices else "reduced"))


def _lu(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    *lead, n, m = x.shape
    k = min(n, m)
    if not x.size or math.prod(lead) > 4 * k:  # many small matrices: all at once
        return registry["lu"].impl(np, x)
    import scipy.linalg.lapack  # on first use: SciPy takes longer to import than all of this library

    (getrf,) = scipy.linalg.lapack.get_lapack_funcs(("getrf",), (x,))
    packed = np.empty(x.shape, x.dtype)
    pivots = np.empty((*lead, k), np.int32)
    places = np.empty((*lead, n), np.int32)
    for i in np.ndindex(*lead):
        packed[i], pivots[i], _ = getrf(x[i])
        places[i] = _permutation(pivots[i], n)
    return packed, pivots, places


def _permutation(pivots: np.ndarray, n: int) -> list[int]:
    """Where the rows come from after the exchanges."""
    order = list(range(n))
    for i, j in enumerate(pivots.tolist()):
        order[i], order[j] = order[j], order[i]
    return order


def _triangular_solve(
    a: np.ndarray,
    b: np.ndarray,
    *,
    left_side: bool,
    lower: bool,
    transpose_a: bool,
    conjugate_a: bool,
    unit_diagonal: bool,
) -> np.ndarray:
    """BLAS stores matrices by columns: for it, ours are transposed, and the triangle and the side are the others."""
    *lead, n, _ = a.shape
    conjugate_a = conjugate_a and a.dtype.kind == "c"
    if not b.size or not n:
        return np.zeros(b.shape, b.dtype)
    if conjugate_a and not transpose_a:
        a, conjugate_a = a.conj(), False
    if math.prod(lead) > 4 * n:
        a = a.mT if transpose_a else a
        a = a.conj() if conjugate_a else a
        return _substituted(a, b, left_side, lower != transpose_a, unit_diagonal)
    import scipy.linalg.blas  # on first use, as above

    (trsm,) = scipy.linalg.blas.get_blas_funcs(("trsm",), (a, b))
    trans = 2 if conjugate_a else int(transpose_a)
    flags = {"side": int(left_side), "lower": not lower, "trans_a": trans, "diag": unit_diagonal}
    out = np.empty(b.shape, b.dtype)
    for i in np.ndindex(*lead):
        out[i] = trsm(1, a[i].T, b[i].T, **flags).T
    return out


def _substituted(a: np.ndarray, b: np.ndarray, left_side: bool, lower: bool, unit: bool) -> np.ndarray:
    """A step for each row, on all matrices together."""
    if not left_side:
        return _substituted(a.mT, b.mT, True, not lower, unit).mT
    n = a.shape[-1]
    x = np.zeros(b.shape, b.dtype)
    for i in range(n) if lower else reversed(range(n)):
        known = slice(0, i) if lower else slice(i + 1, n)
        row = b[..., i, :] - (a[..., i : i + 1, known] @ x[..., known, :])[..., 0, :]
        x[..., i, :] = row if unit else row / a[..., i, i, None]
    return x


TABLE: dict[str, Callable[..., Any]] = {
    "fft": fft,
} | {
    name: _wide(kernel)
    for name, kernel in {
        "cholesky": _cholesky,
        "eigh": _eigh,
        "lu": _lu,
        "qr": _qr,
        "svd": _svd,
        "triangular_solve": _triangular_solve,
    }.items()
}
