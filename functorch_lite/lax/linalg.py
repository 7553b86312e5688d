"""`functorch_lite.lax.linalg`: the factorisations with JAX's arguments; `numpy.linalg` has more options."""

from __future__ import annotations

import operator
from typing import Any

from ..control.loops import fori_loop
from ..errors import ShapeError
from ..numpy.factorisations import svd as _svd
from ..numpy.factorisations import symmetrised
from ..primitives import elementwise as e
from ..primitives import linalg as p
from ..primitives import spectral
from ..primitives.matrices import matmul, matrix_transpose, tril, triu
from ..primitives.slicing import iota
from ..primitives.sorting import take_along
from ..primitives.structural import broadcast_to
from ..promotion import as_operand
from .elementwise import strict_operands
from .operations import dynamic_index_in_dim
from .pivoting import pivoted_qr

__all__ = [
    "cholesky",
    "eigh",
    "lu",
    "lu_pivots_to_permutation",
    "qr",
    "svd",
    "symmetric_product",
    "triangular_solve",
]


def cholesky(x: Any, *, symmetrize_input: bool = True) -> Any:
    """The lower triangular L with positive diagonal and L L^H = x; NaN where x is not positive definite.

    Args:
      x: inexact[..., n, n], Hermitian.
      symmetrize_input: whether to take the mean of x and its adjoint; else the lower triangle is read.
    """
    v = as_operand(x, "the operand of cholesky")
    return p.cholesky(symmetrised(v) if symmetrize_input else v)


def eigh(
    x: Any,
    *,
    lower: bool = True,
    symmetrize_input: bool = True,
    sort_eigenvalues: bool = True,
    subset_by_index: tuple[int, int] | None = None,
    implementation: Any = None,
) -> tuple[Any, Any]:
    """Eigenvectors and eigenvalues of Hermitian matrices, in this order: x v = v diag(w).

    Args:
      x: inexact[..., n, n].
      lower: which triangle is read, if the input is not symmetrised.
      symmetrize_input: whether to take the mean of x and its adjoint.
      sort_eigenvalues: taken for JAX's sake; they always ascend.
      subset_by_index: (first, last): only these eigenvalues, last not included.
      implementation: taken for JAX's sake.

    Returns:
      v: inexact[..., n, n], and w: real [..., n].
    """
    given = as_operand(x, "the operand of eigh")
    w, v = spectral.eigh(symmetrised(given) if symmetrize_input else given, lower=bool(lower))
    if subset_by_index is not None:
        first, last = map(operator.index, subset_by_index)
        w, v = w[..., first:last], v[..., first:last]
    return v, w


def lu(x: Any) -> tuple[Any, Any, Any]:
    """P x = L U with row exchanges.

    Args:
      x: inexact[..., n, m].

    Returns:
      L (below the diagonal, its ones left out) and U in one matrix; int32[..., min(n, m)] pivots: row i was exchanged
      with row pivots[i], in turn; int32[..., n] permutation: row i of P x is row permutation[i] of x.
    """
    packed, pivots, permutation = p.lu(as_operand(x, "the operand of lu"))
    return packed, pivots, permutation


def lu_pivots_to_permutation(pivots: Any, permutation_size: int) -> Any:
    """The permutation that exchanges of rows amount to.

    Args:
      pivots: integers [..., k]: row i was exchanged with row pivots[i], in turn.
      permutation_size: the number of rows, k at least.

    Returns:
      The same integer dtype, [..., permutation_size].

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> fl.lax.linalg.lu_pivots_to_permutation(fnp.array([2, 2]), 3).tolist()
    [2, 0, 1]
    """
    given = as_operand(pivots, "the pivots")
    n, k = operator.index(permutation_size), given.shape[-1]
    if k > n:
        raise ShapeError(f"pivots {given.type} cannot be of a permutation of {n} rows: there are more of them.")
    lead, dtype = given.shape[:-1], given.dtype
    places = iota(dtype=dtype, shape=(*lead, n), dimension=len(lead))

    def exchanged(i: Any, order: Any) -> Any:
        i = e.convert(i, dtype=dtype, weak=False)
        j = dynamic_index_in_dim(given, i, -1)
        here, there = dynamic_index_in_dim(order, i, -1), take_along(order, j, order.ndim - 1)
        here, there, j = (broadcast_to(v, order.shape) for v in (here, there, j))
        return e.select(e.eq(places, i), e.select(e.eq(places, j), order, here), there)

    return fori_loop(0, k, exchanged, places) if k else places


