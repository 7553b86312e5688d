"""Counting: how often numbers come, and how many fall between edges."""

from __future__ import annotations

import builtins
import math
from typing import Any

from .. import dtypes
from ..arrays import type_of
from ..direct import inexact
from ..errors import ConcretizationTypeError, DTypeError, ShapeError
from ..index_plan import host_value
from ..primitives import elementwise as e
from ..promotion import as_operand, cast, promote_dtypes
from .arithmetic import true_divide
from .axes import integer
from .calculus import diff
from .creation import asarray, filled
from .extremes import max as max_
from .extremes import min as min_
from .joining import stack
from .logic import where3
from .operands import like
from .ranges import linspace
from .reductions import sum as sum_
from .shaping import ravel, reshape
from .sorting import searchsorted

__all__ = [
    "bincount",
    "histogram",
    "histogram2d",
    "histogram_bin_edges",
    "histogramdd",
]


def bincount(x: Any, weights: Any = None, minlength: int = 0, *, length: int | None = None) -> Any:
    """How often each of 0, 1, 2, ... is there; or the sum of its weights.

    Args:
      x: integers; negative ones count as 0.
      weights: one for each.
      minlength: the least length of the result.
      length: the length of the result; larger numbers are left out. Needed where `x` is traced.
    """
    x = as_operand(x)
    if not dtypes.is_integer(x.dtype) and not dtypes.is_bool(x.dtype):
        raise DTypeError(f"bincount needs integers, got {type_of(x)}: cast with astype(int).")
    x = cast(ravel(x), dtypes.default_int()) if dtypes.is_bool(x.dtype) else ravel(x)
    if length is None:
        value = host_value(x)
        if value is None:
            raise ConcretizationTypeError(
                f"bincount of {type_of(x)}, whose values are not known here: give the result's `length`."
            )
        length = max(int(value.max()) + 1 if value.size else 0, integer("bincount", "minlength", minlength))
    w = filled(1, (), dtypes.default_int()) if weights is None else ravel(weights)
    counts = filled(0, (length,), w.dtype)
    return counts.at[e.max_(x, like(x, 0))].add(w, mode="drop") if length else counts


def histogram_bin_edges(a: Any, bins: Any = 10, range: Any = None, weights: Any = None) -> Any:
    """The edges of the bins that `histogram` counts in."""
    x = as_operand(a)
    if not isinstance(bins, int):
        edges = asarray(bins)
        if edges.ndim == 1:
            return edges
        bins = int(edges)
    x = inexact(ravel(x))[0]
    if range is None:
        low, high = (min_(x), max_(x)) if x.size else (like(x, 0), like(x, 1))
    else:
        low, high = (cast(as_operand(v), x.dtype) for v in range)
    same = e.eq(low, high)
    low, high = where3(same, e.sub(low, like(low, 0.5)), low), where3(same, e.add(high, like(high, 0.5)), high)
    return linspace(low, high, bins + 1, dtype=x.dtype)


def _bins(x: Any, edges: Any) -> tuple[Any, Any]:
    """The bin that each value falls into, and whether there is one."""
    x, edges = promote_dtypes(x, edges)
    n = edges.shape[0] - 1
    place = searchsorted(edges, x, "right")
    place = where3(e.eq(x, edges[-1]), n, place)
    return place - 1, e.and_(e.ge(place, like(place, 1)), e.le(place, like(place, n)))


def histogram(
    a: Any, bins: Any = 10, range: Any = None, weights: Any = None, density: bool | None = None
) -> tuple[Any, Any]:
    """How many values fall into each bin.

    Args:
      a: values.
      bins: how many, of equal width; or their edges.
      range: (lowest, highest) edge; by default the least and the largest value.
      weights: what each value counts.
      density: whether to scale so that the integral is 1.

    Returns:
      (counts as floats, edges). The last bin holds both its edges.
    """
    x = inexact(ravel(a))[0]
    edges = histogram_bin_edges(a, bins, range, weights)
    x, edges_ = promote_dtypes(x, edges)
    n = edges_.shape[0] - 1
    w = filled(1, tuple(x.shape), x.dtype) if weights is None else ravel(weights)
    place, inside = _bins(x, edges_)
    counts = bincount(where3(inside, place, n), where3(inside, w, w * 0), length=n + 1)[:n]
    if density:
        counts = true_divide(counts, diff(edges_)) / sum_(counts)
    return counts, edges


def histogramdd(
    sample: Any, bins: Any = 10, range: Any = None, weights: Any = None, density: bool | None = None
) -> tuple[Any, list[Any]]:
    """How many points fall into each cell of a grid.

    Args:
      sample: points, [n, d]; or a list of d vectors.
      bins: how many along every axis; or for each axis that number, or the edges.
      range: for each axis (lowest, highest) edge or None; None: the least and the largest values.
      weights: what each point counts.
      density: whether to scale so that the integral is 1.

    Returns:
      (counts as floats, the edges along each axis). The last cells hold both their edges.
    """
    points = stack(sample, -1) if isinstance(sample, (tuple, list)) else as_operand(sample)
    if points.ndim != 2:
        raise ShapeError(f"histogramdd needs points [n, d], got {type_of(points)}.")
    (points,) = inexact(points)
    n, d = points.shape
    each = [bins] * d if isinstance(bins, int) else list(bins)
    if len(each) != d or (range is not None and len(range) != d):
        raise ShapeError(f"histogramdd of points with {d} coordinates needs bins and ranges for each of them.")
    edges = [histogram_bin_edges(points[:, i], b, None if range is None else range[i]) for i, b in enumerate(each)]
    cell, there = filled(0, (n,), dtypes.default_int()), filled(True, (n,), dtypes.bool_)
    for i, line in enumerate(edges):
        place, inside = _bins(points[:, i], line)
        cell, there = cell * (line.shape[0] - 1) + place, e.and_(there, inside)
    w = filled(1, (n,), points.dtype) if weights is None else ravel(weights)
    shape = tuple(line.shape[0] - 1 for line in edges)
    size = math.prod(shape)
    counts = reshape(bincount(where3(there, cell, size), where3(there, w, w * 0), length=size + 1)[:size], shape)
    if density:
        counts = counts / sum_(counts)
        for i, line in enumerate(edges):
            counts = counts / reshape(diff(line), tuple(-1 if k == i else 1 for k in builtins.range(d)))
    return counts, edges


def histogram2d(
    x: Any, y: Any, bins: Any = 10, range: Any = None, weights: Any = None, density: bool | None = None
) -> tuple[Any, Any, Any]:
    """How many points (x, y) fall into each cell of a grid; arguments as of `histogramdd`.

    Args:
      x, y: vectors of coordinates.
      bins: how many along both axes, or the edges for both; or for each axis one of these.
      range, weights, density: as of `histogramdd`.

    Returns:
      (counts, edges along x, edges along y).
    """
    if not isinstance(bins, int) and len(bins) not in (1, 2):
        bins = [asarray(bins)] * 2
    elif not isinstance(bins, int) and len(bins) == 1:
        bins = list(bins) * 2
    counts, (first, second) = histogramdd([ravel(x), ravel(y)], bins, range, weights, density)
    return counts, first, second
