"""The memory that a compiled program works in: what lies between its operands and its results.

One array serves all programs of the process, each in its turn: a call takes it, and puts it back when it is done. A call
that finds it taken (by another thread, or by the program whose loop a signal's handler interrupted) or too small makes one of its
own. What is left in the end for the next call is never larger than `KEPT`.
"""

from __future__ import annotations

import ctypes

__all__ = ["ALIGNMENT", "KEPT", "address", "forget"]

ALIGNMENT = 64
"""Of the memory, in bytes."""

KEPT = ctypes.c_int64(256 << 20)
"""An array of up to so many bytes stays when a call is done; read at the end of each call."""

_spare = ctypes.c_void_p(None)
"""The array that no call uses now, if there is one. Who touches it holds the GIL."""


def address(name: str) -> int:
    """Of what compiled code refers to by `arena.name`."""
    return ctypes.addressof({"spare": _spare, "kept": KEPT}[name])


def forget() -> None:
    """Give the memory back that is kept for the next call."""
    array, _spare.value = _spare.value, None
    if array:
        ctypes.pythonapi.Py_DecRef(ctypes.cast(array, ctypes.py_object))
