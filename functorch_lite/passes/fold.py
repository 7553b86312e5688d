"""Constant folding: compute once, at compile time and with the backend's own kernels, what depends on constants alone.

Bounded: a scalar becomes a literal, a small array a `constant`; what is larger is left to the run, so that no program
carries an array that its text does not show.
"""

from __future__ import annotations

from typing import Any

from ..array_type import has_dim
from ..arrays import Array
from ..backend import Backend
from ..primitives.constants import Box, constant
from ..program import Atom, Equation, Literal, Program, Var
from .rewrite import map_bodies, renamed_operands, renaming

__all__ = ["fold"]

LARGEST = 4096
"""The size in bytes up to which a result is computed at compile time."""


def fold(program: Program, backend: Backend) -> Program:
    """The program with its constant equations evaluated, in its bodies too."""
    equations: list[Equation] = []
    renamed: dict[Var, Atom] = {}
    buffers: dict[Var, Any] = {}
    rename = renaming(renamed)
    for equation in map_bodies(program, lambda body: fold(body, backend)):
        equation = renamed_operands(equation, renamed)
        if equation.primitive is constant:
            equations.append(equation)
            buffers[equation.results[0]] = _run(equation, [], backend)[0]
            continue
        if not _foldable(equation, buffers):
            equations.append(equation)
            continue
        operands = [buffers[a] if isinstance(a, Var) else backend.literal(a.value) for a in equation.operands]
        for v, buffer in zip(equation.results, _run(equation, operands, backend), strict=True):
            if v.type.shape:
                box = Box(Array(buffer, v.type.weak, backend))
                equations.append(Equation(constant, (), {"value": box}, [v], equation.source))
                buffers[v] = buffer
            else:
                renamed[v] = Literal(v.type.dtype.type(backend.to_host(buffer)), v.type.weak)
    return program.replace(equations=equations, outputs=[rename(a) for a in program.outputs])


def _foldable(equation: Equation, buffers: dict[Var, Any]) -> bool:
    """Whether its operands are constants, its results small, and it does nothing else."""
    if equation.effects or equation.primitive.subprograms:
        return False
    if any(isinstance(a, Var) and a not in buffers for a in equation.operands):
        return False
    types = [v.type for v in equation.results]
    if any(has_dim(t.shape) for t in types) or equation.primitive.axis_names(equation.params):
        return False
    return sum(t.size * t.dtype.itemsize for t in types) <= LARGEST


def _run(equation: Equation, operands: list[Any], backend: Backend) -> Any:
    types = [a.type for a in equation.operands]
    out = backend.guard(backend.kernel(equation.primitive, types, equation.params))(*operands)
    return out if equation.primitive.multiple_results else (out,)
