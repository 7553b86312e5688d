"""Hurwitz's zeta function, the sum of 1 / (q + k)^s over k = 0, 1, 2 ..., and the derivatives of digamma that it gives.

Ten terms one by one, the rest by Euler and Maclaurin's formula: of a = q + 10 it is

    a^(1-s) (1 / (s - 1) + h (1/2 + h s (B2/2! + h^2 (s+1) (s+2) (B4/4! + ...))))   with h = 1 / a.

Below zero, where s must be whole, (-1)^s times the sum over the other side of zero is added:

    zeta(s, q) = zeta(s, g) + (-1)^s (zeta(s, f) - zeta(s, 1 - q)),   g = q - floor(q), f = ceil(q) - q.

Of float32 it is done in double precision.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .. import ir
from ..types import I64, constant
from .branching import called, repeated, where_any
from .exponential import exp
from .gamma import digamma, in_double_precision
from .logarithm import log
from .power import power
from .vector import Vector

__all__ = ["TABLE"]

# B(2k) / (2k)!
SERIES = (
    0.08333333333333333, -0.001388888888888889, 3.306878306878307e-05, -8.267195767195768e-07,
    2.08767569878681e-08, -5.284190138687493e-10, 1.3382536530684679e-11, -3.3896802963225827e-13,
    8.586062056277845e-15, -2.174868698558062e-16, 5.509002828360229e-18, -1.3954464685812522e-19,
)  # fmt: skip
TERMS = 10
FACTORIALS = [math.factorial(n) for n in range(171)]
"""All that are finite in double precision."""
FEW = 4
"""A known exponent up to this is done by multiplications."""


def _rest(v: Vector, s: Any, a: Any) -> Any:
    """All terms from a on, over a^(1-s)."""
    one = v.const(1.0)
    h, order = v.div(one, a), v.at_most(s, 1e6)  # beyond, the first terms are all
    square = v.mul(h, h)
    series = v.const(SERIES[-1])
    for k in range(len(SERIES) - 2, -1, -1):
        factor = v.mul(v.add(order, v.const(2.0 * k + 1)), v.mul(v.add(order, v.const(2.0 * k + 2)), square))
        series = v.fma(factor, series, v.const(SERIES[k]))
    return v.fma(h, v.fma(v.mul(h, order), series, v.const(0.5)), v.div(one, v.sub(s, one)))


def _sum(v: Vector, s: Any, q: Any, precise: bool, whole: int) -> Any:
    """Of positive q and s > 1, which is `whole` unless that is 0; the least terms first: the rest, then one by one."""
    b, one, last = v.b, v.const(1.0), v.const(float(TERMS))

    def term(a: Any, k: Any, factor: Any) -> Any:
        if whole:
            below = v.select(v.equal(k, last), one, a)
            for _ in range(whole - 1):
                below = v.mul(below, a)
            return v.div(factor, below)
        exponent = v.select(v.equal(k, last), v.sub(s, one), s)
        if not precise:
            return v.mul(exp(b, v.mul(v.neg(exponent), log(b, a))), factor)
        _, lost = v.two_sum(q, k)
        return v.mul(v.mul(power(b, a, v.neg(exponent)), v.fma(exponent, v.div(v.neg(lost), a), one)), factor)

    def turn(values: Sequence[Any]) -> Sequence[Any]:
        total, low, factor, k = values
        total, lost = v.two_sum(total, term(v.add(q, k), k, factor))
        return total, v.add(low, lost), one, v.sub(k, one)

    start = [v.const(0.0), v.const(0.0), _rest(v, s, v.add(q, last)), last]
    total, low, _, _ = repeated(b, TERMS + 1, start, turn)
    return v.select(v.less(total, v.const(float("inf"))), v.add(total, low), total)


def _zeta(v: Vector, s: Any, q: Any, precise: bool) -> Any:
    b = v.b
    zero, one, infinity, nan = (v.const(c) for c in (0.0, 1.0, float("inf"), float("nan")))
    known = v.known(s)
    whole = int(known) if known is not None and known in range(2, FEW + 1) else 0

    def positive(q: Any) -> Any:
        return called(v, "zeta", _sum, order, q, precise=precise, whole=whole)

    order = v.select(v.greater(s, one), s, v.const(2.0))
    below = v.less(q, zero)
    floor = v.intrinsic("floor", q)
    first = positive(v.select(below, v.sub(q, floor), q))

    def mend() -> list[Any]:
        half = v.mul(s, v.const(0.5))
        odd = b.fcmp_unordered("!=", v.intrinsic("floor", half), half)
        near, far = positive(v.sub(v.intrinsic("ceil", q), q)), positive(v.sub(one, q))
        near, far = v.select(odd, v.neg(near), near), v.select(odd, v.neg(far), far)
        return [v.sub(v.add(first, near), far)]

    (out,) = where_any(v, below, [first], mend)
    out = v.select(v.equal(q, infinity), zero, out)
    end = v.select(v.equal(q, one), one, v.select(v.less(q, one), infinity, zero))
    out = v.select(v.equal(s, infinity), end, out)
    undefined = b.or_(b.fcmp_unordered("uno", s, q), b.and_(below, b.fcmp_unordered("!=", v.intrinsic("floor", s), s)))
    out = v.select(undefined, nan, out)
    pole = b.and_(b.not_(v.greater(q, zero)), v.equal(floor, q))
    out = v.select(b.or_(v.equal(s, one), pole), infinity, out)
    return v.select(v.less(s, one), nan, out)


def _factorial(v: Vector, n: Any) -> Any:
    """N! of natural numbers, infinity from 171 on."""
    known = v.known(n)
    if known is not None:
        return v.const(float(FACTORIALS[int(known)] if known in range(len(FACTORIALS)) else "inf"))
    return called(v, "factorial", _looked_up, n)


def _looked_up(v: Vector, n: Any) -> Any:
    b = v.b
    table = _table(b.module)
    natural = v.select(v.is_nan(n), v.const(0.0), v.clamp(n, 0.0, float(len(FACTORIALS))))
    places, _ = v.nearest(natural, 1.0)
    if v.count == 1:
        return b.load(b.gep(table, [places], source_etype=v.type), typ=v.type)
    out: Any = ir.Constant(v.type, ir.Undefined)
    for lane in (constant(I64, i) for i in range(v.count)):
        place = b.gep(table, [b.extract_element(places, lane)], source_etype=v.scalar)
        out = b.insert_element(out, b.load(place, typ=v.scalar), lane)
    return out


def _table(module: Any) -> Any:
    name = "factorials"
    if name not in module.globals:
        values = [*map(float, FACTORIALS), float("inf")]
        type = ir.ArrayType(ir.DoubleType(), len(values))
        variable: Any = ir.GlobalVariable(module, type, name)
        variable.initializer = ir.Constant(type, [ir.Constant(ir.DoubleType(), x) for x in values])
        variable.global_constant = True
        variable.linkage = "internal"
    return module.globals[name]


def _polygamma(v: Vector, n: Any, x: Any, precise: bool) -> Any:
    """(-1)^(n+1) n! zeta(n+1, x), digamma for n = 0; NaN unless n is a natural number."""
    b, zero, one, nan = v.b, v.const(0.0), v.const(1.0), v.const(float("nan"))
    natural = b.and_(v.greater(n, zero), v.equal(v.intrinsic("floor", n), n))
    known = v.known(n)
    order = v.const(known + 1) if known is not None else v.add(n, one)
    half = v.mul(n, v.const(0.5))
    even = b.and_(v.equal(v.intrinsic("floor", half), half), v.less(n, v.const(float("inf"))))
    size = v.mul(_factorial(v, n), _zeta(v, order, x, precise))
    out = v.select(natural, v.select(even, v.neg(size), size), nan)
    if known:
        return out
    return where_any(v, v.equal(n, zero), [out], lambda: [digamma(b, x)])[0]


TABLE = {"polygamma": in_double_precision(_polygamma), "zeta": in_double_precision(_zeta)}
