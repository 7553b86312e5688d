"""From a group of fused equations to its nest: each primitive's `element` rule says how an element of its result is computed.

`build` asks for the elements of the group's results; a rule asks for those of its operands, down to loads from buffers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import numpy as np

from ..program import Atom, Equation, Literal, Program, Var
from .nests import Affine, Load, Nest, Node, Phase, Reduction, Store

__all__ = ["Elements", "build"]

INDEX = np.dtype(np.int64)
NOWHERE = Affine()


class Builder:
    """Finds the node of each element of a group's values."""

    def __init__(
        self, program: Program, extents: Sequence[int], reduced_axes: Sequence[Any], lanes: frozenset[int] = frozenset()
    ):
        self.extents = extents
        self.lanes = lanes
        self.buffers = {v: i for i, v in enumerate(program.inputs)}
        self.made: dict[Var, tuple[Equation, Any]] = {}
        for equation, axes in zip(program.equations, reduced_axes, strict=True):
            for v in equation.results:
                self.made[v] = (equation, axes)
        self.nodes: dict[Any, Node] = {}
        self.elements: dict[Any, Node] = {}
        self.reductions: list[Reduction] = []
        self.guard: Node | None = None

    def node(
        self,
        op: str,
        args: Sequence[Node],
        dtype: Any,
        params: Any = (),
        *,
        key: Any = None,
        place: Affine = NOWHERE,
    ) -> Node:
        """The node of an instruction, which may depend on a place; equal ones are one."""
        full = (op, tuple(args), dtype, params if key is None else key)
        found = self.nodes.get(full)
        if found is None:
            dims = place.dims.union(*[a.dims for a in args])
            level = max([place.level, *[a.level for a in args]])
            found = self.nodes[full] = Node(len(self.nodes), op, args, dtype, params, dims, level)
        return found

    def literal(self, value: np.generic) -> Node:
        return self.node("literal", (), np.dtype(value.dtype), value, key=value.tobytes())

    def number(self, place: Affine, dtype: Any = INDEX) -> Node:
        """An index as a value."""
        if not place.terms:
            return self.literal(np.dtype(dtype).type(place.const))
        if len(place.terms) == 1 and not place.const:
            ((k, c),) = place.terms.items()
            if isinstance(k, Node) and c == 1 and k.dtype == dtype:
                return k
        wide = self.node("index", (), INDEX, place, key=place.key, place=place)
        return wide if dtype == INDEX else self.node("convert", (wide,), dtype)

    def load(self, buffer: int, dtype: Any, address: Affine) -> Node:
        args = () if self.guard is None else (self.guard,)
        return self.node("load", args, dtype, Load(buffer, address), key=(buffer, address.key), place=address)

    def value(self, atom: Atom, index: Sequence[Affine]) -> Node:
        """The element of a value at an index."""
        if isinstance(atom, Literal):
            return self.literal(atom.value)
        if atom in self.buffers:
            return self.load(self.buffers[atom], atom.type.dtype, linear(index, atom.type.shape))
        key = (atom, tuple([i.key for i in index]), self.guard)
        found = self.elements.get(key)
        if found is None:  # what is used several times must not be walked through as often: that grows exponentially
            found = self.elements[key] = self._computed(atom, index)
        return found

    def _computed(self, atom: Var, index: Sequence[Affine]) -> Node:
        """The element of what an equation gives."""
        equation, axes = self.made[atom]
        if equation.primitive.combines is None:
            assert equation.primitive.element is not None
            return equation.primitive.element(Elements(self, equation), list(index), **equation.params)
        return self.reduced(equation, index, axes)

    def reduced(self, equation: Equation, index: Sequence[Affine], axes: Sequence[int | None]) -> Node:
        """An element of the result of a reduction; `axes`: the dimension for each reduced axis, None: few, in line."""
        operand = equation.operands[0]
        over = equation.params["axes"]
        op = equation.primitive.combines
        assert op is not None
        if None in axes:
            lengths = [operand.type.shape[a] for a in over]
            total: Node | None = None
            for at in product(*map(range, lengths)):
                place = dict(zip(over, (Affine(const=i) for i in at), strict=True))
                term = self.value(operand, _merged(index, place, operand.type.ndim))
                total = term if total is None else self.node(op, (total, term), term.dtype)
            assert total is not None
            return total
        dims = [d for d in axes if d is not None]
        place = {a: Affine({d: int(self.extents[d] != 1)}) for a, d in zip(over, dims, strict=True)}
        full = _merged(index, place, operand.type.ndim)
        key = ("reduced", equation.results[0], tuple([i.key for i in index]))
        found = self.nodes.get(key)
        if found is None:
            node = self.value(operand, full)
            self.reductions.append(Reduction(len(self.reductions), op, node, frozenset(dims), None))
            kept = frozenset().union(*[i.dims for i in index])
            found = Node(len(self.nodes), "reduced", (), node.dtype, len(self.reductions) - 1, kept, node.level + 1)
            self.nodes[key] = found
        return found


