"""Transposes folded into contractions: a product of matrices reads its operands either way round at no cost.

    dot_general(transpose(x), y)  ->  dot_general(x, y), with other axes named
    transpose(dot_general(x, y))  ->  dot_general(y, x), where it exchanges the two halves of the result's axes

Differentiation makes many of both. The sums may be taken in another order: bits are not kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import chain
from typing import Any

from ..primitives.contraction import dot_general
from ..primitives.structural import transpose
from ..program import Equation, Program, Var, dead_code
from .rewrite import map_bodies

__all__ = ["fold_transposes"]


def fold_transposes(program: Program, acceptable: Callable[[Equation], bool]) -> Program:
    """The program with its transposes folded into contractions, in its bodies too.

    Args:
      program: simplified.
      acceptable: whether the backend does a contraction as it stands as well as one of transposed copies.
    """
    program = program.replace(equations=map_bodies(program, lambda body: fold_transposes(body, acceptable)))
    if not any(e.primitive is transpose for e in program.equations):
        return program
    for rewrite in (_of_operands, _of_result):
        program = _rewritten(program, rewrite, acceptable)
    return program


def _rewritten(program: Program, rewrite: Callable[..., Any], acceptable: Callable[[Equation], bool]) -> Program:
    """The program with each equation replaced by what `rewrite` makes of it, if that is anything acceptable."""
    made = {v: e for e in program.equations for v in e.results}
    uses = Counter(chain(program.outputs, *(e.operands for e in program.equations)))
    out: list[Equation] = []
    for equation in program.equations:
        changed = rewrite(equation, made, uses)
        if changed is not None and acceptable(changed):
            equation = changed
            made[equation.results[0]] = equation
        out.append(equation)
    same = all(a is b for a, b in zip(out, program.equations, strict=True))
    return program if same else dead_code(program.replace(equations=out))


def _of_operands(equation: Equation, made: dict[Var, Equation], uses: Counter[Any]) -> Equation | None:
    """A contraction of what its transposed operands are transposes of."""
    if equation.primitive is not dot_general:
        return None
    numbers = equation.params["dimension_numbers"]
    operands = list(equation.operands)
    (contracted, batch) = ([list(axes) for axes in pair] for pair in numbers)
    changed = False
    for side, a in enumerate(operands):
        source = made.get(a) if isinstance(a, Var) else None
        if source is None or source.primitive is not transpose:
            continue
        permutation = source.params["permutation"]
        summed = {*contracted[side], *batch[side]}
        free = [permutation[i] for i in range(len(permutation)) if i not in summed and a.type.shape[i] != 1]
        if free != sorted(free):
            continue
        operands[side] = source.operands[0]
        contracted[side] = [permutation[i] for i in contracted[side]]
        batch[side] = [permutation[i] for i in batch[side]]
        changed = True
    if not changed or _result_axes(operands, contracted, batch) != equation.results[0].type.shape:
        return None
    return _with(equation, operands, contracted, batch)


def _result_axes(operands: Any, contracted: Any, batch: Any) -> tuple[Any, ...]:
    shape = [operands[0].type.shape[i] for i in batch[0]]
    for side, a in enumerate(operands):
        gone = {*contracted[side], *batch[side]}
        shape += [n for i, n in enumerate(a.type.shape) if i not in gone]
    return tuple(shape)


def _of_result(equation: Equation, made: dict[Var, Equation], uses: Counter[Any]) -> Equation | None:
    """The contraction whose result is transposed, with its operands exchanged."""
    if equation.primitive is not transpose:
        return None
    (a,) = equation.operands
    source = made.get(a) if isinstance(a, Var) else None
    if source is None or source.primitive is not dot_general or uses[a] > 1:
        return None
    contracted, batch = source.params["dimension_numbers"]
    x, y = source.operands
    first, nx = len(batch[0]), x.type.ndim - len(contracted[0])
    n = a.type.ndim
    if equation.params["permutation"] != (*range(first), *range(nx, n), *range(first, nx)):
        return None
    return _with(source.replace(results=equation.results), [y, x], contracted[::-1], batch[::-1])


def _with(equation: Equation, operands: Any, contracted: Any, batch: Any) -> Equation:
    numbers = (tuple(map(tuple, contracted)), tuple(map(tuple, batch)))
    return equation.replace(operands=operands, params={**equation.params, "dimension_numbers": numbers})
