"""Functions of each element: arithmetic, powers, exponentials, rounding. NumPy's names and promotion over the primitives.

Operands are promoted to one dtype and broadcast; integers become floats where the result is not an integer. A function of
one floating array is one call of its primitive, and costs hardly more.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import dtypes
from ..arrays import Array, from_host, type_of
from ..control.loops import while_loop
from ..errors import ArgumentError, DTypeError
from ..operators import floating, inexact, true_divide
from ..primitives import elementwise as e
from ..primitives import reduction
from ..primitives.structural import broadcast_in_dim
from ..promotion import as_operand, cast, promote
from ..tracing import Tracer
from ..transforms.custom import custom_jvp

__all__ = [
    "abs",
    "absolute",
    "add",
    "angle",
    "around",
    "bitwise_and",
    "bitwise_count",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_not",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "clip",
    "conj",
    "conjugate",
    "copysign",
    "divide",
    "divmod",
    "exp2",
    "fabs",
    "float_power",
    "floor_divide",
    "fmax",
    "fmin",
    "fmod",
    "frexp",
    "gcd",
    "heaviside",
    "hypot",
    "i0",
    "imag",
    "invert",
    "lcm",
    "ldexp",
    "left_shift",
    "log2",
    "log10",
    "logaddexp",
    "logaddexp2",
    "maximum",
    "minimum",
    "mod",
    "modf",
    "multiply",
    "nan_to_num",
    "negative",
    "nextafter",
    "positive",
    "pow",
    "power",
    "real",
    "reciprocal",
    "remainder",
    "right_shift",
    "rint",
    "round",
    "sign",
    "signbit",
    "sinc",
    "spacing",
    "square",
    "subtract",
    "true_divide",
]

_ARRAYS = (Array, Tracer)


def named(function: Callable[..., Any], name: str, doc: str) -> Callable[..., Any]:
    """Give a function made from a table its name and docstring."""
    function.__name__ = function.__qualname__ = name
    function.__module__ = "functorch_lite.numpy"
    function.__doc__ = doc
    return function


def no_out(name: str, out: Any) -> None:
    """Raise if an `out` argument was given."""
    if out is not None:
        raise NotImplementedError(f"{name}: arrays do not change, so `out` must be None: use the result.")


def _inexact1(x: Any) -> Any:
    return inexact(as_operand(x))[0]


def _inexact_pair(name: str, x: Any, y: Any) -> list[Any]:
    return floating(promote(name, x, y))


def _floating_pair(name: str, x: Any, y: Any) -> list[Any]:
    x, y = _inexact_pair(name, x, y)
    if dtypes.is_complex(x.dtype):
        raise DTypeError(
            f"{name} is not defined for complex numbers, got {type_of(x)} and {type_of(y)}: pass real ones."
        )
    return [x, y]


def real_operand(name: str, x: Any) -> Any:
    """An operand that is not complex."""
    x = as_operand(x)
    if dtypes.is_complex(x.dtype):
        raise DTypeError(f"{name} is not defined for complex numbers, got {type_of(x)}: pass real ones.")
    return x


def like(x: Any, value: Any) -> Any:
    """A constant of the dtype of `x`."""
    return x.dtype.type(value)


# Functions of one floating operand: each is one primitive.


def _unary(name: str, primitive: Any, doc: str) -> Callable[[Any], Any]:
    def function(x: Any, /) -> Any:
        if isinstance(x, _ARRAYS) and x.dtype.kind in "fc":
            return primitive(x)
        return primitive(_inexact1(x))

    return named(
        function,
        name,
        f"{doc}, elementwise; integers become floats.\n\n    Args:\n      x: an array of any shape.\n    ",
    )


_UNARY = {
    "sin": ("sin", (), "The sine of x, in radians"),
    "cos": ("cos", (), "The cosine of x, in radians"),
    "tan": ("tan", (), "The tangent of x, in radians"),
    "arcsin": ("asin", ("asin",), "The angle in [-pi/2, pi/2] whose sine is x"),
    "arccos": ("acos", ("acos",), "The angle in [0, pi] whose cosine is x"),
    "arctan": ("atan", ("atan",), "The angle in (-pi/2, pi/2) whose tangent is x"),
    "sinh": ("sinh", (), "The hyperbolic sine, (exp(x) - exp(-x)) / 2"),
    "cosh": ("cosh", (), "The hyperbolic cosine, (exp(x) + exp(-x)) / 2"),
    "tanh": ("tanh", (), "The hyperbolic tangent, sinh(x) / cosh(x)"),
    "arcsinh": ("asinh", ("asinh",), "The inverse of sinh, log(x + sqrt(x^2 + 1))"),
    "arccosh": ("acosh", ("acosh",), "The inverse of cosh for x >= 1, log(x + sqrt(x^2 - 1))"),
    "arctanh": ("atanh", ("atanh",), "The inverse of tanh for |x| < 1, log((1 + x) / (1 - x)) / 2"),
    "exp": ("exp", (), "The exponential function"),
    "expm1": ("expm1", (), "exp(x) - 1, exact also near 0"),
    "log": ("log", (), "The natural logarithm"),
    "log1p": ("log1p", (), "log(1 + x), exact also near 0"),
    "sqrt": ("sqrt", (), "The square root"),
    "cbrt": ("cbrt", (), "The cube root"),
}
"""Name -> name of the primitive, aliases, what it is."""

for _name, (_primitive, _aliases, _doc) in _UNARY.items():
    globals()[_name] = _unary(_name, getattr(e, _primitive), _doc)
    for _alias in _aliases:
        globals()[_alias] = globals()[_name]
    __all__ += [_name, *_aliases]


def exp2(x: Any, /) -> Any:
    """2**x, elementwise; integers become floats."""
    return e.exp2(_inexact1(x))


def log2(x: Any, /) -> Any:
    """The logarithm of x to the base 2, elementwise; integers become floats."""
    return _over(e.log(_inexact1(x)), math.log(2))


def log10(x: Any, /) -> Any:
    """The logarithm of x to the base 10, elementwise; integers become floats."""
    return _over(e.log(_inexact1(x)), math.log(10))


def _over(x: Any, divisor: float) -> Any:
    """The quotient by a real number; each part of a complex one by itself, so that an infinite part leaves the other alone."""
    if dtypes.is_complex(x.dtype):
        return e.complex_(_over(e.real(x), divisor), _over(e.imag(x), divisor))
    return e.div(x, like(x, divisor))


def _scaled(name: str, factor: float, doc: str) -> Callable[[Any], Any]:
    def function(x: Any, /) -> Any:
        x = _inexact1(x)
        return e.mul(x, like(x, factor))

    return named(function, name, doc)


deg2rad = radians = _scaled("deg2rad", math.pi / 180, "Degrees -> radians: x pi / 180, elementwise.")
rad2deg = degrees = _scaled("rad2deg", 180 / math.pi, "Radians -> degrees: x 180 / pi, elementwise.")
__all__ += ["deg2rad", "degrees", "rad2deg", "radians"]


def i0(x: Any) -> Any:
    """The modified Bessel function of the first kind and order 0, elementwise; integers become floats."""
    x = _inexact1(x)
    return e.mul(e.exp(e.abs_(x)), e.bessel_i0e(x))


def reciprocal(x: Any, /) -> Any:
    """1 / x, elementwise; integers become floats."""
    x = _inexact1(x)
    return e.div(like(x, 1), x)


def sinc(x: Any, /) -> Any:
    """sin(pi x) / (pi x), elementwise, and 1 at x = 0; right with its derivatives there too."""
    x = _inexact1(x)
    y = e.mul(x, like(x, math.pi))
    near = e.lt(e.abs_(y), e.abs_(like(x, 0.1)))
    z = e.square(e.select(near, like(x, 0), y))
    series = like(x, 1)  # 1 - z/6 (1 - z/20 (1 - z/42 ...)): the series of sin(y)/y in z = y^2
    for k in (5, 4, 3, 2, 1):
        series = e.sub(like(x, 1), e.mul(e.mul(z, like(x, 1 / (2 * k * (2 * k + 1)))), series))
    far = e.select(near, y, like(x, 1))
    return e.select(near, e.div(e.sin(far), far), series)


# Arithmetic.


def _with_booleans(name: str, primitive: Any, boolean: Any, doc: str) -> Callable[[Any, Any], Any]:
    """A function of two operands that means something else for booleans."""

    def function(x: Any, y: Any, /) -> Any:
        x, y = promote(name, x, y)
        try:
            return primitive(x, y)
        except DTypeError:  # asking first would cost every call
            if dtypes.is_bool(x.dtype):
                return boolean(x, y)
            raise

    return named(function, name, doc)


def _binary(name: str, primitive: Any, doc: str) -> Callable[[Any, Any], Any]:
    def function(x: Any, y: Any, /) -> Any:
        x, y = promote(name, x, y)
        return primitive(x, y)

    return named(function, name, doc)


add = _with_booleans("add", e.add, e.or_, "x + y, elementwise; of booleans, `or`.")
multiply = _with_booleans("multiply", e.mul, e.and_, "x y, elementwise; of booleans, `and`.")
subtract = _binary("subtract", e.sub, "x - y, elementwise.")
divide = true_divide
maximum = _binary("maximum", e.max_, "The larger of x and y, elementwise; NaN if one is.")
minimum = _binary("minimum", e.min_, "The smaller of x and y, elementwise; NaN if one is.")


def negative(x: Any, /) -> Any:
    """-x, elementwise."""
    return e.neg(as_operand(x))


def positive(x: Any, /) -> Any:
    """+x: x itself."""
    return as_operand(x)


def abs(x: Any, /) -> Any:
    """|x|, elementwise; of complex numbers the modulus, a real number."""
    x = as_operand(x)
    return x if dtypes.is_bool(x.dtype) or dtypes.is_unsigned(x.dtype) else e.abs_(x)


absolute = abs


def fabs(x: Any, /) -> Any:
    """|x| of real numbers as floats, elementwise."""
    return e.abs_(_inexact1(real_operand("fabs", x)))


def sign(x: Any, /) -> Any:
    """-1, 0 or 1 as x is negative, zero or positive; x / |x| of complex numbers, elementwise."""
    return e.sign(as_operand(x))


def square(x: Any, /) -> Any:
    """x^2, elementwise."""
    x = as_operand(x)
    return e.square(cast(x, dtypes.default_int()) if dtypes.is_bool(x.dtype) else x)


def _no_booleans(name: str, x: Any, y: Any) -> list[Any]:
    """Two operands promoted, booleans to integers."""
    x, y = promote(name, x, y)
    return [cast(v, dtypes.default_int()) for v in (x, y)] if dtypes.is_bool(x.dtype) else [x, y]


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
    x, y = _no_booleans("power", x1, x2)
    if dtypes.is_integer(x.dtype):
        return cast(_integer_power(x, y), x.dtype, _is_weak(x1) and _is_weak(x2))
    out = e.pow_(x, y)
    strong = isinstance(x2, _ARRAYS) and dtypes.is_integer(x2.dtype) and not x2.weak_type
    return cast(out, out.dtype) if strong and dtypes.is_inexact(type_of(as_operand(x1)).dtype) else out


pow = power


def _is_weak(x: Any) -> bool:
    return x.weak_type if isinstance(x, _ARRAYS) else type(x) in (int, float, complex)


def _static_power(x: Any, n: int) -> Any:
    if n == 2:
        return e.square(x)
    if n < 0 and not dtypes.is_inexact(x.dtype):
        raise ArgumentError(
            f"{type_of(x)} to the power {n}: integers have no negative powers; make the base floating with astype."
        )
    return e.integer_pow(x, y=n)


def _integer_power(x: Any, y: Any) -> Any:
    """By repeated squaring; a negative exponent gives 0, but 1 or -1 to it are what they should be."""
    one = like(x, 1)
    odd = e.ne(e.and_(y, like(y, 1)), like(y, 0))
    if dtypes.is_unsigned(x.dtype):
        negative_ = None
    else:
        negative_ = e.lt(y, like(y, 0))
        y = e.max_(y, like(y, 0))
    out, base, zero = one, x, like(y, 0)
    for _ in range(x.dtype.itemsize.bit_length() + 2):  # an exponent of more bits overflows, but for bases 0, 1 and -1
        out = e.select(e.ne(e.and_(y, like(y, 1)), zero), out, e.mul(out, base))
        base, y = e.mul(base, base), e.shift_right_logical(y, like(y, 1))
    # What is left of large exponents: the base is squared often enough to be 0 or 1, or has overflowed.
    out = e.select(e.eq(y, zero), e.mul(out, base), out)
    if negative_ is None:
        return out
    unit = e.select(e.eq(x, one), e.select(e.eq(x, like(x, -1)), like(x, 0), e.select(odd, one, like(x, -1))), one)
    return e.select(negative_, out, unit)


def float_power(x: Any, y: Any, /) -> Any:
    """X to the power y in floating point, elementwise."""
    return e.pow_(*_inexact_pair("float_power", x, y))


def _opposite(a: Any, b: Any) -> Any:
    """Whether exactly one of two numbers is negative."""
    return e.ne(e.lt(a, like(a, 0)), e.lt(b, like(b, 0)))


def remainder(x1: Any, x2: Any, /) -> Any:
    """x1 - x2 floor(x1 / x2), elementwise: with the sign of x2, as Python's `%`."""
    x, y = _no_booleans("remainder", x1, x2)
    rest = _rest(x, y)
    wrong = e.and_(e.ne(rest, like(rest, 0)), _opposite(rest, y))
    return e.select(wrong, rest, e.add(rest, y))


