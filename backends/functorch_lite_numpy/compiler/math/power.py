"""rsqrt and pow."""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from .exponential import exp
from .logarithm import log
from .trigonometric import beyond_mask
from .vector import Vector

__all__ = ["TABLE"]


def rsqrt(b: Any, x: Any) -> Any:
    v = Vector(b, x)
    return v.div(v.const(1.0), v.sqrt(x))


def power(b: Any, x: Any, y: Any) -> Any:
    """x^y = exp(y log x): of float32 in double precision; where x is not a positive finite number, and in double precision,
    lane by lane by the system's function."""
    v = Vector(b, x)
    half = half_of(y)
    if half is not None:
        return by_roots(v, x, half)
    usual = _single(b, v, x, y) if not v.double else None
    infinity = v.const(float("inf"))
    odd = b.not_(b.and_(v.greater(x, v.const(0.0)), b.and_(v.less(x, infinity), v.less(v.abs(y), infinity))))
    return beyond_mask(b, v, "pow", odd, usual, x, y)


def _single(b: Any, v: Vector, x: Any, y: Any) -> Any:
    wide = v.shaped(ir.DoubleType())
    out = exp(b, b.fmul(b.fpext(y, wide), log(b, b.fpext(x, wide))))
    return b.fptrunc(out, v.type)


def half_of(y: Any) -> int | None:
    """Twice a known exponent, if that is a small odd number: the power is then one of a square root."""
    if not isinstance(y, ir.Constant):
        return None
    values = [c.constant for c in y.constant] if isinstance(y.type, ir.VectorType) else [y.constant]
    twice = 2 * values[0]
    if any(c != values[0] for c in values) or twice != int(twice) or int(twice) % 2 == 0 or abs(twice) > 7:
        return None
    return int(twice)


def by_roots(v: Vector, x: Any, twice: int) -> Any:
    """x^(twice / 2) = x^k sqrt(x), or one over it; IEEE's values at -0 and -inf."""
    root = v.abs(v.sqrt(x))
    root = v.select(v.equal(x, v.const(float("-inf"))), v.const(float("inf")), root)
    out = root
    for _ in range(abs(twice) // 2):
        out = v.mul(out, v.abs(x))
    return v.div(v.const(1.0), out) if twice < 0 else out


TABLE = {"pow": power, "rsqrt": rsqrt}
