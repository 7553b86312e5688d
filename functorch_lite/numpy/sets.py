"""Arrays as sets: unique elements, unions, intersections, differences."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .. import dtypes
from ..arrays import from_host
from ..index_plan import host_value
from ..indexing import take
from ..primitives import elementwise as e
from ..primitives import reduction
from ..primitives.structural import broadcast_in_dim, broadcast_to, reshape
from ..promotion import as_operand, cast, promote_dtypes
from .axes import axis_of
from .choosing import flatnonzero, nonzero, resized, unknown_size
from .creation import filled
from .joining import concatenate
from .logic import isnan, where3
from .operands import like
from .shaping import moveaxis, ravel
from .sorting import argsort, lexsort, searchsorted, sort

__all__ = [
    "in1d",
    "intersect1d",
    "isin",
    "setdiff1d",
    "setxor1d",
    "union1d",
    "unique",
    "unique_all",
    "unique_counts",
    "unique_inverse",
    "unique_values",
]


class UniqueAll(NamedTuple):
    """What `unique_all` gives."""

    values: Any
    indices: Any
    inverse_indices: Any
    counts: Any


class UniqueCounts(NamedTuple):
    """What `unique_counts` gives."""

    values: Any
    counts: Any


class UniqueInverse(NamedTuple):
    """What `unique_inverse` gives."""

    values: Any
    inverse_indices: Any


def unique(
    ar: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    *,
    equal_nan: bool = True,
    size: int | None = None,
    fill_value: Any = None,
    sorted: bool = True,
) -> Any:
    """The distinct elements, sorted.

    Args:
      ar: an array.
      return_index: whether to give where each is found first.
      return_inverse: whether to give which of them each element is.
      return_counts: whether to give how often each is there.
      axis: compare slices along this axis; None: elements.
      equal_nan: whether all NaN are one; among slices they never are.
      size: how many to give. Needed where `ar` is traced.
      fill_value: for missing ones; by default the smallest element.
      sorted: taken for the array API's sake.

    Returns:
      The elements; or a tuple of them and what else was asked for.
    """
    x = as_operand(ar)
    value = host_value(x)
    if value is None and size is None:
        raise unknown_size("unique", x)
    if value is not None:
        found = _known_unique(x, value, axis, equal_nan, size, fill_value)
    else:
        found = _traced_unique(x, axis, equal_nan, size, fill_value)
    chosen = [
        part for part, wanted in zip(found, (True, return_index, return_inverse, return_counts), strict=True) if wanted
    ]
    return chosen[0] if len(chosen) == 1 else tuple(chosen)


def _known_unique(
    x: Any, value: Any, axis: int | None, equal_nan: bool, size: int | None, fill_value: Any
) -> tuple[Any, ...]:
    host = value.astype(np.float32) if dtypes.is_floating(x.dtype) and x.dtype.kind == "V" else value
    place = 0 if axis is None else axis_of("unique", axis, x.ndim)
    _, index, inverse, counts = np.unique(
        host,
        return_index=True,
        return_inverse=True,
        return_counts=True,
        axis=None if axis is None else place,
        equal_nan=equal_nan,
    )
    source = ravel(x) if axis is None else x
    position = dtypes.position_dtype(x.size)
    if axis is not None:
        inverse = inverse.reshape(-1)
    out = take(source, index, place)
    index_, counts_ = from_host(index.astype(position)), from_host(counts.astype(position))
    if size is not None:
        fill = out[(slice(None),) * place + (slice(0, 1),)] if fill_value is None else fill_value
        moved = moveaxis(out, place, 0)
        fill = moveaxis(fill, place, 0) if fill_value is None else fill
        out = moveaxis(resized(moved, size, fill), 0, place)
        index_, counts_ = resized(index_, size, index_[0] if len(index) else 0), resized(counts_, size)
    return out, index_, from_host(inverse.astype(position)), counts_


def _traced_unique(x: Any, axis: int | None, equal_nan: bool, size: int | None, fill_value: Any) -> tuple[Any, ...]:
    """Equal elements, or slices along the axis, are neighbours once they are sorted."""
    place = 0 if axis is None else axis_of("unique", axis, x.ndim)
    items = ravel(x) if axis is None else moveaxis(x, place, 0)
    n, position = items.shape[0], dtypes.position_dtype(items.shape[0])
    order = argsort(items) if axis is None else _row_order(items)
    ordered = take(items, order, 0, mode="clip")
    a, b = ordered[:-1], ordered[1:]
    differ = e.ne(a, b)
    if axis is not None:
        differ = reduction.reduce_or(differ, axes=tuple(range(1, items.ndim))) if items.ndim > 1 else differ
    elif equal_nan and dtypes.is_inexact(x.dtype):
        differ = e.and_(differ, e.not_(e.and_(isnan(a), isnan(b))))
    new = concatenate([filled(True, (min(n, 1),), np.dtype(bool)), differ], 0)
    number = e.sub(reduction.cumsum(cast(new, position), axis=0, reverse=False), like(filled(0, (), position), 1))
    first = flatnonzero(new, size=size, fill_value=n)
    there = e.lt(first, like(first, n))
    fill = ordered[0] if fill_value is None else cast(as_operand(fill_value), x.dtype)
    filled_in = reshape(there, shape=(size, *(1 for _ in items.shape[1:])))
    values = moveaxis(where3(filled_in, take(ordered, first, 0, mode="clip"), fill), 0, place)
    index = take(order, where3(there, first, 0), mode="clip")
    inverse = reshape(filled(0, (n,), position).at[order].set(number), shape=tuple(x.shape) if axis is None else (n,))
    counts = filled(0, (size,), position).at[number].add(1, mode="drop")  # type: ignore[arg-type]
    return values, index, inverse, counts


def _row_order(rows: Any) -> Any:
    """The order of slices along the first axis, by their first elements, then by their second ones, and so on."""
    n = rows.shape[0]
    columns = moveaxis(reshape(rows, shape=(n, rows.size // max(n, 1))), 1, 0)
    return lexsort(columns[::-1]) if columns.size else argsort(filled(0, (n,), np.dtype(np.int32)))


def unique_all(x: Any, /, *, size: int | None = None, fill_value: Any = None) -> UniqueAll:
    """The distinct elements, where each is first, which each element is, and how often; NaN are all different."""
    return UniqueAll(*unique(x, True, True, True, equal_nan=False, size=size, fill_value=fill_value))


def unique_counts(x: Any, /, *, size: int | None = None, fill_value: Any = None) -> UniqueCounts:
    """The distinct elements, and how often each is there; NaN are all different."""
    return UniqueCounts(*unique(x, return_counts=True, equal_nan=False, size=size, fill_value=fill_value))


def unique_inverse(x: Any, /, *, size: int | None = None, fill_value: Any = None) -> UniqueInverse:
    """The distinct elements, and which of them each element is; NaN are all different."""
    return UniqueInverse(*unique(x, return_inverse=True, equal_nan=False, size=size, fill_value=fill_value))


def unique_values(x: Any, /, *, size: int | None = None, fill_value: Any = None) -> Any:
    """The distinct elements; NaN are all different."""
    return unique(x, equal_nan=False, size=size, fill_value=fill_value)


FEW = 32
"""So many elements each are compared with; more are searched in."""


def isin(
    element: Any, test_elements: Any, assume_unique: bool = False, invert: bool = False, *, method: str = "auto"
) -> Any:
    """Whether each element is one of others.

    Args:
      element: an array.
      test_elements: what to compare with.
      assume_unique: taken for NumPy's sake.
      invert: whether to ask the opposite.
      method: taken for JAX's sake.
    """
    x, others = promote_dtypes(as_operand(element), as_operand(test_elements))
    others = ravel(others)
    n = others.shape[0]
    if n > FEW:
        others = sort(others)
        found = e.eq(take(others, searchsorted(others, x), mode="clip"), x)
        return e.not_(found) if invert else found
    wide = broadcast_in_dim(x, shape=(*x.shape, n), dims=tuple(range(x.ndim)))
    same = e.eq(wide, broadcast_to(others, (*x.shape, n)))
    out = reduction.reduce_or(same, axes=(x.ndim,))
    return e.not_(out) if invert else out


in1d = isin


def _check_known(name: str, size: int | None, *arrays: Any) -> None:
    """Without a size, the values must be known."""
    for x in arrays:
        if size is None and host_value(x) is None:
            raise unknown_size(name, x)


def _distinct(x: Any) -> tuple[Any, Any]:
    """The distinct elements of a vector, sorted, and which of them are there: where values are traced, some stand for none."""
    if host_value(x) is not None or not x.size:
        found = unique(x) if x.size else x
        return found, filled(True, tuple(found.shape), np.dtype(bool))
    found, counts = unique(x, return_counts=True, size=x.size)
    return found, e.gt(counts, like(counts, 0))


def _chosen(x: Any, mask: Any, size: int | None, fill_value: Any) -> Any:
    """The elements of a vector for which a mask holds, `size` of them; missing ones are filled, by default with the first."""
    if size is None:
        return take(x, nonzero(mask)[0])
    if not x.size:
        return resized(x, size, 0 if fill_value is None else fill_value)
    places = nonzero(mask, size=size, fill_value=x.size)[0]
    there = e.lt(places, like(places, x.size))
    found = where3(there, take(x, places, mode="clip"), like(x, 0))
    fill = (found[0] if size else 0) if fill_value is None else fill_value
    return where3(there, found, cast(as_operand(fill), x.dtype))


def _first_place(x: Any, elements: Any) -> Any:
    """Where each of some elements of a vector is first."""
    order = argsort(x)
    return (
        take(order, searchsorted(take(x, order), elements), mode="clip")
        if x.size
        else filled(0, elements.shape, order.dtype)
    )


def union1d(ar1: Any, ar2: Any, *, size: int | None = None, fill_value: Any = None) -> Any:
    """The distinct elements of two arrays, sorted; `size` and `fill_value` as of `unique`."""
    return unique(concatenate([as_operand(ar1), as_operand(ar2)], None), size=size, fill_value=fill_value)


def setdiff1d(
    ar1: Any, ar2: Any, assume_unique: bool = False, *, size: int | None = None, fill_value: Any = None
) -> Any:
    """The distinct elements of `ar1` that are not in `ar2`, sorted; `size` and `fill_value` (by default 0) as of `unique`."""
    x, y = ravel(ar1), ravel(ar2)
    _check_known("setdiff1d", size, x, y)
    x, there = (x, filled(True, (x.size,), np.dtype(bool))) if assume_unique else _distinct(x)
    return _chosen(x, e.and_(there, isin(x, y, invert=True)), size, 0 if fill_value is None else fill_value)


def setxor1d(
    ar1: Any, ar2: Any, assume_unique: bool = False, *, size: int | None = None, fill_value: Any = None
) -> Any:
    """The distinct elements that are in just one of two arrays, sorted; `size` and `fill_value` as of `unique`."""
    x, y = (ravel(v) for v in promote_dtypes(as_operand(ar1), as_operand(ar2)))
    _check_known("setxor1d", size, x, y)
    both, there = _distinct(concatenate([x, y], 0))
    return _chosen(both, e.and_(there, e.ne(isin(both, x), isin(both, y))), size, fill_value)


def intersect1d(
    ar1: Any,
    ar2: Any,
    assume_unique: bool = False,
    return_indices: bool = False,
    *,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """The distinct elements that are in both of two arrays, sorted.

    Args:
      ar1, ar2: arrays.
      assume_unique: taken for NumPy's sake.
      return_indices: whether to give where each is first, in `ar1` and in `ar2`, too.
      size: how many to give; needed where values are traced.
      fill_value: for missing ones.
    """
    x, y = (ravel(v) for v in promote_dtypes(as_operand(ar1), as_operand(ar2)))
    _check_known("intersect1d", size, x, y)
    distinct, there = _distinct(x)
    common = e.and_(there, isin(distinct, y))
    out = _chosen(distinct, common, size, fill_value)
    if not return_indices:
        return out
    places = nonzero(common, size=size, fill_value=distinct.size)[0]
    elements = take(distinct, places, mode="clip") if distinct.size else filled(0, places.shape, x.dtype)
    return (out, *(where3(places < distinct.size, _first_place(v, elements), v.size) for v in (x, y)))
