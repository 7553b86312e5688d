"""Fewer and longer loops: two dimensions become one where all addresses run on from the one into the other."""

from __future__ import annotations

from functorch_lite.extend_passes import Affine, Nest, Node

__all__ = ["collapse"]


def collapse(nest: Nest) -> None:
    """Merge neighbouring rows, and neighbouring columns, in place; rows with columns where nothing is done once a row."""
    everything = nest.nodes()
    addresses = [place for node in everything if (place := node.place) is not None]
    for phase in nest.phases:
        addresses += [s.target.address for s in (*phase.stores, *phase.row_stores)]
        addresses += [r.target.address for r in phase.reductions if r.target is not None]
    once = any(p.reductions or p.row_stores for p in nest.phases)
    chains = [nest.rows, nest.columns] if once else [nest.rows + nest.columns]
    for loops in filter(None, chains):
        inner = loops[-1]
        for outer in loops[-2::-1]:
            n = nest.extents[inner]
            if all(a.terms.get(outer, 0) == n * a.terms.get(inner, 0) for a in addresses):
                _merge(nest, outer, inner, addresses, everything)
            else:
                inner = outer


def _merge(nest: Nest, outer: int, inner: int, addresses: list[Affine], everything: list[Node]) -> None:
    (nest.rows if outer in nest.rows else nest.columns).remove(outer)
    nest.extents[inner] *= nest.extents[outer]
    for a in addresses:
        a.drop(outer)
    for node in everything:
        if outer in node.dims:
            node.dims = node.dims - {outer} | {inner}
    for phase in nest.phases:
        phase.reductions[:] = [r._replace(dims=r.dims - {outer}) for r in phase.reductions]
