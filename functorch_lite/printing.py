"""Programs as text.

>>> import functorch_lite as fl
>>> print(fl.make_program(lambda x: x * 2.0 + 1.0)(fl.numpy.ones(3)))
{ a:f32[3] .
  let b:f32[3] = mul a 2.0
      c:f32[3] = add b 1.0
  in ( c ) }
"""

from __future__ import annotations

from typing import Any

from .program import Atom, Equation, Literal, Program, Var

__all__ = ["equations_text", "program_text"]


class _Names:
    """Names variables a, b, ..., z, aa, ab, ... in the order in which they are met."""

    def __init__(self) -> None:
        self.known: dict[Var, str] = {}

    def __getitem__(self, atom: Atom) -> str:
        if isinstance(atom, Literal):
            return str(atom.value)
        if atom not in self.known:
            self.known[atom] = _letters(len(self.known))
        return self.known[atom]

    def typed(self, v: Var) -> str:
        return f"{self[v]}:{v.type}"


def _letters(n: int) -> str:
    name = ""
    while True:
        name = chr(ord("a") + n % 26) + name
        n = n // 26 - 1
        if n < 0:
            return name


def _param_text(value: Any, indent: str) -> str:
    if isinstance(value, Program):
        return "\n" + program_text(value, indent + "    ")
    if isinstance(value, tuple) and value and isinstance(value[0], Program):
        return "(" + ",".join(_param_text(p, indent) for p in value) + ")"
    if callable(value) and hasattr(value, "__name__"):
        return value.__name__
    return str(value)


def _equation_text(equation: Equation, names: _Names, indent: str) -> str:
    params = " ".join(f"{k}={_param_text(v, indent)}" for k, v in equation.params.items() if v is not None)
    left = " ".join(names.typed(v) for v in equation.results)
    operands = " ".join(names[a] for a in equation.operands)
    head = f"{left} = {equation.primitive}" if left else str(equation.primitive)
    return head + (f"[{params}]" if params else "") + (f" {operands}" if operands else "")


def program_text(program: Program, indent: str = "") -> str:
    """The program in the notation of `program.py`'s grammar."""
    names = _Names()
    inputs = " ".join(names.typed(v) for v in program.inputs)
    lines = [f"{indent}{{ {inputs} ." if inputs else f"{indent}{{ ."]
    for i, equation in enumerate(program.equations):
        lines.append(indent + ("  let " if i == 0 else "      ") + _equation_text(equation, names, indent))
    lines.append(f"{indent}  in ( {' '.join(names[a] for a in program.outputs)} ) }}")
    return "\n".join(lines)


def equations_text(program: Program, index: int, around: int = 10) -> str:
    """The equations about `index`, which is marked: for messages of the checker."""
    names = _Names()
    for v in program.inputs:
        names[v]
    lines = []
    for i, equation in enumerate(program.equations):
        text = _equation_text(equation, names, "")
        if abs(i - index) <= around:
            lines.append(
                ("--> " if i == index else "    ") + text + (f"    # {equation.source}" if equation.source else "")
            )
    return "\n".join(lines)


Program.__str__ = program_text  # type: ignore[method-assign]
Program.__repr__ = program_text  # type: ignore[method-assign]
