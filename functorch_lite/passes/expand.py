"""Replace what a backend has no kernel for by simpler primitives."""

from __future__ import annotations

from typing import Any

from ..arrays import require_expansion
from ..backend import Backend
from ..program import Equation, Program, Var
from .rewrite import inline_call, map_subprograms, renamed_operands, staged_rule

__all__ = ["expand"]


def expand(program: Program, backend: Backend) -> Program:
    """A program of primitives that `backend` has kernels for, in its bodies too."""
    equations: list[Equation] = []
    renamed: dict[Var, Any] = {}
    for equation in program.equations:
        equation = map_subprograms(equation, lambda body: expand(body, backend))
        if equation.primitive.subprograms or backend.has_kernel(equation.primitive):
            equations.append(renamed_operands(equation, renamed))
            continue
        require_expansion(backend, equation.primitive)
        rule, params, multiple = equation.primitive.expand, equation.params, equation.primitive.multiple_results

        def simpler(*operands: Any, rule: Any = rule, params: Any = params, multiple: bool = multiple) -> Any:
            out = rule(*operands, **params)
            return out if multiple else [out]

        body, operands = staged_rule(equation, simpler)
        inline_call(expand(body, backend), operands, equation.results, equations, renamed)
    if len(equations) == len(program.equations) and not renamed:
        return program.replace(equations=equations)
    return program.replace(
        equations=equations, outputs=[renamed.get(a, a) if isinstance(a, Var) else a for a in program.outputs]
    )
