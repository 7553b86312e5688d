"""Rows that a loop stacks for scans alone, which can make them of the rows that they read anyway.

What a derivative's first loop leaves for the second is of this kind: of `u = tanh(x)` and `1 - u**2`, `u` is enough, and of what
several derivatives need, one copy. Less is stored, and less is read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from ..array_type import has_dim
from ..passes.rewrite import inline_call, renamed_operands, renaming
from ..primitive import Primitive
from ..program import Atom, Equation, Literal, Program, Var

__all__ = ["sparing_rows"]

MOST_COPIES = 8
"""More equations are not computed again for one row."""


class _Stacked:
    """A loop, and those of its rows that it need not stack.

    Attributes:
      remakes: for each such result, a program that makes a row of it, of rows of other results and of operands.
    """

    def __init__(
        self,
        loop: Equation,
        n_consts: int,
        n_carry: int,
        readers: Sequence[Equation],
        is_dear: Callable[[Equation], bool],
    ):
        self.loop, self.n_carry, self.is_dear = loop, n_carry, is_dear
        self.body: Program = loop.params["body"]
        self.made = {v: e for e in self.body.equations for v in e.results}
        outer = zip(self.body.outputs[n_carry:], loop.results[n_carry:], strict=True)
        operands = loop.operands[len(loop.operands) - len(self.body.inputs) :]  # a condition's constants are in front
        rows = zip(self.body.inputs[n_consts + n_carry :], operands[n_consts + n_carry :], strict=True)
        self.rows: dict[Atom, Atom] = {**dict(outer), **dict(rows)}
        """Atoms of the body -> all rows of them."""
        self.read = [set(_rows(reader)) for reader in readers]
        self.remakes: dict[Var, Program] = {}

    def spare(self, results: Collection[Atom]) -> None:
        """Find the remakes of these results, of late ones first: what they are made of stays."""
        needed: set[Atom] = set()
        for result, a in zip(reversed(self.loop.results), reversed(self.body.outputs), strict=True):
            readers = [read for read in self.read if result in read]
            is_copy = self.rows.get(a) is not result
            if result not in results or has_dim(a.type.shape) or (a in needed and not is_copy):
                continue
            at_hand = set.intersection(*readers) - self.remakes.keys() - {result}
            if not at_hand:  # a row tells how many there are
                continue
            leaves: dict[Var, None] = {}
            copies: dict[Equation, None] = {}
            if is_copy and isinstance(a, Var) and self.rows[a] in at_hand:
                leaves[a] = None
            if leaves or isinstance(a, Literal) or self.remake(a, at_hand, leaves, copies):
                needed.update(leaves)
                self.remakes[result] = Program(list(leaves), list(copies), [a], self.body.name)

    def remake(self, a: Atom, at_hand: set[Atom], leaves: dict[Var, None], copies: dict[Equation, None]) -> bool:
        """Whether a value can be made, at little cost, of rows at hand; enters these, and how."""
        e = self.made.get(a) if isinstance(a, Var) else None
        if e is None or e.effects or not e.primitive.elementwise or self.is_dear(e):
            return False
        for x in e.operands:
            if not isinstance(x, Var) or self.made.get(x) in copies:
                continue
            if self.rows.get(x) in at_hand:
                leaves[x] = None
            elif not self.remake(x, at_hand, leaves, copies):
                return False
        copies[e] = None
        return len(copies) <= MOST_COPIES

    def lighter(self, stays: Collection[Any]) -> Equation:
        """The loop without them, and without rows that nobody reads at all.

        Args:
          stays: what is read by others than scans that go over it.
        """
        read = set().union(stays, *self.read)
        rows = {v for v in self.loop.results[self.n_carry :] if v not in read or v in self.remakes}
        kept = [k for k, v in enumerate(self.loop.results) if v not in rows]
        if len(kept) == len(self.loop.results):
            return self.loop
        body = self.body.replace(outputs=[self.body.outputs[k] for k in kept])
        params = {**self.loop.params, "body": body}
        return self.loop.replace(results=[self.loop.results[k] for k in kept], params=params)

    def remaking(self, reader: Equation) -> Equation:
        """A scan that makes them itself."""
        rows = _rows(reader)
        equations: list[Equation] = []
        renamed: dict[Var, Atom] = {}
        for result, program in self.remakes.items():
            variables = rows.get(result, [])
            if variables:
                inline_call(program, [rows[self.rows[v]][0] for v in program.inputs], variables[:1], equations, renamed)
                renamed.update((v, renamed[variables[0]]) for v in variables)
        body: Program = reader.params["body"]
        equations += [renamed_operands(e, renamed) for e in body.equations]
        pairs = [(v, x) for v, x in zip(body.inputs, reader.operands, strict=True) if v not in renamed]
        inputs, operands = [v for v, _ in pairs], [x for _, x in pairs]
        body = body.replace(inputs=inputs, equations=equations, outputs=list(map(renaming(renamed), body.outputs)))
        return reader.replace(operands=operands, params={**reader.params, "body": body})


def _rows(scan: Equation) -> dict[Atom, list[Var]]:
    """What a scan goes over -> the body's inputs that are its rows."""
    first = scan.params["n_consts"] + scan.params["n_carry"]
    out: dict[Atom, list[Var]] = {}
    for v, x in zip(scan.params["body"].inputs[first:], scan.operands[first:], strict=True):
        out.setdefault(x, []).append(v)
    return out


def sparing_rows(
    scan: Primitive,
    loop: Equation,
    n_consts: int,
    n_carry: int,
    readers: Sequence[Equation],
    outputs: Collection[Any],
    is_dear: Callable[[Equation], bool],
) -> list[Equation] | None:
    """A loop and what reads its results, with fewer rows between them; None if there is nothing to gain.

    Args:
      scan: the primitive of loops that go over rows.
      loop: the equation.
      n_consts, n_carry: how many of its body's inputs are constants, and how many the carry.
      readers: the equations that read results of it.
      outputs: values that are to stay in any case.
      is_dear: whether an elementwise equation costs much.
    """
    scans = [r for r in readers if r.primitive is scan]
    stays = {*outputs, *(a for r in readers if r.primitive is not scan for a in r.operands)}
    stays.update(a for r in scans for a in r.operands[: r.params["n_consts"] + r.params["n_carry"]])
    stacked = _Stacked(loop, n_consts, n_carry, scans, is_dear)
    stacked.spare(set().union(*stacked.read).intersection(loop.results[n_carry:]) - stays)
    lighter = stacked.lighter(stays)
    if lighter is loop:
        return None
    return [lighter, *(stacked.remaking(r) if r.primitive is scan else r for r in readers)]