mod = remainder


def fmod(x1: Any, x2: Any, /) -> Any:
    """x1 - x2 trunc(x1 / x2), elementwise: with the sign of x1, as C's `fmod`."""
    return _rest(*_no_booleans("fmod", x1, x2))


def _rest(x: Any, y: Any) -> Any:
    """The rest of division towards zero; of integers by zero it is 0."""
    if dtypes.is_integer(y.dtype):
        y = e.select(e.eq(y, like(y, 0)), y, like(y, 1))
    return e.rem(x, y)


def floor_divide(x1: Any, x2: Any, /) -> Any:
    """floor(x1 / x2), elementwise, as Python's `//`."""
    x, y = _no_booleans("floor_divide", x1, x2)
    if dtypes.is_unsigned(x.dtype):
        return e.div(x, y)
    if dtypes.is_integer(x.dtype):
        quotient, rest = e.div(x, y), e.rem(x, y)
        below = e.and_(e.ne(rest, like(rest, 0)), _opposite(x, y))
        return e.select(below, quotient, e.sub(quotient, like(quotient, 1)))
    if dtypes.is_complex(x.dtype):
        raise DTypeError(f"floor_divide is not defined for complex numbers, got {type_of(x)}: pass real ones.")
    return _float_divmod(x, y)[0]


