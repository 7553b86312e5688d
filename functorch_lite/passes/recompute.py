"""What groups compute again rather than read.

A group's large results need not be stored for another group of the same space that can make them itself, at little cost, of
what it reads in any case, or of fewer values. So of what the forward pass of a derivative leaves behind, only that is kept
which the rest cannot be made of: of `1 - tanh(x)**2` and `1 + tanh(x)`, for example, `tanh(x)`.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from ..program import Atom, Var
from .grouping import Grouping
from .groups import Group

__all__ = ["recomputed"]

SMALL = 8
"""A value so many times smaller than the space costs nothing to read."""

MOST_COPIES = 50
"""More equations are not computed again."""


class _Plan(NamedTuple):
    """How a group that reads some values makes them itself.

    Attributes:
      reader: the group.
      values: those values.
      leaves: the large values that it reads for them, in addition.
      copies: the equations, by number.
    """

    reader: Group
    values: set[Atom]
    leaves: set[Var]
    copies: set[int]


def recomputed(grouping: Grouping, readers: dict[Var, set[Any]]) -> dict[Group, set[int]]:
    """For each group the equations of others that it has copies of; the `readers` of values become what they then are."""
    groups = list(dict.fromkeys(grouping.group_of.values()))
    planner = _Planner(grouping, readers, groups)
    out: dict[Group, set[int]] = {group: set() for group in groups}
    for group in groups:
        spared, plans = planner.plans(group)
        if planner.pays(spared, plans):
            planner.carry_out(group, spared, plans)
            for plan in plans:
                out[plan.reader] |= plan.copies
    return out


class _Planner:
    def __init__(self, grouping: Grouping, readers: dict[Var, set[Any]], groups: list[Group]):
        self.grouping = grouping
        self.readers = readers
        self.number = {group: k for k, group in enumerate(groups)}
        self.equations = grouping.equations
        self.reads = {g: {a for m in g.members for a in self.equations[m].operands} for g in groups}

    def plans(self, group: Group) -> tuple[set[Var], list[_Plan]]:
        """The values that are read by groups alone which may make them themselves; and how they do."""
        readers = self.readers
        results = [v for m in group.members for v in self.equations[m].results]
        kept = {v for v in results if readers.get(v, set()) - {group}}
        spared = {v for v in kept if all(_covers(v, unit) for unit in readers[v] - {group})}
        found = {reader for v in spared for reader in readers[v] - {group}}
        ordered = sorted(found, key=self.number.__getitem__)
        return spared, [self.plan(reader, self.reads[reader] & spared, group, kept - spared) for reader in ordered]

    def plan(self, reader: Group, values: set[Atom], group: Group, kept: set[Var]) -> _Plan:
        plan = _Plan(reader, values, set(), set())
        at_hand = self.reads[reader] - values
        stack = list(values)
        while stack:
            a = stack.pop()
            p = self.grouping.producer.get(a, -1) if isinstance(a, Var) else -1
            if not isinstance(a, Var) or p in plan.copies or a in at_hand:
                continue
            if a not in kept and self.is_easy(p, group):
                plan.copies.add(p)
                stack += self.equations[p].operands
            elif SMALL * a.type.size > math.prod(reader.space):
                plan.leaves.add(a)
        return plan

    def is_easy(self, i: int, group: Group) -> bool:
        """Whether computing an element of an equation of a group costs no more than to read one."""
        if i < 0 or self.grouping.group_of.get(i) is not group:
            return i in self.grouping.moves and i not in self.grouping.flat
        primitive = self.equations[i].primitive
        return primitive.combines is None and not (primitive.elementwise and self.grouping.is_dear(self.equations[i]))

    def pays(self, spared: set[Var], plans: list[_Plan]) -> bool:
        """Whether less is stored, and nobody reads more."""
        stored = {a for plan in plans for a in plan.leaves if a in self.grouping.producer}
        few = all(len(plan.leaves) <= len(plan.values) and len(plan.copies) <= MOST_COPIES for plan in plans)
        return few and len(stored) < len(spared)

    def carry_out(self, group: Group, spared: set[Var], plans: list[_Plan]) -> None:
        readers = self.readers
        for v in spared:
            readers[v] = {group}
        for plan in plans:
            self.reads[plan.reader] = (self.reads[plan.reader] - plan.values) | plan.leaves
            operands = {a for i in plan.copies for a in self.equations[i].operands if isinstance(a, Var)}
            for a in operands | plan.leaves:
                if self.grouping.producer.get(a) not in plan.copies:
                    readers.setdefault(a, set()).add(plan.reader)


def _covers(v: Var, unit: Any) -> bool:
    """Whether what reads a value is a group that goes over its elements, each once."""
    return getattr(unit, "space", None) == v.type.shape
