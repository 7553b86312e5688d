"""Loops, branches and calls as native control flow: their bodies are segments.

    void loop(ptr operand0, ..., ptr result0, ..., ptr scratch)

What they stack is a sequence where only the run decides how many turns there are (`sequences.py`): `while` lets it grow, and a
scan goes over it. From time to time a loop looks whether the user wants it to stop: every ten milliseconds or so, by what its turns
are thought to take.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from functorch_lite.extend import Atom, Equation, Program, dead_code, has_dim

from . import ir
from .carry import Carry, moved
from .intrinsics import clear_memory
from .segment import Segment
from .sequence_code import Growing, make_rows, row_bytes, rows_of, shortest
from .sequences import byte_count
from .steps import ALL_KINDS, Step, all_native
from .types import I1, I8, I32, I64, PTR, constant
from .unit import Unit

__all__ = ["CallStep", "CondStep", "ScanStep", "WhileStep"]

TURN = 10.0
"""Nanoseconds that a turn takes besides the work in it: it waits for the one before."""
BETWEEN_LOOKS = 10e6
"""Nanoseconds; a look may have to wait for the GIL."""
MOST_TURNS = 1 << 18
"""A turn takes longer than the work in it."""


def _raised(unit: Unit) -> Any:
    """A function that tells whether there is an exception, now that handlers of signals have run; with or without the GIL."""

    def make() -> Any:
        function = unit.function("raised", I1, [])
        b = ir.IRBuilder(function.append_basic_block("entry"))

        def call(name: str, result: Any, *args: Any) -> Any:
            return unit.call_outside(b, f"python.{name}", result, args)

        state = call("PyGILState_Ensure", I32)
        before = call("PyErr_Occurred", PTR)  # an inner loop may have been left
        start, ask, done = b.block, function.append_basic_block("ask"), function.append_basic_block("done")
        b.cbranch(b.icmp_unsigned("==", before, ir.Constant(PTR, None)), ask, done)
        b.position_at_end(ask)
        now = b.icmp_signed("!=", call("PyErr_CheckSignals", I32), constant(I32, 0))
        b.branch(done)
        b.position_at_end(done)
        answer = b.phi(I1)
        answer.add_incoming(constant(I1, 1), start)
        answer.add_incoming(now, ask)
        call("PyGILState_Release", ir.VoidType(), state)
        b.ret(answer)
        return function

    return unit.shared("raised", make)


class _Loop(Step):
    """What scan and while share: the function, the turns, the look at signals."""

    kinds = ALL_KINDS
    sequences = True

    function: Any

    def make_function(self) -> Any:
        n = len(self.equation.operands) + len(self.equation.results) + 1
        return self.unit.function(self.unit.name("loop"), ir.VoidType(), [PTR] * n)

    def emit(self, b: Any, operands: Sequence[Any], results: Sequence[Any], scratch: Any) -> None:
        b.call(self.function, [*operands, *results, scratch])

    @property
    def loss(self) -> float:
        return self.length * TURN

    @property
    def length(self) -> float:
        """How many turns there are; infinite where only the run decides."""
        length = self.equation.params.get("length")
        return length if type(length) is int else math.inf

    def emit_turns(
        self,
        b: Any,
        state: Carry,
        more: Callable[[Any], Any],
        turn: Callable[[Any, Any], None],
        duration: float,
    ) -> Any:
        """Turns; gives how many there were, behind them.

        Args:
          more: of the number of the turn: whether there is one.
          turn: of its number, and where to go to end the loop: what it does.
          duration: what a turn is thought to take.
        """
        head, body, done = (self.function.append_basic_block(n) for n in ("head", "body", "done"))
        before = b.block
        b.branch(head)
        b.position_at_end(head)
        i = b.phi(I64)
        i.add_incoming(constant(I64, 0), before)
        state.enter(b, before)
        b.cbranch(more(i), body, done)
        b.position_at_end(body)
        self.look(b, i, done, duration)
        turn(i, done)
        state.turn(b)
        i.add_incoming(b.add(i, constant(I64, 1)), b.block)
        b.branch(head)
        b.position_at_end(done)
        state.finish(b)
        return i

    def look(self, b: Any, i: Any, stop: Any, duration: float) -> None:
        """Every so many turns: leave if a signal's handler raised (the entry sees the exception)."""
        turns = 1
        while turns < MOST_TURNS and 2 * turns * duration < BETWEEN_LOOKS:
            turns *= 2
        due = b.icmp_unsigned("==", b.and_(i, constant(I64, turns - 1)), constant(I64, turns - 1))
        ask, go_on = b.function.append_basic_block("look"), b.function.append_basic_block("go_on")
        b.cbranch(due, ask, go_on)
        b.position_at_end(ask)
        self.unit.interruptible = True
        b.cbranch(b.call(_raised(self.unit), []), stop, go_on)
        b.position_at_end(go_on)


