"""Means, variances and standard deviations along axes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import dtypes
from ..dtype_lattice import promote_types
from ..errors import ArgumentError
from ..primitives import elementwise as e
from ..primitives.structural import broadcast_to, reshape
from ..promotion import as_operand, cast, promote
from .arithmetic import true_divide
from .axes import axes_of
from .logic import as_bool, where3
from .operands import like, no_out
from .parts import conj, real
from .reductions import Axis, sum

__all__ = [
    "mean",
    "std",
    "var",
]


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
    within = dtypes.accumulator_dtype(promote_types(dtypes.to_inexact(x.dtype), target))
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
