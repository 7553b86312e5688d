"""Inlining, common subexpressions, dead code: rewrites that keep bits."""

from __future__ import annotations

from typing import Any

from ..program import Atom, Equation, Literal, Program, Var, dead_code
from .rewrite import inline_call, map_subprograms, renamed_operands, renaming

__all__ = ["common_subexpressions", "inline", "simplified", "simplify"]


def simplify(program: Program) -> Program:
    """Inline calls, share equal equations, drop what nothing needs; in bodies too."""
    return program.remember("simplified", lambda: simplified(program))


def simplified(program: Program) -> Program:
    """As `simplify`, not kept with the program."""
    return dead_code(common_subexpressions(inline(program)))


def inline(program: Program) -> Program:
    """Replace each call (`jit`, ...) by the equations of what is called; simplify the bodies of the others."""
    equations: list[Equation] = []
    renamed: dict[Var, Atom] = {}
    rename = renaming(renamed)
    for equation in program.equations:
        primitive = equation.primitive
        if primitive.inlines:
            body = inline(equation.params[primitive.subprograms[0]])
            inline_call(body, equation.operands, equation.results, equations, renamed)
        else:
            equation = map_subprograms(equation, simplify)
            equations.append(renamed_operands(equation, renamed))
    return program.replace(equations=equations, outputs=[rename(a) for a in program.outputs])


def common_subexpressions(program: Program) -> Program:
    """Compute once what stands twice (the same primitive, params and operands, without effects), and nothing in vain."""
    equations: list[Equation] = []
    renamed: dict[Var, Atom] = {}
    rename = renaming(renamed)
    seen: dict[Any, tuple[Var, ...]] = {}
    for equation in program.equations:
        equation = renamed_operands(equation, renamed)
        if equation.primitive.is_identity([a.type for a in equation.operands], equation.params):
            renamed[equation.results[0]] = equation.operands[0]
            continue
        key = None if equation.effects else _key(equation)
        known = None if key is None else seen.get(key)
        if known is not None:
            renamed.update(zip(equation.results, known, strict=True))
            continue
        equations.append(equation)
        if key is not None:
            seen[key] = equation.results
    return program.replace(equations=equations, outputs=[rename(a) for a in program.outputs])


def _key(equation: Equation) -> Any:
    """What makes two equations equal; None if a param cannot be hashed."""
    operands = tuple((a.type, a.value.tobytes()) if isinstance(a, Literal) else a for a in equation.operands)
    key = (equation.primitive, operands, tuple(equation.params.items()))
    try:
        hash(key)
    except TypeError:
        return None
    return key
