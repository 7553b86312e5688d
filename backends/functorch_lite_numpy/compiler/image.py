"""Machine code brought into memory without LLVM.

It takes a sixth of the time that LLVM's loader does, and what was found on disk runs without LLVM, which is large to load.
"""

from __future__ import annotations

import ctypes
import mmap
import struct
from collections.abc import Iterator, Sequence

from .background import once
from .elf import UNDEFINED, ElfObject, refuse_missing
from .llvm import LLVMError

__all__ = ["Image"]

_LOADED, _EXECUTABLE = 2, 4
"""Flags of sections: they are in memory when the code runs; they are code."""
_WITHOUT_DATA, _UNWINDING = 8, 0x70000001
"""Types of sections: all zeros; what exceptions of C++ would need."""
_IN_FULL, _DISTANCE, _CALL = 1, 2, 4
"""The types of relocations here, to a symbol plus a number: its address, 64 bits; how far it is from here, 32 bits, and the same
in a call, which may go by way of a stub."""


_FULL, _SHORT = struct.Struct("<Q"), struct.Struct("<i")
_JUMP = b"\xff\x25\x00\x00\x00\x00"
"""What a stub begins with: a jump to the address behind it. The process's own functions are too far away for calls."""
_STUB = 16
_Places = dict[tuple[ElfObject, int], int]
"""Objects' sections -> where they begin."""


class Image:
    """Objects that refer to each other, and to the process; the memory goes when this does.

    Their sections lie side by side: first those that are code and the stubs, then, from a page of their own on, the others.
    """

    def __init__(self, *codes: bytes):
        objects = [ElfObject(code) for code in codes]
        outside = _outside(objects)
        code, end = _laid_out(objects, True, 0)
        first = -(-end // _STUB) * _STUB
        stubs = {name: first + k * _STUB for k, name in enumerate(outside)}
        code_size = first + len(stubs) * _STUB
        data, size = _laid_out(objects, False, -(-code_size // mmap.PAGESIZE) * mmap.PAGESIZE)
        places = {**code, **data}
        self.memory = mmap.mmap(-1, max(size, 1), mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        start = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        for (object, k), place in places.items():
            section = object.sections[k]
            if section.type != _WITHOUT_DATA:
                self.memory[place : place + section.size] = object.data(section)
        for name, place in stubs.items():
            self.memory[place : place + _STUB] = (_JUMP + _FULL.pack(outside[name])).ljust(_STUB, b"\0")
        addresses = {key: start + place for key, place in places.items()}
        inside = _defined(objects, addresses)
        self.addresses = outside | inside
        near = inside | {name: start + place for name, place in stubs.items()}
        for (object, k), place in places.items():
            for at, form, value in _relocated(object, k, addresses, self.addresses, near):
                form.pack_into(self.memory, place + at, value)
        if code_size and _c_library().mprotect(start, code_size, mmap.PROT_READ | mmap.PROT_EXEC):
            raise OSError("this process may not make memory executable")

    def address(self, name: str) -> int:
        return self.addresses.get(name.encode(), 0)


@once
def _c_library() -> ctypes.CDLL:
    library = ctypes.CDLL(None)
    library.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    return library


def _laid_out(objects: Sequence[ElfObject], executable: bool, end: int) -> tuple[_Places, int]:
    """Places behind `end` for the sections that are code, or those that are not; and where they end."""
    places = {}
    for object in objects:
        for k, section in enumerate(object.sections):
            is_code = bool(section.flags & _EXECUTABLE)
            if section.flags & _LOADED and is_code == executable and section.type != _UNWINDING:
                start = -(-end // max(section.alignment, 1)) * max(section.alignment, 1)
                places[object, k] = start
                end = start + section.size
    return places, end


def _outside(objects: Sequence[ElfObject]) -> dict[bytes, int]:
    """What the objects need from the process, and where that is."""
    needed, defined = (set().union(*(o.names(defined) for o in objects)) for defined in (False, True))
    found: dict[bytes, int] = {}
    for name in sorted(needed - defined):
        function = getattr(_c_library(), name.decode(), None)
        if function is not None:
            found[name] = ctypes.cast(function, ctypes.c_void_p).value or 0
    refuse_missing(needed - defined - found.keys())
    return found


def _defined(objects: Sequence[ElfObject], addresses: _Places) -> dict[bytes, int]:
    """The addresses of what they define."""
    return {
        name: addresses[object, symbol.section] + symbol.value
        for object in objects
        for name, symbol in object.globals.items()
        if symbol.section != UNDEFINED
    }


def _relocated(
    object: ElfObject, k: int, addresses: _Places, named: dict[bytes, int], near: dict[bytes, int]
) -> Iterator[tuple[int, struct.Struct, int]]:
    """Where section k refers to something, in which form, and how.

    Args:
      object: whose section it is.
      k: its number.
      addresses: where sections are.
      named: where what has a name is.
      near: the same, with the stubs for what is far away.
    """
    relocations = object.relocations(k)
    if not relocations:
        return
    names = {symbol: name for name, symbol in object.globals.items()}
    for r in relocations:
        if r.type not in (_IN_FULL, _DISTANCE, _CALL):
            raise LLVMError(f"machine code has a relocation of type {r.type}, which is not one of those that are known")
        symbol = object.symbols[r.symbol]
        known = (named if r.type == _IN_FULL else near).get(names.get(symbol, b""))
        address = (addresses[object, symbol.section] + symbol.value if known is None else known) + r.addend
        if r.type == _IN_FULL:
            yield r.offset, _FULL, address % 2**64
        else:
            yield r.offset, _SHORT, address - addresses[object, k] - r.offset
