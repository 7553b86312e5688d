"""Replace what a backend has no kernel for by simpler primitives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..arrays import require_expansion
from ..backend import Backend
from ..program import Equation, Program, Var
from .rewrite import Rule, by_rules

__all__ = ["expand"]


def expand(program: Program, backend: Backend) -> Program:
    """A program of primitives that `backend` has kernels for, in its bodies too."""

    def rule_of(equation: Equation, made: Mapping[Var, Equation]) -> Rule | None:
        primitive, params = equation.primitive, equation.params
        if primitive.subprograms or backend.has_kernel(primitive):
            return None
        require_expansion(backend, primitive)

        def simpler(*operands: Any) -> Any:
            assert primitive.expand is not None
            out = primitive.expand(*operands, **params)
            return out if primitive.multiple_results else [out]

        return simpler

    return by_rules(program, rule_of)
