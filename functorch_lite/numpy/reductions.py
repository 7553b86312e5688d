"""Sums, products, extremes, averages, variances, quantiles and running sums: along an axis, several, or all.

Sums of booleans and small integers have the default integer dtype (uint32 for unsigned ones), as JAX has it; means and what is
made of them are floating. 16-bit floats are summed up in float32.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..arrays import type_of
from ..errors import ArgumentError
from ..primitives import elementwise as e
from ..primitives import reduction
from ..primitives.sorting import sort as sort_p
from ..primitives.structural import broadcast_to, expand_dims, reduce_sum, reshape
from ..promotion import as_operand, cast, promote
from .axes import axes_of, axis_of
from .creation import filled
from .elementwise import conj, like, no_out, real, true_divide
from .logic import as_bool, isnan, where3
from .manipulation import concatenate, moveaxis, ravel

__all__ = [
    "all",
    "amax",
    "amin",
    "any",
    "argmax",
    "argmin",
    "count_nonzero",
    "cumprod",
    "cumsum",
    "cumulative_prod",
    "cumulative_sum",
    "max",
    "mean",
    "min",
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
    "prod",
    "ptp",
    "std",
    "sum",
    "var",
]

Axis = int | Sequence[int] | None


def _keep(out: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    return expand_dims(out, *axes) if keepdims and axes else out


def _masked(x: Any, where: Any, value: Any) -> Any:
    """`x` with `value` where `where` does not hold."""
    return x if where is None else where3(where, x, like(x, value))


def _strong(x: Any) -> Any:
    return cast(x, x.dtype, False)


# Sums and products.


def _summed_dtype(dtype: np.dtype, promote_integers: bool) -> np.dtype:
    """The dtype of a sum: small integers and booleans become the default integer."""
    if dtypes.is_bool(dtype):
        return dtypes.default_int()
    wide = dtypes.default_int()
    if promote_integers and dtypes.is_integer(dtype) and dtype.itemsize < wide.itemsize:
        return np.dtype(f"uint{8 * wide.itemsize}") if dtypes.is_unsigned(dtype) else wide
    return dtype


def _fold(
    name: str,
    primitive: Callable[..., Any],
    combine: Callable[..., Any],
    unit: Any,
    a: Any,
    axis: Axis,
    dtype: Any,
    keepdims: bool,
    initial: Any,
    where: Any,
    promote_integers: bool,
) -> Any:
    """A sum or a product."""
    x = as_operand(a)
    if (
        dtype is None and initial is None and where is None and x.dtype.kind in "fc" and not x.weak_type
    ):  # the usual case, quickly
        axes = tuple(range(x.ndim)) if axis is None else axes_of(name, axis, x.ndim)
        return _keep(primitive(x, axes=axes) if axes else x, axes, keepdims)
    target = dtypes.as_dtype(dtype) if dtype is not None else _summed_dtype(x.dtype, promote_integers)
    if dtypes.is_bool(target):
        return _keep_bool(name, x, axis, keepdims, initial, where)
    axes = axes_of(name, axis, x.ndim)
    wide = dtypes.accumulator_dtype(target) if dtype is not None and x.dtype != target else target
    x = _masked(cast(x, wide, False), where, unit)
    out = primitive(x, axes=axes) if axes else x
    if initial is not None:
        out = combine(out, cast(as_operand(initial), wide, False))
    return _keep(cast(out, target, False), axes, keepdims)


def _keep_bool(name: str, x: Any, axis: Axis, keepdims: bool, initial: Any, where: Any) -> Any:
    if name == "sum":
        out = any(x, axis, keepdims=keepdims, where=where)
        return out if initial is None else e.or_(out, as_bool(initial))
    out = all(x, axis, keepdims=keepdims, where=where)
    return out if initial is None else e.and_(out, as_bool(initial))


def sum(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
    promote_integers: bool = True,
) -> Any:
    """The sum of elements.

    Args:
      a: an array.
      axis: along which axis or axes; None: all.
      dtype: the dtype in which to add up, and of the result. By default that of `a`, but int32 for booleans and small integers.
      out: must be None, arrays do not change.
      keepdims: whether to leave the axes in, with length 1.
      initial: a number to start from.
      where: a mask; elements where it is false are left out.
      promote_integers: whether small integers become int32.

    >>> sum(np.ones((2, 3), np.float32), axis=0)
    Array([2., 2., 2.], dtype=float32)
    """
    no_out("sum", out)
    return _fold("sum", reduce_sum, e.add, 0, a, axis, dtype, keepdims, initial, where, promote_integers)


def prod(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
    promote_integers: bool = True,
) -> Any:
    """The product of elements; arguments as of `sum`."""
    no_out("prod", out)
    return _fold("prod", reduction.reduce_prod, e.mul, 1, a, axis, dtype, keepdims, initial, where, promote_integers)


def count_nonzero(a: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """How many elements are not zero."""
    return sum(as_bool(a), axis, dtypes.default_int(), keepdims=keepdims)


def _logical(name: str, primitive: Any, unit: bool, a: Any, axis: Axis, keepdims: bool, where: Any) -> Any:
    x = _masked(as_bool(a), where, unit)
    axes = axes_of(name, axis, x.ndim)
    return _keep(primitive(x, axes=axes) if axes else x, axes, keepdims)


def all(a: Any, axis: Axis = None, out: None = None, keepdims: bool = False, *, where: Any = None) -> Any:
    """Whether all elements are true (not zero); arguments as of `sum`."""
    no_out("all", out)
    return _logical("all", reduction.reduce_and, True, a, axis, keepdims, where)


def any(a: Any, axis: Axis = None, out: None = None, keepdims: bool = False, *, where: Any = None) -> Any:
    """Whether some element is true (not zero); arguments as of `sum`."""
    no_out("any", out)
    return _logical("any", reduction.reduce_or, False, a, axis, keepdims, where)


# Extremes.


def _lowest(dtype: np.dtype) -> Any:
    if dtypes.is_bool(dtype):
        return False
    if dtypes.is_complex(dtype):
        return complex(-math.inf, -math.inf)
    return -math.inf if dtypes.is_floating(dtype) else dtypes.iinfo(dtype).min


def _highest(dtype: np.dtype) -> Any:
    if dtypes.is_bool(dtype):
        return True
    if dtypes.is_complex(dtype):
        return complex(math.inf, math.inf)
    return math.inf if dtypes.is_floating(dtype) else dtypes.iinfo(dtype).max


def _extreme(
    name: str,
    primitive: Any,
    combine: Any,
    unit: Callable[[np.dtype], Any],
    a: Any,
    axis: Axis,
    keepdims: bool,
    initial: Any,
    where: Any,
) -> Any:
    x = _strong(as_operand(a))
    axes = axes_of(name, axis, x.ndim)
    if where is not None and initial is None:
        raise ArgumentError(f"{name} with a mask `where` needs `initial`, which counts where nothing is left.")
    empty = [i for i in axes if x.shape[i] == 0]
    if empty and initial is None:
        raise ArgumentError(
            f"{name} of {type_of(x)} along axis {empty[0]} of length 0: there is nothing; give `initial`."
        )
    if where is not None:
        x = _masked(x, where, unit(x.dtype))
    if dtypes.is_complex(x.dtype) and not empty:
        out = _complex_extreme(name, x, axes)
    elif empty:
        out = filled(unit(x.dtype), tuple(n for i, n in enumerate(x.shape) if i not in axes), x.dtype)
    else:
        out = primitive(x, axes=axes) if axes else x
    if initial is not None:
        out = combine(*promote(name, out, cast(as_operand(initial), x.dtype)))
    return _keep(out, axes, keepdims)


def _complex_extreme(name: str, x: Any, axes: tuple[int, ...]) -> Any:
    """By real parts, then imaginary ones: the last, or first, of a sorted line; NaN, if there is one."""
    x, _ = flattened(x, axes)
    nan, ordered = sort_p(isnan(x), x, dimension=x.ndim - 1, is_stable=True, num_keys=2)
    last = ordered[..., -1]
    return last if name == "max" else where3(nan[..., -1], last, ordered[..., 0])


def flattened(x: Any, axes: tuple[int, ...]) -> tuple[Any, tuple[Any, ...]]:
    """`x` with the axes joined to one, the last; and the lengths of the others."""
    kept = tuple(n for i, n in enumerate(x.shape) if i not in axes)
    x = moveaxis(x, axes, tuple(range(x.ndim - len(axes), x.ndim)))
    return reshape(x, shape=(*kept, math.prod(x.shape[len(kept) :]))), kept


def max(
    a: Any, axis: Axis = None, out: None = None, keepdims: bool = False, initial: Any = None, where: Any = None
) -> Any:
    """The largest element; NaN if there is one. Arguments as of `sum`; `where` needs `initial`."""
    no_out("max", out)
    return _extreme("max", reduction.reduce_max, e.max_, _lowest, a, axis, keepdims, initial, where)


def min(
    a: Any, axis: Axis = None, out: None = None, keepdims: bool = False, initial: Any = None, where: Any = None
) -> Any:
    """The smallest element; NaN if there is one. Arguments as of `sum`; `where` needs `initial`."""
    no_out("min", out)
    return _extreme("min", reduction.reduce_min, e.min_, _highest, a, axis, keepdims, initial, where)


amax, amin = max, min


def ptp(a: Any, axis: Axis = None, out: None = None, keepdims: bool = False) -> Any:
    """The largest element less the smallest."""
    no_out("ptp", out)
    return e.sub(max(a, axis, keepdims=keepdims), min(a, axis, keepdims=keepdims))


def _arg(name: str, primitive: Any, a: Any, axis: int | None, out: Any, keepdims: bool | None) -> Any:
    no_out(name, out)
    x = as_operand(a)
    rank = x.ndim
    if axis is None:
        x, place = ravel(x), 0
    else:
        place = axis_of(name, axis, rank)
    if not x.size and x.shape[place] == 0:
        raise ArgumentError(f"{name} of {type_of(x)}: there is nothing along an axis of length 0.")
    found = primitive(x, axis=place, index_dtype=dtypes.default_int())
    if not keepdims:
        return found
    return reshape(found, shape=(1,) * rank) if axis is None else expand_dims(found, place)


def argmax(a: Any, axis: int | None = None, out: None = None, keepdims: bool | None = None) -> Any:
    """The position of the largest element: the first, where there are several.

    Args:
      a: an array of real numbers; NaN counts as largest.
      axis: along which; None: of the flattened array.
      out: must be None, arrays do not change.
      keepdims: whether to leave the axis in, with length 1.
    """
    return _arg("argmax", reduction.argmax, a, axis, out, keepdims)


def argmin(a: Any, axis: int | None = None, out: None = None, keepdims: bool | None = None) -> Any:
    """The position of the smallest element; as `argmax`."""
    return _arg("argmin", reduction.argmin, a, axis, out, keepdims)


# Means and variances.


def _count(x: Any, axes: tuple[int, ...], where: Any, dtype: np.dtype) -> Any:
    """How many elements a mean is over: a constant, or an array where there is a mask."""
    if where is None:
        return dtype.type(math.prod(x.shape[i] for i in axes))
    return sum(broadcast_to(as_bool(where), x.shape), axes, dtype, keepdims=True)


def _floating_dtype(x: Any, dtype: Any) -> tuple[np.dtype, np.dtype]:
    """The dtype of a mean, and the one to compute it in."""
    target = dtypes.as_dtype(dtype) if dtype is not None else dtypes.to_inexact(x.dtype)
    return target, dtypes.accumulator_dtype(target)


def mean(
    a: Any, axis: Axis = None, dtype: Any = None, out: None = None, keepdims: bool = False, *, where: Any = None
) -> Any:
    """The mean of elements, sum / count; integers become floats. Arguments as of `sum`.

    >>> mean(np.arange(4, dtype=np.int32))
    Array(1.5, dtype=float32)
    """
    no_out("mean", out)
    x = as_operand(a)
    axes = axes_of("mean", axis, x.ndim)
    target, wide = _floating_dtype(x, dtype)
    total = sum(x, axes, wide, keepdims=keepdims, where=where)
    if where is None:
        count = _count(x, axes, None, wide if not dtypes.is_integer(wide) else dtypes.default_float())
        return cast(true_divide(total, count), target, False)
    count = _count(x, axes, where, wide)
    return cast(e.div(total, count if keepdims else reshape(count, shape=total.shape)), target, False)


def var(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    out: None = None,
    ddof: Any = 0,
    keepdims: bool = False,
    *,
    where: Any = None,
    mean: Any = None,
    correction: Any = None,
) -> Any:
    """The variance: the mean of |x - mean(x)|^2.

    Args:
      a: an array.
      axis: along which axis or axes; None: all.
      dtype: the dtype of the result.
      out: must be None, arrays do not change.
      ddof: the sum is divided by count - ddof.
      keepdims: whether to leave the axes in, with length 1.
      where: a mask; elements where it is false are left out.
      mean: the mean, if known, as `mean(a, axis, keepdims=True)` gives it.
      correction: another name of `ddof`.
    """
    no_out("var", out)
    if correction is not None:
        if ddof != 0:
            raise ArgumentError("var: ddof and correction are two names for one thing; give one.")
        ddof = correction
    x = as_operand(a)
    axes = axes_of("var", axis, x.ndim)
    target = dtypes.real_dtype(dtypes.to_inexact(x.dtype)) if dtype is None else dtypes.as_dtype(dtype)
    within = dtypes.accumulator_dtype(dtypes.promote_types(dtypes.to_inexact(x.dtype), target))
    x = cast(x, within, False)
    centre = _mean(x, axes, keepdims=True, where=where) if mean is None else mean
    centred = e.sub(*promote("var", x, centre))
    squares = real(e.mul(centred, conj(centred))) if dtypes.is_complex(within) else e.square(centred)
    total = sum(squares, axes, keepdims=True, where=where)
    count = _count(x, axes, where, total.dtype)
    rest = e.sub(count, like(total, ddof)) if where is not None else like(total, float(count) - ddof)
    out_ = _variance(total, rest)
    return cast(
        out_ if keepdims else reshape(out_, shape=tuple(n for i, n in enumerate(x.shape) if i not in axes)),
        target,
        False,
    )


def _variance(total: Any, count: Any) -> Any:
    """Total / count, NaN where there is nothing to divide by."""
    if isinstance(count, np.generic):
        return e.div(total, count) if float(count) > 0 else e.mul(total, like(total, math.nan))
    return where3(e.gt(count, like(count, 0)), e.div(total, count), like(total, math.nan))


_mean = mean


def std(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    out: None = None,
    ddof: Any = 0,
    keepdims: bool = False,
    *,
    where: Any = None,
    mean: Any = None,
    correction: Any = None,
) -> Any:
    """The standard deviation: the square root of `var`, with its arguments."""
    return e.sqrt(var(a, axis, dtype, out, ddof, keepdims, where=where, mean=mean, correction=correction))


# Leaving out NaN.


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


# Running sums.


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
        wide = dtypes.default_int()
        return as_bool(primitive(cast(x, wide, False), axis=axis, reverse=False))
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


def nancumsum(a: Any, axis: int | None = None, dtype: Any = None, out: None = None) -> Any:
    """`cumsum` with 0 in place of NaN."""
    return cumsum(_without_nan(as_operand(a), 0), axis, dtype, out)


def nancumprod(a: Any, axis: int | None = None, dtype: Any = None, out: None = None) -> Any:
    """`cumprod` with 1 in place of NaN."""
    return cumprod(_without_nan(as_operand(a), 1), axis, dtype, out)


def _cumulative(
    name: str, function: Any, unit: int, x: Any, axis: int | None, dtype: Any, include_initial: bool
) -> Any:
    x = as_operand(x)
    if axis is None:
        if x.ndim > 1:
            raise ArgumentError(f"{name} of {type_of(x)}: give the axis, as there are several.")
        axis = 0
    x = x if x.ndim else reshape(x, shape=(1,))
    out = function(x, axis, dtype or _summed_dtype(x.dtype, True))
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
