"""Linearize: value now, and a tape of linear programs beside it. Reverse mode transposes the tape, last entry first.

The path of `grad(f)(x)`: `LinearizeTrace` meets each primitive that depends on `x`. A `Linearization` of the primitive,
made once per operand types and kept, splits it into

    known:   operands              -> results, residuals
    linear:  residuals, tangents   -> tangents of the results

The known part runs at once, in the parent trace; the tape (`tape.py`) keeps (linearization, residuals, where the tangents
come from and go to), and is walked backwards with the transposed linear parts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..array_type import ArrayType
from ..arrays import Array, eager, type_of
from ..backend import Backend
from ..primitive import Zero
from ..primitives.constants import closed
from ..primitives.structural import instantiate
from ..program import Program
from ..recent import Recent
from ..staging import StagingTrace, evaluate, stage
from ..tracing import Trace, Tracer, context, use_trace
from .partial import PartialTrace
from .tape import Entry, Linearization, Tape

__all__ = ["LinearizeTrace", "LinearizeTracer", "carrier", "linearize_flat", "linearize_program"]


class LinearizeTracer(Tracer):
    """A value, its signature (asked for at every operation), and the slot of its tangent on the tape."""

    __slots__ = ("primal", "signature", "slot")

    def __init__(self, trace: Trace, primal: Any, signature: Any, slot: int):
        self.owner = trace
        self.primal = primal
        self.signature = signature  # type: ignore[misc]  # a slot, where other tracers compute it
        self.slot = slot

    @property
    def type(self) -> ArrayType:
        return type_of(self.primal)

    @property
    def shape(self) -> Any:
        return self.signature[0]

    @property
    def dtype(self) -> Any:
        return self.signature[1]

    @property
    def weak_type(self) -> bool:
        return self.signature[2]

    def concrete(self) -> Any:
        return self.primal.concrete()


def _signature(primal: Any) -> Any:
    return ((), primal.dtype, True) if isinstance(primal, np.generic) else primal.signature


_cache = Recent(8192)
"""Entries of some 3 kB: two for each primitive with operands of given types."""


class LinearizeTrace(Trace):
    """Each primitive that depends on a tracer of this trace is split; its linear part goes on the tape."""

    __slots__ = ("entries", "slots")

    def __init__(self, parent: Trace | None):
        super().__init__(parent)
        self.entries: list[Entry] = []
        self.slots = 0

    def new_input(self, primal: Any) -> Any:
        """A tracer for a value whose tangent is an input of the tape; integers have none, their slot stays empty."""
        self.slots += 1
        if not dtypes.is_inexact(primal.dtype):
            return primal
        return LinearizeTracer(self, primal, _signature(primal), self.slots - 1)

    def process(self, primitive: Any, operands: tuple[Any, ...], params: dict[str, Any]) -> Any:
        ins: list[int] = []
        buffers = []
        key: list[Any] = [primitive]
        backend: Any = None
        concrete = self.parent is eager
        for x in operands:
            kind = type(x)
            if kind is LinearizeTracer and x.owner is self:
                ins.append(x.slot)
                key.append(x.signature)
                x = x.primal
                kind = type(x)
            else:
                key.append(None)  # has no tangent
                if kind is Array:
                    key.append(x.signature)
            if kind is Array:
                buffers.append(x.buffer)
                if backend is not x.backend:
                    concrete = concrete and backend is None
                    backend = x.backend
            elif isinstance(x, np.generic):
                buffers.append(x)
                key.append(kind)
            else:
                concrete = False
        if not ins:
            assert self.parent is not None
            with use_trace(self.parent):
                return self.parent.process(primitive, operands, params)
        if not concrete or primitive.own_linearize is not None:
            return self.process_operands(primitive, operands, ins, params)
        key.append(backend)
        found = (*key, *params.items()) if params else tuple(key)
        rule, forward, signatures = (
            _cache.get(found) or _cache.recall(found) or self.prepare(found, primitive, operands, params, backend)
        )
        out = forward(*buffers)
        if not rule.multiple:
            signature = signatures[0]
            result = Array(out[0], signature[2], backend)
            if not rule.nonzeros[0]:
                return result
            slot = self.slots
            self.slots = slot + 1
            self.entries.append((rule, out[1:], ins, (slot,), backend))
            return LinearizeTracer(self, result, signature, slot)
        n = len(rule.nonzeros)
        results = [Array(o, weak, backend) for o, (_, _, weak) in zip(out[:n], signatures, strict=True)]
        return self.record(rule, results, out[n:], ins, backend)

    def primals(self, operands: Sequence[Any]) -> list[Any]:
        """The operands as the parent knows them."""
        return [x.primal if type(x) is LinearizeTracer and x.owner is self else x for x in operands]

    def prepare(self, key: Any, primitive: Any, operands: Any, params: dict[str, Any], backend: Backend) -> Any:
        """What is kept for operands of these types: the linearization, its known part compiled, signatures of results."""
        rule = self.linearization(primitive, self.primals(operands), operands, params)
        assert rule.known is not None
        signatures = [(t.shape, t.dtype, t.weak) for t in rule.known.out_types[: len(rule.nonzeros)]]
        made = (rule, rule.forward(backend), signatures)
        return made if carrier(primitive, params) is not None else _cache.remember(key, made)

    def process_operands(
        self, primitive: Any, operands: tuple[Any, ...], ins: list[int], params: dict[str, Any]
    ) -> Any:
        """As `process`, where some operand is a tracer of the parent: the known part is evaluated by `bind`."""
        primals = self.primals(operands)
        with use_trace(self.parent):  # type: ignore[arg-type]
            if primitive.own_linearize is not None:
                nonzeros = self.nonzeros(operands)
                results, rule, residuals = primitive.own_linearize(primals, nonzeros, **params)
            else:
                rule = self.linearization(primitive, primals, operands, params)
                assert rule.known is not None
                out = evaluate(rule.known, *primals)
                n = len(rule.nonzeros)
                results, residuals = out[:n], out[n:]
        results = self.record(rule, results, residuals, ins, None)
        return results if primitive.multiple_results else results[0]

    def nonzeros(self, operands: Sequence[Any]) -> tuple[bool, ...]:
        """Which operands have a tangent on this tape."""
        return tuple(type(x) is LinearizeTracer and x.owner is self for x in operands)

    def linearization(
        self, primitive: Any, primals: Sequence[Any], operands: Sequence[Any], params: dict[str, Any]
    ) -> Linearization:
        """The (kept) linearization of a primitive for operands of these types."""
        types = tuple(type_of(x) for x in primals)
        nonzeros = self.nonzeros(operands)
        assert self.parent is not None
        axes = self.parent.axes()
        key = (primitive, types, nonzeros, tuple(params.items()), axes)
        carried = carrier(primitive, params)

        def make() -> Linearization:
            with use_trace(self.parent):  # type: ignore[arg-type]
                if primitive.linearize is not None:
                    return primitive.linearize(types, nonzeros, **params)
                return linearize_by_jvp(primitive, types, nonzeros, params)

        if carried is not None:
            return carried.remember(key, make)
        return _cache.get(key) or _cache.recall(key) or _cache.remember(key, make())

    def record(
        self, rule: Linearization, results: Sequence[Any], residuals: Sequence[Any], ins: Any, backend: Backend | None
    ) -> list[Any]:
        """Put an entry on the tape; tracers for the results that have a tangent."""
        outs, tracers = [], []
        for x, nonzero in zip(results, rule.nonzeros, strict=True):
            if nonzero:
                outs.append(self.slots)
                x = LinearizeTracer(self, x, _signature(x), self.slots)
                self.slots += 1
            tracers.append(x)
        if outs:
            self.entries.append((rule, residuals, ins, outs, backend))
        return tracers


def carrier(primitive: Any, params: dict[str, Any]) -> Program | None:
    """The program with which to keep what is derived from an equation's params, so that it dies with them."""
    if not primitive.subprograms:
        return None
    value = params[primitive.subprograms[0]]
    return value if isinstance(value, Program) else value[0]


