"""Weighted averages, covariances, quantiles: statistics beyond the mean and the variance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..arrays import type_of
from ..direct import inexact
from ..errors import ArgumentError, ShapeError, UnsupportedError
from ..primitives import elementwise as e
from ..primitives.sorting import sort as sort_p
from ..primitives.structural import broadcast_in_dim, broadcast_to, expand_dims, reshape
from ..promotion import as_operand, cast, promote
from .arithmetic import true_divide
from .axes import axes_of
from .contraction import matmul
from .creation import filled
from .diagonals import diagonal
from .extremes import flattened
from .joining import concatenate
from .logic import isnan, where3
from .moments import mean
from .operands import like, no_out
from .parts import conj, real
from .placing import take_along_axis
from .reductions import any, sum
from .shaping import moveaxis
from .shaping import reshape as reshape_to

__all__ = [
    "average",
    "corrcoef",
    "cov",
    "median",
    "nanmedian",
    "nanpercentile",
    "nanquantile",
    "percentile",
    "quantile",
]

Axis = int | Sequence[int] | None


def average(a: Any, axis: Axis = None, weights: Any = None, returned: bool = False, keepdims: bool = False) -> Any:
    """The weighted mean: sum(a weights) / sum(weights).

    Args:
      a: an array.
      axis: along which axis or axes; None: all.
      weights: of the shape of `a`, or one for each element along the axis; None: all are equal.
      returned: whether to give (average, sum of weights).
      keepdims: whether to leave the axes in, with length 1.
    """
    x = as_operand(a)
    axes = axes_of("average", axis, x.ndim)
    if weights is None:
        out = mean(x, axes, keepdims=keepdims)
        total = filled(math.prod(x.shape[i] for i in axes), tuple(out.shape), out.dtype)
    else:
        x, w = inexact(x, as_operand(weights))
        if w.shape != x.shape:
            if axis is None or tuple(x.shape[i] for i in axes) != tuple(w.shape):
                raise ShapeError(
                    f"average of {type_of(x)}: weights {type_of(w)} need its shape, or its length along the axis."
                )
            w = (
                broadcast_in_dim(w, shape=x.shape, dims=axes)
                if list(axes) == sorted(axes)
                else moveaxis(
                    broadcast_to(w, (*(n for i, n in enumerate(x.shape) if i not in axes), *w.shape)),
                    tuple(range(-len(axes), 0)),
                    axes,
                )
            )
        total = sum(w, axes, keepdims=keepdims)
        out = e.div(sum(e.mul(x, w), axes, keepdims=keepdims), total)
    return (out, total) if returned else out


def cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: Any = None,
    aweights: Any = None,
    dtype: Any = None,
) -> Any:
    """The matrix of covariances of variables.

    Args:
      m: observations: float[variables, observations], or of one variable.
      y: further variables.
      rowvar: whether rows are variables; else columns are.
      bias: whether to divide by the count, not by the count less 1.
      ddof: what to take off the count; overrides `bias`.
      fweights: how often each observation was made.
      aweights: how much each observation counts.
      dtype: the dtype of the result, floating or complex.
    """
    if dtype is not None and not dtypes.is_inexact(dtypes.as_dtype(dtype)):
        raise ArgumentError(f"cov: dtype must be floating or complex, got {dtypes.as_dtype(dtype)}.")
    x = inexact(as_operand(m))[0] if dtype is None else cast(as_operand(m), dtypes.as_dtype(dtype))
    if x.ndim > 2:
        raise ShapeError(f"cov needs at most 2 axes, got {type_of(x)}.")

    def rows(v: Any) -> Any:
        if v.ndim < 2:
            return reshape(v, shape=(1, v.size))
        return v if rowvar else moveaxis(v, 0, 1)

    x = rows(x)
    if y is not None:
        x = concatenate([x, rows(as_operand(y))], 0)
    ddof = (0 if bias else 1) if ddof is None else ddof
    w = None
    for given in (fweights, aweights):
        if given is not None:
            g = cast(as_operand(given), dtypes.real_dtype(x.dtype))
            w = g if w is None else e.mul(w, g)
    if w is None:
        centre, norm = mean(x, 1, keepdims=True), like(x, x.shape[1] - ddof)
        weighted = centred = e.sub(*promote("cov", x, centre))
    else:
        wx = cast(w, x.dtype)
        centred = e.sub(*promote("cov", x, average(x, 1, broadcast_to(wx, x.shape), keepdims=True)))
        weighted = e.mul(centred, broadcast_to(wx, x.shape))
        total = sum(wx)
        taken = (
            like(x, ddof)
            if aweights is None
            else e.div(e.mul(like(x, ddof), sum(e.mul(wx, cast(as_operand(aweights), x.dtype)))), total)
        )
        norm = e.sub(total, taken)
    norm = e.max_(norm, like(norm, 0)) if not dtypes.is_complex(x.dtype) else norm
    out = true_divide(matmul(weighted, conj(moveaxis(centred, 0, 1))), norm)
    return reshape_to(out, ()) if out.shape == (1, 1) else out


def corrcoef(x: Any, y: Any = None, rowvar: bool = True, dtype: Any = None) -> Any:
    """The matrix of correlation coefficients: covariances divided by the standard deviations. Arguments as of `cov`."""
    c = cov(x, y, rowvar, dtype=dtype)
    if not c.ndim:
        return e.div(c, c)
    deviations = e.sqrt(real(diagonal(c)))
    c = true_divide(true_divide(c, expand_dims(deviations, 1)), expand_dims(deviations, 0))
    one = dtypes.real_dtype(c.dtype).type(1)
    clipped = e.min_(e.max_(real(c), -one), one)
    return e.complex_(clipped, e.imag(c)) if dtypes.is_complex(c.dtype) else clipped


# Quantiles.


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
      method: between two elements: "linear", "lower", "higher", "midpoint" or "nearest".
      keepdims: whether to leave the axes in, with length 1.
      weights: not supported.
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
    if weights is not None:
        raise UnsupportedError(f"{name} with weights is not there yet.")
    if method not in ("linear", "lower", "higher", "midpoint", "nearest"):
        raise ArgumentError(f"{name}: method {method!r} must be 'linear', 'lower', 'higher', 'midpoint' or 'nearest'.")
    (x,), (shares,) = inexact(as_operand(a)), inexact(as_operand(q))
    if shares.ndim > 1:
        raise ShapeError(f"{name}: q must be a number or a vector, got {type_of(shares)}.")
    axes = axes_of(name, axis, x.ndim)
    x = cast(x, x.dtype, False)
    lines, kept = flattened(x, axes)
    n = lines.shape[-1]
    (ordered,) = sort_p(lines, dimension=lines.ndim - 1, is_stable=True, num_keys=1)
    nans = isnan(lines)
    within = dtypes.accumulator_dtype(x.dtype)
    count = sum(e.not_(nans), -1, within, keepdims=True) if skip_nan else filled(n, (*kept, 1), within)
    spread = shares.shape or (1,)
    wanted = broadcast_to(cast(reshape(shares, shape=spread), within), (*kept, *spread))
    last = e.sub(count, like(count, 1))
    places = e.mul(wanted, broadcast_to(last, wanted.shape))
    low, high = e.floor(places), e.ceil(places)
    weight = cast(e.sub(places, low), x.dtype)
    below, above = (_picked(ordered, v) for v in (low, high))
    found = _between(method, below, above, weight, places, ordered)
    broken = e.le(count, like(count, 0)) if skip_nan else any(nans, -1, keepdims=True)
    found = where3(broken, like(found, math.nan), found)
    found = moveaxis(found, -1, 0)
    found = found if shares.ndim else found[0]
    return expand_dims(found, *(i + shares.ndim for i in axes)) if keepdims and axes else found


def _picked(ordered: Any, places: Any) -> Any:
    return take_along_axis(ordered, cast(e.max_(places, like(places, 0)), np.dtype(np.int32)), -1, mode="clip")


def _between(method: str, below: Any, above: Any, weight: Any, places: Any, ordered: Any) -> Any:
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
