"""Linearize: value now, and a tape of linear programs beside it. Reverse mode transposes the tape, last entry first.

The path of `grad(f)(x)`: `LinearizeTrace` meets each primitive that depends on `x`. A `Linearization` of the primitive,
made once per operand types and kept, splits it into

    known:   operands              -> results, residuals
    linear:  residuals, tangents   -> tangents of the results

The known part runs at once, in the parent trace; the tape keeps (linearization, residuals, where the tangents come from
and go to). On concrete arrays both parts are ready-made closures over buffers, and the tape is a Python list.
`pull_back` walks it backwards with the transposed linear parts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import dtypes
from ..array_type import ArrayType
from ..arrays import Array, eager, type_of
from ..backend import Backend
from ..errors import TransformationError
from ..passes import executable
from ..primitive import Zero
from ..primitives.base import add
from ..primitives.constants import closed
from ..primitives.structural import instantiate
from ..program import Program
from ..staging import StagingTrace, evaluate, stage
from ..tracing import Trace, Tracer, context, use_trace
from .partial import PartialTrace
from .transpose import backward_pass, transpose_program

__all__ = ["Linearization", "LinearizeTrace", "LinearizeTracer", "Tape", "linearize_flat", "linearize_program"]


class Linearization:
    """How an operation splits: see the top of this file.

    Args:
      known: the program for the value; its first outputs are the results, the rest the residuals.
      linear: the program for the tangents; its first inputs are the residuals.
      nonzeros: which results have a tangent.
      n_residuals: how many, where `known` is None: the value is computed already, by rules that are not kept.
    """

    __slots__ = ("compiled", "known", "linear", "multiple", "n_residuals", "nonzeros")

    def __init__(
        self,
        known: Program | None,
        linear: Program,
        nonzeros: tuple[bool, ...],
        multiple: bool,
        n_residuals: int = 0,
    ):
        self.known = known
        self.linear = linear
        self.nonzeros = nonzeros
        self.multiple = multiple
        self.n_residuals = len(known.outputs) - len(nonzeros) if known is not None else n_residuals
        self.compiled: dict[Any, Any] = {}

    def forward(self, backend: Backend) -> Callable[..., tuple[Any, ...]]:
        """The known part over buffers."""
        assert self.known is not None
        return executable(self.known, backend)

    def transposed(self, given: tuple[bool, ...]) -> tuple[Program, tuple[bool, ...]]:
        """(residuals, cotangents of the results that have one) -> cotangents; and which operands have one.

        Args:
          given: for each result with a tangent, whether it has a cotangent.
        """
        linear = (False,) * self.n_residuals + (True,) * (len(self.linear.inputs) - self.n_residuals)
        return transpose_program(self.linear, linear, given)

    def pull_back(self, residuals: Sequence[Any], given: tuple[bool, ...], cts: Sequence[Any]) -> list[Any]:
        """Cotangents of the operands (maybe `Zero`) by `bind`, in the current trace."""
        if self.known is None:
            linear = (False,) * self.n_residuals + (True,) * (len(self.linear.inputs) - self.n_residuals)
            values = iter(cts)
            all_cts = [next(values) if g else Zero(t) for g, t in zip(given, self.linear.out_types, strict=True)]
            return backward_pass(self.linear, linear, residuals, all_cts)
        program, has = self.transposed(given)
        out = iter(evaluate(program, *residuals, *cts))
        return [next(out) if h else None for h in has]

    def backward(self, backend: Backend, given: tuple[bool, ...]) -> Callable[..., Sequence[Any]]:
        """The transposed linear part over buffers, kept in `compiled`; a result is None where the cotangent is zero."""
        program, has = self.transposed(given)
        run = executable(program, backend, guarded=False)
        made = run if all(has) else _with_gaps(run, has)
        self.compiled[backend if given == (True,) else (backend, given)] = made
        return made


def _with_gaps(run: Callable[..., Sequence[Any]], has: tuple[bool, ...]) -> Callable[..., Sequence[Any]]:
    def backward(*buffers: Any) -> list[Any]:
        out = iter(run(*buffers))
        return [next(out) if h else None for h in has]

    return backward


Entry = tuple[Linearization, Sequence[Any], Sequence[int], Sequence[int], Backend | None]
"""One step of a tape: the linearization, residuals, slots of the operands' and of the results' tangents, and the backend
that the residuals are buffers of; None: they are operands. (A plain tuple: one is made for each operation.)"""


def _residual_operands(entry: Entry) -> list[Any]:
    """The residuals as operands of primitives."""
    _, residuals, _, _, backend = entry
    if backend is None:
        return list(residuals)
    return [x if isinstance(x, np.generic) else Array(x, False, backend) for x in residuals]


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


_cache: dict[Any, Any] = {}
_CACHED = 16384


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
        key: list[Any] = [primitive, *params.items()] if params else [primitive]
        backend: Any = None
        concrete = self.parent is eager
        for x in operands:
            linear = type(x) is LinearizeTracer and x.owner is self
            if linear:
                ins.append(x.slot)
                key.append(x.signature)
                x = x.primal
            if type(x) is Array:
                buffers.append(x.buffer)
                key.append(linear or x.signature)
                if backend is not x.backend:
                    concrete = concrete and backend is None
                    backend = x.backend
            elif isinstance(x, np.generic):
                buffers.append(x)
                key.append(x.dtype)
            else:
                concrete = False
        if not ins:
            assert self.parent is not None
            with use_trace(self.parent):
                return self.parent.process(primitive, operands, params)
        if not concrete or primitive.own_linearize is not None:
            return self.process_operands(primitive, operands, ins, params)
        key.append(backend)
        cached = _cache.get(tuple(key))
        if cached is None:
            cached = self.prepare(tuple(key), primitive, operands, params, backend)
        rule, forward, signatures = cached
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
        carried = carrier(primitive, params)
        made = (rule, rule.forward(backend), signatures)
        if carried is None:
            _remember(key, made)
        return made

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
        memo = _cache if carried is None else carried.memo
        rule = memo.get(key)
        if rule is None:
            with use_trace(self.parent):
                if primitive.linearize is not None:
                    rule = primitive.linearize(types, nonzeros, **params)
                else:
                    rule = linearize_by_jvp(primitive, types, nonzeros, params)
            if carried is not None:
                memo[key] = rule
            else:
                _remember(key, rule)
        return rule

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


def _remember(key: Any, value: Any) -> Any:
    if len(_cache) > _CACHED:
        _cache.clear()
    _cache[key] = value
    return value


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


class Tape(NamedTuple):
    """What a function's linearization left: entries in order, and the slots of inputs and outputs (None: zero)."""

    entries: list[Entry]
    n_slots: int
    ins: tuple[int, ...]
    outs: tuple[int | None, ...]
    in_types: tuple[ArrayType, ...]
    out_types: tuple[ArrayType, ...]

    def push_forward(self, *tangents: Any) -> list[Any]:
        """Tangents of the outputs from tangents of the inputs, in the current trace."""
        values = dict(zip(self.ins, tangents, strict=True))
        for entry in self.entries:
            rule, _, ins, outs, _ = entry
            dots = evaluate(rule.linear, *_residual_operands(entry), *(values[i] for i in ins))
            values.update(zip(outs, dots, strict=True))
        return [Zero(t.tangent()) if i is None else values[i] for i, t in zip(self.outs, self.out_types, strict=True)]

    def pull_back(self, cotangents: Sequence[Any], *, consume: bool = False) -> list[Any]:
        """Cotangents of the inputs (maybe `Zero`) from cotangents of the outputs, in the current trace.

        Args:
          cotangents: operands, or `Zero`.
          consume: whether entries may be dropped on the way, which frees their residuals.
        """
        cts: list[Any] = [None] * self.n_slots
        backend = self.common_backend(cotangents)
        for i, ct in zip(self.outs, cotangents, strict=True):
            if i is not None and not isinstance(ct, Zero):
                value = ct if backend is None else ct.buffer if type(ct) is Array else backend.literal(ct)
                if cts[i] is None:
                    cts[i] = value
                else:
                    cts[i] = add(cts[i], value) if backend is None else cts[i] + value
        if backend is None:
            self.walk(cts, consume)
        else:
            backend.guard(self.walk_buffers)(cts, backend, consume)
        return [
            Zero(t.tangent()) if (ct := cts[i]) is None else ct if backend is None else Array(ct, False, backend)
            for i, t in zip(self.ins, self.in_types, strict=True)
        ]

    def common_backend(self, cotangents: Sequence[Any]) -> Backend | None:
        """The backend on which everything is a buffer already, if there is one and nothing traces us."""
        if context.trace is not eager:
            return None
        backends = {entry[4] for entry in self.entries}
        for ct in cotangents:
            if isinstance(ct, Tracer):
                return None
            if type(ct) is Array:
                backends.add(ct.backend)
        return backends.pop() if len(backends) == 1 else None

    def walk_buffers(self, cts: list[Any], backend: Backend, consume: bool) -> None:
        """The backward pass over buffers."""
        entries = self.entries
        for at in range(len(entries) - 1, -1, -1):
            rule, residuals, ins, outs, _ = entries[at]
            if consume:
                del entries[at]
            if len(outs) == 1:
                ct = cts[outs[0]]
                if ct is None:
                    continue
                cts[outs[0]] = None
                run = rule.compiled.get(backend) or rule.backward(backend, (True,))
                in_cts = run(*residuals, ct)
            else:
                given = tuple([cts[i] is not None for i in outs])
                if True not in given:
                    continue
                values = [cts[i] for i in outs if cts[i] is not None]
                for i in outs:
                    cts[i] = None
                run = rule.compiled.get((backend, given)) or rule.backward(backend, given)
                in_cts = run(*residuals, *values)
            for i, ct in zip(ins, in_cts):  # noqa: B905 -- strict costs a tenth of the step
                if ct is not None:
                    known = cts[i]
                    cts[i] = ct if known is None else known + ct

    def walk(self, cts: list[Any], consume: bool) -> None:
        """The backward pass by `bind`, in the current trace."""
        for at in range(len(self.entries) - 1, -1, -1):
            entry = self.entries[at]
            if consume:
                del self.entries[at]
            rule, _, ins, outs, _ = entry
            given = tuple(cts[i] is not None for i in outs)
            if True not in given:
                continue
            values = [cts[i] for i in outs if cts[i] is not None]
            for i in outs:
                cts[i] = None
            for i, ct in zip(ins, rule.pull_back(_residual_operands(entry), given, values), strict=True):
                if ct is not None and not isinstance(ct, Zero):
                    cts[i] = ct if cts[i] is None else add(cts[i], ct)


def linearize_flat(function: Callable[..., Sequence[Any]], primals: Sequence[Any]) -> tuple[list[Any], Tape]:
    """Results of `function` (operands in, list out) at `primals`, and the tape of its derivative there."""
    trace = LinearizeTrace(context.trace)
    tracers = [trace.new_input(x) for x in primals]
    with use_trace(trace, closing=True):
        outs = function(*tracers)
    results, slots = [], []
    for x in outs:
        own = type(x) is LinearizeTracer and x.owner is trace
        results.append(x.primal if own else x)
        slots.append(x.slot if own else None)
    in_types = tuple(type_of(x) for x in primals)
    out_types = tuple(type_of(x) for x in results)
    return results, Tape(trace.entries, trace.slots, tuple(range(len(primals))), tuple(slots), in_types, out_types)


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


def not_differentiable_input(t: ArrayType) -> TransformationError:
    """The error for an input whose tangents are trivial."""
    return TransformationError(
        f"cannot differentiate with respect to an input of type {t}: only floating and complex arrays have tangents. "
        "Cast it with astype(float), or leave it out of argnums."
    )
