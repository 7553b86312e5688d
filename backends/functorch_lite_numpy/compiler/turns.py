"""A pass before fusion: what is done to each element of a sequence is done in turns, by a scan, which code has.

It stands between loops in loops: where an element of a batch has finished, the rows of its inner loop are set to zero.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import groupby
from typing import Any

from functorch_lite.extend import ArrayType, Atom, Equation, Program, Var, dead_code, has_dim, registry
from functorch_lite.extend_passes import map_subprograms

__all__ = ["in_turns"]

SCAN, BROADCAST = registry["scan"], registry["broadcast_in_dim"]


def in_turns(program: Program) -> Program:
    """The program with scans for elementwise equations over sequences, also in bodies; itself if there are none."""
    equations = [map_subprograms(e, in_turns) for e in program.equations]
    if any(a is not b for a, b in zip(equations, program.equations, strict=True)):
        program = program.replace(equations=equations)
    repeated = {e.results[0]: e for e in equations if _repeats_rows(e)}
    runs = [(length, list(run)) for length, run in groupby(equations, lambda e: _length(e, repeated))]
    if all(length is None for length, _ in runs):
        return program
    out: list[Equation] = []
    for i, (length, run) in enumerate(runs):
        if length is None:
            out += run
        else:
            needed = {a for _, later in runs[i + 1 :] for e in later for a in e.operands}
            out.append(_scan(run, length, repeated, needed.union(program.outputs)))
    return dead_code(program.replace(equations=out))


def _repeats_rows(e: Equation) -> bool:
    """Whether it makes a sequence whose rows are all the same."""
    return e.primitive is BROADCAST and has_dim(e.params["shape"]) and 0 not in e.params["dims"]


def _length(e: Equation, repeated: Collection[Any]) -> Any:
    """How many rows an elementwise equation over a sequence goes over; None for others."""
    if not e.primitive.elementwise or e.effects or not has_dim(e.results[0].type.shape):
        return None
    rows = [a for a in e.operands if a.type.ndim and a not in repeated]
    return rows[0].type.shape[0] if rows else None


def _row(t: ArrayType) -> ArrayType:
    return t.update(shape=t.shape[1:])


def _scan(run: list[Equation], length: Any, repeated: dict[Var, Equation], needed: Collection[Any]) -> Equation:
    """The equations as one scan."""
    consts: dict[Atom, Var] = {}
    xs: dict[Atom, Var] = {}
    rows: dict[Atom, Atom] = {}
    body: list[Equation] = []

    def row(a: Atom) -> Atom:
        """A row of an operand, in the body."""
        if not isinstance(a, Var):
            return a
        if a in rows:
            return rows[a]
        if a in repeated:
            (x,), params = repeated[a].operands, repeated[a].params
            given = consts.setdefault(x, Var(x.type)) if isinstance(x, Var) else x
            rows[a] = made = Var(_row(a.type))
            params = {**params, "shape": params["shape"][1:], "dims": tuple(d - 1 for d in params["dims"])}
            body.append(Equation(BROADCAST, [given], params, [made], repeated[a].source))
        elif a.type.ndim:
            rows[a] = xs.setdefault(a, Var(_row(a.type)))
        else:
            rows[a] = consts.setdefault(a, Var(a.type))
        return rows[a]

    for e in run:
        operands = [row(a) for a in e.operands]
        rows[e.results[0]] = result = Var(_row(e.results[0].type))
        body.append(e.replace(operands=operands, results=[result]))
    results = [e.results[0] for e in run if e.results[0] in needed]
    turn = Program([*consts.values(), *xs.values()], body, [rows[v] for v in results], "rows")
    sizes = {"length": length, "n_consts": len(consts), "n_carry": 0, "reverse": False, "unroll": 1}
    return Equation(SCAN, [*consts, *xs], {"body": in_turns(turn), **sizes}, results, run[0].source)
