"""Sparing rows: loops do not stack for others what these can make themselves of the rows that they read anyway.

How is a question to the loop: its `spare` rule. Bits are not kept, since copies of an equation may be compiled differently.
"""

from __future__ import annotations

from collections.abc import Callable

from ..program import Equation, Program
from .rewrite import map_bodies
from .simplify import simplify

__all__ = ["spare"]


def spare(program: Program, is_dear: Callable[[Equation], bool]) -> Program:
    """The program with fewer rows between its loops, those in bodies too.

    Args:
      program: simplified.
      is_dear: whether an elementwise equation costs so much that its result is rather read than computed again.

    Returns:
      the program itself if there is nothing to spare.
    """
    equations = map_bodies(program, lambda body: spare(body, is_dear))
    changed = any(a is not b for a, b in zip(equations, program.equations, strict=True))
    for i, equation in enumerate(equations):
        rule = equation.primitive.spare
        if rule is None:
            continue
        made = set(equation.results)
        readers = [k for k, e in enumerate(equations) if not made.isdisjoint(e.operands)]
        lighter = rule(equation, [equations[k] for k in readers], set(program.outputs), is_dear)
        if lighter is not None:
            changed = True
            for k, e in zip([i, *readers], lighter, strict=True):
                equations[k] = e
    return simplify(program.replace(equations=equations)) if changed else program
