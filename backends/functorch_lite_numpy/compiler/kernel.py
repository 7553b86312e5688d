"""A loop nest as an LLVM function.

    void name(ptr buffer0, ptr buffer1, ..., ptr scratch, i64 begin, i64 end)

The last column dimension is computed in vectors: a loop of whole ones, then one for the rest, whose lanes are masked. A node is
computed at the outermost loop at which all it depends on is known; nodes that do not vary along the lanes stay scalars.
Dear values that a later phase needs again are kept for the row in `scratch`.

`begin` and `end` say which part of the outermost loop to do, so that several threads can share the work. Memory that is
accumulated in must have been filled before: `accumulated` says with what.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from functorch_lite.extend import Affine, Load, Nest, Node, Phase, Reduction

from . import ir, scalars
from .collapse import collapse, nodes
from .jam import jam
from .overlays import loads_to_hurry, overlays
from .types import (
    I1,
    I8,
    I32,
    I64,
    PTR,
    constant,
    is_vector,
    join_lanes,
    lanes,
    literal,
    memory_type,
    new_function,
    real_dtype,
    register_type,
    splat,
    take_lanes,
)

__all__ = ["Kernel"]

FEW_ROWS = 64
"""Fewer rows than that are not shared among threads where columns can be."""
CASCADE = 256
"""So many vectors are added up before their sum is added to a second one: long sums of floats stay accurate."""


class Kernel:
    """Emits the function of a nest into a module.

    Attributes:
      function: the LLVM function.
      scratch: how many bytes of scratch memory each thread needs.
      parts: the length of the loop that threads share, 1 if the work cannot be shared.
      grain: parts are multiples of this.
      accumulated: the buffers that rows are accumulated in, and by what.
      overlays: for buffers of results, the operands whose memory they may take.
      private: those of them in which all parts accumulate to the same elements: each part needs a copy of its own.
    """

    def __init__(self, module: ir.Module, name: str, nest: Nest, vector_bytes: int):
        collapse(nest)
        jam(nest)
        self.nest = nest
        self.loops = {d: k for k, d in enumerate((*nest.rows, *nest.columns), start=1)}
        """How many loops are around a place that a dimension's loop is the innermost of."""
        self.module = module
        n = len(nest.types)
        self.function = new_function(module, name, ir.VoidType(), [PTR] * (n + 1) + [I64, I64])
        self.buffers = self.function.args[:n]
        self.overlays = overlays(nest)
        self.early = loads_to_hurry(nest, self.overlays)
        mixed = {*self.overlays, *(j for operands in self.overlays.values() for j in operands)}
        for k, argument in enumerate(self.buffers):
            if k not in mixed:
                argument.add_attribute("noalias")
        self.scratch_pointer, self.begin, self.end = self.function.args[n:]
        self.vector = nest.columns[-1] if nest.columns else None
        self.vector_bytes = vector_bytes
        self.width = self.choose_width()
        self.saved, self.scratch = self.find_saved()
        self.outer = self.choose_outer()
        self.parts = 1 if self.outer is None else nest.extents[self.outer]
        self.grain = self.width if self.outer == self.vector else 1
        targets = [(r.target, r.op) for p in nest.phases for r in p.reductions if r.target is not None]
        self.accumulated = {target.buffer: op for target, op in targets}
        self.private = [target.buffer for target, _ in targets if self.outer not in target.address.dims]
        self.emit()

    def choose_outer(self) -> int | None:
        """The dimension that threads share: the outermost, if its parts do not wait for each other."""
        nest = self.nest
        reductions = [r for p in nest.phases for r in p.reductions]
        if not nest.rows:
            alone = all(r.target is not None for r in reductions) and len(nest.phases) == 1
            return nest.columns[0] if nest.columns and alone else None
        columns = frozenset(nest.columns)
        apart = len(columns) == 1 and not any(p.row_stores for p in nest.phases)
        if apart and reductions and all(columns <= r.target.address.dims for r in reductions if r.target is not None):
            inner = any(r.target is None or nest.rows[0] in r.target.address.dims for r in reductions)
            if not inner and nest.extents[nest.rows[0]] < FEW_ROWS:
                return self.vector
        return nest.rows[0]

    def choose_width(self) -> int:
        """Lanes: as many as fill several registers; fewer wide ones where much is computed, or sums would fill the registers.

        A chain of instructions takes its time: with registers of 32 bytes it takes four side by side to keep the units busy.
        """
        if self.vector is None:
            return 1
        everything = list(nodes(self.nest))
        size = max((x.dtype.itemsize for x in everything if x.op not in ("index", "literal")), default=4)
        dear = any(scalars.is_dear(x.op) for x in everything)
        registers = 2 if self.vector_bytes == 64 and (dear or len(everything) > 24) else 4
        sums = max(sum(r.target is None for r in p.reductions) for p in self.nest.phases)
        while registers > 1 and registers * sums > self.vector_bytes // 4:  # half of the registers there are
            registers //= 2
        width = self.vector_bytes // size * registers
        n = self.nest.extents[self.vector]
        while width > 1 and n <= width // 2:
            width //= 2
        while width > 8 and n % width and -(-n // width) * width > 1.3 * n:
            width //= 2
        return width

    def find_saved(self) -> tuple[dict[Node, int], int]:
        """Dear nodes that several phases need, and where in the scratch memory of a row they are kept."""
        columns = set(self.nest.columns)
        first: dict[Node, int] = {}
        again: dict[Node, None] = {}
        for k, phase in enumerate(self.nest.phases):
            seen: set[Node] = set()
            stack = [x.node for x in (*phase.reductions, *phase.stores)]
            while stack:
                node = stack.pop()
                if node in seen or not node.dims & columns:
                    continue
                seen.add(node)
                if first.setdefault(node, k) < k and worth_keeping(node):
                    again[node] = None
                    continue
                stack.extend(node.args)
        length = math.prod(self.nest.extents[d] for d in self.nest.columns)
        places, total = {}, 0
        for node in again:
            places[node] = total
            total += -(-(length * max(1, node.dtype.itemsize)) // 64) * 64
        return places, total

    # Loops.

    def emit(self) -> None:
        self.values: dict[Any, Any] = {}
        """What has been computed: nodes, and sums of addresses."""
        self.depths: dict[Any, int] = {}
        """Inside of how many loops."""
        self.at: dict[int, Any] = {}
        self.first, self.mask = 0, None
        entry = ir.IRBuilder(self.function.append_basic_block("entry"))
        self.results: dict[int, Any] = {}
        self.pending: set[Node] = set()
        self.kept: set[Node] = set()
        self.builders = [entry]
        self.lanes = 1
        self.rows_from(0)
        self.builders[0].ret_void()

    @property
    def row_depth(self) -> int:
        return len(self.nest.rows)

    def rows_from(self, k: int) -> None:
        nest = self.nest
        if k == len(nest.rows):
            self.row_body()
            return
        d = nest.rows[k]
        with self.loop(d, *self.range(d), 1):
            self.rows_from(k + 1)

    def range(self, d: int) -> tuple[Any, Any]:
        """From where to where a loop goes: the shared one over a part alone."""
        return (self.begin, self.end) if d == self.outer else (constant(I64, 0), constant(I64, self.nest.extents[d]))

    @contextmanager
    def loop(self, d: int, first: Any, last: Any, step: int) -> Iterator[None]:
        """Code for each value of a dimension; the builder of the next depth stands inside."""
        outside = self.builders[-1]
        known = isinstance(first, ir.Constant) and isinstance(last, ir.Constant)
        if known and last.constant - first.constant <= step:
            with self.inside(d, first, outside):
                yield
            return
        head = self.function.append_basic_block(f"d{d}")
        done = ir.Block(self.function, f"d{d}.done")
        b = ir.IRBuilder(head)
        i = b.phi(I64)
        if not known:  # there may be no turn at all
            body = self.function.append_basic_block(f"d{d}.body")
            b.cbranch(b.icmp_signed("<", i, last), body, done)
            b.position_at_end(body)
        with self.inside(d, i, b):
            yield
        following = b.add(i, constant(I64, step))
        i.add_incoming(following, b.block)
        i.add_incoming(first, outside.block)
        outside.branch(head)
        if known:
            b.cbranch(b.icmp_signed("<", following, last), head, done)
        else:
            b.branch(head)
        self.function.blocks.append(done)
        outside.position_at_end(done)

    @contextmanager
    def inside(self, d: int, i: Any, b: Any) -> Iterator[None]:
        """The body of a loop, where the dimension is i; what is computed there is forgotten afterwards."""
        depth = len(self.builders)
        self.builders.append(b)
        self.at[d] = i
        yield
        self.builders.pop()
        del self.at[d]
        self.values = {n: v for n, v in self.values.items() if self.depths[n] < depth}

    def row_body(self) -> None:
        for phase in self.nest.phases:
            self.phase(phase)

    def phase(self, phase: Phase) -> None:
        """One pass over the columns; then what is stored once a row."""
        inner = [r for r in phase.reductions if r.dims >= set(self.nest.columns)]
        if self.nest.columns and (phase.reductions or phase.stores):
            accumulators = [self.accumulator(r) for r in inner]
            self.columns_from(0, phase, inner, accumulators)
            for r, (vector, rest) in zip(inner, accumulators, strict=True):
                self.finish_reduction(r, vector, rest)
        elif phase.reductions:  # columns of length 1
            for r in inner:
                self.reduced(r, self.scalar(self.value(r.node)))
        self.kept |= self.pending
        self.pending.clear()
        for s in phase.row_stores:
            self.store(s.target, self.value(s.node), s.node.dtype)

    def columns_from(self, k: int, phase: Phase, inner: Sequence[Reduction], accumulators: Any) -> None:
        nest = self.nest
        d = nest.columns[k]
        n = nest.extents[d]
        if k + 1 < len(nest.columns):
            with self.loop(d, *self.range(d), 1):
                self.columns_from(k + 1, phase, inner, accumulators)
            return
        whole = n // self.width * self.width
        share = self.outer == d
        if whole:
            first, last = self.range(d)[0], constant(I64, whole)
            if share:
                b = self.builders[-1]
                last = b.select(b.icmp_signed("<", self.end, last), self.end, last)
            self.lanes = self.width
            vectors = [vector for vector, _ in accumulators]
            if n > 2 * CASCADE * self.width and any(r.op == "add" and r.node.dtype.kind == "f" for r in inner):
                self.cascade(phase, inner, vectors, d, first, last)
            else:
                with self.loop(d, first, last, self.width):
                    self.body(phase, inner, vectors)
            self.lanes = 1
        if n % self.width:
            self.rest(phase, inner, accumulators, d, whole, n - whole, share)

    def cascade(self, phase: Phase, inner: Sequence[Reduction], vectors: Any, d: int, first: Any, last: Any) -> None:
        """The loop over whole vectors, in blocks; what a block gives is combined into totals."""
        b = self.builders[-1]
        types = [register_type(r.node.dtype, self.width) for r in inner]
        starts = [constant(t, scalars.identity(r.op, r.node.dtype)) for r, t in zip(inner, types, strict=True)]
        with self.builders[0].goto_entry_block():
            totals = [self.builders[0].alloca(t) for t in types]
        for total, start in zip(totals, starts, strict=True):
            b.store(start, total)
        block, done = self.function.append_basic_block(f"d{d}.block"), self.function.append_basic_block(f"d{d}.blocks")
        before = b.block
        b.branch(block)
        b.position_at_end(block)
        begin = b.phi(I64)
        begin.add_incoming(first, before)
        following = b.add(begin, constant(I64, CASCADE * self.width))
        with self.loop(d, begin, b.select(b.icmp_signed("<", following, last), following, last), self.width):
            self.body(phase, inner, vectors)
        for r, get, total, start in zip(inner, vectors, totals, starts, strict=True):
            old, new = b.load(total, typ=start.type), b.load(get(self.width), typ=start.type)
            b.store(self.combine(b, r.op, r.node.dtype, old, new), total)
            b.store(start, get(self.width))
        begin.add_incoming(following, b.block)
        b.cbranch(b.icmp_signed("<", following, last), block, done)
        b.position_at_end(done)
        for get, total, start in zip(vectors, totals, starts, strict=True):
            b.store(b.load(total, typ=start.type), get(self.width))

    def rest(self, phase: Phase, inner: Any, accumulators: Any, d: int, whole: int, rest: int, share: bool) -> None:
        """The last lanes, in a vector of which only so many count."""
        width = 1
        while width < rest:
            width *= 2
        b = self.builders[-1]
        first = constant(I64, whole)
        last = constant(I64, whole + 1)
        if share:
            last = b.select(b.icmp_signed(">", self.end, first), last, first)
        self.lanes = width
        if rest != width:
            self.mask = lanes(ir.VectorType(I1, width), [int(i < rest) for i in range(width)])
        with self.loop(d, first, last, width):
            self.body(phase, inner, [scalar for _, scalar in accumulators])
        self.lanes, self.mask = 1, None

    def body(self, phase: Phase, inner: Sequence[Reduction], accumulators: Sequence[Any]) -> None:
        b = self.builders[-1]
        for r, accumulator in zip(inner, accumulators, strict=True):
            x = self.masked(r, splat(b, self.value(r.node), self.lanes))
            pointer = accumulator(self.lanes)
            old = b.load(pointer, typ=x.type)
            b.store(self.combine(b, r.op, r.node.dtype, old, x), pointer)
        for r in phase.reductions:
            if r not in inner:
                assert r.target is not None
                self.accumulate(r, self.value(r.node))
        if phase is self.nest.phases[-1]:
            for node in self.early:
                self.value(node)
        for s in phase.stores:
            self.store(s.target, self.value(s.node), s.node.dtype)

    # Reductions.

    def accumulator(self, r: Reduction) -> Any:
        """Makes memory for partial results on demand, one for the whole vectors and one for the rest."""
        made: list[dict[int, Any]] = [{}, {}]
        start = self.builders[self.row_depth]

        def of(which: int) -> Any:
            def get(lanes: int) -> Any:
                if lanes not in made[which]:
                    type = register_type(r.node.dtype, lanes)
                    with self.builders[0].goto_entry_block() as _:
                        made[which][lanes] = self.builders[0].alloca(type)
                return made[which][lanes]

            get.made = made[which]  # type: ignore[attr-defined]
            return get

        n = self.nest.extents[self.nest.columns[-1]]
        pair = (of(0), of(1))
        rest, width = n % self.width, 1
        while width < rest:
            width *= 2
        for get, count in ((pair[0], self.width if n >= self.width else 0), (pair[1], width if rest else 0)):
            if count:
                start.store(
                    constant(register_type(r.node.dtype, count), scalars.identity(r.op, r.node.dtype)), get(count)
                )
        return pair

    def masked(self, r: Reduction, x: Any) -> Any:
        """Lanes beyond the end do not count."""
        if self.mask is None:
            return x
        return self.builders[-1].select(self.mask, x, constant(x.type, scalars.identity(r.op, r.node.dtype)))

    def combine(self, b: Any, op: str, dtype: np.dtype, x: Any, y: Any) -> Any:
        return scalars.emit(op, scalars.Context(b, (dtype, dtype), dtype, {}), (x, y))

    def finish_reduction(self, r: Reduction, vector: Any, rest: Any) -> None:
        b = self.builders[self.row_depth]
        total = None
        for get in (vector, rest):
            for count, pointer in get.made.items():
                x = self.across(b, r, b.load(pointer, typ=register_type(r.node.dtype, count)))
                total = x if total is None else self.combine(b, r.op, r.node.dtype, total, x)
        self.reduced(r, total)

    def across(self, b: Any, r: Reduction, x: Any) -> Any:
        """The lanes of a vector combined, by halves."""
        while is_vector(x):
            n = x.type.count
            if n == 1:
                return b.extract_element(x, constant(I32, 0))
            undefined = ir.Constant(x.type, ir.Undefined)
            type = ir.VectorType(I32, n // 2)
            low = b.shuffle_vector(x, undefined, lanes(type, range(n // 2)))
            high = b.shuffle_vector(x, undefined, lanes(type, range(n // 2, n)))
            x = self.combine(b, r.op, r.node.dtype, low, high)
            if n == 2:
                return b.extract_element(x, constant(I32, 0))
        return x

    def reduced(self, r: Reduction, value: Any) -> None:
        """The result of a reduction over the columns: it is a value of the row, or goes on into memory."""
        if r.target is not None:
            b = self.builders[self.row_depth]
            pointer = self.pointer(b, r.target, r.node.dtype)
            self.write(b, pointer, self.combine(b, r.op, r.node.dtype, self.read(b, pointer, r.node.dtype, 1), value))
            return
        self.results[r.number] = value

    def accumulate(self, r: Reduction, value: Any) -> None:
        """Combine a value into memory, along the lanes."""
        assert r.target is not None
        if isinstance(value, tuple):
            self.accumulate_pairs(r, r.target, value)
        else:
            self.accumulate_at(r.target, r.op, r.node.dtype, value)

    def accumulate_at(self, target: Load, op: str, dtype: np.dtype, value: Any) -> None:
        b = self.builders[-1]
        value = splat(b, value, self.lanes)
        old = splat(b, self.load_at(b, target, dtype, None), self.lanes)
        self.store(target, self.combine(b, op, dtype, old, value), dtype)

    def accumulate_pairs(self, r: Reduction, target: Load, pair: tuple[Any, Any]) -> None:
        dtype = real_dtype(r.node.dtype)
        if self.lane_stride(target.address) != 2:
            for k, part in enumerate(pair):
                self.accumulate_at(Load(target.buffer, target.address + k), r.op, dtype, part)
            return
        b = self.builders[-1]
        both, mask = self.interleaved(b, pair)
        pointer = self.pointer(b, target, dtype)
        old = self.read(b, pointer, dtype, 2 * self.lanes, mask)
        self.write(b, pointer, self.combine(b, r.op, dtype, old, both), mask)

    # Values.

    def depth_of(self, node: Node) -> int:
        """How many loops are around the place where a node is computed."""
        depth = max((self.loops[d] for d in node.dims), default=0)
        return max(depth, self.row_depth) if node.level > 0 else depth

    def value(self, node: Node) -> Any:
        found = self.values.get(node)
        if found is not None:
            return found
        if node.op == "reduced":
            return self.results[node.params]
        depth = min(self.depth_of(node), len(self.builders) - 1)
        lanes, mask = self.lanes, self.mask
        if depth < len(self.builders) - 1 and self.vector is not None:
            self.lanes, self.mask = 1, None
        inner, self.builders = self.builders, self.builders[: depth + 1]
        try:
            value = self.compute(node)
        finally:
            self.builders = inner
            self.lanes, self.mask = lanes, mask
        self.values[node] = value
        self.depths[node] = depth
        return value

    def compute(self, node: Node) -> Any:
        b = self.builders[-1]
        if node.op == "literal":
            return literal(node.dtype, node.params)
        if node.op == "index":
            return self.number(b, node.params)
        if node.op == "load":
            return self.load_at(b, node.params, node.dtype, node.args[0] if node.args else None)
        if node in self.kept:
            return self.reload(b, node)
        if node.op == "part":
            return self.value(node.args[0])[node.params]
        args = [self.value(a) for a in node.args]
        lanes = max((a.type.count for a in args if is_vector(a)), default=1)
        args = [splat(b, a, lanes) for a in args]
        if node.op == "pair":
            return tuple(args)
        context = scalars.Context(b, [a.dtype for a in node.args], node.dtype, dict(node.params))
        value = scalars.emit(node.op, context, args)
        if node in self.saved:
            self.keep(b, node, value)
        return value

    def scalar(self, x: Any) -> Any:
        return self.builders[-1].extract_element(x, constant(I32, 0)) if is_vector(x) else x

    def scratch_at(self, b: Any, node: Node) -> Any:
        place = constant(I64, 0)
        for d in self.nest.columns:
            place = b.add(b.mul(place, constant(I64, self.nest.extents[d])), self.at[d])
        base = b.gep(self.scratch_pointer, [constant(I64, self.saved[node])], source_etype=I8)
        return b.gep(base, [place], source_etype=register_type(node.dtype))

    def keep(self, b: Any, node: Node, value: Any) -> None:
        self.write(b, self.scratch_at(b, node), splat(b, value, self.lanes))
        self.pending.add(node)

    def reload(self, b: Any, node: Node) -> Any:
        return self.read(b, self.scratch_at(b, node), node.dtype, self.lanes)

    # Addresses and memory.

    def number(self, b: Any, place: Affine) -> Any:
        """An affine number; a vector if it varies along the lanes."""
        terms: list[tuple[int, Any, int]] = []
        varying: list[Any] = []
        for k, c in place.terms.items():
            if isinstance(k, Node):
                x = self.value(k)
                if is_vector(x):
                    varying.append(x if c == 1 else b.mul(x, constant(x.type, c)))
                else:
                    terms.append((min(self.depth_of(k), len(self.builders) - 1), k, c))
                continue
            terms.append((self.loops[k], k, c))
            if k == self.vector and self.lanes > 1:
                numbers = range(self.first, self.first + self.lanes)
                varying.append(lanes(ir.VectorType(I64, self.lanes), [c * i for i in numbers]))
        total = self.total(sorted(terms, key=lambda t: t[0]), place.const)
        if not varying:
            return total
        out = splat(b, total, self.lanes)
        for v in varying:
            out = b.add(out, v)
        return out

    def total(self, terms: Sequence[tuple[int, Any, int]], const: int) -> Any:
        """The sum of multiples of dimensions and nodes; what inner loops do not change is computed outside of them, once."""
        if not terms:
            return constant(I64, const)
        key = (*terms, const)
        if key not in self.values:
            *outer, (depth, k, c) = terms
            rest = self.total(outer, const)
            b = self.builders[depth]
            x = self.at[k] if isinstance(k, int) else self.value(k)
            term = x if c == 1 else b.mul(x, constant(I64, c))
            zero = isinstance(rest, ir.Constant) and rest.constant == 0
            self.values[key] = term if zero else b.add(rest, term)
            self.depths[key] = depth
        return self.values[key]

    def lane_stride(self, place: Affine) -> int | None:
        """How far apart the lanes are in memory; None if by data."""
        if self.lanes == 1:
            return 0
        if any(isinstance(k, Node) and self.vector in k.dims for k in place.terms):
            return None
        return place.terms.get(self.vector, 0)

    def start(self, b: Any, place: Affine) -> Any:
        """The address of the first lane."""
        lanes, self.lanes = self.lanes, 1
        try:
            return self.number(b, place + self.first * place.terms.get(self.vector, 0))
        finally:
            self.lanes = lanes

    def pointer(self, b: Any, target: Load, dtype: np.dtype, guard: Any = None) -> Any:
        """Where the first lane is; the start of the buffer if a guard does not hold for any lane.

        (A masked load that reads nothing is correct too, but beyond the buffer the processor takes hundreds of cycles to
        find that out.)
        """
        start = self.start(b, target.address)
        if guard is not None and not is_vector(guard):
            start = b.select(guard, start, constant(I64, 0))
        return b.gep(self.buffers[target.buffer], [start], source_etype=memory_type(dtype))

    def load_at(self, b: Any, target: Load, dtype: np.dtype, condition: Node | None) -> Any:
        guard = None if condition is None else self.value(condition)
        stride = self.lane_stride(target.address)
        base = self.buffers[target.buffer]
        if stride == 0:
            place = self.start(b, target.address)
            if guard is not None:
                if is_vector(guard):
                    return self.gather(b, base, splat(b, place, self.lanes), dtype, guard)
                place = b.select(guard, place, constant(I64, 0))
            return self.read(b, b.gep(base, [place], source_etype=memory_type(dtype)), dtype, 1)
        if stride == 1 or (stride == 2 and self.in_pairs(target)):
            uniform = guard is None or not is_vector(guard)
            if condition is None or (uniform and self.nest.types[target.buffer][1] >= stride * self.lanes):
                return self.read_lanes(b, target, dtype, stride, self.mask, guard)
            return self.read_where(b, target, dtype, stride, condition)
        return self.gather(b, base, self.number(b, target.address), dtype, self.where(b, guard))

    def where(self, b: Any, guard: Any) -> Any:
        """The mask of the lanes that count, and for which a guard holds."""
        if guard is None:
            return self.mask
        guard = splat(b, guard, self.lanes)
        return guard if self.mask is None else b.and_(self.mask, guard)

    def read_lanes(self, b: Any, target: Load, dtype: np.dtype, stride: int, mask: Any, guard: Any) -> Any:
        """Elements that lie in a row, or every second one; from the start of the buffer if a guard holds for no lane."""
        if stride == 2:
            return self.read_every_second(b, target, dtype, mask, guard)
        return self.read(b, self.pointer(b, target, dtype, guard), dtype, self.lanes, mask)

    def in_pairs(self, target: Load) -> bool:
        """Whether a buffer is read in pairs of elements, of which both are there."""
        return all(c % 2 == 0 for c in target.address.terms.values()) and self.nest.types[target.buffer][1] % 2 == 0

    def read_every_second(self, b: Any, target: Load, dtype: np.dtype, mask: Any, guard: Any) -> Any:
        """The first or the second elements of pairs that lie in a row; the pairs are read once."""
        n, odd = self.lanes, target.address.const % 2
        first = target.address + -odd
        key = ("pairs", target.buffer, first.key, guard)
        if key not in self.values:
            pointer = self.pointer(b, Load(target.buffer, first), dtype, guard)
            self.values[key] = self.read(b, pointer, dtype, 2 * n, None if mask is None else twice(b, mask))
            self.depths[key] = len(self.builders) - 1
        both = self.values[key]
        picks = lanes(ir.VectorType(I32, n), range(odd, 2 * n, 2))
        return b.shuffle_vector(both, ir.Constant(both.type, ir.Undefined), picks)

    def read_where(self, b: Any, target: Load, dtype: np.dtype, stride: int, condition: Node) -> Any:
        """The lanes for which a condition holds, in pieces of a register each.

        Where LLVM (22) cuts a masked load itself, and only then finds that a piece reads nothing, it reads all of that piece.
        """
        width = min(self.lanes, self.vector_bytes // (stride * real_dtype(dtype).itemsize))
        pieces = []
        for first in range(0, self.lanes, width):
            with self.some_lanes(first, width):
                guard = self.value(condition)
                pieces.append(self.read_lanes(b, target, dtype, stride, self.where(b, guard), guard))
        while len(pieces) > 1:
            pieces = [join_lanes(b, x, y) for x, y in zip(pieces[::2], pieces[1::2], strict=True)]
        return pieces[0]

    @contextmanager
    def some_lanes(self, first: int, width: int) -> Iterator[None]:
        """Some of the lanes, as a vector of their own."""
        if width == self.lanes:
            yield
            return
        b, depth = self.builders[-1], len(self.builders) - 1
        before, mask, values = (self.first, self.lanes), self.mask, self.values
        self.first, self.lanes = self.first + first, width
        self.mask = None if mask is None else take_lanes(b, mask, first, width)
        self.values = {n: v for n, v in values.items() if self.depths[n] < depth}
        yield
        outer = {n: v for n, v in self.values.items() if self.depths[n] < depth}
        (self.first, self.lanes), self.mask, self.values = before, mask, {**values, **outer}

    def gather(self, b: Any, base: Any, places: Any, dtype: np.dtype, mask: Any) -> Any:
        lanes = places.type.count
        pointers = b.gep(base, [places], source_etype=memory_type(dtype))
        type = memory_type(dtype, lanes)
        mask = mask if mask is not None else constant(ir.VectorType(I1, lanes), 1)
        name = f"llvm.masked.gather.v{lanes}{scalars._short(memory_type(dtype))}.v{lanes}p0"
        function = self.declare(name, type, [pointers.type, I32, mask.type, type])
        value = b.call(
            function,
            [pointers, constant(I32, memory_size(dtype)), mask, constant(type, 0)],
        )
        return b.trunc(value, register_type(dtype, lanes)) if dtype.kind == "b" else value

    def declare(self, name: str, result: Any, arguments: Sequence[Any]) -> Any:
        return self.module.globals.get(name) or ir.Function(self.module, ir.FunctionType(result, arguments), name)

    def read(self, b: Any, pointer: Any, dtype: np.dtype, lanes: int, mask: Any = None) -> Any:
        type = memory_type(dtype, lanes)
        if mask is None:
            value = b.load(pointer, typ=type, align=memory_size(dtype))
        else:
            name = f"llvm.masked.load.v{lanes}{scalars._short(memory_type(dtype))}.p0"
            function = self.declare(name, type, [PTR, I32, mask.type, type])
            zero = constant(type, 0)
            value = b.call(function, [pointer, constant(I32, memory_size(dtype)), mask, zero])
        return b.trunc(value, register_type(dtype, lanes)) if dtype.kind == "b" else value

    def write(self, b: Any, pointer: Any, value: Any, mask: Any = None) -> None:
        scalar = value.type.element if is_vector(value) else value.type
        if scalar == I1:
            value = b.zext(value, ir.VectorType(I8, value.type.count) if is_vector(value) else I8)
            scalar = I8
        size = scalar.width // 8 if isinstance(scalar, ir.IntType) else 8 if isinstance(scalar, ir.DoubleType) else 4
        if mask is None or not is_vector(value):
            b.store(value, pointer, align=size)
            return
        name = f"llvm.masked.store.v{value.type.count}{scalars._short(scalar)}.p0"
        function = self.declare(name, ir.VoidType(), [value.type, PTR, I32, mask.type])
        b.call(function, [value, pointer, constant(I32, size), mask])

    def store(self, target: Load, value: Any, dtype: np.dtype) -> None:
        b = self.builders[-1]
        stride = self.lane_stride(target.address)
        if isinstance(value, tuple):
            self.store_pairs(b, target, value, real_dtype(dtype), stride)
            return
        if stride == 0:
            self.write(b, self.pointer(b, target, dtype), self.scalar(value))
            return
        value = splat(b, value, self.lanes)
        if stride == 1:
            self.write(b, self.pointer(b, target, dtype), value, self.mask)
            return
        if dtype.kind == "b":
            value = b.zext(value, memory_type(dtype, self.lanes))
        pointers = b.gep(self.buffers[target.buffer], [self.number(b, target.address)], source_etype=memory_type(dtype))
        mask = self.mask if self.mask is not None else constant(ir.VectorType(I1, self.lanes), 1)
        name = f"llvm.masked.scatter.v{self.lanes}{scalars._short(memory_type(dtype))}.v{self.lanes}p0"
        function = self.declare(name, ir.VoidType(), [value.type, pointers.type, I32, mask.type])
        b.call(function, [value, pointers, constant(I32, memory_size(dtype)), mask])

    def store_pairs(self, b: Any, target: Load, pair: tuple[Any, Any], dtype: np.dtype, stride: int | None) -> None:
        """Both parts of complex numbers, to neighbouring places."""
        if stride != 2:
            for k, part in enumerate(pair):
                self.store(Load(target.buffer, target.address + k), part, dtype)
            return
        both, mask = self.interleaved(b, pair)
        self.write(b, self.pointer(b, target, dtype), both, mask)

    def interleaved(self, b: Any, pair: tuple[Any, Any]) -> tuple[Any, Any]:
        """The parts of complex numbers as they lie in memory, and the mask for them."""
        n = self.lanes
        x, y = (splat(b, part, n) for part in pair)
        picks = lanes(ir.VectorType(I32, 2 * n), [i // 2 + i % 2 * n for i in range(2 * n)])
        return b.shuffle_vector(x, y, picks), None if self.mask is None else twice(b, self.mask)


def worth_keeping(node: Node) -> bool:
    """Whether it is dear, and a single number."""
    of = node.args[0] if node.op == "part" else node
    return scalars.is_dear(of.op) and node.dtype.kind != "c"


def twice(b: Any, mask: Any) -> Any:
    """A mask with each lane twice."""
    n = mask.type.count
    picks = lanes(ir.VectorType(I32, 2 * n), [i // 2 for i in range(2 * n)])
    return b.shuffle_vector(mask, ir.Constant(mask.type, ir.Undefined), picks)


def memory_size(dtype: np.dtype) -> int:
    return dtype.itemsize
