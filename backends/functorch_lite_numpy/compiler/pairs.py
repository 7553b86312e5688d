"""Complex numbers in loop nests: each becomes a pair of real ones before code is made.

    %2:c64 = mul %0 %1   ->   %5:c64 = complex_mul %1 %2 %3 %4,  %6:f32 = part0 %5,  %7:f32 = part1 %5

A buffer of complex numbers is one of twice as many real ones. What acts on each part alone is done on each part; a function of
pairs (`math/complex.py`) gives both parts at once. A pair is put together again only where it is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from functorch_lite.extend_passes import Affine, Load, Nest, Node, Phase, Reduction, Store

from .math import COMPLEX_TABLE
from .types import real_dtype

__all__ = ["reduces", "split", "supports"]

Pair = tuple[Node, Node]

BY_PARTS = frozenset({"add", "copy", "neg", "select", "sub"})
"""Instructions that give each part from the same parts of the operands."""


def supports(op: str) -> bool:
    """Whether there is such an instruction of complex numbers."""
    return op in BY_PARTS or op in _RULES or op in COMPLEX_TABLE


def reduces(op: str) -> bool:
    """Whether a reduction by it is one of each part."""
    return op in BY_PARTS


def split(nest: Nest) -> Nest:
    """The nest without complex numbers."""
    found = [*(dtype for dtype, _ in nest.types), *(node.dtype for node in nest.nodes())]
    return _Splitter(nest).nest() if any(dtype.kind == "c" for dtype in found) else nest


class _Splitter:
    """Makes the nodes of the parts, operands first."""

    def __init__(self, nest: Nest):
        self.old = nest
        everything = nest.nodes()
        self.count = 1 + max((node.number for node in everything), default=0)
        self.reductions = sum(len(p.reductions) for p in nest.phases)
        self.second: dict[int, int] = {}
        """The reduction of the imaginary parts, by that of the real parts."""
        self.made: dict[Node, Any] = {}
        self.equal: dict[Any, Node] = {}
        for node in everything:
            self.made[node] = self.pair_of(node) if node.dtype.kind == "c" else self.real_of(node)

    def node(self, op: str, args: Sequence[Node], dtype: Any, params: Any = ()) -> Node:
        """An instruction; equal ones are one."""
        key = (op, tuple(args), dtype, params.tobytes() if op == "literal" else params)
        if key not in self.equal:
            dims = frozenset().union(*(a.dims for a in args))
            level = max((a.level for a in args), default=0)
            self.equal[key] = self.numbered(Node(self.count, op, args, dtype, params, dims, level))
        return self.equal[key]

    def numbered(self, node: Node) -> Node:
        self.count += 1
        return node

    def literal(self, value: Any, dtype: np.dtype) -> Node:
        return self.node("literal", (), dtype, dtype.type(value))

    def pairs(self, op: str, dtype: np.dtype, *operands: Pair, params: Any = ()) -> Any:
        """A function of pairs, by its name: both parts of its result, or the one number that it gives."""
        out = self.node(f"complex_{op}", [part for pair in operands for part in pair], dtype, params)
        if dtype.kind != "c":
            return out
        return tuple(self.node("part", (out,), real_dtype(dtype), k) for k in range(2))

    def pair_of(self, node: Node) -> Pair:
        dtype = real_dtype(node.dtype)
        if node.op == "load":
            places = [self.moved(node.params.address) * 2 + k for k in range(2)]
            args = [self.made[a] for a in node.args]
            loads = [Load(node.params.buffer, place) for place in places]
            return tuple(self.like(node, dtype, args, load) for load in loads)  # type: ignore[return-value]
        if node.op == "literal":
            return self.literal(node.params.real, dtype), self.literal(node.params.imag, dtype)
        if node.op == "reduced":
            return self.like(node, dtype, (), node.params), self.like(node, dtype, (), self.other(node.params))
        return self.instruction(node)

    def real_of(self, node: Node) -> Node:
        if any(a.dtype.kind == "c" for a in node.args):
            return self.instruction(node)
        args = [self.made[a] for a in node.args]
        params = node.params
        if node.op == "load":
            params = Load(params.buffer, self.moved(params.address))
        elif node.op == "index":
            params = self.moved(params)
        unchanged = params is node.params or node.op in ("load", "index")
        if unchanged and args == list(node.args) and not self.has_moved(node):
            return node
        return self.like(node, node.dtype, args, params)

    def has_moved(self, node: Node) -> bool:
        place = node.place
        return place is not None and any(self.made[k] is not k for k in place.nodes)

    def moved(self, place: Affine) -> Affine:
        """An address with the nodes in it replaced."""
        return Affine({self.made[k] if isinstance(k, Node) else k: c for k, c in place.terms.items()}, place.const)

    def like(self, node: Node, dtype: np.dtype, args: Sequence[Node], params: Any) -> Node:
        return self.numbered(Node(self.count, node.op, args, dtype, params, node.dims, node.level))

    def other(self, number: int) -> int:
        return self.second.setdefault(number, self.reductions + len(self.second))

    def instruction(self, node: Node) -> Any:
        """The number or the pair that an instruction gives."""
        operands = [self.made[a] for a in node.args]
        if node.op in _RULES:
            return _RULES[node.op](self, node, *operands)
        if node.op not in BY_PARTS:
            return self.pairs(node.op, node.dtype, *operands, params=node.params)
        dtype = real_dtype(node.dtype)
        each = [[x[k] if isinstance(x, tuple) else x for x in operands] for k in range(2)]
        return tuple(self.node(node.op, args, dtype, node.params) for args in each)

    # The nest.

    def nest(self) -> Nest:
        old = self.old
        phases = [
            Phase(
                [new for r in phase.reductions for new in self.reductions_of(r)],
                [self.store(s) for s in phase.stores],
                [self.store(s) for s in phase.row_stores],
            )
            for phase in old.phases
        ]
        types = [(real_dtype(d), 2 * n) if d.kind == "c" else (d, n) for d, n in old.types]
        return Nest(old.extents, old.rows, old.columns, phases, old.n_inputs, types)

    def reductions_of(self, r: Reduction) -> list[Reduction]:
        made = self.made[r.node]
        if not isinstance(made, tuple):
            return [r._replace(node=made)]
        if r.target is not None and not r.dims >= set(self.old.columns):  # combined in memory, element by element
            place = Load(r.target.buffer, r.target.address * 2)
            return [r._replace(node=self.node("pair", made, r.node.dtype), target=place)]
        targets = [r.target and Load(r.target.buffer, r.target.address * 2 + k) for k in range(2)]
        numbers = (r.number, self.other(r.number))
        return [
            Reduction(number, r.op, part, r.dims, target)
            for number, part, target in zip(numbers, made, targets, strict=True)
        ]

    def store(self, s: Store) -> Store:
        made = self.made[s.node]
        if not isinstance(made, tuple):
            return Store(s.target, made)
        return Store(Load(s.target.buffer, s.target.address * 2), self.node("pair", made, s.node.dtype))


# Instructions that are more than their parts': (splitter, node, *operands), pairs as such -> a node, or a pair.


def _convert(s: _Splitter, node: Node, x: Any) -> Any:
    cast = lambda part, dtype: part if part.dtype == dtype else s.node("convert", (part,), dtype)  # noqa: E731
    if node.dtype.kind == "c":
        dtype = real_dtype(node.dtype)
        return (cast(x[0], dtype), cast(x[1], dtype)) if isinstance(x, tuple) else (cast(x, dtype), s.literal(0, dtype))
    return _either(s, "or", "ne", x, _zero(s, x)) if node.dtype.kind == "b" else cast(x[0], node.dtype)


def _either(s: _Splitter, join: str, test: str, x: Pair, y: Pair) -> Node:
    bools = np.dtype(bool)
    return s.node(join, [s.node(test, parts, bools) for parts in zip(x, y, strict=True)], bools)


def _zero(s: _Splitter, x: Pair) -> Pair:
    return s.literal(0, x[0].dtype), s.literal(0, x[0].dtype)


def _conj(s: _Splitter, node: Node, x: Pair) -> Pair:
    return x[0], s.node("neg", (x[1],), x[1].dtype)


def _strong(op: str) -> Callable[..., Pair]:
    """Zero where the first operand is."""

    def rule(s: _Splitter, node: Node, x: Pair, y: Pair) -> Pair:
        nothing = _either(s, "and", "eq", x, _zero(s, x))
        parts = zip(s.pairs(op, node.dtype, x, y), _zero(s, x), strict=True)
        real, imag = (s.node("select", (nothing, *pair), pair[0].dtype) for pair in parts)
        return real, imag

    return rule


def _integer_pow(s: _Splitter, node: Node, x: Pair) -> Pair:
    """By squaring, as the eager kernel."""
    y = dict(node.params)["y"]
    out, n = None, abs(y)
    while n:
        if n & 1:
            out = x if out is None else s.pairs("mul", node.dtype, out, x)
        n >>= 1
        if n:
            x = s.pairs("mul", node.dtype, x, x)
    one = s.literal(1, x[0].dtype), s.literal(0, x[0].dtype)
    out = one if out is None else out
    return s.pairs("div", node.dtype, one, out) if y < 0 else out


_RULES: dict[str, Callable[..., Any]] = {
    "complex": lambda s, node, x, y: (x, y),
    "conj": _conj,
    "convert": _convert,
    "div_strong": _strong("div"),
    "eq": lambda s, node, x, y: _either(s, "and", "eq", x, y),
    "imag": lambda s, node, x: x[1],
    "integer_pow": _integer_pow,
    "mul_strong": _strong("mul"),
    "ne": lambda s, node, x, y: _either(s, "or", "ne", x, y),
    "real": lambda s, node, x: x[0],
    "square": lambda s, node, x: s.pairs("mul", node.dtype, x, x),
}
