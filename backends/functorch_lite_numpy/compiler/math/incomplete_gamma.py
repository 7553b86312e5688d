"""The incomplete gamma functions P(a, x) and Q(a, x) = 1 - P(a, x), regularised, each from the smaller of the two.

With the density D = x^a exp(-x) / gamma(a + 1):

    P = D (1 + x/(a+1) + x^2/((a+1)(a+2)) + ...)                                        for x up to a, or up to 1.1,
    Q = D a / (x+1-a - 1 (1-a) / (x+3-a - 2 (2-a) / (x+5-a - ...)))                     beyond,
    Q = 1 - x^a/gamma(a+1) - x^a/gamma(a) (-x/(a+1) + x^2/(2! (a+2)) - ...)             of small a and x.

Of a from 64 on, where both would take many terms, N. M. Temme's uniform expansion: with h^2 / 2 = x/a - 1 - log(x/a), for |h| <= 1,
the smaller one is

    erfc(|h| sqrt(a/2)) / 2 +- exp(-a h^2 / 2) / sqrt(2 pi a) (C0(h) + C1(h) / a + ...).

The density is exp(-a h^2 / 2) / sqrt(2 pi a) over what Stirling's formula lacks; of small a, by 1 / gamma. So the error grows as
the logarithm of the result does: it is at most 10 units in the last place, and 5 times the logarithm; about a third of SciPy's.
Of float32 all is done in double precision.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .branching import called, until_done, where_any
from .error_function import scaled_erfc
from .exponential import exp, expm1
from .gamma import LGAMMA32, LGAMMA64, LGAMMA_LARGE, STIRLING, in_double_precision
from .logarithm import log
from .power import power
from .vector import Vector

__all__ = ["TABLE", "density_of"]

# Temme's coefficients in h on [-1.02, 1.02], by interpolation at Chebyshev's points: to 2^-53 and 2^-30 of their sum.
TEMME64 = (
    (
        -0.33333333333333337, 0.08333333333333333, -0.014814814814809476, 0.0011574074074083, 0.0003527336859295488,
        -0.00017875514405561803, 3.9192633153570135e-05, -2.1854482902344256e-06, -1.8540690686445497e-06,
        8.296700726617311e-07, -1.7664007971686224e-07, 6.7106776767867266e-09, 1.0229041548938644e-08,
        -4.38631868942084e-09, 9.476178780837213e-10, -2.1980938193886156e-11, -7.687742037476244e-11,
        2.3121119380254976e-11,
    ),
    (
        -0.001851851851851852, -0.003472222222217788, 0.002645502645499383, -0.0009902263376521763,
        0.00020576131702281745, -4.018748635994442e-07, -1.8098552354196017e-05, 7.649144883700605e-06,
        -1.612077929561726e-06, 4.696781918227713e-09, 1.3782461015329842e-07, -5.761061332751953e-08,
        1.2021337886033102e-08, 6.13139078645486e-11, -1.0799881763033223e-09, 3.8359558288121267e-10,
        -4.835851183318788e-11,
    ),
    (
        0.004133597883597883, -0.002681327160745752, 0.0007716049384697912, 2.009396837847032e-06,
        -0.00010736653936687544, 5.292335722310432e-05, -1.276056166910423e-05, 3.464204526333893e-08,
        1.3718610381406768e-06, -6.308015129380193e-07, 1.4358504469854526e-07, 8.123562002345113e-10,
        -1.505487742256062e-08, 5.736502607211396e-09, -7.75997022328434e-10,
    ),
    (
        0.0006494341563786008, 0.00022947210603684395, -0.0004691895049208253, 0.00026772030146658227,
        -7.561773396564281e-05, -2.3717656689962937e-07, 1.1080490006625557e-05, -5.68268426263492e-06,
        1.4301578176649616e-06, 1.1097690310796459e-08, -1.807064273591658e-07, 7.450974978318456e-08,
        -1.09103384685671e-08,
    ),
    (
        -0.0008618882909167117, 0.0007840387089786301, -0.0002990720037952059, -1.454162050530723e-06,
        6.640584998645515e-05, -3.973336382840117e-05, 1.1424488359139148e-05, 9.873671561293658e-08,
        -1.8007225160180385e-06, 8.187951434961996e-07, -1.321855214717157e-07,
    ),
    (
        -0.00033678525591597427, -6.972472511097225e-05, 0.0002768624328063576, -0.00019942905984442934,
        7.006291900292722e-05, 5.969249108652986e-07, -1.718341424073699e-05, 7.4816354660296895e-06,
    ),
    (
        0.0005308836587854828, -0.0005922748155272329, 0.00027836599400723805, 2.596870775712113e-06,
        -0.00010288840083664676, 5.249711819698475e-05,
    ),
    (
        0.00034436760689237765, 0.00026261398744314697, -0.00040137634618676957,
    ),
)  # fmt: skip
TEMME32 = (
    (
        -0.3333333336817486, 0.08333333332225666, -0.014814798041101513, 0.00115740792939803, 0.0003526035212516502,
        -0.000178758740422702, 3.9549926834042616e-05, -2.1782565489668164e-06, -2.263290980352308e-06,
        8.278807533880716e-07,
    ),
    (
        -0.0018518400101934938, -0.0034722211824348226, 0.0026451369673538556, -0.0009902578029416485,
        0.0002075564975345163, -2.640493036336956e-07, -2.1003421994661866e-05, 7.48925114211861e-06,
    ),
    (
        0.004133232302207469, -0.002681360143257459, 0.0007779850206629734, 2.5582415536784698e-06,
        -0.00012452797526430918, 5.183803057355645e-05,
    ),
    (
        0.0006494341563786008, 0.00043555567268340026, -0.0005208381450785641,
    ),
)  # fmt: skip
# 1 / gamma(1 + t) in t - 1/2 on [0, 1]: 2^-60 and 2^-33.
INVERSE64 = (
    1.1283791670955126, -0.0411745264452831, -0.5266544355255447, 0.1751020260439345, 0.0509668602477254,
    -0.04215516936852937, 0.0066128978262169355, 0.002120731442377648, -0.0011107302452144753,
    0.0001523576237730338, 2.5355126083578413e-05, -1.3896830820824793e-05, 2.1565716777236722e-06,
    5.805865036131101e-08, -9.003954226854576e-08, 1.6825132875442263e-08,
)  # fmt: skip
INVERSE32 = (
    1.12837916715178, -0.04117452647447497, -0.5266544465528756, 0.1751020317674145, 0.050967205440722974,
    -0.04215534893491728, 0.00660912555906915, 0.0021227035312504144, -0.0010940031343290085, 0.0001435143917308177,
)  # fmt: skip
ARTANH = [2 / (2 * k + 3) for k in range(17)]
"""Of (2 artanh(s) - 2 s) / s^3 in s^2 up to 1/9: 2^-58."""
LARGE = 64.0
"""From there on by Temme's expansion."""
SMALL = 1.1
MOST = 2000
"""Terms; 100 are enough."""
ROOT_TWO_PI = math.sqrt(2 * math.pi)


