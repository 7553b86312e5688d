"""What a scan need not do in each turn: products of rows with a matrix, sums of products, what is the same in all turns.

    before the loop   what depends on no carry: the products of all rows with one matrix are one product
    after the loop    products with rows of results that no carry depends on; and sums of products that a carry only gathers,
                      which are one contraction that sums over the turns as well

Only what computes much for each element that it reads or makes is worth memory for all turns; the primitives' batch rules
do it for all turns at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from ..primitive import Primitive
from ..primitives.base import add
from ..primitives.structural import move_to_front
from ..program import Atom, Equation, Program, Var, dead_code
from ..staging import evaluate
from ..transforms.batching import BatchAxis, batch_flat
from .bodies import only, split

__all__ = ["relieved"]

MUCH = 16
"""So many operations for each element that is read or made in every turn are worth a way out of the loop."""
FREE = 1 << 24
"""So many bytes may be stored for that in any case; else as many as the loop's rows take."""


class _Sum(NamedTuple):
    """An entry of the carry to which each turn adds what some equations give."""

    entry: int
    terms: list[Equation]
    adds: list[Equation]


class _Loop:
    """A scan's body in parts, and what of it can be moved."""

    def __init__(self, scan: Primitive, is_dear: Callable[[Equation], bool], params: dict[str, Any]):
        self.scan, self.is_dear, self.params = scan, is_dear, params
        self.body: Program = params["body"]
        self.length: int = params["length"]
        n_carry = params["n_carry"]
        self.consts, self.carry, self.xs = split(self.body.inputs, params["n_consts"], n_carry)
        self.next, self.ys = split(self.body.outputs, n_carry)
        self.varying = self.reached_from(self.carry)
        self.by_row = self.reached_from([*self.carry, *self.xs])
        self.budget = max(FREE, self.bytes_of([*self.xs, *self.ys]))

    def reached_from(self, sources: Iterable[Var]) -> set[Atom]:
        """All that depends on these; and what has effects, which stays where it is."""
        found: set[Atom] = set(sources)
        for e in self.body.equations:
            if not found.isdisjoint(e.operands) or e.effects:
                found.update(e.results)
        return found

    def bytes_of(self, rows: Iterable[Atom]) -> int:
        return self.length * sum(a.type.size * a.type.dtype.itemsize for a in rows)

    def is_much(self, equation: Equation, moved: Iterable[Atom]) -> bool:
        """Whether an equation computes much for each element of these."""
        types, results = [a.type for a in equation.operands], [v.type for v in equation.results]
        return equation.primitive.flops(types, results, equation.params) >= MUCH * sum(a.type.size for a in moved)

    def shares(self, equation: Equation) -> bool:
        """Whether it computes much, with something that is the same in all turns."""
        rows = [a for a in equation.operands if a in self.by_row]
        same = any(isinstance(a, Var) and a not in self.by_row for a in equation.operands)
        return same and bool(rows) and self.is_much(equation, [*rows, *equation.results])

    def all_turns(self, outputs: Sequence[Atom], moved: Sequence[Equation], rows: Sequence[Var]) -> Callable[..., Any]:
        """A function (constants, xs, stacked `rows`) -> values of `outputs` for all turns, and their batch dimensions."""
        taken = {id(e) for e in moved}
        equations = [e for e in self.body.equations if id(e) in taken or self.varying.isdisjoint(e.results)]
        program = dead_code(Program([*self.consts, *self.xs, *rows], equations, outputs, self.body.name))
        dims = [*(None for _ in self.consts), *(0 for _ in (*self.xs, *rows))]

        def run(*operands: Any) -> Any:
            return batch_flat(lambda *xs: evaluate(program, *xs), BatchAxis(self.length), operands, dims)

        return run

    def without(self, moved: Sequence[Equation], outputs: Sequence[Atom], kept: Sequence[bool]) -> _Rest:
        """What is left of the loop: other outputs, some entries of the carry, and not these equations."""
        gone = {id(e) for e in moved}
        equations = [e for e in self.body.equations if id(e) not in gone]
        body = dead_code(Program(self.body.inputs, equations, outputs, self.body.name))
        return _Rest(self, body, kept)

    # Before the loop.

    def before(self) -> Callable[..., Any] | None:
        """The scan with a part of its work done before it."""
        early = self.early()
        rest = self.without(early, self.body.outputs, [True] * len(self.carry))
        made = [v for e in early for v in e.results if v in rest.read]
        if not made:
            return None
        same, rows = ([v for v in made if (v in self.by_row) == by_row] for by_row in (False, True))
        compute = self.all_turns([*same, *rows], [], [])

        def run(*operands: Any) -> list[Any]:
            consts, carry, xs = split(operands, len(self.consts), len(self.carry))
            values, dims = compute(*consts, *xs)
            more, new = split(values, len(same))
            new = [move_to_front(v, d, self.length) for v, d in zip(new, dims[len(same) :], strict=True)]
            return rest(consts, more, carry, xs, new, same, rows)

        return run

    def early(self) -> list[Equation]:
        out: list[Equation] = []
        for e in self.body.equations:
            if not self.varying.isdisjoint(e.results):
                continue
            if self.by_row.isdisjoint(e.results):
                if self.is_dear(e) or self.is_much(e, e.results):
                    out.append(e)
            elif self.shares(e) and self.afford(e.results):
                out.append(e)
        return out

    def afford(self, rows: Iterable[Atom]) -> bool:
        """Whether these may be stored for all turns; takes the memory if so."""
        size = self.bytes_of(rows)
        if size > self.budget:
            return False
        self.budget -= size
        return True

    # After the loop.

    def after(self) -> Callable[..., Any] | None:
        """The scan with a part of its work done after it."""
        sums = self.sums()
        late = self.late(sums)
        if not sums and not late:
            return None
        terms = [e for s in sums for e in s.terms]
        moved = [*late, *terms, *(e for s in sums for e in s.adds)]
        made = {v for e in moved for v in e.results}
        read = dict.fromkeys(a for e in moved for a in e.operands if isinstance(a, Var) and a not in made)
        rows = [a for a in read if a in self.varying and a not in [self.carry[s.entry] for s in sums]]
        kept = [a for a in self.ys if a not in made]
        new = [a for a in rows if a not in kept]
        entries = {s.entry for s in sums}
        stays = [k not in entries for k in range(len(self.carry))]
        rest = self.without(moved, [*only(self.next, stays), *kept, *new], stays)
        later = [a for a in self.ys if a in made]
        compute = self.all_turns([*later, *(a for e in terms for a in e.operands)], late, rows)

        def run(*operands: Any) -> list[Any]:
            consts, carry, xs = split(operands, len(self.consts), len(self.carry))
            out = rest(consts, [], carry, xs, [], [], [])
            last, rows_of = out[: sum(stays)], dict(zip([*kept, *new], out[sum(stays) :], strict=True))
            values, dims = compute(*consts, *xs, *(rows_of[a] for a in rows))
            rows_of.update((a, move_to_front(v, d, self.length)) for a, v, d in zip(later, values, dims, strict=False))
            totals = self.totals(sums, carry, values[len(later) :], dims[len(later) :])
            ends = iter(last)
            ended = [next(ends) if stay else totals[k] for k, stay in enumerate(stays)]
            return [*ended, *(rows_of[a] for a in self.ys)]

        return run

    def totals(self, sums: Sequence[_Sum], carry: Sequence[Any], values: Any, dims: Any) -> dict[int, Any]:
        """The last value of each entry that sums are added to, from the operands of their terms in all turns."""
        out: dict[int, Any] = {}
        axis, start = BatchAxis(self.length), 0
        for s in sums:
            total = carry[s.entry]
            for e in s.terms:
                assert e.primitive.batch_sum is not None
                end = start + len(e.operands)
                total = add(total, e.primitive.batch_sum(axis, values[start:end], dims[start:end], **e.params))
                start = end
            out[s.entry] = total
        return out

    def sums(self) -> list[_Sum]:
        """The sums that can be taken after the loop."""
        made = {v: e for e in self.body.equations for v in e.results}
        uses = Counter(a for atoms in (self.body.outputs, *(e.operands for e in self.body.equations)) for a in atoms)

        def find(a: Atom, c: Var, out: _Sum) -> bool:
            """Whether a value is a sum of `c` and of products; enters the products."""
            e = made.get(a) if isinstance(a, Var) and uses[a] == 1 else None
            if e is None or e.effects:
                return a is c
            if e.primitive is add:
                out.adds.append(e)
                return all(find(x, c, out) for x in e.operands)
            out.terms.append(e)
            rows = [x for x in e.operands if x in self.varying]
            return e.primitive.batch_sum is not None and self.is_much(e, [*rows, *e.results[:0]])

        found: list[_Sum] = []
        for k, (c, a) in enumerate(zip(self.carry, self.next, strict=True)):
            s = _Sum(k, [], [])
            if uses[c] != 1 or not find(a, c, s) or not any(c in e.operands for e in s.adds):
                continue
            if self.afford({x for e in s.terms for x in e.operands if x in self.varying}):
                found.append(s)
        return found

    def late(self, sums: Sequence[_Sum]) -> list[Equation]:
        """Products that no carry depends on, and what depends on them."""
        entries, terms = {s.entry for s in sums}, [e for s in sums for e in s.terms]
        needed: set[Atom] = {a for k, a in enumerate(self.next) if k not in entries}
        needed.update(a for e in terms for a in e.operands)
        elsewhere: set[Atom] = {v for s in sums for e in (*s.terms, *s.adds) for v in e.results}
        for e in reversed(self.body.equations):
            if not needed.isdisjoint(e.results) or e.effects:
                needed.update(e.operands)
        movable = self.varying - needed - elsewhere
        out: list[Equation] = []
        made: set[Atom] = set()
        stored: set[Atom] = set()
        for e in self.body.equations:
            if e.effects or not movable.issuperset(e.results):
                continue
            if self.shares(e):
                stored.update((*e.results, *(a for a in e.operands if a in self.varying and a not in made)))
            elif made.isdisjoint(e.operands):
                continue
            out.append(e)
            made.update(e.results)
        return out if self.afford(stored) else []


