"""Rows that a scan stacks for other scans alone, which can make them of the rows that they read anyway.

What a derivative's first loop leaves for the second is of this kind: of `u = tanh(x)` and `1 - u**2`, `u` is enough, and of what
several derivatives need, one copy. Less is stored, and less is read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from ..passes.rewrite import inline_call, renamed_operands, renaming
from ..program import Atom, Equation, Program, Var
from .bodies import split

__all__ = ["sparing_rows"]

MOST_COPIES = 8
"""More equations are not computed again for one row."""


class _Stacked:
    """A scan, and those of its rows that it need not stack.

    Attributes:
      remakes: for each such result, a program that makes a row of it, of rows of other results and of operands.
    """

    def __init__(self, scan: Equation, readers: Sequence[Equation], is_dear: Callable[[Equation], bool]):
        self.scan, self.is_dear = scan, is_dear
        self.body: Program = scan.params["body"]
        n_consts, n_carry = scan.params["n_consts"], scan.params["n_carry"]
        self.made = {v: e for e in self.body.equations for v in e.results}
        outer = zip(self.body.outputs[n_carry:], scan.results[n_carry:], strict=True)
        rows = zip(self.body.inputs[n_consts + n_carry :], scan.operands[n_consts + n_carry :], strict=True)
        self.rows: dict[Atom, Atom] = {**dict(outer), **dict(rows)}
        """Atoms of the body -> all rows of them."""
        self.read = [set(_rows(reader)) for reader in readers]
        self.remakes: dict[Var, Program] = {}

    def spare(self, results: Collection[Var]) -> None:
        """Find the remakes of these results, of late ones first: what they are made of stays."""
        needed: set[Atom] = set()
        for result, a in zip(reversed(self.scan.results), reversed(self.body.outputs), strict=True):
            readers = [read for read in self.read if result in read]
            is_copy = self.rows.get(a) is not result
            if result not in results or not isinstance(a, Var) or (a in needed and not is_copy):
                continue
            at_hand = set.intersection(*readers) - self.remakes.keys() - {result}
            leaves: dict[Var, None] = {}
            copies: dict[Equation, None] = {}
            if is_copy and self.rows[a] in at_hand:
                leaves[a] = None
            if leaves or self.remake(a, at_hand, leaves, copies):
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

    def lighter(self) -> Equation:
        """The scan without them."""
        n = self.scan.params["n_carry"]
        kept = [k for k, v in enumerate(self.scan.results) if k < n or v not in self.remakes]
        body = self.body.replace(outputs=[self.body.outputs[k] for k in kept])
        return self.scan.replace(
            results=[self.scan.results[k] for k in kept], params={**self.scan.params, "body": body}
        )

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
    scan: Equation, readers: Sequence[Equation], others: Collection[Any], is_dear: Callable[[Equation], bool]
) -> list[Equation] | None:
    """A scan and its readers, with fewer rows between them; None if there is nothing to gain.

    Args:
      scan: the equation.
      readers: the other scans that read results of it.
      others: the values that something else reads.
      is_dear: whether an elementwise equation costs much.
    """
    programs = [e.params["body"] for e in (scan, *readers)]
    if any(body.has_dims for body in programs):
        return None
    elsewhere = {a for r in readers for a in split(r.operands, r.params["n_consts"] + r.params["n_carry"])[0]}
    read = {a for r in readers for a in _rows(r)}
    stacked = _Stacked(scan, readers, is_dear)
    n = scan.params["n_carry"]
    stacked.spare({v for v in scan.results[n:] if v in read and v not in elsewhere and v not in others})
    if not stacked.remakes:
        return None
    return [stacked.lighter(), *map(stacked.remaking, readers)]
