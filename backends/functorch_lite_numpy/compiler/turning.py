"""Operands that lie along the rows of a nest, while its vectors go along the columns: they are turned around, some rows at a time.

    for d0 < 1000: for d1 < 1000: b2[1000*d0 + d1] = b0[1000*d0 + d1] + b1[d0 + 1000*d1]

    for each 16 values of d0:
        t[1000*i + d1] = b1[d0 + i + 1000*d1]   for i < 16, d1 < 1000, by squares in registers
        for each of them: for d1 < 1000: b2[1000*d0 + d1] = b0[1000*d0 + d1] + t[1000*i + d1]

So no vector is gathered element by element, and what comes from memory together is read together. A nest becomes another one, which
reads buffers of its own.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from functorch_lite.extend_passes import Affine, Load, Nest, Node

from .copies import Copies
from .grids import counted
from .intrinsics import intrinsic
from .kernel_plan import shared_dimension
from .memory import LINE, aligned
from .packing import pack
from .types import I8, I64, constant, memory_type
from .values import Values

if TYPE_CHECKING:
    from .unit import Unit

__all__ = ["Turned", "turned"]

MOST_ROWS, LEAST_ROWS = 64, 4
"""So many rows are turned at a time; fewer rows and columns are not worth it."""
BURST = 256
"""Bytes that are read side by side, if there is room for what comes of it."""
LEAST = 1 << 11
"""Elements of a nest for which this is worth its code."""
ROOM, MOST_ROOM = 1 << 18, 1 << 19
"""Bytes of all that is turned at a time, which should stay in a cache; and where that is too few."""


class Turned:
    """A nest whose loads go along the columns, and what makes the buffers that they read.

    Attributes:
      nest: the nest. Its further buffers are these.
      dimension: the innermost one of its rows, along which the operands lie.
      rows: so many of them are turned at a time.
    """

    def __init__(self, nest: Nest, dimension: int, loads: Sequence[Node], rows: int):
        self.dimension, self.rows, self.loads = dimension, rows, loads
        (self.column,) = nest.columns
        self.columns = nest.extents[self.column]
        self.first = len(nest.types)
        self.places: list[int] = []
        types = [*nest.types, *((load.dtype, rows * self.columns) for load in loads)]
        address = Affine({dimension: self.columns, self.column: 1})
        along = _Along({load: Load(self.first + k, address) for k, load in enumerate(loads)})
        order = [d for d in nest.rows if d != dimension] + [dimension]
        self.nest = Nest(nest.extents, order, nest.columns, list(map(along.phase, nest.phases)), nest.n_inputs, types)

    def take(self, scratch: int) -> int:
        """Take room for the buffers behind so much scratch memory; gives where that ends then."""
        for load in self.loads:
            self.places.append(scratch)
            scratch += aligned(self.rows * self.columns * load.dtype.itemsize)
        return scratch

    @contextmanager
    def blocks(self, unit: Unit, v: Values, first: Any, last: Any) -> Iterator[tuple[Any, Any]]:
        """Code for some rows at a time, which are turned first; gives from which to which."""
        b, length = v.builder, self.nest.extents[self.dimension]
        v.buffers = v.buffers[: self.first]
        with counted(b, last, first, self.rows) as row:
            start = intrinsic(b, "umin", row, constant(I64, length - self.rows)) if length % self.rows else row
            for load, place in zip(self.loads, self.places, strict=True):
                tile = b.gep(v.scratch, [constant(I64, place)], source_etype=I8)
                self.turn(unit, v, load, start, tile)
                back = b.mul(start, constant(I64, -self.columns))
                v.buffers.append(b.gep(tile, [back], source_etype=memory_type(load.dtype)))
            yield row, intrinsic(b, "smin", b.add(row, constant(I64, self.rows)), last)

    def turn(self, unit: Unit, v: Values, load: Node, start: Any, tile: Any) -> None:
        """Fill a buffer with the rows from a start on."""
        buffer, address = load.params
        terms = {d: c for d, c in address.terms.items() if d not in (self.dimension, self.column)}
        place = v.builder.add(v.number(v.builder, Affine(terms, address.const)), start)
        source = v.builder.gep(v.buffers[buffer], [place], source_etype=memory_type(load.dtype))
        axes = [(self.rows, 1), (self.columns, address.terms[self.column])]
        pack(unit, v.builder, load.dtype, axes, source, tile)


class _Along(Copies):
    """Nodes where some loads are from elsewhere."""

    def __init__(self, places: dict[Node, Load]):
        super().__init__()
        self.places = places

    def changed(self, node: Node) -> Node:
        place = self.places.get(node)
        if place is None:
            return super().changed(node)
        return Node(node.number, "load", (), node.dtype, place, node.dims, node.level)


def turned(nest: Nest) -> Turned | None:
    """What becomes of a nest; None if nothing in it is to be turned."""
    if len(nest.columns) != 1 or not nest.rows:
        return None
    (column,) = nest.columns
    found = [node for node in nest.nodes() if node.op == "load" and _is_across(node, column)]
    along = Counter(d for node in found for d in nest.rows if node.params.address.terms.get(d) == 1)
    if not along or math.prod(nest.extents[d] for d in (*nest.rows, column)) < LEAST:
        return None
    dimension = max(along, key=along.__getitem__)
    loads = [node for node in found if node.params.address.terms.get(dimension) == 1]
    row = nest.extents[column] * sum(node.dtype.itemsize for node in loads)
    size = max(node.dtype.itemsize for node in loads)
    rows = min(MOST_ROWS, BURST // size)
    while rows > nest.extents[dimension] or (rows * size > LINE and rows * row > ROOM):
        rows //= 2
    in_order = dimension != nest.rows[-1] and any(r.target is not None for p in nest.phases for r in p.reductions)
    if in_order or shared_dimension(nest) == column:
        return None
    if min(rows, nest.extents[column]) < LEAST_ROWS or rows * row > MOST_ROOM:
        return None
    return Turned(nest, dimension, loads, rows)


def _is_across(load: Node, column: int) -> bool:
    """Whether it is there in any case, and the elements of a row are far apart."""
    address = load.params.address
    return not load.args and address.terms.get(column, 0) > 1 and not address.nodes
