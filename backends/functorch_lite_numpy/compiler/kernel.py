"""A loop nest as an LLVM function.

    void name(ptr buffer0, ptr buffer1, ..., ptr scratch, i64 begin, i64 end)

The last column dimension is computed in vectors: a loop of whole ones, then one for the rest, whose lanes are masked. Where it
does no harm to compute an element twice, the last vector rather begins early: there is less to compile.
Dear values that a later phase needs again are kept for the row in `scratch`.

`begin` and `end` say which part of the outermost loop to do, so that several threads can share the work; a small nest does all of
it, whatever they say. Memory that is accumulated in must have been filled before: `accumulated` says with what.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from functorch_lite.extend_passes import Nest, Phase, Reduction

from . import ir
from .collapse import collapse
from .interior import Interior, interiors
from .intrinsics import intrinsic
from .jam import jam
from .kernel_plan import CASCADE, lanes_of, may_compute_twice, places_of_kept, shared_dimension, sums_of_rows
from .overlays import loads_to_hurry, overlays
from .processor import vector_bytes
from .results import Partial, accumulate, finish, reduced, store
from .turning import turned
from .types import I64, PTR, constant
from .unit import Unit
from .unroll import unroll
from .values import Values
from .vectors import run_mask

__all__ = ["Kernel", "kernel_of", "new_kernel"]


def kernel_of(unit: Unit, nest: Nest, shared: bool) -> Kernel:
    """The function of a nest, of all of it or of parts that threads share; equal nests share one."""
    key = (str(nest), tuple(nest.types), tuple(nest.extents), shared)
    return unit.shared(key, lambda: new_kernel(unit, nest, shared))


def new_kernel(unit: Unit, nest: Nest, shared: bool) -> Kernel:
    """The function of a nest that there is once."""
    return Kernel(unit, unit.name("nest"), nest, vector_bytes(), shared)


class Kernel:
    """Emits the function of a nest into a module.

    Attributes:
      function: the LLVM function.
      scratch: how many bytes of scratch memory each thread needs.
      twice: whether the last vector of a row begins where it fits, not behind the one before.
      parts: the length of the outermost loop, of which the function does a part if there are threads that share it, or sums `near`
        it; 1 if there is none.
      grain: parts are multiples of this.
      accumulated: the buffers that rows are accumulated in, and by what.
      overlays: for buffers of results, the operands whose memory they may take.
      near: the buffers in which many rows are added up: some rows at a time, apart from the others.
      private: those of them in which all parts accumulate to the same elements: each part needs a copy of its own.
    """

    def __init__(self, unit: Unit, name: str, nest: Nest, vector_bytes: int, shared: bool):
        unroll(nest)
        collapse(nest)
        ahead = jam(nest)
        self.unit = unit
        n = len(nest.types)
        self.function = unit.function(name, ir.VoidType(), [PTR] * (n + 1) + [I64, I64])
        found_overlays = overlays(nest)
        self.turned = turned(nest)
        if self.turned is not None:
            nest = self.turned.nest
        self.nest = nest
        self.width = lanes_of(nest, vector_bytes)
        self.outer = shared_dimension(nest)
        self.near = sums_of_rows(nest, self.outer)
        in_parts = shared or bool(self.near)
        self.twice = may_compute_twice(nest, self.width) and not (in_parts and self.outer == nest.columns[-1])
        self.overlays = {} if self.twice else found_overlays
        self.early = loads_to_hurry(nest, self.overlays)
        mixed = {*self.overlays, *(j for operands in self.overlays.values() for j in operands)}
        for k, argument in enumerate(self.function.args[:n]):
            if k not in mixed:
                argument.add_attribute("noalias")
        saved, self.scratch = places_of_kept(nest, self.width)
        if self.turned is not None:
            self.scratch = self.turned.take(self.scratch)
        found = interiors(nest, self.width)
        self.interiors = [] if any(i.inside.node(node) is not node for i in found for node in saved) else found
        self.parts = 1 if self.outer is None else nest.extents[self.outer]
        self.part = tuple(self.function.args[n + 1 :]) if in_parts else None
        self.grain = self.width if nest.columns and self.outer == nest.columns[-1] else 1
        if self.turned is not None and self.outer == self.turned.dimension:
            self.grain = self.turned.rows
        targets = [(r.target, r.op) for p in nest.phases for r in p.reductions if r.target is not None]
        self.accumulated = {target.buffer: op for target, op in targets}
        self.private = list(dict.fromkeys(t.buffer for t, _ in targets if self.outer not in t.address.dims))
        *buffers, scratch, _, _ = self.function.args
        self.values = Values(self.function, nest, saved, vector_bytes, buffers, scratch, ahead)
        self.rows_from(0)
        self.values.builder.ret_void()

    def rows_from(self, k: int) -> None:
        if k == len(self.nest.rows):
            for phase in self.nest.phases:
                self.phase(phase)
            return
        d = self.nest.rows[k]
        with self.blocks(d) as (first, last), self.values.loop(d, first, last, 1):
            self.rows_from(k + 1)

    @contextmanager
    def blocks(self, d: int) -> Iterator[tuple[Any, Any]]:
        """From where to where a loop over rows goes: rows that are turned come some at a time."""
        first, last = self.range(d)
        if self.turned is None or d != self.turned.dimension:
            yield first, last
            return
        with self.turned.blocks(self.unit, self.values, first, last) as block:
            yield block

    def range(self, d: int) -> tuple[Any, Any]:
        """From where to where a loop goes: the shared one over a part alone."""
        if self.part is not None and d == self.outer:
            return self.part
        return constant(I64, 0), constant(I64, self.nest.extents[d])

    def phase(self, phase: Phase) -> None:
        """One pass over the columns; then what is stored once a row."""
        v = self.values
        inner = self.inner(phase)
        if self.nest.columns and (phase.reductions or phase.stores):
            widths = self.widths()
            partials = [[Partial(v, r, width) for width in widths] for r in inner]
            self.columns_from(0, phase, partials)
            for r, of in zip(inner, partials, strict=True):
                finish(v, r, of)
        elif phase.reductions:  # columns of length 1
            for r in inner:
                reduced(v, r, v.scalar(v.value(r.node)))
        v.end_phase()
        for s in phase.row_stores:
            store(v, s.target, v.value(s.node), s.node.dtype)

    def inner(self, phase: Phase) -> list[Reduction]:
        """The reductions over the columns."""
        return [r for r in phase.reductions if r.dims >= set(self.nest.columns)]

    # Columns.

    def widths(self) -> list[int]:
        """The lanes of whole vectors, if there are any, and of the one that takes the rest."""
        whole, rest = divmod(self.nest.extents[self.nest.columns[-1]], self.width)
        return [self.width] * (whole > 0) + [1 << (rest - 1).bit_length()] * (rest > 0)

    def columns_from(self, k: int, phase: Phase, partials: Sequence[Sequence[Partial]]) -> None:
        d = self.nest.columns[k]
        if k + 1 < len(self.nest.columns):
            of_all = [p for of in partials for p in of]
            inner = math.prod(self.nest.extents[i] for i in self.nest.columns[k + 1 :]) / self.width
            turns = max(1, int(CASCADE / inner)) if k == 0 and self.nest.extents[d] * inner > 2 * CASCADE else None
            self.loop(of_all, d, *self.range(d), 1, turns, lambda: self.columns_from(k + 1, phase, partials))
            return
        n = self.nest.extents[d]
        if n >= self.width:
            self.vectors(phase, [of[0] for of in partials], d, self.turns(n) * self.width)
        if n % self.width and not self.twice:
            self.rest(phase, [of[-1] for of in partials], d, n % self.width)

    def turns(self, n: int) -> int:
        """How many whole vectors n elements take."""
        return -(-n // self.width) if self.twice else n // self.width

    def vectors(self, phase: Phase, partials: Sequence[Partial], d: int, end: int) -> None:
        """The loop over whole vectors."""
        v, early = self.values, constant(I64, self.nest.extents[d] - self.width)
        first, last = self.range(d)[0], constant(I64, end)
        if self.part is not None and self.outer == d:
            last = intrinsic(v.builder, "smin", self.part[1], last)
        v.lanes = self.width
        if self.twice and end == 2 * self.width:
            for begin in (first, early):
                with v.inside(d, begin, v.builder):
                    self.whole(phase, partials)
        else:

            def whole() -> None:
                if self.twice:
                    v.at[d] = intrinsic(v.builder, "smin", v.at[d], early)
                self.whole(phase, partials)

            turns = CASCADE if self.nest.extents[d] > 2 * CASCADE * self.width else None
            self.loop(partials, d, first, last, self.width, turns, whole)
        v.lanes = 1

    def loop(
        self,
        partials: Sequence[Partial],
        d: int,
        first: Any,
        last: Any,
        step: int,
        turns: int | None,
        body: Callable[[], None],
    ) -> None:
        """A loop over a column dimension. Where floats are added up it goes in blocks of so many turns, if that is given: what a
        block gives is combined into totals."""
        if turns is None or not any(p.reduction.op == "add" and p.reduction.node.dtype.kind == "f" for p in partials):
            with self.values.loop(d, first, last, step):
                body()
            return
        b = self.values.builder
        totals = [p.room() for p in partials]
        for p, total in zip(partials, totals, strict=True):
            b.store(p.start, total)
        block, done = self.function.append_basic_block(f"d{d}.block"), self.function.append_basic_block(f"d{d}.blocks")
        before = b.block
        b.branch(block)
        b.position_at_end(block)
        begin = b.phi(I64)
        begin.add_incoming(first, before)
        following = b.add(begin, constant(I64, turns * step))
        end = intrinsic(b, "smin", following, last)
        with self.values.loop(d, begin, end, step):
            body()
        for p, total in zip(partials, totals, strict=True):
            old, new = b.load(total, typ=p.type), p.load(b)
            b.store(p.combined(b, old, new), total)
            b.store(p.start, p.pointer)
        begin.add_incoming(following, b.block)
        b.cbranch(b.icmp_signed("<", following, last), block, done)
        b.position_at_end(done)
        for p, total in zip(partials, totals, strict=True):
            b.store(b.load(total, typ=p.type), p.pointer)

    def rest(self, phase: Phase, partials: Sequence[Partial], d: int, rest: int) -> None:
        """The last lanes, in a vector of which only so many count."""
        v, b = self.values, self.values.builder
        width, start = self.widths()[-1], self.nest.extents[d] - rest
        first, last = constant(I64, start), constant(I64, start + 1)
        if self.part is not None and self.outer == d:
            last = b.select(b.icmp_signed(">", self.part[1], first), last, first)
        v.lanes, v.mask = width, run_mask(0, rest, width)
        with v.loop(d, first, last, width):
            self.body(phase, partials)
        v.lanes, v.mask = 1, None

    def whole(self, phase: Phase, partials: Sequence[Partial]) -> None:
        """A whole vector: in an interior without the guards that hold there."""
        everywhere = sum(i.vectors for i in self.interiors) == self.turns(self.nest.extents[self.nest.columns[-1]])
        self.inside(self.interiors, everywhere, phase, partials)

    def inside(
        self, interiors: Sequence[Interior], everywhere: bool, phase: Phase, partials: Sequence[Partial]
    ) -> None:
        """A vector in one of the interiors; if not `everywhere`, it may lie in none."""
        if not interiors:
            self.body(phase, partials)
            return
        v, (here, *others) = self.values, interiors
        at = v.at[self.nest.columns[-1]]
        if isinstance(at, ir.Constant):  # branches would be in the way of what is computed once a row
            found = [i for i in interiors if i.first <= at.constant <= i.last - self.width]
            self.body(phase, partials, *found[:1])
            return
        if everywhere and not others:
            self.body(phase, partials, here)
            return
        place = v.builder.sub(at, constant(I64, here.first))
        is_here = v.builder.icmp_unsigned("<=", place, constant(I64, here.last - here.first - self.width))
        with v.builder.if_else(is_here) as (then, otherwise):
            with then, v.branch():
                self.body(phase, partials, here)
            with otherwise, v.branch():
                self.inside(others, everywhere, phase, partials)

    def body(self, phase: Phase, partials: Sequence[Partial], interior: Interior | None = None) -> None:
        """One turn of the innermost loop; in an interior by what the nodes are there."""
        v = self.values
        early = self.early if phase is self.nest.phases[-1] else []
        if interior is not None:
            phase, early = interior.inside.phase(phase), [interior.inside.node(node) for node in early]
        inner = self.inner(phase)
        for p, r in zip(partials, inner, strict=True):
            p.take(v.value(r.node))
        for r in phase.reductions:
            if r not in inner:
                accumulate(v, r)
        for node in early:
            v.value(node)
        for s in phase.stores:
            store(v, s.target, v.value(s.node), s.node.dtype)
