"""Eigenvalues of Hermitian matrices, and singular values, with their vectors.

Derivatives are the textbook ones, and finite where eigenvalues or singular values coincide: what would be divided by a gap
that is zero, or lost in rounding, counts as zero. A function that does not depend on the choice of vectors among equals has
no such terms to first order unless it tells the equal values apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import dtypes
from ..array_type import ArrayType
from ..errors import UnsupportedError
from .arithmetic import add, div, gt, mul, select, sub
from .linalg import Factorisation, checked
from .matrices import (
    adjoint,
    as_dtype_of,
    columns_times,
    diagonal_part,
    diagonals,
    flipped,
    hermitian_from,
    matmul,
    ones_like,
    real_part,
    rows_times,
)
from .parts import abs_
from .reduction import reduce_max
from .structural import broadcast_in_dim

__all__ = [
    "eigh",
    "svd",
]


class Eigh(Factorisation):
    """x v = v diag(w) for Hermitian x, of which one triangle is read: w, real and ascending, and v, unitary."""

    multiple_results = True

    def infer(self, x: ArrayType, *, lower: bool) -> list[ArrayType]:
        checked(self.name, x, square=True)
        values = ArrayType(x.shape[:-1], dtypes.real_dtype(x.dtype))
        return [values, x.update(weak=False)]

    def impl(self, xp: Any, x: Any, *, lower: bool) -> tuple[Any, Any]:
        if not lower:
            x = flipped(xp, xp.conj(x) if dtypes.is_complex(x.dtype) else x)
        w, v = xp.linalg.eigh(x)
        return w, v

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], *, lower: bool) -> tuple[Any, Any]:
        """With m = v^H x' v: w' is its diagonal, and v' = v times m[i, j] / (w[j] - w[i])."""
        w, v = self(primals[0], lower=lower)
        inner = matmul(matmul(adjoint(v), hermitian_from(tangents[0], lower)), v)
        turn = mul(inner, as_dtype_of(_inverse_gaps(w), inner))
        return [w, v], [real_part(diagonals(inner)), matmul(v, turn)]


def _differences(w: Any) -> tuple[Any, Any]:
    """w[j] - w[i], as [..., i, j]; and which of them are more than rounding errors."""
    n, shape = w.ndim, (*w.shape, w.shape[-1])
    columns = broadcast_in_dim(w, shape=shape, dims=(*range(n - 1), n))
    rows = broadcast_in_dim(w, shape=shape, dims=tuple(range(n)))
    gaps = sub(columns, rows)
    if not w.shape[-1]:
        return gaps, gt(gaps, gaps.dtype.type(0))
    size = mul(reduce_max(abs_(w), axes=(n - 1,)), w.dtype.type(dtypes.finfo(w.dtype).eps))
    size = broadcast_in_dim(size, shape=shape, dims=tuple(range(n - 1)))
    return gaps, gt(abs_(gaps), size)


def _inverse_gaps(w: Any, sums: Any = None) -> Any:
    """1 / (w[j] - w[i]), zero where the gap is; of squares if `sums`, w[j] + w[i], is given."""
    gaps, apart = _differences(w)
    gaps = gaps if sums is None else mul(gaps, sums)
    return _inverse(gaps, apart)


def _inverse(x: Any, where: Any) -> Any:
    """1 / x, zero where `where` does not hold."""
    zero, one = x.dtype.type(0), x.dtype.type(1)
    return select(where, zero, div(ones_like(x), select(where, one, x)))


class SVD(Factorisation):
    """x = u diag(s) vh: s, real and descending; if `compute_uv` also u and vh, with orthonormal columns and rows.

    They have as many as s is long, or are square if `full_matrices`.
    """

    multiple_results = True

    def infer(self, x: ArrayType, *, full_matrices: bool, compute_uv: bool) -> list[ArrayType]:
        lead, n, m = checked(self.name, x)
        k = min(n, m)
        values = ArrayType((*lead, k), dtypes.real_dtype(x.dtype))
        if not compute_uv:
            return [values]
        left = (*lead, n, n if full_matrices else k)
        right = (*lead, m if full_matrices else k, m)
        return [values, x.update(shape=left, weak=False), x.update(shape=right, weak=False)]

    def impl(self, xp: Any, x: Any, *, full_matrices: bool, compute_uv: bool) -> tuple[Any, ...]:
        if not compute_uv:
            return (xp.linalg.svdvals(x),)
        u, s, vh = xp.linalg.svd(x, full_matrices=full_matrices)
        return s, u, vh

    def jvp(
        self, primals: Sequence[Any], tangents: Sequence[Any], *, full_matrices: bool, compute_uv: bool
    ) -> tuple[Any, Any]:
        (x,), (dot,) = primals, tangents
        n, m = x.shape[-2:]
        if compute_uv and full_matrices and n != m:
            raise UnsupportedError(
                f"svd of {x.type} with full_matrices=True has no derivative: the vectors beyond the singular values "
                "are arbitrary. Ask for full_matrices=False."
            )
        s, u, vh = self(x, full_matrices=False, compute_uv=True)
        inner = matmul(matmul(adjoint(u), dot), adjoint(vh))
        s_dot = real_part(diagonals(inner))
        if not compute_uv:
            return [s], [s_dot]
        u_dot, v_dot = _turned(s, u, adjoint(vh), inner, dot)
        return [s, u, vh], [s_dot, u_dot, adjoint(v_dot)]


def _turned(s: Any, u: Any, v: Any, inner: Any, dot: Any) -> tuple[Any, Any]:
    """The tangents of the singular vectors, from inner = u^H x' v and dot = x'.

    Within the span of the vectors they turn by 1 / (s[j]^2 - s[i]^2) times (inner s + s inner^H) for u and (s inner +
    inner^H s) for v; what of x' leads out of the span is divided by s. Of the common phase, u gets all.
    """
    n, shape = s.ndim, inner.shape
    sums = add(
        broadcast_in_dim(s, shape=shape, dims=(*range(n - 1), n)),
        broadcast_in_dim(s, shape=shape, dims=tuple(range(n))),
    )
    gaps = as_dtype_of(_inverse_gaps(s, sums), inner)
    right, left = columns_times(inner, s), rows_times(inner, s)
    u_turn, v_turn = mul(gaps, add(right, adjoint(right))), mul(gaps, add(left, adjoint(left)))
    inverse = _inverse(s, _significant(s))
    if dtypes.is_complex(inner.dtype):
        middle = diagonal_part(inner)
        phase = sub(middle, as_dtype_of(real_part(middle), middle))
        u_turn = add(u_turn, columns_times(phase, inverse))
    u_dot, v_dot = matmul(u, u_turn), matmul(v, v_turn)
    if u.shape[-2] > u.shape[-1]:
        u_dot = add(u_dot, columns_times(sub(matmul(dot, v), matmul(u, inner)), inverse))
    if v.shape[-2] > v.shape[-1]:
        out = sub(matmul(adjoint(dot), u), matmul(v, adjoint(inner)))
        v_dot = add(v_dot, columns_times(out, inverse))
    return u_dot, v_dot


def _significant(s: Any) -> Any:
    """Which singular values are more than rounding errors of the largest."""
    if not s.shape[-1]:
        return gt(s, s.dtype.type(0))
    size = mul(reduce_max(s, axes=(s.ndim - 1,)), s.dtype.type(dtypes.finfo(s.dtype).eps))
    return gt(s, broadcast_in_dim(size, shape=s.shape, dims=tuple(range(s.ndim - 1))))


eigh = Eigh("eigh")


svd = SVD("svd")
