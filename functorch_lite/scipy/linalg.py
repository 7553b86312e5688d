"""`functorch_lite.scipy.linalg`: solutions by factors, matrix functions, matrices of a form; as `jax.scipy.linalg`.

Arguments that speak of overwriting and of checking for finite numbers are taken for SciPy's sake, and change nothing.
"""

from __future__ import annotations

from typing import Any

from .. import dtypes
from .. import numpy as fnp
from ..arrays import type_of
from ..direct import inexact
from ..errors import ArgumentError, ShapeError, UnsupportedError
from ..lax import linalg as _factors
from ..numpy import linalg as _linalg
from ..numpy.factorisations import matrices, symmetrised
from ..numpy.solving import solve_by_lu
from ..primitives import linalg as p
from ..primitives import spectral
from ..primitives.matrices import adjoint, matmul, tril, triu
from ..primitives.structural import broadcast_to, expand_dims
from ..promotion import as_operand, broadcast_shapes
from .exponential import expm, expm_frechet
from .matrix_forms import block_diag, circulant, dft, hilbert, toeplitz

__all__ = [
    "block_diag",
    "cho_factor",
    "cho_solve",
    "cholesky",
    "circulant",
    "det",
    "dft",
    "eigh",
    "expm",
    "expm_frechet",
    "hilbert",
    "inv",
    "lu",
    "lu_factor",
    "lu_solve",
    "polar",
    "qr",
    "solve",
    "solve_triangular",
    "svd",
    "toeplitz",
]


