"""Sums, products, quotients, powers and extremes of two numbers, size and sign of one, elementwise."""

from __future__ import annotations

from typing import Any

from .. import dtypes
from ..arrays import type_of
from ..direct import binary, directly, directly_on_two, floating
from ..errors import ArgumentError, DTypeError
from ..primitives import elementwise as e
from ..promotion import as_operand, cast, promote
from .operands import (
    ARRAYS,
    Universal,
    floating_pair,
    inexact_operand,
    inexact_pair,
    like,
    named,
    numbers,
    real_operand,
    with_methods,
)

__all__ = [
    "abs",
    "absolute",
    "add",
    "clip",
    "divide",
    "fabs",
    "float_power",
    "fmax",
    "fmin",
    "heaviside",
    "maximum",
    "minimum",
    "multiply",
    "negative",
    "positive",
    "pow",
    "power",
    "reciprocal",
    "sign",
    "square",
    "subtract",
    "true_divide",
]


@with_methods
def reciprocal(x: Any, /) -> Any:
    """1 / x, elementwise; integers become floats."""
    x = inexact_operand(x)
    return e.div(like(x, 1), x)


def _with_booleans(name: str, primitive: Any, boolean: Any, doc: str) -> Universal:
    """A function of two operands that means something else for booleans."""

    def function(x: Any, y: Any, /) -> Any:
        x, y = promote(name, x, y)
        try:
            return primitive(x, y)
        except DTypeError:  # asking first would cost every call
            if dtypes.is_bool(x.dtype):
                return boolean(x, y)
            raise

    return named(directly_on_two(primitive, "iufc", function), name, doc)


def binary_function(name: str, primitive: Any, kinds: str, doc: str) -> Universal:
    """A function of two operands that is one primitive, for dtypes of the kinds given."""
    return named(binary(name, primitive, kinds), name, doc)


add = _with_booleans("add", e.add, e.or_, "x + y, elementwise; of booleans, `or`.")


multiply = _with_booleans("multiply", e.mul, e.and_, "x y, elementwise; of booleans, `and`.")


subtract = binary_function("subtract", e.sub, "iufc", "x - y, elementwise.")


def _divide(x: Any, y: Any, /) -> Any:
    x, y = promote("true_divide", x, y)
    return e.div(*(x, y) if type_of(x).dtype.kind in "fc" else floating([x, y]))


divide = true_divide = named(
    directly_on_two(e.div, "fc", _divide), "true_divide", "x / y, elementwise; integers become floats first."
)


maximum = binary_function("maximum", e.max_, "iuf", "The larger of x and y, elementwise; NaN if one is.")


minimum = binary_function("minimum", e.min_, "iuf", "The smaller of x and y, elementwise; NaN if one is.")


negative = named(directly(e.neg, "iufc", lambda x: e.neg(as_operand(x))), "negative", "-x, elementwise.")


@with_methods
def positive(x: Any, /) -> Any:
    """+x: x itself."""
    return as_operand(x)


@with_methods
def abs(x: Any, /) -> Any:
    """|x|, elementwise; of complex numbers the modulus, a real number."""
    x = as_operand(x)
    return x if dtypes.is_bool(x.dtype) or dtypes.is_unsigned(x.dtype) else e.abs_(x)


absolute = abs


@with_methods
def fabs(x: Any, /) -> Any:
    """|x| of real numbers as floats, elementwise."""
    return e.abs_(inexact_operand(real_operand("fabs", x)))


@with_methods
def sign(x: Any, /) -> Any:
    """-1, 0 or 1 as x is negative, zero or positive; x / |x| of complex numbers, elementwise."""
    return e.sign(as_operand(x))


@with_methods
def square(x: Any, /) -> Any:
    """x^2, elementwise."""
    x = as_operand(x)
    return e.square(cast(x, dtypes.default_int()) if dtypes.is_bool(x.dtype) else x)


