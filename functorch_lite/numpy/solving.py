"""Systems of linear equations, inverses, least squares, and products of many matrices.

Operands are matrices, stacked along any leading axes; integers become floats.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

from .. import dtypes
from ..arrays import from_host, type_of
from ..direct import inexact
from ..errors import ArgumentError, ArgumentTypeError, ShapeError
from ..primitives import elementwise as e
from ..primitives import linalg as p
from ..primitives.matrices import adjoint, columns_times, matmul, on_diagonal
from ..primitives.sorting import take_along
from ..primitives.structural import broadcast_in_dim, broadcast_to, expand_dims, reshape
from ..promotion import as_operand, broadcast_shapes, cast
from ..transforms.custom_jvp import custom_jvp
from .arithmetic import abs as abs_
from .axes import axes_of, integer
from .choosing import where
from .contraction import matmul as product
from .extremes import max as max_
from .factorisations import matrices, svd, svdvals, symmetrised
from .operands import like
from .reductions import sum as sum_
from .shaping import moveaxis
from .sorting import argsort
from .triangles import eye

__all__ = [
    "inv",
    "lstsq",
    "matrix_power",
    "multi_dot",
    "pinv",
    "solve",
    "tensorinv",
    "tensorsolve",
]


def solve_by_lu(packed: Any, permutation: Any, b: Any, trans: int = 0) -> Any:
    """The x with op(a) x = b from the results of `lu(a)`; op: 0 none, 1 transpose, 2 adjoint."""

    def moved(x: Any, order: Any) -> Any:
        return take_along(x, broadcast_in_dim(order, shape=x.shape, dims=tuple(range(x.ndim - 1))), x.ndim - 2)

    def back(x: Any, lower: bool) -> Any:
        flags = {"transpose_a": trans > 0, "conjugate_a": trans == 2}
        return p.triangular_solve(packed, x, left_side=True, lower=lower, unit_diagonal=lower, **flags)

    if trans == 0:
        return back(back(moved(b, permutation), True), False)
    return moved(back(back(b, False), True), argsort(permutation, axis=-1))


@custom_jvp
def _solve(a: Any, b: Any) -> Any:
    packed, _, permutation = p.lu(a)
    return solve_by_lu(packed, permutation, b)


@_solve.defjvp
def _solve_jvp(primals: Any, tangents: Any) -> Any:
    """From a x = b: x' is the solution for b' - a' x."""
    (a, b), (a_dot, b_dot) = primals, tangents
    packed, _, permutation = p.lu(a)
    x = solve_by_lu(packed, permutation, b)
    return x, solve_by_lu(packed, permutation, e.sub(b_dot, matmul(a_dot, x)))


def solve(a: Any, b: Any) -> Any:
    """The x with a x = b.

    Args:
      a: inexact[..., n, n].
      b: inexact[n], a vector, or inexact[..., n, m], a stack of matrices; leading axes broadcast.

    Raises:
      ShapeError: if the shapes do not fit.

    >>> import functorch_lite.numpy as fnp
    >>> fnp.linalg.solve(fnp.array([[2.0, 0.0], [0.0, 4.0]]), fnp.ones(2)).tolist()
    [0.5, 0.25]
    """
    x, y = inexact(as_operand(a), as_operand(b))
    x = matrices("solve", x, square=True)
    vector = y.ndim == 1
    if not y.ndim or y.shape[-1 if vector else -2] != x.shape[-1]:
        raise ShapeError(f"solve of {type_of(x)} and {type_of(y)}: needs as many rows in b as in a.")
    y = expand_dims(y, 1) if vector else y
    lead = broadcast_shapes("solve", [x.shape[:-2], y.shape[:-2]])
    out = _solve(broadcast_to(x, (*lead, *x.shape[-2:])), broadcast_to(y, (*lead, *y.shape[-2:])))
    return reshape(out, shape=out.shape[:-1]) if vector else out


def _identity_like(x: Any) -> Any:
    one, zero = (broadcast_in_dim(like(x, v), shape=x.shape, dims=()) for v in (1, 0))
    return on_diagonal(x, one, zero)


def inv(a: Any) -> Any:
    """The inverse matrices, with a inv(a) = 1; infinities and NaN where there is none.

    Args:
      a: inexact[..., n, n].

    Raises:
      ShapeError: if the matrices are not square.

    >>> import functorch_lite.numpy as fnp
    >>> fnp.linalg.inv(fnp.array([[2.0, 0.0], [0.0, 4.0]])).tolist()
    [[0.5, 0.0], [0.0, 0.25]]
    """
    x = matrices("inv", a, square=True)
    return _solve(x, _identity_like(x))


