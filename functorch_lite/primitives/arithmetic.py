"""Arithmetic, comparison, selection, rounding, casts and complex parts: elementwise, a statement each.

A derivative that is singular where the cotangent may be zero multiplies by `mul_strong`, whose product is zero wherever
its first operand is zero, whatever the second is. This keeps `grad(lambda x: where(x > 0, log(x), 0))(0.)` at 0.
"""

from __future__ import annotations

from typing import Any

from .. import dtypes
from ..array_type import ArrayType
from ..arrays import type_of
from ..errors import DTypeError
from ..primitive import LinearOperand, ZeroDerivative
from .base import Elementwise, add, kind, linear, same

__all__ = ["const"]  # and every primitive, see the end of the file


def const(like: Any, value: Any) -> Any:
    """A constant of the dtype of `like`."""
    return like.dtype.type(value)


def _bool(dtype: Any) -> Any:
    return dtypes.bool_


# Arithmetic.

neg = Elementwise(
    "neg",
    accepts="iufc",
    namespace="negative",
    derivatives=(lambda t, y, x: neg(t),),
    transposes=(lambda ct, x: neg(ct),),
)
sub = Elementwise(
    "sub",
    accepts="iufc",
    arity=2,
    namespace="subtract",
    derivatives=(linear, lambda t, z, x, y: neg(t)),
    transposes=(same, lambda ct, x, y: neg(ct)),
)
mul = Elementwise(
    "mul",
    accepts="iufc",
    arity=2,
    namespace="multiply",
    derivatives=(lambda t, z, x, y: mul(t, y), lambda t, z, x, y: mul(x, t)),
    transposes=(lambda ct, x, y: mul(ct, y), lambda ct, x, y: mul(x, ct)),
)
mul_strong = Elementwise(
    "mul_strong",
    accepts="fc",
    arity=2,
    impl=lambda xp, x, y: xp.where(x == 0, xp.zeros_like(x), xp.multiply(x, y)),
    derivatives=(lambda t, z, x, y: mul_strong(t, y), lambda t, z, x, y: mul_strong(x, t)),
    transposes=(lambda ct, x, y: mul_strong(ct, y), lambda ct, x, y: mul_strong(x, ct)),
)


def _trunc_div(xp: Any, x: Any, y: Any) -> Any:
    """Division of integers, rounded towards zero; x / 0 is -1, as XLA defines it; INT_MIN / -1 wraps."""
    zero = y == 0
    safe = xp.where(zero, xp.ones_like(y), y)
    quotient = xp.floor_divide(x, safe)
    if kind(x.dtype) == "i":
        wrong = (quotient < 0) & (xp.multiply(quotient, safe) != x)
        quotient = quotient + xp.astype(wrong, x.dtype)
    return xp.where(zero, xp.subtract(xp.zeros_like(y), xp.ones_like(y)), quotient)


class _Div(Elementwise):
    def kernel(self, xp: Any, types: Any, params: Any) -> Any:
        return xp.divide if dtypes.is_inexact(types[0].dtype) else super().kernel(xp, types, params)


div = _Div(
    "div",
    accepts="iufc",
    arity=2,
    impl=_trunc_div,
    derivatives=(
        lambda t, z, x, y: div_strong(t, y),
        lambda t, z, x, y: neg(mul_strong(t, div(z, y))),
    ),
    transposes=(lambda ct, x, y: div(ct, y), None),
)
div_strong = Elementwise(
    "div_strong",
    accepts="fc",
    arity=2,
    impl=lambda xp, x, y: xp.where(x == 0, xp.zeros_like(x), xp.divide(x, y)),
    derivatives=(
        lambda t, z, x, y: div_strong(t, y),
        lambda t, z, x, y: neg(mul_strong(t, div_strong(z, y))),
    ),
    transposes=(lambda ct, x, y: div_strong(ct, y), None),
)
square = Elementwise(
    "square",
    accepts="iufc",
    namespace="square",
    derivatives=(lambda t, y, x: mul(t, mul(const(x, 2), x)),),
)
abs_ = Elementwise(
    "abs",
    accepts="iufc",
    namespace="abs",
    result=dtypes.real_dtype,
    derivatives=(lambda t, y, x: _abs_tangent(t, y, x),),
)
sign = Elementwise("sign", accepts="iufc", namespace="sign")


def _abs_tangent(t: Any, y: Any, x: Any) -> Any:
    if not dtypes.is_complex(x.dtype):
        return mul(t, sign(x))
    return real(mul(t, conj(sign(x))))


