"""The scatter family: writing where data says.

A scatter goes over the vectors of starts in their order, so updates of one element take effect one after the other.
Whatever the starts are, they are tested or clamped before anything is touched.

Large windows in a large result are shared among threads by where they go: a piece has some rows of the first axis, which it
copies or clears, and then does in order what changes them. So results do not depend on the number of threads, and what is
written lies in a cache by then.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from functorch_lite.extend import Equation

from .counting import counts_to_starts, increased
from .filling import clear
from .functions import Slot, at, counted, load, number, store, stored_as, widened
from .indexing import Axis, Start, Windows, collapsed, strides_of
from .intrinsics import clear_memory, copy_memory, intrinsic, prefetch
from .pieces import in_pieces, is_alone, range_of, turns_of
from .types import I1, constant, parts_of, real_dtype

__all__ = ["ScatterAddStep", "ScatterMaxStep", "ScatterMinStep", "ScatterMulStep", "ScatterStep"]

BYTE, PLACE = np.dtype(np.uint8), np.dtype(np.int64)
WIDE = 64
"""Windows of so many bytes are worth being sorted."""
NEAR = 1 << 20
"""A result of up to so many bytes stays in a cache; then it is best to go over the updates as they lie."""
AHEAD = 4
"""The update that comes so many turns later is fetched."""
FETCHED = 512
"""Of an update, that many bytes: the processor notices what follows."""
LINE = 64
"""Bytes that come from memory together."""


class ScatterStep(Windows):
    """`scatter` and its kin. A window that is promised to lie inside, and does not, is left out."""

    clears = (0,)

    def __init__(self, unit: Any, equation: Equation):
        super().__init__(unit, equation)
        x, indices, updates = (a.type for a in equation.operands)
        numbers = equation.params["dimension_numbers"]
        self.dtype, self.index_dtype, parts = stored_as(real_dtype(x.dtype)), indices.dtype, parts_of(x.dtype)
        strides, update_strides = strides_of(x.shape, parts), strides_of(updates.shape, parts)
        windows = numbers.update_window_dims
        left_out = (*numbers.inserted_window_dims, *numbers.operand_batching_dims)
        kept = [a for a in range(x.ndim) if a not in left_out]
        sizes = {a: updates.shape[d] for a, d in zip(kept, windows, strict=True)}
        window = [Axis(sizes[a], 0, update_strides[d], strides[a]) for a, d in zip(kept, windows, strict=True)]
        self.window_axes = collapsed([*window, Axis(parts, 0, 1, 1)])
        along = dict(zip(numbers.scatter_indices_batching_dims, numbers.operand_batching_dims, strict=True))
        batch_dims = [d for d in range(updates.ndim) if d not in windows]
        self.batch = collapsed(
            [
                Axis(updates.shape[d], n, update_strides[d], strides[along[k]] if k in along else 0)
                for k, (d, n) in enumerate(zip(batch_dims, strides_of(indices.shape), strict=False))
            ]
        )
        self.starts = {
            a: Start(k, x.shape[a] - sizes.get(a, 1), strides[a])
            for k, a in enumerate(numbers.scatter_dims_to_operand_dims)
        }
        self.rows = max(x.shape[:1], default=1)
        self.row_bytes = x.size // self.rows * x.dtype.itemsize
        is_wide = math.prod(sizes.values()) * x.dtype.itemsize >= WIDE and x.size * x.dtype.itemsize > NEAR
        goes_to_rows = [a.result for a in self.batch] == [0] and 0 in self.starts and sizes.get(0, 1) == 1
        self.length = turns_of(self.rows, self.duration) if is_wide and goes_to_rows else self.rows
        self.pieces = -(-self.rows // self.length)
        if self.pieces > 1:
            self.scratch = PLACE.itemsize * (self.batch[0].length + self.pieces + 1)

    def write(self, b: Any, operands: Sequence[Any], results: Sequence[Any], scratch: Any) -> None:
        pointers = [*operands, *results]
        if self.pieces == 1:
            self.all_turns(b, pointers)
            return
        with b.if_else(is_alone(self.unit, b)) as (alone, shared):
            with alone:
                self.all_turns(b, pointers)
            with shared:
                self.sort_turns(b, operands[1], scratch)
                in_pieces(self.unit, b, self.pieces, [*pointers, scratch], self.piece)

    def all_turns(self, b: Any, pointers: Sequence[Any]) -> None:
        self.prepare(b, pointers, number(0), number(self.rows))
        self.turns(b, pointers, self.batch, [number(0)] * 3)

    def prepare(self, b: Any, pointers: Sequence[Any], begin: Any, end: Any) -> None:
        """Have in some rows of the result what the first operand has there, if that is not the same memory."""
        start, size = (b.mul(n, number(self.row_bytes)) for n in (begin, b.sub(end, begin)))
        source, target = (at(b, p, start, BYTE) for p in (pointers[0], pointers[-1]))
        if 0 in self.cleared:
            clear(self.unit, b, target, size)
            return
        with b.if_then(b.icmp_unsigned("!=", source, target)):
            copy_memory(b, target, source, size)

    def turns(self, b: Any, pointers: Sequence[Any], axes: Sequence[Axis], places: Sequence[Any]) -> None:
        """All updates of a batch; `places` are where it begins in the indices, the updates, and the result."""
        if axes:
            with counted(b, axes[0].length) as i:
                self.turns(b, pointers, axes[1:], self.moved(b, places, axes[0], i))
            return
        _, indices, updates, result = pointers
        here, source, target = places
        inside: Any = constant(I1, 1)
        for start in self.starts.values():
            place, fits = self.start(b, indices, here, start)
            target = b.add(target, b.mul(place, number(start.stride)))
            inside = b.and_(inside, fits)
        with b.if_then(inside):
            addresses = at(b, result, target, self.dtype), at(b, updates, source, self.dtype)
            self.window(b, self.window_axes, *addresses, self.dtype)

    def moved(self, b: Any, places: Sequence[Any], axis: Axis, i: Any) -> list[Any]:
        return [b.add(p, b.mul(i, number(n))) for p, n in zip(places, axis[1:], strict=True)]

    def start(self, b: Any, indices: Any, vector: Any, start: Start) -> tuple[Any, Any]:
        """A component of the vector of a start, and whether the window is inside."""
        place = at(b, indices, b.add(vector, number(start.component)), self.index_dtype)
        found = widened(b, load(b, place, self.index_dtype), self.index_dtype)
        if self.equation.params.get("mode", "fill") == "clip":
            return self.clamped(b, found, start.last), constant(I1, 1)
        return found, b.icmp_unsigned("<=", found, number(start.last))

    def sort_turns(self, b: Any, indices: Any, scratch: Any) -> None:
        """Put the turns by the pieces whose rows they change, those of a piece in their order; behind them, where each ends."""
        (axis,) = self.batch
        ends = at(b, scratch, axis.length, PLACE)
        clear_memory(b, ends, number(PLACE.itemsize * (self.pieces + 1)))

        def each(do: Callable[[Any, Any], None]) -> None:
            with counted(b, axis.length) as i:
                row, inside = self.start(b, indices, b.mul(i, number(axis.indices)), self.starts[0])
                with b.if_then(inside):
                    k = b.add(b.udiv(row, number(self.length)), number(1))
                    do(i, at(b, ends, k, PLACE))

        each(lambda i, end: increased(b, end))
        total = Slot(b, number(0))
        with counted(b, self.pieces + 1, 1) as k:
            counts_to_starts(b, at(b, ends, k, PLACE), total)
        each(lambda i, end: store(b, i, at(b, scratch, increased(b, end), PLACE), PLACE))

    def piece(self, b: Any, values: Sequence[Any], k: Any) -> None:
        *pointers, scratch = values
        (axis,) = self.batch
        self.prepare(b, pointers, *range_of(b, k, self.length, self.rows))
        ends = at(b, scratch, axis.length, PLACE)
        first, after = (load(b, at(b, ends, n, PLACE), PLACE) for n in (k, b.add(k, number(1))))
        last = b.sub(after, number(1))
        with counted(b, after, first) as j:
            ahead = intrinsic(b, "smin", b.add(j, number(AHEAD)), last)
            i, next_ = (load(b, at(b, scratch, n, PLACE), PLACE) for n in (j, ahead))
            self.fetch(b, at(b, pointers[2], b.mul(next_, number(axis.updates)), self.dtype))
            self.turns(b, pointers, (), self.moved(b, [number(0)] * 3, axis, i))

    def fetch(self, b: Any, update: Any) -> None:
        """Have the processor get an update from memory, which it could not know that it will need."""
        size = self.window_axes[-1].length * self.dtype.itemsize if self.window_axes else self.dtype.itemsize
        for start in range(0, min(size, FETCHED), LINE):
            prefetch(b, at(b, update, start, BYTE))


class ScatterAddStep(ScatterStep):
    op = "add"


class ScatterMaxStep(ScatterStep):
    op = "max"


class ScatterMinStep(ScatterStep):
    op = "min"


class ScatterMulStep(ScatterStep):
    op = "mul"