def divmod(x1: Any, x2: Any, /) -> tuple[Any, Any]:
    """(floor_divide(x1, x2), remainder(x1, x2)), elementwise."""
    x, y = _no_booleans("divmod", x1, x2)
    return (_float_divmod(x, y)) if dtypes.is_floating(x.dtype) else (floor_divide(x, y), remainder(x, y))


def _float_divmod(x: Any, y: Any) -> tuple[Any, Any]:
    rest = e.rem(x, y)
    quotient = e.div(e.sub(x, rest), y)
    wrong = e.and_(e.ne(rest, like(rest, 0)), _opposite(rest, y))
    quotient = e.round_(e.select(wrong, quotient, e.sub(quotient, like(x, 1))))
    by_zero = e.eq(y, like(y, 0))
    return e.select(by_zero, quotient, e.div(x, y)), e.select(wrong, rest, e.add(rest, y))


def fmax(x1: Any, x2: Any) -> Any:
    """The larger of x1 and x2, elementwise; where one is NaN, the other."""
    return _ignoring_nan("fmax", maximum, x1, x2)


def fmin(x1: Any, x2: Any) -> Any:
    """The smaller of x1 and x2, elementwise; where one is NaN, the other."""
    return _ignoring_nan("fmin", minimum, x1, x2)


