"""Division with a rest: remainders, floor division, common divisors; elementwise."""

from __future__ import annotations

from typing import Any

from .. import dtypes
from ..arrays import type_of
from ..control.loops import while_loop
from ..errors import DTypeError
from ..primitives import elementwise as e
from ..promotion import promote
from .arithmetic import abs
from .operands import anywhere, in_32_bits, like, numbers, of_one_shape, with_methods

__all__ = [
    "divmod",
    "floor_divide",
    "fmod",
    "gcd",
    "lcm",
    "mod",
    "remainder",
]


def _opposite(a: Any, b: Any) -> Any:
    """Whether exactly one of two numbers is negative."""
    return e.ne(e.lt(a, like(a, 0)), e.lt(b, like(b, 0)))


@with_methods
def remainder(x1: Any, x2: Any, /) -> Any:
    """x1 - x2 floor(x1 / x2), elementwise: with the sign of x2, as Python's `%`."""
    x, y = numbers("remainder", x1, x2)
    rest = _rest(x, y)
    wrong = e.and_(e.ne(rest, like(rest, 0)), _opposite(rest, y))
    return e.select(wrong, rest, e.add(rest, y))


mod = remainder


@with_methods
def fmod(x1: Any, x2: Any, /) -> Any:
    """x1 - x2 trunc(x1 / x2), elementwise: with the sign of x1, as C's `fmod`."""
    return _rest(*numbers("fmod", x1, x2))


def _rest(x: Any, y: Any) -> Any:
    """The rest of division towards zero; of integers by zero it is 0."""
    if dtypes.is_integer(y.dtype):
        y = e.select(e.eq(y, like(y, 0)), y, like(y, 1))
    return e.rem(x, y)


@with_methods
def floor_divide(x1: Any, x2: Any, /) -> Any:
    """floor(x1 / x2), elementwise, as Python's `//`."""
    x, y = numbers("floor_divide", x1, x2)
    if dtypes.is_unsigned(x.dtype):
        return e.div(x, y)
    if dtypes.is_integer(x.dtype):
        quotient, rest = e.div(x, y), _rest(x, y)
        below = e.and_(e.ne(rest, like(rest, 0)), _opposite(x, y))
        return e.select(below, quotient, e.sub(quotient, like(quotient, 1)))
    if dtypes.is_complex(x.dtype):
        raise DTypeError(f"floor_divide is not defined for complex numbers, got {type_of(x)}: pass real ones.")
    return in_32_bits(_float_divmod, x, y)[0]


@with_methods
def divmod(x1: Any, x2: Any, /) -> tuple[Any, Any]:
    """(floor_divide(x1, x2), remainder(x1, x2)), elementwise."""
    x, y = numbers("divmod", x1, x2)
    return in_32_bits(_float_divmod, x, y) if dtypes.is_floating(x.dtype) else (floor_divide(x, y), remainder(x, y))


def _float_divmod(x: Any, y: Any) -> tuple[Any, Any]:
    rest = e.rem(x, y)
    quotient = e.div(e.sub(x, rest), y)
    wrong = e.and_(e.ne(rest, like(rest, 0)), _opposite(rest, y))
    quotient = e.round_(e.select(wrong, quotient, e.sub(quotient, like(x, 1))))
    by_zero = e.eq(y, like(y, 0))
    return e.select(by_zero, quotient, e.div(x, y)), e.select(wrong, rest, e.add(rest, y))


def _integers(name: str, x: Any, y: Any) -> list[Any]:
    x, y = promote(name, x, y)
    if not dtypes.is_integer(x.dtype):
        raise DTypeError(f"{name} needs integers, got {type_of(x)}: cast with astype(int).")
    return [x, y]


@with_methods
def gcd(x1: Any, x2: Any) -> Any:
    """The greatest common divisor of integers, elementwise."""
    x, y = of_one_shape(*_integers("gcd", x1, x2))

    def unfinished(pair: Any) -> Any:
        return anywhere(e.ne(pair[1], like(pair[1], 0)))

    def step(pair: Any) -> Any:
        a, b = pair
        done = e.eq(b, like(b, 0))
        return e.select(done, b, a), e.select(done, e.rem(a, e.select(done, b, like(b, 1))), b)

    # Of the remainders as they come: only the size of the result counts, and that of the lowest integer is no integer.
    return abs(while_loop(unfinished, step, (x, y))[0])


@with_methods
def lcm(x1: Any, x2: Any) -> Any:
    """The least common multiple of integers, elementwise; 0 where one is 0."""
    x, y = (abs(v) for v in _integers("lcm", x1, x2))
    d = gcd(x, y)
    none = e.eq(d, like(d, 0))
    return e.mul(x, e.div(y, e.select(none, d, like(d, 1))))
