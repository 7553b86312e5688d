"""Other dtypes for the same values: casts, reinterpreted bits, reduced precision; and the copy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..array_type import ArrayType
from ..errors import ArgumentError, DTypeError, ShapeError
from ..primitive import LinearOperand, Primitive, Zero, ZeroDerivative
from .base import Elementwise, same
from .structural import move_to_front

__all__ = ["bitcast_convert", "convert", "copy", "reduce_precision"]


class _Convert(Elementwise):
    """A cast to `dtype`, with the weak flag `weak`.

    Floats become integers by dropping what follows the point; those beyond the integer's range become its nearest end,
    and NaN becomes 0. Integers wrap. Complex numbers lose their imaginary part, but all become true that are not zero.
    """

    may_alias = True

    def is_identity(self, types: Sequence[ArrayType], params: Mapping[str, Any]) -> bool:
        return types[0].dtype == params["dtype"]

    def infer(self, x: ArrayType, *, dtype: Any, weak: bool) -> ArrayType:  # type: ignore[override]
        return ArrayType(x.shape, dtype, weak)

    def impl(self, xp: Any, x: Any, *, dtype: Any, weak: bool) -> Any:  # type: ignore[override]
        if dtypes.is_complex(x.dtype) and not dtypes.is_complex(dtype):
            if dtypes.is_bool(dtype):
                return x != 0
            x = xp.real(x)
        if dtypes.is_floating(x.dtype) and dtypes.is_integer(dtype):
            return _to_integer(xp, x, dtype)
        return xp.astype(x, dtype)

    def implemented_over(self, xp: Any) -> bool:
        return True


def _to_integer(xp: Any, x: Any, dtype: Any) -> Any:
    """Floats to integers, ends included."""
    wide = dtypes.accumulator_dtype(x.dtype)
    x = xp.astype(x, wide)
    info = np.iinfo(dtype)
    low, beyond = wide.type(info.min), wide.type(2.0 ** (info.bits - (info.min < 0)))  # powers of 2: exact
    below, above = x < low, x >= beyond
    inside = xp.where(below | above | (x != x), xp.zeros_like(x), x)
    out = xp.astype(inside, dtype)
    out = xp.where(below, xp.full_like(out, info.min), out)
    return xp.where(above, xp.full_like(out, info.max), out)


def _convert_back(ct: Any, x: Any, *, dtype: Any, weak: bool) -> Any:
    to = x.type.dtype if isinstance(x, LinearOperand) else x.dtype
    return convert(ct, dtype=to, weak=False)


def _convert_tangent(t: Any, y: Any, x: Any, *, dtype: Any, weak: bool) -> Any:
    return (
        convert(t, dtype=dtype, weak=False) if dtypes.is_inexact(dtype) else Zero(ArrayType(x.shape, dtype).tangent())
    )


convert = _Convert(
    "convert",
    accepts="biufc",
    params=("dtype", "weak"),
    derivatives=(_convert_tangent,),
    transposes=(_convert_back,),
)


class _BitcastConvert(ZeroDerivative, Primitive):
    """The same bits as numbers of another dtype.

    To a dtype of half the width, each element becomes two, along a new last axis (the low bits first); to one of twice
    the width, the last axis, of length 2, is used up. Likewise for 4 and 8.
    """

    of_dtype = True

    may_alias = True

    def infer(self, x: ArrayType, *, dtype: Any) -> ArrayType:  # type: ignore[override]
        if any(dtypes.is_bool(d) or dtypes.is_complex(d) for d in (x.dtype, dtype)) and x.dtype != dtype:
            raise DTypeError(
                f"bitcast_convert of {x} to {dtypes.short_name(dtype)}: booleans and complex numbers keep their dtype, "
                "cast with astype."
            )
        if x.dtype.itemsize >= dtype.itemsize:
            parts = x.dtype.itemsize // dtype.itemsize
            return ArrayType(x.shape if parts == 1 else (*x.shape, parts), dtype)
        parts = dtype.itemsize // x.dtype.itemsize
        if not x.shape or x.shape[-1] != parts:
            raise ShapeError(
                f"bitcast_convert of {x} to {dtypes.short_name(dtype)} needs a last axis of length {parts}, whose "
                "elements make up one of the result: reshape it."
            )
        return ArrayType(x.shape[:-1], dtype)

    def element(self, at: Any, index: Any, *, dtype: Any) -> Any:  # type: ignore[override]
        given = at.types[0].dtype
        if given == dtype:
            return at.operand(0, index)
        if given.itemsize == dtype.itemsize:
            return at.of(dtype, "bitcast", at.operand(0, index))
        if given.itemsize > dtype.itemsize:
            *index, part = index
            wide, narrow = (np.dtype(f"u{d.itemsize}") for d in (given, dtype))
            whole = at.of(wide, "bitcast", at.operand(0, index))
            shifted = at.of(wide, "shift_right_logical", whole, at.number(part * (8 * dtype.itemsize), wide))
            return at.of(dtype, "bitcast", at.of(narrow, "convert", shifted))
        wide, narrow = (np.dtype(f"u{d.itemsize}") for d in (dtype, given))
        whole = at.literal(0, wide)
        for k in range(dtype.itemsize // given.itemsize):
            part = at.of(narrow, "bitcast", at.operand(0, [*index, at.zero + k]))
            part = at.of(wide, "shift_left", at.of(wide, "convert", part), at.literal(8 * given.itemsize * k, wide))
            whole = at.of(wide, "or", whole, part)
        return at.of(dtype, "bitcast", whole)

    def impl(self, xp: Any, x: Any, *, dtype: Any) -> Any:
        return xp.from_host(reinterpreted(np.asarray(xp.to_host(x)), dtype))

    def batch(self, axis: Any, operands: Any, dims: Any, *, dtype: Any) -> tuple[Any, Any]:  # type: ignore[override]
        return self(move_to_front(operands[0], dims[0]), dtype=dtype), 0


def reinterpreted(x: Any, dtype: Any) -> Any:
    """The bits of a host array in another dtype, as `bitcast_convert` has it."""
    if x.dtype.itemsize == dtype.itemsize:
        return x.view(dtype)
    if x.dtype.itemsize > dtype.itemsize:
        return np.ascontiguousarray(x).reshape(*x.shape, 1).view(dtype)
    return np.ascontiguousarray(x).view(dtype).reshape(x.shape[:-1])


bitcast_convert = _BitcastConvert("bitcast_convert")


class _ReducePrecision(Elementwise):
    """The nearest number with so few bits of exponent and mantissa, in the operand's dtype.

    Ties go to even; what is too large becomes infinite, what is too small for a normal number becomes zero.
    """

    def infer(self, x: ArrayType, *, exponent_bits: int, mantissa_bits: int) -> ArrayType:  # type: ignore[override]
        if exponent_bits < 1 or mantissa_bits < 0:
            raise ArgumentError(
                f"reduce_precision needs at least 1 bit of exponent and 0 of mantissa, got {exponent_bits} and "
                f"{mantissa_bits}."
            )
        return super().infer(x, exponent_bits=exponent_bits, mantissa_bits=mantissa_bits)

    def impl(self, xp: Any, x: Any, *, exponent_bits: int, mantissa_bits: int) -> Any:  # type: ignore[override]
        return xp.from_host(rounded_to(np.asarray(xp.to_host(x)), exponent_bits, mantissa_bits))

    def implemented_over(self, xp: Any) -> bool:
        return True


def rounded_to(x: Any, exponent_bits: int, mantissa_bits: int) -> Any:
    """A host array rounded as `reduce_precision` has it, by arithmetic on the bits."""
    info = dtypes.finfo(x.dtype)
    width, mantissa = x.dtype.itemsize * 8, int(info.nmant)
    exponent = width - 1 - mantissa
    unsigned = np.dtype(f"uint{width}")
    bits, sign = x.view(unsigned), unsigned.type(1 << (width - 1))
    size = bits & ~sign
    if mantissa_bits < mantissa:
        dropped = unsigned.type(mantissa - mantissa_bits)
        one = unsigned.type(1)
        odd = (size >> dropped) & one
        size = (size + ((one << (dropped - one)) - one) + odd) >> dropped << dropped
    if exponent_bits < exponent:
        bias, new_bias = (1 << (exponent - 1)) - 1, (1 << (exponent_bits - 1)) - 1
        largest = unsigned.type(((bias + new_bias + 1) << mantissa) - 1)
        smallest = unsigned.type((bias - new_bias + 1) << mantissa)
        infinity = unsigned.type(((1 << exponent) - 1) << mantissa)
        size = np.where(size > largest, infinity, np.where(size < smallest, unsigned.type(0), size))
    out = np.asarray(size | (bits & sign)).astype(unsigned, copy=False).view(x.dtype)
    return np.where(x != x, x, out)


def _reduced(ct: Any, *operands: Any, exponent_bits: int, mantissa_bits: int) -> Any:
    return reduce_precision(ct, exponent_bits=exponent_bits, mantissa_bits=mantissa_bits)


reduce_precision = _ReducePrecision(
    "reduce_precision",
    accepts="f",
    operands="operand",
    params=("exponent_bits", "mantissa_bits"),
    derivatives=(_reduced,),
    transposes=(_reduced,),
)
copy = Elementwise(
    "copy",
    accepts="biufc",
    impl=lambda xp, x: xp.asarray(x, copy=True),
    derivatives=(lambda t, y, x: copy(t),),
    transposes=(same,),
)