# Comparisons: the result is boolean, and has no derivative.


def comparison(name: str, namespace: str, accepts: str) -> Elementwise:
    """A comparison of two operands."""
    return Elementwise(name, accepts=accepts, arity=2, namespace=namespace, result=_bool)


eq = comparison("eq", "equal", "biufc")
ne = comparison("ne", "not_equal", "biufc")
lt = comparison("lt", "less", "biuf")
le = comparison("le", "less_equal", "biuf")
gt = comparison("gt", "greater", "biuf")
ge = comparison("ge", "greater_equal", "biuf")


def _winner(x: Any, y: Any, z: Any) -> Any:
    """1 where `x` is the result `z`, 1/2 where both are, else 0: the derivative of max and min by `x`."""
    half, one, zero = const(x, 0.5), const(x, 1), const(x, 0)
    return select(eq(x, z), zero, select(eq(y, z), one, half))


max_ = Elementwise(
    "max",
    accepts="biuf",
    arity=2,
    namespace="maximum",
    derivatives=(
        lambda t, z, x, y: mul(t, _winner(x, y, z)),
        lambda t, z, x, y: mul(t, _winner(y, x, z)),
    ),
)
min_ = Elementwise(
    "min",
    accepts="biuf",
    arity=2,
    namespace="minimum",
    derivatives=(
        lambda t, z, x, y: mul(t, _winner(x, y, z)),
        lambda t, z, x, y: mul(t, _winner(y, x, z)),
    ),
)


class _Select(Elementwise):
    """`on_true` where `which` holds, else `on_false`. (`select_n` of several cases is made of these.)"""

    def infer(self, *types: ArrayType) -> ArrayType:
        which, on_false, on_true = types
        if not dtypes.is_bool(which.dtype):
            raise DTypeError(f"select needs a boolean `which`, got {which}: compare, or cast with astype(bool).")
        if on_false.dtype != on_true.dtype:
            raise DTypeError(f"select needs cases of one dtype, got {on_false} and {on_true}: cast one with astype.")
        return self.shaped(types, on_false.dtype).update(weak=on_false.weak and on_true.weak)


select = _Select(
    "select",
    accepts="biufc",
    arity=3,
    impl=lambda xp, which, on_false, on_true: xp.where(which, on_true, on_false),
    derivatives=(
        None,
        lambda t, z, w, x, y: select(w, t, const(t, 0)),
        lambda t, z, w, x, y: select(w, const(t, 0), t),
    ),
    transposes=(
        None,
        lambda ct, w, x, y: select(w, ct, const(ct, 0)),
        lambda ct, w, x, y: select(w, const(ct, 0), ct),
    ),
)

# Casts, and the parts of complex numbers.


class _Convert(Elementwise):
    """A cast to `dtype`, with the weak flag `weak`. float -> int goes towards zero; complex -> real drops the rest."""

    may_alias = True

    def infer(self, x: ArrayType, *, dtype: Any, weak: bool) -> ArrayType:  # type: ignore[override]
        return ArrayType(x.shape, dtype, weak)

    def impl(self, xp: Any, x: Any, *, dtype: Any, weak: bool) -> Any:  # type: ignore[override]
        if dtypes.is_complex(x.dtype) and not dtypes.is_complex(dtype) and not dtypes.is_bool(dtype):
            x = xp.real(x)
        return xp.astype(x, dtype)

    def implemented_over(self, xp: Any) -> bool:
        return True


def _convert_tangent(t: Any, y: Any, x: Any, *, dtype: Any, weak: bool) -> Any:
    return convert(t, dtype=dtype, weak=False)


class _ConvertRule(_Convert):
    def jvp(self, primals: Any, tangents: Any, *, dtype: Any, weak: bool) -> Any:  # type: ignore[override]
        if dtypes.is_inexact(dtype):
            return super().jvp(primals, tangents, dtype=dtype, weak=weak)
        return ZeroDerivative.jvp(self, primals, tangents, dtype=dtype, weak=weak)  # type: ignore[arg-type]


convert = _ConvertRule(
    "convert",
    accepts="biufc",
    derivatives=(_convert_tangent,),
    transposes=(lambda ct, x, *, dtype, weak: convert(ct, dtype=x.dtype if not isinstance(x, LinearOperand) else x.type.dtype, weak=False),),
)

