"""Magnitude and sign, real and imaginary parts, rounding and remainders: elementwise, a statement each."""

from __future__ import annotations

from typing import Any

from .. import dtypes
from ..array_type import ArrayType
from ..arrays import type_of
from ..errors import DTypeError
from ..primitive import NotDifferentiable, Zero
from .arithmetic import const, div, div_strong, mul, neg, truncated_quotient
from .base import Elementwise, either, linear

__all__ = [
    "abs_",
    "ceil",
    "complex_",
    "conj",
    "floor",
    "imag",
    "nextafter",
    "real",
    "rem",
    "round_",
    "round_away",
    "sign",
    "trunc",
]

# Real and imaginary parts.


class _Part(Elementwise):
    may_alias = True


real = _Part(
    "real",
    accepts="c",
    namespace="real",
    result=dtypes.real_dtype,
    derivatives=(lambda t, y, x: real(t),),
    transposes=(lambda ct, x: complex_(ct, const(ct, 0)),),
)
imag = _Part(
    "imag",
    accepts="c",
    namespace="imag",
    result=dtypes.real_dtype,
    derivatives=(lambda t, y, x: imag(t),),
    transposes=(lambda ct, x: complex_(const(ct, 0), neg(ct)),),
)


class _Complex(Elementwise):
    """x + iy."""

    def infer(self, *types: ArrayType) -> ArrayType:  # type: ignore[override]
        out = super().infer(*types)
        if dtypes.real_dtype(out.dtype) != types[0].dtype:
            raise DTypeError(f"complex needs parts of f32 or f64, got {types[0]}: cast with astype.")
        return out


complex_ = _Complex(
    "complex",
    accepts="f",
    operands="x y",
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

# Magnitude and sign.


def _abs_tangent(t: Any, y: Any, x: Any) -> Any:
    """The part of the tangent along x; zero at zero."""
    if not dtypes.is_complex(x.dtype):
        return mul(t, sign(x))
    return real(mul(t, conj(sign(x))))


abs_ = Elementwise(
    "abs",
    accepts="iufc",
    namespace="abs",
    result=dtypes.real_dtype,
    derivatives=(_abs_tangent,),
)


def _sign(xp: Any, x: Any) -> Any:
    out = xp.sign(x)
    return xp.copysign(out, x) if dtypes.is_floating(x.dtype) else out


def _sign_tangent(t: Any, y: Any, x: Any) -> Any:
    """Zero for real numbers. For complex numbers, what of t is across x, over |x|: the direction turns."""
    if not dtypes.is_complex(x.dtype):
        return Zero(type_of(y).tangent())
    across = imag(mul(t, conj(y)))
    size = abs_(x)
    return mul(div_strong(complex_(const(across, 0), across), complex_(size, const(size, 0))), y)


sign = Elementwise("sign", accepts="iufc", impl=_sign, derivatives=(_sign_tangent,))

# Rounding: the derivative is zero wherever it exists.


def _round_away(xp: Any, x: Any) -> Any:
    whole = xp.trunc(x)
    return xp.where(xp.abs(xp.subtract(x, whole)) >= 0.5, xp.add(whole, xp.sign(x)), whole)


floor = Elementwise("floor", accepts="f", namespace="floor")
ceil = Elementwise("ceil", accepts="f", namespace="ceil")
trunc = Elementwise("trunc", accepts="f", namespace="trunc")
round_ = Elementwise("round", accepts="f", namespace="round")
"""To the nearest integer, halves to the even one."""
round_away = Elementwise("round_away", accepts="f", impl=_round_away)
"""To the nearest integer, halves away from zero."""


def _remainder(xp: Any, x: Any, y: Any) -> Any:
    """The remainder with the sign of the dividend. For integers, the remainder by zero is the dividend."""
    if not dtypes.is_integer(x.dtype):
        return either("fmod", _float_remainder)(xp, x, y)
    safe = xp.where(y == 0, xp.ones_like(y), y)
    rest = xp.subtract(x, xp.multiply(truncated_quotient(xp, x, safe), safe))
    return xp.where(y == 0, x, rest)


def _float_remainder(xp: Any, x: Any, y: Any) -> Any:
    size = xp.abs(y)
    rest = xp.remainder(xp.abs(x), size)
    rest = xp.where(xp.isfinite(x) & xp.isinf(size), xp.abs(x), rest)
    return xp.copysign(rest, x)


rem = Elementwise(
    "rem",
    accepts="iuf",
    operands="x y",
    impl=_remainder,
    derivatives=(linear, lambda t, z, x, y: neg(mul(t, trunc(div(x, y))))),
)


class _NextAfter(NotDifferentiable, Elementwise):
    """The number of the dtype next to x in the direction of y."""

    of_dtype = True


nextafter = _NextAfter("nextafter", accepts="f", operands="x1 x2", namespace="nextafter")
