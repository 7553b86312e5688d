"""Steps that are functions of their own, and what such functions are written with: counted loops, vectors of elements.

    void step(ptr operand0, ..., ptr result0, ..., ptr scratch)

Equal steps of a unit share one function, so a program that does the same thing in many places compiles it once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from . import ir, processor, scalars
from .grids import counted
from .intrinsics import intrinsic
from .steps import Step
from .types import I64, PTR, constant, int64, memory_type

__all__ = [
    "FunctionStep",
    "Slot",
    "at",
    "chunks",
    "combined",
    "combined_pairs",
    "counted",
    "lanes_of",
    "load",
    "load_pair",
    "narrowed",
    "number",
    "store",
    "store_pair",
    "stored_as",
    "vectors",
    "widened",
]


Pair = tuple[Any, Any]


class FunctionStep(Step):
    """A step whose code is one function. Subclasses write its body: `write`."""

    def write(self, b: Any, operands: Sequence[Any], results: Sequence[Any], scratch: Any) -> None:
        """Append the function's code; `b` may stand in any block afterwards, which returns."""
        raise NotImplementedError

    def emit(self, b: Any, operands: Sequence[Any], results: Sequence[Any], scratch: Any) -> None:
        b.call(self.function(), [*operands, *results, scratch])

    def function(self) -> Any:
        """The function, written at the first call."""
        equation = self.equation
        types = tuple((a.type.dtype, a.type.shape) for a in (*self.operands, *equation.results))
        key = (
            type(self),
            equation.primitive.name,
            types,
            self.cleared,
            self.computed and self.computed.key,
            tuple(sorted(equation.params.items(), key=lambda item: item[0])),
        )

        def make() -> Any:
            n, m = len(self.operands), len(equation.results)
            function = self.unit.function(self.unit.name(equation.primitive.name), ir.VoidType(), [PTR] * (n + m + 1))
            b = ir.IRBuilder(function.append_basic_block("entry"))
            arguments = list(function.args)
            self.write(b, arguments[:n], arguments[n:-1], arguments[-1])
            b.ret_void()
            return function

        return self.unit.shared(key, make)


def number(n: int) -> Any:
    return constant(I64, n)


def at(b: Any, base: Any, place: Any, dtype: np.dtype) -> Any:
    """The address of an element."""
    return b.gep(base, [int64(place)], source_etype=memory_type(dtype))


def load(b: Any, pointer: Any, dtype: np.dtype, width: int = 1) -> Any:
    """Elements as they lie in memory."""
    return b.load(pointer, typ=memory_type(dtype, width), align=min(dtype.itemsize, 8))


def store(b: Any, value: Any, pointer: Any, dtype: np.dtype) -> None:
    b.store(value, pointer, align=min(dtype.itemsize, 8))


def stored_as(dtype: np.dtype) -> np.dtype:
    """The dtype whose registers hold elements as they lie in memory: booleans are bytes there."""
    return np.dtype(np.uint8) if dtype.kind == "b" else dtype


def combined(b: Any, op: str, dtype: np.dtype, *args: Any) -> Any:
    """A scalar instruction on operands of one dtype, which it gives too."""
    return scalars.emit(op, scalars.Context(b, (dtype,) * len(args), dtype, {}), args)


def combined_pairs(b: Any, op: str, x: Pair, y: Pair, dtype: np.dtype) -> Pair:
    """The same on two complex numbers, each a pair of parts of the dtype."""
    return scalars.emit(f"complex_{op}", scalars.Context(b, (dtype,) * 4, dtype, {}), (*x, *y))


def load_pair(b: Any, pointer: Any, dtype: np.dtype) -> Pair:
    """The parts, of that dtype, of a complex number."""
    return load(b, pointer, dtype), load(b, at(b, pointer, 1, dtype), dtype)


def store_pair(b: Any, value: Pair, pointer: Any, dtype: np.dtype) -> None:
    for k, part in enumerate(value):
        store(b, part, at(b, pointer, k, dtype), dtype)


def lanes_of(dtype: np.dtype) -> int:
    """How many elements a register holds."""
    return max(1, processor.vector_bytes() // dtype.itemsize)


def chunks(b: Any, n: int, width: int) -> Iterator[tuple[Any, int]]:
    """Cut n elements into vectors: (start, width) for code that is written once for each; the rest by halves."""
    whole = n // width * width
    if whole > 4 * width:
        with counted(b, whole, step=width) as i:
            yield i, width
    else:
        for i in range(0, whole, width):
            yield number(i), width
    while whole < n:
        while width > n - whole:
            width //= 2
        yield number(whole), width
        whole += width


@contextmanager
def vectors(b: Any, n: int, width: int) -> Iterator[tuple[Any, int]]:
    """Code for each whole vector of n elements; the last one overlaps the one before. Gives (start, width)."""
    with counted(b, n, step=width) as i:
        last = number(max(n - width, 0))
        yield (intrinsic(b, "smin", i, last) if n % width and n > width else i), width


class Slot:
    """A variable of a function; it becomes a register."""

    def __init__(self, b: Any, value: Any):
        with b.goto_entry_block():
            self.pointer = b.alloca(value.type)
        self.b = b
        self.set(value)

    def set(self, value: Any) -> None:
        self.b.store(value, self.pointer)

    def get(self) -> Any:
        return self.b.load(self.pointer)


def narrowed(b: Any, x: Any, dtype: np.dtype) -> Any:
    """An i64 as an integer of a dtype, which has room for it."""
    return b.trunc(x, memory_type(dtype)) if dtype.itemsize < 8 else x


def widened(b: Any, x: Any, dtype: np.dtype) -> Any:
    """An integer as i64; what does not fit becomes the largest."""
    if dtype.itemsize < 8:
        return (b.sext if dtype.kind == "i" else b.zext)(x, I64)
    return x if dtype.kind == "i" else intrinsic(b, "umin", x, number(np.iinfo(np.int64).max))