def _merged(index: Sequence[Affine], place: dict[int, Affine], rank: int) -> list[Affine]:
    rest = iter(index)
    return [place[a] if a in place else next(rest) for a in range(rank)]


def linear(index: Sequence[Affine], shape: Sequence[int]) -> Affine:
    """The address of an element in a row-major buffer."""
    terms: dict[Any, int] = {}
    const, step = 0, 1
    for i, n in zip(reversed(index), reversed(shape), strict=True):
        if n != 1:
            const += step * i.const
            for k, c in i.terms.items():
                terms[k] = terms.get(k, 0) + step * c
        step *= n
    return Affine(terms, const)


class Elements:
    """What the `element` rule of a primitive is given: its operands' elements, and the instructions to combine them."""

    zero = Affine()

    def __init__(self, builder: Builder, equation: Equation):
        self.builder = builder
        self.equation = equation
        self.types = [a.type for a in equation.operands]

    def operand(self, i: int, index: Sequence[Affine]) -> Node:
        """The element of operand `i` at `index`."""
        return self.builder.value(self.equation.operands[i], index)

    def reshaped(self, i: int, index: Sequence[Affine]) -> Node:
        """The element of operand `i`, a buffer, that stands at `index` once it has the result's shape."""
        atom = self.equation.operands[i]
        shape = self.equation.results[0].type.shape
        if isinstance(atom, Var) and atom in self.builder.buffers:
            return self.builder.load(self.builder.buffers[atom], atom.type.dtype, linear(index, shape))
        places = iter([k for k, n in zip(index, shape, strict=True) if n != 1])
        return self.operand(i, [self.zero if n == 1 else next(places) for n in atom.type.shape])

    def instruction(self, op: str, *args: Node, **params: Any) -> Node:
        """A scalar instruction, which gives the dtype of the equation's result."""
        dtype = self.equation.results[0].type.dtype
        return self.builder.node(op, args, dtype, tuple(sorted(params.items())))

    def of(self, dtype: Any, op: str, *args: Node) -> Node:
        """A scalar instruction that gives another dtype."""
        return self.builder.node(op, args, dtype)

    def number(self, place: Affine, dtype: Any) -> Node:
        """An index as a value of a dtype."""
        return self.builder.number(place, dtype)

    def literal(self, value: Any, dtype: Any) -> Node:
        """A number."""
        number: Any = np.asarray(value).astype(dtype)[()]
        return self.builder.literal(number)

    def index(self, node: Node) -> Affine:
        """An integer node as an index."""
        if node.dtype == np.uint64:  # what does not fit becomes the largest
            node = self.builder.node("min", (node, self.builder.literal(np.uint64(np.iinfo(INDEX).max))), node.dtype)
        wide = node if node.dtype == INDEX else self.builder.node("convert", (node,), INDEX)
        return Affine({wide: 1})

    def clamped(self, place: Affine, low: int, high: int) -> Affine:
        """An index kept between two bounds, both included."""
        x = self.builder.number(place)
        for op, bound in (("max", low), ("min", high)):
            x = self.builder.node(op, (x, self.builder.literal(np.int64(bound))), INDEX)
        return Affine({x: 1})

    def divided(self, place: Affine, step: int) -> tuple[Affine, Node | None]:
        """The quotient by a positive number, and where the remainder is zero (None: everywhere)."""
        if step == 1:
            return place, None
        x, by = self.builder.number(place), self.builder.literal(np.int64(step))
        quotient = self.builder.node("floor_div", (x, by), INDEX)
        whole = self.builder.node("mul", (quotient, by), INDEX)
        return Affine({quotient: 1}), self.builder.node("eq", (whole, x), np.dtype(bool))

    def inside(self, place: Affine, low: int | None, high: int) -> Any:
        """Where low <= place < high: a node, or None where it always holds."""
        mask: Node | None = None
        x = self.builder.number(place)
        span = self.span(place)
        tests = (
            [("lt", high, span[1] < high)]
            if low is None
            else [("ge", low, span[0] >= low), ("lt", high, span[1] < high)]
        )
        for op, bound, holds in tests:
            if not holds:
                test = self.builder.node(op, (x, self.builder.literal(np.int64(bound))), np.dtype(bool))
                mask = self.both(mask, test)
        return mask

    def span(self, place: Affine) -> tuple[float, float]:
        """The smallest and largest value that an index can have."""
        low = high = float(place.const)
        for k, c in place.terms.items():
            if not isinstance(k, int):
                return -math.inf, math.inf
            last = c * (self.builder.extents[k] - 1)
            low, high = low + min(0, last), high + max(0, last)
        return low, high

    def both(self, a: Any, b: Any) -> Any:
        """Where both masks hold; None holds everywhere."""
        if a is None or b is None:
            return b if a is None else a
        return self.builder.node("and", (a, b), np.dtype(bool))

    def where(self, mask: Node | None, then: Callable[[], Node], otherwise: Callable[[], Node]) -> Node:
        """One value or the other; neither reads memory where the mask says that the other is taken."""
        if mask is None:
            return then()
        builder, outer = self.builder, self.builder.guard
        no = builder.node("not", (mask,), np.dtype(bool))
        try:
            builder.guard = self.both(outer, mask)
            a = then()
            builder.guard = self.both(outer, no)
            b = otherwise()
        finally:
            builder.guard = outer
        if a.args == (self.both(outer, mask),) and b.args == (self.both(outer, no),):
            place = self._place_of_either(mask, a, b)
            if place is not None:
                return builder.load(a.params.buffer, a.dtype, place)
        return builder.node("select", (mask, b, a), a.dtype)

    def _place_of_either(self, mask: Node, a: Node, b: Node) -> Affine | None:
        """Where one load reads what either of two would; None if they are of two buffers, or lanes would part."""
        if a.op != "load" or b.op != "load" or a.params.buffer != b.params.buffer:
            return None
        apart = a.params.address - b.params.address
        if self.builder.lanes & (mask.dims | apart.dims):
            return None
        step = math.gcd(apart.const, *apart.terms.values())
        if not step:
            return b.params.address
        steps = self.builder.number(Affine({k: c // step for k, c in apart.terms.items()}, apart.const // step))
        either = self.builder.node("select", (mask, self.builder.literal(INDEX.type(0)), steps), INDEX)
        return b.params.address + Affine({either: step})


def build(
    program: Program,
    space: tuple[int, ...],
    positions: Sequence[Sequence[int | None]],
    reduced: Sequence[Any],
    short: Sequence[int] = (),
) -> Nest:
    """The nest of a group.

    Args:
      program: the group's equations; its inputs and outputs become the nest's buffers, in this order.
      space: the lengths of the dimensions.
      positions: for each output, the dimension of each of its axes (None: of length 1).
      reduced: for each equation that reduces, the dimension of each reduced axis, or None if the axis is short, and the
        reduction done in line; None for the other equations.
      short: the dimensions that no loop goes over; each of their elements is written out.
    """
    loops = [d for d in range(len(space)) if d not in short and space[d] != 1]
    columns = _columns([d for d in range(len(space)) if d not in short], reduced)
    builder = Builder(program, space, reduced, frozenset([d for d in loops if d in columns][-1:]))
    stores: list[Store] = []
    targets: dict[int, Load] = {}
    for k, (atom, dims) in enumerate(zip(program.outputs, positions, strict=True)):
        written = [d for d in dims if d is not None and d in short]
        for at in product(*(range(space[d]) for d in written)):
            fixed = dict(zip(written, at, strict=True))
            index = [Affine({d: 1}) if d in loops else Affine(const=0 if d is None else fixed.get(d, 0)) for d in dims]
            node = builder.value(atom, index)
            target = Load(len(program.inputs) + k, linear(index, atom.type.shape))
            _, axes = builder.made.get(atom, (None, None)) if isinstance(atom, Var) else (None, None)
            if axes is not None and None not in axes and not columns.issuperset(axes):
                targets[node.params] = target
            else:
                stores.append(Store(target, node))
    reductions = [r._replace(target=targets.get(r.number)) for r in builder.reductions]
    n_phases = 1 + max([x.node.level for x in (*reductions, *stores)], default=0)
    phases = [Phase([], [], []) for _ in range(n_phases)]
    for r in reductions:
        phases[r.node.level].reductions.append(r)
    for s in stores:
        phase = phases[s.node.level]
        if s.target.address.dims & columns:
            phase.stores.append(s)
        else:  # what is known once a row has been gone over is stored behind that pass
            phases[max(0, s.node.level - 1)].row_stores.append(s)
    while len(phases) > 1 and not any(phases[-1]):
        phases.pop()
    types = [(v.type.dtype, v.type.size) for v in (*program.inputs, *program.outputs)]
    rows = [d for d in loops if d not in columns]
    return Nest(list(space), rows, [d for d in loops if d in columns], phases, len(program.inputs), types)


def _columns(dims: Sequence[int], reduced: Sequence[Any]) -> frozenset[int]:
    """The dimensions of the columns: those that every reduction of the last dimension reduces, else the last."""
    sets = [frozenset(axes) for axes in reduced if axes is not None and None not in axes]
    of_last = [s for s in sets if dims and dims[-1] in s]
    return frozenset.intersection(*of_last) if of_last else frozenset(dims[-1:])
