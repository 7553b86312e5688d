"""Forward mode: each value carries its tangent. `jvp(f, primals, tangents)` computes f and its derivative along a line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..array_type import ArrayType
from ..arrays import type_of
from ..primitive import Zero
from ..primitives.constants import closed
from ..primitives.structural import instantiate
from ..program import Program
from ..staging import evaluate, stage
from ..tracing import Trace, Tracer, context, use_trace

__all__ = ["JvpTrace", "JvpTracer", "jvp_flat", "jvp_program"]


class JvpTracer(Tracer):
    """A primal with its tangent."""

    __slots__ = ("primal", "tangent")

    def __init__(self, trace: Trace, primal: Any, tangent: Any):
        self.owner = trace
        self.primal = primal
        self.tangent = tangent

    @property
    def type(self) -> ArrayType:
        return type_of(self.primal)

    def concrete(self) -> Any:
        return self.primal.concrete()


class JvpTrace(Trace):
    """Each primitive is computed along with its tangent, in the parent."""

    __slots__ = ()

    def process(self, primitive: Any, operands: tuple[Any, ...], params: dict[str, Any]) -> Any:
        assert self.parent is not None
        primals, tangents, constant = [], [], True
        for x in operands:
            if type(x) is JvpTracer and x.owner is self:
                primals.append(x.primal)
                tangents.append(x.tangent)
                constant = False
            else:
                primals.append(x)
                tangents.append(Zero(type_of(x).tangent()))
        with use_trace(self.parent):
            if constant:
                return self.parent.process(primitive, operands, params)
            out, out_dot = primitive.jvp(primals, tangents, **params)
        if primitive.multiple_results:
            return [self.pair(x, t) for x, t in zip(out, out_dot, strict=True)]
        return self.pair(out, out_dot)

    def pair(self, primal: Any, tangent: Any) -> Any:
        """A tracer, unless the tangent is known to be zero."""
        return primal if isinstance(tangent, Zero) else JvpTracer(self, primal, tangent)

    def split(self, x: Any) -> tuple[Any, Any]:
        """The primal and tangent of an operand."""
        if type(x) is JvpTracer and x.owner is self:
            return x.primal, x.tangent
        return x, Zero(type_of(x).tangent())


def jvp_flat(
    function: Callable[..., Sequence[Any]], primals: Sequence[Any], tangents: Sequence[Any]
) -> tuple[list[Any], list[Any]]:
    """Results of `function` (operands in, list out) and their tangents, which may be `Zero`."""
    trace = JvpTrace(context.trace)
    operands = [trace.pair(x, t) for x, t in zip(primals, tangents, strict=True)]
    with use_trace(trace, closing=True):
        outs = function(*operands)
    pairs = [trace.split(x) for x in outs]
    return [p for p, _ in pairs], [t for _, t in pairs]


def jvp_program(
    program: Program, nonzeros: tuple[bool, ...], instantiated: Any = False
) -> tuple[Program, tuple[bool, ...]]:
    """The program that also computes tangents.

    Args:
      program: the primal program.
      nonzeros: which inputs have a tangent.
      instantiated: True, or a tuple of booleans: which results' tangents are wanted also where they are zero.

    Returns:
      a program (inputs, tangents of those that have one) -> (outputs, tangents of those that have one), and which do.
    """

    def make() -> tuple[Program, tuple[bool, ...]]:
        wanted = instantiated if isinstance(instantiated, tuple) else (instantiated,) * len(program.outputs)
        out_nonzero: list[bool] = []

        def function(*operands: Any) -> list[Any]:
            primals = operands[: len(program.inputs)]
            given = iter(operands[len(program.inputs) :])
            tangents = [
                next(given) if nz else Zero(t.tangent()) for nz, t in zip(nonzeros, program.in_types, strict=True)
            ]
            outs, dots = jvp_flat(lambda *xs: evaluate(program, *xs), primals, tangents)
            dots = [instantiate(t) if w else t for t, w in zip(dots, wanted, strict=True)]
            out_nonzero.extend(not isinstance(t, Zero) for t in dots)
            return [*outs, *(t for t in dots if not isinstance(t, Zero))]

        types = [*program.in_types, *(t.tangent() for t, nz in zip(program.in_types, nonzeros, strict=True) if nz)]
        staged = stage(function, types, name=f"jvp({program.name})")
        return closed(*staged), tuple(out_nonzero)

    return program.remember(("jvp", nonzeros, instantiated, context.trace.axes()), make)
