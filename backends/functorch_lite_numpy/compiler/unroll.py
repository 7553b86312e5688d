"""A last dimension of a few elements done in line, so that the one before it goes along the lanes.

    for d0 < 500: for d1 < 3: b3[d1 + 3*d0] = select(d1 < 1, select(d1 < 2, b2[d0], b1[d0]), b0[d0])
    for d0 < 500: b3[3*d0 : 3*d0 + 3] = b0[d0], b1[d0], b2[d0]

    for d0 < 500: for d1 < 3: r0 = add(r0, b0[d1 + 3*d0]); then b1[d0] = r0
    for d0 < 500: b1[d0] = b0[3*d0] + (b0[3*d0 + 1] + b0[3*d0 + 2])

Groups of elements that lie side by side are taken apart when they are read, and put together when they are stored.
"""

from __future__ import annotations

from functorch_lite.extend_passes import Affine, Nest, Node, Phase, Store

from .copies import combined
from .interior import Inside, tests
from .values import in_groups

__all__ = ["unroll"]

MOST = 4
"""Elements of such a dimension."""
LEAST = 16
"""And of the one before."""
MOST_NODES = 200
"""What is computed once for each of the elements, together."""


def unroll(nest: Nest) -> None:
    """Do the last dimension in line, in place, if then no load is guarded, and all read what lies in a row or in groups."""
    if len(nest.columns) != 1 or not nest.rows:
        return
    (d,), outer = nest.columns, nest.rows[-1]
    n = nest.extents[d]
    short = 1 < n <= MOST and nest.extents[outer] >= LEAST and n * len(nest.nodes()) <= MOST_NODES
    if not short or not _lie_well(nest, d, outer):
        return
    results: dict[int, Node] = {}
    known = tests(nest, d)
    ways = [_At(d, k, {node: test(k) for node, test in known.items()}, results) for k in range(n)]
    made = []
    for phase in nest.phases:
        for r in phase.reductions:
            results[r.number] = combined(r.op, [way.node(r.node) for way in ways])
        made += [Store(ways[0].load(s.target), _together([way.node(s.node) for way in ways])) for s in phase.stores]
        made += [s._replace(node=ways[0].node(s.node)) for s in phase.row_stores]
    inline = Nest(nest.extents, nest.rows[:-1], [outer], [Phase([], made, [])], nest.n_inputs, nest.types)
    if all(node.op != "load" or _reads_well(node, nest, outer) for node in inline.nodes()):
        nest.rows, nest.columns, nest.phases = inline.rows, inline.columns, inline.phases


def _lie_well(nest: Nest, d: int, outer: int) -> bool:
    """Whether all results are real numbers that lie side by side, and nothing is reduced over rows."""
    n = nest.extents[d]
    reductions = [r for phase in nest.phases for r in phase.reductions]
    stores = [s for phase in nest.phases for s in phase.stores]
    once = [s for phase in nest.phases for s in phase.row_stores]
    groups = all(s.target.address.terms.get(d) == 1 and s.target.address.terms.get(outer) == n for s in stores)
    in_a_row = all(s.target.address.terms.get(outer) == 1 for s in once)
    real = all(x.node.op != "pair" for x in (*reductions, *stores, *once))
    return groups and in_a_row and real and all(r.target is None for r in reductions)


def _reads_well(load: Node, nest: Nest, d: int) -> bool:
    buffer, address = load.params
    if load.args or any(d in k.dims for k in address.nodes):
        return False
    stride = address.terms.get(d, 0)
    return stride in (0, 1) or in_groups(address, stride, nest.types[buffer][1])


def _together(parts: list[Node]) -> Node:
    dims = frozenset().union(*(p.dims for p in parts))
    return Node(-1, "pair", parts, parts[0].dtype, (), dims, max(p.level for p in parts))


class _At(Inside):
    """Nodes where a dimension has a value, and reductions along it are known."""

    def __init__(self, d: int, k: int, known: dict[Node, bool], results: dict[int, Node]):
        super().__init__(known)
        self.d, self.k, self.results = d, k, results

    def changed(self, node: Node) -> Node:
        if node.op == "reduced":
            return self.results[node.params]
        out = super().changed(node)
        if out is not node:
            out.dims -= {self.d}
        return out

    def affine(self, place: Affine) -> Affine:
        place = super().affine(place)
        step = place.terms.get(self.d, 0)
        return Affine({**place.terms, self.d: 0}, place.const + step * self.k) if step else place
