"""Factorisations of matrices, and triangular systems, over any leading axes; in real and complex floats.

Derivatives are the textbook ones, written in primitives. 16-bit floats are computed in 32 bits. Eigenvalues and singular
values are in `spectral`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..array_type import ArrayType
from ..errors import DTypeError, ShapeError
from ..primitive import LinearOperand, NotLinear, Primitive, Zero
from .arithmetic import add, neg, sub
from .elimination import eliminated
from .matrices import (
    adjoint,
    as_dtype_of,
    conjugate,
    cut,
    diagonal_part,
    flipped,
    halved_diagonal,
    hermitian_from,
    in_identity,
    matmul,
    matrix_transpose,
    on_diagonal,
    ones_like,
    real_part,
    tril,
    triu,
    with_zeros,
)
from .sorting import take_along
from .structural import broadcast_in_dim, move_batch, move_to_front, reshape

__all__ = [
    "cholesky",
    "lu",
    "qr",
    "triangular_solve",
]


_INT = np.dtype("int32")


def checked(name: str, x: ArrayType, square: bool = False) -> tuple[Any, ...]:
    """The leading shape and the lengths of the two axes of matrices."""
    if not dtypes.is_inexact(x.dtype):
        raise DTypeError(f"{name} needs matrices of floating or complex dtype, got {x}: cast with astype.")
    if x.ndim < 2:
        raise ShapeError(f"{name} needs matrices, which have at least 2 axes, got {x}: reshape it.")
    if square and x.shape[-1] != x.shape[-2]:
        raise ShapeError(f"{name} needs square matrices, got {x}.")
    return x.shape[:-2], x.shape[-2], x.shape[-1]


class OfMatrices(Primitive):
    """Works on each matrix of a stack."""

    def kernel(self, xp: Any, types: Sequence[ArrayType], params: Mapping[str, Any]) -> Callable[..., Any]:
        run = super().kernel(xp, types, params)
        dtype = types[0].dtype
        wide = dtypes.accumulator_dtype(dtype)
        return run if wide == dtype else in_dtype(xp, run, dtype, wide)

    def implemented_over(self, xp: Any) -> bool:
        return hasattr(xp, "linalg")


def in_dtype(xp: Any, run: Callable[..., Any], dtype: Any, wide: Any) -> Callable[..., Any]:
    """`run` of operands of `dtype`, computed in `wide`; results come back in `dtype`, but integers stay."""

    def narrowed(y: Any) -> Any:
        return xp.astype(y, dtype) if y.dtype == wide else y

    def widened(*buffers: Any) -> Any:
        out = run(*(xp.astype(x, wide) for x in buffers))
        return tuple(map(narrowed, out)) if isinstance(out, (tuple, list)) else narrowed(out)

    return widened


class Factorisation(NotLinear, OfMatrices):
    """One operand, one or several factors."""

    def batch(self, axis: Any, operands: Sequence[Any], dims: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        out = self(move_to_front(operands[0], dims[0]), **params)
        return (out, [0] * len(out)) if self.multiple_results else (out, 0)


class Cholesky(Factorisation):
    """The lower triangular L with positive diagonal and L L^H = x; NaN for a matrix that is not positive definite.

    Of x, only the lower triangle is read.
    """

    def infer(self, x: ArrayType) -> ArrayType:
        checked(self.name, x, square=True)
        return x.update(weak=False)

    def impl(self, xp: Any, x: Any) -> Any:
        return xp.linalg.cholesky(x)

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
        """L^-1 x' L^-H is the sum of L^-1 L' and its adjoint: of it, L^-1 L' is the lower half."""
        factor = self(primals[0])
        dot = hermitian_from(tangents[0], lower=True)
        right = triangular_solve(factor, dot, left_side=False, lower=True, transpose_a=True, conjugate_a=True)
        inner = triangular_solve(factor, right, left_side=True, lower=True)
        return factor, matmul(factor, halved_diagonal(tril(inner)))


