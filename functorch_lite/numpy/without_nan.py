"""Reductions that leave out what is NaN."""

from __future__ import annotations

import math
from typing import Any

from .. import dtypes
from ..primitives import elementwise as e
from ..promotion import as_operand, promote
from .cumulative import cumprod, cumsum
from .extremes import argmax, argmin, max, min
from .logic import as_bool, isnan, where3
from .moments import mean, var
from .operands import like
from .reductions import Axis, all, prod, sum

__all__ = [
    "nanargmax",
    "nanargmin",
    "nancumprod",
    "nancumsum",
    "nanmax",
    "nanmean",
    "nanmin",
    "nanprod",
    "nanstd",
    "nansum",
    "nanvar",
]


def _without_nan(x: Any, value: Any) -> Any:
    return where3(isnan(x), like(x, value), x) if dtypes.is_inexact(x.dtype) else x


def nansum(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
) -> Any:
    """The sum of what is not NaN; arguments as of `sum`."""
    return sum(_without_nan(as_operand(a), 0), axis, dtype, out, keepdims, initial, where)


def nanprod(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
) -> Any:
    """The product of what is not NaN; arguments as of `sum`."""
    return prod(_without_nan(as_operand(a), 1), axis, dtype, out, keepdims, initial, where)


def _nan_extreme(
    function: Any, unit: Any, a: Any, axis: Axis, out: Any, keepdims: bool, initial: Any, where: Any
) -> Any:
    x = as_operand(a)
    if not dtypes.is_floating(x.dtype):
        return function(x, axis, out, keepdims, initial, where)
    found = function(_without_nan(x, unit), axis, out, keepdims, initial, where)
    if initial is not None:
        return found
    return where3(all(isnan(x), axis, keepdims=keepdims), like(x, math.nan), found)


def nanmax(
    a: Any, axis: Axis = None, out: None = None, keepdims: bool = False, initial: Any = None, where: Any = None
) -> Any:
    """The largest element that is not NaN; NaN where all are. Arguments as of `max`."""
    return _nan_extreme(max, -math.inf, a, axis, out, keepdims, initial, where)


def nanmin(
    a: Any, axis: Axis = None, out: None = None, keepdims: bool = False, initial: Any = None, where: Any = None
) -> Any:
    """The smallest element that is not NaN; NaN where all are. Arguments as of `min`."""
    return _nan_extreme(min, math.inf, a, axis, out, keepdims, initial, where)


def _nan_arg(function: Any, unit: float, a: Any, axis: int | None, out: Any, keepdims: bool | None) -> Any:
    x = as_operand(a)
    if not dtypes.is_floating(x.dtype):
        return function(x, axis, out, keepdims)
    found = function(_without_nan(x, unit), axis, out, keepdims)
    return where3(all(isnan(x), axis, keepdims=bool(keepdims)), like(found, -1), found)


def nanargmax(a: Any, axis: int | None = None, out: None = None, keepdims: bool | None = None) -> Any:
    """The position of the largest element that is not NaN; -1 where all are. Arguments as of `argmax`."""
    return _nan_arg(argmax, -math.inf, a, axis, out, keepdims)


def nanargmin(a: Any, axis: int | None = None, out: None = None, keepdims: bool | None = None) -> Any:
    """The position of the smallest element that is not NaN; -1 where all are. Arguments as of `argmin`."""
    return _nan_arg(argmin, math.inf, a, axis, out, keepdims)


def _present(a: Any, where: Any) -> tuple[Any, Any]:
    """An array, and the mask of what is not NaN (and not left out)."""
    x = as_operand(a)
    there = e.not_(isnan(x))
    return x, there if where is None else e.and_(*promote("where", there, as_bool(where)))


def nanmean(
    a: Any, axis: Axis = None, dtype: Any = None, out: None = None, keepdims: bool = False, where: Any = None
) -> Any:
    """The mean of what is not NaN; arguments as of `mean`."""
    x, there = _present(a, where)
    return mean(x, axis, dtype, out, keepdims, where=there)


def nanvar(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    out: None = None,
    ddof: Any = 0,
    keepdims: bool = False,
    where: Any = None,
    mean: Any = None,
) -> Any:
    """The variance of what is not NaN; arguments as of `var`."""
    x, there = _present(a, where)
    return var(where3(there, x, like(x, 0)), axis, dtype, out, ddof, keepdims, where=there, mean=mean)


def nanstd(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    out: None = None,
    ddof: Any = 0,
    keepdims: bool = False,
    where: Any = None,
    mean: Any = None,
) -> Any:
    """The standard deviation of what is not NaN; arguments as of `std`."""
    return e.sqrt(nanvar(a, axis, dtype, out, ddof, keepdims, where, mean))


def nancumsum(a: Any, axis: int | None = None, dtype: Any = None, out: None = None) -> Any:
    """`cumsum` with 0 in place of NaN."""
    return cumsum(_without_nan(as_operand(a), 0), axis, dtype, out)


def nancumprod(a: Any, axis: int | None = None, dtype: Any = None, out: None = None) -> Any:
    """`cumprod` with 1 in place of NaN."""
    return cumprod(_without_nan(as_operand(a), 1), axis, dtype, out)
