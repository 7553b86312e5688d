"""How threads share a scatter. Which way is taken follows from the shapes alone, and so do the pieces: results do not depend on
the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .counting import in_order_of_parts
from .filling import combine, fill
from .functions import Slot, at, combined, counted, lanes_of, load, narrowed, number, store, widened
from .indexing import Axis
from .intrinsics import intrinsic, prefetch
from .memory import LINE, aligned
from .pieces import in_pieces, is_alone, memory, range_of, turns_of
from .types import I1, I64, constant, memory_type

if TYPE_CHECKING:
    from .scattering import ScatterStep

__all__ = ["BYTE", "Batches", "Copies", "SortedTurns", "Way"]

BYTE = np.dtype(np.uint8)
MANY = 4
"""Of so many rows, one at least must be changed for all to be gone over."""
LONG_ROW = 256
"""Where there are more rows than turns, and rows have so many bytes, each piece sorts its own turns: that takes less memory."""
AHEAD = 8
"""The update that comes so many turns later is fetched."""
FETCHED = 512
"""Of an update, that many bytes: the processor notices what follows."""
VECTORS = 8
"""Of a row, so many registers are put together at a time."""
ALIGNED = 16
"""What is stored past the caches must lie at multiples of so many bytes."""
MOST_COPIES, MOST_BYTES = 8, 1 << 18
"""Copies of a result, and bytes of one: a thread's should stay in the cache of a processor."""
FOR_A_COPY = 2
"""So many updates for each element of the result are worth a copy of it."""
WORTH_COPIES = 1 << 16
"""So many updates, at least, are."""


