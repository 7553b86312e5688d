"""Running sums and products along an axis."""

from __future__ import annotations

from typing import Any

from .. import dtypes
from ..arrays import type_of
from ..errors import ArgumentError
from ..primitives import reduction
from ..promotion import as_operand, cast
from .axes import axis_of
from .creation import filled
from .joining import concatenate
from .logic import as_bool
from .operands import no_out
from .reductions import summed_dtype
from .shaping import ravel

__all__ = [
    "cumprod",
    "cumsum",
    "cumulative_prod",
    "cumulative_sum",
]


def _running(name: str, primitive: Any, a: Any, axis: int | None, dtype: Any, out: Any) -> Any:
    no_out(name, out)
    x = as_operand(a)
    if axis is None:
        x, axis = ravel(x), 0
    axis = axis_of(name, axis, x.ndim)
    target = (
        dtypes.as_dtype(dtype) if dtype is not None else dtypes.default_int() if dtypes.is_bool(x.dtype) else x.dtype
    )
    wide = dtypes.accumulator_dtype(target) if x.dtype != target else target
    if dtypes.is_bool(target):
        return as_bool(primitive(cast(as_bool(x), dtypes.default_int(), False), axis=axis, reverse=False))
    return cast(primitive(cast(x, wide, False), axis=axis, reverse=False), target, False)


def cumsum(a: Any, axis: int | None = None, dtype: Any = None, out: None = None) -> Any:
    """The sums of the first 1, 2, 3, ... elements.

    Args:
      a: an array.
      axis: along which; None: of the flattened array.
      dtype: the dtype in which to add up, and of the result.
      out: must be None, arrays do not change.
    """
    return _running("cumsum", reduction.cumsum, a, axis, dtype, out)


def cumprod(a: Any, axis: int | None = None, dtype: Any = None, out: None = None) -> Any:
    """The products of the first 1, 2, 3, ... elements; arguments as of `cumsum`."""
    return _running("cumprod", reduction.cumprod, a, axis, dtype, out)


def _cumulative(
    name: str, function: Any, unit: int, x: Any, axis: int | None, dtype: Any, include_initial: bool
) -> Any:
    x = as_operand(x)
    if not x.ndim:
        raise ArgumentError(f"{name} of {type_of(x)}: needs an axis, a number has none.")
    if axis is None:
        if x.ndim > 1:
            raise ArgumentError(f"{name} of {type_of(x)}: give the axis, as there are several.")
        axis = 0
    out = function(x, axis, dtype or summed_dtype(x.dtype, True))
    if not include_initial:
        return out
    axis = axis_of(name, axis, x.ndim)
    return concatenate(
        [filled(unit, tuple(1 if i == axis else n for i, n in enumerate(out.shape)), out.dtype), out], axis
    )


def cumulative_sum(x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False) -> Any:
    """The sums of the first 1, 2, 3, ... elements along an axis, with 0 in front if `include_initial`."""
    return _cumulative("cumulative_sum", cumsum, 0, x, axis, dtype, include_initial)


def cumulative_prod(x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False) -> Any:
    """The products of the first 1, 2, 3, ... elements along an axis, with 1 in front if `include_initial`."""
    return _cumulative("cumulative_prod", cumprod, 1, x, axis, dtype, include_initial)