class TriangularSolve(OfMatrices):
    """The x with op(a) x = b (or x op(a) = b, unless `left_side`), of which one triangle of a is read.

    op is the identity, the transpose, the conjugate, or both. With `unit_diagonal`, the diagonal of a is not read, but
    taken to be 1.
    """

    def __call__(
        self,
        a: Any,
        b: Any,
        *,
        left_side: bool,
        lower: bool,
        transpose_a: bool = False,
        conjugate_a: bool = False,
        unit_diagonal: bool = False,
    ) -> Any:
        flags = {"left_side": left_side, "lower": lower, "transpose_a": transpose_a}
        return super().__call__(a, b, **flags, conjugate_a=conjugate_a, unit_diagonal=unit_diagonal)

    def infer(self, a: ArrayType, b: ArrayType, *, left_side: bool, **params: Any) -> ArrayType:
        lead, n, _ = checked(self.name, a, square=True)
        rows, *lengths = checked(self.name, b)
        if a.dtype != b.dtype:
            raise DTypeError(f"{self.name} needs operands of one dtype, got {a} and {b}: cast one with astype.")
        if rows != lead or lengths[0 if left_side else 1] != n:
            side = "rows" if left_side else "columns"
            raise ShapeError(f"{self.name} of {a} and {b}: needs equal leading axes, and as many {side} in b as in a.")
        return b.update(weak=False)

    def impl(self, xp: Any, a: Any, b: Any, *, left_side: bool, **params: Any) -> Any:
        whole = _triangle_of(xp, a, **params)
        if left_side:
            return xp.linalg.solve(whole, b)
        return flipped(xp, xp.linalg.solve(flipped(xp, whole), flipped(xp, b)))

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        """From op(a) x = b: x' is the solution for b' - op(a') x."""
        (a, b), (a_dot, b_dot) = primals, tangents
        x = self(a, b, **params)
        if isinstance(a_dot, Zero):
            return x, self(a, b_dot, **params)
        moved = _read(a_dot, **params)
        rest = neg(matmul(moved, x) if params["left_side"] else matmul(x, moved))
        return x, self(a, rest if isinstance(b_dot, Zero) else add(rest, b_dot), **params)

    def transpose(self, ct: Any, operands: Sequence[Any], *, transpose_a: bool, **params: Any) -> Sequence[Any]:
        a, b = operands
        if not isinstance(b, LinearOperand):
            raise AssertionError("triangular_solve is linear in b only: a jvp rule made a wrong program")
        return [None, ct if isinstance(ct, Zero) else self(a, ct, transpose_a=not transpose_a, **params)]

    def batch(self, axis: Any, operands: Sequence[Any], dims: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        (a, b), (a_dim, b_dim) = operands, dims
        if a_dim is not None:
            return self(move_to_front(a, a_dim), move_to_front(b, b_dim, axis.size), **params), 0
        # One matrix for all: the systems of the batch stand side by side.
        place = b.ndim - 1 if params["left_side"] else b.ndim - 3
        b = move_batch(b, b_dim, place)
        *lead, first, second, third = b.shape
        joined = (*lead, first, second * third) if params["left_side"] else (*lead, first * second, third)
        return reshape(self(a, reshape(b, shape=joined), **params), shape=b.shape), place


def _read(a: Any, lower: bool, transpose_a: bool, conjugate_a: bool, unit_diagonal: bool, **_: Any) -> Any:
    """Op of what is read of `a`, as a rule has it: the diagonal only if it is not taken to be 1."""
    kept = tril(a, -1 if unit_diagonal else 0) if lower else triu(a, 1 if unit_diagonal else 0)
    kept = conjugate(kept) if conjugate_a else kept
    return matrix_transpose(kept) if transpose_a else kept


def _triangle_of(xp: Any, a: Any, lower: bool, transpose_a: bool, conjugate_a: bool, unit_diagonal: bool) -> Any:
    """Op of the triangle of `a`, over a namespace."""
    k = 1 if unit_diagonal else 0
    kept = xp.tril(a, k=-k) if lower else xp.triu(a, k=k)
    kept = kept + xp.eye(a.shape[-1], dtype=a.dtype) if unit_diagonal else kept
    kept = xp.conj(kept) if conjugate_a and dtypes.is_complex(a.dtype) else kept
    return flipped(xp, kept) if transpose_a else kept


class LU(Factorisation):
    """P x = L U with row exchanges.

    Results: L (below the diagonal, its ones left out) and U in one matrix; int32[..., k] pivots: row i was exchanged
    with row pivots[i], in turn; int32[..., n] permutation: row i of P x is row permutation[i] of x.
    """

    multiple_results = True

    def infer(self, x: ArrayType) -> list[ArrayType]:
        lead, n, m = checked(self.name, x)
        return [x.update(weak=False), ArrayType((*lead, min(n, m)), _INT), ArrayType((*lead, n), _INT)]

    def impl(self, xp: Any, x: Any) -> tuple[Any, Any, Any]:
        return eliminated(xp, x)

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
        """L^-1 (P x)' U^-1 is the sum of L^-1 L', strictly lower, and U' U^-1, upper."""
        packed, pivots, permutation = self(primals[0])
        n, m = packed.shape[-2:]
        k = min(n, m)
        places = broadcast_in_dim(permutation, shape=packed.shape, dims=tuple(range(packed.ndim - 1)))
        moved = take_along(tangents[0], places, packed.ndim - 2)
        lower = in_identity(tril(cut(packed, (0, n), (0, k)), -1), n)
        lower = on_diagonal(lower, ones_like(lower), lower)
        upper = in_identity(triu(cut(packed, (0, k), (0, m))), m)
        inner = triangular_solve(lower, moved, left_side=True, lower=True, unit_diagonal=True)
        inner = triangular_solve(upper, inner, left_side=False, lower=False)
        dot = add(matmul(lower, tril(inner, -1)), matmul(triu(inner), upper))
        return [packed, pivots, permutation], [dot, Zero(pivots.type.tangent()), Zero(permutation.type.tangent())]


class QR(Factorisation):
    """x = Q R, Q with orthonormal columns (square if `full_matrices`), R upper triangular with real diagonal."""

    multiple_results = True

    def infer(self, x: ArrayType, *, full_matrices: bool) -> list[ArrayType]:
        lead, n, m = checked(self.name, x)
        k = n if full_matrices else min(n, m)
        return [x.update(shape=(*lead, n, k), weak=False), x.update(shape=(*lead, k, m), weak=False)]

    def impl(self, xp: Any, x: Any, *, full_matrices: bool) -> tuple[Any, Any]:
        q, r = xp.linalg.qr(x, mode="complete" if full_matrices else "reduced")
        return q, r

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], *, full_matrices: bool) -> tuple[Any, Any]:
        """With omega = Q^H Q', skew: Q^H x' = omega R + R', where R' R^-1 is upper with real diagonal.

        Columns of Q beyond those of x are arbitrary; they are taken not to turn into each other.
        """
        (x,), (dot,) = primals, tangents
        n, m = x.shape[-2:]
        q, r = self(x, full_matrices=full_matrices)
        k, columns = min(n, m), q.shape[-1]
        known = triangular_solve(cut(r, (0, k), (0, k)), cut(dot, (0, n), (0, k)), left_side=False, lower=False)
        inner = matmul(adjoint(q), known)
        square = with_zeros(inner, columns)
        below = tril(square, -1)
        omega = sub(below, adjoint(below))
        if dtypes.is_complex(x.dtype):
            middle = diagonal_part(square)
            omega = add(omega, sub(middle, as_dtype_of(real_part(middle), middle)))
        q_dot = matmul(q, omega)
        if columns < n:
            q_dot = add(q_dot, sub(known, matmul(q, inner)))
        r_dot = triu(sub(matmul(adjoint(q), dot), matmul(omega, r)))
        return [q, r], [q_dot, r_dot]


cholesky = Cholesky("cholesky")


triangular_solve = TriangularSolve("triangular_solve")


lu = LU("lu")


qr = QR("qr")
