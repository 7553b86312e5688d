"""Rounding of each element."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from .. import dtypes
from ..arrays import type_of
from ..primitives import elementwise as e
from ..promotion import as_operand, cast
from .axes import integer
from .division import floor_divide, remainder
from .operands import Universal, inexact_operand, like, named, no_out, with_methods

__all__ = [
    "around",
    "modf",
    "rint",
    "round",
]


def _rounding(name: str, primitive: Any, doc: str) -> Universal:
    def function(x: Any, /) -> Any:
        x = as_operand(x)
        return x if dtypes.is_integer(x.dtype) or dtypes.is_bool(x.dtype) else primitive(x)

    return named(function, name, doc)


def _towards_zero(x: Any) -> Any:
    return e.select(e.lt(x, like(x, 0)), e.floor(x), e.ceil(x))


floor = _rounding("floor", e.floor, "The largest integer that is not above x, elementwise, in the dtype of x.")


ceil = _rounding("ceil", e.ceil, "The smallest integer that is not below x, elementwise, in the dtype of x.")


trunc = _rounding("trunc", _towards_zero, "x without what follows its point, elementwise, in the dtype of x.")


fix = trunc


__all__ += ["ceil", "fix", "floor", "trunc"]


def round(a: Any, decimals: int = 0, out: None = None) -> Any:
    """Each element rounded to `decimals` places, halves to the even neighbour.

    Args:
      a: an array.
      decimals: places after the point; negative: before it.
      out: must be None, arrays do not change.
    """
    no_out("round", out)
    x = as_operand(a)
    decimals = max(-1000, min(integer("round", "decimals", decimals), 1000))  # beyond all numbers
    if dtypes.is_complex(x.dtype):
        return e.complex_(round(e.real(x), decimals), round(e.imag(x), decimals))
    if not dtypes.is_floating(x.dtype):
        return x if decimals >= 0 or dtypes.is_bool(x.dtype) else _round_integers(x, 10**-decimals)
    if decimals == 0:
        return e.round_(x)
    wide = cast(x, dtypes.accumulator_dtype(x.dtype))
    if 10 ** builtins.abs(decimals) > float(np.finfo(wide.dtype).max):  # finer, or coarser, than all numbers
        return x if decimals > 0 else e.mul(x, like(x, 0))
    factor = like(wide, 10.0 ** builtins.abs(decimals))
    scale, back = (e.mul, e.div) if decimals > 0 else (e.div, e.mul)
    scaled = scale(wide, factor)
    rounded = e.select(e.is_finite(scaled), wide, back(e.round_(scaled), factor))
    return cast(rounded, x.dtype, type_of(x).weak)


def _round_integers(x: Any, unit: int) -> Any:
    if unit > dtypes.iinfo(x.dtype).max:
        return e.mul(x, like(x, 0))
    unit_ = like(x, unit)
    rest = remainder(x, unit_)
    below = e.sub(x, rest)
    even = e.eq(e.and_(floor_divide(below, unit_), like(x, 1)), like(x, 0))
    half = like(x, unit // 2)
    up = e.or_(e.gt(rest, half), e.and_(e.eq(rest, half), e.not_(even)))
    return e.select(up, below, e.add(below, unit_))


around = round


@with_methods
def rint(x: Any, /) -> Any:
    """Each element rounded to the nearest integer, halves to the even one; integers become floats."""
    return round(inexact_operand(x))


@with_methods
def modf(x: Any, /, out: None = None) -> tuple[Any, Any]:
    """(fractional part, integral part), both with the sign of x, elementwise."""
    no_out("modf", out)
    x = inexact_operand(x)
    whole = _towards_zero(x)
    infinite = e.eq(e.abs_(x), like(x, np.inf))
    return e.select(infinite, e.sub(x, whole), like(x, 0)), whole
