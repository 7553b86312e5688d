"""A run of native equations as one LLVM function.

    void segment(ptr input0, ..., ptr output0, ..., ptr arena)

Intermediate values lie where `memory.plan` puts them: in the arena, or in results that are not written yet; small ones on the
stack, where they can become registers.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Container, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from functorch_lite.extend import Equation, Literal, Program, Var, has_dim

from . import ir
from .elements import computed_elements
from .intrinsics import copy_memory
from .memory import ON_STACK, Interval, plan
from .sequence_code import release
from .sequences import byte_count
from .steps import FusionStep, Step, step
from .types import I8, I64, PTR, constant
from .unit import Unit

__all__ = ["Segment"]

NEXT_TO_NOTHING = 1e-3
"""Of the time, that is so much."""
UNNOTICED = 40.0
"""And so many nanoseconds, in a call from Python."""


class Segment:
    """Emits the function of a program whose equations are all native.

    Attributes:
      function: the LLVM function.
      arena: how many bytes it needs.
      duration: about how many nanoseconds it takes, for one thread.
      stays: outputs that are made in the memory of an input that may be overwritten; the caller gives no other for them.
    """

    def __init__(
        self, unit: Unit, program: Program, name: str, overwritten: Mapping[int, int] | None = None, lends: bool = False
    ):
        """Emit it.

        Args:
          unit: the module.
          program: the equations.
          name: of the function.
          overwritten: inputs whose memory may be overwritten, each with the output that may be made there.
          lends: whether values may lie in outputs before these are written. The turns of a loop rather use the same memory.
        """
        self.unit = unit
        computed = computed_elements(program)
        program = program.replace(equations=[e for e in program.equations if computed.keys().isdisjoint(e.results)])
        self.program = program
        self.overwritten = {program.inputs[i]: k for i, k in (overwritten or {}).items()}
        self.steps: list[Step] = [self.made(e) for e in program.equations]
        for s in self.steps:
            s.compute(computed)
        self.left_out = self.leave_zeros()
        self.duration = sum(s.duration for s in self.steps)
        pairs = zip(program.equations, self.steps, strict=True)
        places = ((e.results[0], s.pointer()) for e, s in pairs if len(e.results) == 1)
        self.given = {v: place for v, place in places if place is not None}
        self.roots = self.find_roots()
        self.stays = frozenset(
            k for v, k in self.overwritten.items() if self.root_of(program.outputs[k], self.roots) is v
        )
        self.targets = self.find_targets()
        self.places, self.arena = self.plan_memory(lends)
        n_in, n_out = len(program.inputs), len(program.outputs)
        self.function = unit.function(name, ir.VoidType(), [PTR] * (n_in + n_out + 1))
        for argument in self.function.args:
            argument.add_attribute("noalias")
        self.emit()

    def made(self, equation: Equation) -> Step:
        """The step of an equation."""
        made, names = self.unit.noting(lambda: step(self.unit, equation))
        self.unit.losses.tell(names, made.loss)
        if self.unit.losses.turns == 1.0:
            self.unit.awaited.update(names)
            self.unit.settle()
        return made

    def hurry_small_nests(self) -> None:
        """Have the nests compiled quickly that take next to nothing of the time, all together; for what is run once a call."""
        if self.duration == math.inf:
            return
        steps = Counter(s.nest for s in self.steps if isinstance(s, FusionStep))
        spent = 0.0
        for nest, users in sorted(steps.items(), key=lambda item: item[0].duration * item[1]):
            spent += nest.duration * users
            if spent > max(NEXT_TO_NOTHING * self.duration, UNNOTICED):
                return
            if nest.users == users:
                nest.hurry()

    def leave_zeros(self) -> set[Var]:
        """Have steps make the zeros that only they need; gives these values."""
        equations = self.program.equations
        readers: dict[Any, list[tuple[Step, int]]] = {}
        for s in self.steps:
            for k, a in enumerate(s.operands):
                readers.setdefault(a, []).append((s, k))
        made = (
            e.results[0]
            for e, s in zip(equations, self.steps, strict=True)
            if isinstance(s, FusionStep) and s.makes_zeros
        )
        zeros = {v for v in made if v not in self.program.outputs and all(k in s.clears for s, k in readers.get(v, ()))}
        for v in zeros:
            for s, k in readers.get(v, ()):
                s.cleared |= {k}
        return zeros

    def find_roots(self) -> dict[Var, Any]:
        """For each value, the one whose memory it shares."""
        roots: dict[Var, Any] = {v: v for v in self.program.inputs}
        last = self.last_reads()
        outputs = {a for a in self.program.outputs if isinstance(a, Var)}
        until = {v: last.get(v, -1) if v in self.overwritten else len(self.steps) for v in roots}
        """The last step that needs a root's memory as it is; most inputs always."""
        for i, (equation, s) in enumerate(zip(self.program.equations, self.steps, strict=True)):
            given = [self.root_of(a, roots) for a in s.operands]
            taken: set[Any] = set()
            for k, v in enumerate(equation.results):
                if s.view and given[0] is not None:
                    root = given[0]
                else:
                    root = next(
                        (r for r in self.overlaid(s, k, v, given, outputs) if until[r] <= i and r not in taken), v
                    )
                taken.add(root)
                roots[v] = root
                until[root] = len(self.steps) if v in self.given else max(until.get(root, i), last.get(v, i))
        return roots

    def overlaid(self, s: Step, k: int, v: Var, given: Sequence[Any], outputs: Container[Var]) -> list[Any]:
        """The memory that result k of a step may take if nothing else needs it: best that of the output that it is."""
        found = [r for r in (given[j] for j in s.overlays(k)) if r is not None and given.count(r) == 1]
        own = [r for r in found if r in self.overwritten and self.program.outputs[self.overwritten[r]] is v]
        others = [r for r in found if r not in self.overwritten or v not in outputs]
        return own + others

    def root_of(self, a: Any, roots: Mapping[Var, Any]) -> Any:
        return roots[a] if isinstance(a, Var) else None

    def last_reads(self) -> dict[Var, int]:
        """For each value the last step that reads it; for the program's results the step after all."""
        last: dict[Var, int] = {}
        for i, s in enumerate(self.steps):
            last.update({a: i for a in s.operands if isinstance(a, Var)})
        last.update({a: len(self.steps) for a in self.program.outputs if isinstance(a, Var)})
        return last

    def find_targets(self) -> dict[Var, int]:
        """The values that are computed right where an output belongs."""
        targets: dict[Var, int] = {}
        elsewhere = {*self.program.inputs, *self.given}
        for k, a in enumerate(self.program.outputs):
            if isinstance(a, Var):
                root = self.roots[a]
                if root not in elsewhere and root not in targets:
                    targets[root] = k
        return targets

    def plan_memory(self, lends: bool) -> tuple[dict[Any, tuple[int | None, int]], int]:
        """(the output, or None for the arena; the offset) of each value and each step's scratch; the size of the arena."""
        first: dict[Var, int] = {}
        last: dict[Var, int] = {}
        for i, (equation, s) in enumerate(zip(self.program.equations, self.steps, strict=True)):
            for v in equation.results:
                first.setdefault(self.roots[v], i)
                last[self.roots[v]] = i
            for a in s.operands:
                if isinstance(a, Var):
                    last[self.roots[a]] = i
        end = len(self.steps)
        for a in self.program.outputs:
            if isinstance(a, Var):
                last[self.roots[a]] = end
        elsewhere = {*self.program.inputs, *self.given}
        self.on_stack: list[Var] = []
        keys: list[Any] = []
        intervals = []
        self.released: list[list[Var]] = [[] for _ in range(end + 1)]
        """After each step the sequences that nobody reads any more."""
        for v in first:
            if has_dim(v.type.shape):
                self.released[last[v]].append(v)
        for v, i in first.items():
            if v in elsewhere or v in self.targets:
                continue
            size = byte_count(v.type)
            if size <= ON_STACK:
                self.on_stack.append(v)
                continue
            keys.append(v)
            intervals.append(Interval(i, last[v], size))
        for i, s in enumerate(self.steps):
            if s.scratch:
                keys.append(i)
                intervals.append(Interval(i, i, s.scratch, aligned=True))
        lenders = list(self.targets.items()) if lends else []
        places, total = plan(intervals, [(first[v], byte_count(v.type)) for v, _ in lenders])
        memories = [*(k for _, k in lenders), None]
        return {key: (memories[m], offset) for key, (m, offset) in zip(keys, places, strict=True)}, total

    def emit(self) -> None:
        program = self.program
        b = ir.IRBuilder(self.function.append_basic_block("entry"))
        arguments = list(self.function.args)
        n_in, n_out = len(program.inputs), len(program.outputs)
        outputs, arena = arguments[n_in : n_in + n_out], arguments[-1]
        pointers: dict[Any, Any] = dict(zip(program.inputs, arguments[:n_in], strict=True))
        pointers.update(self.given)
        for v, k in self.targets.items():
            pointers[v] = outputs[k]
        for v in self.on_stack:
            slot: Any = b.alloca(ir.ArrayType(I8, byte_count(v.type)))
            slot.align = 64
            pointers[v] = slot
        for key, (k, offset) in self.places.items():
            memory = arena if k is None else outputs[k]
            pointers[key] = b.gep(memory, [constant(I64, offset)], source_etype=I8) if offset else memory

        def pointer(a: Any) -> Any:
            if isinstance(a, Literal):
                return self.unit.constant(np.asarray(a.value))
            return pointers[self.roots[a]]

        there = {*self.given, *self.left_out}
        for i, (equation, s) in enumerate(zip(program.equations, self.steps, strict=True)):
            if not s.view and not (equation.results and equation.results[0] in there):
                operands = [pointer(a) for a in s.operands]
                results = [pointers[self.roots[v]] for v in equation.results]
                emit = partial(s.emit, b, operands, results, pointers.get(i, arena))
                self.unit.losses.tell(self.unit.noting(emit)[1], s.loss)
            for v in self.released[i]:
                release(self.unit, b, v.type, pointers[v])
        for k, a in enumerate(program.outputs):
            if k not in self.stays and (not isinstance(a, Var) or self.targets.get(self.roots[a]) != k):
                copy_memory(b, outputs[k], pointer(a), byte_count(a.type))
        b.ret_void()
