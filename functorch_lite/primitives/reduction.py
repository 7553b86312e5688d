"""Reductions other than the sum, the position of the largest and smallest, and cumulative operations.

The derivative of a maximum is shared equally among equal elements. That of a product is right with zeros too: it is the
sum of the products that leave one element out, found by cumulative products from both sides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..array_type import ArrayType
from ..errors import DTypeError, ShapeError
from ..primitive import NotLinear, Primitive, ZeroDerivative
from .arithmetic import add, const, div, eq, ge, le, max_, min_, mul, select, sub
from .base import kind
from .casting import convert
from .slicing import pad
from .structural import Structural, axes_without, broadcast_in_dim, reduce_sum, reshape, transpose
from .transcendental import exp, log1p

__all__ = [
    "argmax",
    "argmin",
    "cumlogsumexp",
    "cummax",
    "cummin",
    "cumprod",
    "cumsum",
    "reduce_and",
    "reduce_max",
    "reduce_min",
    "reduce_or",
    "reduce_prod",
    "reduce_xor",
]


class Reduction(NotLinear, Primitive):
    """A reduction along `axes`.

    Args:
      name: of the primitive.
      accepts: kinds of dtype, any of `biufc`.
      impl: (xp, buffer, axes) -> buffer.
    """

    def __init__(self, name: str, accepts: str, impl: Callable[..., Any]):
        super().__init__(name)
        self.accepts = accepts
        self.own_impl = impl

    def infer(self, x: ArrayType, *, axes: tuple[int, ...]) -> ArrayType:
        if kind(x.dtype) not in self.accepts:
            raise DTypeError(f"{self.name} of {x}: this dtype has no such reduction, cast with astype.")
        return x.update(shape=axes_without(self.name, x, axes))

    def impl(self, xp: Any, x: Any, *, axes: tuple[int, ...]) -> Any:
        return xp.astype(self.own_impl(xp, x, axes), x.dtype, copy=False)

    def batch(self, axis: Any, operands: Any, dims: Any, *, axes: tuple[int, ...]) -> tuple[Any, Any]:
        b = dims[0]
        moved = tuple(a + (a >= b) for a in axes)
        return self(operands[0], axes=moved), b - sum(a < b for a in moved)


class _Extreme(Reduction):
    def infer(self, x: ArrayType, *, axes: tuple[int, ...]) -> ArrayType:
        if any(x.shape[a] == 0 for a in axes if a < x.ndim):
            raise ShapeError(f"{self.name} of {x} over axes {axes}: there is no element to choose from.")
        return super().infer(x, axes=axes)

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], *, axes: tuple[int, ...]) -> tuple[Any, Any]:
        (x,), (t,) = primals, tangents
        out = self(x, axes=axes)
        kept = tuple(i for i in range(x.ndim) if i not in axes)
        spread = broadcast_in_dim(out, shape=x.shape, dims=kept)
        chosen = convert(eq(x, spread), dtype=x.dtype, weak=False)
        return out, div(reduce_sum(mul(t, chosen), axes=axes), reduce_sum(chosen, axes=axes))


class _Product(Reduction):
    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], *, axes: tuple[int, ...]) -> tuple[Any, Any]:
        (x,), (t,) = primals, tangents
        kept = tuple(i for i in range(x.ndim) if i not in axes)
        rows = tuple(x.shape[i] for i in kept)
        n = 1
        for a in axes:
            n *= x.shape[a]
        flat = reshape(transpose(x, permutation=(*kept, *axes)), shape=(*rows, n))
        last = len(rows)
        unit = const(x, 1)
        one_off = ((0, 0, 0),) * last
        before = cumprod(pad(flat, unit, config=(*one_off, (1, -1, 0))), axis=last, reverse=False)
        after = cumprod(pad(flat, unit, config=(*one_off, (-1, 1, 0))), axis=last, reverse=True)
        flat_t = reshape(transpose(t, permutation=(*kept, *axes)), shape=(*rows, n))
        return self(x, axes=axes), reduce_sum(mul(flat_t, mul(before, after)), axes=(last,))


class _Logical(ZeroDerivative, Reduction):
    """A reduction of booleans and integers."""


def _wide_prod(xp: Any, x: Any, axes: Any) -> Any:
    return xp.prod(x, axis=axes, dtype=dtypes.accumulator_dtype(x.dtype))


def _halving(combine: str, unit: int, of_booleans: str | None) -> Callable[..., Any]:
    """A reduction by an elementwise function, of halves."""

    def impl(xp: Any, x: Any, axes: Any) -> Any:
        if of_booleans is not None and x.dtype == dtypes.bool_:
            return getattr(xp, of_booleans)(x, axis=axes)
        kept = tuple(i for i in range(x.ndim) if i not in axes)
        shape = tuple(x.shape[i] for i in kept)
        rows = xp.reshape(xp.permute_dims(x, (*axes, *kept)), (-1, *shape)) if x.size else xp.zeros((0, *shape), dtype=x.dtype)
        function = getattr(xp, combine)
        if rows.shape[0] == 0:
            zero = xp.zeros(shape, dtype=x.dtype)
            return xp.bitwise_invert(zero) if unit else zero
        while rows.shape[0] > 1:
            half = rows.shape[0] // 2
            pairs = function(rows[:half, ...], rows[half : 2 * half, ...])
            rows = xp.concat([pairs, rows[2 * half :, ...]], axis=0) if rows.shape[0] % 2 else pairs
        return xp.reshape(rows, shape)

    return impl


reduce_max = _Extreme("reduce_max", "biuf", lambda xp, x, axes: _extreme(xp, x, axes, "max"))
reduce_min = _Extreme("reduce_min", "biuf", lambda xp, x, axes: _extreme(xp, x, axes, "min"))
reduce_prod = _Product("reduce_prod", "iufc", _wide_prod)
reduce_and = _Logical("reduce_and", "biu", _halving("bitwise_and", -1, "all"))
reduce_or = _Logical("reduce_or", "biu", _halving("bitwise_or", 0, "any"))
reduce_xor = _Logical("reduce_xor", "biu", _halving("bitwise_xor", 0, None))


def _extreme(xp: Any, x: Any, axes: Any, name: str) -> Any:
    if x.dtype == dtypes.bool_:
        return (xp.any if name == "max" else xp.all)(x, axis=axes)
    return getattr(xp, name)(x, axis=axes)


class ArgExtreme(ZeroDerivative, Primitive):
    """The position of the first largest (or smallest) element along `axis`; NaN counts as both."""

    def __init__(self, name: str, function: str):
        super().__init__(name)
        self.function = function

    def infer(self, x: ArrayType, *, axis: int, index_dtype: Any) -> ArrayType:
        if dtypes.is_complex(x.dtype):
            raise DTypeError(f"{self.name} of {x}: complex numbers have no order, take the real part or abs.")
        shape = axes_without(self.name, x, (axis,))
        if x.shape[axis] == 0:
            raise ShapeError(f"{self.name} of {x} along axis {axis}: there is no element to choose from.")
        return ArrayType(shape, index_dtype)

    def impl(self, xp: Any, x: Any, *, axis: int, index_dtype: Any) -> Any:
        values = xp.astype(x, xp.uint8) if x.dtype == dtypes.bool_ else x
        return xp.astype(getattr(xp, self.function)(values, axis=axis), index_dtype)

    def batch(self, axis_: Any, operands: Any, dims: Any, *, axis: int, index_dtype: Any) -> tuple[Any, Any]:
        b = dims[0]
        moved = axis + (axis >= b)
        return self(operands[0], axis=moved, index_dtype=index_dtype), b - (moved < b)


argmax = ArgExtreme("argmax", "argmax")
argmin = ArgExtreme("argmin", "argmin")


# Cumulative operations.


class Cumulative(Primitive):
    """A running reduction along `axis`, from the end if `reverse`.

    Args:
      name: of the primitive.
      accepts: kinds of dtype.
      impl: (xp, buffer with the axis in front) -> buffer.
    """

    def __init__(self, name: str, accepts: str, impl: Callable[..., Any]):
        super().__init__(name)
        self.accepts = accepts
        self.own_impl = impl

    def infer(self, x: ArrayType, *, axis: int, reverse: bool) -> ArrayType:
        axes_without(self.name, x, (axis,))
        if kind(x.dtype) not in self.accepts:
            raise DTypeError(f"{self.name} of {x}: this dtype has no such operation, cast with astype.")
        return x

    def impl(self, xp: Any, x: Any, *, axis: int, reverse: bool) -> Any:
        rows = xp.moveaxis(x, axis, 0)
        out = self.own_impl(xp, xp.flip(rows, axis=0) if reverse else rows)
        out = xp.flip(out, axis=0) if reverse else out
        return xp.astype(xp.moveaxis(out, 0, axis), x.dtype, copy=False)

    def batch(self, axis_: Any, operands: Any, dims: Any, *, axis: int, reverse: bool) -> tuple[Any, Any]:
        b = dims[0]
        return self(operands[0], axis=axis + (axis >= b), reverse=reverse), b


class _CumSum(Structural, Cumulative):
    def transpose(self, ct: Any, operands: Sequence[Any], *, axis: int, reverse: bool) -> Sequence[Any]:
        return [self(ct, axis=axis, reverse=not reverse)]


class _CumPairs(NotLinear, Cumulative):
    """A cumulative operation whose tangent follows from pairs (value, tangent), combined in doubling steps.

    Args:
      combine: (earlier value, earlier tangent, later value, later tangent) -> tangent of the combination.
      value: (earlier value, later value) -> the combination.
      unit: the value that changes nothing, from the dtype.
    """

    def __init__(self, name: str, accepts: str, impl: Any, value: Any, combine: Any, unit: Callable[[Any], Any]):
        super().__init__(name, accepts, impl)
        self.value, self.combine, self.unit = value, combine, unit

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], *, axis: int, reverse: bool) -> tuple[Any, Any]:
        (x,), (t,) = primals, tangents
        y, step, n = x, 1, x.shape[axis]
        unit, zero = self.unit(x.dtype), const(t, 0)
        while step < n:
            shift = [(0, 0, 0)] * x.ndim
            shift[axis] = (-step, step, 0) if reverse else (step, -step, 0)
            earlier, earlier_t = pad(y, unit, config=tuple(shift)), pad(t, zero, config=tuple(shift))
            y, t = self.value(earlier, y), self.combine(earlier, earlier_t, y, t)
            step *= 2
        return self(x, axis=axis, reverse=reverse), t


def _accumulated(function: str) -> Callable[..., Any]:
    """A running combination by an elementwise function, in doubling steps."""

    def impl(xp: Any, rows: Any) -> Any:
        step, n = 1, rows.shape[0]
        combine = getattr(xp, function)
        while step < n:
            rows = xp.concat([rows[:step, ...], combine(rows[: n - step, ...], rows[step:, ...])], axis=0)
            step *= 2
        return rows

    return impl


def _running(function: str) -> Callable[..., Any]:
    def impl(xp: Any, rows: Any) -> Any:
        return getattr(xp, function)(rows, axis=0, dtype=dtypes.accumulator_dtype(rows.dtype))

    return impl


def _lowest(dtype: Any) -> Any:
    return dtype.type(-np.inf) if dtypes.is_floating(dtype) else dtype.type(np.iinfo(dtype).min)


def _highest(dtype: Any) -> Any:
    return dtype.type(np.inf) if dtypes.is_floating(dtype) else dtype.type(np.iinfo(dtype).max)


def _log_add(a: Any, b: Any) -> Any:
    """log(exp a + exp b), -inf where both are."""
    top = max_(a, b)
    finite = select(eq(top, const(top, -np.inf)), top, const(top, 0))
    low = min_(a, b)
    return add(top, log1p(exp(sub(low, finite))))


def _log_add_tangent(a: Any, a_dot: Any, b: Any, b_dot: Any) -> Any:
    y = _log_add(a, b)
    safe = select(eq(y, const(y, -np.inf)), y, const(y, 0))
    return add(mul(a_dot, exp(sub(a, safe))), mul(b_dot, exp(sub(b, safe))))


cumsum = _CumSum("cumsum", "iufc", _running("cumulative_sum"))
cumprod = _CumPairs(
    "cumprod",
    "iufc",
    _running("cumulative_prod"),
    mul,
    lambda a, a_dot, b, b_dot: add(mul(a_dot, b), mul(a, b_dot)),
    lambda dtype: dtype.type(1),
)
cummax = _CumPairs(
    "cummax", "iuf", _accumulated("maximum"), max_, lambda a, a_dot, b, b_dot: select(ge(a, b), b_dot, a_dot), _lowest
)
cummin = _CumPairs(
    "cummin", "iuf", _accumulated("minimum"), min_, lambda a, a_dot, b, b_dot: select(le(a, b), b_dot, a_dot), _highest
)
cumlogsumexp = _CumPairs(
    "cumlogsumexp", "f", _accumulated("logaddexp"), _log_add, _log_add_tangent, lambda dtype: dtype.type(-np.inf)
)

