"""Tapes: what the linearization of a function leaves, entry by entry; walked backwards for cotangents.

An entry is the linearization of one operation with the residuals of its known part. On concrete arrays both parts are
ready-made closures over buffers, else programs that are evaluated by `bind`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..array_type import ArrayType
from ..arrays import Array, eager
from ..backend import Backend
from ..passes import executable
from ..primitive import Zero
from ..primitives.base import add
from ..program import Program
from ..promotion import flagged
from ..staging import evaluate
from ..tracing import Tracer, context
from .transpose import backward_pass, transpose_program

__all__ = ["Entry", "Linearization", "Tape"]


class Linearization:
    """How an operation splits into a part that is known now, and one that is linear in the tangents.

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
        entries = self.entries if consume else list(self.entries)
        while entries:
            rule, residuals, ins, outs, _ = entries.pop()
            if len(outs) == 1:
                at = outs[0]
                ct = cts[at]
                if ct is None:
                    continue
                cts[at] = None
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

    def split(self) -> tuple[list[Any], Any]:
        """The residuals, each once, and an outline that says what belongs where: equal for equal computations."""
        leaves: list[Any] = []
        places: dict[int, int] = {}
        rows = []
        for entry in self.entries:
            rule, residuals, ins, outs, _ = entry
            for x, full, t in zip(residuals, _residual_operands(entry), rule.linear.in_types, strict=False):
                if id(x) not in places:
                    places[id(x)] = len(leaves)
                    leaves.append(flagged(full, t.weak))
            rows.append((rule, tuple(places[id(x)] for x in residuals), tuple(ins), tuple(outs)))
        return leaves, (tuple(rows), *self[1:])

    @staticmethod
    def joined(outline: Any, leaves: Sequence[Any]) -> Tape:
        """The inverse of `split`."""
        rows, *rest = outline
        return Tape([(rule, [leaves[i] for i in at], ins, outs, None) for rule, at, ins, outs in rows], *rest)
