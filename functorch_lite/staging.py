"""Function -> program (`stage`), and program -> function (`evaluate`).

Staging runs the function on tracers without values; each primitive that it binds becomes an equation. What the function
closes over (arrays, tracers of outer transformations) becomes an input of the program: it is *hoisted*.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .array_type import ArrayType, Dim, has_dim
from .arrays import Array, operand_of, type_of
from .errors import user_line
from .lowering import mentions_dim, substitute_dims
from .program import Atom, Equation, Literal, Program, Var, dead_code
from .tracing import Trace, Tracer, context, leaked, use_trace

__all__ = ["Staged", "StagingTrace", "StagingTracer", "bind_dims", "evaluate", "known_params", "stage"]


class StagingTracer(Tracer):
    """A variable of a program that is being made."""

    __slots__ = ("variable",)

    def __init__(self, trace: StagingTrace, var: Var):
        self.owner = trace
        self.variable = var

    @property
    def type(self) -> ArrayType:
        return self.variable.type


class StagingTrace(Trace):
    """Each primitive becomes an equation."""

    __slots__ = ("captured", "equations", "hoisted", "inputs")

    def __init__(self, parent: Trace | None):
        super().__init__(parent)
        self.inputs: list[Var] = []
        self.equations: list[Equation] = []
        self.hoisted: list[Any] = []
        self.captured: dict[int, Var] = {}

    def new_input(self, type: ArrayType) -> StagingTracer:
        """A tracer for a further input of the program."""
        var = Var(type)
        self.inputs.append(var)
        return StagingTracer(self, var)

    def atom(self, x: Any) -> Atom:
        """The variable or literal that stands for an operand; hoists what is not of this program."""
        if type(x) is StagingTracer and x.owner is self:
            return x.variable
        if isinstance(x, np.generic):
            return Literal(x)
        if type(x) is Array and isinstance(x.buffer, np.generic) and (x.weak_type or hasattr(x, "number")):
            return Literal(x.buffer, x.weak_type)  # a number of the user's, that became an array on the way
        var = self.captured.get(id(x))
        if var is None:
            if isinstance(x, Tracer) and not x.owner.alive:
                raise leaked(x)
            var = self.captured[id(x)] = Var(type_of(x))
            self.hoisted.append(x)  # held, so that its id stays its own
        return var

    def process(self, primitive: Any, operands: tuple[Any, ...], params: dict[str, Any]) -> Any:
        if primitive.stage is not None:
            primitive, operands, params = primitive.stage(operands, params)
        atoms = [self.atom(x) for x in operands]
        inferred = primitive.infer(*[a.type for a in atoms], **params)
        types = inferred if primitive.multiple_results else [inferred]
        results = [Var(t) for t in types]
        self.equations.append(Equation(primitive, atoms, params, results, user_line(2)))
        tracers = [StagingTracer(self, v) for v in results]
        return tracers if primitive.multiple_results else tracers[0]

    def finish(self, outputs: Sequence[Any], name: str) -> Program:
        """The program with the given results; the hoisted inputs come first."""
        atoms = [self.atom(x) for x in outputs]
        program = dead_code(Program([*self.captured.values(), *self.inputs], self.equations, atoms, name))
        used = {a for e in program.equations for a in e.operands} | set(atoms)
        kept = [i for i, v in enumerate(self.captured.values()) if v in used]
        captured = list(self.captured.values())
        self.hoisted = [self.hoisted[i] for i in kept]
        return program.replace(inputs=[*(captured[i] for i in kept), *self.inputs])


class Staged(NamedTuple):
    """A program, and the values of its first inputs, those that were hoisted."""

    program: Program
    hoisted: list[Any]


def stage(
    function: Callable[..., Sequence[Any]],
    types: Sequence[ArrayType],
    *,
    name: str = "",
    make_trace: type[StagingTrace] = StagingTrace,
) -> Staged:
    """Run `function` (operands in, list of results out) on tracers of the given types, and keep what it did."""
    trace = make_trace(context.trace)
    tracers = [trace.new_input(t) for t in types]
    with use_trace(trace, closing=True):
        outputs = function(*tracers)
        program = trace.finish(outputs, name)
    return Staged(program, trace.hoisted)


def evaluate(program: Program, *operands: Any) -> list[Any]:
    """Bind each equation in the current trace, with the inputs' values for the inputs."""
    values: dict[Var, Any] = dict(zip(program.inputs, operands, strict=True))
    dims: dict[Dim, Any] = {}
    if program.has_dims:
        for v, x in values.items():
            bind_dims(v, x, dims)

    def read(a: Atom) -> Any:
        return operand_of(a) if type(a) is Literal else values[a]  # type: ignore[index]

    for equation in program.equations:
        params = known_params(equation, dims)
        out = context.trace.process(equation.primitive, tuple([read(a) for a in equation.operands]), params)
        for v, x in zip(equation.results, out if equation.primitive.multiple_results else (out,), strict=True):
            values[v] = x
            if has_dim(v.type.shape):
                bind_dims(v, x, dims)
    return [read(a) for a in program.outputs]


def known_params(equation: Equation, dims: dict[Dim, Any]) -> dict[str, Any]:
    """An equation's params, with the unknown dimensions that this evaluation has learnt."""
    if dims and any(mentions_dim(p) for p in equation.params.values()):
        return {name: substitute_dims(p, dims) for name, p in equation.params.items()}
    return equation.params


def bind_dims(v: Var, x: Any, dims: dict[Dim, Any]) -> None:
    """Learn what the unknown dimensions of a variable are in this evaluation."""
    for n, known in zip(v.type.shape, type_of(x).shape, strict=True):
        if type(n) is Dim:
            dims.setdefault(n, known)
