"""Determinants: their derivatives are right for singular matrices too.

The derivative of det(x) along x' is the trace of adj(x) x', where adj(x), the adjugate, is det(x) / x for regular x.
That has a limit for every x; from x = U diag(s) V^H it is det(U V^H) V diag(products of all s but one) U^H.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .. import dtypes
from ..control.cond import cond
from ..errors import ArgumentError
from ..primitives import elementwise as e
from ..primitives import linalg as p
from ..primitives import spectral
from ..primitives.matrices import adjoint, as_dtype_of, columns_times, diagonals, matmul, on_diagonal
from ..primitives.reduction import reduce_prod
from ..primitives.slicing import iota
from ..primitives.structural import broadcast_in_dim, expand_dims, reduce_sum
from ..transforms.custom_jvp import custom_jvp
from .factorisations import matrices
from .logic import all_of
from .operands import like
from .solving import inv

__all__ = ["SlogdetResult", "det", "slogdet"]


class SlogdetResult(NamedTuple):
    """A determinant as sign (of complex ones, the phase) times exp(logabsdet)."""

    sign: Any
    logabsdet: Any


def _parity(pivots: Any, dtype: Any) -> Any:
    """-1 for an odd number of exchanges, else 1; [...] from the pivots [..., n]."""
    last = pivots.ndim - 1
    rows = iota(dtype=pivots.dtype, shape=pivots.shape, dimension=last)
    exchanged = e.convert(e.ne(pivots, rows), dtype=pivots.dtype, weak=False)
    odd = e.and_(reduce_sum(exchanged, axes=(last,)), like(pivots, 1))
    odd = e.convert(odd, dtype=dtype, weak=False)
    return e.sub(dtype.type(1), e.add(odd, odd))


def _product(x: Any) -> Any:
    """Along the last axis."""
    return reduce_prod(x, axes=(x.ndim - 1,))


@custom_jvp
def _det(x: Any) -> Any:
    packed, pivots, _ = p.lu(x)
    return e.mul(_product(diagonals(packed)), _parity(pivots, x.dtype))


@_det.defjvp
def _det_jvp(primals: Any, tangents: Any) -> Any:
    (x,), (dot,) = primals, tangents
    out = _det(x)
    regular = all_of(e.ne(out, like(out, 0)))
    adjugate = cond(regular, _regular_adjugate, lambda x, det: _adjugate(x), x, out)
    return out, _trace(matmul(adjugate, dot))


def _regular_adjugate(x: Any, det: Any) -> Any:
    return e.mul(inv(x), broadcast_in_dim(det, shape=x.shape, dims=tuple(range(det.ndim))))


def _trace(x: Any) -> Any:
    return reduce_sum(diagonals(x), axes=(x.ndim - 2,))


def _without(s: Any, axes: int) -> Any:
    """The products of the numbers [..., n] but one, [..., n]; or but two different ones, [..., n, n]."""
    lead, n, k = s.ndim - 1, s.shape[-1], axes
    shape = (*s.shape[:-1], *(n,) * (k + 1))
    whole = broadcast_in_dim(s, shape=shape, dims=(*range(lead), lead + k))
    places = [iota(dtype=np.dtype("int32"), shape=shape, dimension=lead + i) for i in range(k + 1)]
    left_out = e.eq(places[0], places[k])
    for other in places[1:k]:
        left_out = e.or_(left_out, e.eq(other, places[k]))
    return _product(e.select(left_out, whole, like(s, 1)))


@custom_jvp
def _adjugate(x: Any) -> Any:
    s, u, vh = spectral.svd(x, full_matrices=False, compute_uv=True)
    phase = e.mul(_det(u), _det(vh))
    return _from_parts(u, columns_times(adjoint(vh), _without(s, 1)), phase)


def _from_parts(u: Any, left: Any, phase: Any) -> Any:
    out = matmul(left, adjoint(u))
    return e.mul(out, broadcast_in_dim(phase, shape=out.shape, dims=tuple(range(phase.ndim))))


@_adjugate.defjvp
def _adjugate_jvp(primals: Any, tangents: Any) -> Any:
    """With m = U^H x' V and t, the products of all s but two: off the diagonal -m t, on it sums of t[i, j] m[j, j]."""
    (x,), (dot,) = primals, tangents
    s, u, vh = spectral.svd(x, full_matrices=False, compute_uv=True)
    phase = e.mul(_det(u), _det(vh))
    inner = matmul(matmul(adjoint(u), dot), adjoint(vh))
    two = as_dtype_of(_without(s, 2), inner)
    two = on_diagonal(two, broadcast_in_dim(like(two, 0), shape=two.shape, dims=()), two)
    sums = matmul(two, expand_dims(diagonals(inner), s.ndim))
    sums = broadcast_in_dim(sums, shape=inner.shape, dims=tuple(range(inner.ndim)))
    moved = on_diagonal(inner, sums, e.neg(e.mul(inner, two)))
    return _adjugate(x), _from_parts(u, matmul(adjoint(vh), moved), phase)


def det(a: Any) -> Any:
    """The determinant. Its derivatives are right for singular matrices too.

    Args:
      a: inexact[..., n, n]; integers become floats.

    Returns:
      inexact[...].

    Raises:
      ShapeError: if the matrices are not square.

    >>> import functorch_lite.numpy as fnp
    >>> float(fnp.linalg.det(fnp.array([[1.0, 2.0], [3.0, 4.0]])))
    -2.0
    """
    x = matrices("det", a, square=True)
    n = x.shape[-1]
    if n == 1:
        return x[..., 0, 0]
    if n in (2, 3):
        rows = [[x[..., i, j] for j in range(n)] for i in range(n)]
        return _two(rows, 0, 1) if n == 2 else _three(rows)
    return _det(x)


def _two(rows: list[list[Any]], i: int, j: int) -> Any:
    """The minor of the last two of two rows in columns i and j."""
    a, b = rows[-2:]
    return e.sub(e.mul(a[i], b[j]), e.mul(a[j], b[i]))


def _three(rows: list[list[Any]]) -> Any:
    a, b, c = rows[0]
    return e.add(e.sub(e.mul(a, _two(rows, 1, 2)), e.mul(b, _two(rows, 0, 2))), e.mul(c, _two(rows, 0, 1)))


def slogdet(a: Any, *, method: str | None = None) -> Any:
    """The determinant as sign and logarithm of its absolute value, which do not overflow.

    Of a singular matrix they are 0 and -inf, and have no derivative (NaN).

    Args:
      a: inexact[..., n, n]; integers become floats.
      method: "lu" or "qr", for JAX's sake: always by LU.

    Returns:
      sign: inexact[...]; of complex determinants the phase.
      logabsdet: real [...].

    Raises:
      ShapeError: if the matrices are not square.

    >>> import functorch_lite.numpy as fnp
    >>> sign, logarithm = fnp.linalg.slogdet(fnp.array([[0.0, 1.0], [1.0, 0.0]]))
    >>> float(sign), float(logarithm)
    (-1.0, 0.0)
    """
    x = matrices("slogdet", a, square=True)
    if method not in (None, "lu", "qr"):
        raise ArgumentError(f"slogdet has the methods 'lu' and 'qr', got {method!r}.")
    packed, pivots, _ = p.lu(x)
    diagonal = diagonals(packed)
    size = reduce_sum(e.log(e.abs_(diagonal)), axes=(diagonal.ndim - 1,))
    real = dtypes.real_dtype(x.dtype)
    parity = as_dtype_of(_parity(pivots, real), x)
    return SlogdetResult(e.mul(_product(e.sign(diagonal)), parity), size)
