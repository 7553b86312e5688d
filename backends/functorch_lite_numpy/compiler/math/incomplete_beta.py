"""The incomplete beta function I(x; a, b), regularised, by the continued fraction of A. R. DiDonato and A. H. Morris.

"Significant digit computation of the incomplete beta function ratios" (1992), formula 9; of the smaller one of I(x; a, b) and
I(1 - x; b, a), for which it converges within tens of turns, a hundred where a and b are in the thousands. Its factor
x^a (1-x)^b / B(a, b) is made of densities D(a, t) = t^a exp(-t) / gamma(a + 1), after C. Loader's "Fast and accurate computation of
binomial probabilities" (2000): with m = a + b

    D(a, m x) D(b, m (1-x)) / D(m, m) a b / m.

The error grows as the logarithm of the result does: at most 30 units in the last place, and 12 times that, for a and b up to
thousands, which is about SciPy's. Of float32 it is done in double precision.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .branching import called, until_done
from .gamma import in_double_precision
from .incomplete_gamma import density_of
from .vector import Vector

__all__ = ["TABLE"]

MOST = 10_000


def _of_usual(v: Vector, a: Any, b: Any, x: Any, precise: bool) -> Any:
    """For positive a and b and 0 < x < 1."""
    one = v.const(1.0)
    y = v.sub(one, x)
    swap = v.greater(v.mul(b, x), v.mul(a, y))
    a, b = v.select(swap, b, a), v.select(swap, a, b)
    x, y = v.select(swap, y, x), v.select(swap, x, y)
    m = v.add(a, b)

    def density(a: Any, t: Any) -> Any:
        return called(v, "gamma_density", density_of, a, t, precise=precise)

    factor = v.div(v.mul(density(a, v.mul(m, x)), density(b, v.mul(m, y))), density(m, m))
    factor = v.mul(factor, v.mul(a, v.div(b, m)))
    out = v.div(factor, _fraction(v, a, b, x, y, precise))
    out = v.at_most(out, 1.0)
    return v.select(swap, v.sub(one, out), out)


def _fraction(v: Vector, a: Any, b: Any, x: Any, y: Any, precise: bool) -> Any:
    """By Lentz's method."""
    one, two = v.const(1.0), v.const(2.0)
    enough = v.const(2.0**-51 if precise else 2.0**-30)
    m, base = v.add(a, b), v.sub(v.mul(a, y), v.mul(b, x))

    def denominator(n: Any, low: Any, quotient: Any) -> Any:
        """N + n (b-n) x / (a+2n-1) + (a+n) (a y - b x + 1 + n (2-x)) / (a+2n+1), low = a+2n-1."""
        last = v.fma(n, v.add(one, y), v.add(base, one))
        return v.add(v.fma(v.div(v.add(a, n), v.add(low, two)), last, n), quotient)

    def turn(n: Any, values: Sequence[Any]) -> Any:
        f, c, d = values
        low = v.sub(v.fma(n, two, a), one)
        quotient = v.div(v.mul(v.mul(n, v.sub(b, n)), x), low)
        above = v.mul(v.div(v.sub(v.add(a, n), one), low), v.sub(v.add(m, n), one))
        above, below = v.mul(v.mul(above, quotient), x), denominator(n, low, quotient)
        d = v.div(one, v.fma(above, d, below))
        c = v.add(below, v.div(above, c))
        change = v.mul(c, d)
        return v.greater(v.abs(v.sub(change, one)), enough), (v.mul(f, change), c, d)

    zero = v.const(0.0)
    start = v.div(v.mul(a, v.add(base, one)), v.add(a, one))
    f, *_ = until_done(v, v.equal(zero, zero), (start, start, zero), turn, MOST)
    return f


def _beta(v: Vector, a: Any, b: Any, x: Any, precise: bool) -> Any:
    """With the ends as in SciPy: all of the distribution at 0, or all at 1."""
    bl, zero, one, infinity, nan = v.b, *map(v.const, (0.0, 1.0, float("inf"), float("nan")))
    inside = bl.and_(v.greater(x, zero), v.less(x, one))
    usual = bl.and_(*(bl.and_(v.greater(y, zero), v.less(y, infinity)) for y in (a, b)))
    usual = bl.and_(usual, inside)
    safe_a, safe_b, safe_x = (v.select(usual, y, v.const(0.5)) for y in (a, b, x))
    out = _of_usual(v, safe_a, safe_b, safe_x, precise)
    at_zero = bl.or_(v.equal(a, zero), v.equal(b, infinity))
    at_one = bl.or_(v.equal(b, zero), v.equal(a, infinity))
    end = v.select(bl.or_(v.equal(x, one), bl.and_(at_zero, v.greater(x, zero))), one, zero)
    defined = bl.and_(*(bl.fcmp_ordered(">=", y, zero) for y in (a, b)))
    defined = bl.and_(defined, bl.or_(inside, bl.or_(v.equal(x, zero), v.equal(x, one))))
    both = bl.or_(*(bl.and_(*(v.equal(y, e) for y in (a, b))) for e in (zero, infinity)))
    known = bl.or_(bl.not_(inside), bl.or_(at_zero, at_one))
    end = v.select(bl.and_(defined, bl.and_(known, bl.not_(both))), end, nan)
    return v.select(usual, out, end)


def _emit(v: Vector, a: Any, b: Any, x: Any, precise: bool) -> Any:
    return called(v, "incomplete_beta", _beta, a, b, x, precise=precise)


TABLE = {"regularized_incomplete_beta": in_double_precision(_emit)}