class ScanStep(_Loop):
    """`scan`: rows go straight in, and straight to their place in the results."""

    @classmethod
    def accepts(cls, equation: Equation) -> bool:
        carry = equation.results[: equation.params["n_carry"]]
        return not _any_sequence(carry) and _has_length(equation) and all_native(equation.params["body"])

    def __init__(self, unit: Unit, equation: Equation):
        super().__init__(unit, equation)
        p = equation.params
        n_carry = p["n_carry"]
        with unit.losses.repeated(self.length):
            self.body = Segment(unit, p["body"], unit.name("turn"), {p["n_consts"] + k: k for k in range(n_carry)})
        self.carry_types = [v.type for v in equation.results[:n_carry]]
        self.carry_scratch = Carry.scratch(self.carry_types, self.body.stays)
        self.scratch = self.carry_scratch + self.body.arena
        unit.bodies.append(self.body.function.name)
        self.function = self.make_function()
        self.emit_function()

    @property
    def duration(self) -> float:
        return self.length * (self.body.duration + TURN)

    def emit_function(self) -> None:
        p, equation = self.equation.params, self.equation
        n_consts, n_carry = p["n_consts"], p["n_carry"]
        arguments = list(self.function.args)
        operands, results = arguments[: len(equation.operands)], arguments[len(equation.operands) : -1]
        scratch = arguments[-1]
        consts, carry, xs = operands[:n_consts], operands[n_consts : n_consts + n_carry], operands[n_consts + n_carry :]
        x_types = [a.type for a in equation.operands[n_consts + n_carry :]]
        y_types = [v.type for v in equation.results[n_carry:]]
        b = ir.IRBuilder(self.function.append_basic_block("entry"))
        state = Carry(self.unit, b, self.carry_types, results[:n_carry], scratch, self.body.stays)
        state.start(b, carry)
        arena = moved(b, scratch, self.carry_scratch)
        length = constant(I64, p["length"]) if type(p["length"]) is int else shortest(b, x_types, xs)
        starts = [rows_of(b, t, x) for t, x in zip(x_types, xs, strict=True)]
        for t, y in zip(y_types, results[n_carry:], strict=True):
            start, length = make_rows(self.unit, b, t, y, length)
            starts.append(start)
        sizes = [row_bytes(t) for t in (*x_types, *y_types)]

        def turn(i: Any, stop: Any) -> None:
            row = b.sub(b.sub(length, constant(I64, 1)), i) if p["reverse"] else i
            offsets = {n: b.mul(row, constant(I64, n)) for n in dict.fromkeys(sizes)}
            rows = [moved(b, start, offsets[n]) for start, n in zip(starts, sizes, strict=True)]
            given, made = rows[: len(xs)], rows[len(xs) :]
            b.call(self.body.function, [*consts, *state.now, *given, *state.next, *made, arena])

        self.emit_turns(b, state, lambda i: b.icmp_signed("<", i, length), turn, self.body.duration)
        b.ret_void()


def _has_length(scan: Equation) -> bool:
    """Whether the length is known, or that of a sequence that it goes over."""
    p = scan.params
    return type(p["length"]) is int or len(scan.operands) > p["n_consts"] + p["n_carry"]


def _any_sequence(atoms: Sequence[Atom]) -> bool:
    return any(has_dim(a.type.shape) for a in atoms)


