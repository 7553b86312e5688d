"""What passes share: renaming, inlining, staging rules, going into the bodies of program-carrying equations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..array_type import fit_dims, rename_dims
from ..arrays import operand_of
from ..lowering import substitute_dims
from ..program import Atom, Equation, Literal, Program, Var
from ..staging import stage

__all__ = [
    "Rule",
    "by_rules",
    "inline_call",
    "map_bodies",
    "map_subprograms",
    "renamed_operands",
    "renaming",
    "staged_rule",
]

Rule = Callable[..., Sequence[Any]]
"""Operands -> results."""


def renaming(renamed: dict[Var, Atom]) -> Callable[[Atom], Atom]:
    """A function that replaces atoms."""
    return lambda a: renamed.get(a, a) if isinstance(a, Var) else a


def renamed_operands(equation: Equation, renamed: dict[Var, Atom]) -> Equation:
    """The equation with its operands called by their new names; itself if none has one."""
    if renamed.keys().isdisjoint(equation.operands):
        return equation
    return equation.replace(operands=list(map(renaming(renamed), equation.operands)))


def map_subprograms(equation: Equation, change: Callable[[Program], Program]) -> Equation:
    """The equation with `change` applied to the programs it carries, unless they are to stay; itself if that changes none."""
    if equation.primitive.opaque or not equation.primitive.subprograms:
        return equation
    params = dict(equation.params)
    changed = False
    for name in equation.primitive.subprograms:
        value = params[name]
        if isinstance(value, Program):
            params[name] = change(value)
            changed = changed or params[name] is not value
        else:
            params[name] = tuple(map(change, value))
            changed = changed or any(p is not q for p, q in zip(params[name], value, strict=True))
    return equation.replace(params=params) if changed else equation


def map_bodies(program: Program, change: Callable[[Program], Program]) -> list[Equation]:
    """The equations of a program with `change` applied to the programs that they carry."""
    return [map_subprograms(e, change) if e.primitive.subprograms else e for e in program.equations]


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


def by_rules(program: Program, rule_of: Callable[[Equation, Mapping[Var, Equation]], Rule | None]) -> Program:
    """The program with what rules do instead of some equations, also in bodies and in what rules do; itself if there are none.

    Args:
      program: before.
      rule_of: for an equation, whose bodies are done, and what equation makes each variable: the rule, or None if it stays.
    """
    made = {v: e for e in program.equations for v in e.results}
    done = map_bodies(program, lambda body: by_rules(body, rule_of))
    rules = [rule_of(equation, made) for equation in done]
    if all(rule is None for rule in rules):
        same = all(a is b for a, b in zip(done, program.equations, strict=True))
        return program if same else program.replace(equations=done)
    equations: list[Equation] = []
    renamed: dict[Var, Atom] = {}
    for equation, rule in zip(done, rules, strict=True):
        equation = renamed_operands(equation, renamed)
        if rule is None:
            equations.append(equation)
            continue
        body, operands = staged_rule(equation, rule)
        first = len(equations)
        inline_call(by_rules(body, rule_of), operands, equation.results, equations, renamed)
        equations[first:] = [e.replace(source=equation.source) for e in equations[first:]]
    return program.replace(equations=equations, outputs=list(map(renaming(renamed), program.outputs)))


def staged_rule(equation: Equation, rule: Rule) -> tuple[Program, list[Var]]:
    """What a rule (operands in, results out) does instead of an equation: a program, and the operands that it takes."""
    operands = [operand_of(a) if isinstance(a, Literal) else None for a in equation.operands]
    where = [i for i, a in enumerate(equation.operands) if isinstance(a, Var)]
    variables = [a for a in equation.operands if isinstance(a, Var)]

    def function(*given: Any) -> Sequence[Any]:
        full = list(operands)
        for i, x in zip(where, given, strict=True):
            full[i] = x
        return rule(*full)

    return stage(function, [v.type for v in variables], name=equation.primitive.name).program, variables
