"""Work in pieces, which several threads do: what code of a step writes instead of a loop.

How many pieces there are follows from the shapes alone, so results do not depend on the number of threads.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from . import ir
from .background import prepare
from .grids import counted
from .intrinsics import intrinsic
from .threads import pool
from .types import I32, I64, NULL, PTR, constant, int64
from .unit import Unit

__all__ = [
    "MOST_PIECES",
    "PIECE",
    "WORTH_SHARING",
    "in_pieces",
    "is_alone",
    "memory",
    "range_of",
    "turns_in_pieces",
    "turns_of",
]

WORTH_SHARING = 25e3
"""Nanoseconds of work from which on it pays to wake other threads."""
PIECE = 10e3
"""Nanoseconds of work that a piece has at least."""
MOST_PIECES = 64
ON_STACK = 1 << 15
"""Scratch memory of up to so many bytes lies on the stack of the thread."""

Body = Callable[[Any, Sequence[Any], Any], None]


def in_pieces(
    unit: Unit,
    b: Any,
    count: int,
    values: Sequence[Any],
    body: Body,
    finish: Callable[[Any], Any] = lambda function: function,
) -> None:
    """Append `body(b, values, k)` for each k below `count`, by several threads; on the spot if there is only one.

    The body gets a builder in another function, so it may use nothing of this one but the values it is given: pointers,
    64-bit integers, and what is known now. `finish` gets that function.
    """
    if count == 1:
        body(b, values, constant(I64, 0))
        return
    prepare(pool)
    with b.goto_entry_block():
        block = b.alloca(PTR, len(values) + 1)
    for i, value in enumerate(values):
        if not _is_known(value):
            b.store(value, _slot(b, block, i))
    lack = _slot(b, block, len(values))
    b.store(constant(I64, 0), lack)
    function, may_lack = _piece(unit, values, body)
    unit.call_outside(b, "pool.parallel_for", ir.VoidType(), [finish(function), block, constant(I64, count)])
    if may_lack:
        with b.if_then(b.icmp_unsigned("!=", b.load(lack, typ=I64), constant(I64, 0))):
            _say_lack(unit, b)


def is_alone(unit: Unit, b: Any) -> Any:
    """Whether there are no other threads: then what they could share may be done in a simpler way, with the same result."""
    return b.icmp_unsigned("==", b.load(unit.outside(b, "pool.workers"), typ=I64), constant(I64, 0))


def _piece(unit: Unit, values: Sequence[Any], body: Body) -> tuple[Any, bool]:
    """`void piece(ptr block, i64 k)`, and whether it may lack memory: the block holds the values, and whether a piece did."""
    function = unit.function(unit.name("piece"), ir.VoidType(), [PTR, I64])
    b = ir.IRBuilder(function.append_basic_block("entry"))
    block, k = function.args
    own = [v if _is_known(v) else b.load(_slot(b, block, i), typ=v.type) for i, v in enumerate(values)]
    may_lack = False

    def say_lack(b: Any) -> None:
        nonlocal may_lack
        may_lack = True
        b.store(constant(I64, 1), _slot(b, block, len(values)))

    around, unit.say_lack = unit.say_lack, say_lack
    body(b, own, k)
    unit.say_lack = around
    b.ret_void()
    return function, may_lack


def _say_lack(unit: Unit, b: Any) -> None:
    """There is no memory: in a piece its caller is to know that, which sets the exception."""
    if unit.say_lack is not None:
        unit.say_lack(b)
        return
    unit.interruptible = True
    state = unit.call_outside(b, "python.PyGILState_Ensure", I32, [])
    unit.call_outside(b, "python.PyErr_NoMemory", PTR, [])
    unit.call_outside(b, "python.PyGILState_Release", ir.VoidType(), [state])


def _is_known(value: Any) -> bool:
    """Whether it can stand in the code: numbers of Python or LLVM."""
    return value is None or isinstance(value, (int, ir.Constant, ir.GlobalValue))


def _slot(b: Any, block: Any, i: int) -> Any:
    return b.gep(block, [constant(I64, i)], source_etype=PTR)


def turns_of(count: int, duration: float, piece: float = PIECE) -> int:
    """How many of `count` equal turns, which take so many nanoseconds together, a thread does at a time: all if that is little."""
    if duration < WORTH_SHARING:
        return count
    return min(count, max(math.ceil(count * piece / duration), -(-count // MOST_PIECES)))


def range_of(b: Any, k: Any, length: int, total: int) -> tuple[Any, Any]:
    """From where to where piece k goes, if each has `length` of `total`, the last maybe less."""
    begin = b.mul(k, constant(I64, length))
    end, last = b.add(begin, constant(I64, length)), constant(I64, total)
    return begin, end if total % length == 0 else intrinsic(b, "smin", end, last)


def turns_in_pieces(
    unit: Unit,
    b: Any,
    count: int,
    duration: float,
    values: Sequence[Any],
    scratch: tuple[Any, int],
    body: Callable[[Any, Sequence[Any], Any, Any], None],
) -> None:
    """Append `body(b, values, scratch, i)` for each i below `count`, by several threads if that takes long.

    Args:
      duration: about how many nanoseconds all turns take together.
      values: see `in_pieces`.
      scratch: a pointer to memory for a turn, and its size; each thread gets its own.
    """
    turns = turns_of(count, duration)
    if turns >= count:
        with counted(b, count) as i:
            body(b, values, scratch[0], i)
        return

    def piece(b: Any, values: Sequence[Any], k: Any) -> None:
        begin, end = range_of(b, k, turns, count)
        with memory(unit, b, scratch[1]) as own, counted(b, b.sub(end, begin)) as i:
            body(b, values, own, b.add(begin, i))

    in_pieces(unit, b, -(-count // turns), values, piece)


@contextmanager
def memory(unit: Unit, b: Any, size: Any) -> Iterator[Any]:
    """Scratch memory of a piece: so many bytes, which may be known at run time only. If there are none, what is inside is not done,
    and the program ends with a MemoryError."""
    if isinstance(size, int) and size <= ON_STACK:
        with b.goto_entry_block():
            slot = b.alloca(PTR, -(-max(size, 1) // 8))
        slot.align = 64
        yield slot
        return
    needed = b.add(int64(size), constant(I64, 64))
    raw = unit.call_outside(b, "python.PyMem_RawMalloc", PTR, [needed])
    with b.if_else(b.icmp_unsigned("==", raw, NULL)) as (none, some):
        with none:
            _say_lack(unit, b)
        with some:
            number = b.add(b.ptrtoint(raw, I64), constant(I64, 63))
            yield b.inttoptr(b.and_(number, constant(I64, -64)), PTR)
            unit.call_outside(b, "python.PyMem_RawFree", ir.VoidType(), [raw])
