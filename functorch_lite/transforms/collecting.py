"""Python's collector of garbage, at rest while programs are made.

Tracing and compiling make many objects that live until they are done: to go through all of them again and again, and through
all else in the process, would cost more than half as much as the rest.
"""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["without_collecting"]

_lock = threading.Lock()
_inside = 0
_was_on = False


@contextmanager
def without_collecting() -> Iterator[None]:
    """The collector is off inside, for all threads; it goes on, if it was on, once none is inside any more."""
    global _inside, _was_on
    with _lock:
        if not _inside:
            _was_on = gc.isenabled()
            gc.disable()
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside = max(0, _inside - 1)
            if not _inside and _was_on:
                gc.enable()


def _forget_other_threads() -> None:
    """In a forked child: those inside are not there to leave."""
    global _lock, _inside
    _lock = threading.Lock()
    if _inside:
        _inside = 0
        if _was_on:
            gc.enable()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_other_threads)
