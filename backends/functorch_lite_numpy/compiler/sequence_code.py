"""Code that makes, reads and frees sequences; see `sequences.py`.

Where there is no memory, the exception is set, and the loop that needed it ends early, as one does that is interrupted: what
follows runs over the rows that are there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from functorch_lite.extend import ArrayType, has_dim

from . import ir
from .background import prepare
from .control import displaced
from .grids import counted
from .intrinsics import clear_memory, intrinsic
from .parts import hurried
from .row_memory import library
from .sequences import HEADER, WORD, byte_count, first_unknown
from .types import I64, NULL, PTR, constant
from .unit import Unit

__all__ = ["Growing", "make_rows", "release", "row_bytes", "rows_of", "shortest"]

FIRST = 1 << 10
"""Bytes of the first memory that a loop asks for, for the widest of its rows."""
MOST_FIRST = 8
"""And so many rows at most."""


def rows_of(b: Any, t: ArrayType, pointer: Any) -> Any:
    """Where the rows of an array are."""
    return b.load(_word(b, pointer, "address"), typ=PTR) if _is_sequence(t) else pointer


def shortest(b: Any, types: Sequence[ArrayType], pointers: Sequence[Any]) -> Any:
    """How many rows some sequences have: all the same number, unless a loop ended early."""
    lengths = [b.load(_word(b, x, "length"), typ=I64) for t, x in zip(types, pointers, strict=True) if _is_sequence(t)]
    out = lengths[0]
    for n in lengths[1:]:
        out = intrinsic(b, "smin", n, out)
    return out


def row_bytes(t: ArrayType) -> int:
    """The bytes of what is held in place of a row of an array."""
    return byte_count(t.update(shape=t.shape[1:]))


def _is_sequence(t: ArrayType) -> bool:
    """Whether there is one header in place of it: its first length is unknown."""
    return first_unknown(t.shape) == 0


def _word(b: Any, header: Any, name: str) -> Any:
    return b.gep(header, [constant(I64, HEADER.index(name))], source_etype=I64)


def _write(b: Any, header: Any, *words: Any) -> None:
    for name, value in zip(HEADER, words, strict=True):
        b.store(value, _word(b, header, name))


def _grown(unit: Unit, b: Any, rows: Any, had: Any, size: Any) -> Any:
    """So many bytes of memory with what was in other memory, which is gone; null, and an exception, if there are none."""
    unit.interruptible = True
    prepare(library)  # while this is compiled
    return unit.call_outside(b, "rows.grow", PTR, [rows, had, size])


def make_rows(unit: Unit, b: Any, t: ArrayType, pointer: Any, length: Any) -> tuple[Any, Any]:
    """Memory for the rows of a result: where it is, and how many there are; none if there is no memory for them."""
    size = b.mul(length, constant(I64, row_bytes(t)))
    rows = pointer
    if _is_sequence(t):
        rows = _grown(unit, b, NULL, constant(I64, 0), size)
        missing = b.icmp_unsigned("==", rows, NULL)
        length, size = (b.select(missing, constant(I64, 0), n) for n in (length, size))
        _write(b, pointer, rows, length, size)
    if has_dim(t.shape[1:]):  # these headers are written one by one, and perhaps not all of them
        clear_memory(b, rows, size)
    return rows, length


class Growing:
    """The sequences that a loop of unknown length makes: in each turn a row of each of them."""

    def __init__(self, unit: Unit, b: Any, types: Sequence[ArrayType], headers: Sequence[Any]):
        self.unit, self.headers = unit, headers
        self.sizes = [row_bytes(t) for t in types]
        self.places = [b.alloca(PTR) for _ in types]
        """Where the rows of each are."""
        self.room = b.alloca(I64)
        """For how many rows there is memory."""
        for slot in self.places:
            b.store(NULL, slot)
        b.store(constant(I64, 0), self.room)

    def next(self, b: Any, i: Any, stop: Any) -> list[Any]:
        """Where row i belongs, of each; goes to the block `stop` if there is no memory for it."""
        if not self.headers:
            return []
        more, go_on = b.append_basic_block("more"), b.append_basic_block("go_on")
        b.cbranch(b.icmp_unsigned("==", i, b.load(self.room)), more, go_on, likely=False)
        b.position_at_end(more)
        first = constant(I64, max(1, min(MOST_FIRST, FIRST // max(self.sizes))))
        none = b.icmp_unsigned("==", i, constant(I64, 0))
        room = b.select(none, first, b.mul(i, constant(I64, 2)))
        for slot, size in zip(self.places, self.sizes, strict=True):
            had, wanted = (b.mul(n, constant(I64, size)) for n in (i, room))
            rows = _grown(self.unit, b, b.load(slot), had, wanted)
            there = b.append_basic_block("there")
            b.cbranch(b.icmp_unsigned("==", rows, NULL), stop, there, likely=False)
            b.position_at_end(there)
            b.store(rows, slot)
        b.store(room, self.room)
        b.branch(go_on)
        b.position_at_end(go_on)
        return [displaced(b, b.load(p), i, n) for p, n in zip(self.places, self.sizes, strict=True)]

    def finish(self, b: Any, count: Any) -> None:
        """Write the headers."""
        for header, slot, size in zip(self.headers, self.places, self.sizes, strict=True):
            _write(b, header, b.load(slot), count, b.mul(b.load(self.room), constant(I64, size)))


def release(unit: Unit, b: Any, t: ArrayType, pointer: Any) -> None:
    """Free what the headers of an array refer to."""
    b.call(_releaser(unit, t.shape), [pointer])


def _releaser(unit: Unit, shape: tuple[Any, ...]) -> Any:
    """The function that frees what headers refer to, and first what is held in it."""
    k = first_unknown(shape)
    count, row = math.prod(shape[:k]), ArrayType(shape[k + 1 :], WORD)

    def make() -> Any:
        function = hurried(unit.function(unit.name("release"), ir.VoidType(), [PTR]))
        b = ir.IRBuilder(function.append_basic_block("entry"))
        with counted(b, count) as i:
            header = displaced(b, function.args[0], i, len(HEADER) * WORD.itemsize)
            rows = b.load(_word(b, header, "address"), typ=PTR)
            if has_dim(row.shape):
                with counted(b, b.load(_word(b, header, "length"), typ=I64)) as j:
                    b.call(_releaser(unit, row.shape), [displaced(b, rows, j, byte_count(row))])
            unit.call_outside(b, "rows.give", ir.VoidType(), [rows, b.load(_word(b, header, "bytes"), typ=I64)])
        b.ret_void()
        return function

    counts = tuple(n if type(n) is int else None for n in shape[: len(shape) - _known_last(shape)])
    return unit.shared(("release", counts), make)


def _known_last(shape: tuple[Any, ...]) -> int:
    """How many axes there are behind the last unknown one: what is along them is not held in headers."""
    return first_unknown(shape[::-1])
