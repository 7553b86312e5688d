"""How the incomplete gamma function changes with its shape: as `primitives/gamma_ratio.py` does it, in double precision.

A gamma variate's derivative by its shape is -(dP/da) / (dP/dx), the first function here without its density. The series of 1 - P is
a continued fraction by Steed's algorithm, with the derivative by a of each quantity beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .branching import called, until_done
from .gamma import digamma, in_double_precision
from .incomplete_gamma import density_of
from .logarithm import log
from .vector import Vector

__all__ = ["TABLE"]

MOST = 10_000


def _over_density(v: Vector, a: Any, x: Any, precise: bool) -> Any:
    """(dP/da) / (dP/dx) of positive numbers."""
    b, one = v.b, v.const(1.0)
    low = b.fcmp_ordered("<=", x, v.add(a, one))
    enough = v.const(2.0**-54 if precise else 2.0**-30)
    logarithm = log(b, x)
    psi = digamma(b, v.select(low, v.add(a, one), a))

    def add(n: Any, values: Sequence[Any]) -> Any:
        """The next term of x^(n+1) / (a (a+1) ... (a+n)) times log x - digamma(a+n+1)."""
        total, weight, psi = values
        step = v.div(one, v.add(a, n))
        weight, psi = v.mul(v.mul(weight, x), step), v.add(psi, step)
        factor = v.sub(logarithm, psi)
        total = v.fma(weight, factor, total)
        size = v.mul(weight, v.add(one, v.abs(factor)))
        return v.greater(size, v.mul(enough, v.abs(total))), (total, weight, psi)

    def go_deeper(n: Any, values: Sequence[Any]) -> Any:
        f, df, change, dchange, below, q, dq = values
        k, dk = v.mul(n, v.sub(n, a)), v.neg(n)
        below = v.add(below, v.const(2.0))
        new = v.div(one, v.fma(v.neg(k), q, below))
        dlow = v.fma(k, dq, v.fma(dk, q, one))
        dnew = v.mul(v.mul(dlow, new), new)
        factor = v.mul(v.mul(k, q), new)
        dfactor = v.fma(v.mul(dk, q), new, v.mul(k, v.fma(dq, new, v.mul(q, dnew))))
        dchange = v.fma(dchange, factor, v.mul(change, dfactor))
        change = v.mul(change, factor)
        f, df = v.add(f, change), v.add(df, dchange)
        more = v.greater(v.abs(change), v.mul(enough, f))
        more = b.or_(more, v.greater(v.abs(dchange), v.mul(enough, v.abs(df))))
        return more, (f, df, change, dchange, below, new, dnew)

    weight = v.div(x, a)
    start = v.mul(weight, v.sub(logarithm, psi))
    series, *_ = until_done(v, low, (start, weight, psi), add, MOST)
    below = v.add(v.sub(x, a), one)
    q = v.div(one, below)
    dq = v.mul(q, q)
    f, df, *_ = until_done(v, b.not_(low), (q, dq, q, dq, below, q, dq), go_deeper, MOST)
    fraction = v.mul(v.neg(x), v.fma(f, v.sub(logarithm, psi), df))
    return v.select(low, series, fraction)


def _usual(v: Vector, a: Any, x: Any) -> Any:
    """Whether both are positive and finite."""
    ends = v.const(0.0), v.const(float("inf"))
    return v.b.and_(*(v.b.and_(v.greater(y, ends[0]), v.less(y, ends[1])) for y in (a, x)))


def _sample_grad(v: Vector, a: Any, x: Any, precise: bool) -> Any:
    """-(dP/da) / (dP/dx), zero where x is."""
    b, zero, one = v.b, v.const(0.0), v.const(1.0)
    usual = _usual(v, a, x)
    out = v.neg(_over_density(v, v.select(usual, a, one), v.select(usual, x, one), precise))
    at_zero = b.and_(v.equal(x, zero), _usual(v, a, one))
    return v.select(usual, out, v.select(at_zero, v.neg(zero), v.const(float("nan"))))


def _igamma_grad(v: Vector, a: Any, x: Any, precise: bool) -> Any:
    """dP/da: zero where x is zero or infinite."""
    b, zero, one = v.b, v.const(0.0), v.const(1.0)
    usual = _usual(v, a, x)
    safe_a, safe_x = v.select(usual, a, one), v.select(usual, x, one)
    ratio = v.div(_over_density(v, safe_a, safe_x, precise), safe_x)
    out = v.mul(ratio, v.mul(safe_a, density_of(v, safe_a, safe_x, precise)))
    end = b.and_(b.or_(v.equal(x, zero), v.equal(x, v.const(float("inf")))), v.greater(a, zero))
    return v.select(usual, out, v.select(end, zero, v.const(float("nan"))))


def _function(name: str, write: Any) -> Any:
    def emit(v: Vector, a: Any, x: Any, precise: bool) -> Any:
        return called(v, name, write, a, x, precise=precise)

    return in_double_precision(emit)


TABLE = {
    "igamma_grad_a": _function("igamma_grad_a", _igamma_grad),
    "random_gamma_grad": _function("random_gamma_grad", _sample_grad),
}
