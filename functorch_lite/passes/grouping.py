"""Which equations form groups: each goes to the group of one of its operands, where it fits; groups that fit unite.

Groups never wait for each other in a circle: what depends on what is kept as bits, one for each equation.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping

from ..program import Atom, Equation, Program
from .groups import Group, Position, everywhere
from .moves import reads_flat

__all__ = ["Grouping"]

DEEPEST, MOST = 100, 200
"""So many equations are in a group, one on the other and in all: what goes over them is recursive, and LLVM slow with more."""
STACKED = 10
"""So many moves are done in one: each may have to choose between two places for each element."""


class Grouping:
    """Which equations of a program are in which group.

    Attributes:
      group_of: the group of an equation, by its number.
      moves: the equations that only move elements; groups that read them may have copies.
      flat: those of them that read their operand by the place in memory, so that it must be a buffer.
      producer: the equation that makes a value.
      sources: for each equation those that make its operands.
    """

    def __init__(self, program: Program, fusible: Callable[[Equation], bool], is_dear: Callable[[Equation], bool]):
        self.program = program
        self.equations = program.equations
        self.is_dear = is_dear
        self.producer: dict[Atom, int] = {v: i for i, e in enumerate(self.equations) for v in e.results}
        self.sources = [[self.producer[a] for a in e.operands if a in self.producer] for e in self.equations]
        self.moves: set[int] = set()
        self.flat: set[int] = set()
        self.group_of: dict[int, Group] = {}
        self.groups: dict[Group, None] = {}
        self.below: dict[int, int] = {}
        """What the equations that are in no group depend on, as bits."""
        self.needed = 0
        """What equations and groups depend on that is not part of them, as bits; too much, where groups have united since."""
        self.heights: dict[int, int] = {}
        """Of each fusible equation, how many others of its group and moves stand one on the other, it included."""
        for i, equation in enumerate(self.equations):
            self.below[i] = self.reach(self.sources[i])
            if fusible(equation):
                self.place(i, equation)
            self.needed |= self.below.get(i, 0)
        self.unite_siblings()

    def reach(self, sources: Iterable[int]) -> int:
        """These equations and all that they depend on, as bits."""
        bits = 0
        for p in sources:
            group = self.group_of.get(p)
            bits |= self.below[p] | 1 << p if group is None else group.mask | group.below
        return bits

    # Which group an equation goes to.

    def place(self, i: int, equation: Equation) -> None:
        primitive = equation.primitive
        if not primitive.elementwise and primitive.combines is None:
            if primitive.multiple_results or not self.join(i, equation):
                self.move(i, equation)
            return
        if self.join(i, equation):
            return
        shape = equation.results[0].type.shape if primitive.combines is None else equation.operands[0].type.shape
        group = Group(shape)
        position = group.position(equation, i)
        if position is None:
            return
        self.found(group, i, equation, position)

    def found(self, group: Group, i: int, equation: Equation, position: Position) -> None:
        """Begin a group."""
        self.heights[i] = self.height(i, {})
        group.add(i, equation, position, self.is_dear(equation))
        group.below = self.below.pop(i)
        self.needed |= group.below
        self.group_of[i] = group
        self.groups[group] = None

    def move(self, i: int, equation: Equation) -> None:
        """Have an equation copied into the groups that read it."""
        self.heights[i] = self.height(i, {})
        if reads_flat(equation):
            self.flat.add(i)
        elif self.heights[i] > STACKED:
            self.found(Group(equation.results[0].type.shape), i, equation, everywhere(equation))
            return
        self.moves.add(i)

    def height(self, i: int, inside: Mapping[int, int]) -> int:
        """How many equations stand one on the other, this one included: moves, and those `inside` a group, with their heights."""
        below = [inside.get(p, self.heights[p] if p in self.moves else 0) for p in self.sources[i]]
        return 1 + max(below, default=0)

    def join(self, i: int, equation: Equation) -> bool:
        """Put an equation into the group of one of its operands; then try to unite it with the groups of the others."""
        candidates = list(dict.fromkeys(self.group_of[p] for p in self.sources[i] if p in self.group_of))
        for group in sorted(candidates, key=lambda g: -math.prod(g.space)):
            height = self.height(i, {p: self.heights[p] for p in self.sources[i] if self.group_of.get(p) is group})
            needed = self.reach(self.outside(group, [i]))
            if height > DEEPEST or len(group.members) >= MOST or needed & group.mask:
                continue
            position = group.position(equation, i)
            if position is None:
                continue
            self.heights[i] = height
            group.add(i, equation, position, self.is_dear(equation))
            self.group_of[i] = group
            below = self.below.pop(i)
            if below & ~group.mask & ~group.below:
                self.depend(group, below)
            united = [self.unite(group, other) for other in candidates]
            self.needed |= self.reach(self.outside(group, [i])) if any(united) else needed
            return True
        return False

    def outside(self, group: Group, members: Iterable[int]) -> set[int]:
        """What equations, members or soon to be, read that is not of their group."""
        return {p for m in members for p in self.sources[m] if self.group_of.get(p) is not group}

    def unite(self, group: Group, other: Group) -> bool:
        """Make two groups one, unless one waits for the other by way of a third, or they do not fit."""
        if group is other or not other.members or group.space != other.space:
            return False
        if len(group.members) + len(other.members) > MOST:
            return False
        heights: dict[int, int] = {}
        if group.below & other.mask or other.below & group.mask:
            below = self.reach(self.outside(other, other.members))
            if below & group.mask or not self.reads_in_place(group, other):
                return False
            for m in sorted((*group.members, *other.members)):
                heights[m] = self.height(m, heights)
        if max(heights.values(), default=0) > DEEPEST or not group.absorb(other):
            return False
        self.heights.update(heights)
        for m in other.members:
            self.group_of[m] = group
        other.members = []
        del self.groups[other]
        self.depend(group, other.below)
        return True

    def reads_in_place(self, group: Group, other: Group) -> bool:
        """Whether all that `group` needs of `other` it reads from there, and at the places where it is."""
        outside = self.outside(group, group.members)
        read = {p for p in outside if self.group_of.get(p) is other}
        values = [v for p in read for v in self.equations[p].results]
        full = tuple(range(len(group.space)))
        if any(v in other.results or other.positions[v] not in (full, ()) for v in values):
            return False
        return not self.reach(outside - read) & other.mask

    def depend(self, group: Group, below: int) -> None:
        """Have a group, and so all that depends on one of its members, depend on more."""
        group.below |= below
        if not group.mask & self.needed:
            return
        bits = group.mask | group.below
        for other in self.groups:
            if other is not group and other.below & group.mask:
                other.below |= bits
        for i, others in self.below.items():
            if others & group.mask:
                self.below[i] = others | bits

    def unite_siblings(self) -> None:
        """Groups of one space that read the same large value share the pass over it."""
        readers: dict[Atom, dict[Group, None]] = {}
        for group in dict.fromkeys(self.group_of.values()):
            for m in group.members:
                for a in self.equations[m].operands:
                    if a.type.shape == group.space != () and a not in group.positions:
                        readers.setdefault(a, {})[group] = None
        for groups in map(list, readers.values()):
            for k, group in enumerate(groups):
                for other in groups[k + 1 :]:
                    if group.members and other.members:
                        self.unite(group, other)
