"""How Hurwitz's zeta function changes with its exponent, by Euler and Maclaurin's sum, differentiated term by term.

With a = q + n, after n terms of the sum there remain

    zeta(s, a) = a^(1-s) / (s-1) + a^-s / 2 + sum over j of B(2j) / (2j)! s (s+1) ... (s+2j-2) a^(-s-2j+1).
"""

from __future__ import annotations

from typing import Any

from .arithmetic import add, const, div, mul, neg, sub
from .transcendental import log, pow_

__all__ = ["zeta_by_exponent"]

_TERMS = 12
_BERNOULLI = (
    1 / 12,
    -1 / 720,
    1 / 30240,
    -1 / 1209600,
    1 / 47900160,
    -691 / 1307674368000,
    1 / 74724249600,
    -3617 / 10670622842880000,
)
"""B(2j) / (2j)!"""


def zeta_by_exponent(s: Any, q: Any) -> Any:
    """D zeta(s, q) / ds for s above 1 and positive q."""
    total = mul(log(q), pow_(q, neg(s)))
    for k in range(1, _TERMS):
        x = add(q, const(q, k))
        total = add(total, mul(log(x), pow_(x, neg(s))))
    a = add(q, const(q, _TERMS))
    log_a, power = log(a), pow_(a, neg(s))
    above = sub(s, const(s, 1))
    integral = mul(div(a, above), add(log_a, div(const(s, 1), above)))
    total = add(total, mul(power, add(integral, mul(log_a, const(a, 0.5)))))
    factor, slope = mul(div(s, a), power), sub(log_a, div(const(s, 1), s))  # slope: minus the factor's own, by itself
    for j, weight in enumerate(_BERNOULLI, 1):
        total = add(total, mul(const(s, weight), mul(factor, slope)))
        for i in (2 * j - 1, 2 * j):
            step = add(s, const(s, i))
            factor, slope = mul(factor, div(step, a)), sub(slope, div(const(s, 1), step))
    return neg(total)
