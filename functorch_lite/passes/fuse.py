"""Fusion: equations that go over the same elements become one, which carries them as a small program.

A group has a *space*, the dimensions that it goes over. Elementwise equations join the group that makes one of their operands;
so do reductions, and broadcasts that bring a reduction's result back into the space (softmax, a layer's normalisation). What
only moves elements (slices, pads, transposes, broadcasts, iota) is copied into each group that reads it: it costs an address,
not a pass over memory.

Nothing dear is computed twice; groups never wait for each other in a circle.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..array_type import ArrayType
from ..primitive import NotDifferentiable, Primitive
from ..program import Atom, Equation, Program, Var
from .recompute import recomputed
from .rewrite import map_subprograms

__all__ = ["Fusion", "fuse", "fusion"]

SHORT = 8
"""Reductions of so few elements are done in line, for each element of the result."""
IN_CACHE = 1 << 16
"""Up to so many elements a group may go over again once all of them are reduced."""


DEEPEST, MOST = 100, 200
"""So many equations are in a group, one on the other and in all: what goes over them is recursive, and LLVM slow with more."""
STACKED = 10
"""So many moves are done in one: each may have to choose between two places for each element."""

Position = tuple[int | None, ...]
"""For each axis of a value the dimension of the space that it goes along; None for an axis of length 1."""


class Fusion(NotDifferentiable, Primitive):
    """A group. Params: the program; `space`, `positions`, `reduced`: `short`: see `passes.nests.build`."""

    multiple_results = True
    subprograms = ("program",)

    def infer(self, *types: ArrayType, program: Program, **params: Any) -> list[ArrayType]:
        return list(program.out_types)

    def lower(self, context: Any, equation: Equation) -> Any:
        return context.compile(equation.params["program"])

    def batch(self, axis: Any, operands: Any, dims: Any, **params: Any) -> Any:
        raise AssertionError("programs are fused once all transformations are done")


fusion = Fusion("fusion")


class _Group:
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
        if dear or (v not in self.results and any(a in self.dear for a in equation.operands)):
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

    def absorb(self, other: _Group) -> bool:
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


class _NotAMove(Exception):
    """An element rule that does more than to read its operand at the same place."""


class _ReadsFlat(_NotAMove):
    """A reshape that does more than to add or drop axes of length 1."""


class _Probe:
    """Stands for `passes.nests.Elements`, to see where an element rule reads its operand. An index is an axis or None."""

    zero = None

    def __init__(self, equation: Equation):
        self.types = [a.type for a in equation.operands]
        self.shape = equation.results[0].type.shape

    def operand(self, i: int, index: Sequence[Any]) -> list[Any]:
        return list(index)

    def reshaped(self, i: int, index: Sequence[Any]) -> list[Any]:
        lengths = [n for n in self.types[i].shape if n != 1]
        if lengths != [n for n in self.shape if n != 1]:
            raise _ReadsFlat
        rest = iter([k for k, n in zip(index, self.shape, strict=True) if n != 1])
        return [None if n == 1 else next(rest) for n in self.types[i].shape]

    def of(self, dtype: Any, op: str, x: Any) -> Any:
        return x

    def __getattr__(self, name: str) -> Any:
        raise _NotAMove


class _Axis(int):
    """A result's axis; any arithmetic on it means that elements do not stay in place."""

    def _moved(self, other: Any) -> Any:
        raise _NotAMove

    __add__ = __sub__ = __mul__ = _moved


def _source_axes(equation: Equation) -> list[int | None] | None:
    """For each axis of the operand, the axis of the result that it becomes (None: of length 1); None if it is otherwise."""
    shape = equation.results[0].type.shape
    probe = _Probe(equation)
    try:
        found = equation.primitive.element(probe, [_Axis(k) for k in range(len(shape))], **equation.params)  # type: ignore[misc]
    except _NotAMove:
        return None
    if not isinstance(found, list):
        return None
    return [None if k is None or n == 1 else int(k) for k, n in zip(found, probe.types[0].shape, strict=True)]


def _reads_flat(equation: Equation) -> bool:
    """Whether an element rule reads its operand by the place in memory, so that it must be a buffer."""
    index = [_Axis(k) for k in range(len(equation.results[0].type.shape))]
    try:
        equation.primitive.element(_Probe(equation), index, **equation.params)  # type: ignore[misc]
    except _ReadsFlat:
        return True
    except _NotAMove:
        return False
    return False


def _everywhere(equation: Equation) -> Position:
    """The position of a result in a group whose space is its shape."""
    return tuple(range(equation.results[0].type.ndim))


