"""Code that takes a program's working memory, and gives it back; see `arena.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from . import ir
from .arena import ALIGNMENT
from .objects import ARRAY_DATA, ARRAY_SHAPE
from .types import I8, I32, I64, NULL, PTR, constant
from .unit import Unit

__all__ = ["working_memory"]

ON_STACK = 1 << 14
"""So little memory lies on the stack."""


@contextmanager
def working_memory(unit: Unit, b: Any, size: Any, leave_if_null: Callable[[Any], None]) -> Iterator[Any]:
    """Code that has so many bytes meanwhile: a pointer to them; runs with the GIL at both ends.

    `leave_if_null` appends what is to happen if there is no memory: then an exception is set.
    """

    def at(pointer: Any, offset: int) -> Any:
        return b.gep(pointer, [constant(I64, offset)], source_etype=I8)

    def length(array: Any) -> Any:
        return b.load(b.load(at(array, ARRAY_SHAPE), typ=PTR), typ=I64)

    def drop(array: Any) -> None:
        unit.call_outside(b, "python.Py_DecRef", ir.VoidType(), [array])

    def is_null(pointer: Any) -> Any:
        return b.icmp_unsigned("==", pointer, NULL)

    with b.goto_entry_block():
        slot, memory, place, shape = b.alloca(PTR, ON_STACK // 8), b.alloca(PTR), b.alloca(PTR), b.alloca(I64)
    slot.align = ALIGNMENT
    spare = unit.outside(b, "arena.spare")
    b.store(slot, memory)
    with b.if_then(b.icmp_unsigned(">", size, constant(I64, ON_STACK))):
        needed = b.add(size, constant(I64, ALIGNMENT))
        found = b.load(spare, typ=PTR)
        b.store(NULL, spare)
        b.store(found, place)
        with b.if_then(b.not_(is_null(found))), b.if_then(b.icmp_unsigned("<", length(found), needed)):
            drop(found)
            b.store(NULL, place)
        with b.if_then(is_null(b.load(place))):
            b.store(needed, shape)
            byte = unit.outside(b, "dtype.uint8")
            unit.call_outside(b, "python.Py_IncRef", ir.VoidType(), [byte])
            arguments = [constant(I32, 1), shape, byte, constant(I32, 0)]
            made = unit.call_outside(b, "numpy.PyArray_Empty", PTR, arguments)
            leave_if_null(made)
            b.store(made, place)
        start = b.ptrtoint(b.load(at(b.load(place), ARRAY_DATA), typ=PTR), I64)
        aligned = b.and_(b.add(start, constant(I64, ALIGNMENT - 1)), constant(I64, -ALIGNMENT))
        b.store(b.inttoptr(aligned, PTR), memory)
    yield b.load(memory)
    with b.if_then(b.icmp_unsigned(">", size, constant(I64, ON_STACK))):
        array = b.load(place)
        taken = b.not_(is_null(b.load(spare, typ=PTR)))
        large = b.icmp_unsigned(">", length(array), b.load(unit.outside(b, "arena.kept"), typ=I64))
        with b.if_else(b.or_(taken, large)) as (then, otherwise):
            with then:
                drop(array)
            with otherwise:
                b.store(array, spare)
