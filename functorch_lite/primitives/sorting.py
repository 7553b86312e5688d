"""Sorting several operands together, and the largest k elements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import dtypes
from ..array_type import ArrayType
from ..errors import DTypeError, ShapeError
from ..primitive import NotLinear, Primitive, Zero
from .addressing import GatherDimensionNumbers, GatherScatterMode
from .gathering import gather
from .slicing import iota
from .structural import expand_dims, move_to_front, reshape

__all__ = ["sort", "take_along", "top_k"]


def take_along(x: Any, indices: Any, axis: int) -> Any:
    """For each line of `x` along `axis`, the elements that the line of `indices` names; other lengths are equal."""
    if 0 in x.shape:
        return reshape(x, shape=indices.shape)
    others = tuple(i for i in range(x.ndim) if i != axis)
    numbers = GatherDimensionNumbers(
        offset_dims=(),
        collapsed_slice_dims=(axis,),
        start_index_map=(axis,),
        operand_batching_dims=others,
        start_indices_batching_dims=others,
    )
    mode = GatherScatterMode.PROMISE_IN_BOUNDS
    column = expand_dims(indices, indices.ndim)
    return gather(x, column, dimension_numbers=numbers, slice_sizes=(1,) * x.ndim, mode=mode, fill_value=None)


class Sort(NotLinear, Primitive):
    """Operands of one shape, put in the order of the first `num_keys` of them along `dimension`; NaN comes last."""

    multiple_results = True

    def infer(self, *types: ArrayType, dimension: int, is_stable: bool, num_keys: int) -> list[ArrayType]:
        if not types or any(t.shape != types[0].shape for t in types):
            raise ShapeError(f"sort needs operands of one shape, got {', '.join(map(str, types))}.")
        if not 0 <= dimension < types[0].ndim or not 1 <= num_keys <= len(types):
            raise ShapeError(
                f"sort of {types[0]}: axis {dimension} or the number of keys, {num_keys}, is out of range."
            )
        return list(types)

    def impl(self, xp: Any, *buffers: Any, dimension: int, is_stable: bool, num_keys: int) -> tuple[Any, ...]:
        order = None
        keys = [part for key in buffers[:num_keys] for part in _comparable(xp, key)]
        for key in reversed(keys):  # the least significant first, each pass stable
            rows = key if order is None else xp.take_along_axis(key, order, axis=dimension)
            step = xp.argsort(rows, axis=dimension, stable=True)
            order = step if order is None else xp.take_along_axis(order, step, axis=dimension)
        return tuple(xp.take_along_axis(x, order, axis=dimension) for x in buffers)

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        axis = params["dimension"]
        shape = primals[0].shape
        positions = iota(dtype=dtypes.position_dtype(shape[axis], least="int32"), shape=shape, dimension=axis)
        *out, order = self(*primals, positions, **params)
        dots = [Zero(t.type) if isinstance(t, Zero) else take_along(t, order, axis) for t in tangents]
        return out, dots

    def batch(
        self, axis: Any, operands: Sequence[Any], dims: Sequence[Any], *, dimension: int, **params: Any
    ) -> tuple[Any, Any]:
        rows = [move_to_front(x, d, axis.size) for x, d in zip(operands, dims, strict=True)]
        return self(*rows, dimension=dimension + 1, **params), [0] * len(rows)


def _comparable(xp: Any, x: Any) -> list[Any]:
    """What orders as `x` should, the most significant first: complex numbers by real, then by imaginary part."""
    if dtypes.is_complex(x.dtype):
        return [xp.real(x), xp.imag(x)]
    if x.dtype == dtypes.bool_:
        return [xp.astype(x, xp.uint8)]
    return [xp.astype(x, xp.float32) if x.dtype == dtypes.bfloat16 else x]


class TopK(NotLinear, Primitive):
    """The k largest elements along the last axis, the largest first, and their positions; NaN counts as largest."""

    multiple_results = True

    def infer(self, x: ArrayType, *, k: int) -> list[ArrayType]:
        if not x.ndim or dtypes.is_complex(x.dtype):
            raise DTypeError(f"top_k of {x}: needs an axis, and a dtype that has an order.")
        if not 0 <= k <= x.shape[-1]:
            raise ShapeError(f"top_k of {x}: the last axis has {x.shape[-1]} elements, {k} were asked for.")
        shape = (*x.shape[:-1], k)
        return [x.update(shape=shape), ArrayType(shape, dtypes.position_dtype(x.shape[-1], least="int32"))]

    def impl(self, xp: Any, x: Any, *, k: int) -> tuple[Any, Any]:
        n = x.shape[-1]
        backwards = xp.flip(_comparable(xp, x)[0], axis=-1)  # of equal elements, the first shall come first
        order = xp.flip(xp.argsort(backwards, axis=-1, stable=True), axis=-1)[..., :k]
        order = (n - 1) - order
        return xp.take_along_axis(x, order, axis=-1), xp.astype(order, dtypes.position_dtype(n, least="int32"))

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], *, k: int) -> tuple[Any, Any]:
        values, positions = self(primals[0], k=k)
        return [values, positions], [
            take_along(tangents[0], positions, values.ndim - 1),
            Zero(positions.type.tangent()),
        ]

    def batch(self, axis: Any, operands: Sequence[Any], dims: Sequence[Any], *, k: int) -> tuple[Any, Any]:
        return self(move_to_front(operands[0], dims[0]), k=k), [0, 0]


sort = Sort("sort")
top_k = TopK("top_k")
