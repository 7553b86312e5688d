"""Convolution as direct loops around a tile of registers: no matrices of patches, no BLAS.

A tile is a few positions of the result (a box in batch and space) by one or several vectors of outputs. For each tap (a
channel and an element of the window) the vectors of the filters are loaded, and each position's element of x is
multiplied by them. Which element that is, relative to the tile's first, is known beforehand: for positions numbers in
the code, for taps a table. Filters are packed in the order in which tiles read them; x is read where it lies, or, if it
needs zeros around or between its elements, from a copy. Finished tiles are transposed in registers, so that rows of the
result are written whole.

Taps are taken in chunks whose filters fit the cache; sums between chunks stay in the tiles' form. If the filters are
larger than the result (they are a cotangent, in the gradient by the filters), the chunks are the outer loop.

Operands may lie in memory in any order: see `views.View`. So the two gradients, which are convolutions with axes
exchanged or turned round, need no copies of their operands.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir

from functorch_lite.extend import Equation

from . import engine
from .grids import address, counted, nested, total
from .phases import Part, phases
from .pieces import in_pieces, memory, range_of, turns_of
from .steps import STEPS, Step
from .types import I1, I8, I32, I64, PTR, constant, register_type, splat
from .unit import Unit
from .vectors import first_lanes, fma, intrinsic, load, load_apart, run_mask, square, store
from .views import View, row_major

__all__ = ["ConvStep", "Convolution"]

TAPS = 1 << 11
"""Up to so many taps are one chunk."""
FILTERS = 1 << 18
"""Bytes of packed filters in a chunk, where chunks are the outer loop."""
SPEED = 50
"""Multiplications of a thread in a nanosecond, of 4 bytes."""
PIECE = 40e3
"""Nanoseconds of work that a piece has at least."""
LARGEST = 1 << 28
"""Arrays of so many elements are left to NumPy: places are 32-bit numbers."""


class Tile(NamedTuple):
    """vectors of outputs, and the box of positions (batch, *space)."""

    vectors: int
    box: tuple[int, ...]


def choose_tile(positions: Sequence[int], vectors: int, registers: int) -> Tile:
    """The tile with which the loops take the fewest instructions."""
    best, least = None, math.inf
    for v in range(1, min(vectors, 4) + 1):
        for box in boxes(positions, (registers - 2 - v) // v):
            size = math.prod(box)
            count = math.prod(-(-n // t) for n, t in zip(positions, box, strict=True)) * -(-vectors // v)
            cost = count * (max(v * size, 8) + (v + size) / 4 + 1 + size / box[-1] / 8)
            if cost < least:
                best, least = Tile(v, box), cost
    assert best is not None
    return best


def boxes(positions: Sequence[int], room: int) -> Iterator[tuple[int, ...]]:
    """Boxes of up to `room` positions: they reach into an axis outside the last two only if they fill those."""
    if len(positions) == 1:
        yield from ((t,) for t in range(1, min(positions[0], room) + 1))
        return
    outside, (n, m) = positions[:-2], positions[-2:]
    ones = (1,) * len(outside)
    for u in range(1, min(m, room) + 1):
        yield from ((*ones, t, u) for t in range(1, min(n, room // u) + 1))
    if outside and n * m <= room:
        yield from ((*outer, n, m) for outer in boxes(outside, room // (n * m)))


class _Axis(NamedTuple):
    """An axis of space: lengths of x, window and result, and how they meet."""

    n: int
    window: int
    out: int
    stride: int
    low: int
    lhs: int
    rhs: int

    @property
    def span(self) -> int:
        """How much of the dilated and padded x is read."""
        return (self.out - 1) * self.stride + (self.window - 1) * self.rhs + 1

    @property
    def needs_copy(self) -> bool:
        return (self.lhs > 1 and self.n > 1) or self.low > 0 or self.span - self.low > self.n

    @property
    def kept(self) -> tuple[int, int]:
        """The elements of x that are read: the first, and the one behind the last."""
        first = max(0, -(self.low // self.lhs))
        return first, max(first, min(self.n, (self.span - 1 - self.low) // self.lhs + 1))


class _Chunk(NamedTuple):
    """Some taps: the first channel and row of the window, and how many of each."""

    number: Any
    channel: Any
    row: Any
    sizes: list[Any]

    def values(self) -> list[Any]:
        return [self.number, self.channel, self.row, *self.sizes]

    @classmethod
    def of(cls, values: Sequence[Any]) -> _Chunk:
        return cls(*values[:3], list(values[3:]))


class _Memory(NamedTuple):
    """Where in the scratch memory what lies."""

    filters: Any
    table: Any
    copied: Any
    sums: Any


class Convolution:
    """Emits `void conv(ptr x, ptr w, ptr out, ptr scratch)` into a unit.

    Attributes:
      function: the LLVM function.
      scratch: how many bytes it needs.
    """

    def __init__(self, unit: Unit, dtype: np.dtype, x: View, w: View, out: View, params: dict[str, Any]):
        self.unit, self.dtype, self.x, self.w, self.out = unit, dtype, x, w, out
        self.groups = params["groups"]
        self.channels, self.outputs = w.shape[1], w.shape[0] // self.groups
        low = [a for a, _ in params["padding"]]
        rows: Any = zip(
            x.shape[2:],
            w.shape[2:],
            out.shape[2:],
            params["strides"],
            low,
            params["lhs_dilation"],
            params["rhs_dilation"],
            strict=True,
        )
        self.axes = [_Axis(*row) for row in rows]  # type: ignore[call-arg]
        self.scalar = register_type(dtype)
        self.size = dtype.itemsize
        self.lanes = engine.vector_bytes() // self.size
        while self.lanes > 4 and self.lanes // 2 >= self.outputs:
            self.lanes //= 2
        self.vector = ir.VectorType(self.scalar, self.lanes)
        self.positions = (x.shape[0], *(a.out for a in self.axes))
        self.tile = choose_tile(
            self.positions, -(-self.outputs // self.lanes), 32 if engine.vector_bytes() == 64 else 16
        )
        self.block = self.tile.vectors * self.lanes
        self.blocks = -(-self.outputs // self.block)
        self.grid = [-(-n // t) for n, t in zip(self.positions, self.tile.box, strict=True)]
        self.room = -(-math.prod(self.tile.box) // self.lanes) * self.lanes * self.block
        self.choose_chunks()
        self.choose_memory()
        self.choose_shares()
        moves = (
            self.source.strides[0],
            *(s * a.stride for s, a in zip(self.source.strides[2:], self.axes, strict=True)),
        )
        self.tile_function = self.shared("tile", moves, self.emit_tile)
        self.write_function = self.shared("write", (out.strides[0], *out.strides[2:]), self.emit_write)
        self.function = self.emit()

    # Plans.

    def choose_chunks(self) -> None:
        """How many channels, and how much of the window's first axis, a chunk has."""
        window = [a.window for a in self.axes]
        all_filters, result = self.channels * math.prod(window) * self.outputs, math.prod(self.positions) * self.outputs
        self.chunks_outside = all_filters > result
        limit = min(TAPS, FILTERS // (self.blocks * self.block * self.size)) if self.chunks_outside else TAPS
        area = math.prod(window)
        self.chunk = [self.channels, *window]
        if area <= limit or not window:
            self.chunk[0] = min(self.channels, max(1, limit // area))
        else:
            self.chunk[:2] = [1, max(1, limit // math.prod(window[1:]))]
        self.steps = [-(-n // c) for n, c in zip((self.channels, *window), self.chunk, strict=True)][:2]
        self.taps = math.prod(self.chunk)
        self.area = math.prod(self.chunk[1:])
        self.chunks = math.prod(self.steps)

    def choose_memory(self) -> None:
        """The copy of x, if it needs one, and what lies where in the scratch memory."""
        self.copies = any(a.needs_copy for a in self.axes)
        self.source = self.x
        if self.copies:
            shape = (self.tile.box[0], self.chunk[0], *(a.span for a in self.axes))
            strides = list(row_major(shape).strides)
            line = 64 // self.size
            strides[1] = (-(-strides[1] // line) | 1) * line  # channels fall into different sets of the cache
            strides[0] = self.chunk[0] * strides[1]
            self.source = View(shape, tuple(strides))
        self.needs = _Memory(
            self.taps * self.block * self.blocks * (1 if self.chunks_outside else self.chunks) * self.size,
            4 * self.taps,
            self.source.shape[0] * self.source.strides[0] * self.size if self.copies else 0,
            self.room * self.count_of_tiles * self.size,
        )
        """Bytes."""
        self.scratch = sum(_aligned(n) for n in self.needs)

    @property
    def count_of_tiles(self) -> int:
        """How many tiles are under way at a time."""
        if self.chunks == 1:
            return 1
        each = self.blocks * math.prod(self.grid[1:])
        return each * self.grid[0] if self.chunks_outside else each

    @property
    def duration(self) -> float:
        """About how many nanoseconds one thread takes for a group."""
        taps = self.channels * math.prod(a.window for a in self.axes)
        return math.prod(self.positions) * self.blocks * self.block * taps * self.size / 4 / SPEED

    def choose_shares(self) -> None:
        """How many parts of the batch a thread does at a time: all of them if it is little work, or there is only one. Then
        threads may share what a part is made of: lines of tiles."""
        n, lines = self.grid[0], self.blocks * math.prod(self.grid[1:2])
        self.batch_turns = turns_of(n, self.duration / (self.chunks if self.chunks_outside else 1), PIECE)
        self.shares_batch = self.batch_turns < n
        self.line_turns = lines if self.shares_batch else turns_of(lines, self.duration / self.chunks / n, PIECE)

    # The tile.

    def shared(self, what: str, strides: Sequence[int], make: Any) -> Any:
        """A function of the tile, which others of the same form share; it is made from the places of its positions."""
        places = tuple(
            sum(i * s for i, s in zip(at, strides, strict=True)) for at in itertools.product(*map(range, self.tile.box))
        )
        steps = (self.source.strides[1], self.area) if what == "tile" else self.out.strides[1]
        key = (what, self.dtype, self.lanes, self.tile.vectors, places, steps)
        return self.unit.shared(key, lambda: make(places))

    def emit_tile(self, places: Sequence[int]) -> Any:
        """`void tile(ptr x, ptr table, ptr filters, ptr sums, i64 channels, i64 begin, i64 end, i1 first)`.

        sums += the taps' products; or = if first: of each channel, those from `begin` to `end`. The table says where
        each finds its element of x, from the first tap's.
        """
        f = self.unit.function(self.unit.name("tile"), ir.VoidType(), [PTR] * 4 + [I64] * 3 + [I1])
        x, table, filters, sums, channels, begin, end, first = f.args
        b = ir.IRBuilder(f.append_basic_block("entry"))
        vectors, count = self.tile.vectors, len(places) * self.tile.vectors
        names = ("again", "channel", "channel.taps", "tap", "tap.body", "tap.done", "done")
        again, channel, enter, head, body, after, done = (f.append_basic_block(n) for n in names)
        entry = b.block
        b.cbranch(first, channel, again)
        b.position_at_end(again)
        old = [
            b.load(address(b, sums, self.vector, [], i), typ=self.vector, align=self.lanes * self.size)
            for i in range(count)
        ]
        b.branch(channel)

        b.position_at_end(channel)
        c, image, weights = b.phi(I64), b.phi(PTR), b.phi(PTR)
        outer = [b.phi(self.vector) for _ in range(count)]
        zero = ir.Constant(self.vector, None)
        for before, initial in ((entry, [zero] * count), (again, old)):
            for phi, v in zip((c, image, weights, *outer), (constant(I64, 0), x, filters, *initial), strict=True):
                phi.add_incoming(v, before)
        b.cbranch(b.icmp_signed("<", c, channels), enter, done)
        b.position_at_end(enter)
        b.branch(head)

        b.position_at_end(head)
        k = b.phi(I64)
        values = [b.phi(self.vector) for _ in range(count)]
        for phi, v in zip((k, *values), (begin, *outer), strict=True):
            phi.add_incoming(v, enter)
        b.cbranch(b.icmp_signed("<", k, end), body, after)
        b.position_at_end(body)
        tap = b.load(b.gep(table, [k], source_etype=I32), typ=I32)
        moved = b.gep(image, [b.sext(tap, I64)], source_etype=self.scalar)
        row = b.gep(weights, [b.mul(k, constant(I64, self.block))], source_etype=self.scalar)
        w = [
            b.load(address(b, row, self.vector, [], v), typ=self.vector, align=self.lanes * self.size)
            for v in range(vectors)
        ]
        new = []
        for j, place in enumerate(places):
            element = splat(b, b.load(address(b, moved, self.scalar, [], place), typ=self.scalar), self.lanes)
            new += [fma(b, element, w[v], values[j * vectors + v]) for v in range(vectors)]
        for phi, v in zip((k, *values), (b.add(k, constant(I64, 1)), *new), strict=True):
            phi.add_incoming(v, body)
        b.branch(head)

        b.position_at_end(after)
        following = (
            b.add(c, constant(I64, 1)),
            address(b, image, self.scalar, [], self.source.strides[1]),
            address(b, weights, self.scalar, [], self.area * self.block),
        )
        for phi, v in zip((c, image, weights, *outer), (*following, *values), strict=True):
            phi.add_incoming(v, after)
        b.branch(channel)
        b.position_at_end(done)
        for i, v in enumerate(outer):
            b.store(v, address(b, sums, self.vector, [], i), align=self.lanes * self.size)
        b.ret_void()
        return f

    def fill_table(self, b: Any, table: Any) -> None:
        """Where each tap of a chunk finds its element of x."""
        strides = (
            self.source.strides[1],
            *(s * a.rhs for s, a in zip(self.source.strides[2:], self.axes, strict=True)),
        )
        with nested(b, self.chunk) as at:
            tap = total(b, list(zip(at, row_major(self.chunk).strides, strict=True)))
            place = total(b, list(zip(at, strides, strict=True)))
            b.store(b.trunc(place, I32), address(b, table, I32, [(tap, 1)]))

    def emit_write(self, places: Sequence[int]) -> Any:
        """`void write(ptr sums, ptr out, i64 outputs)`: the sums of a tile to their places."""
        f = self.unit.function(self.unit.name("write"), ir.VoidType(), [PTR, PTR, I64])
        sums, out, outputs = f.args
        b = ir.IRBuilder(f.append_basic_block("entry"))
        slot: Any = b.alloca(self.vector, self.lanes)
        slot.align = 64
        buffer = b.bitcast(slot, PTR)
        with counted(b, self.tile.vectors) as v:
            left = b.sub(outputs, b.mul(v, constant(I64, self.lanes)))
            few = b.icmp_signed("<", left, constant(I64, self.lanes))
            here = b.select(few, left, constant(I64, self.lanes))
            target = address(b, out, self.scalar, [(v, self.lanes * self.out.strides[1])])
            for first in range(0, len(places), self.lanes):
                start = address(b, sums, self.scalar, [(v, self.lanes)], first * self.block)
                n = constant(I64, self.lanes)
                b.call(square(self.unit, self.vector), [start, constant(I64, self.block), n, n, buffer, n])
                with counted(b, here) as o:
                    row = load(b, address(b, buffer, self.vector, [(o, 1)]), self.vector)
                    for lane, n in runs(places[first : first + self.lanes]):
                        place = address(b, target, self.scalar, [(o, self.out.strides[1])], places[first + lane] - lane)
                        store(b, row, place, run_mask(lane, n, self.lanes))
        b.ret_void()
        return f

    # Filters and copies.

    def pack(self, b: Any, w: Any, target: Any, chunk: _Chunk) -> None:
        """The filters of a chunk, as (blocks, taps, outputs of a block), with zeros for outputs that there are not."""
        strides = self.w.strides
        starts = [(chunk.channel, strides[1]), *([(chunk.row, strides[2])] if self.axes else [])]
        flat = self.axes and strides[0] != 1 and strides[2:] == row_major(self.w.shape[2:]).strides
        with counted(b, self.blocks) as block, counted(b, self.tile.vectors) as v:
            first = b.add(b.mul(block, constant(I64, self.block)), b.mul(v, constant(I64, self.lanes)))
            source = address(b, w, self.scalar, [(first, strides[0]), *starts])
            goal = address(b, target, self.scalar, [(block, self.taps * self.block), (v, self.lanes)])
            pack = self.pack_squares if flat else self.pack_taps
            pack(b, source, goal, chunk, b.sub(constant(I64, self.outputs), first))

    def pack_taps(self, b: Any, source: Any, goal: Any, chunk: _Chunk, outputs: Any) -> None:
        """Tap by tap, a vector of outputs."""
        extents = [*chunk.sizes, *(a.window for a in self.axes[1:])]
        mask = first_lanes(b, outputs, self.lanes)
        with nested(b, extents) as at:
            place = address(b, source, self.scalar, list(zip(at, self.w.strides[1:], strict=True)))
            tap: Any = constant(I64, 0)
            for i, n in zip(at, extents, strict=True):
                tap = b.add(b.mul(tap, value(n)), i)
            packed = load_apart(b, place, self.vector, self.w.strides[0], mask)
            store(b, packed, address(b, goal, self.scalar, [(tap, self.block)]))

    def pack_squares(self, b: Any, source: Any, goal: Any, chunk: _Chunk, outputs: Any) -> None:
        """Where a channel's window is contiguous: squares of outputs and taps, transposed."""
        channels, rows = chunk.sizes
        count = b.mul(value(rows), constant(I64, math.prod(a.window for a in self.axes[1:])))
        n = self.lanes
        with counted(b, channels) as c:
            start = address(b, source, self.scalar, [(c, self.w.strides[1])])
            taps = b.gep(goal, [b.mul(b.mul(c, count), constant(I64, self.block))], source_etype=self.scalar)
            with counted(b, count, n) as t:
                place = address(b, start, self.scalar, [(t, 1)])
                target = address(b, taps, self.scalar, [(t, self.block)])
                args = [
                    place,
                    constant(I64, self.w.strides[0]),
                    outputs,
                    b.sub(count, t),
                    target,
                    constant(I64, self.block),
                ]
                b.call(square(self.unit, self.vector), args)

    def copy(self, b: Any, x: Any, target: Any, count: Any, row: Any, rows: Any) -> None:
        """What a chunk reads of x, between zeros (which are there already)."""
        lows = [constant(I64, a.kept[0]) for a in self.axes]
        lengths: list[Any] = [a.kept[1] - a.kept[0] for a in self.axes]
        if 0 in lengths:
            return
        first = self.axes[0]
        if first.lhs == 1 and self.chunk[1] < first.window:  # only the rows that this part of the window meets
            start = b.sub(b.mul(row, constant(I64, first.rhs)), constant(I64, first.low))
            reach = b.add(
                b.mul(rows, constant(I64, first.rhs)), constant(I64, (first.out - 1) * first.stride + 1 - first.rhs)
            )
            lows[0], high = larger(b, lows[0], start), smaller(b, constant(I64, first.kept[1]), b.add(start, reach))
            lengths[0] = larger(b, b.sub(high, lows[0]), constant(I64, 0))
        to = [s * a.lhs for s, a in zip(self.source.strides[2:], self.axes, strict=True)]
        shift = sum(s * a.low for s, a in zip(self.source.strides[2:], self.axes, strict=True))
        lead = zip((self.tile.box[0], count), self.x.strides[:2], self.source.strides[:2], strict=True)
        terms = [(n, s, t, constant(I64, 0)) for n, s, t in lead]
        terms += [(n, s, t, low) for n, s, t, low in zip(lengths, self.x.strides[2:], to, lows, strict=True)]
        with nested(b, [n for n, *_ in terms[:-1]]) as at:
            at = [b.add(i, low) for i, (*_, low) in zip(at, terms[:-1], strict=True)] + [terms[-1][3]]
            source = address(b, x, self.scalar, [(i, s) for i, (_, s, _, _) in zip(at, terms, strict=True)])
            goal = address(b, target, self.scalar, [(i, t) for i, (_, _, t, _) in zip(at, terms, strict=True)], shift)
            n, s, t, _ = terms[-1]
            if s == t == 1:
                self.copy_run(b, source, goal, n)
            else:
                with counted(b, n) as i:
                    element = b.load(address(b, source, self.scalar, [(i, s)]), typ=self.scalar)
                    b.store(element, address(b, goal, self.scalar, [(i, t)]))

    def copy_run(self, b: Any, source: Any, target: Any, n: Any) -> None:
        """Elements that lie side by side; straight code for a few vectors of them."""
        if isinstance(n, int) and n <= 4 * self.lanes:
            for i in range(0, n, self.lanes):
                mask = run_mask(0, min(n - i, self.lanes), self.lanes)
                store(
                    b,
                    load(b, address(b, source, self.scalar, [], i), self.vector, mask),
                    address(b, target, self.scalar, [], i),
                    mask,
                )
            return
        with counted(b, n, self.lanes) as i:
            mask = first_lanes(b, b.sub(value(n), i), self.lanes)
            part = load(b, address(b, source, self.scalar, [(i, 1)]), self.vector, mask)
            store(b, part, address(b, target, self.scalar, [(i, 1)]), mask)

    # The loops.

    def emit(self) -> Any:
        f = self.unit.function(self.unit.name("conv"), ir.VoidType(), [PTR] * 4)
        for a in f.args:
            a.add_attribute("noalias")
        b = ir.IRBuilder(f.append_basic_block("entry"))
        m = self.places(b, f.args[3], self.needs)
        self.fill_table(b, m.table)
        if not self.shares_batch:
            self.clear(b, m.copied)
        with counted(b, self.groups) as g:
            x = address(b, f.args[0], self.scalar, [(g, self.channels * self.x.strides[1])], self.x.offset)
            w = address(b, f.args[1], self.scalar, [(g, self.outputs * self.w.strides[0])], self.w.offset)
            out = address(b, f.args[2], self.scalar, [(g, self.outputs * self.out.strides[1])], self.out.offset)
            self.emit_group(b, x, w, out, m)
        b.ret_void()
        return f

    def places(self, b: Any, scratch: Any, needs: _Memory) -> _Memory:
        """Pointers to parts of so many bytes, one behind the other."""
        out, offset = [], 0
        for n in needs:
            out.append(b.gep(scratch, [constant(I64, offset)], source_etype=I8))
            offset += _aligned(n)
        return _Memory(*out)

    def clear(self, b: Any, copied: Any) -> None:
        """Zeros around and between the elements of the copy."""
        if self.copies:
            with counted(b, -(-self.source.shape[0] * self.source.strides[0] // self.lanes)) as i:
                b.store(constant(self.vector, 0.0), address(b, copied, self.vector, [(i, 1)]), align=self.size)

    def emit_group(self, b: Any, x: Any, w: Any, out: Any, m: _Memory) -> None:
        if self.chunks_outside:
            with self.chunks_loop(b) as chunk:
                self.pack(b, w, m.filters, chunk)
                self.emit_batch(b, x, out, m, chunk)
            return
        with self.chunks_loop(b) as chunk:
            self.pack(b, w, self.filters_of(b, m, chunk), chunk)
        self.emit_batch(b, x, out, m, None)

    def emit_batch(self, b: Any, x: Any, out: Any, m: _Memory, chunk: _Chunk | None) -> None:
        """All parts of the batch, by several threads if they are much work; all chunks of each if none is given."""
        count = self.grid[0]
        if not self.shares_batch:
            with counted(b, count) as n:
                self.emit_part(b, x, out, m, n, chunk)
            return
        turns = self.batch_turns
        needs = _Memory(0, 0, self.needs.copied, 0 if self.chunks_outside else self.needs.sums)

        def piece(b: Any, values: Sequence[Any], k: Any) -> None:
            x, out, filters, table, sums, *rest = values
            begin, end = range_of(b, k, turns, count)
            with memory(self.unit, b, sum(_aligned(n) for n in needs)) as own:
                mine = self.places(b, own, needs)._replace(filters=filters, table=table)
                mine = mine._replace(sums=sums) if self.chunks_outside else mine
                self.clear(b, mine.copied)
                with counted(b, b.sub(end, begin)) as i:
                    self.emit_part(b, x, out, mine, b.add(begin, i), _Chunk.of(rest) if rest else None)

        values = [x, out, m.filters, m.table, m.sums, *(chunk.values() if chunk else ())]
        in_pieces(self.unit, b, -(-count // turns), values, piece)

    def emit_part(self, b: Any, x: Any, out: Any, m: _Memory, n: Any, chunk: _Chunk | None) -> None:
        if chunk is not None:
            self.emit_tiles(b, x, m.filters, out, m, n, chunk)
            return
        with self.chunks_loop(b) as chunk:
            self.emit_tiles(b, x, self.filters_of(b, m, chunk), out, m, n, chunk)

    def filters_of(self, b: Any, m: _Memory, chunk: _Chunk) -> Any:
        return address(b, m.filters, self.scalar, [(chunk.number, self.taps * self.block * self.blocks)])

    @contextmanager
    def chunks_loop(self, b: Any) -> Iterator[_Chunk]:
        """A loop over the chunks."""
        lengths = [self.channels, *(a.window for a in self.axes)][:2]
        with nested(b, self.steps) as at:
            starts = [b.mul(i, constant(I64, c)) for i, c in zip(at, self.chunk, strict=False)]
            sizes: list[Any] = []
            for start, n, c in zip(starts, lengths, self.chunk, strict=False):
                sizes.append(c if n % c == 0 else smaller(b, constant(I64, c), b.sub(constant(I64, n), start)))
            number = total(b, list(zip(at, [math.prod(self.steps[1:]), 1], strict=False)))
            yield _Chunk(number, starts[0], starts[1] if self.axes else None, sizes)

    def taps_of(self, b: Any, chunk: _Chunk, starts: Sequence[Any]) -> tuple[Any, Any, Any]:
        """The channels and, of each, the first tap and the one behind the last that a tile has to go over.

        Rows of the window that meet only zeros around x are left out. Where there are none all taps are one run.
        """
        inner = constant(I64, math.prod(a.window for a in self.axes[1:]))
        channels, rows = value(chunk.sizes[0]), value(chunk.sizes[1]) if self.axes else constant(I64, 1)
        a = self.axes[0] if self.axes else None
        if a is None or not (a.low > 0 or a.span - a.low > a.n) or a.lhs != 1 or a.rhs != 1:
            return constant(I64, 1), constant(I64, 0), b.mul(b.mul(channels, rows), inner)
        at = b.add(
            b.mul(starts[0], constant(I64, a.stride)), chunk.row
        )  # of the chunk's first row, in x with its zeros
        reach = (self.tile.box[1] - 1) * a.stride
        low = larger(b, constant(I64, 0), b.sub(constant(I64, a.low - reach), at))
        high = smaller(b, rows, b.sub(constant(I64, a.low + a.n), at))
        return channels, b.mul(low, inner), b.mul(high, inner)

    def start(self, b: Any, i: Any, axis: int) -> Any:
        """The first position of a tile along an axis: the last tile reaches back."""
        n, t = self.positions[axis], self.tile.box[axis]
        at = b.mul(i, constant(I64, t))
        return at if n % t == 0 else smaller(b, at, constant(I64, n - t))

    def emit_tiles(self, b: Any, x: Any, filters: Any, out: Any, m: _Memory, n: Any, chunk: _Chunk) -> None:
        """All tiles of a part of the batch."""
        batch = self.start(b, n, 0)
        _, channel, row, sizes = chunk
        image = address(b, x, self.scalar, [(batch, self.x.strides[0]), (channel, self.x.strides[1])])
        if self.copies:
            self.copy(b, image, m.copied, sizes[0], row, value(sizes[1]) if self.axes else None)
            image = m.copied
        else:
            shift = sum(a.low * s for a, s in zip(self.axes, self.source.strides[2:], strict=True))
            image = address(b, image, self.scalar, [], -shift)
        if self.axes:
            image = address(b, image, self.scalar, [(row, self.axes[0].rhs * self.source.strides[2])])
        lines = (self.blocks, *self.grid[1:2])
        count = math.prod(lines)
        turns = self.line_turns

        def piece(b: Any, values: Sequence[Any], k: Any) -> None:
            begin, end = range_of(b, k, turns, count)
            with memory(self.unit, b, self.needs.sums if turns < count and self.chunks == 1 else 0) as own:
                image, filters, out, table, sums, n, *rest = values
                sums = own if turns < count and self.chunks == 1 else sums
                with counted(b, b.sub(end, begin) if turns < count else count) as i, nested(b, self.grid[2:]) as at:
                    i = b.add(begin, i)
                    here = (
                        [i]
                        if len(lines) == 1
                        else [b.udiv(i, constant(I64, lines[1])), b.urem(i, constant(I64, lines[1]))]
                    )
                    self.emit_one(
                        b, image, filters, out, _Memory(filters, table, None, sums), n, _Chunk.of(rest), [*here, *at]
                    )

        values = [image, filters, out, m.table, m.sums, n, *chunk.values()]
        in_pieces(self.unit, b, -(-count // turns), values, piece)

    def emit_one(
        self, b: Any, image: Any, filters: Any, out: Any, m: _Memory, n: Any, chunk: _Chunk, at: Sequence[Any]
    ) -> None:
        """One tile: of a block of outputs, at a place in space."""
        block, *at = at
        batch = self.start(b, n, 0)
        starts = [self.start(b, i, axis + 1) for axis, i in enumerate(at)]
        moves = [a.stride * s for a, s in zip(self.axes, self.source.strides[2:], strict=True)]
        here = address(b, image, self.scalar, list(zip(starts, moves, strict=True)))
        own = address(b, filters, self.scalar, [(block, self.taps * self.block)])
        number = n if self.chunks_outside else constant(I64, 0)
        if self.chunks == 1:
            number = constant(I64, 0)
        else:
            for i, length in zip((block, *at), (self.blocks, *self.grid[1:]), strict=True):
                number = b.add(b.mul(number, constant(I64, length)), i)
        sums = address(b, m.sums, self.scalar, [(number, self.room)])
        first = b.icmp_signed("==", chunk.number, constant(I64, 0))
        last = b.icmp_signed("==", chunk.number, constant(I64, self.chunks - 1))
        b.call(self.tile_function, [here, m.table, own, sums, *self.taps_of(b, chunk, starts), first])
        with b.if_then(last):
            done = b.mul(block, constant(I64, self.block))
            strides = self.out.strides
            places = [(batch, strides[0]), (done, strides[1]), *zip(starts, strides[2:], strict=True)]
            target = address(b, out, self.scalar, places)
            b.call(self.write_function, [sums, target, b.sub(constant(I64, self.outputs), done)])


def _aligned(n: int) -> int:
    return -(-n // 64) * 64


def value(n: Any) -> Any:
    """A number as an LLVM value."""
    return constant(I64, n) if isinstance(n, int) else n


def smaller(b: Any, x: Any, y: Any) -> Any:
    return b.select(b.icmp_signed("<", x, y), x, y)


def larger(b: Any, x: Any, y: Any) -> Any:
    return b.select(b.icmp_signed(">", x, y), x, y)


def runs(places: Sequence[int]) -> list[tuple[int, int]]:
    """Where places follow each other: (first, how many)."""
    out: list[tuple[int, int]] = []
    for i, place in enumerate(places):
        if i and place == places[i - 1] + 1:
            first, n = out.pop()
            out.append((first, n + 1))
        else:
            out.append((i, 1))
    return out


class ConvStep(Step):
    """`conv_general_dilated` of real floats; of arrays that lie otherwise, after `layouts.lay_out`."""

    def __init__(self, unit: Unit, equation: Equation):
        super().__init__(unit, equation)
        x, _, out = types = [a.type for a in (*equation.operands, *equation.results)]
        v_x, v_w, v_out = equation.params.get("views") or [row_major(t.shape) for t in types]
        params = {k: v for k, v in equation.params.items() if k != "views"}
        self.dtype, self.bytes = x.dtype, out.size * out.dtype.itemsize
        parts = phases(v_x, v_w, v_out, params)
        self.convolutions = [self.convolution(part) for part in parts]
        self.covers = sum(math.prod(part.out.shape) for part in parts) == out.size
        self.scratch = max((c.scratch for c in self.convolutions), default=0)

    @property
    def duration(self) -> float:
        return sum(c.duration * c.groups for c in self.convolutions)

    @classmethod
    def accepts(cls, equation: Equation) -> bool:
        types = [a.type for a in (*equation.operands, *equation.results)]
        return types[0].dtype.name in ("float32", "float64") and all(t.size < LARGEST for t in types)

    def convolution(self, part: Part) -> Convolution:
        """The code of a part; equal ones share it."""
        key = ("convolution", self.dtype, part.x, part.w, part.out, *sorted(part.params.items()))
        return self.unit.shared(key, lambda: Convolution(self.unit, self.dtype, part.x, part.w, part.out, part.params))

    def emit(self, b: Any, operands: Sequence[Any], results: Sequence[Any], scratch: Any) -> None:
        if not self.covers:
            name = "llvm.memset.p0.i64"
            intrinsic(b, name, ir.VoidType(), [results[0], constant(I8, 0), constant(I64, self.bytes), constant(I1, 0)])
        for c in self.convolutions:
            b.call(c.function, [*operands, *results, scratch])


STEPS.update({"conv_general_dilated": ConvStep, "laid_out_conv": ConvStep})
