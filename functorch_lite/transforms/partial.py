"""Partial evaluation: what is known now is computed now, what is linear in values to come is staged.

`PartialTrace` splits a computation that runs under it, `split_linear` a program. Primitives that carry programs split
with the same `linearize` rule that differentiates them: only their bodies are split by another function.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..array_type import ArrayType
from ..arrays import type_of
from ..primitive import Zero
from ..primitives.constants import closed
from ..primitives.structural import zeros
from ..program import Program
from ..staging import StagingTrace, StagingTracer, evaluate
from ..tracing import context, use_trace

__all__ = ["PartialTrace", "linear_part", "split_linear"]


class PartialTrace(StagingTrace):
    """Stages what depends on its own tracers; the rest is done at once, in the parent."""

    __slots__ = ()

    def is_unknown(self, x: Any) -> bool:
        """Whether `x` is staged here."""
        return type(x) is StagingTracer and x.owner is self

    def process(self, primitive: Any, operands: tuple[Any, ...], params: dict[str, Any]) -> Any:
        unknown = tuple(map(self.is_unknown, operands))
        if not any(unknown):
            assert self.parent is not None
            with use_trace(self.parent):
                return self.parent.process(primitive, operands, params)
        if not (primitive.splits and any(params[name] is not None for name in primitive.subprograms)):
            return super().process(primitive, operands, params)
        with use_trace(self):
            if primitive.inlines:
                return evaluate(params[primitive.subprograms[0]], *operands)
            return self.process_split(primitive, operands, unknown, params)

    def process_split(
        self, primitive: Any, operands: Sequence[Any], unknown: tuple[bool, ...], params: dict[str, Any]
    ) -> list[Any]:
        """An equation that carries programs may have results that are known and others that are not."""
        assert self.parent is not None
        types = [type_of(x) for x in operands]
        parts = primitive.linearize(types, unknown, split_body=split_linear, **params)
        if all(parts.nonzeros):
            return super().process(primitive, tuple(operands), params)
        with use_trace(self.parent):
            given = [zeros(t) if m else x for x, t, m in zip(operands, types, unknown, strict=True)]
            out = evaluate(parts.known, *given)
        n_out = len(parts.nonzeros)
        dots = [x for x, m in zip(operands, unknown, strict=True) if m]
        found = iter(evaluate(parts.linear, *out[n_out:], *dots))
        return [next(found) if m else x for x, m in zip(out[:n_out], parts.nonzeros, strict=True)]


def linear_part(
    rule: Callable[..., tuple[list[Any], list[Any]]], types: Sequence[ArrayType], marks: Sequence[bool]
) -> tuple[list[Any], Program, tuple[bool, ...], list[Any]]:
    """Split a rule (tangents -> results, tangents of the results) that is linear in its arguments, in the current trace.

    Args:
      rule: takes a list of tangents, some of them `Zero`.
      types: of the tangents.
      marks: which tangents are not `Zero`.

    Returns:
      the results, the program for the tangents, which results have one, and the values of the program's first inputs.
    """
    trace = PartialTrace(context.trace)
    tangents = [trace.new_input(t) if m else Zero(t) for t, m in zip(types, marks, strict=True)]
    with use_trace(trace, closing=True):
        outs, dots = rule(tangents)
        has = tuple(not isinstance(t, Zero) for t in dots)
        linear = trace.finish([t for t in dots if not isinstance(t, Zero)], "rule")
    return outs, linear, has, trace.hoisted


def split_linear(
    program: Program, unknown: tuple[bool, ...], instantiated: Any = False
) -> tuple[Program, Program, tuple[bool, ...]]:
    """Split a program that is linear in some inputs, in the form of `linearize_program`.

    Args:
      program: what to split.
      unknown: which inputs it is linear in; the other results do not depend on them.
      instantiated: True, or a tuple of booleans: which outputs count as unknown in any case (zero, if nothing unknown
        reaches them).

    Returns:
      known (inputs, of which the unknown ones are not read -> outputs, residuals), linear (residuals, unknown inputs ->
      unknown outputs), and which outputs are unknown.
    """

    def make() -> tuple[Program, Program, tuple[bool, ...]]:
        wanted = instantiated if isinstance(instantiated, tuple) else (instantiated,) * len(program.outputs)
        outer = StagingTrace(context.trace)
        inputs = [outer.new_input(t) for t in program.in_types]
        with use_trace(outer, closing=True):
            trace = PartialTrace(outer)
            operands = [trace.new_input(x.type) if m else x for x, m in zip(inputs, unknown, strict=True)]
            with use_trace(trace, closing=True):
                outs = evaluate(program, *operands)
                has = tuple(w or trace.is_unknown(x) for x, w in zip(outs, wanted, strict=True))
                linear = trace.finish([x for x, m in zip(outs, has, strict=True) if m], program.name)
            values = [zeros(type_of(x)) if trace.is_unknown(x) else x for x in outs]
            known = outer.finish([*values, *trace.hoisted], program.name)
        return closed(known, outer.hoisted), linear, has

    return program.remember(("split", unknown, instantiated, context.trace.axes()), make)