real = Elementwise(
    "real",
    accepts="c",
    namespace="real",
    result=dtypes.real_dtype,
    derivatives=(lambda t, y, x: real(t),),
    transposes=(lambda ct, x: complex_(ct, const(ct, 0)),),
)
imag = Elementwise(
    "imag",
    accepts="c",
    namespace="imag",
    result=dtypes.real_dtype,
    derivatives=(lambda t, y, x: imag(t),),
    transposes=(lambda ct, x: complex_(const(ct, 0), neg(ct)),),
)
complex_ = Elementwise(
    "complex",
    accepts="f",
    arity=2,
    impl=lambda xp, x, y: xp.add(x, xp.multiply(y, xp.asarray(1j, dtype=dtypes.complex_dtype(x.dtype)))),
    result=dtypes.complex_dtype,
    derivatives=(lambda t, z, x, y: complex_(t, const(t, 0)), lambda t, z, x, y: complex_(const(t, 0), t)),
    transposes=(lambda ct, x, y: real(ct), lambda ct, x, y: neg(imag(ct))),
)
conj = Elementwise(
    "conj",
    accepts="c",
    namespace="conj",
    derivatives=(lambda t, y, x: conj(t),),
    transposes=(lambda ct, x: conj(ct),),
)


# Integer powers, remainders, rounding.


class _IntegerPow(Elementwise):
    """x^y for an integer y that is known."""

    def infer(self, x: ArrayType, *, y: int) -> ArrayType:  # type: ignore[override]
        if y < 0 and dtypes.is_integer(x.dtype):
            raise DTypeError(f"integer_pow of {x} to the power {y}: integers have no negative powers, cast to a float.")
        return super().infer(x)

    def impl(self, xp: Any, x: Any, *, y: int) -> Any:  # type: ignore[override]
        if y == 2:
            return xp.multiply(x, x)
        out, factor, n = xp.ones_like(x), x, abs(y)
        while n:  # by squaring
            if n & 1:
                out = xp.multiply(out, factor)
            n >>= 1
            if n:
                factor = xp.multiply(factor, factor)
        return xp.divide(xp.ones_like(x), out) if y < 0 else out

    def implemented_over(self, xp: Any) -> bool:
        return True


def _integer_pow_tangent(t: Any, z: Any, x: Any, *, y: int) -> Any:
    if y == 0:
        return mul(t, const(t, 0))
    factor = mul(const(x, y), integer_pow(x, y=y - 1)) if y != 1 else const(x, 1)
    return mul_strong(t, factor) if y < 0 else mul(t, factor)


integer_pow = _IntegerPow("integer_pow", accepts="iufc", params=("y",), derivatives=(_integer_pow_tangent,))


def _rem(xp: Any, x: Any, y: Any) -> Any:
    """The remainder with the sign of the dividend; x where y is zero, for integers."""
    if dtypes.is_floating(x.dtype):
        return _float_rem(xp, x, y)
    zero = y == 0
    safe = xp.where(zero, xp.ones_like(y), y)
    return xp.where(zero, x, x - xp.multiply(_trunc_div(xp, x, safe), safe))


def _float_rem(xp: Any, x: Any, y: Any) -> Any:
    out = xp.remainder(xp.abs(x), xp.abs(y))
    out = xp.where(xp.isfinite(x) & (xp.abs(y) == float("inf")), xp.abs(x), out)
    return xp.copysign(out, x + xp.zeros_like(out))


rem = Elementwise(
    "rem",
    accepts="iuf",
    arity=2,
    impl=_rem,
    derivatives=(linear, lambda t, z, x, y: mul(t, neg(mul(sign(div(x, y)), floor(abs_(div(x, y))))))),
)
nextafter = Elementwise(
    "nextafter", accepts="f", arity=2, impl=lambda xp, x, y: xp.nextafter(x, y)
)
floor = Elementwise("floor", accepts="f", namespace="floor")
ceil = Elementwise("ceil", accepts="f", namespace="ceil")


class _Round(Elementwise):
    """To an integer: `method` 0 takes halves away from zero, 1 to the even neighbour."""

    def infer(self, x: ArrayType, *, method: int = 1) -> ArrayType:  # type: ignore[override]
        return super().infer(x)

    def impl(self, xp: Any, x: Any, *, method: int = 1) -> Any:  # type: ignore[override]
        if method == 1:
            return xp.round(x)
        whole = xp.trunc(x)
        return xp.where(xp.abs(x - whole) >= 0.5, whole + xp.sign(x), whole)

    def implemented_over(self, xp: Any) -> bool:
        return True


round_ = _Round("round", accepts="f")
is_finite = Elementwise("is_finite", accepts="f", namespace="isfinite", result=_bool)


