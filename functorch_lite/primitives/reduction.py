"""Reductions other than the sum, the position of the largest and smallest, and cumulative operations.

The derivative of a maximum is shared equally among equal elements. That of a product is right with zeros too: it is the
sum of the products that leave one element out, found by cumulative products from both sides.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..array_type import ArrayType
from ..errors import DTypeError, ShapeError
from ..primitive import NotLinear, Primitive, ZeroDerivative
from .arithmetic import add, const, div, eq, max_, min_, mul, select, sub
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
      combines: the instruction of the code generators.
    """

    def __init__(self, name: str, accepts: str, impl: Callable[..., Any], combines: str):
        super().__init__(name)
        self.accepts = accepts
        self.own_impl = impl
        self.combines = combines

    def is_identity(self, types: Sequence[ArrayType], params: Mapping[str, Any]) -> bool:
        return not params["axes"]

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
        n = math.prod(x.shape[a] for a in axes)
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


Combine = Callable[[Any, Any, Any], Any]
"""(xp, buffer, buffer) -> buffer"""


def _named(function: str) -> Combine:
    return lambda xp, a, b: getattr(xp, function)(a, b)


def _halving(combine: Combine, unit: Callable[[Any, Any], Any] | None = None) -> Callable[..., Any]:
    """A reduction by an elementwise function, of halves; `unit` of (xp, zeros) gives what it is of no elements."""

    def impl(xp: Any, x: Any, axes: Any) -> Any:
        kept = tuple(i for i in range(x.ndim) if i not in axes)
        shape = tuple(x.shape[i] for i in kept)
        n = math.prod(x.shape[i] for i in axes)
        rows = xp.reshape(xp.permute_dims(x, (*axes, *kept)), (n, *shape))
        if n == 0 and unit is not None:
            return unit(xp, xp.zeros(shape, dtype=x.dtype))
        while n > 1:
            pairs = combine(xp, rows[: n // 2, ...], rows[n // 2 : n // 2 * 2, ...])
            rows = xp.concat([pairs, rows[n // 2 * 2 :, ...]], axis=0) if n % 2 else pairs
            n = rows.shape[0]
        return xp.asarray(rows[0, ...], copy=True)

    return impl


def _logical(of_booleans: str, otherwise: Callable[..., Any]) -> Callable[..., Any]:
    def impl(xp: Any, x: Any, axes: Any) -> Any:
        return getattr(xp, of_booleans)(x, axis=axes) if x.dtype == dtypes.bool_ else otherwise(xp, x, axes)

    return impl


def _extreme(function: str, of_booleans: str, primitive: Any) -> Callable[..., Any]:
    """The namespace's function; of complex numbers, ordered by real, then by imaginary part, by halves."""
    of_complex = _halving(primitive.impl)

    def impl(xp: Any, x: Any, axes: Any) -> Any:
        if dtypes.is_complex(x.dtype):
            return of_complex(xp, x, axes)
        return getattr(xp, of_booleans if x.dtype == dtypes.bool_ else function)(x, axis=axes)

    return impl


def _zeros(xp: Any, zeros: Any) -> Any:
    return zeros


def _all_bits(xp: Any, zeros: Any) -> Any:
    return xp.bitwise_invert(zeros)


reduce_max = _Extreme("reduce_max", "biufc", _extreme("max", "any", max_), "max")
reduce_min = _Extreme("reduce_min", "biufc", _extreme("min", "all", min_), "min")
reduce_prod = _Product("reduce_prod", "iufc", _wide_prod, "mul")
reduce_and = _Logical("reduce_and", "biu", _logical("all", _halving(_named("bitwise_and"), _all_bits)), "and")
reduce_or = _Logical("reduce_or", "biu", _logical("any", _halving(_named("bitwise_or"), _zeros)), "or")
reduce_xor = _Logical("reduce_xor", "biu", _halving(_named("bitwise_xor"), _zeros), "xor")


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


class _Scanned(NotLinear, Cumulative):
    """A cumulative operation whose derivative is found in doubling steps, like the value.

    Args:
      unit: the value that changes nothing, from the dtype.
    """

    def __init__(self, name: str, accepts: str, impl: Any, unit: Callable[[Any], Any]):
        super().__init__(name, accepts, impl)
        self.unit = unit

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], *, axis: int, reverse: bool) -> tuple[Any, Any]:
        (x,), (t,) = primals, tangents
        state, units = self.start(x, t), (self.unit(x.dtype), const(t, 0), const(t, 0))
        step, n = 1, x.shape[axis]
        while step < n:
            config = [(0, 0, 0)] * x.ndim
            config[axis] = (-step, step, 0) if reverse else (step, -step, 0)
            earlier = [pad(v, unit, config=tuple(config)) for v, unit in zip(state, units, strict=False)]
            state = self.step(earlier, state)
            step *= 2
        return self(x, axis=axis, reverse=reverse), self.tangent(*state)

    def start(self, x: Any, t: Any) -> Sequence[Any]:
        """For each element: the value, the tangent, and what else is needed."""
        return x, t

    def step(self, earlier: Sequence[Any], later: Sequence[Any]) -> Sequence[Any]:
        """The same of the combination."""
        raise NotImplementedError

    def tangent(self, y: Any, t: Any, *others: Any) -> Any:
        """The tangent at the end."""
        return t


class _CumProd(_Scanned):
    def step(self, earlier: Sequence[Any], later: Sequence[Any]) -> Sequence[Any]:
        (a, a_dot), (b, b_dot) = earlier, later
        return mul(a, b), add(mul(a_dot, b), mul(a, b_dot))


class _CumExtreme(_Scanned):
    """Elements that equal the extreme share its derivative equally: tangents are added, and the elements counted.

    Args:
      combine: the elementwise primitive of the same meaning.
    """

    def __init__(self, name: str, accepts: str, combine: Any, unit: Callable[[Any], Any]):
        super().__init__(name, accepts, _accumulated(combine.impl), unit)
        self.combine = combine

    def start(self, x: Any, t: Any) -> Sequence[Any]:
        return x, t, broadcast_in_dim(const(t, 1), shape=x.shape, dims=())

    def step(self, earlier: Sequence[Any], later: Sequence[Any]) -> Sequence[Any]:
        y = self.combine(earlier[0], later[0])
        first, second = eq(earlier[0], y), eq(later[0], y)
        zero = const(later[1], 0)
        pairs = zip(earlier[1:], later[1:], strict=True)
        return y, *(add(select(first, zero, a), select(second, zero, b)) for a, b in pairs)

    def tangent(self, y: Any, t: Any, *others: Any) -> Any:
        return div(t, others[0])


class _CumLogSumExp(_Scanned):
    def step(self, earlier: Sequence[Any], later: Sequence[Any]) -> Sequence[Any]:
        (a, a_dot), (b, b_dot) = earlier, later
        y = _log_add(a, b)
        safe = select(eq(y, const(y, -np.inf)), y, const(y, 0))
        return y, add(mul(a_dot, exp(sub(a, safe))), mul(b_dot, exp(sub(b, safe))))


def _accumulated(combine: Combine) -> Callable[..., Any]:
    """A running combination by an elementwise function, in doubling steps."""

    def impl(xp: Any, rows: Any) -> Any:
        step, n = 1, rows.shape[0]
        while step < n:
            rows = xp.concat([rows[:step, ...], combine(xp, rows[: n - step, ...], rows[step:, ...])], axis=0)
            step *= 2
        return rows if n > 1 else xp.asarray(rows, copy=True)

    return impl


def _running(function: str) -> Callable[..., Any]:
    def impl(xp: Any, rows: Any) -> Any:
        return getattr(xp, function)(rows, axis=0, dtype=dtypes.accumulator_dtype(rows.dtype))

    return impl


def _unit(sign: int) -> Callable[[Any], Any]:
    """The least value of a dtype, or the greatest."""

    def unit(dtype: Any) -> Any:
        if dtypes.is_complex(dtype):
            return dtype.type(complex(sign * np.inf, sign * np.inf))
        if dtypes.is_floating(dtype):
            return dtype.type(sign * np.inf)
        return dtype.type(np.iinfo(dtype).min if sign < 0 else np.iinfo(dtype).max)

    return unit


def _log_add(a: Any, b: Any) -> Any:
    """log(exp a + exp b), -inf where both are."""
    top, low = max_(a, b), min_(a, b)
    finite = select(eq(top, const(top, -np.inf)), top, const(top, 0))
    return add(top, log1p(exp(sub(low, finite))))


cumsum = _CumSum("cumsum", "iufc", _running("cumulative_sum"))
cumprod = _CumProd("cumprod", "iufc", _running("cumulative_prod"), lambda dtype: dtype.type(1))
cummax = _CumExtreme("cummax", "iufc", max_, _unit(-1))
cummin = _CumExtreme("cummin", "iufc", min_, _unit(1))
cumlogsumexp = _CumLogSumExp("cumlogsumexp", "f", _accumulated(_named("logaddexp")), _unit(-1))
