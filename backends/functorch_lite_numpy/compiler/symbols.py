"""The names that machine code refers to and does not define, read out of an ELF object.

LLVM's loader puts address zero where it finds nothing of a name, and the first call would end the process. So names are looked
up before: code generation may bring in functions of its own (the conversion of numbers that the processor cannot do, say),
which only C's compilers have at hand.
"""

from __future__ import annotations

import numpy as np

from .llvm import LLVMError, llvm

__all__ = ["require_symbols"]

_SECTION = np.dtype(
    [(name, "<u4") for name in ("name", "type")]
    + [(name, "<u8") for name in ("flags", "address", "offset", "size")]
    + [(name, "<u4") for name in ("link", "info")]
    + [(name, "<u8") for name in ("alignment", "entry_size")]
)
_SYMBOL = np.dtype(
    [("name", "<u4"), ("info", "u1"), ("other", "u1"), ("section", "<u2"), ("value", "<u8"), ("size", "<u8")]
)
_SYMBOL_TABLE = 2
"""The type of a section with symbols; its `link` is the section with their names."""


def require_symbols(*codes: bytes) -> None:
    """Raise unless all that these objects refer to is in one of them, or in the process."""
    defined: set[bytes] = set()
    needed: set[bytes] = set()
    for code in codes:
        if code[:4] == b"\x7fELF":
            _collect(code, defined, needed)
    missing = [name.decode() for name in sorted(needed - defined) if not llvm().SearchAddressOfSymbol(name)]
    if missing:
        raise LLVMError(f"machine code needs {', '.join(missing)}, which this process does not have")


def _collect(code: bytes, defined: set[bytes], needed: set[bytes]) -> None:
    """Add the names of an object's symbols."""
    start, count = int.from_bytes(code[0x28:0x30], "little"), int.from_bytes(code[0x3C:0x3E], "little")
    sections = np.frombuffer(code, _SECTION, count, start)
    for section in sections[sections["type"] == _SYMBOL_TABLE]:
        symbols = np.frombuffer(code, _SYMBOL, int(section["size"]) // _SYMBOL.itemsize, int(section["offset"]))
        names = int(sections[section["link"]]["offset"])
        for symbol in symbols[symbols["name"] != 0]:
            begin = names + int(symbol["name"])
            (needed if symbol["section"] == 0 else defined).add(code[begin : code.index(b"\0", begin)])