def _incomplete(v: Vector, a: Any, x: Any, precise: bool, upper: bool) -> Any:
    """P, or if `upper` Q."""
    b, zero, one, infinity, nan = v.b, *map(v.const, (0.0, 1.0, float("inf"), float("nan")))
    usual = b.and_(*(b.and_(v.greater(y, zero), v.less(y, infinity)) for y in (a, x)))
    value, is_upper = _smaller(v, v.select(usual, a, one), v.select(usual, x, one), precise, upper)
    value = v.select(b.not_(is_upper) if upper else is_upper, v.sub(one, value), value)
    # At an end P is 0 or 1, unless both operands are.
    lower = b.or_(v.equal(x, zero), v.equal(a, infinity))
    end = v.select(lower, v.const(float(upper)), v.const(float(not upper)))
    both = b.or_(b.and_(v.equal(x, zero), v.equal(a, zero)), b.and_(v.equal(x, infinity), v.equal(a, infinity)))
    out_of_range = b.or_(both, b.or_(b.not_(_at_least_zero(v, a)), b.not_(_at_least_zero(v, x))))
    return v.select(usual, value, v.select(out_of_range, nan, end))


def _at_least_zero(v: Vector, x: Any) -> Any:
    return v.b.fcmp_ordered(">=", x, v.const(0.0))