class WhileStep(_Loop):
    """`while`: rows go straight to their place in sequences that grow."""

    @classmethod
    def accepts(cls, equation: Equation) -> bool:
        p = equation.params
        carry = equation.operands[p["n_cond"] + p["n_body"] :]
        return not _any_sequence(carry) and all_native(p["body"]) and all_native(p["cond"])

    def __init__(self, unit: Unit, equation: Equation):
        super().__init__(unit, equation)
        p = equation.params
        self.n_carry = len(equation.operands) - p["n_cond"] - p["n_body"]
        with unit.losses.repeated(self.length):
            self.test = Segment(unit, p["cond"], unit.name("test"))
            self.body = Segment(unit, p["body"], unit.name("turn"), {p["n_body"] + k: k for k in range(self.n_carry)})
        unit.bodies.append(self.test.function.name)
        self.carry_types = [v.type for v in equation.results[: self.n_carry]]
        self.carry_scratch = Carry.scratch(self.carry_types, self.body.stays)
        self.scratch = self.carry_scratch + max(self.body.arena, self.test.arena)
        unit.bodies.append(self.body.function.name)
        self.function = self.make_function()
        self.emit_function()

    @property
    def duration(self) -> float:
        return math.inf

    def emit_function(self) -> None:
        p, equation, n_carry = self.equation.params, self.equation, self.n_carry
        arguments = list(self.function.args)
        operands, results = arguments[: len(equation.operands)], arguments[len(equation.operands) : -1]
        tested, consts = operands[: p["n_cond"]], operands[p["n_cond"] : p["n_cond"] + p["n_body"]]
        b = ir.IRBuilder(self.function.append_basic_block("entry"))
        answer = b.alloca(I8)
        state = Carry(self.unit, b, self.carry_types, results[:n_carry], arguments[-1], self.body.stays)
        rows = Growing(self.unit, b, [v.type for v in equation.results[n_carry:]], results[n_carry:])
        state.start(b, operands[p["n_cond"] + p["n_body"] :])
        arena = moved(b, arguments[-1], self.carry_scratch)

        def more(i: Any) -> Any:
            b.call(self.test.function, [*tested, *state.now, answer, arena])
            return b.icmp_unsigned("!=", b.load(answer, typ=I8), constant(I8, 0))

        def turn(i: Any, stop: Any) -> None:
            ys = rows.next(b, i, stop)
            b.call(self.body.function, [*consts, *state.now, *state.next, *ys, arena])

        rows.finish(b, self.emit_turns(b, state, more, turn, self.test.duration + self.body.duration))
        b.ret_void()


class CallStep(Step):
    """`checkpoint`: a call that is not inlined, for what it computes anew would be found to be there."""

    kinds = ALL_KINDS
    sequences = True

    @classmethod
    def accepts(cls, equation: Equation) -> bool:
        return all_native(equation.params["program"])

    def __init__(self, unit: Unit, equation: Equation):
        super().__init__(unit, equation)
        self.body = Segment(unit, equation.params["program"], unit.name("call"))
        self.scratch = self.body.arena

    @property
    def loss(self) -> float:
        return 0.0

    @property
    def duration(self) -> float:
        return self.body.duration

    def emit(self, b: Any, operands: Sequence[Any], results: Sequence[Any], scratch: Any) -> None:
        b.call(self.body.function, [*operands, *results, scratch])


class CondStep(Step):
    """`cond` and `switch`: a jump to the branch's segment."""

    kinds = ALL_KINDS
    sequences = True

    @classmethod
    def accepts(cls, equation: Equation) -> bool:
        return all(all_native(branch) for branch, _ in map(_without_empty, equation.params["branches"]))

    def __init__(self, unit: Unit, equation: Equation):
        super().__init__(unit, equation)
        branches, self.empty = zip(*map(_without_empty, equation.params["branches"]), strict=True)
        self.branches = [Segment(unit, branch, unit.name("branch")) for branch in branches]
        self.scratch = max(s.arena for s in self.branches)

    @property
    def loss(self) -> float:
        return 0.0

    @property
    def duration(self) -> float:
        return max(s.duration for s in self.branches)

    def emit(self, b: Any, operands: Sequence[Any], results: Sequence[Any], scratch: Any) -> None:
        which = b.load(operands[0], typ=I32)
        blocks = [b.function.append_basic_block(f"branch{k}") for k in range(len(self.branches))]
        done = b.function.append_basic_block("chosen")
        low = b.icmp_signed("<", which, constant(I32, 0))
        switch = b.switch(b.select(low, constant(I32, 0), which), blocks[-1])
        for k, block in enumerate(blocks):
            if k + 1 < len(blocks):
                switch.add_case(constant(I32, k), block)
            b.position_at_end(block)
            for i in self.empty[k]:
                clear_memory(b, results[i], constant(I64, byte_count(self.equation.results[i].type)))
            made = [x for i, x in enumerate(results) if i not in self.empty[k]]
            b.call(self.branches[k].function, [*operands[1:], *made, scratch])
            b.branch(done)
        b.position_at_end(done)


def _without_empty(branch: Program) -> tuple[Program, set[int]]:
    """A branch without the results that have no elements: other branches give sequences there, this one headers of nothing."""
    empty = {i for i, t in enumerate(branch.out_types) if 0 in t.shape}
    if not empty:
        return branch, empty
    return dead_code(branch.replace(outputs=[a for i, a in enumerate(branch.outputs) if i not in empty])), empty
