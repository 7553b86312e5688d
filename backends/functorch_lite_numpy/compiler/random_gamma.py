"""Gamma variates, element by element: the very draws of `primitives/random_gamma.py`, which says how they are made.

They have eager mode's bits, for logarithms and powers are NumPy's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from functorch_lite.extend import Equation

from . import ir
from .functions import Slot, at, load, number, store
from .intrinsics import intrinsic
from .outside import ufunc_loop
from .pieces import turns_in_pieces
from .random_bits import WORD, NormalStep, threefry, uniform
from .types import I32, PTR, constant, lanes, register_type, splat

__all__ = ["GammaStep"]

NANOSECONDS = 300.0
"""Of a variate, for one thread."""
LANES = 4
WIDE, WORDS = np.dtype(np.int64), 9
"""A call of NumPy takes two operands, three addresses, their number, three steps."""

Key = tuple[Any, Any]


class GammaStep(NormalStep):
    """`random_gamma`."""

    kinds = "uf"

    @classmethod
    def accepts(cls, equation: Equation) -> bool:
        dtype = equation.results[0].type.dtype
        return super().accepts(equation) and all(ufunc_loop(name, dtype) for name in ("log", "power"))

    def __init__(self, unit: Any, equation: Equation):
        super().__init__(unit, equation)
        self.log_space = equation.params["log_space"]
        self.scratch = WORDS * 8

    @property
    def duration(self) -> float:
        return NANOSECONDS * self.keys

    def write(self, b: Any, operands: Sequence[Any], results: Sequence[Any], scratch: Any) -> None:
        pointers = [*operands, *results]
        turns_in_pieces(self.unit, b, self.keys, self.duration, pointers, (scratch, self.scratch), self.element)

    def element(self, b: Any, pointers: Sequence[Any], scratch: Any, i: Any) -> None:
        keys, shapes, out = pointers
        one, third = self.number(1.0), self.number(1 / 3)
        first = b.mul(i, number(2))
        key = load(b, at(b, keys, first, WORD), WORD), load(b, at(b, keys, b.add(first, number(1)), WORD), WORD)
        a = load(b, at(b, shapes, i, self.result), self.result)
        valid, large = (b.fcmp_ordered(op, a, self.number(n)) for op, n in ((">", 0.0), (">=", 1.0)))
        d = b.fsub(b.select(valid, b.select(large, a, b.fadd(a, one)), one), third)
        c = b.fdiv(third, intrinsic(b, "sqrt", d))
        for_attempts, for_power = self.split(b, key, 2)
        v = self.accepted(b, for_attempts, d, c, scratch)
        u = self.uniform(b, for_power)
        if self.log_space:
            value = Slot(b, b.fadd(*(self.exact(b, scratch, "log", y) for y in (d, v))))
        else:
            value = Slot(b, b.fmul(d, v))
        with b.if_then(b.and_(valid, b.not_(large))):
            rest, power = b.fsub(one, u), b.fdiv(one, a)
            if self.log_space:
                logarithm = self.exact(b, scratch, "log1p", b.fneg(u))
                nothing = b.fcmp_ordered("==", logarithm, self.number(0.0))
                more = b.select(nothing, self.number(0.0), b.fmul(logarithm, power))
                value.set(b.fadd(value.get(), more))
            else:
                value.set(b.fmul(value.get(), self.exact(b, scratch, "power", rest, power)))
        store(b, b.select(valid, value.get(), self.number(float("nan"))), at(b, out, i, self.result), self.result)

    def accepted(self, b: Any, key: Key, d: Any, c: Any, scratch: Any) -> Any:
        """V of the first attempt that is taken."""
        one, half = self.number(1.0), self.number(0.5)
        attempt, draw, test, doubt, taken = (
            b.append_basic_block(n) for n in ("attempt", "draw", "test", "doubt", "taken")
        )
        of_attempt, of_draw, of_test = (self.key_slots(b, key) for _ in range(3))
        b.branch(attempt)
        b.position_at_end(attempt)
        for slots, new in zip((of_attempt, of_draw, of_test), self.split(b, get(of_attempt), 3), strict=True):
            put(slots, new)
        b.branch(draw)
        b.position_at_end(draw)
        following, own = self.split(b, get(of_draw), 2)
        put(of_draw, following)
        x = self.normal(b, own, scratch)
        root = b.fadd(one, b.fmul(x, c))
        b.cbranch(b.fcmp_ordered("<=", root, self.number(0.0)), draw, test)
        b.position_at_end(test)
        v = b.fmul(b.fmul(root, root), root)
        square = b.fmul(x, x)
        u = self.uniform(b, get(of_test))
        bound = b.fsub(one, b.fmul(self.number(0.0331), b.fmul(square, square)))
        b.cbranch(b.fcmp_ordered("<", u, bound), taken, doubt)
        b.position_at_end(doubt)
        log_u, log_v = (self.exact(b, scratch, "log", y) for y in (u, v))
        bound = b.fadd(b.fmul(square, half), b.fmul(d, b.fadd(b.fsub(one, v), log_v)))
        b.cbranch(b.fcmp_ordered("<", log_u, bound), taken, attempt)
        b.position_at_end(taken)
        return v

    def key_slots(self, b: Any, key: Key) -> tuple[Slot, Slot]:
        return Slot(b, key[0]), Slot(b, key[1])

    def number(self, x: float) -> Any:
        return constant(register_type(self.result), float(self.result.type(x)))

    def split(self, b: Any, key: Key, n: int) -> list[Key]:
        """The first keys under a key."""
        type = ir.VectorType(I32, LANES)
        k0, k1 = (splat(b, k, LANES) for k in key)
        both = threefry(b, k0, k1, constant(type, 0), lanes(type, range(LANES)))
        first, second = ([b.extract_element(w, constant(I32, k)) for k in range(n)] for w in both)
        return list(zip(first, second, strict=True))

    def uniform(self, b: Any, key: Key) -> Any:
        first, second = threefry(b, *key, constant(I32, 0), constant(I32, 0))
        return uniform(b, first, second, self.result)

    def normal(self, b: Any, key: Key, scratch: Any) -> Any:
        x = self.centred(b, self.uniform(b, key))
        return self.finished(b, x, self.exact(b, scratch, "log1p", self.wanted(b, x)))

    def exact(self, b: Any, scratch: Any, name: str, *operands: Any) -> Any:
        """A function by NumPy: of numbers in memory, whose addresses, number and steps stand behind them."""
        places = [at(b, scratch, k, WIDE) for k in range(len(operands))]
        for x, place in zip(operands, places, strict=True):
            store(b, x, place, self.result)
        arguments, length, steps = (at(b, scratch, k, WIDE) for k in (2, 5, 6))
        for k, place in enumerate([*places, places[0]]):
            b.store(place, at(b, arguments, k, WIDE))
            b.store(number(self.result.itemsize), at(b, steps, k, WIDE))
        b.store(number(1), length)
        nothing = ir.Constant(PTR, None)
        self.unit.call_outside(
            b, f"ufunc.{name}.{self.result.name}", ir.VoidType(), [arguments, length, steps, nothing]
        )
        return load(b, places[0], self.result)


def get(slots: tuple[Slot, Slot]) -> Key:
    return slots[0].get(), slots[1].get()


def put(slots: tuple[Slot, Slot], key: Key) -> None:
    for slot, word in zip(slots, key, strict=True):
        slot.set(word)
