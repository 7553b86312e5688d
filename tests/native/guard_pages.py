"""A plugin for pytest: every buffer lies against a page that may not be touched, so what is read or written outside of it kills.

    GUARD_PAGES=end python -m pytest -p tests.native.guard_pages tests/native

NumPy asks us for the memory of its arrays, so also for operands, results and the arena; in the arena, each value has pages of its
own, with a guard page behind it, and so has memory that code asks Python for: scratch of pieces of work, rows of loops.
`GUARD_PAGES=end`: buffers end where a guard page begins, `start`: they begin where one ends. Work is done by one thread: the
keeper of the memory is in Python.
"""

from __future__ import annotations

import ctypes
import faulthandler
import mmap
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from functorch_lite_numpy.compiler.memory import Interval

PAGE = mmap.PAGESIZE
NO_ACCESS = 0
AT_END = os.environ.get("GUARD_PAGES", "end") == "end"
ODD = 7
"""What an arena is larger than a multiple of 64 bytes: so no array but one of single bytes can be taken for it."""
_SET_HANDLER = 304
"""The number of `PyDataMem_SetHandler` in NumPy's C interface."""

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]

blocks: dict[int, tuple[int, int]] = {}
"""Pointer -> the mapping that it lies in, and its size."""
holes: dict[int, list[int]] = {}
"""The size of an arena -> where its guard pages are."""


def pages(size: int) -> int:
    return -(-size // PAGE) * PAGE


def allocate(size: int) -> int | None:
    """Zeroed memory between two guard pages."""
    inside = pages(max(size, 1))
    if inside > 1 << 40:
        return None
    start = libc.mmap(
        None, inside + 2 * PAGE, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0
    )
    if start in (None, ctypes.c_void_p(-1).value):
        return None
    arena = holes.get(size)
    for guard in (0, inside + PAGE, *(PAGE + hole for hole in arena or ())):
        libc.mprotect(start + guard, PAGE, NO_ACCESS)
    pointer = start + PAGE + (inside - size if AT_END and arena is None else 0)
    blocks[pointer] = start, inside + 2 * PAGE
    return pointer


def free(pointer: int | None) -> None:
    if pointer:
        libc.munmap(*blocks.pop(pointer))


def reallocate(pointer: int | None, size: int) -> int | None:
    new = allocate(size)
    if pointer and new:
        start, length = blocks[pointer]
        ctypes.memmove(new, pointer, min(size, start + length - PAGE - pointer))
        free(pointer)
    return new


class Allocator(ctypes.Structure):
    """NumPy's PyDataMemAllocator. The last argument of `free` is the size."""

    Make = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
    Clear = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t)
    Change = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
    Free = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
    _fields_ = [("context", ctypes.c_void_p), ("make", Make), ("clear", Clear), ("change", Change), ("free", Free)]


class Handler(ctypes.Structure):
    """NumPy's PyDataMem_Handler."""

    _fields_ = [("name", ctypes.c_char * 127), ("version", ctypes.c_uint8), ("allocator", Allocator)]


handler = Handler(
    b"guard pages",
    1,
    Allocator(
        None,
        Allocator.Make(lambda _, size: allocate(size)),
        Allocator.Clear(lambda _, n, size: allocate(n * size)),
        Allocator.Change(lambda _, pointer, size: reallocate(pointer, size)),
        Allocator.Free(lambda _, pointer, size: free(pointer)),
    ),
)


def install_handler() -> None:
    """From now on NumPy gets its memory here."""
    new, get = ctypes.pythonapi.PyCapsule_New, ctypes.pythonapi.PyCapsule_GetPointer
    new.restype, new.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    table = ctypes.cast(get(np._core._multiarray_umath._ARRAY_API, None), ctypes.POINTER(ctypes.c_void_p))  # type: ignore[attr-defined]
    capsule = new(ctypes.addressof(handler), b"mem_handler", None)
    ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object)(table[_SET_HANDLER])(capsule)


def plan(
    intervals: Sequence[Interval], lenders: Sequence[Any] = (), alignment: int = 64
) -> tuple[list[tuple[int, int]], int]:
    """In place of the compiler's: no value shares memory with another one, a guard page between them."""
    offsets, guards, place = [], [], 0
    for _, _, size, is_aligned in intervals:
        inside = pages(max(size, 1))
        before = inside - size if AT_END else 0
        offsets.append(place + (before - before % alignment if is_aligned else before))
        guards.append(place + inside)
        place += inside + PAGE
    while place + ODD + alignment in holes:
        place += PAGE
    holes[place + ODD + alignment] = guards
    return [(len(lenders), offset) for offset in offsets], place + ODD


RawMalloc = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_size_t)(allocate)
RawRealloc = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)(reallocate)
RawFree = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(free)


def guarded_api(name: str) -> int:
    from functorch_lite_numpy.compiler.outside import python_api

    ours: Any = {"PyMem_RawMalloc": RawMalloc, "PyMem_RawRealloc": RawRealloc, "PyMem_RawFree": RawFree}.get(name)
    return python_api(name) if ours is None else ctypes.cast(ours, ctypes.c_void_p).value or 0


def install() -> None:
    """Before the first program is compiled."""
    os.environ["FUNCTORCH_LITE_THREADS"] = "1"
    os.environ["FUNCTORCH_LITE_CACHE"] = "off"
    from functorch_lite_numpy.compiler import arena, carry, outside, pieces, row_memory, segment, working_memory

    faulthandler.enable()
    arena.KEPT.value = 0
    working_memory.ON_STACK = segment.ON_STACK = carry.ON_STACK = pieces.ON_STACK = 0
    segment.plan, row_memory.python_api = plan, guarded_api
    outside._KINDS["python"] = guarded_api
    install_handler()


def pytest_configure() -> None:
    install()


def pytest_runtest_logstart(nodeid: str) -> None:
    print(nodeid, file=sys.stderr, flush=True)


def pytest_sessionfinish(exitstatus: int) -> None:
    global status
    status = exitstatus


def pytest_unconfigure() -> None:
    """Leave at once: arrays that live until the end would be given back to a Python that is gone."""
    sys.stdout.flush()
    os._exit(status)


status = 1
