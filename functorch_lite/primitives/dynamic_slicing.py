"""Pieces of arrays whose place is known only at run time: dynamic_slice, and dynamic_update_slice, beside its adjoint.

A start that would let the piece stick out is moved inwards: start_i becomes min(max(start_i, 0), n_i - size_i). With
starts that differ along a batch they are gathers and scatters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import dtypes
from ..array_type import ArrayType, Dim, Shape
from ..arrays import type_of
from ..errors import DTypeError, ShapeError
from ..primitive import LinearOperand, Primitive, Zero
from .elementwise import convert
from .gathering import GatherDimensionNumbers, ScatterDimensionNumbers, gather, scatter
from .slicing import concatenate
from .structural import expand_dims, instantiate, move_to_front, zeros

__all__ = ["dynamic_slice", "dynamic_update_slice"]


def _check_starts(name: str, x: ArrayType, sizes: Shape, starts: Sequence[ArrayType]) -> None:
    if len(starts) != x.ndim or len(sizes) != x.ndim:
        raise ShapeError(
            f"{name} of {x} needs a start and a size for each of its {x.ndim} axes, got {len(starts)} and {len(sizes)}."
        )
    if any(t.shape or not dtypes.is_integer(t.dtype) for t in starts):
        raise DTypeError(f"{name} of {x} needs starts that are integers of rank 0, got {', '.join(map(str, starts))}.")
    if any(
        m is not n and (type(m) is Dim or type(n) is Dim or not 0 <= m <= n)
        for m, n in zip(sizes, x.shape, strict=True)
    ):
        raise ShapeError(f"{name} of {x}: a piece of shape {sizes} does not fit into it.")


def _place(shape: Shape, sizes: Shape, starts: Sequence[Any]) -> tuple[slice, ...]:
    """The slices of an array of `shape` where the piece is."""
    place = []
    for n, m, start in zip(shape, sizes, starts, strict=True):
        begin = min(max(int(start), 0), n - m)
        place.append(slice(begin, begin + m))
    return tuple(place)


def _stacked(axis: Any, starts: Sequence[Any], dims: Sequence[int | None]) -> Any:
    """The starts of a batch as int[batch, ndim]."""
    wide = dtypes.as_dtype("int64")
    columns = [
        expand_dims(convert(move_to_front(s, d, axis.size), dtype=wide, weak=False), 1)
        for s, d in zip(starts, dims, strict=True)
    ]
    return concatenate(*columns, dimension=1)


class DynamicSlice(Primitive):
    """The piece of shape `sizes` that begins at `starts`, an integer of rank 0 per axis. Linear in the array."""

    may_alias = True

    def infer(self, x: ArrayType, *starts: ArrayType, sizes: Shape) -> ArrayType:
        _check_starts(self.name, x, sizes, starts)
        return x.update(shape=sizes)

    def element(self, at: Any, index: Any, *, sizes: Shape) -> Any:  # type: ignore[override]
        places = []
        for k, (i, n, m) in enumerate(zip(index, at.types[0].shape, sizes, strict=True)):
            start = at.zero if n == m else at.clamped(at.index(at.operand(k + 1, ())), 0, n - m)
            places.append(i + start)
        return at.operand(0, places)

    def impl(self, xp: Any, x: Any, *starts: Any, sizes: Shape) -> Any:
        return x[_place(x.shape, sizes, starts)]

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], *, sizes: Shape) -> tuple[Any, Any]:
        x, *starts = primals
        out = self(x, *starts, sizes=sizes)
        if isinstance(tangents[0], Zero):
            return out, Zero(out.type.tangent())
        return out, self(tangents[0], *starts, sizes=sizes)

    def transpose(self, ct: Any, operands: Sequence[Any], *, sizes: Shape) -> Sequence[Any]:
        x, *starts = operands
        if isinstance(ct, Zero):
            return [Zero(x.type), *(None for _ in starts)]
        return [dynamic_update_slice(zeros(x.type), ct, *starts), *(None for _ in starts)]

    def batch(self, axis: Any, operands: Sequence[Any], dims: Sequence[Any], *, sizes: Shape) -> tuple[Any, Any]:
        (x, *starts), (b, *start_dims) = operands, dims
        if all(d is None for d in start_dims):
            zero = dtypes.as_dtype("int64").type(0)
            moved = (*starts[:b], zero, *starts[b:])
            return self(x, *moved, sizes=(*sizes[:b], x.shape[b], *sizes[b:])), b
        up = tuple(range(1, len(sizes) + 1))
        batched = b is not None
        numbers = GatherDimensionNumbers(
            offset_dims=up,
            collapsed_slice_dims=(),
            start_index_map=up if batched else tuple(range(len(sizes))),
            operand_batching_dims=(0,) if batched else (),
            start_indices_batching_dims=(0,) if batched else (),
        )
        out = gather(
            move_to_front(x, b) if batched else x,
            _stacked(axis, starts, start_dims),
            dimension_numbers=numbers,
            slice_sizes=(1, *sizes) if batched else sizes,
            mode="clip",
        )
        return out, 0


class DynamicUpdateSlice(Primitive):
    """`x` with the piece that begins at `starts` replaced by `update`. Linear in `x` and `update` together."""

    def infer(self, x: ArrayType, update: ArrayType, *starts: ArrayType) -> ArrayType:
        if x.dtype != update.dtype:
            raise DTypeError(
                f"dynamic_update_slice of {x} needs an update of its dtype, got {update}: cast with astype."
            )
        _check_starts(self.name, x, update.shape, starts)
        return x.update(weak=x.weak and update.weak)

    def impl(self, xp: Any, x: Any, update: Any, *starts: Any) -> Any:
        out = xp.asarray(x, copy=True)
        out[_place(x.shape, update.shape, starts)] = update
        return out

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
        starts = primals[2:]
        out = self(*primals)
        if all(isinstance(t, Zero) for t in tangents[:2]):
            return out, Zero(out.type.tangent())
        return out, self(*map(instantiate, tangents[:2]), *starts)

    def transpose(self, ct: Any, operands: Sequence[Any]) -> Sequence[Any]:
        x, update, *starts = operands
        nothing = [None] * len(starts)
        if isinstance(ct, Zero):
            return [Zero(o.type) if isinstance(o, LinearOperand) else None for o in (x, update)] + nothing
        type = update.type if isinstance(update, LinearOperand) else type_of(update)
        x_ct = self(ct, zeros(type), *starts) if isinstance(x, LinearOperand) else None
        update_ct = dynamic_slice(ct, *starts, sizes=type.shape) if isinstance(update, LinearOperand) else None
        return [x_ct, update_ct, *nothing]

    def batch(self, axis: Any, operands: Sequence[Any], dims: Sequence[Any]) -> tuple[Any, Any]:
        (x, update, *starts), (b, update_dim, *start_dims) = operands, dims
        x, update = move_to_front(x, b, axis.size), move_to_front(update, update_dim, axis.size)
        if all(d is None for d in start_dims):
            return self(x, update, dtypes.as_dtype("int64").type(0), *starts), 0
        up = tuple(range(1, x.ndim))
        numbers = ScatterDimensionNumbers(
            update_window_dims=up,
            inserted_window_dims=(),
            scatter_dims_to_operand_dims=up,
            operand_batching_dims=(0,),
            scatter_indices_batching_dims=(0,),
        )
        indices = _stacked(axis, starts, start_dims)
        return scatter(x, indices, update, dimension_numbers=numbers, mode="clip", unique_indices=True), 0


dynamic_slice = DynamicSlice("dynamic_slice")
dynamic_update_slice = DynamicUpdateSlice("dynamic_update_slice")
