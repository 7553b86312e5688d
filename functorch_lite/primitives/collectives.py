"""Operations along a named axis: sums and maxima over it, and exchanges between its members.

What the axis is made of, the context says: a batch dimension of `vmap`, whose rules these are. A collective whose axis no
trace stands for is an error; one whose operand does not vary along the axis is done all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..array_type import ArrayType
from ..arrays import type_of
from ..errors import DTypeError, ShapeError, UnboundAxisError
from ..primitive import NotDifferentiable, Primitive, ZeroDerivative
from . import elementwise as e
from .slicing import concatenate, iota, slice_
from .structural import broadcast_in_dim, move_batch, move_to_front, reduce_sum, reshape

__all__ = ["all_gather", "axis_index", "pmax", "pmin", "ppermute", "psum", "reduce_scatter"]


class Collective(Primitive):
    """A primitive that speaks of one named axis."""

    def axis_names(self, params: dict[str, Any]) -> frozenset[Any]:
        return frozenset((params["axis_name"],))

    def impl(self, xp: Any, *buffers: Any, axis_name: Any, **params: Any) -> Any:
        raise UnboundAxisError(
            f"{self.name}: no axis is named {axis_name!r} here; name one with vmap(f, axis_name={axis_name!r})."
        )

    def batch(self, axis: Any, operands: Sequence[Any], dims: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        if axis.name == params["axis_name"]:
            return self.along(axis, *operands, *dims, **params)
        (x,), (d,) = operands, dims
        return self.beside(move_to_front(x, d), **params)

    def along(self, axis: Any, x: Any, d: int | None, **params: Any) -> tuple[Any, Any]:
        """The result where `x` has the named axis at position `d` (None: it does not vary along it)."""
        raise NotImplementedError

    def beside(self, x: Any, **params: Any) -> tuple[Any, Any]:
        """The result where `x` has another batch axis, at the front."""
        return self(x, **params), 0


class LinearCollective(Collective):
    """A collective that is linear in its operand."""

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        return self(primals[0], **params), self(tangents[0], **params)


class Psum(LinearCollective):
    """The sum over the axis; its own transpose."""

    def infer(self, x: ArrayType, *, axis_name: Any) -> ArrayType:
        if dtypes.is_bool(x.dtype):
            raise DTypeError(f"psum of {x}: booleans have no sum, cast to an integer dtype first.")
        return x

    def along(self, axis: Any, x: Any, d: int | None, *, axis_name: Any) -> tuple[Any, Any]:
        if d is None:
            return e.mul(x, type_of(x).dtype.type(axis.size)), None
        return reduce_sum(x, axes=(d,)), None

    def transpose(self, ct: Any, operands: Sequence[Any], *, axis_name: Any) -> Sequence[Any]:
        return [self(ct, axis_name=axis_name)]


class _Extreme(NotDifferentiable, Collective):
    """The largest or smallest along the axis."""

    def __init__(self, name: str, of_two: Any):
        super().__init__(name)
        self.of_two = of_two

    def infer(self, x: ArrayType, *, axis_name: Any) -> ArrayType:
        return x

    def along(self, axis: Any, x: Any, d: int | None, *, axis_name: Any) -> tuple[Any, Any]:
        if d is None:
            return x, None
        rows = move_to_front(x, d)
        while rows.shape[0] > 1:  # halve, so that equations grow as the logarithm
            n = rows.shape[0] // 2
            pairs = self.of_two(_rows(rows, 0, n), _rows(rows, n, 2 * n))
            rest = [_rows(rows, 2 * n, 2 * n + 1)] if rows.shape[0] % 2 else []
            rows = concatenate(pairs, *rest, dimension=0) if rest else pairs
        return reshape(rows, shape=rows.shape[1:]), None


def _rows(x: Any, start: int, stop: int) -> Any:
    return slice_(x, start=(start, *(0,) * (x.ndim - 1)), limit=(stop, *x.shape[1:]), strides=(1,) * x.ndim)


class AllGather(LinearCollective):
    """The operands of all members, stacked at `dimension`, or one after the other along it if `tiled`."""

    def infer(self, x: ArrayType, *, axis_name: Any, dimension: int, tiled: bool, size: int) -> ArrayType:
        shape = list(x.shape)
        if tiled:
            shape[dimension] *= size
        else:
            shape.insert(dimension, size)
        return x.update(shape=tuple(shape))

    def along(
        self, axis: Any, x: Any, d: int | None, *, axis_name: Any, dimension: int, tiled: bool, size: int
    ) -> tuple[Any, Any]:
        stacked = move_batch(move_to_front(x, d, axis.size), 0, dimension)
        if not tiled:
            return stacked, None
        shape = stacked.shape
        return reshape(
            stacked, shape=(*shape[:dimension], shape[dimension] * shape[dimension + 1], *shape[dimension + 2 :])
        ), None

    def beside(self, x: Any, *, dimension: int, **params: Any) -> tuple[Any, Any]:
        return self(x, dimension=dimension + 1, **params), 0

    def transpose(self, ct: Any, operands: Sequence[Any], **params: Any) -> Sequence[Any]:
        return [reduce_scatter(ct, **params)]


class ReduceScatter(LinearCollective):
    """The sum over the axis, of which each member gets its part along `dimension`."""

    def infer(self, x: ArrayType, *, axis_name: Any, dimension: int, tiled: bool, size: int) -> ArrayType:
        shape = list(x.shape)
        if tiled:
            if shape[dimension] % size:
                raise ShapeError(f"psum_scatter of {x}: axis {dimension} does not divide into {size} parts.")
            shape[dimension] //= size
        elif shape.pop(dimension) != size:
            raise ShapeError(f"psum_scatter of {x}: axis {dimension} must have length {size}; or set tiled=True.")
        return x.update(shape=tuple(shape))

    def along(
        self, axis: Any, x: Any, d: int | None, *, axis_name: Any, dimension: int, tiled: bool, size: int
    ) -> tuple[Any, Any]:
        total, _ = psum.along(axis, x, d, axis_name=axis_name)
        if not tiled:
            return total, dimension
        shape = total.shape
        parts = (*shape[:dimension], size, shape[dimension] // size, *shape[dimension + 1 :])
        return reshape(total, shape=parts), dimension

    def beside(self, x: Any, *, dimension: int, **params: Any) -> tuple[Any, Any]:
        return self(x, dimension=dimension + 1, **params), 0

    def transpose(self, ct: Any, operands: Sequence[Any], **params: Any) -> Sequence[Any]:
        return [all_gather(ct, **params)]


class Ppermute(LinearCollective):
    """Each pair (source, destination) of `perm` sends; who receives nothing gets zeros."""

    def infer(self, x: ArrayType, *, axis_name: Any, perm: tuple[tuple[int, int], ...]) -> ArrayType:
        return x

    def along(self, axis: Any, x: Any, d: int | None, *, axis_name: Any, perm: Any) -> tuple[Any, Any]:
        rows = move_to_front(x, d, axis.size)
        source = {target: origin for origin, target in perm}
        nothing = broadcast_in_dim(rows.dtype.type(0), shape=(1, *rows.shape[1:]), dims=())
        parts = [_rows(rows, source[i], source[i] + 1) if i in source else nothing for i in range(axis.size)]
        return concatenate(*parts, dimension=0), 0

    def transpose(self, ct: Any, operands: Sequence[Any], *, axis_name: Any, perm: Any) -> Sequence[Any]:
        return [self(ct, axis_name=axis_name, perm=tuple((target, origin) for origin, target in perm))]


class AxisIndex(ZeroDerivative, Collective):
    """Each member's position along the axis."""

    def infer(self, *, axis_name: Any) -> ArrayType:  # type: ignore[override]
        return ArrayType((), np.dtype("int32"))

    def batch(self, axis: Any, operands: Sequence[Any], dims: Sequence[Any], *, axis_name: Any) -> tuple[Any, Any]:  # type: ignore[override]
        return iota(dtype=np.dtype("int32"), shape=(axis.size,), dimension=0), 0


psum = Psum("psum")
pmax = _Extreme("pmax", e.max_)
pmin = _Extreme("pmin", e.min_)
all_gather = AllGather("all_gather")
reduce_scatter = ReduceScatter("reduce_scatter")
ppermute = Ppermute("ppermute")
axis_index = AxisIndex("axis_index")
