"""`constant`: an array known when a program is made, as an equation without operands.

Programs hoist what a function closes over. Where a program is derived from another one, with the same inputs (its jvp, its
batched form), a rule in the user's Python may bring in further arrays: they become equations.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..array_type import ArrayType
from ..arrays import Array
from ..primitive import Primitive, ZeroDerivative
from ..program import Equation, Program
from ..tracing import Tracer, leaked

__all__ = ["closed", "constant"]


class Constant(ZeroDerivative, Primitive):
    """The array `value`, hashed by identity."""

    def infer(self, *, value: Box) -> ArrayType:
        return value.array.type

    def impl(self, xp: Any, *, value: Box) -> Any:
        array = value.array
        return array.buffer if array.backend.xp is xp else xp.from_host(array.backend.to_host(array.buffer))

    def batch(self, axis: Any, operands: Any, dims: Any, **params: Any) -> Any:
        raise AssertionError("a constant has no operand that could be batched")


class Box:
    """Holds an array, hashed by identity."""

    __slots__ = ("array",)

    def __init__(self, array: Array):
        self.array = array

    def __repr__(self) -> str:
        return str(self.array.type)


constant = Constant("constant")


def closed(program: Program, hoisted: Sequence[Any]) -> Program:
    """The program with its first inputs, which stand for `hoisted`, replaced by constants."""
    if not hoisted:
        return program
    for x in hoisted:
        if isinstance(x, Tracer):
            raise leaked(x)
    n = len(hoisted)
    equations = [
        Equation(constant, (), {"value": Box(x)}, [v]) for v, x in zip(program.inputs[:n], hoisted, strict=True)
    ]
    return program.replace(inputs=program.inputs[n:], equations=[*equations, *program.equations])