def _smaller(v: Vector, a: Any, x: Any, precise: bool, upper: bool) -> tuple[Any, Any]:
    """For positive numbers P or Q, and where it is Q."""
    b, zero, one = v.b, v.const(0.0), v.const(1.0)
    mu = v.div(v.sub(x, a), a)
    phi = _phi(v, v.div(x, a), mu)
    near = b.and_(b.not_(v.less(a, v.const(LARGE))), b.not_(v.greater(phi, v.const(0.5))))
    series = v.b.fcmp_ordered("<=", x, v.at_least(a, SMALL))
    weight, density = _density(v, a, x, phi, precise)
    enough = v.const(2.0**-54 if precise else 2.0**-30)

    def add(n: Any, values: Sequence[Any]) -> Any:
        """The next term of P's series."""
        total, term = values
        term = v.div(v.mul(term, x), v.add(a, n))
        total = v.add(total, term)
        return v.greater(term, v.mul(total, enough)), (total, term)

    def go_deeper(n: Any, values: Sequence[Any]) -> Any:
        """The next quotient of Q's continued fraction, by Steed's algorithm."""
        total, change, below, d = values
        factor, below = v.mul(n, v.sub(n, a)), v.add(below, v.const(2.0))
        new = v.div(one, v.fma(v.neg(factor), d, below))
        change = v.mul(v.mul(change, factor), v.mul(d, new))
        total = v.add(total, change)
        return v.greater(v.abs(change), v.mul(total, enough)), (total, change, below, new)

    sum_, _ = until_done(v, b.and_(series, b.not_(near)), (one, one), add, MOST)
    below = v.add(v.sub(x, a), one)
    first = v.div(one, below)
    fraction, *_ = until_done(v, b.not_(b.or_(series, near)), (first, first, below, first), go_deeper, MOST)
    value = v.mul(density, v.select(series, sum_, v.mul(fraction, a)))
    is_upper = b.not_(series)
    if upper:
        limit = v.select(
            v.greater(x, v.const(0.5)), v.mul(x, v.const(SMALL)), v.div(v.const(-0.4), log(b, v.at_most(x, 0.9)))
        )
        tiny = b.and_(b.and_(series, v.less(a, limit)), b.fcmp_ordered("<=", x, v.const(SMALL)))
        (value,) = where_any(v, tiny, [value], lambda: [_of_small(v, a, x, tiny, weight, enough, precise)])
        is_upper = b.or_(is_upper, tiny)
    (value,) = where_any(v, near, [value], lambda: [_temme(v, a, mu, phi, precise)])
    return value, v.select(near, v.greater(mu, zero), is_upper)


def _phi(v: Vector, ratio: Any, mu: Any) -> Any:
    """Ratio - 1 - log(ratio), mu = ratio - 1. Near 1 by the series of 2 artanh(s) = log(1 + mu), s = mu / (2 + mu)."""
    b = v.b
    close = b.and_(v.greater(ratio, v.const(0.5)), v.less(ratio, v.const(2.0)))
    f = v.select(close, mu, v.const(0.0))
    s, half = v.div(f, v.add(f, v.const(2.0))), v.mul(v.mul(f, f), v.const(0.5))
    z = v.mul(s, s)
    near = v.fma(v.neg(s), v.fma(z, v.polynomial(z, ARTANH), half), half)
    far = v.sub(mu, log(b, v.at_least(ratio, 2.0**-1000)))
    return v.select(close, near, v.select(v.less(ratio, v.const(float("inf"))), far, ratio))


