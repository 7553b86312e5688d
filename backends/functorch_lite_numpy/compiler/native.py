"""A program as a Python callable: its machine code as it was kept, else made now."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

from functorch_lite.extend import Backend, Program

from ..threads import threads as processors
from .background import afterwards, hurry
from .cache import found
from .early import make_callable
from .entry import entry, find_entry
from .fast_path import way_in
from .fingerprint import fingerprint
from .linking import linked
from .making import import_makers, making
from .processor import has, processor_family

__all__ = ["compile_native", "get_ready", "import_ahead", "make_ways_in", "obstacle"]


def obstacle() -> str | None:
    """Why there can be no machine code here; None if there can."""
    if sys.maxsize < 2**32 or sys.byteorder != "little":
        return "it is made for 64-bit little-endian machines"
    if sys.implementation.name != "cpython" or "free-threading" in sys.version:
        return "it knows the objects of CPython with its global lock alone"
    if not np.__version__.startswith("2."):
        return f"it knows the arrays of NumPy 2, this is {np.__version__}"
    if processor_family() == "x86_64" and not has("fma"):
        return "the processor lacks fused multiply-add"
    return None


def compile_native(program: Program, backend: Backend) -> Callable[..., tuple[Any, ...]]:
    """A callable from operand buffers to a tuple of result buffers.

    Raises:
      LLVMMissing: if there is code to make, and LLVM cannot be loaded.
    """
    key = fingerprint(program)
    code = found(key)
    if code is None:
        run = making("compile").compile_new(program, key, backend)
    else:
        run = make_callable(linked(code), program)
    _have_ways_in_made()
    return run


@functools.cache
def _kept_nothing() -> bool:
    """Whether code can be made here, and none was kept. Where the way in was programs were too, and those needed are likely to be
    found."""
    with suppress(Exception):  # it complains where it is needed
        return obstacle() is None and not find_entry()
    return False


def import_ahead() -> None:
    """Import what makes code, if it is likely to be needed."""
    if _kept_nothing():
        import_makers()


def get_ready() -> None:
    """A program is about to be traced: begin to load LLVM, if it is likely to be needed and a processor is free for it."""
    hurry()
    if processors() > 1 and _kept_nothing():
        making("compile")


@functools.cache
def _have_ways_in_made() -> None:
    afterwards(make_ways_in, soon=True)


def make_ways_in() -> None:
    """What later calls go through."""
    entry()
    way_in()
