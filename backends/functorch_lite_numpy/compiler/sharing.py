"""Loop nests shared among threads.

    void group(ptr buffer0, ..., ptr scratch)

A large nest is cut into *pieces* of its outermost loop. How many is fixed by the nest alone, so results do not depend on the
number of threads. Where all pieces accumulate into the same memory each has a copy of its own, and the copies are combined in
order. What reduces everything to single numbers is cut in the same way: they are accumulated in memory, and what is made of
them is a second nest. Small nests stay a direct call.

Sums of many rows are taken block by block, each in a *near* copy that is then added to the others: a sum of many thousand rows
would lose what is smaller than its last digit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from functorch_lite.extend_passes import Affine, Load, Nest, Phase

from . import ir, scalars
from .control import displaced
from .filling import combine, fill
from .intrinsics import intrinsic
from .kernel import kernel_of, new_kernel
from .kernel_plan import CASCADE
from .memory import aligned
from .pairs import split
from .parts import hurried
from .pieces import PIECE, WORTH_SHARING, in_pieces, memory, range_of
from .types import I64, PTR, constant
from .unit import Unit

__all__ = ["SharedNest", "duration_of"]

MOST_PIECES = 256
MOST_COPIES = 32


def duration_of(nest: Nest) -> float:
    """About how many nanoseconds one thread takes for a nest."""
    innermost = (nest.columns or nest.rows or [None])[-1]
    total = math.prod(nest.extents[d] for d in (*nest.rows, *nest.columns))
    each = 0.5
    if innermost is not None and nest.columns:
        each = sum(_cost(node, innermost) for node in nest.nodes() if innermost in node.dims)
        each += sum(0.02 * s.node.dtype.itemsize for p in nest.phases for s in p.stores)
    return total * each


def _cost(node: Any, innermost: int) -> float:
    size = node.dtype.itemsize
    if node.op in ("literal", "index", "reduced"):
        return 0.0
    if node.op == "load":
        return 0.02 * size if node.params.address.terms.get(innermost, 0) == 1 else 1.0
    return (0.07 if scalars.is_dear(node.op) else 0.005) * size


def _detach_results(nest: Nest) -> Nest | None:
    """Make a nest that reduces everything accumulate in memory, in buffers that it gets in addition; what is left to do
    with the results is another nest. None if it is not such a nest, or has nothing to do with them."""
    (phase,) = nest.phases if len(nest.phases) == 1 else (None,)
    if nest.rows or phase is None or any(r.target is not None for r in phase.reductions):
        return None
    places = {}
    for r in phase.reductions:
        places[r.number] = Load(len(nest.types), Affine())
        nest.types = [*nest.types, (r.node.dtype, 1)]
    rest = Nest(nest.extents, [], [], [Phase([], [], list(phase.row_stores))], nest.n_inputs, nest.types)
    for node in rest.nodes():
        if node.op == "reduced":
            node.op, node.params = "load", places[node.params]
    phase.row_stores.clear()
    phase.reductions[:] = [r._replace(target=places[r.number]) for r in phase.reductions]
    return rest


class SharedNest:
    """A nest as a function over its buffers.

    Attributes:
      duration: about how many nanoseconds one thread takes.
      is_zero: whether all that it computes are zeros.
      users: how many steps call it.
      scratch: how many bytes of scratch memory it needs.
    """

    def __init__(self, unit: Unit, nest: Nest):
        self.unit = unit
        self.is_zero = not any(node.op != "literal" or any(node.params.tobytes()) for node in nest.roots())
        nest = split(nest)
        self.duration = duration_of(nest)
        self.users = 0
        self.buffers = len(nest.types)
        large = self.duration > WORTH_SHARING
        rest = _detach_results(nest) if large and any(p.reductions for p in nest.phases) else None
        # What is left of a nest may be equal to what is left of another one.
        self.kernel = kernel = new_kernel(unit, nest, large) if rest is None else kernel_of(unit, nest, large)
        self.rest = kernel_of(unit, rest, False) if rest is not None else None
        unit.losses.inner.add(kernel.function.name)
        self.types = nest.types
        self.length, self.pieces = self.cut() if large else (self.kernel.parts, 1)
        self.private = self.kernel.private if self.pieces > 1 else []
        self.scratch = 0
        self.detached = [self.take(self.size(k)) for k in range(self.buffers, len(self.types))]
        self.copies = {k: self.take(self.pieces * aligned(self.size(k))) for k in self.private}
        near = kernel.near if min(self.length, kernel.parts) > 2 * CASCADE else []
        self.near = {k: self.take(self.pieces * aligned(self.size(k))) for k in near}
        self.kernel_scratch = self.take(self.kernel.scratch) if self.pieces == 1 else 0
        self.function = self.write() if self.pieces > 1 or kernel.accumulated or self.rest else None

    def emit(self, b: Any, buffers: Sequence[Any], scratch: Any) -> None:
        """Call it."""
        if self.function is not None:
            b.call(self.function, [*buffers, scratch])
        else:
            b.call(self.kernel.function, [*buffers, scratch, constant(I64, 0), constant(I64, self.kernel.parts)])

    def hurry(self) -> None:
        """Have it compiled quickly."""
        hurried(self.kernel.function)

    def take(self, size: int) -> int:
        """A place in the scratch memory."""
        place = self.scratch
        self.scratch += aligned(size)
        return place

    def size(self, buffer: int) -> int:
        dtype, n = self.types[buffer]
        return dtype.itemsize * n

    def cut(self) -> tuple[int, int]:
        """The length and number of the pieces."""
        kernel = self.kernel
        grains = -(-kernel.parts // kernel.grain)
        pieces = min(MOST_PIECES, int(self.duration / PIECE), grains)
        if kernel.private:
            pieces = min(pieces, MOST_COPIES, max(2, math.isqrt(grains) // 2))
        length = -(-grains // max(pieces, 1)) * kernel.grain
        return length, -(-kernel.parts // length)

    def write(self) -> Any:
        unit, kernel = self.unit, self.kernel
        function = hurried(unit.function(unit.name("group"), ir.VoidType(), [PTR] * (self.buffers + 1)))
        b = ir.IRBuilder(function.append_basic_block("entry"))
        *buffers, scratch = function.args
        buffers += [self.place(b, scratch, offset) for offset in self.detached]
        for k, op in kernel.accumulated.items():
            fill(unit, b, self.types[k], op, buffers[k])
        if self.pieces == 1:
            own = self.place(b, scratch, self.kernel_scratch)
            self.run(b, buffers, scratch, own, constant(I64, 0), (constant(I64, 0), constant(I64, kernel.parts)))
        else:
            in_pieces(unit, b, self.pieces, [*buffers, scratch], self.piece, hurried)
        for k in self.private:
            for i in range(self.pieces):
                copy = self.place(b, scratch, self.copies[k] + i * aligned(self.size(k)))
                combine(unit, b, self.types[k], kernel.accumulated[k], buffers[k], copy)
        if self.rest is not None:
            b.call(self.rest.function, [*buffers, scratch, constant(I64, 0), constant(I64, 1)])
        b.ret_void()
        return function

    def place(self, b: Any, scratch: Any, offset: int) -> Any:
        return displaced(b, scratch, constant(I64, 1), offset)

    def piece(self, b: Any, pointers: Sequence[Any], k: Any) -> None:
        """A part of the kernel's outermost loop; what all parts accumulate in has a copy for each."""
        kernel = self.kernel
        *buffers, scratch = pointers
        for i in self.private:
            copies = self.place(b, scratch, self.copies[i])
            buffers[i] = displaced(b, copies, k, aligned(self.size(i)))
            fill(self.unit, b, self.types[i], kernel.accumulated[i], buffers[i])
        with memory(self.unit, b, kernel.scratch) as own:
            self.run(b, buffers, scratch, own, k, range_of(b, k, self.length, kernel.parts))

    def run(self, b: Any, buffers: Sequence[Any], scratch: Any, own: Any, k: Any, part: tuple[Any, Any]) -> None:
        """The kernel over piece k of its outermost loop; by blocks, if that is long."""
        kernel, (first, last) = self.kernel, part
        if not self.near:
            b.call(kernel.function, [*buffers, own, first, last])
            return
        near = list(buffers)
        for i, offset in self.near.items():
            near[i] = displaced(b, self.place(b, scratch, offset), k, aligned(self.size(i)))
        before, block, done = b.block, b.append_basic_block("block"), b.append_basic_block("blocks")
        b.branch(block)
        b.position_at_end(block)
        begin = b.phi(I64)
        begin.add_incoming(first, before)
        following = b.add(begin, constant(I64, CASCADE))
        for i in self.near:
            fill(self.unit, b, self.types[i], "add", near[i])
        b.call(kernel.function, [*near, own, begin, intrinsic(b, "smin", following, last)])
        for i in self.near:
            combine(self.unit, b, self.types[i], "add", buffers[i], near[i])
        begin.add_incoming(following, b.block)
        b.cbranch(b.icmp_signed("<", following, last), block, done)
        b.position_at_end(done)
