"""Loops and branches as native control flow: their bodies are segments.

    void loop(ptr operand0, ..., ptr result0, ..., ptr scratch)

A small carry lies on the stack, where it can become registers; of a large one there are two copies that take turns. From
time to time a loop looks whether the user wants it to stop: every ten milliseconds or so, by what its turns are thought to take.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Sequence
from typing import Any

from functorch_lite.extend import ArrayType, Equation, Program

from . import ir
from .intrinsics import copy_memory
from .segment import ON_STACK, Segment
from .steps import ALL_KINDS, Step, is_native
from .types import I1, I8, I32, I64, PTR, constant
from .unit import Unit

__all__ = ["CondStep", "ScanStep", "WhileStep"]

BETWEEN_LOOKS = 10e6
"""Nanoseconds; a look may have to wait for the GIL."""
MOST_TURNS = 1 << 18
"""A turn takes longer than the work in it."""


def _bytes(t: ArrayType) -> int:
    return t.size * t.dtype.itemsize


def _aligned(size: int) -> int:
    return -(-size // 64) * 64


def _at(b: Any, pointer: Any, offset: Any) -> Any:
    return b.gep(pointer, [constant(I64, offset) if isinstance(offset, int) else offset], source_etype=I8)


def _all_native(program: Program) -> bool:
    return all(map(is_native, program.equations))


class _Carry:
    """The memory of a loop's carry: where a turn reads it and where it writes the next."""

    def __init__(
        self,
        unit: Unit,
        b: Any,
        types: Sequence[ArrayType],
        results: Sequence[Any],
        scratch: Any,
        stays: Container[int] = (),
    ):
        self.unit = unit
        self.sizes = [_bytes(t) for t in types]
        self.results = results
        self.small = [n <= ON_STACK and k not in stays for k, n in enumerate(self.sizes)]
        self.now: list[Any] = []
        self.next: list[Any] = []
        offset = 0
        for k, (n, small, result) in enumerate(zip(self.sizes, self.small, results, strict=True)):
            if k in stays:  # changed in place
                pair = [result, result]
            elif small:
                pair = [b.alloca(ir.ArrayType(I8, n)) for _ in range(2)]
                for p in pair:
                    p.align = 64
            else:
                pair = [result, _at(b, scratch, offset)]
                offset += _aligned(n)
            self.now.append(pair[0])
            self.next.append(pair[1])

    @staticmethod
    def scratch(types: Sequence[ArrayType], stays: Container[int]) -> int:
        """How many bytes the second copies take."""
        return sum(_aligned(_bytes(t)) for k, t in enumerate(types) if k not in stays and _bytes(t) > ON_STACK)

    def start(self, b: Any, operands: Sequence[Any]) -> None:
        for p, x, n in zip(self.now, operands, self.sizes, strict=True):
            copy_memory(b, p, x, n)

    def enter(self, b: Any, before: Any) -> None:
        """At the head of the loop: the copies that have changed places."""
        self.first = list(zip(self.now, self.next, strict=True))
        self.phis = []
        for i, small in enumerate(self.small):
            if not small:
                pair = (b.phi(PTR), b.phi(PTR))
                for phi, p in zip(pair, self.first[i], strict=True):
                    phi.add_incoming(p, before)
                self.now[i], self.next[i] = pair
                self.phis.append(pair)

    def turn(self, b: Any) -> None:
        """At the end of a turn."""
        for p, q, n, small in zip(self.now, self.next, self.sizes, self.small, strict=True):
            if small:
                copy_memory(b, p, q, n)
        for now, later in self.phis:
            now.add_incoming(later, b.block)
            later.add_incoming(now, b.block)

    def finish(self, b: Any) -> None:
        """Behind the loop: the last carry into the results."""
        for p, result, n, small in zip(self.now, self.results, self.sizes, self.small, strict=True):
            if small:
                copy_memory(b, result, p, n)
            else:
                elsewhere = b.icmp_unsigned("!=", p, result)
                with b.if_then(elsewhere):
                    copy_memory(b, result, p, n)


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

    function: Any

    def make_function(self) -> Any:
        n = len(self.equation.operands) + len(self.equation.results) + 1
        return self.unit.function(self.unit.name("loop"), ir.VoidType(), [PTR] * n)

    def emit(self, b: Any, operands: Sequence[Any], results: Sequence[Any], scratch: Any) -> None:
        b.call(self.function, [*operands, *results, scratch])

    def emit_turns(
        self,
        b: Any,
        state: _Carry,
        more: Callable[[Any], Any],
        turn: Callable[[Any], None],
        duration: float,
    ) -> None:
        """Turns, and the end of the function.

        Args:
          more: of the number of the turn: whether there is one.
          turn: of its number: what it does.
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
        turn(i)
        state.turn(b)
        i.add_incoming(b.add(i, constant(I64, 1)), b.block)
        b.branch(head)
        b.position_at_end(done)
        state.finish(b)
        b.ret_void()

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
        return _all_native(equation.params["body"])

    def __init__(self, unit: Unit, equation: Equation):
        super().__init__(unit, equation)
        p = equation.params
        n_carry = p["n_carry"]
        self.body = Segment(unit, p["body"], unit.name("turn"), {p["n_consts"] + k: k for k in range(n_carry)})
        self.carry_types = [v.type for v in equation.results[:n_carry]]
        self.carry_scratch = _Carry.scratch(self.carry_types, self.body.stays)
        self.scratch = self.carry_scratch + self.body.arena
        self.function = self.make_function()
        self.emit_function()

    @property
    def duration(self) -> float:
        return self.equation.params["length"] * self.body.duration

    def emit_function(self) -> None:
        p, equation = self.equation.params, self.equation
        n_consts, n_carry, length = p["n_consts"], p["n_carry"], p["length"]
        arguments = list(self.function.args)
        operands, results = arguments[: len(equation.operands)], arguments[len(equation.operands) : -1]
        scratch = arguments[-1]
        consts, carry, xs = operands[:n_consts], operands[n_consts : n_consts + n_carry], operands[n_consts + n_carry :]
        x_sizes = [_bytes(a.type) // length for a in equation.operands[n_consts + n_carry :]]
        y_sizes = [_bytes(v.type) // length for v in equation.results[n_carry:]]
        b = ir.IRBuilder(self.function.append_basic_block("entry"))
        state = _Carry(self.unit, b, self.carry_types, results[:n_carry], scratch, self.body.stays)
        state.start(b, carry)
        arena = _at(b, scratch, self.carry_scratch)

        def turn(i: Any) -> None:
            row = b.sub(constant(I64, length - 1), i) if p["reverse"] else i
            offsets = {n: b.mul(row, constant(I64, n)) for n in dict.fromkeys((*x_sizes, *y_sizes))}
            rows = [_at(b, x, offsets[n]) for x, n in zip(xs, x_sizes, strict=True)]
            ys = [_at(b, y, offsets[n]) for y, n in zip(results[n_carry:], y_sizes, strict=True)]
            b.call(self.body.function, [*consts, *state.now, *rows, *state.next, *ys, arena])

        self.emit_turns(b, state, lambda i: b.icmp_signed("<", i, constant(I64, length)), turn, self.body.duration)


class WhileStep(_Loop):
    """`while` without rows of results (those have a length that only the run knows)."""

    @classmethod
    def accepts(cls, equation: Equation) -> bool:
        p = equation.params
        n_carry = len(equation.operands) - p["n_cond"] - p["n_body"]
        return len(equation.results) == n_carry and _all_native(p["body"]) and _all_native(p["cond"])

    def __init__(self, unit: Unit, equation: Equation):
        super().__init__(unit, equation)
        p = equation.params
        self.test = Segment(unit, p["cond"], unit.name("test"))
        self.body = Segment(
            unit, p["body"], unit.name("turn"), {p["n_body"] + k: k for k in range(len(equation.results))}
        )
        self.carry_types = [v.type for v in equation.results]
        self.carry_scratch = _Carry.scratch(self.carry_types, self.body.stays)
        self.scratch = self.carry_scratch + max(self.body.arena, self.test.arena)
        self.function = self.make_function()
        self.emit_function()

    @property
    def duration(self) -> float:
        return math.inf

    def emit_function(self) -> None:
        p, equation = self.equation.params, self.equation
        arguments = list(self.function.args)
        operands, results = arguments[: len(equation.operands)], arguments[len(equation.operands) : -1]
        tested, consts = operands[: p["n_cond"]], operands[p["n_cond"] : p["n_cond"] + p["n_body"]]
        b = ir.IRBuilder(self.function.append_basic_block("entry"))
        answer = b.alloca(I8)
        state = _Carry(self.unit, b, self.carry_types, results, arguments[-1], self.body.stays)
        state.start(b, operands[p["n_cond"] + p["n_body"] :])
        arena = _at(b, arguments[-1], self.carry_scratch)

        def more(i: Any) -> Any:
            b.call(self.test.function, [*tested, *state.now, answer, arena])
            return b.icmp_unsigned("!=", b.load(answer, typ=I8), constant(I8, 0))

        def turn(i: Any) -> None:
            b.call(self.body.function, [*consts, *state.now, *state.next, arena])

        self.emit_turns(b, state, more, turn, self.test.duration + self.body.duration)


class CondStep(Step):
    """`cond` and `switch`: a jump to the branch's segment."""

    kinds = ALL_KINDS

    @classmethod
    def accepts(cls, equation: Equation) -> bool:
        return all(map(_all_native, equation.params["branches"]))

    def __init__(self, unit: Unit, equation: Equation):
        super().__init__(unit, equation)
        self.branches = [Segment(unit, branch, unit.name("branch")) for branch in equation.params["branches"]]
        self.scratch = max(s.arena for s in self.branches)

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
            b.call(self.branches[k].function, [*operands[1:], *results, scratch])
            b.branch(done)
        b.position_at_end(done)