class _Fuser:
    def __init__(self, program: Program, fusible: Callable[[Equation], bool], is_dear: Callable[[Equation], bool]):
        self.program = program
        self.equations = program.equations
        self.is_dear = is_dear
        self.producer = {v: i for i, e in enumerate(self.equations) for v in e.results}
        self.moves: set[int] = set()
        self.flat: set[int] = set()
        self.group_of: dict[int, _Group] = {}
        self.ancestors: list[int] = []
        self.heights: dict[int, int] = {}
        """Of each fusible equation, how many others of its group and moves stand one on the other, it included."""
        for i, equation in enumerate(self.equations):
            self.ancestors.append(self.reach(equation.operands))
            if fusible(equation):
                self.place(i, equation)
        self.unite_siblings()
        self.readers = self.find_readers()
        self.again = recomputed(self)
        self.inlined = self.moves - self.live_moves()

    def reach(self, operands: Sequence[Atom]) -> int:
        """The equations that these values depend on, as bits."""
        bits = 0
        for a in operands:
            if isinstance(a, Var) and a in self.producer:
                p = self.producer[a]
                group = self.group_of.get(p)
                if group is None:
                    bits |= self.ancestors[p] | 1 << p
                else:
                    bits |= group.mask | group.below
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
        group = _Group(shape)
        position = self.position(group, equation, i)
        if position is None:
            return
        self.found(group, i, equation, position)

    def found(self, group: _Group, i: int, equation: Equation, position: Position) -> None:
        """Begin a group."""
        self.heights[i] = self.height(equation, {})
        group.add(i, equation, position, self.is_dear(equation))
        group.below = self.ancestors[i]
        self.group_of[i] = group

    def move(self, i: int, equation: Equation) -> None:
        """Have an equation copied into the groups that read it."""
        self.heights[i] = self.height(equation, {})
        if _reads_flat(equation):
            self.flat.add(i)
        elif self.heights[i] > STACKED:
            self.found(_Group(equation.results[0].type.shape), i, equation, _everywhere(equation))
            return
        self.moves.add(i)

    def height(self, equation: Equation, inside: Mapping[int, int]) -> int:
        """How many equations stand one on the other, this one included: moves, and those `inside` a group, with their heights."""
        below = [self.producer[a] for a in equation.operands if isinstance(a, Var) and a in self.producer]
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
            position = self.position(group, equation, i)
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

    def groups_of(self, atoms: Sequence[Atom]) -> list[_Group]:
        found: dict[int, _Group] = {}
        for a in atoms:
            group = self.group_of.get(self.producer.get(a, -1)) if isinstance(a, Var) else None
            if group is not None:
                found[id(group)] = group
        return list(found.values())

    def outer(self, group: _Group) -> int:
        """All that a group depends on, without itself."""
        outside = [
            a
            for m in group.members
            for a in self.equations[m].operands
            if isinstance(a, Var) and a not in group.positions
        ]
        return self.reach(outside)

    def unite(self, group: _Group, other: _Group) -> bool:
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

    def direct(self, group: _Group, other: _Group) -> int:
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

    def depend(self, group: _Group) -> None:
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
        readers: dict[Var, list[_Group]] = {}
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

    def position(self, group: _Group, equation: Equation, i: int) -> Position | None:
        """Where the result's axes lie in the group's space; None if the equation does not fit into it."""
        if equation.primitive.combines is not None:
            return self.reduction_position(group, equation, i)
        inner = {a: group.positions[a] for a in equation.operands if isinstance(a, Var) and a in group.positions}
        reduced = [a for a in inner if a in group.results]
        if not all(group.use(a) for a in reduced):
            return None
        v = equation.results[0]
        shape = v.type.shape
        if not equation.primitive.elementwise:
            position = self.moved_position(group, equation, inner)
        else:
            found = {p for a, p in inner.items() if a.type.shape == shape}
            position = None if len(found) > 1 else found.pop() if found else self.whole(group, shape)
        if position is None:
            return None
        if reduced and set(position) & (group.columns or frozenset()):
            if group.columns == group.full and math.prod(group.space) > IN_CACHE:
                return None  # going over all of it again is another pass over memory in any case
        elif reduced:
            group.results[v] = group.results[reduced[0]]
        return position

    def whole(self, group: _Group, shape: tuple[int, ...]) -> Position | None:
        """The position of a value that covers the whole space; a group of scalars takes any."""
        if group.space == () and not group.reduced:
            group.space = shape
        return tuple(range(len(shape))) if shape == group.space else None

    def moved_position(self, group: _Group, equation: Equation, inner: Any) -> Position | None:
        """What moves elements joins the group of its operand if they stay where they are in the space."""
        (operand,) = equation.operands if len(equation.operands) == 1 else (None,)
        if operand not in inner:
            return None
        shape = equation.results[0].type.shape
        axes = _source_axes(equation)
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
            if shape != group.space or any(p not in (None, k) for k, p in enumerate(position)):
                return None
            if self.is_costly(group, operand, inner[operand]):
                return None
            return tuple(range(len(shape)))
        return tuple(position)

    def is_costly(self, group: _Group, v: Any, position: Position) -> bool:
        """Whether a value that varies with the columns alone is dear, and would be computed again for each row."""
        columns = group.columns or frozenset((max(group.full, default=-1),))
        return v in group.dear and bool(columns & set(position)) and not group.full <= set(position)

    def reduction_position(self, group: _Group, equation: Equation, i: int) -> Position | None:
        (operand,) = equation.operands
        axes, rank = equation.params["axes"], len(operand.type.shape)
        position = group.positions.get(operand) if isinstance(operand, Var) else None
        if position is None:
            if operand.type.shape != group.space:
                return None
            position = tuple(range(rank))
        if not axes or (operand in group.results and not group.use(operand)):  # type: ignore[arg-type]
            return None
        kept = tuple(position[k] for k in range(rank) if k not in axes)
        if any(position[a] is None for a in axes):
            return None
        dims = frozenset(position[a] for a in axes)
        v = equation.results[0]
        if self.is_short(group, dims, position):
            group.short |= dims
            group.reduced[i] = (None,) * len(axes)
            return kept
        if dims & group.short or not group.full <= set(position):
            return None
        if not group.fits([*group.results.values(), dims], group.columns):
            return None
        group.reduced[i] = tuple(position[a] for a in axes)
        group.results[v] = dims
        return kept

    def is_short(self, group: _Group, dims: frozenset[int], position: Position) -> bool:
        """Whether a reduction is to be done in line: over the last dimensions, of few elements, for many results."""
        size = math.prod(group.space[d] for d in dims)
        if size > SHORT or math.prod(group.space) < 8 * SHORT * size or len(position) != len(group.space):
            return False
        if dims == group.short:
            return True
        trailing = dims == frozenset(range(len(group.space) - len(dims), len(group.space)))
        return trailing and not group.short and not group.results

    # The groups as equations.

    def run(self) -> Program:
        order = self.order()
        equations: list[Equation] = []
        for unit in order:
            if isinstance(unit, _Group):
                equations.append(self.equation(unit))
            elif unit in self.moves and unit not in self.flat:
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
        """The moves that must be made in memory: read by an equation outside of all groups, or a result."""
        live: set[int] = set()
        stack = [*self.program.outputs, *(a for i in self.flat for a in self.equations[i].operands)]
        for i, equation in enumerate(self.equations):
            if i not in self.moves and i not in self.group_of:
                stack.extend(equation.operands)
        while stack:
            a = stack.pop()
            p = self.producer.get(a) if isinstance(a, Var) else None
            if p is not None and p in self.moves and p not in live:
                live.add(p)
                stack.extend(self.equations[p].operands)
        return live

    def order(self) -> list[Any]:
        """Groups and other equations, each behind what it needs; effects in their order."""
        done: set[Any] = set()
        out: list[Any] = []

        def needs(i: int) -> list[int]:
            return [self.producer[a] for a in self.equations[i].operands if isinstance(a, Var) and a in self.producer]

        def visit(i: int) -> None:
            stack: list[tuple[int, bool]] = [(i, False)]
            while stack:
                k, ready = stack.pop()
                group = self.group_of.get(k)
                unit = group if group is not None else k
                if unit in done:
                    continue
                members = group.members if group is not None else [k]
                if ready:
                    done.add(unit)
                    if k not in self.inlined:
                        out.append(unit)
                    continue
                stack.append((k, True))
                for m in reversed(members):
                    stack.extend((p, False) for p in needs(m) if self.group_of.get(p, p) is not unit)

        for i in range(len(self.equations)):
            if i not in self.inlined:
                visit(i)
        return out

    def alone(self, i: int) -> _Group:
        """A move that must be made in memory, as a group of its own."""
        equation = self.equations[i]
        group = _Group(equation.results[0].type.shape)
        group.add(i, equation, _everywhere(equation), dear=False)
        return group

    def equation(self, group: _Group) -> Equation:
        """The group as one equation, with copies of the moves that it reads."""
        members: list[int] = []
        seen: set[int] = set()

        def take(i: int) -> None:
            if i in seen:
                return
            seen.add(i)
            for a in self.equations[i].operands:
                p = self.producer.get(a) if isinstance(a, Var) else None
                if p is not None and i not in self.flat and self.is_copied(p, group):
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

    def is_copied(self, i: int, group: _Group) -> bool:
        """Whether a group has a copy of an equation that it does not own."""
        return i in self.again.get(group, ()) or i in self.inlined or (i in self.moves and self.is_light(i))

    def is_light(self, i: int) -> bool:
        """Whether reading through a move is as good as reading its result in memory."""
        return self.equations[i].primitive.may_alias or not self.equations[i].operands


def fuse(program: Program, fusible: Callable[[Equation], bool], is_dear: Callable[[Equation], bool]) -> Program:
    """The program with groups of its equations fused, in its bodies too.

    Args:
      program: simplified and expanded.
      fusible: whether the backend can compute the elements of an equation's result one by one.
      is_dear: whether computing an element twice is to be avoided.
    """
    equations = [map_subprograms(e, lambda body: fuse(body, fusible, is_dear)) for e in program.equations]
    return _Fuser(program.replace(equations=equations), fusible, is_dear).run()