# Least squares.


def _pinv(a: Any, rtol: Any, hermitian: bool) -> Any:
    """V diag(1 / s) U^H, without what is not more than `rtol` times the largest singular value."""
    u, s, vh = svd(a, full_matrices=False, hermitian=hermitian)
    limit = e.mul(max_(s, -1, keepdims=True, initial=0.0), rtol) if rtol.ndim == 0 else s[..., :1] * rtol[..., None]
    kept = s > limit
    inverse = where(kept, 1 / where(kept, s, 1), 0)
    return matmul(columns_times(adjoint(vh), inverse), adjoint(u))


@partial(custom_jvp, nondiff_argnums=(2,))
def _pseudoinverse(a: Any, rtol: Any, hermitian: bool) -> Any:
    return _pinv(a, rtol, hermitian)


@_pseudoinverse.defjvp
def _pseudoinverse_jvp(hermitian: bool, primals: Any, tangents: Any) -> Any:
    """Golub and Pereyra's formula, for matrices of constant rank; no gaps of singular values are divided by."""
    (a, rtol), (dot, _) = primals, tangents
    out = _pseudoinverse(a, rtol, hermitian)
    back, square = adjoint(dot), matmul(out, adjoint(out))
    left = e.sub(matmul(square, back), matmul(matmul(matmul(square, back), a), out))
    inner = matmul(back, matmul(adjoint(out), out))
    right = e.sub(inner, matmul(out, matmul(a, inner)))
    return out, e.sub(e.add(left, right), matmul(matmul(out, dot), out))


def pinv(a: Any, rtol: Any = None, hermitian: bool = False, *, rcond: Any = None) -> Any:
    """The pseudoinverse: the matrix that gives the shortest solution of least squares.

    Args:
      a: inexact[..., n, m].
      rtol: singular values of at most `rtol` times the largest count as zero: a number, or one for each matrix. By
        default 10 max(n, m) eps.
      hermitian: whether `a` is Hermitian, so that eigenvalues can do.
      rcond: another name of `rtol`.

    >>> import functorch_lite.numpy as fnp
    >>> fnp.linalg.pinv(fnp.array([[2.0, 0.0], [0.0, 0.0]])).tolist()
    [[0.5, 0.0], [0.0, 0.0]]
    """
    x = matrices("pinv", a, square=hermitian)
    x = symmetrised(x) if hermitian else x
    if rtol is not None and rcond is not None:
        raise ArgumentTypeError("pinv: rcond is another name of rtol: give one of them.")
    rtol = rcond if rtol is None else rtol
    real = dtypes.real_dtype(x.dtype)
    limit = 10 * max(x.shape[-2:]) * float(dtypes.finfo(real).eps) if rtol is None else rtol
    limit = from_host(real.type(limit)) if isinstance(limit, float) else cast(as_operand(limit), real)
    return _pseudoinverse(x, limit, bool(hermitian))


def lstsq(a: Any, b: Any, rcond: Any = None, *, numpy_resid: bool = False) -> tuple[Any, Any, Any, Any]:
    """The shortest x that makes |b - a x| least.

    Args:
      a: inexact[n, m].
      b: inexact[n] or inexact[n, k].
      rcond: singular values of at most `rcond` times the largest count as zero; by default max(n, m) eps.
      numpy_resid: whether residuals are left out where NumPy does so: if `a` has not full column rank, or n <= m. That
        needs known values.

    Returns:
      x [m] or [m, k]; the sums of squares of residuals [1] or [k]; the rank; the singular values.

    >>> import functorch_lite.numpy as fnp
    >>> x, residuals, rank, s = fnp.linalg.lstsq(fnp.array([[1.0], [1.0]]), fnp.array([1.0, 3.0]))
    >>> x.round(4).tolist(), residuals.round(4).tolist(), int(rank)
    ([2.0], [2.0], 1)
    """
    x, y = inexact(as_operand(a), as_operand(b))
    if x.ndim != 2 or y.ndim not in (1, 2) or y.shape[0] != x.shape[0]:
        raise ShapeError(f"lstsq of {type_of(x)} and {type_of(y)}: needs a matrix, and as many rows in b.")
    rows = expand_dims(y, 1) if y.ndim == 1 else y
    eps = float(dtypes.finfo(dtypes.real_dtype(x.dtype)).eps)
    limit = eps * max(x.shape) if rcond is None else rcond
    limit = eps if isinstance(limit, (int, float)) and limit < 0 else limit
    out = matmul(pinv(x, limit), rows)
    s = svdvals(x)
    rank = sum_(s > s[:1] * limit)
    error = abs_(rows - matmul(x, out))
    residuals = sum_(error * error, 0)
    if numpy_resid and (x.shape[0] <= x.shape[1] or int(rank) < x.shape[1]):
        residuals = residuals[:0]
    return (reshape(out, shape=out.shape[:1]) if y.ndim == 1 else out), residuals, rank, s