def qr(
    x: Any, *, pivoting: bool = False, full_matrices: bool = True, use_magma: bool | None = None
) -> tuple[Any, Any] | tuple[Any, Any, Any]:
    """X = Q R, Q with orthonormal columns, R upper triangular.

    Args:
      x: inexact[..., n, m].
      pivoting: whether to exchange columns so that the absolute values on R's diagonal descend.
      full_matrices: whether Q is [..., n, n]; else it is [..., n, min(n, m)].
      use_magma: taken for JAX's sake.

    Returns:
      Q and R; with `pivoting` those of x[..., order], and int32[..., m] order.
    """
    x = as_operand(x, "the operand of qr")
    if pivoting:
        return pivoted_qr(x, bool(full_matrices))
    q, r = p.qr(x, full_matrices=bool(full_matrices))
    return q, r


def svd(
    x: Any,
    *,
    full_matrices: bool = True,
    compute_uv: bool = True,
    subset_by_index: tuple[int, int] | None = None,
    algorithm: Any = None,
) -> Any:
    """X = u diag(s) vh; arguments as of `numpy.linalg.svd`; `algorithm` is taken for JAX's sake."""
    out = _svd(as_operand(x, "the operand of svd"), full_matrices, compute_uv, subset_by_index=subset_by_index)
    return tuple(out) if compute_uv else out


def symmetric_product(
    a_matrix: Any, c_matrix: Any, *, alpha: float = 1.0, beta: float = 0.0, symmetrize_output: bool = False
) -> Any:
    """Alpha a a^T + beta c for symmetric c.

    Args:
      a_matrix: inexact[..., n, m].
      c_matrix: inexact[..., n, n], of which the lower triangle counts.
      alpha, beta: numbers.
      symmetrize_output: whether the upper triangle of the result is like the lower one; else both are as they come.
    """
    a, c = strict_operands("an operand of symmetric_product", (a_matrix, c_matrix))
    out = e.mul(matmul(a, matrix_transpose(a)), a.dtype.type(alpha))
    out = e.add(out, e.mul(c, c.dtype.type(beta)))
    if not symmetrize_output:
        return out
    return e.add(tril(out), triu(matrix_transpose(out), 1))


def triangular_solve(
    a: Any,
    b: Any,
    *,
    left_side: bool = False,
    lower: bool = False,
    transpose_a: bool = False,
    conjugate_a: bool = False,
    unit_diagonal: bool = False,
) -> Any:
    """The x with op(a) x = b (or x op(a) = b, unless `left_side`), of which one triangle of `a` is read.

    Args:
      a: inexact[..., n, n].
      b: inexact[..., n, m] if `left_side`, else inexact[..., m, n]; or without the axis of m.
      left_side: on which side `a` stands.
      lower: which triangle is read.
      transpose_a, conjugate_a: what op does; op is the identity if both are False.
      unit_diagonal: whether the diagonal counts as 1 and is not read.
    """
    x, y = strict_operands("an operand of triangular_solve", (a, b))
    flags = {"transpose_a": bool(transpose_a), "conjugate_a": bool(conjugate_a), "unit_diagonal": bool(unit_diagonal)}
    vector = y.ndim == x.ndim - 1
    if vector:
        y = y[..., None] if left_side else y[..., None, :]
    out = p.triangular_solve(x, y, left_side=bool(left_side), lower=bool(lower), **flags)
    if vector:
        return out[..., 0] if left_side else out[..., 0, :]
    return out
