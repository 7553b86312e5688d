"""Static pieces of arrays: slice and pad (each other's adjoint), reverse, concatenate, iota.

Pieces whose place is known only at run time are in `dynamic_slicing`, and single elements in `gathering`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

import numpy as np

from .. import dtypes
from ..array_type import ArrayType, Dim, Shape
from ..arrays import type_of
from ..errors import ArgumentTypeError, DTypeError, ShapeError
from ..primitive import LinearOperand, Primitive, Zero, ZeroDerivative
from .elementwise import select
from .structural import Structural, broadcast_in_dim, instantiate, move_to_front, reduce_sum, zeros

__all__ = ["PadConfig", "concatenate", "iota", "pad", "rev", "slice_"]

PadConfig = tuple[tuple[int, int, int], ...]
"""Per axis: how many elements before, after and between the operand's. Before and after may be negative: they cut."""


def _inserted(items: tuple[Any, ...], i: int, item: Any) -> tuple[Any, ...]:
    """`items` with one more, at position `i`."""
    return (*items[:i], item, *items[i:])


class Slice(Structural):
    """The elements from `start` up to (not with) `limit` along each axis, every `strides`-th of them (None: all)."""

    may_alias = True

    def infer(
        self, x: ArrayType, *, start: tuple[Any, ...], limit: tuple[Any, ...], strides: tuple[int, ...] | None = None
    ) -> ArrayType:
        steps = strides or (1,) * x.ndim
        if not len(start) == len(limit) == len(steps) == x.ndim:
            raise ShapeError(
                f"slice of {x}: start {start}, limit {limit} and strides {strides} need {x.ndim} items each."
            )
        lengths = []
        for n, a, b, step in zip(x.shape, start, limit, steps, strict=True):
            if b is n and a == 0 and step == 1:
                lengths.append(n)
                continue
            if Dim in (type(n), type(a), type(b)) or not (0 <= a <= b <= n and step >= 1):
                raise ShapeError(
                    f"slice of {x} from {start} to {limit} in steps of {steps}: needs 0 <= start <= limit <= length "
                    "and positive steps, and a length that is known unless all is taken."
                )
            lengths.append(-((a - b) // step))
        return x.update(shape=tuple(lengths))

    def element(self, at: Any, index: Any, *, start: Any, limit: Any, strides: Any = None) -> Any:  # type: ignore[override]
        steps = strides or (1,) * len(start)
        return at.operand(0, [i * step + a for i, a, step in zip(index, start, steps, strict=True)])

    def impl(self, xp: Any, x: Any, **params: Any) -> Any:
        return self.kernel(xp, (), params)(x)

    def kernel(self, xp: Any, types: Sequence[ArrayType], params: Mapping[str, Any]) -> Callable[..., Any]:
        start, limit = params["start"], params["limit"]
        return itemgetter(tuple(map(slice, start, limit, params.get("strides") or (1,) * len(start))))

    def transpose(
        self, ct: Any, operands: Sequence[Any], *, start: Any, limit: Any, strides: Any = None
    ) -> Sequence[Any]:
        x = operands[0].type
        steps = strides or (1,) * x.ndim
        config = tuple(
            (0, 0, 0) if m is n else (a, n - a - (m + (m - 1) * (step - 1) if m else 0), step - 1)
            for n, m, a, step in zip(x.shape, ct.shape, start, steps, strict=True)
        )
        return [pad(ct, ct.dtype.type(0), config=config)]

    def batch(
        self, axis: Any, operands: Any, dims: Any, *, start: Any, limit: Any, strides: Any = None
    ) -> tuple[Any, Any]:
        (x,), (b,) = operands, dims
        out = self(
            x,
            start=_inserted(start, b, 0),
            limit=_inserted(limit, b, x.shape[b]),
            strides=None if strides is None else _inserted(strides, b, 1),
        )
        return out, b


class Pad(Primitive):
    """The operand with a value before, after and between its elements.

    Element i of an axis padded by (low, high, interior) goes to low + i (interior + 1); negative low or high cut off.
    """

    def infer(self, x: ArrayType, value: ArrayType, *, config: PadConfig) -> ArrayType:
        if x.dtype != value.dtype or value.shape:
            raise DTypeError(f"pad of {x} needs a value of rank 0 and its dtype, got {value}: cast with astype.")
        if len(config) != x.ndim or any(interior < 0 for _, _, interior in config):
            raise ShapeError(
                f"pad of {x} needs (low, high, interior >= 0) for each of its {x.ndim} axes, got {config}."
            )
        lengths = tuple(_padded(n, *c) for n, c in zip(x.shape, config, strict=True))
        if any(type(n) is not Dim and n < 0 for n in lengths):
            raise ShapeError(f"pad of {x} by {config} cuts off more than there is: the shape would be {lengths}.")
        return ArrayType(lengths, x.dtype, x.weak and value.weak)

    def element(self, at: Any, index: Any, *, config: PadConfig) -> Any:  # type: ignore[override]
        places, mask = [], None
        for i, n, (low, _, interior) in zip(index, at.types[0].shape, config, strict=True):
            place, found = at.divided(i - low, interior + 1)
            places.append(place)
            mask = at.both(mask, at.both(found, at.inside(place, 0, n)))
        value = at.operand(1, ())
        return at.operand(0, places) if mask is None else at.where(mask, lambda: at.operand(0, places), lambda: value)

    def impl(self, xp: Any, x: Any, value: Any, *, config: PadConfig) -> Any:
        out = xp.empty(tuple(_padded(n, *c) for n, c in zip(x.shape, config, strict=True)), dtype=x.dtype)
        out[...] = value
        source, target = [], []
        for n, length, (low, _, interior) in zip(x.shape, out.shape, config, strict=True):
            step = interior + 1
            first = max(0, -(low // step))
            last = min(n, -((low - length) // step))  # the first element that falls behind the end
            if first >= last:
                return out
            source.append(slice(first, last))
            target.append(slice(low + first * step, low + (last - 1) * step + 1, step))
        out[tuple(target)] = x[tuple(source)]
        return out

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], *, config: PadConfig) -> tuple[Any, Any]:
        x_dot, value_dot = tangents
        value_dot = primals[1].dtype.type(0) if isinstance(value_dot, Zero) else value_dot
        return self(*primals, config=config), self(instantiate(x_dot), value_dot, config=config)

    def transpose(self, ct: Any, operands: Sequence[Any], *, config: PadConfig) -> Sequence[Any]:
        if isinstance(ct, Zero):
            return [Zero(x.type) if isinstance(x, LinearOperand) else None for x in operands]
        x, value = operands
        cts: list[Any] = [None, None]
        type = x.type if isinstance(x, LinearOperand) else type_of(x)
        if isinstance(x, LinearOperand):
            uncut = self(ct, ct.dtype.type(0), config=tuple((-low, -high, 0) for low, high, _ in config))
            steps = tuple(interior + 1 for _, _, interior in config)
            cts[0] = uncut
            if any(step > 1 for step in steps):
                cts[0] = slice_(uncut, start=(0,) * type.ndim, limit=uncut.shape, strides=steps)
        if isinstance(value, LinearOperand):
            around = select(self.around(type, config), ct.dtype.type(0), ct)
            cts[1] = reduce_sum(around, axes=tuple(range(type.ndim)))
        return cts

    def around(self, type: ArrayType, config: PadConfig) -> Any:
        """Where the result of padding an operand of `type` holds the value."""
        return self(zeros(type.update(dtype=dtypes.bool_)), np.True_, config=config)

    def batch(self, axis: Any, operands: Any, dims: Any, *, config: PadConfig) -> tuple[Any, Any]:
        (x, value), (b, value_dim) = operands, dims
        if value_dim is None:
            return self(x, value, config=_inserted(config, b, (0, 0, 0))), b
        x = move_to_front(x, b, axis.size)
        config = ((0, 0, 0), *config)
        padded = self(x, x.dtype.type(0), config=config)
        values = broadcast_in_dim(value, shape=padded.shape, dims=(0,))
        return select(self.around(type_of(x), config), padded, values), 0


def _padded(n: Any, low: int, high: int, interior: int) -> Any:
    """The length of an axis of length `n` after padding."""
    if type(n) is Dim:
        if low or high or interior:
            raise ShapeError(f"pad cannot lengthen an axis whose length {n} is known only at run time.")
        return n
    return n + low + high + max(n - 1, 0) * interior


class Rev(Structural):
    """The elements in reverse order along `dimensions`."""

    may_alias = True

    def infer(self, x: ArrayType, *, dimensions: tuple[int, ...]) -> ArrayType:
        if len(set(dimensions)) != len(dimensions) or not all(0 <= d < x.ndim for d in dimensions):
            raise ShapeError(f"rev of {x} along {dimensions}: need distinct axes between 0 and {x.ndim - 1}.")
        return x

    def element(self, at: Any, index: Any, *, dimensions: tuple[int, ...]) -> Any:  # type: ignore[override]
        lengths = at.types[0].shape
        return at.operand(0, [i * -1 + (lengths[k] - 1) if k in dimensions else i for k, i in enumerate(index)])

    def impl(self, xp: Any, x: Any, *, dimensions: tuple[int, ...]) -> Any:
        backwards, whole = slice(None, None, -1), slice(None)
        return x[tuple(backwards if i in dimensions else whole for i in range(len(x.shape)))]

    def transpose(self, ct: Any, operands: Sequence[Any], *, dimensions: tuple[int, ...]) -> Sequence[Any]:
        return [self(ct, dimensions=dimensions)]

    def batch(self, axis: Any, operands: Any, dims: Any, *, dimensions: tuple[int, ...]) -> tuple[Any, Any]:
        b = dims[0]
        return self(operands[0], dimensions=tuple(d + (d >= b) for d in dimensions)), b


class Concatenate(Primitive):
    """Operands one after the other along the axis `dimension`; their other lengths are equal."""

    def infer(self, *types: ArrayType, dimension: int) -> ArrayType:
        if not types:
            raise ArgumentTypeError("concatenate needs at least one array.")
        first = types[0]
        names = ", ".join(map(str, types))
        if any(t.dtype != first.dtype for t in types):
            raise DTypeError(f"concatenate needs operands of one dtype, got {names}: cast with astype.")
        if not 0 <= dimension < first.ndim:
            raise ShapeError(f"concatenate of {names} along axis {dimension}: there is no such axis.")
        rest = [_without(t.shape, dimension) for t in types]
        if any(t.ndim != first.ndim or r != rest[0] for t, r in zip(types, rest, strict=True)):
            raise ShapeError(f"concatenate of {names} along axis {dimension}: all other lengths must be equal.")
        if len(types) == 1:
            return first
        length = sum(t.shape[dimension] for t in types)
        return ArrayType(
            (*first.shape[:dimension], length, *first.shape[dimension + 1 :]), first.dtype, all(t.weak for t in types)
        )

    def element(self, at: Any, index: Any, *, dimension: int) -> Any:  # type: ignore[override]
        def part(k: int, begin: int) -> Any:
            place = [i - begin if d == dimension else i for d, i in enumerate(index)]
            end = begin + at.types[k].shape[dimension]
            if k + 1 == len(at.types):
                return at.operand(k, place)
            inside = at.inside(index[dimension], None, end)
            return at.where(inside, lambda: at.operand(k, place), lambda: part(k + 1, end))

        return part(0, 0)

    def impl(self, xp: Any, *buffers: Any, dimension: int) -> Any:
        return xp.concat(buffers, axis=dimension)

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], *, dimension: int) -> tuple[Any, Any]:
        return self(*primals, dimension=dimension), self(*map(instantiate, tangents), dimension=dimension)

    def transpose(self, ct: Any, operands: Sequence[Any], *, dimension: int) -> Sequence[Any]:
        cts: list[Any] = []
        begin = 0
        for x in operands:
            type = x.type if isinstance(x, LinearOperand) else type_of(x)
            end = begin + type.shape[dimension]
            if not isinstance(x, LinearOperand) or isinstance(ct, Zero):
                cts.append(Zero(type) if isinstance(x, LinearOperand) else None)
            else:
                start = tuple(begin if i == dimension else 0 for i in range(type.ndim))
                limit = tuple(end if i == dimension else n for i, n in enumerate(ct.shape))
                cts.append(slice_(ct, start=start, limit=limit))
            begin = end
        return cts

    def batch(self, axis: Any, operands: Sequence[Any], dims: Sequence[Any], *, dimension: int) -> tuple[Any, Any]:
        b = dims[0]
        if b is not None and all(d == b for d in dims):
            return self(*operands, dimension=dimension + (dimension >= b)), b
        moved = [move_to_front(x, d, axis.size) for x, d in zip(operands, dims, strict=True)]
        return self(*moved, dimension=dimension + 1), 0


def _without(shape: Shape, i: int) -> Shape:
    return shape[:i] + shape[i + 1 :]


class Iota(ZeroDerivative, Primitive):
    """0, 1, 2, ... along the axis `dimension` of an array of the given shape; constant along the others."""

    def infer(self, *, dtype: Any, shape: Shape, dimension: int) -> ArrayType:
        if not dtypes.is_numeric(dtype):
            raise DTypeError(f"iota needs a numeric dtype, got {dtype}.")
        if not 0 <= dimension < len(shape):
            raise ShapeError(f"iota of shape {shape} along axis {dimension}: there is no such axis.")
        return ArrayType(shape, dtype)

    def element(self, at: Any, index: Any, *, dtype: Any, shape: Shape, dimension: int) -> Any:  # type: ignore[override]
        return at.number(index[dimension], dtype)

    def impl(self, xp: Any, *, dtype: Any, shape: Shape, dimension: int) -> Any:
        line = xp.astype(xp.arange(shape[dimension]), dtype)
        return xp.broadcast_to(xp.reshape(line, (-1, *(1,) * (len(shape) - dimension - 1))), shape)

    def batch(self, axis: Any, operands: Any, dims: Any, **params: Any) -> tuple[Any, Any]:
        return self(**params), None


slice_ = Slice("slice")
pad = Pad("pad")
rev = Rev("rev")
concatenate = Concatenate("concatenate")
iota = Iota("iota")
