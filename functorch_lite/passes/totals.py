"""Totals from sums: a reduction over more axes of what is reduced over some of them anyway reads those results.

    reduce_sum[axes=(1,)] x, reduce_sum[axes=(0, 1)] x   ->   y = reduce_sum[axes=(1,)] x, reduce_sum[axes=(0,)] y

So a large value is read once for both. The sums are taken in another order: bits are not kept.
"""

from __future__ import annotations

from ..array_type import has_dim
from ..program import Atom, Equation, Program, Var
from .rewrite import map_bodies

__all__ = ["share_totals"]

NARROW = 2
"""Bytes of a number that is too coarse for sums in between."""


def share_totals(program: Program) -> Program:
    """The program with reductions made of others, in its bodies too; itself if there are none."""
    equations = map_bodies(program, share_totals)
    families: dict[tuple[str, Atom], list[Equation]] = {}
    for equation in equations:
        if _is_plain(equation):
            families.setdefault((equation.primitive.name, equation.operands[0]), []).append(equation)
    out: list[Equation] = []
    done: set[Var] = set()
    for equation in equations:
        family = families.get((equation.primitive.name, equation.operands[0])) if _is_plain(equation) else None
        if family is None:
            out.append(equation)
        elif equation.results[0] not in done:  # all of them, where the first one stands
            ordered = sorted(family, key=lambda e: len(e.params["axes"]))
            out += [_made_of(e, ordered[:k]) for k, e in enumerate(ordered)]
            done.update(e.results[0] for e in family)
    same = len(out) == len(program.equations) and all(a is b for a, b in zip(out, program.equations, strict=True))
    return program if same else program.replace(equations=out)


def _is_plain(equation: Equation) -> bool:
    """Whether it is a reduction of numbers that are exact enough to be reduced in steps."""
    if equation.primitive.combines is None or equation.effects or has_dim(equation.operands[0].type.shape):
        return False
    t = equation.results[0].type
    return t.dtype == equation.operands[0].type.dtype and not (t.dtype.kind in "fV" and t.dtype.itemsize <= NARROW)


def _made_of(equation: Equation, others: list[Equation]) -> Equation:
    """The reduction of what one of the others leaves, the shortest."""
    axes = equation.params["axes"]
    found = [e for e in others if e.params["axes"] and set(e.params["axes"]) < set(axes)]
    if not found:
        return equation
    part = min(found, key=lambda e: (e.results[0].type.size, -max(e.params["axes"])))
    kept = [k for k in range(equation.operands[0].type.ndim) if k not in part.params["axes"]]
    rest = tuple(kept.index(a) for a in axes if a not in part.params["axes"])
    return equation.replace(operands=part.results, params={**equation.params, "axes": rest})
