"""Which equations form groups: each goes to the group of one of its operands, where it fits; groups that fit unite.

Groups never wait for each other in a circle: what depends on what is kept as bits, one for each equation.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from ..program import Atom, Equation, Program, Var
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
    """

    def __init__(self, program: Program, fusible: Callable[[Equation], bool], is_dear: Callable[[Equation], bool]):
        self.program = program
        self.equations = program.equations
        self.is_dear = is_dear
        self.producer = {v: i for i, e in enumerate(self.equations) for v in e.results}
        self.moves: set[int] = set()
        self.flat: set[int] = set()
        self.group_of: dict[int, Group] = {}
        self.ancestors: list[int] = []
        self.heights: dict[int, int] = {}
        """Of each fusible equation, how many others of its group and moves stand one on the other, it included."""
        for i, equation in enumerate(self.equations):
            self.ancestors.append(self.reach(equation.operands))
            if fusible(equation):
                self.place(i, equation)
        self.unite_siblings()

    def sources(self, atoms: Sequence[Atom]) -> list[int]:
        """The equations that make these values."""
        return [self.producer[a] for a in atoms if isinstance(a, Var) and a in self.producer]

    def reach(self, operands: Sequence[Atom]) -> int:
        """The equations that these values depend on, as bits."""
        bits = 0
        for p in self.sources(operands):
            group = self.group_of.get(p)
            bits |= self.ancestors[p] | 1 << p if group is None else group.mask | group.below
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
        self.heights[i] = self.height(equation, {})
        group.add(i, equation, position, self.is_dear(equation))
        group.below = self.ancestors[i]
        self.group_of[i] = group

    def move(self, i: int, equation: Equation) -> None:
        """Have an equation copied into the groups that read it."""
        self.heights[i] = self.height(equation, {})
        if reads_flat(equation):
            self.flat.add(i)
        elif self.heights[i] > STACKED:
            self.found(Group(equation.results[0].type.shape), i, equation, everywhere(equation))
            return
        self.moves.add(i)

    def height(self, equation: Equation, inside: Mapping[int, int]) -> int:
        """How many equations stand one on the other, this one included: moves, and those `inside` a group, with their heights."""
        below = self.sources(equation.operands)
        return 1 + max((inside.get(p, self.heights[p] if p in self.moves else 0) for p in below), default=0)

    def join(self, i: int, equation: Equation) -> bool:
        """Put an equation into the group of one of its operands; then try to unite it with the groups of the others."""
        candidates = self.groups_of(equation.operands)
        for group in sorted(candidates, key=lambda g: -math.prod(g.space)):
            outside = [a for a in equation.operands if not isinstance(a, Var) or a not in group.positions]
            read = [self.producer[a] for a in equation.operands if isinstance(a, Var) and a in group.positions]
            height = self.height(equation, {p: self.heights[p] for p in read})
            if height > DEEPEST or len(group.members) >= MOST or self.reach(outside) & group.mask:
                continue
            position = group.position(equation, i)
            if position is None:
                continue
            self.heights[i] = height
            group.add(i, equation, position, self.is_dear(equation))
            self.group_of[i] = group
            if self.ancestors[i] & ~group.mask & ~group.below:
                self.depend(group)
            for other in candidates:
                self.unite(group, other)
            return True
        return False

    def groups_of(self, atoms: Sequence[Atom]) -> list[Group]:
        found: dict[int, Group] = {}
        for p in self.sources(atoms):
            group = self.group_of.get(p)
            if group is not None:
                found[id(group)] = group
        return list(found.values())

    def outer(self, group: Group) -> int:
        """All that a group depends on, without itself."""
        outside = [
            a
            for m in group.members
            for a in self.equations[m].operands
            if isinstance(a, Var) and a not in group.positions
        ]
        return self.reach(outside)

    def unite(self, group: Group, other: Group) -> bool:
        """Make two groups one, unless one waits for the other by way of a third, or they do not fit."""
        if group is other or not other.members or group.space != other.space:
            return False
        if len(group.members) + len(other.members) > MOST:
            return False
        heights: dict[int, int] = {}
        if group.below & other.mask or other.below & group.mask:
            if self.outer(group) & other.mask & ~self.direct(group, other) or self.outer(other) & group.mask:
                return False
            for m in sorted((*group.members, *other.members)):
                heights[m] = self.height(self.equations[m], heights)
        if max(heights.values(), default=0) > DEEPEST or not group.absorb(other):
            return False
        self.heights.update(heights)
        for m in other.members:
            self.group_of[m] = group
        other.members = []
        self.depend(group)
        return True

    def direct(self, group: Group, other: Group) -> int:
        """The members of `other`, if `group` reads them at the places where they are, and depends on them in no other way."""
        read = {
            a for m in group.members for a in self.equations[m].operands if isinstance(a, Var) and a in other.positions
        }
        if any(v in other.results for v in read):
            return 0
        full = tuple(range(len(group.space)))
        if any(other.positions[v] not in (full, ()) for v in read):
            return 0
        rest = [
            a
            for m in group.members
            for a in self.equations[m].operands
            if isinstance(a, Var) and a not in group.positions and a not in other.positions
        ]
        return 0 if self.reach(rest) & other.mask else other.mask

    def depend(self, group: Group) -> None:
        """What depends on a member depends on all that the group depends on."""
        bits = group.mask
        for m in group.members:
            bits |= self.ancestors[m]
        group.below = bits
        for k in range(min(group.members), len(self.ancestors)):
            if self.ancestors[k] & group.mask and not group.mask >> k & 1:
                self.ancestors[k] |= bits
                if k in self.group_of:
                    self.group_of[k].below |= bits

    def unite_siblings(self) -> None:
        """Groups of one space that read the same large value share the pass over it."""
        readers: dict[Var, list[Group]] = {}
        for group in dict.fromkeys(self.group_of.values()):
            for m in group.members:
                for a in self.equations[m].operands:
                    if isinstance(a, Var) and a not in group.positions and a.type.shape == group.space != ():
                        found = readers.setdefault(a, [])
                        if group not in found:
                            found.append(group)
        for groups in readers.values():
            for k, group in enumerate(groups):
                for other in groups[k + 1 :]:
                    if group.members and other.members:
                        self.unite(group, other)