def _ignoring_nan(name: str, function: Any, x: Any, y: Any) -> Any:
    x, y = promote(name, x, y)
    if not dtypes.is_floating(x.dtype):
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


def heaviside(x1: Any, x2: Any, /) -> Any:
    """0 where x1 < 0, x2 where x1 = 0, 1 where x1 > 0, elementwise, as floats."""
    x, y = _floating_pair("heaviside", x1, x2)
    zero = like(x, 0)
    out = e.select(e.lt(x, zero), e.select(e.gt(x, zero), y, like(x, 1)), zero)
    return e.select(e.ne(x, x), out, x)


def hypot(x1: Any, x2: Any, /) -> Any:
    """sqrt(x1^2 + x2^2), elementwise, without overflow in between."""
    x, y = _floating_pair("hypot", x1, x2)
    x, y = e.abs_(x), e.abs_(y)
    large, small = e.max_(x, y), e.min_(x, y)
    zero = e.eq(large, like(x, 0))
    ratio = e.div(e.select(zero, small, like(x, 0)), e.select(zero, large, like(x, 1)))
    out = e.mul(large, e.sqrt(e.add(e.square(ratio), like(x, 1))))
    infinite = e.or_(e.eq(x, like(x, np.inf)), e.eq(y, like(x, np.inf)))
    return e.select(infinite, out, like(x, np.inf))


