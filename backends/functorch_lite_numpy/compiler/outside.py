"""Addresses of what native code calls outside: NumPy's and Python's C functions, and BLAS."""

from __future__ import annotations

import ctypes
import functools
import glob
import os

import numpy as np

__all__ = ["blas", "numpy_api", "python_api"]

_NUMPY = {"PyArray_Type": 2, "PyArray_Return": 76, "PyArray_NewCopy": 85, "PyArray_Empty": 184}
"""Numbers in NumPy's C interface, which never change."""


@functools.cache
def numpy_api(name: str) -> int:
    """The address of an entry of NumPy's C interface."""
    from numpy._core import _multiarray_umath  # type: ignore[attr-defined]

    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    table = get(_multiarray_umath._ARRAY_API, None)  # type: ignore[attr-defined]
    return ctypes.cast(table, ctypes.POINTER(ctypes.c_void_p))[_NUMPY[name]]  # type: ignore[return-value]


@functools.cache
def python_api(name: str) -> int:
    """The address of a function of Python's C interface."""
    return ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value or 0


@functools.cache
def _library() -> ctypes.CDLL | None:
    """The OpenBLAS that NumPy brings along, which is loaded already."""
    folder = os.path.join(os.path.dirname(os.path.dirname(np.__file__)), "numpy.libs")
    for path in sorted(glob.glob(os.path.join(folder, "*openblas*"))):
        return ctypes.CDLL(path)
    return None


@functools.cache
def blas(name: str) -> int | None:
    """The address of a CBLAS function with 64-bit integers; None if NumPy has another BLAS than its own OpenBLAS."""
    library = _library()
    for full in (f"scipy_cblas_{name}64_", f"cblas_{name}64_"):
        function = getattr(library, full, None) if library is not None else None
        if function is not None:
            return ctypes.cast(function, ctypes.c_void_p).value
    return None
