"""Loop nests: what a group of fused equations does, between programs and machine code.

    nest   ::=  for each row { phase ... }
    phase  ::=  for each column { reductions; stores }  then, once a row, { stores of what does not depend on columns }

A nest has dimensions, of which some count rows and the others columns. All it computes are *nodes*: an element of a
buffer at an address, a number, a scalar instruction of other nodes, the result of a reduction over the columns. Addresses
are affine in the dimensions (and in integer nodes, where an index is data). A reduction ends a phase: what needs its
result comes in a later one. What is reduced over rows is accumulated in memory.

`elements.build` makes the nest of a group; code generators walk the nodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import dtypes

__all__ = ["Affine", "Load", "Nest", "Node", "Phase", "Reduction", "Store"]


class Node:
    """A value inside a nest.

    Attributes:
      op: a scalar instruction by name, or one of "load", "literal", "index" (an affine number), "reduced".
      args: the nodes it is computed from.
      dtype: of the value.
      params: of the instruction; for a load the buffer and the address, for a reduced value its number.
      dims: the dimensions it depends on.
      level: the first phase in which it can be computed.
      inner: the nodes that it is computed from, those in an address included.
    """

    __slots__ = ("args", "dims", "dtype", "inner", "level", "number", "op", "params")

    def __init__(
        self, number: int, op: str, args: Sequence[Node], dtype: np.dtype, params: Any, dims: frozenset[int], level: int
    ):
        self.number = number
        self.op = op
        self.args = tuple(args)
        self.dtype = dtype
        self.params = params
        self.dims = dims
        self.level = level
        place = self.place
        self.inner = self.args if place is None else (*self.args, *place.nodes)

    @property
    def place(self) -> Affine | None:
        """The address that a load reads at, or the sum that an index is."""
        return self.params.address if self.op == "load" else self.params if self.op == "index" else None

    def __repr__(self) -> str:
        return f"%{self.number}"

    def __str__(self) -> str:
        params = self.params
        if self.op == "load":
            what = f"b{params.buffer}[{params.address}]"
        elif self.op in ("literal", "index"):
            what = str(params)
        elif self.op == "reduced":
            what = f"r{params}"
        else:
            what = f"{self.op}{params if params else ''}"
        args = "".join([f" {a!r}" for a in self.args])
        return f"{self!r}:{dtypes.short_name(self.dtype)} = {what}{args}"


class Affine:
    """A sum of multiples of dimensions (their numbers) and integer `nodes`, and a constant."""

    __slots__ = ("_key", "const", "nodes", "terms")

    def __init__(self, terms: dict[Any, int] | None = None, const: int = 0):
        self.terms = {k: c for k, c in terms.items() if c} if terms else {}
        self.const = const
        self.nodes: list[Node] = [k for k in self.terms if isinstance(k, Node)]
        self._key: Any = None

    @property
    def key(self) -> Any:
        """What equal sums have in common."""
        if self._key is None:
            self._key = frozenset(self.terms.items()), self.const
        return self._key

    def drop(self, dimension: int) -> None:
        """Leave a dimension out, in place."""
        self.terms.pop(dimension, None)
        self._key = None

    @property
    def dims(self) -> frozenset[int]:
        """The dimensions that it depends on, by its nodes too."""
        dims = frozenset(self.terms)
        return dims.difference(self.nodes).union(*[k.dims for k in self.nodes]) if self.nodes else dims

    @property
    def level(self) -> int:
        return max([k.level for k in self.nodes], default=0)

    def __add__(self, other: Any) -> Affine:
        if isinstance(other, int):
            return Affine(self.terms, self.const + other)
        terms = dict(self.terms)
        for k, c in other.terms.items():
            terms[k] = terms.get(k, 0) + c
        return Affine(terms, self.const + other.const)

    def __sub__(self, other: Any) -> Affine:
        return self + other * -1

    def __mul__(self, factor: int) -> Affine:
        return Affine({k: c * factor for k, c in self.terms.items()}, self.const * factor)

    def __repr__(self) -> str:
        parts = [
            ("" if c == 1 else f"{c}*") + (f"d{k}" if isinstance(k, int) else repr(k)) for k, c in self.terms.items()
        ]
        return " + ".join([*parts, *([str(self.const)] if self.const or not parts else [])])


class Load(NamedTuple):
    """Where a load reads: a buffer by number, and the element."""

    buffer: int
    address: Affine


class Reduction(NamedTuple):
    """A combination of `node` along dimensions: over the columns, over rows in the memory of `target`, or both."""

    number: int
    op: str
    node: Node
    dims: frozenset[int]
    target: Load | None


class Store(NamedTuple):
    """A node that is written to a buffer."""

    target: Load
    node: Node


class Phase(NamedTuple):
    """One pass over the columns, and what is stored once a row after it."""

    reductions: list[Reduction]
    stores: list[Store]
    row_stores: list[Store]


class Nest:
    """See the top of this file.

    Attributes:
      extents: the length of each dimension.
      rows, columns: dimensions, outermost first.
      phases: in order.
      n_inputs: buffers with smaller numbers are read, the others written.
      types: (dtype, number of elements) of each buffer.
    """

    def __init__(
        self, extents: list[int], rows: list[int], columns: list[int], phases: list[Phase], n_inputs: int, types: Any
    ):
        self.extents = extents
        self.rows = rows
        self.columns = columns
        self.phases = phases
        self.n_inputs = n_inputs
        self.types = types
        self._nodes: tuple[list[Node], list[Node]] = ([], [])
        """Roots, and all nodes of these."""

    def roots(self) -> list[Node]:
        """All nodes that are stored or reduced."""
        return [x.node for phase in self.phases for part in phase for x in part]

    def nodes(self) -> list[Node]:
        """All nodes, operands first."""
        roots = self.roots()
        if roots != self._nodes[0]:
            found: list[Node] = []
            seen: set[Node] = set()
            for root in roots:
                _collect(root, found, seen)
            self._nodes = roots, found
        return self._nodes[1]

    def __str__(self) -> str:
        lines = [f"for d{d} < {self.extents[d]}:" for d in self.rows]
        seen: set[Node] = set()

        def describe(root: Node, indent: str) -> None:
            found: list[Node] = []
            _collect(root, found, seen)
            lines.extend([f"{indent}{node}" for node in found])

        for phase in self.phases:
            lines += [f"  for d{d} < {self.extents[d]}:" for d in self.columns]
            for r in phase.reductions:
                describe(r.node, "    ")
                into = f"b{r.target.buffer}[{r.target.address}]" if r.target else f"r{r.number}"
                lines.append(f"    {into} = {r.op}({into}, {r.node!r})")
            for part, indent in ((phase.stores, "    "), (phase.row_stores, "  ")):
                for s in part:
                    describe(s.node, indent)
                    lines.append(f"{indent}b{s.target.buffer}[{s.target.address}] = {s.node!r}")
        return "\n".join(lines)


def _collect(node: Node, found: list[Node], seen: set[Node]) -> None:
    """Append a node to those found, behind all that it is computed from."""
    if node not in seen:
        seen.add(node)
        for inner in node.inner:
            if inner not in seen:
                _collect(inner, found, seen)
        found.append(node)
