"""The checker: runs after staging and after each pass in tests."""

from __future__ import annotations

from .array_type import ArrayType, Dim
from .errors import ProgramError
from .printing import equations_text
from .program import Program, Var, subprograms

__all__ = ["check"]


def check(program: Program) -> None:
    """Raise `ProgramError` unless the program keeps the rules of the grammar and every equation its type rule."""
    known: set[Var] = set(program.inputs)
    if len(known) != len(program.inputs):
        raise ProgramError("an input stands twice in a program")

    def fail(index: int, why: str) -> ProgramError:
        lines = equations_text(program, index)
        return ProgramError(f"{why}\n{lines}")

    for index, equation in enumerate(program.equations):
        for a in equation.operands:
            if isinstance(a, Var) and a not in known:
                raise fail(index, f"an operand of {equation.primitive} is not defined before its use")
        for body in subprograms(equation):
            check(body)
        inferred = equation.primitive.infer(*(a.type for a in equation.operands), **equation.params)
        types = inferred if equation.primitive.multiple_results else [inferred]
        if len(types) != len(equation.results):
            raise fail(index, f"{equation.primitive} gives {len(types)} results, not {len(equation.results)}")
        for v, t in zip(equation.results, types, strict=True):
            if not _same(v.type, t):
                raise fail(index, f"{equation.primitive} gives {t}, not {v.type}")
            if v in known:
                raise fail(index, f"a result of {equation.primitive} is defined twice")
            known.add(v)
    for a in program.outputs:
        if isinstance(a, Var) and a not in known:
            raise fail(len(program.equations), "an output is not defined")


def _same(a: ArrayType, b: ArrayType) -> bool:
    """Equal but for fresh names of unknown dimensions (each inference of a while loop makes a new one)."""
    return (
        a.dtype == b.dtype
        and len(a.shape) == len(b.shape)
        and all(m == n or (isinstance(m, Dim) and isinstance(n, Dim)) for m, n in zip(a.shape, b.shape, strict=True))
    )
