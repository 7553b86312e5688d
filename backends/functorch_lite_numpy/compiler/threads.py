"""The threads that work on large loops: the pool that they belong to.

The pool is made with the first program that has a large loop; its threads start when that runs. As many work as the setting
says, but no more than the process may use (its affinity mask). A forked child starts its own.
"""

from __future__ import annotations

import _signal  # what signal has, without making enumerations of it
import ctypes
import os

from ..threads import on_change, wanted
from . import pool_blas
from .background import once
from .cache import cached
from .linking import load
from .making import making
from .outside import openblas
from .pool import FUNCTIONS, MOST_THREADS, pool_ir
from .processor import processor_family

__all__ = ["address", "pool"]

_WINDOWS = {"sched_yield": "SwitchToThread"}


class _Pool:
    """The machine code of the pool; it is never given back, since threads may run in it until the process ends."""

    def __init__(self, wanted: int):
        text = pool_ir(processor_family(), getattr(_signal, "SIG_BLOCK", 0))
        library = load(cached(text, lambda: making("engine").machine_code(text, 0)))
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(library))
        self.has_threads = os.name == "posix"
        """Elsewhere there are no POSIX threads: all is done by the caller."""
        c_library = ctypes.CDLL(None) if self.has_threads else ctypes.WinDLL("kernel32")  # type: ignore[attr-defined]
        for name in FUNCTIONS:
            function = getattr(c_library, name if self.has_threads else _WINDOWS.get(name, name), None)
            address = ctypes.cast(function, ctypes.c_void_p).value if function is not None else None
            ctypes.c_void_p.from_address(library.address(f"outside.{name}")).value = address
        for name in pool_blas.FUNCTIONS:
            ctypes.c_void_p.from_address(library.address(f"outside.{name}")).value = openblas(name)
        self.library = library
        # PyDLL's kind of function keeps the GIL, CDLL's gives it up while it waits for the threads
        self.reset = ctypes.PYFUNCTYPE(None)(library.address("reset"))
        self.resize = ctypes.CFUNCTYPE(None, ctypes.c_int64)(library.address("resize"))
        self.reset()
        self.want(wanted)
        if hasattr(os, "register_at_fork"):
            lock, unlock = (ctypes.PYFUNCTYPE(None)(library.address(f"{name}_blas")) for name in ("lock", "unlock"))
            os.register_at_fork(before=lock, after_in_parent=unlock, after_in_child=self.reset)

    def want(self, n: int) -> None:
        self.resize(min(n, MOST_THREADS) if self.has_threads else 1)


@once
def pool() -> _Pool:
    """The pool."""
    made = _Pool(wanted())
    on_change(made.want)
    return made


def address(name: str) -> int:
    """Of what compiled code refers to by `pool.name`: `void parallel_for(void (*function)(void *block, int64_t k), void *block,
    int64_t pieces)`, and what holds and frees BLAS."""
    return pool().library.address(name)