@custom_jvp
def _logaddexp(x: Any, y: Any) -> Any:
    difference = e.sub(x, y)
    out = e.add(e.max_(x, y), e.log1p(e.exp(e.neg(e.abs_(difference)))))
    return e.select(e.ne(difference, difference), out, e.add(x, y))


@_logaddexp.defjvp
def _logaddexp_jvp(primals: Any, tangents: Any) -> Any:
    (x, y), (x_dot, y_dot) = primals, tangents
    out = _logaddexp(x, y)
    difference = e.sub(x, y)
    same_infinity = e.and_(e.ne(difference, difference), e.eq(x, y))
    difference = e.select(same_infinity, difference, like(x, 0))  # two infinities share the tangent
    return out, e.add(e.mul(x_dot, _sigmoid(difference)), e.mul(y_dot, _sigmoid(e.neg(difference))))


def _sigmoid(x: Any) -> Any:
    half = like(x, 0.5)
    return e.add(half, e.mul(half, e.tanh(e.mul(half, x))))


def logaddexp(x1: Any, x2: Any, /) -> Any:
    """log(exp(x1) + exp(x2)), elementwise, without overflow in between."""
    x, y = _inexact_pair("logaddexp", x1, x2)
    if dtypes.is_complex(type_of(x).dtype):
        swap = e.lt(e.real(x), e.real(y))
        large, small = e.select(swap, x, y), e.select(swap, y, x)
        return e.add(large, e.log1p(e.exp(e.sub(small, large))))
    # A function with a rule of its own takes arrays: a constant becomes one that is as weak as constants are.
    return _logaddexp(*(from_host(a, weak_type=True) if isinstance(a, np.generic) else a for a in (x, y)))


def logaddexp2(x1: Any, x2: Any, /) -> Any:
    """log2(2**x1 + 2**x2), elementwise, without overflow in between."""
    x, y = _inexact_pair("logaddexp2", x1, x2)
    ln2 = like(x, math.log(2))
    return e.div(logaddexp(e.mul(x, ln2), e.mul(y, ln2)), ln2)


def arctan2(x1: Any, x2: Any, /) -> Any:
    """The angle in [-pi, pi] of the point with ordinate x1 and abscissa x2, elementwise."""
    return e.atan2(*_floating_pair("arctan2", x1, x2))


atan2 = arctan2
__all__ += ["arctan2", "atan2"]


# Rounding.