@with_methods
def power(x1: Any, x2: Any, /) -> Any:
    """x1 to the power x2, elementwise.

    Args:
      x1: the base.
      x2: the exponent. A Python integer is exact for every dtype of the base; beside integers, it must not be negative.

    Raises:
      ValueError: for an integer to the power of a known negative integer: make the base floating.
    """
    if type(x2) is int:
        x1 = as_operand(x1)
        if not dtypes.is_bool(x1.dtype):
            return _static_power(x1, x2)
    x, y = numbers("power", x1, x2)
    if dtypes.is_integer(x.dtype):
        return cast(_integer_power(x, y), x.dtype, _is_weak(x1) and _is_weak(x2))
    out = e.pow_(x, y)
    strong = isinstance(x2, ARRAYS) and dtypes.is_integer(x2.dtype) and not x2.weak_type
    return cast(out, out.dtype) if strong and dtypes.is_inexact(type_of(as_operand(x1)).dtype) else out


pow = power


def _is_weak(x: Any) -> bool:
    return x.weak_type if isinstance(x, ARRAYS) else type(x) in (int, float, complex)


def _static_power(x: Any, n: int) -> Any:
    if n == 2:
        return e.square(x)
    if n < 0 and not dtypes.is_inexact(x.dtype):
        raise ArgumentError(
            f"{type_of(x)} to the power {n}: integers have no negative powers; make the base floating with astype."
        )
    return e.integer_pow(x, y=n)


def _integer_power(x: Any, y: Any) -> Any:
    """By repeated squaring; a negative exponent gives 0, but 1 or -1 to it are what they should be.

    What overflows is what is left modulo 2^bits, up to exponents of 63: as much as JAX keeps to.
    """
    one = like(x, 1)
    odd = e.ne(e.and_(y, like(y, 1)), like(y, 0))
    if dtypes.is_unsigned(x.dtype):
        negative_ = None
    else:
        negative_ = e.lt(y, like(y, 0))
        y = e.max_(y, like(y, 0))
    out, base, zero = one, x, like(y, 0)
    for _ in range(6):  # an exponent of more bits overflows, but for bases 0, 1 and -1
        out = e.select(e.ne(e.and_(y, like(y, 1)), zero), out, e.mul(out, base))
        base, y = e.mul(base, base), e.shift_right_logical(y, like(y, 1))
    # What is left of large exponents: the base is squared often enough to be 0 or 1, or has overflowed.
    out = e.select(e.eq(y, zero), e.mul(out, base), out)
    if negative_ is None:
        return out
    unit = e.select(e.eq(x, one), e.select(e.eq(x, like(x, -1)), like(x, 0), e.select(odd, one, like(x, -1))), one)
    return e.select(negative_, out, unit)


@with_methods
def float_power(x: Any, y: Any, /) -> Any:
    """X to the power y in floating point, elementwise."""
    return e.pow_(*inexact_pair("float_power", x, y))


@with_methods
def fmax(x1: Any, x2: Any) -> Any:
    """The larger of x1 and x2, elementwise; where one is NaN, the other."""
    return _ignoring_nan("fmax", maximum, x1, x2)


@with_methods
def fmin(x1: Any, x2: Any) -> Any:
    """The smaller of x1 and x2, elementwise; where one is NaN, the other."""
    return _ignoring_nan("fmin", minimum, x1, x2)


def _ignoring_nan(name: str, function: Any, x: Any, y: Any) -> Any:
    x, y = promote(name, x, y)
    if not dtypes.is_inexact(x.dtype):
        return function(x, y)
    return e.select(e.ne(y, y), e.select(e.ne(x, x), function(x, y), y), x)


def clip(arr: Any = None, /, min: Any = None, max: Any = None) -> Any:
    """Each element moved into [min, max]: minimum(max, maximum(min, x)).

    Args:
      arr: an array of real numbers.
      min: the lower bound, which broadcasts with `arr`; None: none.
      max: the upper bound; it wins where it lies below `min`.
    """
    out = real_operand("clip", arr)
    if min is not None:
        out = maximum(min, out)
    out = out if max is None else minimum(max, out)
    return real_operand("clip", out)


@with_methods
def heaviside(x1: Any, x2: Any, /) -> Any:
    """0 where x1 < 0, x2 where x1 = 0, 1 where x1 > 0, elementwise, as floats."""
    x, y = floating_pair("heaviside", x1, x2)
    zero = like(x, 0)
    out = e.select(e.lt(x, zero), e.select(e.gt(x, zero), y, like(x, 1)), zero)
    return e.select(e.ne(x, x), out, x)
