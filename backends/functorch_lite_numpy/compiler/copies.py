"""Nodes of a nest made anew where something in them changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from functorch_lite.extend_passes import Affine, Load, Node, Phase

__all__ = ["Copies", "combined"]


class Copies:
    """What becomes of nodes and addresses. Subclasses say how: by `changed`, `affine`, `number`."""

    def __init__(self) -> None:
        self.made: dict[Node, Node] = {}

    def node(self, node: Node) -> Node:
        if node not in self.made:
            self.made[node] = self.changed(node)
        return self.made[node]

    def phase(self, phase: Phase) -> Phase:
        """A phase of what its nodes become."""
        reductions = [r._replace(node=self.node(r.node)) for r in phase.reductions]
        stores, once = ([s._replace(node=self.node(s.node)) for s in of] for of in (phase.stores, phase.row_stores))
        return Phase(reductions, stores, once)

    def changed(self, node: Node) -> Node:
        """The node with what its operands and its address become; itself if they stay."""
        params: Any = node.params
        if node.op == "load":
            params = self.load(params)
        elif node.op == "index":
            params = self.affine(params)
        elif node.op == "reduced":
            params = self.number(params)
        args = tuple(self.node(a) for a in node.args)
        if params is node.params and args == node.args:
            return node
        return Node(node.number, node.op, args, node.dtype, params, node.dims, node.level)

    def load(self, place: Load) -> Load:
        address = self.affine(place.address)
        return place if address is place.address else place._replace(address=address)

    def affine(self, place: Affine) -> Affine:
        """The sum with what its nodes become; an index among them becomes its own sum."""
        nodes = place.nodes
        if all(self.node(k) is k for k in nodes):
            return place
        out = Affine({k: c for k, c in place.terms.items() if isinstance(k, int)}, place.const)
        for k in nodes:
            new = self.node(k)
            out = out + (new.params if new.op == "index" else Affine({new: 1})) * place.terms[k]
        return out

    def number(self, reduction: int) -> int:
        return reduction


def combined(op: str, terms: Sequence[Node]) -> Node:
    """The combination of some nodes, by halves."""
    if len(terms) == 1:
        return terms[0]
    half = len(terms) // 2
    x, y = combined(op, terms[:half]), combined(op, terms[half:])
    dims, level = x.dims | y.dims, max(x.level, y.level)
    if x.op == "pair":  # of a complex number's parts
        parts = [combined(op, of) for of in zip(x.args, y.args, strict=True)]
        return Node(x.number, "pair", parts, x.dtype, (), dims, level)
    return Node(x.number, op, (x, y), x.dtype, (), dims, level)
