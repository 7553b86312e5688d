"""Several rows at a time, where rows are summed up in memory: a sum is then read and written once for all of them.

    for d0 < 4096: for d1 < n: b1[d1] += x[d0, d1]
    for d0 < 1024: for d1 < n: b1[d1] += x[4 d0, d1] + x[4 d0 + 1, d1] + x[4 d0 + 2, d1] + x[4 d0 + 3, d1]

A nest becomes another one; nodes that depend on the row are there once for each of them.
"""

from __future__ import annotations

import math

from functorch_lite.extend_passes import Affine, Nest, Node, Phase, Reduction, Store

from .copies import Copies, combined

__all__ = ["jam"]

ROWS = 4
"""So many at a time."""
MANY = 64
"""Fewer rows are not worth it."""
LIGHT = 8
"""Nodes of a nest whose time goes into memory rather than arithmetic."""
LARGE = 1 << 21
"""Elements that come from memory, not from a cache."""


def jam(nest: Nest) -> int | None:
    """Do rows together, in place, if that spares memory traffic.

    Returns:
      the dimension of the rows, if what its next turn reads should be fetched meanwhile: the processor does not foresee it where
      rows are far apart, and has time for it where there is more to do than one addition.
    """
    if not nest.rows or not nest.columns or len(nest.phases) != 1:
        return None
    d, (phase,) = nest.rows[-1], nest.phases
    n = nest.extents[d]
    summed = [r for r in phase.reductions if r.target is not None and d not in r.target.address.dims]
    if not summed or phase.stores or n < MANY or n % ROWS:
        return None
    if sum(node.op not in ("load", "literal", "index", "reduced") for node in nest.nodes()) > LIGHT:
        return None
    large = math.prod(nest.extents[d] for d in (*nest.rows, *nest.columns)) > LARGE
    rows = [_Row(d, k, len(phase.reductions)) for k in range(ROWS)]
    reductions: list[Reduction] = []
    for r in phase.reductions:
        if r in summed:
            reductions.append(r._replace(node=combined(r.op, [row.node(r.node) for row in rows])))
        else:
            reductions += [row.reduction(r) for row in rows]
    row_stores = [Store(row.load(s.target), row.node(s.node)) for s in phase.row_stores for row in rows]
    nest.phases = [Phase(reductions, [], row_stores)]
    nest.extents[d] = n // ROWS
    return d if large and [r.op for r in phase.reductions] != ["add"] else None


class _Row(Copies):
    """One of the rows that are done together: what nodes and addresses are for it."""

    def __init__(self, d: int, k: int, n_reductions: int):
        super().__init__()
        self.d, self.k, self.n_reductions = d, k, n_reductions

    def changed(self, node: Node) -> Node:
        return super().changed(node) if node.op == "reduced" or self.d in node.dims else node

    def affine(self, place: Affine) -> Affine:
        place = super().affine(place)
        step = place.terms.get(self.d, 0)
        return Affine({**place.terms, self.d: step * ROWS}, place.const + step * self.k)

    def number(self, reduction: int) -> int:
        return reduction + self.k * self.n_reductions

    def reduction(self, r: Reduction) -> Reduction:
        target = None if r.target is None else self.load(r.target)
        return Reduction(self.number(r.number), r.op, self.node(r.node), r.dims, target)
