"""Exponentials, logarithms, trigonometric and hyperbolic functions of each element; integers become floats.

A function of one floating array is one call of its primitive, and costs hardly more.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import dtypes
from ..arrays import from_host, type_of
from ..direct import unary
from ..primitives import elementwise as e
from ..transforms.custom_jvp import custom_jvp
from .operands import Universal, floating_pair, in_32_bits, inexact_operand, inexact_pair, like, named, with_methods

__all__ = ["exp2", "hypot", "i0", "log2", "log10", "logaddexp", "logaddexp2", "sinc"]


def _unary(name: str, primitive: Any, doc: str) -> Universal:
    return named(
        unary(primitive),
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


@with_methods
def exp2(x: Any, /) -> Any:
    """2**x, elementwise; integers become floats."""
    return e.exp2(inexact_operand(x))


@with_methods
def log2(x: Any, /) -> Any:
    """The logarithm of x to the base 2, elementwise; integers become floats."""
    return _over(e.log(inexact_operand(x)), math.log(2))


@with_methods
def log10(x: Any, /) -> Any:
    """The logarithm of x to the base 10, elementwise; integers become floats."""
    return _over(e.log(inexact_operand(x)), math.log(10))


def _over(x: Any, divisor: float) -> Any:
    """The quotient by a real number; each part of a complex one by itself, so that an infinite part leaves the other alone."""
    if dtypes.is_complex(x.dtype):
        return e.complex_(_over(e.real(x), divisor), _over(e.imag(x), divisor))
    return e.div(x, like(x, divisor))


def _scaled(name: str, factor: float, doc: str) -> Universal:
    def function(x: Any, /) -> Any:
        x = inexact_operand(x)
        return e.mul(x, like(x, factor))

    return named(function, name, doc)


deg2rad = radians = _scaled("deg2rad", math.pi / 180, "Degrees -> radians: x pi / 180, elementwise.")


rad2deg = degrees = _scaled("rad2deg", 180 / math.pi, "Radians -> degrees: x 180 / pi, elementwise.")


__all__ += ["deg2rad", "degrees", "rad2deg", "radians"]


def i0(x: Any) -> Any:
    """The modified Bessel function of the first kind and order 0, elementwise; integers become floats."""
    return in_32_bits(lambda x: e.mul(e.exp(e.abs_(x)), e.bessel_i0e(x)), inexact_operand(x))


def sinc(x: Any, /) -> Any:
    """sin(pi x) / (pi x), elementwise, and 1 at x = 0; right with its derivatives there too."""
    x = inexact_operand(x)
    y = e.mul(x, like(x, math.pi))
    near = e.lt(e.abs_(y), e.abs_(like(x, 0.1)))
    z = e.square(e.select(near, like(x, 0), y))
    series = like(x, 1)  # 1 - z/6 (1 - z/20 (1 - z/42 ...)): the series of sin(y)/y in z = y^2
    for k in (5, 4, 3, 2, 1):
        series = e.sub(like(x, 1), e.mul(e.mul(z, like(x, 1 / (2 * k * (2 * k + 1)))), series))
    far = e.select(near, y, like(x, 1))
    return e.select(near, e.div(e.sin(far), far), series)


@with_methods
def hypot(x1: Any, x2: Any, /) -> Any:
    """sqrt(x1^2 + x2^2), elementwise, without overflow in between."""
    # A function with a rule of its own takes arrays: a constant becomes one that is as weak as constants are.
    return _hypot(*map(_as_array, floating_pair("hypot", x1, x2)))


def _as_array(x: Any) -> Any:
    return from_host(x, weak_type=True) if isinstance(x, np.generic) else x


@custom_jvp
def _hypot(x: Any, y: Any) -> Any:
    x, y = e.abs_(x), e.abs_(y)
    large, small = e.max_(x, y), e.min_(x, y)
    zero = e.eq(large, like(x, 0))
    ratio = e.div(e.select(zero, small, like(x, 0)), e.select(zero, large, like(x, 1)))
    out = e.mul(large, e.sqrt(e.add(e.square(ratio), like(x, 1))))
    infinite = e.or_(e.eq(x, like(x, np.inf)), e.eq(y, like(x, np.inf)))
    return e.select(infinite, out, like(x, np.inf))


@_hypot.defjvp
def _hypot_jvp(primals: Any, tangents: Any) -> Any:
    out = _hypot(*primals)
    zero = e.eq(out, like(out, 0))
    length = e.select(zero, out, like(out, 1))
    x_share, y_share = (e.select(zero, e.div(x, length), like(out, 0)) for x in primals)
    return out, e.add(e.mul(tangents[0], x_share), e.mul(tangents[1], y_share))


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


def _principal(angle: Any) -> Any:
    """An angle moved by whole turns to where those of logarithms lie, in [-pi, pi]; one that lies there stays as it is."""
    turns = e.round_(e.mul(angle, like(angle, 0.5 / math.pi)))
    moved = e.sub(angle, e.mul(turns, like(angle, 2 * math.pi)))
    return e.select(e.gt(e.abs_(angle), like(angle, math.pi)), angle, moved)


@with_methods
def logaddexp(x1: Any, x2: Any, /) -> Any:
    """log(exp(x1) + exp(x2)), elementwise, without overflow in between."""
    x, y = inexact_pair("logaddexp", x1, x2)
    if dtypes.is_complex(type_of(x).dtype):
        swap = e.lt(e.real(x), e.real(y))
        large, small = e.select(swap, x, y), e.select(swap, y, x)
        out = e.add(large, e.log1p(e.exp(e.sub(small, large))))
        return e.complex_(e.real(out), _principal(e.imag(out)))
    return _logaddexp(_as_array(x), _as_array(y))


@with_methods
def logaddexp2(x1: Any, x2: Any, /) -> Any:
    """log2(2**x1 + 2**x2), elementwise, without overflow in between."""
    x, y = inexact_pair("logaddexp2", x1, x2)
    ln2 = like(x, math.log(2))
    return e.div(logaddexp(e.mul(x, ln2), e.mul(y, ln2)), ln2)


@with_methods
def arctan2(x1: Any, x2: Any, /) -> Any:
    """The angle in [-pi, pi] of the point with ordinate x1 and abscissa x2, elementwise."""
    return e.atan2(*floating_pair("arctan2", x1, x2))


atan2 = arctan2


__all__ += ["arctan2", "atan2"]
