"""Elementwise primitives: a statement a primitive.

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

__all__: list[str] = []  # every primitive here is public, see the end of the file


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


# Exponentials and logarithms.

exp = Elementwise("exp", accepts="fc", namespace="exp", derivatives=(lambda t, y, x: mul(t, y),))
log = Elementwise("log", accepts="fc", namespace="log", derivatives=(lambda t, y, x: div_strong(t, x),))
sqrt = Elementwise(
    "sqrt", accepts="fc", namespace="sqrt", derivatives=(lambda t, y, x: div_strong(t, mul(const(y, 2), y)),)
)
tanh = Elementwise(
    "tanh", accepts="fc", namespace="tanh", derivatives=(lambda t, y, x: mul(t, sub(const(y, 1), mul(y, y))),)
)
sin = Elementwise("sin", accepts="fc", namespace="sin", derivatives=(lambda t, y, x: mul(t, cos(x)),))
cos = Elementwise("cos", accepts="fc", namespace="cos", derivatives=(lambda t, y, x: neg(mul(t, sin(x))),))

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

__all__ = sorted(name for name, value in globals().items() if isinstance(value, Elementwise)) + ["const"]
