"""Machine code that is kept as bytes, made ready to run: what it refers to outside of itself is looked up anew each time."""

from __future__ import annotations

import ctypes
import marshal
from collections.abc import Sequence
from typing import Protocol

from .image import Image
from .making import making
from .outside import address
from .processor import joins

__all__ = ["Library", "joined", "linked", "load"]


class Library(Protocol):
    """Machine code in memory; it goes when the library does."""

    def address(self, name: str) -> int:
        """Where a function or variable is; 0 if it is nowhere."""
        ...


def load(*codes: bytes) -> Library:
    """The code of objects that refer to each other, and to the process.

    Raises:
      LLVMError: if they refer to what is nowhere: a call would end the process.
    """
    return (Image if joins() else making("mcjit").Library)(*codes)


def joined(needed: Sequence[str], codes: Sequence[bytes]) -> bytes:
    """The code of modules that refer to each other, and the names of what they need from outside."""
    return marshal.dumps((list(needed), list(codes)))


def linked(data: bytes) -> Library:
    """The library of such code. No address was kept with it."""
    needed, codes = marshal.loads(data)
    library = load(*codes)
    for name in needed:
        ctypes.c_void_p.from_address(library.address(f"outside.{name}")).value = address(name)
    return library