def cholesky(a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """The triangular factor of positive definite matrices: a = U^H U, or L L^H if `lower`.

    Args:
      a: inexact[..., n, n]; a matrix that is not positive definite gives NaN.
      lower: which factor, and which triangle is read.
    """
    return _linalg.cholesky(a, upper=not lower, symmetrize_input=False)


def cho_factor(a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True) -> tuple[Any, bool]:
    """(cholesky(a, lower), lower): what `cho_solve` takes."""
    return cholesky(a, lower), lower


def cho_solve(c_and_lower: tuple[Any, bool], b: Any, overwrite_b: bool = False, check_finite: bool = True) -> Any:
    """The x with a x = b from `cho_factor(a)`.

    Args:
      c_and_lower: what `cho_factor` gives.
      b: inexact[n], a vector for each matrix, or inexact[..., n, m].

    >>> import functorch_lite.numpy as fnp, functorch_lite.scipy.linalg as linalg
    >>> linalg.cho_solve(linalg.cho_factor(fnp.diag(fnp.array([2.0, 4.0]))), fnp.ones(2)).round(4).tolist()
    [0.5, 0.25]
    """
    c, lower = c_and_lower
    first = solve_triangular(c, b, trans=0 if lower else 2, lower=lower)
    return solve_triangular(c, first, trans=2 if lower else 0, lower=lower)


def _fitted(name: str, a: Any, b: Any) -> tuple[Any, Any, bool]:
    """A stack of square matrices and right-hand sides of equal leading shape; whether these were vectors, one or as many."""
    x, y = inexact(as_operand(a), as_operand(b))
    x = matrices(name, x, square=True)
    vector = y.ndim == 1 or y.shape == x.shape[:-1]
    if not y.ndim or y.shape[-1 if vector else -2] != x.shape[-1]:
        raise ShapeError(f"{name} of {type_of(x)} and {type_of(y)}: needs as many rows in b as in a.")
    y = expand_dims(y, y.ndim) if vector else y
    lead = broadcast_shapes(name, [x.shape[:-2], y.shape[:-2]])
    return broadcast_to(x, (*lead, *x.shape[-2:])), broadcast_to(y, (*lead, *y.shape[-2:])), vector


def _trans(trans: int | str) -> int:
    found = {0: 0, 1: 1, 2: 2, "N": 0, "T": 1, "C": 2}.get(trans)
    if found is None:
        raise ArgumentError(f"trans is 0 or 'N', 1 or 'T' (transposed), 2 or 'C' (adjoint); got {trans!r}.")
    return found


def solve_triangular(
    a: Any,
    b: Any,
    trans: int | str = 0,
    lower: bool = False,
    unit_diagonal: bool = False,
    overwrite_b: bool = False,
    debug: Any = None,
    check_finite: bool = True,
) -> Any:
    """The x with op(a) x = b for triangular matrices, of which the other triangle is not read.

    Args:
      a: inexact[..., n, n].
      b: inexact[n], a vector for each matrix, or inexact[..., n, m].
      trans: op: 0 or "N": none, 1 or "T": transposed, 2 or "C": adjoint.
      lower: which triangle is read.
      unit_diagonal: whether the diagonal counts as 1 and is not read.
    """
    x, y, vector = _fitted("solve_triangular", a, b)
    op = _trans(trans)
    flags = {"transpose_a": op > 0, "conjugate_a": op == 2, "unit_diagonal": bool(unit_diagonal)}
    out = p.triangular_solve(x, y, left_side=True, lower=bool(lower), **flags)
    return out[..., 0] if vector else out


def solve(
    a: Any,
    b: Any,
    lower: bool = False,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    debug: bool = False,
    check_finite: bool = True,
    assume_a: str = "gen",
) -> Any:
    """The x with a x = b.

    Args:
      a: inexact[..., n, n].
      b: inexact[n], or inexact[..., n, m].
      lower: which triangle of a positive definite `a` is read.
      assume_a: "gen", "sym", "her", or "pos": positive definite, solved by Cholesky's factors.
    """
    if assume_a not in ("gen", "sym", "her", "pos"):
        raise ArgumentError(f"solve assumes a to be 'gen', 'sym', 'her' or 'pos', got {assume_a!r}.")
    return cho_solve(cho_factor(a, lower), b) if assume_a == "pos" else _linalg.solve(a, b)


def inv(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """The inverse matrices; see `numpy.linalg.inv`."""
    return _linalg.inv(a)


def det(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """The determinant; see `numpy.linalg.det`."""
    return _linalg.det(a)


def lu_factor(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> tuple[Any, Any]:
    """The factors of P a = L U in one matrix, and the pivots: what `lu_solve` takes.

    Args:
      a: inexact[..., n, m].

    Returns:
      inexact[..., n, m], and int32[..., min(n, m)]: row i was exchanged with row pivots[i], in turn.
    """
    packed, pivots, _ = p.lu(matrices("lu_factor", a))
    return packed, pivots


def lu_solve(
    lu_and_piv: tuple[Any, Any], b: Any, trans: int = 0, overwrite_b: bool = False, check_finite: bool = True
) -> Any:
    """The x with op(a) x = b from `lu_factor(a)`.

    Args:
      lu_and_piv: what `lu_factor` gives.
      b: inexact[n], a vector for each matrix, or inexact[..., n, m].
      trans: op: 0: none, 1: transposed, 2: adjoint.

    >>> import functorch_lite.numpy as fnp, functorch_lite.scipy.linalg as linalg
    >>> linalg.lu_solve(linalg.lu_factor(fnp.array([[0.0, 2.0], [4.0, 0.0]])), fnp.ones(2)).tolist()
    [0.25, 0.5]
    """
    packed, pivots = lu_and_piv
    x, y, vector = _fitted("lu_solve", packed, b)
    order = _factors.lu_pivots_to_permutation(pivots, x.shape[-1])
    out = solve_by_lu(x, broadcast_to(order, x.shape[:-1]), y, _trans(trans))
    return out[..., 0] if vector else out


def lu(a: Any, permute_l: bool = False, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """A = P L U: a permutation, unit lower triangular, upper triangular.

    Args:
      a: inexact[..., n, m].
      permute_l: whether to give (P L, U).

    Returns:
      P [..., n, n], L [..., n, k], U [..., k, m] with k = min(n, m).
    """
    x = matrices("lu", a)
    packed, _, order = p.lu(x)
    n, m = x.shape[-2:]
    k = min(n, m)
    lower = tril(packed[..., :k], -1) + fnp.eye(n, k, dtype=x.dtype)
    upper = triu(packed[..., :k, :])
    real = dtypes.real_dtype(x.dtype)
    permutation = fnp.astype(order[..., None, :] == fnp.arange(n, dtype=order.dtype)[:, None], real)
    if permute_l:
        return fnp.matmul(fnp.astype(permutation, x.dtype), lower), upper
    return permutation, lower, upper


def qr(
    a: Any,
    overwrite_a: bool = False,
    lwork: Any = None,
    mode: str = "full",
    pivoting: bool = False,
    check_finite: bool = True,
) -> Any:
    """A = Q R.

    Args:
      a: inexact[..., n, m].
      mode: "full": Q is square; "economic": Q has min(n, m) columns; "r": a tuple of R alone.
      pivoting: whether to exchange columns so that the absolute values on R's diagonal descend: A[..., order] = Q R;
        int32[..., m] order comes last, then.

    >>> import functorch_lite.numpy as fnp, functorch_lite.scipy.linalg as linalg
    >>> linalg.qr(fnp.diag(fnp.array([1.0, 3.0, 2.0])), pivoting=True)[2].tolist()
    [1, 2, 0]
    """
    if mode not in ("full", "economic", "r"):
        raise ArgumentError(f"qr has the modes 'full', 'economic' and 'r', got {mode!r}.")
    factors = _factors.qr(matrices("qr", a), pivoting=pivoting, full_matrices=mode != "economic")
    return factors[1:] if mode == "r" else factors


def svd(
    a: Any,
    full_matrices: bool = True,
    compute_uv: bool = True,
    overwrite_a: bool = False,
    check_finite: bool = True,
    lapack_driver: str = "gesdd",
) -> Any:
    """A = U diag(s) Vh; see `numpy.linalg.svd`."""
    out = _linalg.svd(a, full_matrices, compute_uv)
    return tuple(out) if compute_uv else out


def eigh(
    a: Any,
    b: Any = None,
    lower: bool = True,
    eigvals_only: bool = False,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    turbo: bool = True,
    eigvals: None = None,
    type: int = 1,
    check_finite: bool = True,
) -> Any:
    """The eigenvalues w and eigenvectors v of Hermitian matrices, a v = b v diag(w), with v^H b v = 1.

    Args:
      a: inexact[..., n, n].
      b: positive definite [..., n, n]; 1 if omitted.
      lower: which triangle of `a` is read.
      eigvals_only: whether w alone is wanted.
      eigvals: taken for SciPy's sake.
      type: 1: the problem above; there is no other.
    """
    if type != 1 or eigvals is not None:
        raise UnsupportedError("eigh solves a v = b v diag(w) for all eigenvalues: pass type=1 and eigvals=None.")
    x = matrices("eigh", a, square=True)
    if b is None:
        w, v = spectral.eigh(x, lower=bool(lower))
        return w if eigvals_only else (w, v)
    kept = tril(x) if lower else triu(x)
    x = kept + adjoint(tril(x, -1) if lower else triu(x, 1))
    factor = _linalg.cholesky(b)
    half = solve_triangular(factor, x, lower=True)
    w, v = spectral.eigh(symmetrised(adjoint(solve_triangular(factor, adjoint(half), lower=True))), lower=True)
    return w if eigvals_only else (w, solve_triangular(factor, v, trans=2, lower=True))


def polar(
    a: Any, side: str = "right", *, method: str = "svd", eps: float | None = None, max_iterations: int | None = None
) -> tuple[Any, Any]:
    """A = U P (side "right") or P U ("left"), U with orthonormal columns or rows, P positive semidefinite.

    Args:
      a: inexact[..., n, m].
      side: where P stands.
      method, eps, max_iterations: taken for JAX's sake.

    Returns:
      U and P.
    """
    if side not in ("right", "left"):
        raise ArgumentError(f"polar: P stands on the side 'right' or 'left', got {side!r}.")
    u, s, vh = _linalg.svd(a, full_matrices=False)
    whole = matmul(u, vh)
    if side == "right":
        return whole, matmul(adjoint(vh) * s[..., None, :], vh)
    return whole, matmul(u * s[..., None, :], adjoint(u))
