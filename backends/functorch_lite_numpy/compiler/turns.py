"""A pass before fusion: what is done to each element of a sequence is done in turns, by a scan, which code has.

It stands between loops in loops: where an element of a batch has finished, the rows of its inner loop are set to zero, and for each
of them it is kept whether it had.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import groupby
from typing import Any

from functorch_lite.extend import ArrayType, Atom, Equation, Program, Var, dead_code, has_dim, registry
from functorch_lite.extend_passes import map_bodies

__all__ = ["in_turns"]

SCAN, BROADCAST = registry["scan"], registry["broadcast_in_dim"]


def in_turns(program: Program) -> Program:
    """The program with scans for elementwise equations over sequences, also in bodies; itself if there are none."""
    equations = map_bodies(program, in_turns)
    if any(a is not b for a, b in zip(equations, program.equations, strict=True)):
        program = program.replace(equations=equations)
    program = _giving_own(program)
    equations = list(program.equations)
    repeated = {e.results[0]: e for e in equations if _repeats_rows(e)}
    runs = [(length, list(run)) for length, run in groupby(equations, lambda e: _length(e, repeated))]
    if not repeated and all(length is None for length, _ in runs):
        return program
    out: list[Equation] = []
    for i, (length, run) in enumerate(runs):
        if length is None:
            out += run
        else:
            needed = {a for _, later in runs[i + 1 :] for e in later for a in e.operands}
            out.append(_scan(run, length, repeated, needed.union(program.outputs)))
    return _counted(dead_code(program.replace(equations=out)))


def _giving_own(program: Program) -> Program:
    """The program with a copy of each sequence that it gives and does not make, or gives twice: code frees what it has made."""
    taken: set[Atom] = set(program.inputs)
    copies: list[Equation] = []
    outputs: list[Atom] = []
    for a in program.outputs:
        if has_dim(a.type.shape) and a in taken:
            copies.append(_copy(a))
            outputs.append(copies[-1].results[0])
        else:
            taken.add(a)
            outputs.append(a)
    return program.replace(equations=[*program.equations, *copies], outputs=outputs) if copies else program


def _copy(a: Atom) -> Equation:
    """The same rows once more."""
    row = Var(_row(a.type))
    inner = [_copy(row)] if has_dim(row.type.shape) else []
    body = Program([row], inner, [inner[0].results[0] if inner else row], "rows")
    sizes = {"length": a.type.shape[0], "n_consts": 0, "n_carry": 0, "reverse": False, "unroll": 1}
    return Equation(SCAN, [a], {"body": body, **sizes}, [Var(a.type)], None)


def _counted(program: Program) -> Program:
    """The program with scans over sequences of equal length for rows that are all the same, where these are still needed."""
    there: list[Atom] = [v for v in program.inputs if has_dim(v.type.shape)]
    out: list[Equation] = []
    for e in program.equations:
        over = next((a for a in there if _repeats_rows(e) and _goes_with(a.type, e.results[0].type)), None)
        out.append(e if over is None else _same_rows(e, over))
        there += (v for v in e.results if has_dim(v.type.shape))
    return program.replace(equations=out)


def _goes_with(t: ArrayType, wanted: ArrayType) -> bool:
    """Whether the unknown lengths at the front of what is wanted are those of another sequence."""
    count = next((k for k, n in enumerate(wanted.shape) if type(n) is int), wanted.ndim)
    return t.shape[:count] == wanted.shape[:count]


def _same_rows(e: Equation, over: Atom) -> Equation:
    """Rows that are all the same, as many as there are of another sequence."""
    (x,), made = e.operands, Var(_row(e.results[0].type))
    const, row = Var(x.type), Var(_row(over.type))
    known = not isinstance(x, Var)
    body = Program([row] if known else [const, row], [_one_row(e, x if known else const, made)], [made], "rows")
    sizes = {"length": e.params["shape"][0], "n_consts": int(not known), "n_carry": 0, "reverse": False, "unroll": 1}
    operands = [over] if known else [x, over]
    return Equation(SCAN, operands, {"body": in_turns(body), **sizes}, e.results, e.source)


def _one_row(e: Equation, x: Atom, made: Var) -> Equation:
    """A row of what repeats rows."""
    shape, dims = e.params["shape"], e.params["dims"]
    params = {**e.params, "shape": shape[1:], "dims": tuple(d - 1 for d in dims)}
    return Equation(BROADCAST, [x], params, [made], e.source)


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
            (x,) = repeated[a].operands
            given = consts.setdefault(x, Var(x.type)) if isinstance(x, Var) else x
            rows[a] = made = Var(_row(a.type))
            body.append(_one_row(repeated[a], given, made))
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
