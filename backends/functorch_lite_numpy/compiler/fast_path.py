"""The way in for `Array`s: machine code that checks their types, runs a compiled program, and makes `Array`s of its results.

    PyObject *arrays(PyObject *self, PyObject *const *args, Py_ssize_t n)

One function serves all programs: what it has to know of one stands in a table, the data of the NumPy array that is its `self`.
Where an operand is not of the type that the program was compiled for it returns NotImplemented, having done nothing.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from functorch_lite.extend import Array, ArrayType, Backend

from .background import once
from .cache import cached
from .early import code_in
from .entry import METH_FASTCALL, Method, entry
from .linking import linked
from .making import making
from .outside import numpy_api

__all__ = ["HEAD", "OPERAND", "fast_path", "way_in"]

HEAD = (
    "n_operands",
    "n_results",
    "entry",
    "code",
    "array",
    "backend",
    "not_implemented",
    "ndarray",
    "operands",
    "results",
)
"""The words at the start of the table."""
OPERAND = ("dtype", "scalar", "weak", "ndim", "shape")
"""The words for each operand; for each result there is one, its weak flag."""


def slots() -> dict[str, int]:
    """Where an `Array` holds its slots."""
    return {name: _slot_offset(name) for name in ("buffer", "weak_type", "backend")}


def _slot_offset(name: str) -> int:
    """Where an `Array` holds a slot: from CPython's description of the member."""
    member = ctypes.c_void_p.from_address(id(Array.__dict__[name]) + 40).value or 0
    return ctypes.c_ssize_t.from_address(member + 16).value


@once
def way_in() -> tuple[Any, Method]:
    """The function, and its definition for Python."""
    library = linked(cached(f"the way in; {slots()}", lambda: making("way_in").machine_code(slots())))
    return library, Method(b"arrays", library.address("arrays"), METH_FASTCALL, None)


class _Table(np.ndarray):
    """The words, and what they point to."""

    alive: Any


def fast_path(
    run: Callable[..., Any], operands: Sequence[ArrayType], results: Sequence[ArrayType], backend: Backend
) -> Callable[..., Any] | None:
    """A callable from `Array`s to a tuple of `Array`s: see `Backend.fast_path`."""
    code = code_in(run)
    if code is None:
        return None
    if not (entry.is_done and way_in.is_done):
        return NotImplemented
    shapes = [np.asarray((*t.shape, 0), np.int64) for t in operands]
    rows = [
        (id(t.dtype), 0 if t.ndim else id(t.dtype.type), id(t.weak), t.ndim, shape.ctypes.data)
        for t, shape in zip(operands, shapes, strict=True)
    ]
    flags = [id(t.weak) for t in results]
    operand_words = np.array(rows, np.int64).reshape(-1)
    result_words = np.array(flags, np.int64)
    head = {
        "n_operands": len(operands),
        "n_results": len(results),
        "entry": entry()[1].function,
        "code": id(code),
        "array": id(Array),
        "backend": id(backend),
        "not_implemented": id(NotImplemented),
        "ndarray": numpy_api("PyArray_Type"),
        "operands": operand_words.ctypes.data,
        "results": result_words.ctypes.data,
    }
    table = np.array([head[name] for name in HEAD], np.int64).view(_Table)
    table.alive = (code, backend, shapes, operand_words, result_words, [t.dtype for t in operands])
    new = ctypes.pythonapi.PyCFunction_NewEx
    new.restype, new.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p]
    return new(ctypes.addressof(way_in()[1]), table, None)
