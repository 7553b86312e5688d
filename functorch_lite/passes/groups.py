"""A group of equations that go over the same elements: its space, and where in it the axes of each value lie."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..program import Equation, Var
from .moves import source_axes

__all__ = ["Group", "Position", "everywhere"]

SHORT = 8
"""Reductions of so few elements are done in line, for each element of the result."""
IN_CACHE = 1 << 16
"""Up to so many elements a group may go over again once all of them are reduced."""

Position = tuple[int | None, ...]
"""For each axis of a value the dimension of the space that it goes along; None for an axis of length 1."""


def everywhere(equation: Equation) -> Position:
    """The position of a result in a group whose space is its shape."""
    return tuple(range(equation.results[0].type.ndim))


class Group:
    """Equations by number, the space, and where in it the axes of each value lie."""

    def __init__(self, space: tuple[int, ...]):
        self.space = space
        self.members: list[int] = []
        self.mask = 0
        self.below = 0
        """What the members depend on, and so all that depends on one of them."""
        self.positions: dict[Var, Position] = {}
        self.dear: set[Var] = set()
        """Values that are not to be computed twice."""
        self.reduced: dict[int, tuple[int | None, ...]] = {}
        self.short: frozenset[int] = frozenset()
        """Dimensions that are reduced in line."""
        self.columns: frozenset[int] | None = None
        """The dimensions of the reductions whose results the group itself uses."""
        self.results: dict[Var, frozenset[int]] = {}
        """Values reduced along those dimensions, or made of such: final, unless the dimensions are the columns."""

    def add(self, i: int, equation: Equation, position: Position, dear: bool) -> None:
        self.members.append(i)
        self.mask |= 1 << i
        v = equation.results[0]
        self.positions[v] = position
        if dear or (v not in self.results and not self.dear.isdisjoint(equation.operands)):
            self.dear.add(v)

    @property
    def full(self) -> frozenset[int]:
        """The dimensions that loops go over."""
        return frozenset(range(len(self.space))) - self.short

    def fits(self, reductions: Sequence[frozenset[int]], columns: frozenset[int] | None) -> bool:
        """Whether one nest can do all these reductions, with the results along `columns` used inside."""
        last = max(self.full, default=-1)
        of_last = [d for d in reductions if last in d]
        common = columns or (frozenset.intersection(*of_last) if of_last else frozenset((last,)))
        return last in common and all(not d & common or d >= common for d in reductions)

    def use(self, v: Var) -> bool:
        """Make the columns those that the reduced value `v` was reduced along, if that is possible."""
        dims = self.results[v]
        if self.columns is None and self.fits(list(self.results.values()), dims):
            self.columns = dims
        return self.columns == dims

    def absorb(self, other: Group) -> bool:
        """Take in a group of the same space, if one nest can do both."""
        columns = self.columns or other.columns
        if self.space != other.space or self.short != other.short or (other.columns or columns) != columns:
            return False
        results = {**self.results, **other.results}
        if results and not self.fits(list(results.values()), columns):
            return False
        self.members += other.members
        self.mask |= other.mask
        self.positions.update(other.positions)
        self.reduced.update(other.reduced)
        self.dear |= other.dear
        self.columns, self.results = columns, results
        return True

    # Where the results of equations lie.

    def position(self, equation: Equation, i: int) -> Position | None:
        """Where the result's axes lie in the group's space; None if the equation does not fit into it."""
        if equation.primitive.combines is not None:
            return self.reduction_position(equation, i)
        inner = {a: self.positions[a] for a in equation.operands if isinstance(a, Var) and a in self.positions}
        reduced = [a for a in inner if a in self.results]
        if not all(self.use(a) for a in reduced):
            return None
        v = equation.results[0]
        shape = v.type.shape
        if not equation.primitive.elementwise:
            position = self.moved_position(equation, inner)
        else:
            found = {p for a, p in inner.items() if a.type.shape == shape}
            position = None if len(found) > 1 else found.pop() if found else self.whole(shape)
        if position is None:
            return None
        if reduced and set(position) & (self.columns or frozenset()):
            if self.columns == self.full and math.prod(self.space) > IN_CACHE:
                return None  # going over all of it again is another pass over memory in any case
        elif reduced:
            self.results[v] = self.results[reduced[0]]
        return position

    def whole(self, shape: tuple[int, ...]) -> Position | None:
        """The position of a value that covers the whole space; a group of scalars takes any."""
        if self.space == () and not self.reduced:
            self.space = shape
        return tuple(range(len(shape))) if shape == self.space else None

    def moved_position(self, equation: Equation, inner: Any) -> Position | None:
        """What moves elements joins the group of its operand if they stay where they are in the space."""
        (operand,) = equation.operands if len(equation.operands) == 1 else (None,)
        if operand not in inner:
            return None
        shape = equation.results[0].type.shape
        axes = source_axes(equation)
        if axes is None:
            return None
        position: list[int | None] = [None] * len(shape)
        for axis, p in zip(axes, inner[operand], strict=True):
            if axis is not None:
                position[axis] = p
        kept = [p for p in position if p is not None]
        if kept != sorted(kept):
            return None  # a transpose: its result would be written with long strides
        stretched = [k for k, n in enumerate(shape) if position[k] is None and n != 1]
        if stretched:
            if shape != self.space or any(p not in (None, k) for k, p in enumerate(position)):
                return None
            if self.is_costly(operand, inner[operand]):
                return None
            return tuple(range(len(shape)))
        return tuple(position)

    def is_costly(self, v: Any, position: Position) -> bool:
        """Whether a value that varies with the columns alone is dear, and would be computed again for each row."""
        columns = self.columns or frozenset((max(self.full, default=-1),))
        return v in self.dear and bool(columns & set(position)) and not self.full <= set(position)

    def reduction_position(self, equation: Equation, i: int) -> Position | None:
        (operand,) = equation.operands
        axes, rank = equation.params["axes"], len(operand.type.shape)
        position = self.positions.get(operand) if isinstance(operand, Var) else None
        if position is None:
            if operand.type.shape != self.space:
                return None
            position = tuple(range(rank))
        if not axes or (operand in self.results and not self.use(operand)):  # type: ignore[arg-type]
            return None
        kept = tuple(position[k] for k in range(rank) if k not in axes)
        if any(position[a] is None for a in axes):
            return None
        dims = frozenset(position[a] for a in axes)
        v = equation.results[0]
        if self.is_short(dims, position):
            self.short |= dims
            self.reduced[i] = (None,) * len(axes)
            return kept
        if dims & self.short or not self.full <= set(position):
            return None
        if not self.fits([*self.results.values(), dims], self.columns):
            return None
        self.reduced[i] = tuple(position[a] for a in axes)
        self.results[v] = dims
        return kept

    def is_short(self, dims: frozenset[int], position: Position) -> bool:
        """Whether a reduction is to be done in line: over the last dimensions, of few elements, for many results."""
        size = math.prod(self.space[d] for d in dims)
        if size > SHORT or math.prod(self.space) < 8 * SHORT * size or len(position) != len(self.space):
            return False
        if dims == self.short:
            return True
        trailing = dims == frozenset(range(len(self.space) - len(dims), len(self.space)))
        return trailing and not self.short and not self.results
