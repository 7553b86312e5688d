"""Code that makes arrays for results, and keeps the memory of large ones; see `recycling.py`.

    ptr new_array(ptr descriptor, i64 ndim, ptr shape, i64 bytes)
    ptr take(ptr state, i64 bytes)
    void keep(ptr state, ptr memory, i64 bytes)

All run with the GIL. `take` and `keep` are the handler's `malloc` and `free`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import ir
from .grids import counted
from .objects import ARRAY_FLAGS, ARRAY_HANDLER
from .parts import hurried
from .recycling import KEPT, PIECES, STATE
from .types import I8, I32, I64, NULL, PTR, constant
from .unit import Unit

__all__ = ["new_array"]

STALE = 32
"""So many large results later, a piece that none of them could use is given back."""
OWNS_DATA, CARRAY = 0x0004, 0x0501
TRACED_DOMAIN = 389047
"""Of NumPy's memory, for `tracemalloc`."""


class _Function:
    """A function to be written, with the words of the state."""

    def __init__(self, unit: Unit, name: str, result: Any, arguments: Sequence[Any], linkage: str):
        self.unit = unit
        self.function = hurried(unit.function(name, result, arguments, linkage))
        self.b = ir.IRBuilder(self.function.append_basic_block("entry"))
        self.state: Any = self.function.args[0]

    def word(self, name: str) -> Any:
        """Where a word is."""
        return self.b.gep(self.state, [constant(I64, STATE.index(name))], source_etype=I64)

    def piece(self, i: Any, name: str) -> Any:
        """Where a word of a piece is."""
        place = self.b.mul(i, constant(I64, len(KEPT)))
        place = self.b.add(place, constant(I64, len(STATE) + KEPT.index(name)))
        return self.b.gep(self.state, [place], source_etype=I64)

    def get(self, place: Any, type: Any = I64) -> Any:
        return self.b.load(place, typ=type)

    def add(self, place: Any, n: Any) -> Any:
        total = self.b.add(self.get(place), n)
        self.b.store(total, place)
        return total

    def own(self, name: str, result: Any, *args: Any) -> Any:
        """A call of NumPy's own function."""
        args = (self.get(self.word("context"), PTR), *args)
        type = ir.PointerType(ir.FunctionType(result, [a.type for a in args]))
        return self.b.call(self.get(self.word(name), type), args)

    def remove(self, i: Any) -> tuple[Any, Any]:
        """A piece's memory and bytes; it is kept no more."""
        memory, size = self.get(self.piece(i, "memory"), PTR), self.get(self.piece(i, "bytes"))
        self.b.store(constant(I64, 0), self.piece(i, "bytes"))
        self.add(self.word("kept"), self.b.sub(constant(I64, 0), size))
        return memory, size


def _take(unit: Unit) -> Any:
    """Memory of so many bytes, or up to a quarter more: the smallest piece that is kept; else new memory."""
    f = _Function(unit, "take", PTR, [PTR, I64], "external")
    b, size = f.b, f.function.args[1]
    best, least = b.alloca(I64), b.alloca(I64)
    b.store(constant(I64, -1), best)
    b.store(b.add(size, b.lshr(size, constant(I64, 2))), least)
    now = f.add(f.word("clock"), constant(I64, 1))
    with counted(b, PIECES) as i:
        age = b.sub(now, f.get(f.piece(i, "since")))
        there = b.icmp_unsigned("!=", f.get(f.piece(i, "bytes")), constant(I64, 0))
        with b.if_then(b.and_(there, b.icmp_unsigned(">", age, constant(I64, STALE)))):
            f.own("free", ir.VoidType(), *f.remove(i))
    with counted(b, PIECES) as i:
        found = f.get(f.piece(i, "bytes"))
        fits = b.and_(b.icmp_unsigned(">=", found, size), b.icmp_unsigned("<=", found, f.get(least)))
        with b.if_then(fits):
            b.store(i, best)
            b.store(found, least)
    with b.if_then(b.icmp_signed(">=", f.get(best), constant(I64, 0))):
        b.ret(f.remove(f.get(best))[0])
    b.ret(f.own("malloc", PTR, size))
    return f.function


