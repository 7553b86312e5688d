"""The scatter family: writing where data says.

A scatter goes over the vectors of starts in their order, so updates of one element take effect one after the other.
Whatever the starts are, they are tested or clamped before anything is touched.

Large windows in a large result are shared among threads by where they go: a piece has some rows of the first axis, which it
copies or clears, and then does in order what changes them. So results do not depend on the number of threads, and what is
written lies in a cache by then. Where windows are whole rows, and there are enough of them, they are sorted by row: each row
is put together in registers and written once, past the caches, with one thread too, for going over the memory takes the time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from functorch_lite.extend import Equation

from .counting import COUNT, counts_to_starts, increased
from .filling import clear
from .functions import Slot, at, combined, counted, lanes_of, load, number, store, stored_as, widened
from .indexing import Axis, Start, Windows, collapsed, strides_of
from .intrinsics import clear_memory, copy_memory, intrinsic, prefetch
from .pieces import in_pieces, is_alone, range_of, turns_of
from .types import I1, I64, constant, memory_type, parts_of, real_dtype

__all__ = ["ScatterAddStep", "ScatterMaxStep", "ScatterMinStep", "ScatterMulStep", "ScatterStep"]

BYTE, PLACE = np.dtype(np.uint8), np.dtype(np.int32)
WIDE = 64
"""Windows of so many bytes are worth being sorted."""
NEAR = 1 << 20
"""A result of up to so many bytes stays in a cache; then it is best to go over the updates as they lie."""
MANY = 4
"""Of so many rows, one at least must be changed for all to be gone over."""
AHEAD = 8
"""The update that comes so many turns later is fetched."""
FETCHED = 512
"""Of an update, that many bytes: the processor notices what follows."""
LINE = 64
"""Bytes that come from memory together."""
VECTORS = 8
"""Of a row, so many registers are put together at a time."""
ALIGNED = 16
"""What is stored past the caches must lie at multiples of so many bytes."""


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
            turns = self.batch[0].length
            self.place = PLACE if max(turns, self.rows) < np.iinfo(PLACE).max else COUNT
            is_row = self.window_axes == [Axis(self.row_bytes // self.dtype.itemsize, 0, 1, 1)]
            self.by_row = is_row and self.rows <= MANY * turns
            self.parts = self.rows if self.by_row else self.pieces
            self.scratch = self.place.itemsize * (turns + self.parts + 1)

    def write(self, b: Any, operands: Sequence[Any], results: Sequence[Any], scratch: Any) -> None:
        pointers = [*operands, *results]
        if self.pieces == 1:
            self.all_turns(b, pointers)
        elif self.by_row:
            self.in_parts(b, pointers, scratch, self.rows_of_piece)
        else:
            with b.if_else(is_alone(self.unit, b)) as (alone, shared):
                with alone:
                    self.all_turns(b, pointers)
                with shared:
                    self.in_parts(b, pointers, scratch, self.piece)

    def in_parts(self, b: Any, pointers: Sequence[Any], scratch: Any, piece: Callable[..., None]) -> None:
        self.sort_turns(b, pointers[1], scratch)
        in_pieces(self.unit, b, self.pieces, [*pointers, scratch], piece)

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
        """Put the turns by the parts whose rows they change, those of a part in their order; behind them, where each ends."""
        (axis,) = self.batch
        ends = at(b, scratch, axis.length, self.place)
        clear_memory(b, ends, number(self.place.itemsize * (self.parts + 1)))

        def each(do: Callable[[Any, Any], None]) -> None:
            with counted(b, axis.length) as i:
                row, inside = self.start(b, indices, b.mul(i, number(axis.indices)), self.starts[0])
                with b.if_then(inside):
                    part = row if self.by_row else b.udiv(row, number(self.length))
                    do(i, at(b, ends, b.add(part, number(1)), self.place))

        def put(i: Any, end: Any) -> None:
            place = widened(b, increased(b, end, self.place), self.place)
            store(b, b.trunc(i, memory_type(self.place)), at(b, scratch, place, self.place), self.place)

        each(lambda i, end: increased(b, end, self.place))
        total = Slot(b, constant(memory_type(self.place), 0))
        with counted(b, self.parts + 1, 1) as k:
            counts_to_starts(b, at(b, ends, k, self.place), total, self.place)
        each(put)

    def turns_in(self, b: Any, scratch: Any, part: Any) -> tuple[Any, Any]:
        """Where the turns of a part begin, and where they end."""
        ends = at(b, scratch, self.batch[0].length, self.place)
        return self.place_at(b, ends, part), self.place_at(b, ends, b.add(part, number(1)))

    def place_at(self, b: Any, places: Any, k: Any) -> Any:
        return widened(b, load(b, at(b, places, k, self.place), self.place), self.place)

    def piece(self, b: Any, values: Sequence[Any], k: Any) -> None:
        *pointers, scratch = values
        (axis,) = self.batch
        self.prepare(b, pointers, *range_of(b, k, self.length, self.rows))
        first, after = self.turns_in(b, scratch, k)
        with counted(b, after, first) as j:
            ahead = intrinsic(b, "smin", b.add(j, number(AHEAD)), b.sub(after, number(1)))
            i, next_ = (self.place_at(b, scratch, n) for n in (j, ahead))
            size = self.window_axes[-1].length if self.window_axes else 1
            self.fetch(b, at(b, pointers[2], b.mul(next_, number(axis.updates)), self.dtype), size)
            self.turns(b, pointers, (), self.moved(b, [number(0)] * 3, axis, i))

    def rows_of_piece(self, b: Any, values: Sequence[Any], k: Any) -> None:
        scratch = values[-1]
        begin, end = range_of(b, k, self.length, self.rows)
        _, last = self.turns_in(b, scratch, b.sub(end, number(1)))
        length, block = self.window_axes[0].length, VECTORS * lanes_of(self.dtype)
        whole = length // block * block
        streams = self.streams(b, values)
        with counted(b, end, begin) as row:
            turns = (*self.turns_in(b, scratch, row), last)
            if whole:
                with counted(b, whole, step=block) as i:
                    self.part_of_row(b, values, row, turns, streams, i, [block])
            if whole < length:
                widths = [block >> n for n in range(1, block.bit_length()) if (length - whole) & (block >> n)]
                self.part_of_row(b, values, row, turns, streams, number(whole), widths)
        b.fence()

    def streams(self, b: Any, values: Sequence[Any]) -> Any:
        """Whether rows are stored past the caches: they may, and most of them were not just read."""
        x, *_, result, _ = values
        if self.row_bytes % ALIGNED:
            return constant(I1, 0)
        is_aligned = b.icmp_unsigned("==", b.and_(b.ptrtoint(result, I64), number(ALIGNED - 1)), number(0))
        return is_aligned if 0 in self.cleared else b.and_(is_aligned, b.icmp_unsigned("!=", x, result))

    def part_of_row(
        self,
        b: Any,
        values: Sequence[Any],
        row: Any,
        turns: Sequence[Any],
        streams: Any,
        start: Any,
        widths: Sequence[int],
    ) -> None:
        """Vectors of a row of the result from a start on: from turn to turn they stay in registers."""
        x, _, updates, result, scratch = values
        (axis,) = self.batch
        first, after, last = turns
        offsets = [sum(widths[:k]) for k in range(len(widths))]
        begin = b.add(b.mul(row, number(self.window_axes[0].length)), start)
        before = at(b, x, begin, self.dtype)

        def vectors(pointer: Any) -> list[Any]:
            return [load(b, at(b, pointer, k, self.dtype), self.dtype, n) for k, n in zip(offsets, widths, strict=True)]

        def updates_of(j: Any) -> Any:
            turn = self.place_at(b, scratch, j)
            return at(b, updates, b.add(b.mul(turn, number(axis.updates)), start), self.dtype)

        zeros = [constant(memory_type(self.dtype, n), 0) for n in widths]
        slots = [Slot(b, v) for v in (zeros if 0 in self.cleared else vectors(before))]
        with counted(b, after, first) as j:
            ahead = intrinsic(b, "smin", b.add(j, number(AHEAD)), b.sub(last, number(1)))
            self.fetch(b, updates_of(ahead), sum(widths))
            for slot, new in zip(slots, vectors(updates_of(j)), strict=True):
                slot.set(new if self.op is None else combined(b, self.op, self.dtype, slot.get(), new))
        after_all = at(b, result, begin, self.dtype)
        with b.if_else(streams) as (past, through):
            for way in (past, through):
                with way:
                    for k, slot in zip(offsets, slots, strict=True):
                        place = at(b, after_all, k, self.dtype)
                        if way is past:
                            b.store_nontemporal(slot.get(), place, ALIGNED)
                        else:
                            store(b, slot.get(), place, self.dtype)

    def fetch(self, b: Any, update: Any, length: int) -> None:
        """Have the processor get an update from memory, which it could not know that it will need."""
        for start in range(0, min(length * self.dtype.itemsize, FETCHED), LINE):
            prefetch(b, at(b, update, start, BYTE))


class ScatterAddStep(ScatterStep):
    op = "add"


class ScatterMaxStep(ScatterStep):
    op = "max"


class ScatterMinStep(ScatterStep):
    op = "min"


class ScatterMulStep(ScatterStep):
    op = "mul"
