"""The logarithm of the gamma function's size, and its derivative.

Up to some number the operand is moved near the function's zeros by the recurrence, where a polynomial holds that vanishes where
the function does; beyond, Stirling's series; below zero, the reflection. Of float32 it is done in double precision, with shorter
polynomials. Below zero the error is that of the larger terms, which cancel near zeros.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from .. import ir
from ..types import constant
from .logarithm import log
from .trigonometric import sin_cos
from .vector import Vector

__all__ = ["LGAMMA32", "LGAMMA64", "LGAMMA_LARGE", "STIRLING", "TABLE", "digamma", "in_double_precision", "lgamma"]

# log gamma(y) / ((y - 1) (y - 2)) in y - 1.5 on [0.7, 2.3]: 2^-29 and 2^-57. (By interpolation at Chebyshev's points.)
LGAMMA32 = (
    0.4831289505409809, -0.14595990370680684, 0.06291140601417237, -0.03130803607744978, 0.01679681248664299,
    -0.009433111359990157, 0.005451204465059838, -0.0031580161274732906, 0.0018886581069683045,
    -0.001360640484808795, 0.0008358459381862189, -7.107278318394857e-05, 3.89044446252717e-05,
    -0.00048582222700051784, 0.00030615048919048054,
)  # fmt: skip
LGAMMA64 = (
    0.4831289505409809, -0.14595989591430608, 0.06291140107456368, -0.03130848750101019, 0.016797098631332698,
    -0.009425622448564474, 0.005446457837873904, -0.0032120740728603272, 0.0019229162999145801,
    -0.0011644145777140959, 0.000711519967817768, -0.0004379936343615259, 0.00027129845930147387,
    -0.0001689081893448294, 0.0001054877458401201, -6.622534434131795e-05, 4.238378786118198e-05,
    -2.679355804882183e-05, 1.4800168779146843e-05, -9.37470771184597e-06, 1.112455977697884e-05,
    -7.144920881769252e-06, -4.15078602612664e-06, 2.7175792690835095e-06, 8.520113981788219e-06,
    -5.520714232998286e-06, -4.441431262252476e-06, 2.883549181979335e-06, 1.84030269405229e-06,
    -1.1927687858540512e-06,
)  # fmt: skip
# digamma(y) / (y - ROOT) in y - 1.5 on [1, 2]: 2^-30 and 2^-60.
DIGAMMA32 = (
    0.9510558754378758, -0.42362742088558825, 0.240542655036541, -0.14840503688922396, 0.09498081754904339,
    -0.06191686333003683, 0.0408935606644924, -0.027064258800657295, 0.016915223738038547,
    -0.011247037333869003, 0.01122315637643749, -0.007476843099039942,
)  # fmt: skip
DIGAMMA64 = (
    0.9510558760318328, -0.42362742128146047, 0.24054248424078736, -0.14840492305391761, 0.09498872445283,
    -0.06192213327165706, 0.04076083394462657, -0.02697579684427536, 0.017907248195969127,
    -0.011908215172584002, 0.007927024067961237, -0.00528001782089874, 0.0035180800751066694,
    -0.002344650082351321, 0.0015635679757533885, -0.001042261556504223, 0.0006899717801166841,
    -0.0004599625144612576, 0.0003268068044141764, -0.0002178682145501451, 9.173383289174792e-05,
    -6.11554261750751e-05, 0.00012230983055406747, -8.153978973309418e-05,
)  # fmt: skip
ROOT = (1.4616321449683622, 9.549995429965697e-17)
# Stirling's series, by powers of 1 / x^2.
STIRLING = (
    0.08333333333333333, -0.002777777777777778, 0.0007936507936507937, -0.0005952380952380953,
    0.0008417508417508417, -0.0019175269175269176, 0.00641025641025641, -0.029550653594771242,
    0.17964437236883057, -1.3924322169059011,
)  # fmt: skip
DIGAMMA_SERIES = (
    -0.08333333333333333, 0.008333333333333333, -0.003968253968253968, 0.004166666666666667,
    -0.007575757575757576, 0.021092796092796094, -0.08333333333333333, 0.4432598039215686, -3.0539543302701198,
    26.456212121212122, -281.46014492753625,
)  # fmt: skip
LGAMMA_LARGE, DIGAMMA_LARGE = 8.3, 10.0
"""From there on the series hold."""


def in_double_precision(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function (builder, *operands) that does float32 in double precision.

    Args:
      function: (Vector, *operands, whether the result must be precise) -> value.
    """

    def emit(b: Any, *operands: Any) -> Any:
        v = Vector(b, operands[0])
        if v.double:
            return function(v, *operands, True)
        double = v.shaped(ir.DoubleType())
        known = [v.known(x) for x in operands]
        wide = [b.fpext(x, double) if c is None else constant(double, c) for x, c in zip(operands, known, strict=True)]
        return b.fptrunc(function(Vector(b, wide[0]), *wide, False), v.type)

    return emit