# Products and tensors.


def matrix_power(a: Any, n: int) -> Any:
    """The product of n times a matrix [..., m, m], by repeated squaring; of its inverse for negative n.

    >>> import functorch_lite.numpy as fnp
    >>> fnp.linalg.matrix_power(fnp.array([[1, 1], [0, 1]]), 5).tolist()
    [[1, 5], [0, 1]]
    """
    n = integer("matrix_power", "n", n)
    x = inv(a) if n < 0 else as_operand(a)
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise ShapeError(f"matrix_power needs square matrices, got {type_of(x)}.")
    left, out = (-n if n < 0 else n), None
    while left:
        if left % 2:
            out = x if out is None else product(out, x)
        left //= 2
        x = product(x, x) if left else x
    return broadcast_to(eye(x.shape[-1], dtype=x.dtype), x.shape) if out is None else out


def multi_dot(arrays: Sequence[Any], *, precision: Any = None) -> Any:
    """The product of several matrices in the order of least work; the first and the last may be vectors.

    Args:
      arrays: two or more.
      precision: taken for JAX's sake.

    >>> import functorch_lite.numpy as fnp
    >>> fnp.linalg.multi_dot([fnp.ones((2, 3)), fnp.ones((3, 4)), fnp.ones(4)]).tolist()
    [12.0, 12.0]
    """
    xs = [as_operand(x) for x in arrays]
    if len(xs) < 2:
        raise ArgumentError(f"multi_dot needs two arrays at least, got {len(xs)}.")
    if any(x.ndim != 2 for x in xs[1:-1]) or any(x.ndim not in (1, 2) for x in (xs[0], xs[-1])):
        raise ShapeError(
            f"multi_dot needs matrices, the first and the last may be vectors; got {[x.type for x in xs]}."
        )
    lengths = [xs[0].shape[0] if xs[0].ndim == 2 else 1, *(x.shape[0] for x in xs[1:])]
    lengths.append(xs[-1].shape[1] if xs[-1].ndim == 2 else 1)
    best: dict[tuple[int, int], tuple[int, int]] = {(i, i): (0, i) for i in range(len(xs))}
    for width in range(1, len(xs)):
        for i in range(len(xs) - width):
            j = i + width
            best[i, j] = min(
                (best[i, k][0] + best[k + 1, j][0] + lengths[i] * lengths[k + 1] * lengths[j + 1], k)
                for k in range(i, j)
            )

    def chain(i: int, j: int) -> Any:
        return xs[i] if i == j else product(chain(i, best[i, j][1]), chain(best[i, j][1] + 1, j))

    return chain(0, len(xs) - 1)


def tensorinv(a: Any, ind: int = 2) -> Any:
    """The inverse with respect to `tensordot` over `ind` axes.

    Args:
      a: an array whose first `ind` lengths have the product of the others.
      ind: how many axes come first.
    """
    x, ind = as_operand(a), integer("tensorinv", "ind", ind)
    if ind <= 0 or math.prod(x.shape[:ind]) != math.prod(x.shape[ind:]):
        raise ShapeError(
            f"tensorinv of {type_of(x)} with ind={ind}: the products of lengths before and after must be equal."
        )
    n = math.prod(x.shape[:ind])
    return reshape(inv(reshape(x, shape=(n, n))), shape=(*x.shape[ind:], *x.shape[:ind]))


def tensorsolve(a: Any, b: Any, axes: tuple[int, ...] | None = None) -> Any:
    """The x with tensordot(a, x, x.ndim) = b.

    Args:
      a: an array; the lengths of its last axes are the shape of x.
      b: an array, of the shape of the first axes of `a`.
      axes: axes of `a` to move to its end first.
    """
    x, y = inexact(as_operand(a), as_operand(b))
    if axes is not None:
        places = axes_of("tensorsolve", axes, x.ndim)
        x = moveaxis(x, places, tuple(range(-len(places), 0)))
    rest = x.shape[y.ndim :]
    if math.prod(rest) != y.size:
        raise ShapeError(
            f"tensorsolve of {type_of(x)} and {type_of(y)}: the last axes of a need as many elements as b."
        )
    out = _solve(reshape(x, shape=(y.size, y.size)), reshape(y, shape=(y.size, 1)))
    return reshape(out, shape=tuple(rest))