def _rounding(name: str, primitive: Any, doc: str) -> Callable[[Any], Any]:
    def function(x: Any, /) -> Any:
        x = as_operand(x)
        return x if dtypes.is_integer(x.dtype) or dtypes.is_bool(x.dtype) else primitive(x)

    return named(function, name, doc)


def _towards_zero(x: Any) -> Any:
    return e.select(e.lt(x, like(x, 0)), e.floor(x), e.ceil(x))


floor = _rounding("floor", e.floor, "The largest integer that is not above x, elementwise, in the dtype of x.")
ceil = _rounding("ceil", e.ceil, "The smallest integer that is not below x, elementwise, in the dtype of x.")
trunc = _rounding("trunc", _towards_zero, "x without what follows its point, elementwise, in the dtype of x.")
fix = trunc
__all__ += ["ceil", "fix", "floor", "trunc"]


def round(a: Any, decimals: int = 0, out: None = None) -> Any:
    """Each element rounded to `decimals` places, halves to the even neighbour.

    Args:
      a: an array.
      decimals: places after the point; negative: before it.
      out: must be None, arrays do not change.
    """
    no_out("round", out)
    x = as_operand(a)
    if dtypes.is_complex(x.dtype):
        return e.complex_(round(e.real(x), decimals), round(e.imag(x), decimals))
    if not dtypes.is_floating(x.dtype):
        return x if decimals >= 0 or dtypes.is_bool(x.dtype) else _round_integers(x, 10**-decimals)
    if decimals == 0:
        return e.round_(x)
    wide = cast(x, dtypes.accumulator_dtype(x.dtype))
    factor = like(wide, 10.0 ** builtins.abs(decimals))
    scale, back = (e.mul, e.div) if decimals > 0 else (e.div, e.mul)
    scaled = scale(wide, factor)
    rounded = e.select(e.is_finite(scaled), wide, back(e.round_(scaled), factor))
    return cast(rounded, x.dtype, type_of(x).weak)