def _lgamma(v: Vector, x: Any, precise: bool) -> Any:
    b, one, zero = v.b, v.const(1.0), v.const(0.0)
    a = v.abs(x)
    large, small = b.not_(v.less(a, v.const(LGAMMA_LARGE))), v.less(a, v.const(0.7))
    y = v.select(small, v.add(a, one), v.at_most(a, LGAMMA_LARGE))
    product = one
    for _ in range(6):
        again = b.not_(v.less(y, v.const(2.3)))
        y = v.select(again, v.sub(y, one), y)
        product = v.select(again, v.mul(product, y), product)
    near = v.mul(v.sub(y, one), v.sub(y, v.const(2.0)))
    near = v.mul(near, v.polynomial(v.sub(y, v.const(1.5)), LGAMMA64 if precise else LGAMMA32))
    logarithm = log(b, v.select(large, a, v.select(small, a, product)))
    middle = v.add(near, v.select(small, v.neg(logarithm), logarithm))
    out = v.select(large, _stirling(v, a, logarithm), middle)
    # log gamma(-a) = log(pi / (a |sin(pi a)|)) - log gamma(a)
    sine, _ = _of_half_turns(v, a)
    below = v.sub(log(b, v.div(v.const(math.pi), v.mul(a, v.abs(sine)))), out)
    below = v.select(v.equal(sine, zero), v.const(float("inf")), below)
    out = v.select(b.and_(v.less(x, zero), v.greater(a, v.const(TINY))), below, out)
    out = v.select(v.equal(a, v.const(float("inf"))), a, out)
    return v.select(v.is_nan(x), x, out)


TINY = 2.0**-60
"""Beside that, 1 is all."""


def _stirling(v: Vector, a: Any, logarithm: Any) -> Any:
    inverse = v.div(v.const(1.0), a)
    series = v.mul(inverse, v.horner(v.mul(inverse, inverse), STIRLING))
    constant = v.add(series, v.const(0.5 * math.log(2 * math.pi) - 0.5))
    return v.fma(v.sub(a, v.const(0.5)), v.sub(logarithm, v.const(1.0)), constant)


def _of_half_turns(v: Vector, a: Any) -> tuple[Any, Any]:
    """|sin(pi a)|, but for its sign, and cot(pi a)."""
    r = v.sub(a, v.intrinsic("roundeven", a))
    sine, cosine = sin_cos(v, v.mul(r, v.const(math.pi / 2)))
    whole = v.mul(v.mul(sine, cosine), v.const(2.0))
    return whole, v.div(v.fma(v.mul(sine, sine), v.const(-2.0), v.const(1.0)), whole)


def _digamma(v: Vector, x: Any, precise: bool) -> Any:
    b, one, zero = v.b, v.const(1.0), v.const(0.0)
    a = v.abs(x)
    large, small = b.not_(v.less(a, v.const(DIGAMMA_LARGE))), v.less(a, one)
    y = v.select(small, v.add(a, one), v.at_most(a, DIGAMMA_LARGE))
    # The sum of 1 / y over the steps down to [1, 2), as a quotient; of a small number it is -1 / a.
    above, below = v.select(small, v.const(-1.0), zero), v.select(small, a, one)
    for _ in range(9):
        again = b.not_(v.less(y, v.const(2.0)))
        y = v.select(again, v.sub(y, one), y)
        above = v.select(again, v.fma(above, y, below), above)
        below = v.select(again, v.mul(below, y), below)
    near = v.sub(v.sub(y, v.const(ROOT[0])), v.const(ROOT[1]))
    near = v.mul(near, v.polynomial(v.sub(y, v.const(1.5)), DIGAMMA64 if precise else DIGAMMA32))
    inverse = v.div(one, a)
    square = v.mul(inverse, inverse)
    rest = v.fma(square, v.horner(square, DIGAMMA_SERIES), v.mul(inverse, v.const(-0.5)))
    out = v.select(large, v.add(log(b, a), rest), v.add(near, v.div(above, below)))
    # digamma(-a) = digamma(a) + 1 / a + pi cot(pi a)
    sine, cotangent = _of_half_turns(v, a)
    reflected = v.add(out, v.fma(cotangent, v.const(math.pi), inverse))
    reflected = v.select(b.and_(v.equal(sine, zero), v.greater(a, zero)), v.const(float("nan")), reflected)
    negative = v.less(x, zero)
    out = v.select(b.and_(negative, v.greater(a, v.const(TINY))), reflected, out)
    tiny = b.not_(v.greater(a, v.const(TINY)))
    out = v.select(tiny, v.neg(v.div(one, x)), out)
    ends = v.select(negative, v.const(float("nan")), a)
    out = v.select(v.equal(a, v.const(float("inf"))), ends, out)
    return v.select(v.is_nan(x), x, out)


digamma, lgamma = map(in_double_precision, (_digamma, _lgamma))
TABLE = {"digamma": digamma, "lgamma": lgamma}