def _keep(unit: Unit) -> Any:
    """Keep memory that nobody uses any more, if there is room; else give it back."""
    f = _Function(unit, "keep", ir.VoidType(), [PTR, PTR, I64], "external")
    b, (_, memory, size) = f.b, f.function.args
    free = b.alloca(I64)
    b.store(constant(I64, -1), free)
    with counted(b, PIECES) as i, b.if_then(b.icmp_unsigned("==", f.get(f.piece(i, "bytes")), constant(I64, 0))):
        b.store(i, free)
    fits = b.icmp_unsigned("<=", b.add(f.get(f.word("kept")), size), f.get(f.word("most")))
    large = b.icmp_unsigned(">=", size, f.get(f.word("least")))
    place = f.get(free)
    with b.if_else(b.and_(b.and_(fits, large), b.icmp_signed(">=", place, constant(I64, 0)))) as (then, otherwise):
        with then:
            b.store(memory, f.piece(place, "memory"))
            b.store(size, f.piece(place, "bytes"))
            b.store(f.get(f.word("clock")), f.piece(place, "since"))
            f.add(f.word("kept"), size)
        with otherwise:
            f.own("free", ir.VoidType(), memory, size)
    b.ret_void()
    return f.function


def new_array(unit: Unit) -> Any:
    """A function that makes an array; null, with an exception set, if there is no memory. It takes over the descriptor.

    NumPy makes small ones, and all as long as somebody has set another handler.
    """
    take, keep = _take(unit), _keep(unit)
    f = _Function(unit, "new_array", PTR, [PTR, I64, PTR, I64], "internal")
    b, (descriptor, ndim, shape, size) = f.b, f.function.args
    f.state, ndim = unit.outside(b, "recycling.state"), b.trunc(ndim, I32)

    def call(name: str, result: Any, *args: Any) -> Any:
        return unit.call_outside(b, name, result, args)

    def is_null(x: Any) -> Any:
        return b.icmp_unsigned("==", x, NULL)

    ours = b.alloca(PTR)
    b.store(NULL, ours)
    with b.if_then(b.icmp_unsigned(">=", size, f.get(f.word("least")))):
        current = call("numpy.PyDataMem_GetHandler", PTR)
        with b.if_then(is_null(current)):
            b.ret(NULL)
        call("python.Py_DecRef", ir.VoidType(), current)
        default = b.load(unit.outside(b, "numpy.PyDataMem_DefaultHandler"), typ=PTR)
        with b.if_then(b.icmp_unsigned("==", current, default)):
            b.store(f.get(f.word("handler"), PTR), ours)
    handler = b.load(ours)
    with b.if_then(is_null(handler)):
        b.ret(call("numpy.PyArray_Empty", PTR, ndim, shape, descriptor, constant(I32, 0)))
    memory = b.call(take, [f.state, size])
    with b.if_then(is_null(memory)):
        call("python.Py_DecRef", ir.VoidType(), descriptor)
        b.ret(call("python.PyErr_NoMemory", PTR))
    array_type = unit.outside(b, "numpy.PyArray_Type")
    arguments = [array_type, descriptor, ndim, shape, NULL, memory, constant(I32, CARRAY), NULL]
    made = call("numpy.PyArray_NewFromDescr", PTR, *arguments)
    with b.if_then(is_null(made)):
        b.call(keep, [f.state, memory, size])
        b.ret(NULL)
    flags = b.gep(made, [constant(I64, ARRAY_FLAGS)], source_etype=I8)
    b.store(b.or_(b.load(flags, typ=I32), constant(I32, OWNS_DATA)), flags)
    call("python.Py_IncRef", ir.VoidType(), handler)
    b.store(handler, b.gep(made, [constant(I64, ARRAY_HANDLER)], source_etype=I8))
    call("python.PyTraceMalloc_Track", I32, constant(I32, TRACED_DOMAIN), memory, size)
    b.ret(made)
    return f.function
