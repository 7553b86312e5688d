"""Machine code that is kept as bytes, made ready to run: what it refers to outside of itself is looked up anew each time."""

from __future__ import annotations

import ctypes
import marshal
from collections.abc import Sequence

from .engine import Library
from .outside import address

__all__ = ["joined", "linked"]


def joined(needed: Sequence[str], codes: Sequence[bytes]) -> bytes:
    """The code of modules that refer to each other, and the names of what they need from outside."""
    return marshal.dumps((list(needed), list(codes)))


def linked(data: bytes) -> Library:
    """The library of such code. No address was kept with it."""
    needed, codes = marshal.loads(data)
    library = Library(*codes)
    for name in needed:
        ctypes.c_void_p.from_address(library.address(f"outside.{name}")).value = address(name)
    return library