def _density(v: Vector, a: Any, x: Any, phi: Any, precise: bool) -> tuple[Any, Any]:
    """x^a / gamma(a + 1), for a below LGAMMA_LARGE only; and D."""
    b, one = v.b, v.const(1.0)
    few = v.at_most(a, LGAMMA_LARGE)
    t, product = few, one
    for n in range(1, math.ceil(LGAMMA_LARGE)):
        reached = b.not_(v.less(few, v.const(float(n))))
        product = v.select(reached, v.mul(product, v.sub(few, v.const(n - 1.0))), product)
        t = v.select(reached, v.sub(few, v.const(float(n))), t)
    inverse = v.div(v.polynomial(v.sub(t, v.const(0.5)), INVERSE64 if precise else INVERSE32), product)
    little = v.at_most(x, 3000.0)
    power_ = power(b, little, few) if precise else exp(b, v.mul(few, log(b, little)))
    weight = v.mul(power_, inverse)
    root = exp(b, v.mul(little, v.const(-0.5)))  # twice: exp(-x) may be subnormal
    h = v.div(one, v.at_least(a, LGAMMA_LARGE))
    lacking = v.mul(h, v.horner(v.mul(h, h), STIRLING))
    exponent = v.neg(v.fma(a, phi, lacking))
    stirling = v.div(exp(b, exponent), v.mul(v.sqrt(a), v.const(ROOT_TWO_PI)))
    small = v.less(a, v.const(LGAMMA_LARGE))
    return weight, v.select(small, v.mul(v.mul(weight, root), root), stirling)


def density_of(v: Vector, a: Any, x: Any, precise: bool) -> Any:
    """x^a exp(-x) / gamma(a + 1) of positive numbers."""
    phi = _phi(v, v.div(x, a), v.div(v.sub(x, a), a))
    return _density(v, a, x, phi, precise)[1]


def _of_small(v: Vector, a: Any, x: Any, active: Any, weight: Any, enough: Any, precise: bool) -> Any:
    """Q of small operands."""
    zero, one = v.const(0.0), v.const(1.0)

    def add(n: Any, values: Sequence[Any]) -> Any:
        total, power_ = values
        power_ = v.div(v.mul(power_, v.neg(x)), n)
        term = v.div(power_, v.add(a, n))
        total = v.add(total, term)
        return v.greater(v.abs(term), v.mul(v.abs(total), enough)), (total, power_)

    sum_, _ = until_done(v, active, (zero, one), add, MOST)
    moderate = v.at_most(a, 1.3)
    polynomial = v.polynomial(v.sub(moderate, v.const(0.5)), LGAMMA64 if precise else LGAMMA32)
    lgamma = v.mul(v.mul(moderate, v.sub(moderate, one)), polynomial)  # of 1 + a
    missing = expm1(v.b, v.sub(v.mul(moderate, log(v.b, x)), lgamma))
    return v.neg(v.fma(v.mul(weight, a), sum_, missing))


def _temme(v: Vector, a: Any, mu: Any, phi: Any, precise: bool) -> Any:
    """P for negative mu, else Q."""
    h = v.with_sign_of(v.sqrt(v.add(phi, phi)), mu)
    h = v.clamp(h, -1.02, 1.02)
    rows = [v.polynomial(h, row) for row in (TEMME64 if precise else TEMME32)]
    inverse = v.div(v.const(1.0), a)
    total = rows[-1]
    for row in rows[-2::-1]:
        total = v.fma(total, inverse, row)
    total = v.select(v.greater(mu, v.const(0.0)), total, v.neg(total))
    exponent = v.mul(a, phi)
    rest = v.div(total, v.mul(v.sqrt(a), v.const(ROOT_TWO_PI)))
    tail = v.fma(scaled_erfc(v, v.sqrt(exponent)), v.const(0.5), rest)
    return v.mul(exp(v.b, v.neg(exponent)), tail)


def _function(upper: bool) -> Any:
    def emit(v: Vector, a: Any, x: Any, precise: bool) -> Any:
        return called(v, "igamma", _incomplete, a, x, precise=precise, upper=upper)

    return in_double_precision(emit)


TABLE = {"igamma": _function(False), "igammac": _function(True)}
