"""How a nest is done: in vectors of how many lanes, what threads share, what is kept instead of computed again."""

from __future__ import annotations

import math
from collections.abc import Sequence

from functorch_lite.extend_passes import Affine, Nest, Node

from . import scalars
from .memory import aligned
from .types import real_dtype

__all__ = ["CASCADE", "lanes_of", "may_compute_twice", "places_of_kept", "shared_dimension", "sums_of_rows"]

CASCADE = 256
"""So many vectors are added up before their sum is added to a second one: long sums of floats stay accurate."""
FEW_SUMS = 64
"""So many sums are near whatever a turn adds to."""

FEW_ROWS = 64
"""Fewer rows than that are not shared among threads where columns can be."""

CHAINS = 3
"""So many chains of dear instructions beside each other keep the units busy."""
FEW, MANY = 1 << 13, 1 << 18
"""Fewer elements than `FEW` are not worth two registers for each value of a long nest, fewer than `MANY` not four."""


def shared_dimension(nest: Nest) -> int | None:
    """The dimension that threads share: the outermost, if its parts do not wait for each other."""
    reductions = [r for p in nest.phases for r in p.reductions]
    if not nest.rows:
        alone = all(r.target is not None for r in reductions) and len(nest.phases) == 1
        return nest.columns[0] if nest.columns and alone else None
    columns = frozenset(nest.columns)
    apart = len(columns) == 1 and not any(p.row_stores for p in nest.phases)
    if apart and reductions and all(columns <= r.target.address.dims for r in reductions if r.target is not None):
        inner = any(r.target is None or nest.rows[0] in r.target.address.dims for r in reductions)
        if not inner and nest.extents[nest.rows[0]] < FEW_ROWS:
            return nest.columns[-1]
    return nest.rows[0]


def sums_of_rows(nest: Nest, outer: int | None) -> list[int]:
    """The buffers in which all turns of the loop `outer`, over rows, add up floats, each turn to all that is there."""
    if outer is None or outer not in nest.rows or nest.extents[outer] <= 2 * CASCADE:
        return []
    turn = math.prod(nest.extents[d] for d in (*nest.rows, *nest.columns) if d != outer)
    most = max(2 * turn, FEW_SUMS)  # a complex number is two of a buffer's
    found = []
    for target, op in ((r.target, r.op) for p in nest.phases for r in p.reductions):
        if target is None or op != "add" or outer in target.address.dims:
            continue
        dtype, size = nest.types[target.buffer]
        if dtype.kind == "f" and size <= most and not target.address.nodes:
            found.append(target.buffer)
    return list(dict.fromkeys(found))


def lanes_of(nest: Nest, vector_bytes: int) -> int:
    """Lanes: as many as fill several registers; fewer where little is to do, or sums would fill the registers.

    A chain of instructions takes its time: with registers of 32 bytes it takes four side by side to keep the units busy. But LLVM
    takes nearly four times as long for them, which few elements never win back; and where a nest has several chains of its own,
    two registers for each do as well.
    """
    if not nest.columns:
        return 1
    everything = nest.nodes()
    size = max((real_dtype(x.dtype).itemsize for x in everything if x.op not in ("index", "literal")), default=4)
    dear, chain = _dear(everything)
    long = dear > 0 or len(everything) > 24
    places = [s.target.address for p in nest.phases for s in p.stores]
    places += [x.params.address for x in everything if x.op == "load"]
    apart = any(_scatters(a, nest.columns[-1]) for a in places)
    registers = 2 if long and (vector_bytes == 64 or dear >= CHAINS * max(chain, 1)) else 4
    if long:
        elements = math.prod(nest.extents)
        registers = min(registers, 1 if elements < FEW else 2 if elements < MANY else 4)
    if apart:  # element by element, where it takes LLVM longest
        registers = 1
    sums = max(sum(r.target is None for r in p.reductions) for p in nest.phases)
    while registers > 1 and registers * sums > vector_bytes // 4:  # half of the registers there are
        registers //= 2
    width = vector_bytes // size * registers
    n = nest.extents[nest.columns[-1]]
    while width > 1 and n <= width // 2:
        width //= 2
    while width > 8 and n % width and -(-n // width) * width > 1.3 * n:
        width //= 2
    if n < width and not long and vector_bytes < 64 and not any(p.reductions for p in nest.phases):
        width //= 2  # two vectors then, the second of which begins early: to store some lanes only is slow there
    return width


def _dear(everything: Sequence[Node]) -> tuple[int, int]:
    """How many nodes are dear, and how many of them follow one on the other at most."""
    depths: dict[Node, int] = {}
    for x in everything:
        depths[x] = max((depths.get(a, 0) for a in x.args), default=0) + scalars.is_dear(x.op)
    return sum(scalars.is_dear(x.op) for x in everything), max(depths.values(), default=0)


def _scatters(place: Affine, d: int) -> bool:
    """Whether elements do not lie side by side along a dimension, in either direction, nor are one and the same."""
    return abs(place.terms.get(d, 0)) > 1 or any(d in k.dims for k in place.nodes)


def may_compute_twice(nest: Nest, width: int) -> bool:
    """Whether the last vector of a row shall begin so early that it is whole, for elements may be computed and stored once more.

    That is less code than a vector of its own for the rest, and for short rows less time than one of which only some lanes count.
    But results must not lie over operands then: so those of long rows are to be small.
    """
    if not nest.columns or any(p.reductions for p in nest.phases):
        return False
    n = nest.extents[nest.columns[-1]]
    rest = n % width
    if n < width or not rest:
        return False
    return math.prod(nest.extents) < FEW or (n < 2 * width and rest.bit_count() > 1)


def places_of_kept(nest: Nest, width: int) -> tuple[dict[Node, int], int]:
    """Dear nodes that several phases need, and where in the scratch memory of a row they are kept.

    They are written in whole vectors of up to so many lanes: the last one reaches beyond the row.
    """
    if len(nest.phases) == 1:
        return {}, 0
    columns = set(nest.columns)
    first: dict[Node, int] = {}
    again: dict[Node, None] = {}
    for k, phase in enumerate(nest.phases):
        seen: set[Node] = set()
        stack = [x.node for x in (*phase.reductions, *phase.stores)]
        while stack:
            node = stack.pop()
            if node in seen or not node.dims & columns:
                continue
            seen.add(node)
            if first.setdefault(node, k) < k and _worth_keeping(node):
                again[node] = None
                continue
            stack.extend(node.args)
    length = math.prod(nest.extents[d] for d in nest.columns) + width
    places, total = {}, 0
    for node in again:
        places[node] = total
        total += aligned(length * max(1, node.dtype.itemsize))
    return places, total


def _worth_keeping(node: Node) -> bool:
    """Whether it is dear, and a single number."""
    of = node.args[0] if node.op == "part" else node
    return scalars.is_dear(of.op) and node.dtype.kind != "c"