class Way:
    """A way to share a scatter.

    Attributes:
      scratch: bytes of memory that it needs.
      pieces: how many pieces of work there are.
    """

    scratch = 0

    def __init__(self, step: ScatterStep, pieces: int):
        self.step, self.pieces = step, pieces
        self.unit, self.dtype = step.unit, step.dtype

    def write(self, b: Any, pointers: Sequence[Any], scratch: Any) -> None:
        """Append the code; the pointers are those of the operands and the result."""
        raise NotImplementedError

    def some_turns(self, b: Any, pointers: Sequence[Any], k: Any) -> None:
        """The turns of piece k, if pieces follow the first axis of the batch."""
        axis, *rest = self.step.batch
        begin, end = range_of(b, k, -(-axis.length // self.pieces), axis.length)
        with counted(b, end, begin) as i:
            self.step.turns(b, pointers, rest, self.step.moved(b, [number(0)] * 3, axis, i))


class Batches(Way):
    """Scatters into results of their own: a piece does some of them."""

    @classmethod
    def of(cls, step: ScatterStep) -> Way | None:
        if not step.batch or step.batch[0].result == 0:
            return None
        n = step.batch[0].length
        pieces = -(-n // turns_of(n, step.duration))
        return cls(step, pieces) if pieces > 1 else None

    def write(self, b: Any, pointers: Sequence[Any], scratch: Any) -> None:
        self.step.prepare(b, pointers, number(0), number(self.step.rows))
        in_pieces(self.unit, b, self.pieces, pointers, self.some_turns)


class Copies(Way):
    """Many updates of few elements: all pieces but the first have a copy of the result of their own; these are combined in order.

    Sums and products of floats have other bits than those that are taken in the order of the updates.
    """

    @classmethod
    def of(cls, step: ScatterStep) -> Way | None:
        updates = step.equation.operands[2].type.size
        turns = step.batch[0].length if step.batch else 1
        pieces = min(MOST_COPIES, updates // (FOR_A_COPY * step.size), turns)
        pays = updates >= WORTH_COPIES and step.size * step.dtype.itemsize <= MOST_BYTES
        return cls(step, pieces) if step.op is not None and pays and pieces > 1 else None

    def __init__(self, step: ScatterStep, pieces: int):
        super().__init__(step, pieces)
        self.copy = aligned(step.size * step.dtype.itemsize)
        self.scratch = (pieces - 1) * self.copy

    def write(self, b: Any, pointers: Sequence[Any], scratch: Any) -> None:
        step, op = self.step, self.step.op
        assert op is not None
        if op == "add" and self.dtype.kind == "f" and 0 not in step.cleared:  # -0.0 must stay, and -0.0 + 0.0 is 0.0
            step.all_turns(b, pointers)
            return
        step.prepare(b, pointers, number(0), number(step.rows))
        type = self.dtype, step.size
        for k in range(self.pieces - 1):
            fill(self.unit, b, type, op, at(b, scratch, k * self.copy, BYTE))
        in_pieces(self.unit, b, self.pieces, [*pointers, scratch], self.piece)
        for k in range(self.pieces - 1):
            combine(self.unit, b, type, op, pointers[-1], at(b, scratch, k * self.copy, BYTE))

    def piece(self, b: Any, values: Sequence[Any], k: Any) -> None:
        *operands, result, scratch = values
        own = at(b, scratch, b.mul(b.sub(k, number(1)), number(self.copy)), BYTE)
        self.some_turns(b, [*operands, b.select(b.icmp_signed("==", k, number(0)), result, own)], k)


class SortedTurns(Way):
    """Large windows in a large result, by where they go: a piece has some rows of the first axis, which it copies or clears;
    then it does in order what changes them. So what is written lies in a cache by then.

    Where windows are whole rows, and there are enough of them, they are sorted by row, by all pieces together or each on its own:
    each row is put together in registers and written once, past the caches, with one thread too, for going over the memory takes
    the time.
    """

    @classmethod
    def of(cls, step: ScatterStep) -> Way | None:
        length = turns_of(step.rows, step.duration)
        return cls(step, length) if length < step.rows else None

    def __init__(self, step: ScatterStep, length: int):
        super().__init__(step, -(-step.rows // length))
        self.length, self.turns = length, step.batch[0].length
        self.place = np.min_scalar_type(self.turns)
        is_row = step.window_axes == [Axis(step.row_bytes // step.dtype.itemsize, 0, 1, 1)]
        self.by_row = is_row and step.rows <= MANY * self.turns
        at_once = self.by_row and (step.rows <= self.turns or step.row_bytes < LONG_ROW)
        self.later = np.min_scalar_type(length) if self.by_row and not at_once else None
        """Of the rows within a piece, if it sorts its own turns."""
        self.parts = step.rows if at_once else self.pieces
        self.before_rows = aligned(self.place.itemsize * (self.turns + self.parts + 1))
        self.scratch = self.before_rows + (self.turns * self.later.itemsize if self.later else 0)

    def write(self, b: Any, pointers: Sequence[Any], scratch: Any) -> None:
        if self.by_row:
            self.in_parts(b, pointers, scratch, self.rows_of_piece)
            return
        with b.if_else(is_alone(self.unit, b)) as (alone, shared):
            with alone:
                self.step.all_turns(b, pointers)
            with shared:
                self.in_parts(b, pointers, scratch, self.piece)

    def in_parts(self, b: Any, pointers: Sequence[Any], scratch: Any, piece: Callable[..., None]) -> None:
        self.sort_turns(b, pointers, scratch)
        in_pieces(self.unit, b, self.pieces, [*pointers, scratch], piece)

    def sort_turns(self, b: Any, pointers: Sequence[Any], scratch: Any) -> None:
        """Put the turns by the parts whose rows they change, those of a part in their order."""
        ends, rows = self.places_in(b, scratch)

        def each(do: Callable[[Any, Any], None]) -> None:
            with counted(b, self.turns) as turn:
                row, inside = self.row_of(b, pointers, turn)
                with b.if_then(inside):
                    do((turn, row), row if self.parts == self.step.rows else b.udiv(row, number(self.length)))

        def put(k: Any, found: tuple[Any, Any]) -> None:
            turn, row = found
            self.put(b, turn, scratch, k, self.place)
            if self.later is not None:
                self.put(b, b.urem(row, number(self.length)), rows, k, self.later)

        in_order_of_parts(b, each, self.parts, ends, self.place, put)

    def sort_rows(self, b: Any, scratch: Any, piece: Any, turns: Any, ends: Any) -> None:
        """Put the turns of a piece by the rows that they change."""
        ends_of_pieces, rows = self.places_in(b, scratch)
        first, after = self.range_in(b, ends_of_pieces, piece)

        def each(do: Callable[[Any, Any], None]) -> None:
            with counted(b, after, first) as j:
                do(j, self.place_at(b, rows, j, self.later))

        def put(k: Any, j: Any) -> None:
            self.put(b, self.place_at(b, scratch, j), turns, k, self.place)

        in_order_of_parts(b, each, self.length, ends, self.place, put)

    def places_in(self, b: Any, scratch: Any) -> tuple[Any, Any]:
        """Behind the turns in the scratch memory: where the parts begin and end, and the rows of the turns within their pieces."""
        return at(b, scratch, self.turns, self.place), at(b, scratch, self.before_rows, BYTE)

    def put(self, b: Any, value: Any, places: Any, k: Any, dtype: np.dtype) -> None:
        store(b, narrowed(b, value, dtype), at(b, places, k, dtype), dtype)

    def row_of(self, b: Any, pointers: Sequence[Any], turn: Any) -> tuple[Any, Any]:
        """The row where the window of a turn begins, and whether that is inside."""
        _, *indices, _, _ = pointers
        (axis,) = self.step.batch
        return self.step.start(b, indices, b.mul(turn, number(axis.indices)), self.step.starts[0])

    def range_in(self, b: Any, ends: Any, part: Any) -> tuple[Any, Any]:
        """Where the turns of a part begin, and where they end."""
        return self.place_at(b, ends, part), self.place_at(b, ends, b.add(part, number(1)))

    def place_at(self, b: Any, places: Any, k: Any, dtype: np.dtype | None = None) -> Any:
        dtype = dtype or self.place
        return widened(b, load(b, at(b, places, k, dtype), dtype), dtype)

    def piece(self, b: Any, values: Sequence[Any], k: Any) -> None:
        *pointers, scratch = values
        (axis,) = self.step.batch
        self.step.prepare(b, pointers, *range_of(b, k, self.length, self.step.rows))
        first, after = self.range_in(b, self.places_in(b, scratch)[0], k)
        with counted(b, after, first) as j:
            ahead = intrinsic(b, "smin", b.add(j, number(AHEAD)), b.sub(after, number(1)))
            i, next_ = (self.place_at(b, scratch, n) for n in (j, ahead))
            size = self.step.window_axes[-1].length if self.step.window_axes else 1
            self.fetch(b, at(b, pointers[-2], b.mul(next_, number(axis.updates)), self.dtype), size)
            self.step.turns(b, pointers, (), self.step.moved(b, [number(0)] * 3, axis, i))

    def rows_of_piece(self, b: Any, values: Sequence[Any], k: Any) -> None:
        *pointers, scratch = values
        ends, _ = self.places_in(b, scratch)
        begin, end = range_of(b, k, self.length, self.step.rows)
        if self.later is None:
            self.rows(b, [*pointers, scratch], (begin, end), ends, self.place_at(b, ends, end))
            return
        first, after = self.range_in(b, ends, k)
        count, size = b.sub(after, first), self.place.itemsize
        room = memory(self.unit, b, size * (self.length + 1)), memory(self.unit, b, b.mul(count, number(size)))
        with room[0] as own, room[1] as turns:
            self.sort_rows(b, scratch, k, turns, own)
            shifted = at(b, own, b.neg(begin), self.place)
            self.rows(b, [*pointers, turns], (begin, end), shifted, count)

    def rows(self, b: Any, values: Sequence[Any], rows: tuple[Any, Any], ends: Any, last: Any) -> None:
        """Some rows of the result; the last of the values are the turns, sorted by row, and `ends` says where each row's end."""
        *pointers, _ = values
        streams = self.streams(b, pointers)
        begin, end = rows
        with counted(b, end, begin) as row:
            self.row(b, values, row, (*self.range_in(b, ends, row), last), streams)
        b.fence()

    def row(self, b: Any, values: Sequence[Any], row: Any, turns: Sequence[Any], streams: Any) -> None:
        """A row of the result; `turns` says where its turns begin and end, and where those of the piece do."""
        length, block = self.step.window_axes[0].length, VECTORS * lanes_of(self.dtype)
        whole = length // block * block
        if whole:
            with counted(b, whole, step=block) as i:
                self.part_of_row(b, values, row, turns, streams, i, [block])
        if whole < length:
            widths = [block >> n for n in range(1, block.bit_length()) if (length - whole) & (block >> n)]
            self.part_of_row(b, values, row, turns, streams, number(whole), widths)

    def streams(self, b: Any, pointers: Sequence[Any]) -> Any:
        """Whether rows are stored past the caches: they may, and most of them were not just read."""
        x, *_, result = pointers
        if self.step.row_bytes % ALIGNED:
            return constant(I1, 0)
        is_aligned = b.icmp_unsigned("==", b.and_(b.ptrtoint(result, I64), number(ALIGNED - 1)), number(0))
        return is_aligned if 0 in self.step.cleared else b.and_(is_aligned, b.icmp_unsigned("!=", x, result))

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
        x, *_, updates, result, sorted_ = values
        (axis,) = self.step.batch
        first, after, last = turns
        offsets = [sum(widths[:k]) for k in range(len(widths))]
        begin = b.add(b.mul(row, number(self.step.window_axes[0].length)), start)
        before = at(b, x, begin, self.dtype)

        def vectors(pointer: Any) -> list[Any]:
            return [load(b, at(b, pointer, k, self.dtype), self.dtype, n) for k, n in zip(offsets, widths, strict=True)]

        def updates_of(j: Any) -> Any:
            turn = self.place_at(b, sorted_, j)
            return at(b, updates, b.add(b.mul(turn, number(axis.updates)), start), self.dtype)

        zeros = [constant(memory_type(self.dtype, n), 0) for n in widths]
        slots = [Slot(b, v) for v in (zeros if 0 in self.step.cleared else vectors(before))]
        with counted(b, after, first) as j:
            ahead = intrinsic(b, "smin", b.add(j, number(AHEAD)), b.sub(last, number(1)))
            self.fetch(b, updates_of(ahead), sum(widths))
            for slot, new in zip(slots, vectors(updates_of(j)), strict=True):
                slot.set(new if self.step.op is None else combined(b, self.step.op, self.dtype, slot.get(), new))
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