class _Clamp(Elementwise):
    """x, but at least `low` and at most `high`; bounds have the shape of x or rank 0."""


clamp = _Clamp(
    "clamp",
    accepts="biuf",
    arity=3,
    impl=lambda xp, low, x, high: xp.minimum(xp.maximum(x, low), high),
    derivatives=(
        lambda t, z, a, x, b: select(bitwise_and(gt(a, x), lt(a, b)), const(t, 0), t),
        lambda t, z, a, x, b: select(bitwise_and(ge(x, a), le(x, b)), const(t, 0), t),
        lambda t, z, a, x, b: select(lt(b, max_(x, a)), const(t, 0), t),
    ),
)

# Bits.


def _bits(name: str, namespace: str) -> Elementwise:
    """An operation on bits of two operands."""
    return Elementwise(name, accepts="biu", arity=2, namespace=namespace)


bitwise_and = _bits("and", "bitwise_and")
bitwise_or = _bits("or", "bitwise_or")
bitwise_xor = _bits("xor", "bitwise_xor")
bitwise_not = Elementwise("not", accepts="biu", namespace="bitwise_invert")


def _shift(fill: str, xp: Any, x: Any, n: Any) -> Any:
    """A shift that is defined for every count: beyond the width nothing of x is left (or its sign, if arithmetic)."""
    width = x.dtype.itemsize * 8
    inside = (n >= 0) & (n < width)
    safe = xp.where(inside, n, xp.zeros_like(n))
    if fill == "left":
        return xp.where(inside, xp.bitwise_left_shift(x, safe), xp.zeros_like(x))
    if fill == "arithmetic":
        return xp.bitwise_right_shift(x, xp.where(inside, n, xp.full_like(n, width - 1)))
    if kind(x.dtype) == "u":
        return xp.where(inside, xp.bitwise_right_shift(x, safe), xp.zeros_like(x))
    ones = xp.bitwise_invert(xp.zeros_like(x))
    mask = xp.bitwise_left_shift(ones, xp.where(safe == 0, safe, xp.full_like(safe, width) - safe))
    cleared = xp.bitwise_and(xp.bitwise_right_shift(x, safe), xp.bitwise_invert(mask))
    return xp.where(inside, xp.where(safe == 0, x, cleared), xp.zeros_like(x))


def _shift_primitive(name: str, fill: str) -> Elementwise:
    return Elementwise(name, accepts="iu", arity=2, impl=lambda xp, x, n: _shift(fill, xp, x, n))


shift_left = _shift_primitive("shift_left", "left")
shift_right_arithmetic = _shift_primitive("shift_right_arithmetic", "arithmetic")
shift_right_logical = _shift_primitive("shift_right_logical", "logical")


def _population_count(xp: Any, x: Any) -> Any:
    """The number of bits that are set, one bit at a time."""
    count = xp.zeros_like(x)
    unit = xp.ones_like(x)
    for i in range(x.dtype.itemsize * 8):
        count = count + xp.bitwise_and(_shift("logical", xp, x, xp.full_like(x, i)), unit)
    return count


population_count = Elementwise("population_count", accepts="iu", impl=_population_count)


def _clz(xp: Any, x: Any) -> Any:
    """The number of zero bits before the first that is set."""
    width = x.dtype.itemsize * 8
    smeared = x
    step = 1
    while step < width:
        smeared = xp.bitwise_or(smeared, _shift("logical", xp, smeared, xp.full_like(x, step)))
        step *= 2
    return xp.full_like(x, width) - _population_count(xp, smeared)


clz = Elementwise("clz", accepts="iu", impl=_clz)


class _BitcastConvert(Elementwise):
    """The same bits as another dtype of the same width."""

    def infer(self, x: ArrayType, *, dtype: Any) -> ArrayType:  # type: ignore[override]
        if dtype.itemsize != x.dtype.itemsize:
            raise DTypeError(f"bitcast_convert of {x} needs a dtype of the same width, got {dtypes.short_name(dtype)}.")
        return ArrayType(x.shape, dtype)

    def impl(self, xp: Any, x: Any, *, dtype: Any) -> Any:  # type: ignore[override]
        return xp.from_host(xp.to_host(x).view(dtype))

    def implemented_over(self, xp: Any) -> bool:
        return True


bitcast_convert = _BitcastConvert("bitcast_convert", accepts="biufc")

__all__ += sorted(name for name, value in globals().items() if isinstance(value, Elementwise))
