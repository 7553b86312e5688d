"""Which results of a nest may take the memory of an operand that nothing else needs.

A result may if the nest reads the operand at the very places where it writes the result, each in the same turn of the loops: then
every element is read before another one takes its place.
"""

from __future__ import annotations

from functorch_lite.extend_passes import Nest, Node

__all__ = ["loads_to_hurry", "overlays"]


def overlays(nest: Nest) -> dict[int, list[int]]:
    """For each buffer of a result, those of operands that it may lie over."""
    places: dict[int, set[object]] = {}
    for node in nest.nodes():
        if node.op == "load":
            places.setdefault(node.params.buffer, set()).add(node.params.address.key)
    out: dict[int, list[int]] = {}
    for store in nest.phases[-1].stores if nest.phases else ():
        buffer, address = store.target
        here = {address.key, (address + 1).key} if store.node.op == "pair" else {address.key}
        found = [j for j in range(nest.n_inputs) if j in places and places[j] <= here]
        out[buffer] = [j for j in found if nest.types[j] == nest.types[buffer]]
    return {buffer: operands for buffer, operands in out.items() if operands}


def loads_to_hurry(nest: Nest, found: dict[int, list[int]]) -> list[Node]:
    """The loads that must come before the first of several stores, which might take their place."""
    if len(nest.phases[-1].stores) < 2:
        return []
    operands = {j for operands in found.values() for j in operands}
    return [node for node in nest.nodes() if node.op == "load" and node.params.buffer in operands]