def linearize_by_jvp(
    primitive: Any, types: Sequence[ArrayType], nonzeros: Sequence[bool], params: dict[str, Any]
) -> Linearization:
    """Split a primitive by its jvp rule: what depends on tangents is staged apart from what does not."""
    known_trace = StagingTrace(context.trace)
    primals = [known_trace.new_input(t) for t in types]
    linear_trace = PartialTrace(known_trace)
    tangents = [
        linear_trace.new_input(t.tangent()) if nz else Zero(t.tangent()) for t, nz in zip(types, nonzeros, strict=True)
    ]
    with use_trace(linear_trace, closing=True):
        out, out_dot = primitive.jvp(primals, tangents, **params)
        outs, dots = (out, out_dot) if primitive.multiple_results else ([out], [out_dot])
        linear = linear_trace.finish([t for t in dots if not isinstance(t, Zero)], primitive.name)
    with use_trace(known_trace, closing=True):
        known = closed(known_trace.finish([*outs, *linear_trace.hoisted], primitive.name), known_trace.hoisted)
    has = tuple(not isinstance(t, Zero) for t in dots)
    return Linearization(known, linear, has, primitive.multiple_results)


def linearize_flat(function: Callable[..., Sequence[Any]], primals: Sequence[Any]) -> tuple[list[Any], Tape]:
    """Results of `function` (operands in, list out) at `primals`, and the tape of its derivative there."""
    trace = LinearizeTrace(context.trace)
    tracers = [*map(trace.new_input, primals)]
    with use_trace(trace, closing=True):
        outs = function(*tracers)
    results, slots = [], []
    for x in outs:
        own = type(x) is LinearizeTracer and x.owner is trace
        results.append(x.primal if own else x)
        slots.append(x.slot if own else None)
    types = [tuple(map(type_of, values)) for values in (primals, results)]
    return results, Tape(trace.entries, trace.slots, tuple(range(len(primals))), tuple(slots), *types)


