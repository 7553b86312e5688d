"""Elements repeated and moved along axes: tile, repeat, flip, roll."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..arrays import Array
from ..errors import ArgumentError, ConcretizationTypeError, DTypeError, ShapeError
from ..index_plan import host_value
from ..indexing import take
from ..primitives import elementwise as e
from ..primitives import reduction, structural
from ..primitives.slicing import iota, rev, slice_
from ..promotion import as_operand, cast
from ..tracing import Tracer
from .axes import axes_of, axis_of, integer, integers
from .joining import concatenate, pieces
from .shaping import ravel, reshape, swapaxes

__all__ = [
    "flip",
    "fliplr",
    "flipud",
    "repeat",
    "resize",
    "roll",
    "rot90",
    "tile",
]


def tile(A: Any, reps: Any) -> Any:
    """`A` repeated as a whole, `reps[i]` times along axis i."""
    x = as_operand(A)
    counts = integers("tile", "reps", reps)
    n = max(x.ndim, len(counts))
    counts = (1,) * (n - len(counts)) + counts
    shape = (1,) * (n - x.ndim) + tuple(x.shape)
    wide = tuple(m for pair in zip(counts, shape, strict=True) for m in pair)
    spread = structural.broadcast_in_dim(structural.reshape(x, shape=shape), shape=wide, dims=tuple(range(1, 2 * n, 2)))
    return structural.reshape(spread, shape=tuple(c * m for c, m in zip(counts, shape, strict=True)))


def repeat(a: Any, repeats: Any, axis: int | None = None, *, total_repeat_length: int | None = None) -> Any:
    """Each element repeated.

    Args:
      a: an array.
      repeats: how often: a number, or one for each element along the axis.
      axis: along which; None: `a` is flattened first.
      total_repeat_length: the length of the result, which must be given where `repeats` is traced; what is too long is cut off,
        what is too short is filled with the last element.

    Raises:
      ConcretizationTypeError: if the length of the result is not known.
    """
    x = as_operand(a)
    if axis is None or not x.ndim:
        x, axis = ravel(x), 0 if axis is None else axis
    axis = axis_of("repeat", axis, x.ndim)
    n = x.shape[axis]
    known = host_value(repeats) if isinstance(repeats, (Array, Tracer)) else np.asarray(repeats)
    if known is not None:
        if known.dtype.kind not in "iub":
            raise DTypeError(f"repeat: the repeats must be integers, got {repeats!r}.")
        if (known < 0).any():
            raise ArgumentError(f"repeat: the repeats must not be negative, got {repeats}.")
        places = np.repeat(np.arange(n), known)
        if total_repeat_length is not None:
            last = places[-1] if len(places) else 0
            places = np.append(places, np.full(max(total_repeat_length - len(places), 0), last, places.dtype))[
                :total_repeat_length
            ]
        if known.size == 1 and total_repeat_length is None:
            return _repeat_evenly(x, int(known.reshape(())), axis)
        return take(x, places, axis)
    if total_repeat_length is None:
        raise ConcretizationTypeError(
            "repeat: the repeats are traced, so the result's length is not known: give total_repeat_length."
        )
    counts = structural.broadcast_to(as_operand(repeats), (n,))
    ends = _running_sum(counts)
    columns = structural.broadcast_in_dim(ends, shape=(n, total_repeat_length), dims=(0,))
    places = iota(dtype=columns.dtype, shape=(n, total_repeat_length), dimension=1)
    which = structural.reduce_sum(cast(e.le(columns, places), np.dtype(np.int32)), axes=(0,))
    return take(x, e.min_(which, np.int32(n - 1)), axis, mode="clip")


def _running_sum(x: Any) -> Any:

    return reduction.cumsum(x, axis=0, reverse=False)


def _repeat_evenly(x: Any, count: int, axis: int) -> Any:
    shape = tuple(x.shape)
    spread = structural.broadcast_in_dim(
        x,
        shape=(*shape[: axis + 1], count, *shape[axis + 1 :]),
        dims=tuple(i + (i > axis) for i in range(len(shape))),
    )
    return structural.reshape(spread, shape=(*shape[:axis], shape[axis] * count, *shape[axis + 1 :]))


def flip(m: Any, axis: int | Sequence[int] | None = None) -> Any:
    """`m` with the order of elements reversed along axes (None: all)."""
    x = as_operand(m)
    axes = axes_of("flip", axis, x.ndim)
    return rev(x, dimensions=axes) if axes else x


def fliplr(m: Any) -> Any:
    """`m` reversed along its second axis."""
    return flip(m, 1)


def flipud(m: Any) -> Any:
    """`m` reversed along its first axis."""
    return flip(m, 0)


def rot90(m: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Any:
    """`m` turned by k right angles in the plane of two axes, from the first towards the second."""
    x = as_operand(m)
    first, second = axes_of("rot90", axes, x.ndim)
    k = integer("rot90", "k", k)
    if k % 4 == 2:
        return flip(x, (first, second))
    if k % 4 == 1:
        return swapaxes(flip(x, second), first, second)
    return flip(swapaxes(x, first, second), second) if k % 4 else x


def roll(a: Any, shift: Any, axis: int | Sequence[int] | None = None) -> Any:
    """`a` with elements moved along axes; those that leave at one end come back at the other.

    Args:
      a: an array.
      shift: by how many places: an integer (which may be traced), or one for each axis.
      axis: along which; None: `a` is flattened, and given its shape back.
    """
    x = as_operand(a)
    if axis is None:
        return reshape(roll(ravel(x), shift, 0), x.shape)
    axes = [axis_of("roll", i, x.ndim) for i in (axis if isinstance(axis, (tuple, list)) else [axis])]
    several = isinstance(shift, (tuple, list)) or (isinstance(shift, (Array, Tracer, np.ndarray)) and shift.ndim)
    shifts = list(shift) if several else [shift]
    if len(axes) == 1 < len(shifts):
        axes = axes * len(shifts)
    if len(shifts) == 1 < len(axes):
        shifts = shifts * len(axes)
    if len(shifts) != len(axes):
        raise ShapeError(f"roll of {x.type}: {len(shifts)} shifts for {len(axes)} axes.")
    for s, i in zip(shifts, axes, strict=True):
        x = _roll(x, s, i)
    return x


def _roll(x: Any, shift: Any, axis: int) -> Any:
    n = x.shape[axis]
    if n == 0:
        return x
    known = host_value(shift) if isinstance(shift, (Array, Tracer)) else shift
    if known is not None:
        cut = -integer("roll", "shift", known) % n
        return concatenate(pieces(x, [cut], axis)[::-1], axis) if cut else x
    places = e.sub(iota(dtype=np.dtype(np.int32), shape=(n,), dimension=0), cast(as_operand(shift), np.dtype(np.int32)))
    return take(x, places, axis, mode="wrap")


def resize(a: Any, new_shape: Any) -> Any:
    """The elements of `a`, repeated or cut off so that they fill a shape."""
    shape = tuple(new_shape) if isinstance(new_shape, (tuple, list)) else (new_shape,)
    x, size = ravel(a), math.prod(shape)
    if size == 0 or x.size == 0:
        return cast(structural.broadcast_in_dim(x.dtype.type(0), shape=shape, dims=()), x.dtype)
    x = tile(x, -(-size // x.size))
    return reshape(slice_(x, start=(0,), limit=(size,)), shape)
