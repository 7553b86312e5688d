"""Addresses of what native code calls outside: NumPy's and Python's C functions, and BLAS."""

from __future__ import annotations

import ctypes
import functools
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from ..forking import imported

__all__ = [
    "address",
    "arg_sorter",
    "blas",
    "fft_loop",
    "lapack",
    "numpy_api",
    "openblas",
    "python_api",
    "sorter",
    "ufunc_loop",
]

_NUMPY = {
    "PyArray_Type": 2,
    "PyArray_Return": 76,
    "PyArray_NewCopy": 85,
    "PyArray_NewFromDescr": 94,
    "PyArray_Empty": 184,
    "PyDataMem_GetHandler": 305,
    "PyDataMem_DefaultHandler": 306,
    "PyDataType_GetArrFuncs": 365,
}
"""Numbers in NumPy's C interface, which never change."""


@functools.cache
def numpy_api(name: str) -> int:
    """The address of an entry of NumPy's C interface."""
    from numpy._core import _multiarray_umath  # type: ignore[attr-defined]

    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    table = get(_multiarray_umath._ARRAY_API, None)  # type: ignore[attr-defined]
    return ctypes.cast(table, ctypes.POINTER(ctypes.c_void_p))[_NUMPY[name]]  # type: ignore[return-value]


_SORTS = 33
"""Where in a dtype's table of functions (`PyArray_ArrFuncs`) the sorts stand, by kind, and behind them the argsorts."""


@functools.cache
def _sorts(dtype: np.dtype) -> list[int]:
    table = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object)(numpy_api("PyDataType_GetArrFuncs"))(np.dtype(dtype))
    functions = ctypes.cast(table, ctypes.POINTER(ctypes.c_void_p))
    return [functions[_SORTS + k] for k in range(6)]


def _sort_kind(dtype: np.dtype) -> int:
    """Quicksort, which NumPy has in vector code; numbers of one or two bytes are counted instead (stable's slot)."""
    return 2 if dtype.itemsize <= 2 and dtype.kind in "biu" else 0


def sorter(dtype: np.dtype) -> int:
    """The address of NumPy's `int sort(void *start, npy_intp n, void *unused)`, not stable."""
    return _sorts(dtype)[_sort_kind(dtype)]


def arg_sorter(dtype: np.dtype) -> int:
    """The address of NumPy's `int argsort(void *start, npy_intp *order, npy_intp n, void *unused)`, likewise."""
    return _sorts(dtype)[3 + _sort_kind(dtype)]


@functools.cache
def ufunc_loop(name: str, dtype: np.dtype) -> int:
    """The address of a ufunc's inner loop, (char **args, npy_intp *n, npy_intp *steps, void *data); 0 if it has data."""
    ufunc = getattr(np, name)
    function, data = _loop(ufunc, f"{dtype.char * ufunc.nin}->{dtype.char}")
    return 0 if data else function or 0


@functools.cache
def fft_loop(name: str) -> tuple[int, int]:
    """The addresses of a loop of NumPy's PocketFFT, by kind and dtype of real parts, and of its data; zeros if there are none."""
    kind, dtype = name.split(".")
    try:
        ufunc = getattr(imported("numpy.fft._pocketfft_umath"), kind)
    except ImportError:
        return 0, 0
    real, complex_ = np.dtype(dtype).char, np.dtype(dtype).char.upper()
    given, made = (real if kind.startswith(k) else complex_ for k in ("rfft", "irfft"))
    function, data = _loop(ufunc, f"{given}{real}->{made}")
    return function or 0, data or 0


def _loop(ufunc: Any, types: str) -> tuple[int | None, int | None]:
    """The addresses of a ufunc's inner loop for these dtypes, and of its data."""
    which = ufunc.types.index(types)
    pointers = ctypes.POINTER(ctypes.c_void_p)
    functions, data = (ctypes.cast(ctypes.c_void_p.from_address(id(ufunc) + at), pointers) for at in (32, 40))
    return functions[which], data[which] if data else None


@functools.cache
def python_api(name: str) -> int:
    """The address of a function of Python's C interface."""
    return ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value or 0


@functools.cache
def _library() -> ctypes.CDLL | None:
    """The OpenBLAS that NumPy brings along, which is loaded already."""
    folder = os.path.join(os.path.dirname(os.path.dirname(np.__file__)), "numpy.libs")
    found = sorted(name for name in os.listdir(folder) if "openblas" in name) if os.path.isdir(folder) else []
    return ctypes.CDLL(os.path.join(folder, found[0])) if found else None


def _address(*names: str) -> int | None:
    """The address of the first of these functions that NumPy's OpenBLAS has."""
    library = _library()
    for name in names:
        function = getattr(library, name, None) if library is not None else None
        if function is not None:
            return ctypes.cast(function, ctypes.c_void_p).value
    return None


@functools.cache
def blas(name: str) -> int | None:
    """The address of a CBLAS function with 64-bit integers; None if NumPy has another BLAS than its own OpenBLAS."""
    return _address(f"scipy_cblas_{name}64_", f"cblas_{name}64_")


def openblas(name: str) -> int | None:
    """The address of one of OpenBLAS's own functions; None as for `blas`."""
    return _address(f"scipy_openblas_{name}64_", f"openblas_{name}64_")


@functools.cache
def lapack(name: str) -> int | None:
    """The address of a LAPACK function in Fortran's convention, with 64-bit integers; None as for `blas`."""
    return _address(f"scipy_{name}_64_", f"{name}_64_")


def _ufunc(name: str) -> int:
    ufunc, dtype = name.split(".")
    return ufunc_loop(ufunc, np.dtype(dtype))


_KINDS: dict[str, Callable[[str], int | None]] = {
    "argsort": lambda dtype: arg_sorter(np.dtype(dtype)),
    "blas": blas,
    "dtype": lambda name: id(np.dtype(name)),
    "lapack": lapack,
    "numpy": numpy_api,
    "python": python_api,
    "sort": lambda dtype: sorter(np.dtype(dtype)),
    "fft": lambda name: fft_loop(name)[0],
    "fft_data": lambda name: fft_loop(name)[1],
    "ufunc": _ufunc,
}
_MODULES = {"arena": "arena", "pool": "threads", "recycling": "recycling", "rows": "row_memory"}
"""Those of our own: a module with a function `address`."""


def address(name: str) -> int:
    """The address of something outside, by its kind and name: `python.PyTuple_New`, `blas.sgemm`."""
    kind, _, rest = name.partition(".")
    own = _MODULES.get(kind)
    found = imported(f".{own}", __package__).address(rest) if own else _KINDS[kind](rest)
    if not found:
        raise LookupError(f"there is no {name} here")
    return found
