"""Rows combined by segments, under the names of `jax.ops`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import numpy as fnp
from .arrays import type_of
from .dtypes import is_bool
from .errors import ArgumentError, ConcretizationTypeError, ShapeError
from .index_plan import host_value
from .primitives.pooling import reduce_window_max, reduce_window_min
from .promotion import as_operand

__all__ = ["segment_max", "segment_min", "segment_prod", "segment_sum"]


def _segments(how: str, doc: str, start: Callable[[Any], Any], reduce: Callable[..., Any]) -> Callable[..., Any]:
    """The function that combines rows by the update `how`; `start` gives what changes nothing, `reduce` joins buckets."""

    def segment(
        data: Any,
        segment_ids: Any,
        num_segments: int | None = None,
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
        bucket_size: int | None = None,
        mode: Any = None,
    ) -> Any:
        x, ids = as_operand(data, f"the data of {name}"), as_operand(segment_ids, f"the segment_ids of {name}")
        if not ids.ndim or ids.shape != x.shape[: ids.ndim]:
            raise ShapeError(f"{name} takes an id for each row of {type_of(x)}, got ids {type_of(ids)}.")
        n = _count(name, ids, num_segments)
        index, shape = (ids,), (n, *x.shape[ids.ndim :])
        if bucket_size is not None:
            index = (fnp.arange(len(ids)) // bucket_size, ids)
            shape = (-(-len(ids) // bucket_size), *shape)
        options = {"indices_are_sorted": indices_are_sorted, "unique_indices": unique_indices}
        out = getattr(fnp.full(shape, start(x.dtype), x.dtype).at[index], how)(
            x, mode="drop" if mode is None else mode, wrap_negative_indices=False, **options
        )
        return out if bucket_size is None else reduce(out, axis=0).astype(x.dtype)

    name = segment.__name__ = segment.__qualname__ = f"segment_{doc}"
    segment.__doc__ = f"""The {_WHAT[doc]} of the rows of each segment.

    A segment without rows has {_EMPTY[doc]}. Ids that name no segment are left out.

    Args:
      data: rows along the first axis.
      segment_ids: the segment of each row: integers, in any order.
      num_segments: how many there are; by default as many as the ids name, which `jit` cannot know.
      indices_are_sorted, unique_indices: what is known of the ids.
      bucket_size: combine so many rows at a time, and then what they gave: sums lose less so.
      mode: what to do with ids that name no segment, as for `x.at`.

    Returns:
      an array [num_segments, ...] of rows.
    """
    return segment


def _count(name: str, ids: Any, num_segments: Any) -> int:
    known = host_value(ids if num_segments is None else num_segments)
    if known is None:
        raise ConcretizationTypeError(f"{name}: the number of segments is not known when traced: give num_segments.")
    n = int(known.max(initial=-1)) + 1 if num_segments is None else int(known)
    if n < 0:
        raise ArgumentError(f"{name}: num_segments is {n}, but cannot be negative.")
    return n


_WHAT = {
    "sum": "sum",
    "prod": "product",
    "max": "largest element, place by place,",
    "min": "smallest element, place by place,",
}
_EMPTY = {"sum": "0", "prod": "1", "max": "-inf, or the smallest integer", "min": "inf, or the largest integer"}

segment_sum = _segments("add", "sum", lambda dtype: 0, fnp.sum)
segment_prod = _segments("multiply", "prod", lambda dtype: 1, fnp.prod)
segment_max = _segments("max", "max", lambda dtype: False if is_bool(dtype) else reduce_window_max.fill(dtype), fnp.max)
segment_min = _segments("min", "min", lambda dtype: is_bool(dtype) or reduce_window_min.fill(dtype), fnp.min)