class _Rest:
    """The scan that is left; operands that its body does not read any more are left out."""

    def __init__(self, loop: _Loop, body: Program, stays: Sequence[bool]):
        self.loop, self.body, self.stays = loop, body, stays
        self.read = {a for atoms in (body.outputs, *(e.operands for e in body.equations)) for a in atoms}

    def __call__(
        self, consts: Any, more_consts: Any, carry: Any, xs: Any, more_xs: Any, same: Sequence[Var], rows: Sequence[Var]
    ) -> list[Any]:
        """Bind it, with further constants and rows, which stand for the variables `same` and `rows`."""
        loop = self.loop
        c = [p for p in zip([*loop.consts, *same], [*consts, *more_consts], strict=True) if p[0] in self.read]
        k = only(list(zip(loop.carry, carry, strict=True)), self.stays)
        x = [p for p in zip([*loop.xs, *rows], [*xs, *more_xs], strict=True) if p[0] in self.read]
        body = self.body.replace(inputs=[v for v, _ in (*c, *k, *x)])
        params = {**loop.params, "body": body, "n_consts": len(c), "n_carry": len(k)}
        return loop.scan(*(value for _, value in (*c, *k, *x)), **params)


def relieved(scan: Primitive, is_dear: Callable[[Equation], bool], params: dict[str, Any]) -> Callable[..., Any] | None:
    """A function from a scan's operands to its results that does some of its work outside of the loop; None if there is
    nothing to gain.

    Args:
      scan: the primitive.
      is_dear: whether an elementwise equation costs much.
      params: of the equation.
    """
    if type(params["length"]) is not int or params["length"] < 2 or params["body"].has_dims:
        return None
    return _Loop(scan, is_dear, params).after() or _Loop(scan, is_dear, params).before()
