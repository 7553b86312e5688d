"""Integers that a fused group makes of others, computed one by one where a step needs them: they have no memory of their own.

An element is a function of the group's buffers and a place, which becomes part of the step's code.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from functorch_lite.extend import Equation, Program, Var
from functorch_lite.extend_passes import Nest, build, fusion

from . import processor, scalars
from .collapse import collapse
from .steps import step_class
from .types import I64, PTR, constant, register_type
from .unit import Unit
from .values import Values

__all__ = ["Elements", "computed_elements"]

MOST_NODES = 16
"""Of so many, at most, an element may be made: it may be computed more than once."""


class Elements:
    """What a fused group makes, element by element.

    Attributes:
      operands: of the group.
      dtype: of the elements.
      key: says what is computed.
    """

    def __init__(self, equation: Equation, nest: Nest):
        self.operands = equation.operands
        self.dtype = equation.results[0].type.dtype
        self.nest = nest
        self.key = (str(nest), tuple(nest.types), tuple(nest.extents))

    def element(self, unit: Unit, b: Any, buffers: Sequence[Any], place: Any) -> Any:
        """The element at a place of the row-major result."""
        function = unit.shared(("element", *self.key), lambda: self._function(unit))
        return b.call(function, [*buffers, place])

    def _function(self, unit: Unit) -> Any:
        nest, n = self.nest, self.nest.n_inputs
        function = unit.function(unit.name("element"), register_type(self.dtype), [PTR] * n + [I64])
        unit.bodies.append(function.name)
        *buffers, place = function.args
        (store,) = nest.phases[0].stores
        values = Values(function, nest, {}, processor.vector_bytes(), buffers)
        b, rest = values.builder, place
        with ExitStack() as loops:
            for d in (*nest.rows, *nest.columns):
                step = constant(I64, store.target.address.terms[d])
                loops.enter_context(values.inside(d, b.udiv(rest, step), b))
                rest = b.urem(rest, step)
            b.ret(values.value(store.node))
        return function


def computed_elements(program: Program) -> dict[Var, Elements]:
    """The values that all who read them can compute element by element."""
    needed = {a for a in program.outputs if isinstance(a, Var)}
    for e in program.equations:
        found = step_class(e.primitive.name)
        needed.update(a for k, a in enumerate(e.operands) if isinstance(a, Var) and (not found or k != found.computes))
    alone = (e for e in program.equations if e.primitive is fusion and len(e.results) == 1)
    groups = [e for e in alone if needed.isdisjoint(e.results)]
    found = {e.results[0]: elements_of(e) for e in groups}
    return {v: elements for v, elements in found.items() if elements is not None}


def elements_of(equation: Equation) -> Elements | None:
    """The elements of a fused group; None if they are no integers, dear, or made of more memory than they would take."""
    t = equation.results[0].type
    given = sum(a.type.size * a.type.dtype.itemsize for a in equation.operands)
    if t.dtype.kind not in "iu" or given > t.size * t.dtype.itemsize:
        return None
    nest = build(**equation.params)
    collapse(nest)
    return Elements(equation, nest) if _is_simple(nest, t.size) else None


def _is_simple(nest: Nest, size: int) -> bool:
    """Whether a nest stores its elements one after the other, and makes each of few numbers."""
    if len(nest.phases) != 1 or len(nest.phases[0].stores) != 1 or len(nest.roots()) != 1:
        return False
    everything = nest.nodes()
    step, address = size, nest.phases[0].stores[0].target.address
    for d in (*nest.rows, *nest.columns):
        step //= nest.extents[d]
        if address.terms.get(d) != step:
            return False
    return len(everything) <= MOST_NODES and all(_is_cheap(node) for node in everything)


def _is_cheap(node: Any) -> bool:
    if node.op == "load":
        return not node.params.address.nodes
    return node.dtype.kind in "biu" and not scalars.is_dear(node.op)
