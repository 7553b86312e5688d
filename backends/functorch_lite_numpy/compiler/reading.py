"""What the compiler made of a program, to be read; and its steps one by one, to be timed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from functorch_lite.extend import Backend, Equation, Program, Var
from functorch_lite.extend_passes import build, fusion

from . import engine
from .compile import CALL, Context, is_whole, partition, prepared, relieved, write
from .segment import Segment
from .unit import Unit

__all__ = ["describe", "steps"]


def describe(program: Program) -> dict[str, Callable[[], str]]:
    """Stage -> its text: loops relieved, groups fused, loop nests, memory plan, LLVM IR before and after its passes, assembly."""
    return {
        "relieved": lambda: str(relieved(program)),
        "fused": lambda: str(prepared(program)),
        "loop nests": lambda: _nests(prepared(program)),
        "memory plan": lambda: _each(program, _memory),
        "llvm": lambda: _each(program, lambda unit, segment: unit.text()),
        "llvm optimized": lambda: _each(program, lambda unit, segment: engine.optimised_text(unit.text())),
        "assembly": lambda: _each(program, _assembly),
    }


def _nests(program: Program) -> str:
    parts = []
    for equation in program.equations:
        if equation.primitive is fusion:
            results = " ".join(str(v.type) for v in equation.results)
            parts.append(f"-> {results}\n{build(**equation.params)}")
        for name in equation.primitive.subprograms:
            value = equation.params[name]
            if equation.primitive is not fusion:
                parts += [_nests(body) for body in (value if isinstance(value, tuple) else (value,))]
    return "\n\n".join(parts)


def _each(program: Program, text: Callable[[Unit, Segment], str]) -> str:
    """The text of each native run, or of the whole program if it is one."""
    fused = prepared(program)

    def native(run: Program) -> str:
        unit = Unit()
        return text(unit, write(unit, run))

    if is_whole(fused):
        return native(fused)
    return "\n\n".join(
        native(equation.params["program"]) if equation.primitive is CALL else f"; by NumPy: {equation.primitive.name}"
        for equation in partition(fused).equations
    )


def _assembly(unit: Unit, segment: Segment) -> str:
    return "\n".join(engine.assembly(part.text, part.level) for part in unit.source().parts)


def _memory(unit: Unit, segment: Segment) -> str:
    lines = [f"arena of {segment.arena} bytes"]
    for key, (output, offset) in segment.places.items():
        what = f"scratch of step {key}" if isinstance(key, int) else str(key.type)
        where = "" if output is None else f" in result {output}"
        lines.append(f"  {offset:>10}  {what}{where}")
    return "\n".join(lines)


def steps(program: Program, backend: Backend) -> tuple[Program, list[tuple[Equation, Callable[..., Any]]]]:
    """The fused program, and a callable for each of its equations."""
    program, context = prepared(program), Context(backend)
    out = []
    for equation in program.equations:
        inputs = list(dict.fromkeys(a for a in equation.operands if isinstance(a, Var)))
        alone = Program(inputs, [equation], equation.results)
        out.append((equation, _taking_operands(equation, alone, context)))
    return program, out


def _taking_operands(equation: Equation, alone: Program, context: Context) -> Callable[..., Any]:
    """A callable over the buffers of all operands, literals and repeated ones included."""
    run = context.compile(alone)
    where = [equation.operands.index(v) for v in alone.inputs]
    single = not equation.primitive.multiple_results

    def step(*operands: Any) -> Any:
        out = run(*(operands[i] for i in where))
        return out[0] if single else out

    return step
