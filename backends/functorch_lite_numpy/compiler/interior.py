"""The interiors of a nest whose loads are guarded: where pads, rolls and concatenations read one operand throughout.

    for d0 < 512: b1[d0] = select(d0 >= 1, 0, b0[d0 - 1] if d0 >= 1)

For 1 <= d0 < 512 the guard holds, so whole vectors there need no masks. A test of an index against a number holds up to some
place, or from it on; between two such places next to each other all tests are known. A concatenation has an interior for
each of its parts.
"""

from __future__ import annotations

import operator
from bisect import bisect_left
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from functorch_lite.extend_passes import Nest, Node

from .copies import Copies

__all__ = ["Inside", "Interior", "interiors", "outcomes", "tests"]

MOST, MOST_NODES = 4, 200
"""So many interiors, and nodes in all of them together: each is code of its own."""

_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "max": operator.ge,
    "min": operator.le,
}
"""What decides an instruction of an index and a number: its truth, or that the index is what it gives."""

_JOINED: dict[str, Callable[..., bool]] = {"and": operator.and_, "not": operator.not_, "or": operator.or_}


class Interior(NamedTuple):
    """Where guards of the last columns are known: from `first` on, below `last`; the vectors in it, and what nodes are there."""

    first: int
    last: int
    vectors: int
    inside: Copies


def interiors(nest: Nest, width: int) -> list[Interior]:
    """Interiors in which most vectors of so many lanes lie, the longest first; none if they would spare no mask.

    A guard of rows alone is no mask: it holds for all lanes or for none.
    """
    d = nest.columns[-1] if nest.columns else None
    everything = nest.nodes()
    guarded = [node for node in everything if node.op == "load" and node.args and d in node.args[0].dims]
    if d is None or not guarded:
        return []
    n = nest.extents[d]
    known = tests(nest, d)
    cuts = sorted({0, n, *(bisect_left(range(n), True, key=lambda i: t(i) != t(0)) for t in known.values())})
    found = []
    for first, last in pairwise(cuts):
        vectors = last // width - -(-first // width)
        if vectors > 0:
            found.append(Interior(first, last, vectors, Inside({node: t(first) for node, t in known.items()})))
    found = sorted(found, key=lambda i: -i.vectors)[: max(1, min(MOST, MOST_NODES // len(everything)))]
    few = 2 * sum(i.vectors for i in found) < n // width
    masked = [any(d in a.dims for a in i.inside.node(node).args) for i in found for node in guarded]
    return [] if few or all(masked) else found


def tests(nest: Nest, d: int) -> dict[Node, Callable[[int], bool]]:
    """The nodes that a dimension alone decides, and what decides them, by its value."""
    return {node: test for node in nest.nodes() if (test := _test(node, d)) is not None}


def _test(node: Node, d: int) -> Callable[[int], bool] | None:
    """What decides a node, by the value of a dimension; None if that is not all that does."""
    if node.op not in _TESTS or node.args[0].op != "index" or node.args[1].op != "literal":
        return None
    place, bound = node.args[0].params, int(node.args[1].params)
    if set(place.terms) != {d}:
        return None
    return lambda i: _TESTS[node.op](place.terms[d] * i + place.const, bound)


def outcomes(node: Node, d: int, values: range) -> list[bool] | None:
    """The truth of a node for each value of a dimension; None if that does not decide it."""
    test = _test(node, d)
    if test is not None:
        return [test(i) for i in values]
    args = [outcomes(a, d, values) for a in node.args] if node.op in _JOINED else []
    known = [a for a in args if a is not None]
    return [_JOINED[node.op](*truths) for truths in zip(*known, strict=True)] if args and known == args else None


class Inside(Copies):
    """Nodes where the outcome of tests is known."""

    def __init__(self, known: dict[Node, bool]):
        super().__init__()
        self.known = known

    def changed(self, node: Node) -> Node:
        if node in self.known:
            return self.outcome(node, self.known[node])
        new = super().changed(node)
        if new is node:
            return node
        truths = [_truth(a) for a in new.args]
        if node.op == "load" and truths == [True]:
            return Node(node.number, "load", (), node.dtype, new.params, node.dims, node.level)
        if node.op == "load" and truths == [False]:
            return _literal(node.dtype.type(0))
        if node.op == "not" and truths[0] is not None:
            return _literal(np.bool_(not truths[0]))
        if node.op in ("and", "or") and node.dtype == bool:
            return self.joined(new, truths, deciding=node.op == "or")
        if node.op == "select" and len(truths) == 3 and truths[0] is not None:
            return new.args[2 if truths[0] else 1]
        return new

    def outcome(self, node: Node, holds: bool) -> Node:
        if node.op in ("max", "min"):
            return self.node(node.args[0 if holds else 1])
        return _literal(np.bool_(holds))

    def joined(self, node: Node, truths: list[bool | None], deciding: bool) -> Node:
        """The value of `and` and `or`, of which one outcome of either operand may decide, and the other says nothing."""
        if deciding in truths:
            return _literal(np.bool_(deciding))
        left = [a for a, truth in zip(node.args, truths, strict=True) if truth is None]
        return node if len(left) > 1 else left[0] if left else _literal(np.bool_(not deciding))


def _literal(value: np.generic) -> Node:
    return Node(-1, "literal", (), value.dtype, value, frozenset(), 0)


def _truth(node: Node) -> bool | None:
    """Whether a node is known to hold, or not to."""
    return bool(node.params) if node.op == "literal" and node.dtype == bool else None
