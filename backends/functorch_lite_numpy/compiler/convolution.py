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

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from functorch_lite.extend import Equation

from . import ir
from .conv_copies import Chunk, copy_image, pack_filters
from .conv_plan import Memory, Plan
from .conv_products import ConvolutionByProducts, plan_of
from .conv_tile import fill_table, tile_function, write_function
from .grids import address, counted, nested, total
from .intrinsics import clear_memory, intrinsic
from .memory import aligned
from .phases import Part, phases
from .pieces import in_pieces, memory, range_of
from .steps import Step
from .types import I8, I64, PTR, constant, int64
from .unit import Unit
from .views import View, row_major

__all__ = ["ConvStep", "Convolution"]

SMALLEST = {"i": 2, "u": 2, "f": 4}
"""Kind of dtype -> the bytes that a number has at least: registers do not multiply bytes, nor half floats."""
LARGEST = 1 << 28
"""Arrays of so many elements are left to NumPy: places are 32-bit numbers."""


class Convolution(Plan):
    """Emits `void conv(ptr x, ptr w, ptr out, ptr scratch)` into a unit.

    Attributes:
      function: the LLVM function.
      drafted: how much longer it takes in a draft, times its duration.
      duration_of_all: of all groups.
    """

    drafted = 9.0

    def __init__(self, unit: Unit, dtype: np.dtype, x: View, w: View, out: View, params: dict[str, Any]):
        super().__init__(unit, dtype, x, w, out, params)
        self.tile_function = tile_function(self)
        self.write_function = write_function(self)
        self.function = self.emit()
        self.duration_of_all = self.duration * self.groups

    def emit(self) -> Any:
        f = self.unit.function(self.unit.name("conv"), ir.VoidType(), [PTR] * 4)
        for a in f.args:
            a.add_attribute("noalias")
        b = ir.IRBuilder(f.append_basic_block("entry"))
        m = self.places(b, f.args[3], self.needs)
        fill_table(self, b, m.table)
        if not self.shares_batch:
            self.clear(b, m.copied)
        with counted(b, self.groups) as g:
            x = address(b, f.args[0], self.scalar, [(g, self.channels * self.x.strides[1])], self.x.offset)
            w = address(b, f.args[1], self.scalar, [(g, self.outputs * self.w.strides[0])], self.w.offset)
            out = address(b, f.args[2], self.scalar, [(g, self.outputs * self.out.strides[1])], self.out.offset)
            self.emit_group(b, x, w, out, m)
        b.ret_void()
        return f

    def call(self, b: Any, x: Any, w: Any, out: Any, scratch: Any) -> None:
        """Append it."""
        b.call(self.function, [x, w, out, scratch])

    def places(self, b: Any, scratch: Any, needs: Memory) -> Memory:
        """Pointers to parts of so many bytes, one behind the other."""
        out, offset = [], 0
        for n in needs:
            out.append(b.gep(scratch, [constant(I64, offset)], source_etype=I8))
            offset += aligned(n)
        return Memory(*out)

    def clear(self, b: Any, copied: Any) -> None:
        """Zeros around and between the elements of the copy."""
        if self.copies:
            with counted(b, -(-self.source.shape[0] * self.source.strides[0] // self.lanes)) as i:
                b.store(ir.Constant(self.vector, None), address(b, copied, self.vector, [(i, 1)]), align=self.size)

    def emit_group(self, b: Any, x: Any, w: Any, out: Any, m: Memory) -> None:
        if self.chunks_outside:
            with self.chunks_loop(b) as chunk:
                pack_filters(self, b, w, m.filters, chunk)
                self.emit_batch(b, x, out, m, chunk)
            return
        with self.chunks_loop(b) as chunk:
            pack_filters(self, b, w, self.filters_of(b, m, chunk), chunk)
        self.emit_batch(b, x, out, m, None)

    def emit_batch(self, b: Any, x: Any, out: Any, m: Memory, chunk: Chunk | None) -> None:
        """All parts of the batch, by several threads if they are much work; all chunks of each if none is given."""
        count = self.grid[0]
        if not self.shares_batch:
            with counted(b, count) as n:
                self.emit_part(b, x, out, m, n, chunk)
            return
        turns = self.batch_turns
        sums_stay = self.chunks_outside and self.chunks > 1  # from chunk to chunk
        needs = Memory(0, 0, self.needs.copied, 0 if sums_stay else self.needs.sums)

        def piece(b: Any, values: Sequence[Any], k: Any) -> None:
            x, out, filters, table, sums, *rest = values
            begin, end = range_of(b, k, turns, count)
            with memory(self.unit, b, sum(aligned(n) for n in needs)) as own:
                mine = self.places(b, own, needs)._replace(filters=filters, table=table)
                mine = mine._replace(sums=sums) if sums_stay else mine
                self.clear(b, mine.copied)
                with counted(b, b.sub(end, begin)) as i:
                    self.emit_part(b, x, out, mine, b.add(begin, i), Chunk.of(rest) if rest else None)

        values = [x, out, m.filters, m.table, m.sums, *(chunk.values() if chunk else ())]
        in_pieces(self.unit, b, -(-count // turns), values, piece)

    def emit_part(self, b: Any, x: Any, out: Any, m: Memory, n: Any, chunk: Chunk | None) -> None:
        if chunk is not None:
            self.emit_tiles(b, x, m.filters, out, m, n, chunk)
            return
        with self.chunks_loop(b) as chunk:
            self.emit_tiles(b, x, self.filters_of(b, m, chunk), out, m, n, chunk)

    def filters_of(self, b: Any, m: Memory, chunk: Chunk) -> Any:
        return address(b, m.filters, self.scalar, [(chunk.number, self.taps * self.block * self.blocks)])

    @contextmanager
    def chunks_loop(self, b: Any) -> Iterator[Chunk]:
        """A loop over the chunks."""
        lengths = [self.channels, *(a.window for a in self.axes)][:2]
        with nested(b, self.steps) as at:
            starts = [b.mul(i, constant(I64, c)) for i, c in zip(at, self.chunk, strict=False)]
            sizes: list[Any] = []
            for start, n, c in zip(starts, lengths, self.chunk, strict=False):
                sizes.append(
                    c if n % c == 0 else intrinsic(b, "smin", constant(I64, c), b.sub(constant(I64, n), start))
                )
            number = total(b, list(zip(at, [math.prod(self.steps[1:]), 1], strict=False)))
            yield Chunk(number, starts[0], starts[1] if self.axes else None, sizes)

    def taps_of(self, b: Any, chunk: Chunk, starts: Sequence[Any]) -> tuple[Any, Any, Any]:
        """The channels and, of each, the first tap and the one behind the last that a tile has to go over.

        Rows of the window that meet only zeros around x are left out. Where there are none all taps are one run.
        """
        inner = constant(I64, math.prod(a.window for a in self.axes[1:]))
        channels, rows = int64(chunk.sizes[0]), int64(chunk.sizes[1]) if self.axes else constant(I64, 1)
        a = self.axes[0] if self.axes else None
        if a is None or not (a.low > 0 or a.span - a.low > a.n) or a.lhs != 1 or a.rhs != 1:
            return constant(I64, 1), constant(I64, 0), b.mul(b.mul(channels, rows), inner)
        at = b.add(
            b.mul(starts[0], constant(I64, a.stride)), chunk.row
        )  # of the chunk's first row, in x with its zeros
        reach = (self.tile.box[1] - 1) * a.stride
        low = intrinsic(b, "smax", constant(I64, 0), b.sub(constant(I64, a.low - reach), at))
        high = intrinsic(b, "smin", rows, b.sub(constant(I64, a.low + a.n), at))
        return channels, b.mul(low, inner), b.mul(high, inner)

    def start(self, b: Any, i: Any, axis: int) -> Any:
        """The first position of a tile along an axis: the last tile reaches back."""
        n, t = self.positions[axis], self.tile.box[axis]
        at = b.mul(i, constant(I64, t))
        return at if n % t == 0 else intrinsic(b, "smin", at, constant(I64, n - t))

    def emit_tiles(self, b: Any, x: Any, filters: Any, out: Any, m: Memory, n: Any, chunk: Chunk) -> None:
        """All tiles of a part of the batch."""
        batch = self.start(b, n, 0)
        _, channel, row, sizes = chunk
        image = address(b, x, self.scalar, [(batch, self.x.strides[0]), (channel, self.x.strides[1])])
        if self.copies:
            copy_image(self, b, image, m.copied, sizes[0], row, int64(sizes[1]) if self.axes else None)
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
                        b, image, filters, out, Memory(filters, table, None, sums), n, Chunk.of(rest), [*here, *at]
                    )

        values = [image, filters, out, m.table, m.sums, n, *chunk.values()]
        in_pieces(self.unit, b, -(-count // turns), values, piece)

    def emit_one(
        self, b: Any, image: Any, filters: Any, out: Any, m: Memory, n: Any, chunk: Chunk, at: Sequence[Any]
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


class ConvStep(Step):
    """`conv_general_dilated` of floats and integers; of arrays that lie otherwise, after `layouts.lay_out`."""

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
        self.drafted = max((c.drafted for c in self.convolutions), default=0.0)

    @property
    def duration(self) -> float:
        return sum(c.duration_of_all for c in self.convolutions)

    @classmethod
    def accepts(cls, equation: Equation) -> bool:
        types = [a.type for a in (*equation.operands, *equation.results)]
        dtype = types[0].dtype
        return dtype.itemsize >= SMALLEST.get(dtype.kind, math.inf) and all(t.size < LARGEST for t in types)

    def convolution(self, part: Part) -> Convolution | ConvolutionByProducts:
        """The code of a part; equal ones share it."""
        plan = None if part.params.get("words") else plan_of(part, self.dtype)
        if plan is not None:
            return ConvolutionByProducts(self.unit, self.dtype, part, plan)
        key = ("convolution", self.dtype, part.x, part.w, part.out, *sorted(part.params.items()))
        return self.unit.shared(key, lambda: Convolution(self.unit, self.dtype, part.x, part.w, part.out, part.params))

    def emit(self, b: Any, operands: Sequence[Any], results: Sequence[Any], scratch: Any) -> None:
        if not self.covers:
            clear_memory(b, results[0], constant(I64, self.bytes))
        for c in self.convolutions:
            c.call(b, operands[0], operands[1], results[0], scratch)
