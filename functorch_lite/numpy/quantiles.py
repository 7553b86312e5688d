"""Quantiles: what a share of the elements lies below."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import dtypes
from ..arrays import type_of
from ..direct import inexact
from ..errors import ArgumentError, ShapeError, UnsupportedError
from ..primitives import elementwise as e
from ..primitives.sorting import sort as sort_p
from ..primitives.structural import broadcast_to, expand_dims, reshape
from ..promotion import as_operand, cast
from .arithmetic import true_divide
from .axes import axes_of
from .creation import filled
from .cumulative import cumsum
from .extremes import flattened
from .logic import isnan, where3
from .operands import like, no_out
from .placing import take_along_axis
from .reductions import any, sum
from .shaping import moveaxis
from .statistics import Axis, weights_like

__all__ = ["median", "nanmedian", "nanpercentile", "nanquantile", "percentile", "quantile"]


def quantile(
    a: Any,
    q: Any,
    axis: Axis = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Any = None,
) -> Any:
    """What a share `q` of the elements lies below; NaN if one is.

    Args:
      a: an array of real numbers.
      q: shares between 0 and 1: a number, or a vector, whose axis comes first in the result.
      axis: along which axis or axes; None: all.
      out: must be None, arrays do not change.
      overwrite_input: must be False.
      method: between two elements: "linear", "lower", "higher", "midpoint" or "nearest"; "inverted_cdf": the first element
        that, with those below it, has that share of the weight.
      keepdims: whether to leave the axes in, with length 1.
      weights: how much each element counts, of the shape of `a`, or one for each along the axis; for "inverted_cdf".
    """
    return _quantile("quantile", a, q, axis, out, overwrite_input, method, keepdims, weights, skip_nan=False)


def nanquantile(
    a: Any,
    q: Any,
    axis: Axis = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Any = None,
) -> Any:
    """`quantile` of what is not NaN."""
    return _quantile("nanquantile", a, q, axis, out, overwrite_input, method, keepdims, weights, skip_nan=True)


def _hundredths(q: Any) -> Any:
    return true_divide(as_operand(q), 100)


def percentile(
    a: Any,
    q: Any,
    axis: Axis = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Any = None,
) -> Any:
    """`quantile` with `q` in hundredths."""
    return quantile(a, _hundredths(q), axis, out, overwrite_input, method, keepdims, weights=weights)


def nanpercentile(
    a: Any,
    q: Any,
    axis: Axis = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Any = None,
) -> Any:
    """`nanquantile` with `q` in hundredths."""
    return nanquantile(a, _hundredths(q), axis, out, overwrite_input, method, keepdims, weights=weights)


def median(a: Any, axis: Axis = None, out: None = None, overwrite_input: bool = False, keepdims: bool = False) -> Any:
    """The middle of the sorted elements, or the mean of the two in the middle."""
    return quantile(a, 0.5, axis, out, overwrite_input, "midpoint", keepdims)


def nanmedian(
    a: Any, axis: Axis = None, out: None = None, overwrite_input: bool = False, keepdims: bool = False
) -> Any:
    """`median` of what is not NaN."""
    return nanquantile(a, 0.5, axis, out, overwrite_input, "midpoint", keepdims)


def _quantile(
    name: str,
    a: Any,
    q: Any,
    axis: Axis,
    out: Any,
    overwrite: bool,
    method: str,
    keepdims: bool,
    weights: Any,
    skip_nan: bool,
) -> Any:
    no_out(name, out)
    if overwrite:
        raise ArgumentError(f"{name}: arrays do not change, so overwrite_input must be False.")
    if method not in (*_PLACES, "inverted_cdf"):
        raise ArgumentError(f"{name}: method {method!r} must be 'inverted_cdf', {', '.join(map(repr, _PLACES))}.")
    if weights is not None and method != "inverted_cdf":
        raise UnsupportedError(f"{name}: only the method 'inverted_cdf' knows weights, not {method!r}.")
    x, w = inexact(as_operand(a), as_operand(1.0 if weights is None else weights))
    (shares,) = inexact(as_operand(q))
    if shares.ndim > 1:
        raise ShapeError(f"{name}: q must be a number or a vector, got {type_of(shares)}.")
    axes = axes_of(name, axis, x.ndim)
    lines, kept = flattened(cast(x, x.dtype, False), axes)
    within = dtypes.accumulator_dtype(x.dtype)
    spread = shares.shape or (1,)
    wanted = broadcast_to(cast(reshape(shares, shape=spread), within), (*kept, *spread))
    nans = isnan(lines)
    if method == "inverted_cdf":
        w = broadcast_to(w, x.shape) if weights is None else weights_like(name, x, w, axis)
        w = where3(nans, 0, cast(flattened(w, axes)[0], within))
        found, total = _weighted(lines, w, wanted)
        impossible = any(e.or_(isnan(w), w < 0), -1, keepdims=True)
        broken = e.or_(impossible, e.eq(total, like(total, 0)))
    else:
        count = (
            sum(e.not_(nans), -1, within, keepdims=True) if skip_nan else filled(lines.shape[-1], (*kept, 1), within)
        )
        found = _between(method, lines, wanted, count)
        broken = e.eq(count, like(count, 0))
    broken = broken if skip_nan else e.or_(broken, any(nans, -1, keepdims=True))
    found = where3(broken, like(found, math.nan), found)
    found = moveaxis(found, -1, 0)
    found = found if shares.ndim else found[0]
    return expand_dims(found, *(i + shares.ndim for i in axes)) if keepdims and axes else found


def _picked(ordered: Any, places: Any) -> Any:
    return take_along_axis(ordered, cast(e.max_(places, like(places, 0)), np.dtype(np.int32)), -1, mode="clip")


def _weighted(lines: Any, w: Any, wanted: Any) -> tuple[Any, Any]:
    """The first elements up to which there are shares of the whole weight, and that weight [..., 1]."""
    ordered, w = sort_p(lines, w, dimension=lines.ndim - 1, is_stable=True, num_keys=1)
    reached = cumsum(w, -1)
    total = reached[..., -1:] if w.shape[-1] else sum(w, -1, keepdims=True)
    reached = where3(reached > 0, reached, -1)  # elements without weight are below every share
    target = e.mul(wanted, broadcast_to(total, wanted.shape))
    return _picked(ordered, sum(expand_dims(reached, w.ndim - 1) < expand_dims(target, w.ndim), -1)), total


_PLACES = ("linear", "lower", "higher", "midpoint", "nearest")


def _between(method: str, lines: Any, wanted: Any, count: Any) -> Any:
    """What lies at shares of the way through the first `count` elements in order."""
    (ordered,) = sort_p(lines, dimension=lines.ndim - 1, is_stable=True, num_keys=1)
    last = e.sub(count, like(count, 1))
    places = e.mul(wanted, broadcast_to(last, wanted.shape))
    low, high = e.floor(places), e.ceil(places)
    weight = cast(e.sub(places, low), lines.dtype)
    below, above = (_picked(ordered, v) for v in (low, high))
    if method == "lower":
        return below
    if method == "higher":
        return above
    if method == "nearest":
        return _picked(ordered, e.round_(places))
    half = like(below, 0.5)
    if method == "midpoint":
        weight = e.select(e.gt(weight, like(weight, 0)), weight, half)
    exact = e.eq(weight, like(weight, 0))  # so that an infinity above has no part in it
    mixed = e.add(e.mul(below, e.sub(like(weight, 1), weight)), e.mul(above, weight))
    return e.select(exact, mixed, below)
