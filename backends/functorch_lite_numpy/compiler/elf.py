"""Machine code as LLVM writes it: an ELF object, its sections, symbols, and the places where addresses belong."""

from __future__ import annotations

import struct
from typing import NamedTuple

from .llvm import LLVMError

__all__ = ["UNDEFINED", "ElfObject", "Relocation", "Section", "Symbol", "refuse_missing"]


class Section(NamedTuple):
    name: int
    type: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    """Of a symbol table: the section with the names."""
    info: int
    """Of relocations: the section that they belong to."""
    alignment: int
    entry_size: int


class Symbol(NamedTuple):
    name: int
    info: int
    other: int
    section: int
    value: int
    size: int


class Relocation(NamedTuple):
    offset: int
    type: int
    symbol: int
    addend: int


_SECTION, _SYMBOL, _RELOCATION = (struct.Struct(form) for form in ("<IIQQQQIIQQ", "<IBBHQQ", "<QIIq"))
_SYMBOL_TABLE, _RELOCATIONS = 2, 4
"""Types of sections."""
UNDEFINED = 0
"""The section of a symbol that another object defines, or the process."""
_GLOBAL = 1 << 4


class ElfObject:
    """One object.

    Attributes:
      code: its bytes.
      sections, symbols: all of them.
      globals: the symbols that other objects see or have to define, by name.
    """

    def __init__(self, code: bytes):
        self.code = code
        start, count = int.from_bytes(code[0x28:0x30], "little"), int.from_bytes(code[0x3C:0x3E], "little")
        rows = _SECTION.iter_unpack(code[start : start + count * _SECTION.size])
        self.sections = [Section(*row) for row in rows]
        (self._table,) = (s for s in self.sections if s.type == _SYMBOL_TABLE)
        self.symbols = [Symbol(*row) for row in _SYMBOL.iter_unpack(self.data(self._table))]
        names = self.data(self.sections[self._table.link])
        found = (s for s in self.symbols if s.info >= _GLOBAL and s.name)
        self.globals = {names[s.name : names.index(b"\0", s.name)]: s for s in found}

    def data(self, section: Section) -> bytes:
        return self.code[section.offset : section.offset + section.size]

    def names(self, defined: bool) -> set[bytes]:
        """The names that this object defines for others, or needs from them."""
        return {name for name, symbol in self.globals.items() if (symbol.section != UNDEFINED) == defined}

    def relocations(self, k: int) -> list[Relocation]:
        """The places in section k that hold addresses."""
        mine = [s for s in self.sections if s.type == _RELOCATIONS and s.info == k]
        return [Relocation(*row) for s in mine for row in _RELOCATION.iter_unpack(self.data(s))]


def refuse_missing(names: set[bytes]) -> None:
    """Raise if there are names that neither an object nor the process defines.

    Code generation may bring in functions of its own (the conversion of numbers that the processor cannot do, say), which
    only C's compilers have at hand.
    """
    if names:
        missing = ", ".join(name.decode() for name in sorted(names))
        raise LLVMError(f"machine code needs {missing}, which this process does not have")
