"""Inverse trigonometric and hyperbolic functions of complex numbers, after W. Kahan, "Branch cuts for complex elementary
functions" (1987).

    asin(z) = atan2(re, Re(p q)) + i asinh(Im(conj(p) q)),   p = sqrt(1 - z), q = sqrt(1 + z),
    acos(z) = 2 atan2(Re p, Re q) + i asinh(Im(conj(q) p)),

in which nothing cancels; of large numbers, the angle of z and the logarithm of 2 |z|. The hyperbolic ones are these with parts
exchanged. The real part of atanh is log1p(4 re / ((1 - re)^2 + im^2)) / 4. Sides of branch cuts, infinities and NaN are as in C.
"""

from __future__ import annotations

import math
from typing import Any

from .complex import div, log, mul, sqrt
from .inverse_trigonometric import atan2
from .logarithm import asinh, log1p
from .logarithm import log as real_log
from .vector import Vector

__all__ = ["TABLE"]

Pair = tuple[Any, Any]
LARGE = (2.0**40, 2.0**300)
"""Beside these, 1 is nothing, and squares do not overflow."""


def _roots(v: Vector, x: Pair) -> tuple[Pair, Pair]:
    """The square roots of 1 - x and 1 + x."""
    one = v.const(1.0)
    return sqrt(v.b, (v.sub(one, x[0]), v.neg(x[1]))), sqrt(v.b, (v.add(one, x[0]), x[1]))


def _is_large(v: Vector, x: Pair) -> Any:
    sizes = (v.abs(c) for c in x)
    return v.b.or_(*(v.greater(c, v.const(v.pick(*LARGE))) for c in sizes))


def _log_of_twice(v: Vector, x: Pair) -> Any:
    """log(2 |x|)."""
    real, _ = log(v.b, x)
    return v.add(real, v.const(math.log(2)))


def asin(b: Any, x: Pair) -> Pair:
    v = Vector(b, x[0])
    large = _is_large(v, x)
    small = v.select(large, v.const(0.0), x[0]), v.select(large, v.const(0.0), x[1])
    p, q = _roots(v, small)
    angle = atan2(b, small[0], v.sub(v.mul(p[0], q[0]), v.mul(p[1], q[1])))
    size = asinh(b, v.sub(v.mul(p[0], q[1]), v.mul(p[1], q[0])))
    real = v.select(large, atan2(b, x[0], v.abs(x[1])), angle)
    real = v.select(v.equal(x[0], v.const(0.0)), x[0], real)
    return real, v.with_sign_of(v.select(large, _log_of_twice(v, x), size), x[1])


def acos(b: Any, x: Pair) -> Pair:
    v = Vector(b, x[0])
    large = _is_large(v, x)
    small = v.select(large, v.const(0.0), x[0]), v.select(large, v.const(0.0), x[1])
    p, q = _roots(v, small)
    angle = v.mul(atan2(b, p[0], q[0]), v.const(2.0))
    angle = v.select(v.equal(x[0], v.const(0.0)), v.const(math.pi / 2), angle)
    size = asinh(b, v.sub(v.mul(q[0], p[1]), v.mul(q[1], p[0])))
    real = v.select(large, atan2(b, v.abs(x[1]), x[0]), angle)
    return real, v.with_sign_of(v.select(large, _log_of_twice(v, x), size), v.neg(x[1]))


def complex_asinh(b: Any, x: Pair) -> Pair:
    """Asin, with the parts of its operand and result exchanged."""
    imag, real = asin(b, (x[1], x[0]))
    return real, imag


def acosh(b: Any, x: Pair) -> Pair:
    """Acos, turned to the right half plane."""
    v = Vector(b, x[0])
    real, imag = acos(b, x)
    return v.abs(imag), v.with_sign_of(real, x[1])


def atanh(b: Any, x: Pair) -> Pair:
    v = Vector(b, x[0])
    zero, one, two, half = (v.const(c) for c in (0.0, 1.0, 2.0, 0.5))
    large = _is_large(v, x)
    size, im = v.select(large, zero, v.abs(x[0])), v.select(large, zero, v.abs(x[1]))
    missing = v.sub(one, size)
    ratio = v.div(v.mul(size, v.const(4.0)), v.fma(missing, missing, v.mul(im, im)))
    real = v.mul(log1p(b, ratio), v.const(0.25))
    # Next to 1 and -1, where the square of the imaginary part may vanish.
    pole = v.mul(v.sub(real_log(b, v.sqrt(v.fma(im, im, v.const(4.0)))), real_log(b, im)), half)
    real = v.select(b.and_(v.equal(size, one), v.less(im, one)), pole, real)
    far, _ = div(b, (one, zero), x)
    end = v.b.or_(*(v.equal(v.abs(c), v.const(float("inf"))) for c in x))
    real = v.select(large, v.select(end, zero, v.abs(far)), real)
    imag = v.mul(atan2(b, v.mul(im, two), v.fma(missing, v.add(one, size), v.neg(v.mul(im, im)))), half)
    imag = v.select(large, v.const(math.pi / 2), imag)
    sideways = v.equal(v.abs(x[1]), v.const(float("inf")))
    imag = v.select(b.and_(v.is_nan(x[0]), b.not_(sideways)), v.const(float("nan")), imag)
    imag = v.select(v.is_nan(x[1]), x[1], imag)
    real = v.select(v.equal(x[0], zero), zero, real)
    return v.with_sign_of(real, x[0]), v.with_sign_of(imag, x[1])


def atan(b: Any, x: Pair) -> Pair:
    """Atanh, with the parts of its operand and result exchanged."""
    imag, real = atanh(b, (x[1], x[0]))
    return real, imag


def complex_atan2(b: Any, x: Pair, y: Pair) -> Pair:
    """-i log((y + i x) / sqrt(x^2 + y^2))."""
    v = Vector(b, x[0])
    squares = zip(mul(b, x, x), mul(b, y, y), strict=True)
    real, imag = (v.add(p, q) for p, q in squares)
    length = sqrt(b, (real, imag))
    real, imag = log(b, div(b, (v.sub(y[0], x[1]), v.add(y[1], x[0])), length))
    return imag, v.neg(real)


TABLE = {
    "acos": acos,
    "acosh": acosh,
    "asin": asin,
    "asinh": complex_asinh,
    "atan": atan,
    "atan2": complex_atan2,
    "atanh": atanh,
}
