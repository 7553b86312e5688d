"""16-bit floats computed as float32: for backends whose code moves them, but does not compute with them.

    add x y : f16  ->  convert[f16] (add (convert[f32] x) (convert[f32] y))

Each result is rounded once, as eagerly; sums and products of matrices are taken in float32. A value is the same wherever it
is read, from memory or from a register, so that `x == max(x)` holds somewhere.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .. import dtypes
from ..array_type import ArrayType
from ..primitives.casting import convert
from ..program import Atom, Equation, Literal, Program, Var
from .rewrite import map_bodies

__all__ = ["widen"]


SHORT = frozenset((dtypes.float16, dtypes.bfloat16))


def widen(program: Program, native: Callable[[Equation], bool]) -> Program:
    """The program with what is not native for 16-bit floats, and is for float32, done in that; in its bodies too.

    Args:
      program: simplified and expanded.
      native: whether the backend can do an equation.
    """
    equations: list[Equation] = []
    wide: dict[Var, Var] = {}
    """16-bit values as float32."""
    for equation in map_bodies(program, lambda body: widen(body, native)):
        atoms = (*equation.operands, *equation.results)
        widened, casts = None, []
        # The bodies of an equation that carries some say what its operands are.
        may = not (equation.primitive.of_dtype or equation.primitive.subprograms)
        if may and not SHORT.isdisjoint([a.type.dtype for a in atoms]) and not native(equation):
            widened = _widened(equation, dict(wide), casts)
        if widened is None or not native(widened):
            equations.append(equation)
            continue
        for cast in casts:
            wide[cast.operands[0]] = cast.results[0]  # type: ignore[index]
        equations += [*casts, widened]
        for v, w in zip(equation.results, widened.results, strict=True):
            if w is not v:
                equations.append(_cast(w, v, equation))
    return program.replace(equations=equations)


def _cast(x: Var, y: Var, equation: Equation) -> Equation:
    return Equation(convert, [x], {"dtype": y.type.dtype, "weak": y.type.weak}, [y], equation.source)


def _widened(equation: Equation, wide: dict[Var, Var], casts: list[Equation]) -> Equation:
    """The equation over float32; appends the casts that its operands need."""

    def operand(a: Atom) -> Atom:
        if a.type.dtype not in SHORT:
            return a
        if isinstance(a, Literal):
            return Literal(np.float32(a.value), a.type.weak)
        if a not in wide:
            wide[a] = Var(ArrayType(a.type.shape, dtypes.float32, a.type.weak))
            casts.append(_cast(a, wide[a], equation))
        return wide[a]

    operands = [operand(a) for a in equation.operands]
    params = {k: dtypes.float32 if isinstance(v, np.dtype) and v in SHORT else v for k, v in equation.params.items()}
    found = equation.primitive.infer(*(a.type for a in operands), **params)
    types = found if equation.primitive.multiple_results else [found]
    results = [v if v.type.dtype == t.dtype else Var(t) for v, t in zip(equation.results, types, strict=True)]
    return equation.replace(operands=operands, params=params, results=results)
