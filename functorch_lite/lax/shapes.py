"""Shapes, with JAX's arguments: arrays split, stacked, repeated, their axes joined; and what shapes broadcast to."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import dtypes
from .. import numpy as fnp
from ..arrays import type_of
from ..errors import ShapeError
from ..numpy.axes import axis_of
from ..primitives import slicing, structural
from ..promotion import as_operand
from .elementwise import strict_operands
from .operations import concatenate, dot_general, expand_dims, full, slice_in_dim, squeeze

__all__ = [
    "batch_matmul",
    "broadcast_like",
    "broadcast_shapes",
    "broadcast_to_rank",
    "broadcasted_iota",
    "collapse",
    "dtype",
    "empty",
    "split",
    "stack",
    "tile",
    "unstack",
]


def dtype(x: Any) -> Any:
    """The dtype of an array or number, or that a scalar type stands for.

    >>> dtype(1.0)
    dtype('float32')
    """
    if isinstance(x, (type, np.dtype)):
        return dtypes.as_dtype(x)
    return type_of(as_operand(x)).dtype


def empty(shape: Sequence[int], dtype: Any) -> Any:
    """An array of unspecified elements, which are zeros."""
    return full(shape, 0, dtypes.as_dtype(dtype))


def broadcast_shapes(*shapes: Sequence[int]) -> tuple[int, ...]:
    """The shape that all `shapes` stretch to.

    >>> broadcast_shapes((2, 1), (3,))
    (2, 3)
    """
    return fnp.broadcast_shapes(*shapes)


def broadcast_to_rank(x: Any, rank: int) -> Any:
    """`x` with axes of length 1 put in front, up to `rank` axes."""
    x = as_operand(x)
    if x.ndim > rank:
        raise ShapeError(f"broadcast_to_rank: {x.type} has more than {rank} axes already.")
    return expand_dims(x, range(rank - x.ndim))


def broadcast_like(arr: Any, like_arr: Any) -> Any:
    """`arr` stretched to the shape of `like_arr`."""
    return structural.broadcast_to(as_operand(arr), tuple(as_operand(like_arr).shape))


def broadcasted_iota(dtype: Any, shape: Sequence[int], dimension: int) -> Any:
    """0, 1, 2, ... along an axis, the same along the others.

    >>> broadcasted_iota("int32", (2, 3), 1).tolist()
    [[0, 1, 2], [0, 1, 2]]
    """
    full_shape = tuple(map(int, shape))
    return slicing.iota(
        dtype=dtypes.as_dtype(dtype),
        shape=full_shape,
        dimension=axis_of("broadcasted_iota", dimension, len(full_shape)),
    )


def collapse(operand: Any, start_dimension: int, stop_dimension: int | None = None) -> Any:
    """The axes from `start_dimension` up to `stop_dimension` (None: all that follow) joined to one.

    >>> import functorch_lite.numpy as fnp
    >>> collapse(fnp.zeros((2, 3, 4)), 1).shape
    (2, 12)
    """
    x = as_operand(operand)
    first, last, _ = slice(start_dimension, stop_dimension).indices(x.ndim)
    if first >= last:
        raise ShapeError(f"collapse of {x.type}: no axes lie between {start_dimension} and {stop_dimension}.")
    joined = math.prod(x.shape[first:last])
    return structural.reshape(x, shape=(*x.shape[:first], joined, *x.shape[last:]))


def split(operand: Any, sizes: Sequence[int], axis: int = 0) -> list[Any]:
    """An array cut into pieces of given lengths along an axis.

    >>> import functorch_lite.numpy as fnp
    >>> [x.tolist() for x in split(fnp.arange(5), (2, 3))]
    [[0, 1], [2, 3, 4]]
    """
    x = as_operand(operand)
    place = axis_of("split", axis, x.ndim)
    if sum(sizes) != x.shape[place] or any(n < 0 for n in sizes):
        raise ShapeError(f"split of {x.type}: pieces of lengths {tuple(sizes)} do not make up axis {place}.")
    ends = list(itertools.accumulate(sizes, initial=0))
    return [slice_in_dim(x, i, j, axis=place) for i, j in itertools.pairwise(ends)]


def stack(operands: Sequence[Any], axis: int = 0) -> Any:
    """Arrays of one type joined along a new axis."""
    found = strict_operands("an operand of stack", tuple(operands))
    if not found:
        raise ShapeError("stack needs at least one array.")
    place = axis_of("stack", axis, found[0].ndim + 1)
    return concatenate([expand_dims(x, (place,)) for x in found], place)


def unstack(x: Any, axis: int = 0) -> tuple[Any, ...]:
    """The slices of an array along an axis, without that axis."""
    x = as_operand(x)
    place = axis_of("unstack", axis, x.ndim)
    return tuple(squeeze(slice_in_dim(x, i, i + 1, axis=place), (place,)) for i in range(x.shape[place]))


def tile(operand: Any, reps: Sequence[int]) -> Any:
    """An array put side by side with itself, `reps[i]` times along axis i."""
    x = as_operand(operand)
    if len(reps) != x.ndim:
        raise ShapeError(f"tile of {x.type} needs {x.ndim} numbers of repetitions, got {tuple(reps)}.")
    return fnp.tile(x, tuple(reps))


def batch_matmul(lhs: Any, rhs: Any, precision: Any = None) -> Any:
    """The products of stacked matrices; all axes but the last two belong together.

    Args:
      lhs: [..., n, k].
      rhs: [..., k, m], of the same dtype and as many axes.
      precision: taken for JAX's sake.
    """
    x, y = strict_operands("an operand of batch_matmul", (lhs, rhs))
    if x.ndim < 2 or x.ndim != y.ndim:
        raise ShapeError(f"batch_matmul needs matrices with equally many leading axes, got {x.type} and {y.type}.")
    lead = tuple(range(x.ndim - 2))
    return dot_general(x, y, (((x.ndim - 1,), (x.ndim - 2,)), (lead, lead)), precision)
