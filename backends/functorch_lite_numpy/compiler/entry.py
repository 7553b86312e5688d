"""The way from Python into a program: a built-in function whose body is machine code.

    PyObject *entry(PyObject *self, PyObject *const *buffers, Py_ssize_t n)

It reads the data pointers of its operands out of NumPy's objects, allocates the results (`recycling.py`) and calls the
program: 0.1 microseconds where ctypes takes several. One function serves all programs: what it has to know of one stands in a
table in that one's machine code (`signature.py`), the data of the NumPy array that is its `self`. Operands are arrays or NumPy
scalars of known dtype and shape; an array that is not contiguous is copied. A large operand that is a result too is given back as
it is: nobody changes arrays.

A program that takes long gives up the GIL while it runs. Then another Python thread may call the same function (so may the
handler of a signal): each call works in memory of its own (`arena.py`).

Until the function is made, which nobody waits for, programs are called in another way (`early.py`).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from functorch_lite.extend import Program

from . import recycling
from .background import once
from .cache import cached, found
from .linking import Library, linked
from .making import making

__all__ = [
    "METH_FASTCALL",
    "PASSED",
    "PROGRAM",
    "RESULT",
    "Code",
    "Method",
    "code_of",
    "entry",
    "find_entry",
    "native_call",
]

PROGRAM = ("run", "n_operands", "n_results", "n_passed", "results", "passed", "arena", "is_long", "is_interruptible")
"""The words of the table."""
RESULT = ("dtype", "ndim", "shape", "bytes", "place")
"""The words for each new result: where its dtype's address is, its shape, its bytes, and where in the tuple it belongs."""
PASSED = ("place", "operand")
"""The words for each result that is an operand, given back as it is."""


class Method(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    ]


METH_FASTCALL = 0x0080


class Code(np.ndarray):
    """The table in a program's machine code; holds what must live as long as the function: the machine code, dtypes."""

    libraries: list[Library]
    dtypes: Sequence[np.dtype]

    def take(self, library: Library) -> None:
        """Run other machine code of the same program from now on; what runs at the moment goes on."""
        self.libraries.append(library)
        at = PROGRAM.index("run")
        self[at] = _table(library)[at]


_NAME = "the entry of programs"


@once
def entry() -> tuple[Any, Method]:
    """The function's library, and its definition for Python."""
    library = linked(cached(_NAME, lambda: making("entry_code").machine_code()))
    recycling.start(library)
    return library, Method(b"program", library.address("entry"), METH_FASTCALL, None)


def find_entry() -> bool:
    """Whether the function is there, or was kept."""
    if not entry.is_done and found(_NAME) is not None:
        entry()
    return entry.is_done


def _table(library: Library) -> Any:
    return (ctypes.c_int64 * len(PROGRAM)).from_address(library.address("program"))


def code_of(library: Library, program: Program) -> Code:
    """The table of a program in its machine code."""
    code = Code(len(PROGRAM), np.int64, memoryview(_table(library)))
    code.libraries, code.dtypes = [library], [t.dtype for t in program.out_types]
    return code


def native_call(code: Code) -> Callable[..., tuple[Any, ...]]:
    """The built-in function of a program, from its table."""
    new = ctypes.pythonapi.PyCFunction_NewEx
    new.restype, new.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p]
    return new(ctypes.addressof(entry()[1]), code, None)
