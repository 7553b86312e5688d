"""Machine code brought into memory without LLVM: where all addresses are written out in full.

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
_IN_FULL = 1
"""The one type of relocation here: 64 bits, the address of a symbol plus a number."""


_ADDRESS = struct.Struct("<Q")
_Places = dict[tuple[ElfObject, int], int]
"""Objects' sections -> where they begin."""


class Image:
    """Objects that refer to each other, and to the process; the memory goes when this does.

    Their sections lie side by side: first those that are code, then, from a page of their own on, the others.
    """

    def __init__(self, *codes: bytes):
        objects = [ElfObject(code) for code in codes]
        code, code_size = _laid_out(objects, True, 0)
        data, size = _laid_out(objects, False, -(-code_size // mmap.PAGESIZE) * mmap.PAGESIZE)
        places = {**code, **data}
        self.memory = mmap.mmap(-1, max(size, 1), mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        start = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        for (object, k), place in places.items():
            section = object.sections[k]
            if section.type != _WITHOUT_DATA:
                self.memory[place : place + section.size] = object.data(section)
        addresses = {key: start + place for key, place in places.items()}
        self.addresses = _resolve(objects, addresses)
        for (object, k), place in places.items():
            for at, address in _relocated(object, k, addresses, self.addresses):
                _ADDRESS.pack_into(self.memory, place + at, address)
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


def _resolve(objects: Sequence[ElfObject], addresses: _Places) -> dict[bytes, int]:
    """The addresses of all names."""
    found, outside = {}, set()
    for object in objects:
        for name, symbol in object.globals.items():
            if symbol.section == UNDEFINED:
                outside.add(name)
            else:
                found[name] = addresses[object, symbol.section] + symbol.value
    outside -= found.keys()
    for name in outside:
        function = getattr(_c_library(), name.decode(), None)
        if function is not None:
            found[name] = ctypes.cast(function, ctypes.c_void_p).value or 0
    refuse_missing(outside - found.keys())
    return found


def _relocated(object: ElfObject, k: int, addresses: _Places, named: dict[bytes, int]) -> Iterator[tuple[int, int]]:
    """Where section k refers to something, and the address of that."""
    relocations = object.relocations(k)
    if not relocations:
        return
    names = {symbol: name for name, symbol in object.globals.items()}
    for r in relocations:
        if r.type != _IN_FULL:
            raise LLVMError(f"machine code has a relocation of type {r.type}, not {_IN_FULL}")
        symbol = object.symbols[r.symbol]
        known = named.get(names.get(symbol, b""))
        address = addresses[object, symbol.section] + symbol.value if known is None else known
        yield r.offset, (address + r.addend) % 2**64