def _round_integers(x: Any, unit: int) -> Any:
    if unit > dtypes.iinfo(x.dtype).max:
        return e.mul(x, like(x, 0))
    unit_ = like(x, unit)
    rest = remainder(x, unit_)
    below = e.sub(x, rest)
    even = e.eq(e.and_(floor_divide(below, unit_), like(x, 1)), like(x, 0))
    half = like(x, unit // 2)
    up = e.or_(e.gt(rest, half), e.and_(e.eq(rest, half), e.not_(even)))
    return e.select(up, below, e.add(below, unit_))


around = round


def rint(x: Any, /) -> Any:
    """Each element rounded to the nearest integer, halves to the even one; integers become floats."""
    return round(_inexact1(x))


def modf(x: Any, /, out: None = None) -> tuple[Any, Any]:
    """(fractional part, integral part), both with the sign of x, elementwise."""
    no_out("modf", out)
    x = _inexact1(x)
    whole = _towards_zero(x)
    infinite = e.eq(e.abs_(x), like(x, np.inf))
    return e.select(infinite, e.sub(x, whole), like(x, 0)), whole


# The parts of numbers.


def real(val: Any, /) -> Any:
    """The real part, elementwise."""
    x = as_operand(val)
    return e.real(x) if dtypes.is_complex(x.dtype) else x


def imag(val: Any, /) -> Any:
    """The imaginary part, elementwise; zeros for real numbers."""
    x = as_operand(val)
    return e.imag(x) if dtypes.is_complex(x.dtype) else zeros_of(x)


def zeros_of(x: Any) -> Any:
    """Zeros of the type of `x`, without a derivative."""
    from_type = type_of(x)
    return cast(
        broadcast_in_dim(from_type.dtype.type(0), shape=from_type.shape, dims=()), from_type.dtype, from_type.weak
    )


def conj(x: Any, /) -> Any:
    """The complex conjugate, elementwise; real numbers are their own."""
    x = as_operand(x)
    return e.conj(x) if dtypes.is_complex(x.dtype) else x


conjugate = conj


def angle(z: Any, deg: bool = False) -> Any:
    """The argument of complex numbers in (-pi, pi], elementwise.

    Args:
      z: an array.
      deg: whether to give degrees.
    """
    z = _inexact1(z)
    x, y = real(z), imag(z)
    out = e.atan2(y, x)
    return rad2deg(out) if deg else out


def nan_to_num(x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """`x` with NaN and infinities replaced.

    Args:
      x: an array.
      copy: taken for NumPy's sake; arrays never change.
      nan: for NaN.
      posinf: for infinity; None: the largest number of the dtype.
      neginf: for minus infinity; None: the least number of the dtype.
    """
    x = as_operand(x)
    if dtypes.is_complex(x.dtype):
        return e.complex_(
            nan_to_num(e.real(x), copy, nan, posinf, neginf), nan_to_num(e.imag(x), copy, nan, posinf, neginf)
        )
    if not dtypes.is_floating(x.dtype):
        return x
    info = dtypes.finfo(x.dtype)
    high, low = info.max if posinf is None else posinf, info.min if neginf is None else neginf
    for where_, value in (
        (e.ne(x, x), nan),
        (e.eq(x, like(x, np.inf)), high),
        (e.eq(x, like(x, -np.inf)), low),
    ):
        x = e.select(where_, x, _stretched(value, x))
    return x


def _stretched(value: Any, x: Any) -> Any:
    """A value in the dtype and shape of `x`, or of rank 0."""
    if not isinstance(value, _ARRAYS):
        value = np.asarray(value)
        if not value.shape:
            return like(x, value)
    value = cast(as_operand(value), x.dtype)
    return value if not value.shape else promote("nan_to_num", value, x)[0]


def signbit(x: Any, /) -> Any:
    """Whether the sign bit is set, elementwise: true for negative numbers and for -0."""
    x = as_operand(x)
    if dtypes.is_bool(x.dtype) or dtypes.is_unsigned(x.dtype):
        return e.ne(x, x)
    if dtypes.is_integer(x.dtype):
        return e.lt(x, like(x, 0))
    bits = np.dtype(f"int{8 * x.dtype.itemsize}")
    return e.lt(e.bitcast_convert(x, dtype=bits), bits.type(0))


def copysign(x1: Any, x2: Any, /) -> Any:
    """|x1| with the sign of x2, elementwise, as floats."""
    x, y = _floating_pair("copysign", x1, x2)
    size = e.abs_(x)
    return cast(e.select(signbit(y), size, e.neg(size)), x.dtype, type_of(x).weak and type_of(y).weak)


def nextafter(x: Any, y: Any, /) -> Any:
    """The number next to x towards y that its dtype can hold, elementwise."""
    return e.nextafter(*_floating_pair("nextafter", x, y))


def spacing(x: Any, /) -> Any:
    """The distance from x to the number next to it, away from zero, elementwise."""
    x = _inexact1(x)
    away = e.select(signbit(x), like(x, np.inf), like(x, -np.inf))
    return e.sub(e.nextafter(x, away), x)


def ldexp(x1: Any, x2: Any, /) -> Any:
    """x1 2**x2, elementwise.

    Args:
      x1: an array; integers become floats.
      x2: an array of integers.
    """
    x, n = _inexact1(real_operand("ldexp", x1)), as_operand(x2)
    if not dtypes.is_integer(n.dtype):
        raise DTypeError(f"ldexp needs exponents of integer dtype, got {type_of(n)}: cast with astype(int).")
    n = cast(n, np.dtype(np.int32))
    # In four steps, each of which has a power of 2 that the dtype can hold.
    out, steps = x, 4
    for left in range(steps, 0, -1):
        part = floor_divide(n, left)
        out, factor = promote("ldexp", out, e.exp2(cast(part, x.dtype, True)))
        out, n = e.mul(out, factor), e.sub(n, part)
    return out


def frexp(x: Any, /) -> tuple[Any, Any]:
    """(m, n) with x = m 2**n and 1/2 <= |m| < 1, elementwise; n of dtype int32."""
    x = _inexact1(x)
    size = e.abs_(x)
    usual = e.and_(e.is_finite(x), e.ne(x, like(x, 0)))
    safe = cast(e.select(usual, like(x, 1), size), dtypes.accumulator_dtype(x.dtype))
    tiny = e.lt(safe, like(safe, dtypes.finfo(safe.dtype).smallest_normal))
    shift = dtypes.finfo(safe.dtype).nmant + 1
    lifted = e.select(tiny, safe, e.mul(safe, like(safe, 2.0**shift)))
    bits = np.dtype(f"int{8 * safe.dtype.itemsize}")
    mantissa_bits = dtypes.finfo(safe.dtype).nmant
    raw = e.shift_right_logical(e.bitcast_convert(lifted, dtype=bits), bits.type(mantissa_bits))
    n = cast(e.sub(raw, bits.type(dtypes.finfo(safe.dtype).maxexp - 2)), np.dtype(np.int32))
    n = e.select(tiny, n, e.sub(n, np.int32(shift)))
    n = e.select(usual, np.int32(0), n)
    return e.select(usual, x, ldexp(x, e.neg(n))), n


# Integers and bits.


def _integers(name: str, x: Any, y: Any) -> list[Any]:
    x, y = promote(name, x, y)
    if not dtypes.is_integer(x.dtype):
        raise DTypeError(f"{name} needs integers, got {type_of(x)}: cast with astype(int).")
    return [x, y]


def gcd(x1: Any, x2: Any) -> Any:
    """The greatest common divisor of integers, elementwise."""
    x, y = _integers("gcd", x1, x2)
    x, y = (v if dtypes.is_unsigned(v.dtype) else e.abs_(v) for v in (x, y))
    shape = type_of(x).shape or type_of(y).shape
    x, y = (cast(broadcast_in_dim(v, shape=shape, dims=tuple(range(len(type_of(v).shape)))), v.dtype) for v in (x, y))

    def unfinished(pair: Any) -> Any:
        return reduction.reduce_or(e.ne(pair[1], like(pair[1], 0)), axes=tuple(range(pair[1].ndim)))

    def step(pair: Any) -> Any:
        a, b = pair
        done = e.eq(b, like(b, 0))
        return e.select(done, b, a), e.select(done, e.rem(a, e.select(done, b, like(b, 1))), b)

    return while_loop(unfinished, step, (x, y))[0]


def lcm(x1: Any, x2: Any) -> Any:
    """The least common multiple of integers, elementwise; 0 where one is 0."""
    x, y = _integers("lcm", x1, x2)
    d = gcd(x, y)
    none = e.eq(d, like(d, 0))
    return abs(e.mul(x, e.div(y, e.select(none, d, like(d, 1)))))


bitwise_and = _binary("bitwise_and", e.and_, "The bits that are set in both x and y, elementwise.")
bitwise_or = _binary("bitwise_or", e.or_, "The bits that are set in x, in y or in both, elementwise.")
bitwise_xor = _binary("bitwise_xor", e.xor, "The bits that are set in just one of x and y, elementwise.")


def invert(x: Any, /) -> Any:
    """The bits that are not set in x, elementwise; of booleans, `not`."""
    return e.not_(as_operand(x))


bitwise_not = bitwise_invert = invert


def bitwise_count(x: Any, /) -> Any:
    """How many bits are set in |x|, elementwise, as uint8."""
    x = as_operand(x)
    if dtypes.is_bool(x.dtype):
        return cast(x, np.dtype(np.uint8))
    return cast(e.population_count(abs(x)), np.dtype(np.uint8))


def left_shift(x: Any, y: Any, /) -> Any:
    """X 2**y of integers, by shifting bits, elementwise."""
    return e.shift_left(*_no_booleans("left_shift", x, y))


def right_shift(x1: Any, x2: Any, /) -> Any:
    """floor(x1 / 2**x2) of integers, by shifting bits, elementwise."""
    x, y = _no_booleans("right_shift", x1, x2)
    return (e.shift_right_logical if dtypes.is_unsigned(x.dtype) else e.shift_right_arithmetic)(x, y)


bitwise_left_shift, bitwise_right_shift = left_shift, right_shift
