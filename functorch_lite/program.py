"""Programs: the one intermediate representation. What jit compiles, what reverse mode transposes, a loop's body.

    program   ::=  { inputs: var:type ...  .  let  equation ...  in  ( atom ... ) }
    equation  ::=  var:type ... = primitive[ param=value ... ] atom ...        # effects, the user's line
    atom      ::=  var | literal
    literal   ::=  a scalar known when the program was made (Python numbers in the user's code)
    type      ::=  dtype[ dimension, ... ]
    dimension ::=  integer | Dim

First-order, typed, in A-normal form: each variable is defined once, before its uses, and operands are atoms. The order
of equations is the order of execution. Arrays that the user's function closes over are inputs ("hoisted"), never
literals. A param may hold a program (the body of a loop). Programs are immutable and hash by identity; what is derived
from one (compiled code, its linearization, its transpose) is kept in its `memo` and dies with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .array_type import ArrayType, has_dim
from .errors import SourceLine
from .primitive import Primitive

__all__ = ["Atom", "Equation", "Literal", "Program", "Var", "dead_code", "subprograms"]


class Var:
    """A variable: a type, and an identity."""

    __slots__ = ("type",)

    def __init__(self, type: ArrayType):
        self.type = type

    def __repr__(self) -> str:
        return f"Var({self.type})"


class Literal:
    """A scalar constant written into the program."""

    __slots__ = ("type", "value")

    def __init__(self, value: np.generic, weak: bool = True):
        self.value = value
        self.type = ArrayType((), value.dtype, weak)

    def __repr__(self) -> str:
        return f"{self.value.item() if self.value.dtype.kind != 'V' else self.value}:{self.type}"


Atom = Var | Literal


class Equation:
    """`results = primitive[params] operands`, with its effects and the user's line."""

    __slots__ = ("operands", "params", "primitive", "results", "source")

    def __init__(
        self,
        primitive: Primitive,
        operands: Sequence[Atom],
        params: dict[str, Any],
        results: Sequence[Var],
        source: SourceLine | None = None,
    ):
        self.primitive = primitive
        self.operands = tuple(operands)
        self.params = params
        self.results = tuple(results)
        self.source = source

    @property
    def effects(self) -> frozenset[str]:
        return self.primitive.effects_of(self.params)

    def replace(self, **parts: Any) -> Equation:
        """This equation with some of its parts replaced."""
        return Equation(
            parts.get("primitive", self.primitive),
            parts.get("operands", self.operands),
            parts.get("params", self.params),
            parts.get("results", self.results),
            parts.get("source", self.source),
        )


class Program:
    """`{ inputs . let equations in outputs }`. See the grammar at the top of this file.

    Args:
      inputs: the variables that stand for the operands.
      equations: in the order of their execution.
      outputs: the results, variables or literals.
      name: of the user's function, for printing.
    """

    __slots__ = ("__weakref__", "equations", "inputs", "memo", "name", "outputs")

    def __init__(self, inputs: Sequence[Var], equations: Sequence[Equation], outputs: Sequence[Atom], name: str = ""):
        self.inputs = tuple(inputs)
        self.equations = tuple(equations)
        self.outputs = tuple(outputs)
        self.name = name
        self.memo: dict[Any, Any] = {}

    @property
    def in_types(self) -> tuple[ArrayType, ...]:
        return tuple(v.type for v in self.inputs)

    @property
    def out_types(self) -> tuple[ArrayType, ...]:
        return tuple(a.type for a in self.outputs)

    @property
    def effects(self) -> frozenset[str]:
        """All effects of all equations."""
        return self.remember("effects", lambda: frozenset().union(*(e.effects for e in self.equations)))

    @property
    def axis_names(self) -> frozenset[Any]:
        """The named axes that some equation speaks of."""
        return self.remember(
            "axis_names", lambda: frozenset().union(*(e.primitive.axis_names(e.params) for e in self.equations))
        )

    @property
    def has_dims(self) -> bool:
        """Whether the type of some variable has an unknown dimension."""

        def search() -> bool:
            variables = [*self.inputs, *(v for e in self.equations for v in e.results)]
            return any(has_dim(v.type.shape) for v in variables)

        return self.remember("has_dims", search)

    def remember(self, key: Any, make: Callable[[], Any]) -> Any:
        """`memo[key]`, made at the first time."""
        try:
            return self.memo[key]
        except KeyError:
            value = self.memo[key] = make()
            return value

    def replace(self, **parts: Any) -> Program:
        """This program with some of its parts replaced (and an empty memo)."""
        kept = {"inputs": self.inputs, "equations": self.equations, "outputs": self.outputs, "name": self.name}
        return Program(**{**kept, **parts})

    def __reduce__(self) -> Any:
        return Program, (self.inputs, self.equations, self.outputs, self.name)


def subprograms(equation: Equation) -> Iterator[Program]:
    """The programs that an equation carries."""
    for name in equation.primitive.subprograms:
        value = equation.params[name]
        if isinstance(value, Program):
            yield value
        else:
            yield from value


def dead_code(program: Program, live_outputs: Sequence[bool] | None = None) -> Program:
    """Without the equations that no output (of those that are live) and no effect needs. Inputs stay."""
    outputs = [a for i, a in enumerate(program.outputs) if live_outputs is None or live_outputs[i]]
    live: set[Atom] = set(outputs)
    kept = []
    for equation in reversed(program.equations):
        if not live.isdisjoint(equation.results) or equation.effects:
            kept.append(equation)
            live.update(equation.operands)
    if len(kept) == len(program.equations) and len(outputs) == len(program.outputs):
        return program
    return program.replace(equations=kept[::-1], outputs=outputs)
