"""What a `Plan` comes down to: the static view of an array, and operands and params of a gather or scatter in it."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import dtypes
from .array_type import ArrayType, Dim, Shape
from .arrays import Array, Operand, from_host
from .errors import OutOfBoundsError
from .index_plan import Plan
from .primitives import elementwise as e
from .primitives.addressing import GatherDimensionNumbers
from .primitives.dynamic_slicing import dynamic_slice
from .primitives.slicing import concatenate, rev, slice_
from .primitives.structural import broadcast_in_dim, reshape
from .promotion import cast

__all__ = [
    "dimension_numbers",
    "joint_shape",
    "mode_of",
    "piece_shape",
    "result_shape",
    "slice_sizes",
    "stacked",
    "view",
]


def mode_of(mode: str | None, plan: Plan, unknown: str) -> str:
    """The mode of a gather or scatter: none is needed where all is known and was checked."""
    if mode is not None:
        return mode
    return "promise_in_bounds" if all(isinstance(a, np.ndarray) for a in plan.arrays) else unknown


def view(x: Any, plan: Plan) -> Any:
    """The static part of an index: slices, reversed axes, dropped and new axes."""
    if not plan.takes_all(x.shape):
        x = _piece(x, plan)
    if plan.reversed:
        x = rev(x, dimensions=plan.reversed)
    return x if x.shape == plan.view else reshape(x, shape=plan.view)


def _piece(x: Any, plan: Plan) -> Any:
    if any(step != 1 for step in plan.steps):
        return slice_(x, start=plan.starts, limit=plan.limits, strides=plan.steps)
    if type(x) is not Array and x.concrete() is not None:
        # Rules are kept by params: with the start among the operands, x[i] in a Python loop under grad is one rule.
        return dynamic_slice(x, *map(np.int64, plan.starts), sizes=piece_shape(plan))
    return slice_(x, start=plan.starts, limit=plan.limits)


def piece_shape(plan: Plan) -> Shape:
    return tuple(
        b if type(b) is Dim else -((a - b) // step)
        for a, b, step in zip(plan.starts, plan.limits, plan.steps, strict=True)
    )


def joint_shape(type: ArrayType, plan: Plan) -> Shape:
    """The shape that the arrays of an index broadcast to."""
    if len(plan.arrays) == 1:
        return plan.arrays[0].shape
    try:
        return np.broadcast_shapes(*(a.shape for a in plan.arrays))
    except ValueError:
        shapes = " and ".join(str(list(a.shape)) for a in plan.arrays)
        raise OutOfBoundsError(
            f"index of {type} by arrays of shapes {shapes}: they do not broadcast; lengths must be equal, or 1."
        ) from None


def _rest(plan: Plan) -> Shape:
    return tuple(n for i, n in enumerate(plan.view) if i not in plan.axes)


def result_shape(plan: Plan, joint: Shape) -> Shape:
    rest = _rest(plan)
    return (*rest[: plan.spot], *joint, *rest[plan.spot :])


def stacked(x: Any, plan: Plan, joint: Shape, wrap: bool) -> Operand:
    """The vectors of indices, int[*joint, axes]."""
    if all(isinstance(a, np.ndarray) for a in plan.arrays):
        host = [np.broadcast_to(a, joint)[..., None] for a in plan.arrays]
        backend = x.concrete().backend if x.concrete() is not None else None
        return from_host(host[0] if len(host) == 1 else np.concatenate(host, -1), backend)
    lengths = [plan.view[a] for a in plan.axes]
    dtype = _common_dtype(plan.arrays, lengths)
    columns = []
    for a, n in zip(plan.arrays, lengths, strict=True):
        column = _column(a, n, dtype, wrap)
        dims = tuple(range(len(joint) - column.ndim, len(joint)))
        columns.append(broadcast_in_dim(column, shape=(*joint, 1), dims=dims))
    return concatenate(*columns, dimension=len(joint)) if len(columns) > 1 else columns[0]


def _common_dtype(arrays: tuple[Any, ...], lengths: list[Any]) -> np.dtype:
    small = all(isinstance(a, np.ndarray) or (a.dtype.itemsize <= 4 and a.dtype != np.uint32) for a in arrays)
    return np.dtype(np.int32 if small and all(n < 2**31 for n in lengths) else np.int64)


def _column(array: Any, n: int, dtype: np.dtype, wrap: bool) -> Operand:
    """One array of indices in the common dtype, negative ones counted from the end."""
    if isinstance(array, np.ndarray):
        bounds = np.iinfo(dtype)
        return from_host(np.clip(array, bounds.min, bounds.max).astype(dtype))
    if array.dtype == np.uint64:
        array = e.min_(array, np.uint64(np.iinfo(np.int64).max))
    unsigned = dtypes.is_unsigned(array.dtype)
    array = cast(array, dtype)
    if unsigned or not wrap:
        return array
    return e.select(e.lt(array, dtype.type(0)), array, e.add(array, dtype.type(n)))


def dimension_numbers(plan: Plan, joint: Shape) -> GatherDimensionNumbers:
    kept = len(plan.view) - len(plan.axes)
    offset = tuple(i if i < plan.spot else i + len(joint) for i in range(kept))
    return GatherDimensionNumbers(offset, plan.axes, plan.axes)


def slice_sizes(plan: Plan) -> Shape:
    return tuple(1 if i in plan.axes else n for i, n in enumerate(plan.view))
