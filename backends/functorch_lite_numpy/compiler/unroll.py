"""A last dimension of a few elements, each of which is made in its own way, in line.

    for d0 < 500: for d1 < 3: b3[d1 + 3*d0] = select(d1 < 1, select(d1 < 2, b2[d0], b1[d0]), b0[d0])
    for d0 < 500: b3[3*d0 : 3*d0 + 3] = b0[d0], b1[d0], b2[d0]

So the dimension before it goes along the lanes, and vectors are interleaved when they are stored.
"""

from __future__ import annotations

from functorch_lite.extend_passes import Affine, Nest, Node, Phase, Store

from .collapse import nodes
from .interior import Inside, tests

__all__ = ["unroll"]

MOST = 4
"""Elements of such a dimension."""
LEAST = 16
"""And of the one before."""


def unroll(nest: Nest) -> None:
    """Do the last dimension in line, in place, if then no load is guarded and all of them read what lies in a row."""
    if len(nest.columns) != 1 or not nest.rows or len(nest.phases) != 1:
        return
    (d,), outer, (phase,) = nest.columns, nest.rows[-1], nest.phases
    n = nest.extents[d]
    stores = phase.stores
    apart = any(s.target.address.terms.get(d) != 1 or s.target.address.terms.get(outer) != n for s in stores)
    if not 1 < n <= MOST or nest.extents[outer] < LEAST or phase.reductions or phase.row_stores or apart:
        return
    known = tests(nest, d)
    if not known or any(s.node.op == "pair" for s in stores):
        return
    ways = [_At(d, k, {node: test(k) for node, test in known.items()}) for k in range(n)]
    made = [Store(ways[0].load(s.target), _together([way.node(s.node) for way in ways])) for s in stores]
    inline = Nest(nest.extents, nest.rows[:-1], [outer], [Phase([], made, [])], nest.n_inputs, nest.types)
    for node in nodes(inline):
        if node.op == "load" and (node.args or node.params.address.terms.get(outer, 0) > 1):
            return
    nest.rows, nest.columns, nest.phases = inline.rows, inline.columns, inline.phases


def _together(parts: list[Node]) -> Node:
    dims = frozenset().union(*(p.dims for p in parts))
    return Node(-1, "pair", parts, parts[0].dtype, (), dims, max(p.level for p in parts))


class _At(Inside):
    """Nodes where a dimension has a value."""

    def __init__(self, d: int, k: int, known: dict[Node, bool]):
        super().__init__(known)
        self.d, self.k = d, k

    def changed(self, node: Node) -> Node:
        out = super().changed(node)
        if out is not node:
            out.dims -= {self.d}
        return out

    def affine(self, place: Affine) -> Affine:
        place = super().affine(place)
        step = place.terms.get(self.d, 0)
        return Affine({**place.terms, self.d: 0}, place.const + step * self.k) if step else place
