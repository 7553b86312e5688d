"""What passes share: renaming, inlining, going into the bodies of program-carrying equations."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..array_type import fit_dims, rename_dims
from ..lowering import substitute_dims
from ..program import Atom, Equation, Program, Var

__all__ = ["inline_call", "map_subprograms", "renaming"]


def renaming(renamed: dict[Var, Atom]) -> Callable[[Atom], Atom]:
    """A function that replaces atoms."""
    return lambda a: renamed.get(a, a) if isinstance(a, Var) else a


def map_subprograms(equation: Equation, change: Callable[[Program], Program]) -> Equation:
    """The equation with `change` applied to the programs it carries."""
    if not equation.primitive.subprograms:
        return equation
    params = dict(equation.params)
    for name in equation.primitive.subprograms:
        value = params[name]
        params[name] = change(value) if isinstance(value, Program) else tuple(map(change, value))
    return equation.replace(params=params)


def inline_call(
    body: Program,
    operands: Sequence[Atom],
    results: Sequence[Var],
    equations: list[Equation],
    renamed: dict[Var, Atom],
) -> None:
    """Append the equations of `body`, applied to `operands`; record in `renamed` what the results are now called."""
    rename = renaming(renamed)
    local: dict[Var, Atom] = dict(zip(body.inputs, map(rename, operands), strict=True))
    inner = renaming(local)
    dims = (fit_dims(body.in_types, [inner(v).type for v in body.inputs]) if body.has_dims else {}) or {}
    for equation in body.equations:
        types = rename_dims([v.type for v in equation.results], dims)
        fresh = [Var(t) for t in types]
        local.update(zip(equation.results, fresh, strict=True))
        params = {k: substitute_dims(p, dims) for k, p in equation.params.items()} if dims else equation.params
        equations.append(equation.replace(operands=[inner(a) for a in equation.operands], results=fresh, params=params))
    for v, a in zip(results, body.outputs, strict=True):
        renamed[v] = inner(a)
