"""The values of a nest's nodes, each computed where it must be: at the outermost loop at which all it depends on is known.

Nodes and addresses are written once for each turn of that loop; what does not vary along the lanes stays a scalar.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from functorch_lite.extend_passes import Affine, Load, Nest, Node

from . import ir, scalars
from .interior import outcomes
from .intrinsics import prefetch
from .memory import LINE
from .types import (
    I8,
    I32,
    I64,
    any_lane,
    constant,
    is_vector,
    join_lanes,
    lanes,
    literal,
    memory_type,
    real_dtype,
    register_type,
    splat,
    take_lanes,
)
from .vectors import both, gather, mask_of, read, write

__all__ = ["Values", "in_groups", "picked"]


MOST_APART = 4
"""Elements that lie so far apart are picked from vectors that lie in a row, rather than read one by one."""
SHORT = 1 << 31
"""Integers below that have room in 32 bits."""


class Values:
    """Where in the loops of a nest code is written, and what has been computed there.

    Attributes:
      builders: one for each loop around, and the function's entry.
      at: the value of each dimension whose loop is around.
      lanes: how many values of the innermost dimension are computed at a time, from `first` on.
      mask: which of them count; None for all.
      ahead: a dimension; what its next turn reads is fetched meanwhile. None if that is not worth it.
      results: what reductions over the columns gave.
    """

    def __init__(
        self,
        function: Any,
        nest: Nest,
        saved: Mapping[Node, int],
        vector_bytes: int,
        buffers: Sequence[Any],
        scratch: Any = None,
        ahead: int | None = None,
    ):
        self.function = function
        self.nest = nest
        self.saved = saved
        self.vector_bytes = vector_bytes
        self.buffers, self.scratch, self.ahead = list(buffers), scratch, ahead
        self.loops = {d: k for k, d in enumerate((*nest.rows, *nest.columns), start=1)}
        """How many loops are around a place that a dimension's loop is the innermost of."""
        self.vector = nest.columns[-1] if nest.columns else None
        self.known: dict[Any, Any] = {}
        """What has been computed: nodes, and sums of addresses."""
        self.depths: dict[Any, int] = {}
        """Inside of how many loops."""
        self.at: dict[int, Any] = {}
        self.lanes, self.first, self.mask = 1, 0, None
        self.results: dict[int, Any] = {}
        self.pending: set[Node] = set()
        self.kept: set[Node] = set()
        self.builders = [ir.IRBuilder(function.append_basic_block("entry"))]

    @property
    def builder(self) -> Any:
        """Writes into the innermost loop."""
        return self.builders[-1]

    @property
    def row_depth(self) -> int:
        return len(self.nest.rows)

    @property
    def row_builder(self) -> Any:
        """Writes what is done once a row."""
        return self.builders[self.row_depth]

    # Loops.

    @contextmanager
    def loop(self, d: int, first: Any, last: Any, step: int) -> Iterator[None]:
        """Code for each value of a dimension; the builder of the next depth stands inside."""
        outside = self.builder
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
        self.known = {n: v for n, v in self.known.items() if self.depths[n] < depth}

    @contextmanager
    def branch(self) -> Iterator[None]:
        """Code that is not always run: what is computed there is forgotten afterwards, but for what was put outside of the loop."""
        depth, known = len(self.builders) - 1, self.known
        self.known = dict(known)
        yield
        self.known = {**known, **{n: v for n, v in self.known.items() if self.depths[n] < depth}}

    @contextmanager
    def some_lanes(self, first: int, width: int) -> Iterator[None]:
        """Some of the lanes, as a vector of their own."""
        if width == self.lanes:
            yield
            return
        b, depth = self.builder, len(self.builders) - 1
        before, mask = (self.first, self.lanes), self.mask
        with self.branch():
            self.first, self.lanes = self.first + first, width
            self.mask = None if mask is None else take_lanes(b, mask, first, width)
            self.known = {n: v for n, v in self.known.items() if self.depths[n] < depth}
            yield
        (self.first, self.lanes), self.mask = before, mask

    # Values.

    def depth_of(self, node: Node) -> int:
        """How many loops are around the place where a node is computed."""
        depth = max([self.loops[d] for d in node.dims], default=0)
        return max(depth, self.row_depth) if node.level > 0 else depth

    def value(self, node: Node) -> Any:
        found = self.known.get(node)
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
        self.known[node] = value
        self.depths[node] = depth
        return value

    def compute(self, node: Node) -> Any:
        b = self.builder
        if node.op == "literal":
            return literal(node.dtype, node.params)
        if node.op == "index":
            return self.number(b, node.params)
        if node.op == "load":
            return self.load_at(b, node.params, node.dtype, node.args[0] if node.args else None)
        if node in self.kept:
            return read(b, self.scratch_at(b, node), node.dtype, self.lanes)
        if node.op == "part":
            return self.value(node.args[0])[node.params]
        if node.dtype == bool and (truths := self.outcomes(node)) is not None:
            return mask_of(truths)
        args = [self.value(a) for a in node.args]
        lanes = max((a.type.count for a in args if is_vector(a)), default=1)
        args = [splat(b, a, lanes) for a in args]
        if lanes > 1 and node.dtype == bool and len(args) == 2 and all(map(self.is_short, node.args)):
            args = [b.trunc(a, ir.VectorType(I32, lanes)) for a in args]  # compared by half as many instructions
        if node.op == "pair":
            return tuple(args)
        context = scalars.Context(b, [a.dtype for a in node.args], node.dtype, dict(node.params))
        value = scalars.emit(node.op, context, args)
        if node in self.saved:
            self.keep(b, node, value)
        return value

    def outcomes(self, node: Node) -> list[bool] | None:
        """The truth of a node for each lane, if the place decides it, and is known now.

        Then no masks are left where a few elements are put together, and LLVM can keep these in registers.
        """
        at = None if self.vector is None else self.at.get(self.vector)
        if self.vector is None or self.lanes == 1 or not isinstance(at, ir.Constant):
            return None
        first = at.constant + self.first
        return outcomes(node, self.vector, range(first, first + self.lanes))

    def is_short(self, node: Node) -> bool:
        """Whether it is a place in the nest, or a number, that has room in 32 bits."""
        if node.op == "literal":
            return node.dtype == np.int64 and abs(int(node.params)) < SHORT
        if node.op != "index" or node.params.nodes:
            return False
        return abs(node.params.const) + sum(abs(c) * self.nest.extents[k] for k, c in node.params.terms.items()) < SHORT

    def scalar(self, x: Any) -> Any:
        return self.builder.extract_element(x, constant(I32, 0)) if is_vector(x) else x

    def scratch_at(self, b: Any, node: Node) -> Any:
        place = constant(I64, 0)
        for d in self.nest.columns:
            place = b.add(b.mul(place, constant(I64, self.nest.extents[d])), self.at[d])
        base = b.gep(self.scratch, [constant(I64, self.saved[node])], source_etype=I8)
        return b.gep(base, [place], source_etype=register_type(node.dtype))

    def keep(self, b: Any, node: Node, value: Any) -> None:
        write(b, self.scratch_at(b, node), splat(b, value, self.lanes))
        self.pending.add(node)

    def end_phase(self) -> None:
        """From now on, what was kept is read again."""
        self.kept |= self.pending
        self.pending.clear()

    # Addresses.

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
        if key not in self.known:
            *outer, (depth, k, c) = terms
            rest = self.total(outer, const)
            b = self.builders[depth]
            x = self.at[k] if isinstance(k, int) else self.value(k)
            term = x if c == 1 else b.mul(x, constant(I64, c))
            zero = isinstance(rest, ir.Constant) and rest.constant == 0
            self.known[key] = term if zero else b.add(rest, term)
            self.depths[key] = depth
        return self.known[key]

    def lane_stride(self, place: Affine) -> int | None:
        """How far apart the lanes are in memory; None if by data."""
        if self.lanes == 1:
            return 0
        if any(self.vector in k.dims for k in place.nodes):
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
        find that out. And where all lanes of a mask are alike, LLVM (22) may make it part of a shuffle, which reads all the same.)
        """
        start = self.guarded(b, self.start(b, target.address), guard)
        return b.gep(self.buffers[target.buffer], [start], source_etype=memory_type(dtype))

    def guarded(self, b: Any, place: Any, guard: Any) -> Any:
        """A place, or the start of its buffer if a guard holds for no lane that counts."""
        if guard is None:
            return place
        holds = any_lane(b, self.where(b, guard)) if is_vector(guard) else guard
        return b.select(holds, place, constant(I64, 0))

    # Loads.

    def load_at(self, b: Any, target: Load, dtype: np.dtype, condition: Node | None) -> Any:
        guard = None if condition is None else self.value(condition)
        stride = self.lane_stride(target.address)
        if stride == 0:
            return self.read_one(b, target, self.start(b, target.address), dtype, guard)
        length = self.nest.types[target.buffer][1]
        if stride is not None and in_groups(target.address, stride, length):
            uniform = guard is None or not is_vector(guard)
            if condition is None or (uniform and length >= abs(stride) * self.lanes):
                return self.read_lanes(b, target, dtype, stride, self.mask, guard)
            return self.read_where(b, target, dtype, stride, condition)
        places = self.number(b, target.address)
        if not is_vector(places):  # a node of it varies by its condition alone: it is one number for all lanes
            return self.read_one(b, target, places, dtype, guard)
        return self.gather(b, self.buffers[target.buffer], places, dtype, self.where(b, guard))

    def read_one(self, b: Any, target: Load, place: Any, dtype: np.dtype, guard: Any) -> Any:
        """The element that all lanes need; the first one if a guard holds for none."""
        if not self.is_there(target):
            place = self.guarded(b, place, guard)
        return read(b, b.gep(self.buffers[target.buffer], [place], source_etype=memory_type(dtype)), dtype, 1)

    def is_there(self, target: Load) -> bool:
        """Whether an element is known to lie in its buffer, whatever a guard says."""
        return not target.address.terms and 0 <= target.address.const < self.nest.types[target.buffer][1]

    def where(self, b: Any, guard: Any) -> Any:
        """The mask of the lanes that count, and for which a guard holds."""
        if guard is None:
            return self.mask
        guard = splat(b, guard, self.lanes)
        return guard if self.mask is None else both(b, self.mask, guard)

    def read_lanes(self, b: Any, target: Load, dtype: np.dtype, stride: int, mask: Any, guard: Any) -> Any:
        """Elements that lie in a row or in groups; from the start of the buffer if a guard holds for no lane."""
        if stride != 1:
            return self.read_of_groups(b, target, dtype, stride, mask, guard)
        pointer = self.pointer(b, target, dtype, guard)
        if self.ahead is not None:
            step = target.address.terms.get(self.ahead, 0)
            self.fetch(b, pointer, step * dtype.itemsize, self.lanes * dtype.itemsize)
        return read(b, pointer, dtype, self.lanes, mask)

    def fetch(self, b: Any, pointer: Any, step: int, size: int) -> None:
        """Fetch what lies so many bytes further, which will be read soon; nothing if that is here."""
        for place in range(step, step + size, LINE) if step else ():
            prefetch(b, b.gep(pointer, [constant(I64, place)], source_etype=I8))

    def read_of_groups(self, b: Any, target: Load, dtype: np.dtype, stride: int, mask: Any, guard: Any) -> Any:
        """One element of each group; the groups lie in a row, and are read once for all of their elements."""
        n, size = self.lanes, abs(stride)
        which = target.address.const % size
        order = range(n) if stride > 0 else range(n - 1, -1, -1)
        first = target.address + (-which - order[0] * size)
        key = ("groups", target.buffer, first.key, guard)
        if key not in self.known:
            pointer = self.pointer(b, Load(target.buffer, first), dtype, guard)
            of_groups = None if mask is None else picked(b, mask, [i for i in order for _ in range(size)])
            self.known[key] = read(b, pointer, dtype, size * n, of_groups)
            self.depths[key] = len(self.builders) - 1
        return picked(b, self.known[key], [which + i * size for i in order])

    def read_where(self, b: Any, target: Load, dtype: np.dtype, stride: int, condition: Node) -> Any:
        """The lanes for which a condition holds, in pieces of a register each.

        Where LLVM (22) cuts a masked load itself, and only then finds that a piece reads nothing, it reads all of that piece.
        Where that is less than two lanes there are no masked loads, but branches.
        """
        apart = 1 << (abs(stride) - 1).bit_length()
        width = min(self.lanes, max(2, self.vector_bytes // (apart * real_dtype(dtype).itemsize)))
        pieces = []
        for first in range(0, self.lanes, width):
            with self.some_lanes(first, width):
                guard = self.value(condition)
                pieces.append(self.read_lanes(b, target, dtype, stride, self.where(b, guard), guard))
        while len(pieces) > 1:
            pieces = [join_lanes(b, x, y) for x, y in zip(pieces[::2], pieces[1::2], strict=True)]
        return pieces[0]

    def gather(self, b: Any, base: Any, places: Any, dtype: np.dtype, mask: Any) -> Any:
        """Elements from anywhere in a buffer."""
        lanes = places.type.count
        pointers = b.gep(base, [places], source_etype=memory_type(dtype))
        value = gather(b, pointers, memory_type(dtype, lanes), mask)
        return b.trunc(value, register_type(dtype, lanes)) if dtype.kind == "b" else value


def in_groups(place: Affine, stride: int, length: int) -> bool:
    """Whether a buffer of a length is read in small groups of elements that are all there: one of each, forwards or backwards."""
    return 1 <= abs(stride) <= MOST_APART and all(n % stride == 0 for n in (*place.terms.values(), length))


def picked(b: Any, x: Any, picks: Sequence[int]) -> Any:
    """A vector of some lanes of another one; one that is known now of a known one."""
    if isinstance(x, ir.Constant) and isinstance(x.constant, Sequence):
        return lanes(ir.VectorType(x.type.element, len(picks)), [x.constant[i] for i in picks])
    return b.shuffle_vector(x, ir.Constant(x.type, ir.Undefined), lanes(ir.VectorType(I32, len(picks)), picks))
