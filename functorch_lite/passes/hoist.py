"""Hoisting: what a loop need not do in each turn is done before it or after it, all turns together.

Whether there is such a thing is a question to the loop: its `hoist` rule. Sums are taken in another order: bits are not kept.
"""

from __future__ import annotations

from collections.abc import Callable

from ..program import Atom, Equation, Program, Var
from .rewrite import inline_call, map_bodies, renamed_operands, renaming, staged_rule
from .simplify import simplify

__all__ = ["hoist"]


def hoist(program: Program, is_dear: Callable[[Equation], bool]) -> Program:
    """The program with its loops relieved, those in bodies too.

    Args:
      program: simplified.
      is_dear: whether an elementwise equation costs so much that its result is rather read than computed again.

    Returns:
      the program itself if there is nothing to hoist.
    """
    equations: list[Equation] = []
    renamed: dict[Var, Atom] = {}
    rename = renaming(renamed)
    done = map_bodies(program, lambda body: hoist(body, is_dear))
    changed = any(a is not b for a, b in zip(done, program.equations, strict=True))
    for equation in done:
        equation = renamed_operands(equation, renamed)
        rule = equation.primitive.hoist
        relieved = None if rule is None else rule(is_dear, **equation.params)
        if relieved is None:
            equations.append(equation)
            continue
        changed = True
        body, operands = staged_rule(equation, relieved)
        first = len(equations)
        inline_call(hoist(body, is_dear), operands, equation.results, equations, renamed)
        equations[first:] = [e.replace(source=equation.source) for e in equations[first:]]
    if not changed:
        return program
    return simplify(program.replace(equations=equations, outputs=[rename(a) for a in program.outputs]))
