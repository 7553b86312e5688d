"""The memory of large results: what one that is gone leaves is taken for the next.

The system clears the memory that it gives a process page by page, which takes longer than much that programs do to it, and the C
library gives large pieces back as soon as they are free. So large results own memory whose end comes to us, by what NumPy
calls a handler (NEP 49): for a while it is kept, and what asks for so much next has it at once. `recycling_code.py` is the code.
"""

from __future__ import annotations

import ctypes
from typing import Any

from .linking import Library
from .outside import numpy_api

__all__ = ["KEPT", "PIECES", "STATE", "address", "forget", "limit", "start"]

STATE = ("context", "malloc", "calloc", "realloc", "free", "handler", "least", "most", "kept", "clock")
"""Words of the state: NumPy's own functions and what they are given; our handler; bounds; what is kept; results so far."""
KEPT = ("memory", "bytes", "since")
"""The words of each piece that is kept, behind them."""
PIECES = 16
LEAST, MOST = 1 << 18, 64 << 20
"""Bytes of results that are large, and of all that is kept."""
_NAME = b"mem_handler"

_state = (ctypes.c_int64 * (len(STATE) + PIECES * len(KEPT)))()
"""Who touches it holds the GIL."""


class _Handler(ctypes.Structure):
    """NumPy's `PyDataMem_Handler`."""

    _fields_ = [("name", ctypes.c_char * 127), ("version", ctypes.c_uint8), ("functions", ctypes.c_void_p * 5)]


def address(name: str) -> int:
    """Of what compiled code refers to by `recycling.name`."""
    return ctypes.addressof({"state": _state}[name])


def start(library: Library) -> None:
    """From now on large results have such memory. The library has the functions `take` and `keep`."""
    get, new = ctypes.pythonapi.PyCapsule_GetPointer, ctypes.pythonapi.PyCapsule_New
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    new.restype, new.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    default = ctypes.py_object.from_address(numpy_api("PyDataMem_DefaultHandler")).value
    own = _Handler.from_address(get(default, _NAME)).functions  # type: ignore[arg-type]
    functions = [ctypes.addressof(_state), library.address("take"), own[2], own[3], library.address("keep")]
    handler = _Handler(b"functorch_lite", 1, (ctypes.c_void_p * 5)(*functions))
    capsule = new(ctypes.addressof(handler), _NAME, None)
    for alive in (_state, handler, capsule, library):  # arrays may outlive all modules
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(alive))
    _state[: len(STATE)] = [*(f or 0 for f in own), id(capsule), LEAST, MOST, 0, 0]


def limit(n: int) -> None:
    """Keep no more than so many bytes from now on."""
    _state[STATE.index("most")] = n


def forget() -> None:
    """Give back what is kept."""
    context, free = (_state[STATE.index(name)] for name in ("context", "free"))
    for i in range(len(STATE), len(_state), len(KEPT)):
        memory, size, _ = _state[i : i + len(KEPT)]
        if size:
            _state[i + 1] = 0
            give: Any = ctypes.PYFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)(free)
            give(context, memory, size)
    _state[STATE.index("kept")] = 0
