"""Fusion: equations that go over the same elements become one, which carries them as a small program.

A group has a *space*, the dimensions that it goes over. Elementwise equations join the group that makes one of their operands;
so do reductions, and broadcasts that bring a reduction's result back into the space (softmax, a layer's normalisation). What
only moves elements (slices, pads, transposes, broadcasts, iota) is copied into each group that reads it: it costs an address,
not a pass over memory. What is read very often is moved in memory, where it costs a condition too.

Nothing dear is computed twice; groups never wait for each other in a circle.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..array_type import ArrayType, has_dim
from ..primitive import NotDifferentiable, Primitive
from ..program import Atom, Equation, Program, Var
from .grouping import Grouping
from .groups import Group, everywhere
from .recompute import recomputed
from .rewrite import map_bodies

__all__ = ["Fusion", "fuse", "fusion"]

OFTEN = 16
"""Where elements are read so many times, they are rather moved in memory once than located, behind conditions, each time."""


class Fusion(NotDifferentiable, Primitive):
    """A group. Params: the program; `space`, `positions`, `reduced`: `short`: see `passes.elements.build`."""

    multiple_results = True
    subprograms = ("program",)

    def infer(self, *types: ArrayType, program: Program, **params: Any) -> list[ArrayType]:
        return list(program.out_types)

    def lower(self, context: Any, equation: Equation) -> Any:
        return context.compile(equation.params["program"])

    def batch(self, axis: Any, operands: Any, dims: Any, **params: Any) -> Any:
        raise AssertionError("programs are fused once all transformations are done")


fusion = Fusion("fusion")


class _Fused:
    """A program's groups as equations."""

    def __init__(self, program: Program, grouping: Grouping):
        self.program = program
        self.grouping = grouping
        self.equations = grouping.equations
        self.group_of = grouping.group_of
        self.readers = self.find_readers()
        self.again = recomputed(grouping, self.readers)
        self.inlined = grouping.moves - self.live_moves()

    def run(self) -> Program:
        order = self.order()
        equations: list[Equation] = []
        for unit in order:
            if isinstance(unit, Group):
                equations.append(self.equation(unit))
            elif unit in self.grouping.moves and unit not in self.grouping.flat:
                equations.append(self.equation(self.alone(unit)))
            else:
                equations.append(self.equations[unit])
        return self.program.replace(equations=equations)

    def find_readers(self) -> dict[Var, set[Any]]:
        """For each value, the units that read it: groups, equations, and None for the program's results."""
        out: dict[Var, set[Any]] = {}

        def read(a: Atom, unit: Any) -> None:
            if not isinstance(a, Var):
                return
            out.setdefault(a, set()).add(unit)

        for i, equation in enumerate(self.equations):
            unit = self.group_of.get(i, i)
            for a in equation.operands:
                read(a, unit)
        for a in self.program.outputs:
            read(a, None)
        return out

    def live_moves(self) -> set[int]:
        """The moves that must be made in memory: read by an equation outside of all groups, or a result; or read often."""
        live = {i for i in self.grouping.moves if self.is_read_often(i)}
        seen = set(live)
        stack: list[tuple[Atom, bool]] = [(a, False) for a in self.program.outputs]
        stack += [(a, True) for i in live for a in self.equations[i].operands]
        for i, equation in enumerate(self.equations):
            if i in self.grouping.flat or (i not in self.grouping.moves and i not in self.group_of):
                stack += [(a, False) for a in equation.operands]
        while stack:
            a, copied = stack.pop()
            p = self.grouping.producer.get(a)
            if p in self.grouping.moves:
                if not (copied and self.is_light(p)):
                    live.add(p)
                if p not in seen:
                    seen.add(p)
                    stack += [(x, True) for x in self.equations[p].operands]
        return live

    def is_read_often(self, i: int) -> bool:
        """Whether a move that has conditions, or several sources, is read many times."""
        equation = self.equations[i]
        v = equation.results[0]
        if equation.primitive.may_alias or not equation.operands or has_dim(v.type.shape):
            return False
        readers = [self.equations[r].results[0].type if isinstance(r, int) else v.type for r in self.readers.get(v, ())]
        reads = sum(t.size for t in readers if not has_dim(t.shape))
        return reads >= OFTEN * v.type.size > 0

    def order(self) -> list[Any]:
        """Groups and other equations, each behind what it needs; effects in their order."""
        done: set[Any] = set()
        out: list[Any] = []

        def visit(i: int) -> None:
            stack: list[tuple[int, bool]] = [(i, False)]
            while stack:
                k, ready = stack.pop()
                unit = units[k]
                if unit in done:
                    continue
                if ready:
                    done.add(unit)
                    if k not in self.inlined:
                        out.append(unit)
                    continue
                stack.append((k, True))
                for m in reversed(unit.members) if isinstance(unit, Group) else (k,):
                    stack += [(p, False) for p in self.grouping.sources[m] if units[p] is not unit]

        units = [self.group_of.get(i, i) for i in range(len(self.equations))]
        for i, unit in enumerate(units):
            if i not in self.inlined and unit not in done:
                visit(i)
        return out

    def alone(self, i: int) -> Group:
        """A move that must be made in memory, as a group of its own."""
        equation = self.equations[i]
        group = Group(equation.results[0].type.shape)
        group.add(i, equation, everywhere(equation), dear=False)
        return group

    def equation(self, group: Group) -> Equation:
        """The group as one equation, with copies of the moves that it reads."""
        members: list[int] = []
        seen: set[int] = set()

        def take(i: int) -> None:
            if i in seen:
                return
            seen.add(i)
            if i not in self.grouping.flat:
                for p in self.grouping.sources[i]:
                    if self.is_copied(p, group):
                        take(p)
            members.append(i)

        for m in sorted(group.members):
            take(m)
        made = {v for i in members for v in self.equations[i].results}
        inputs: dict[Var, None] = {}
        for i in members:
            for a in self.equations[i].operands:
                if isinstance(a, Var) and a not in made:
                    inputs[a] = None
        outputs = [
            v
            for m in sorted(group.members)
            for v in self.equations[m].results
            if any(unit is not group and unit != m for unit in self.readers.get(v, ()))
        ]
        program = Program(list(inputs), [self.equations[i] for i in members], outputs, "fusion")
        params = {
            "program": program,
            "space": group.space,
            "positions": tuple(group.positions[v] for v in outputs),
            "reduced": tuple(group.reduced.get(i) for i in members),
            "short": tuple(sorted(group.short)),
        }
        source = self.equations[group.members[-1]].source
        return Equation(fusion, list(inputs), params, outputs, source)

    def is_copied(self, i: int, group: Group) -> bool:
        """Whether a group has a copy of an equation that it does not own."""
        return i in self.again.get(group, ()) or i in self.inlined or (i in self.grouping.moves and self.is_light(i))

    def is_light(self, i: int) -> bool:
        """Whether reading through a move is as good as reading its result in memory."""
        equation = self.equations[i]
        return equation.primitive.may_alias or not equation.operands or self.is_place(equation)

    def is_place(self, equation: Equation) -> bool:
        """Whether all that read an equation's results do so coordinate by coordinate."""

        def locates(reader: Any, v: Var) -> bool:
            if not isinstance(reader, int):
                return False
            other = self.equations[reader]
            return [k for k, a in enumerate(other.operands) if a is v] == [other.primitive.locates]

        return all(locates(reader, v) for v in equation.results for reader in self.readers[v])


def fuse(program: Program, fusible: Callable[[Equation], bool], is_dear: Callable[[Equation], bool]) -> Program:
    """The program with groups of its equations fused, in its bodies too.

    Args:
      program: simplified and expanded.
      fusible: whether the backend can compute the elements of an equation's result one by one.
      is_dear: whether computing an element twice is to be avoided.
    """
    program = program.replace(equations=map_bodies(program, lambda body: fuse(body, fusible, is_dear)))
    return _Fused(program, Grouping(program, fusible, is_dear)).run()