def linearize_program(
    program: Program, nonzeros: tuple[bool, ...], instantiated: Any = False
) -> tuple[Program, Program, tuple[bool, ...]]:
    """Split a program.

    Args:
      program: the primal program.
      nonzeros: which inputs have a tangent.
      instantiated: True, or a tuple of booleans: which outputs' tangents are wanted also where they are zero.

    Returns:
      known (inputs -> outputs, residuals), linear (residuals, tangents of the inputs that have one -> tangents of the
      outputs that have one), and which outputs have one.
    """

    def make() -> tuple[Program, Program, tuple[bool, ...]]:
        wanted = instantiated if isinstance(instantiated, tuple) else (instantiated,) * len(program.outputs)
        trace = StagingTrace(context.trace)
        inputs = [trace.new_input(t) for t in program.in_types]
        marked = [x for x, nz in zip(inputs, nonzeros, strict=True) if nz]

        def function(*tracers: Any) -> list[Any]:
            given = iter(tracers)
            return evaluate(program, *(next(given) if nz else x for x, nz in zip(inputs, nonzeros, strict=True)))

        with use_trace(trace, closing=True):
            outs, tape = linearize_flat(function, marked)
            has: list[bool] = []

            def push(*tangents: Any) -> list[Any]:
                dots = tape.push_forward(*tangents)
                dots = [instantiate(t) if w else t for t, w in zip(dots, wanted, strict=True)]
                has.extend(not isinstance(t, Zero) for t in dots)
                return [t for t in dots if not isinstance(t, Zero)]

            linear, residuals = stage(push, [x.type.tangent() for x in marked], name=program.name)
            known = trace.finish([*outs, *residuals], program.name)
            known = closed(known, trace.hoisted)
        return known, linear, tuple(has)

    return program.remember(("linearize", nonzeros, instantiated, context.trace.axes()), make)
