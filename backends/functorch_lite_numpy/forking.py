"""What must not be cut in two by a fork: a child would find locks taken by threads that it does not have.

LLVM has locks of its own, and Python one for each module that is being imported, which cannot be renewed in the child. So a fork
waits until no other thread is inside. A thread that is inside may wait for none that has yet to come in.
"""

from __future__ import annotations

import importlib
import os
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from types import ModuleType
from typing import Any

__all__ = ["imported", "in_background", "whole"]


class _Gate:
    """Each thread has a lock, which it holds while it is inside; a fork takes those of all others.

    They are Python's own locks, in C: an exception by a signal finds them either held, and then gives them back, or not.
    """

    def __init__(self) -> None:
        self.own = threading.local()
        self.locks: weakref.WeakSet[Any] = weakref.WeakSet()
        """Those of all threads that were inside."""
        self.entering = threading.Lock()
        """Held where there is a new one, and by a fork."""
        self.taken: list[Any] = []

    def __call__(self) -> Any:
        """`with whole():` this thread is inside."""
        lock = getattr(self.own, "lock", None)
        if lock is None:
            lock = threading.RLock()
            with self.entering:
                self.locks.add(lock)
            self.own.lock = lock
        return lock

    def is_inside(self) -> bool:
        """Whether this thread is."""
        lock = getattr(self.own, "lock", None)
        return lock is not None and lock._is_owned()

    def close(self) -> None:
        """Wait until no other thread is inside, and let none in."""
        self.entering.acquire()
        mine = getattr(self.own, "lock", None)
        for lock in list(self.locks):
            if lock is not mine:
                self.taken.append(lock)
                lock.acquire()

    def open(self) -> None:
        while self.taken:
            with suppress(RuntimeError):  # a signal ended the wait for it
                self.taken.pop().release()
        self.entering.release()

    def open_in_child(self) -> None:
        """There is no other thread now."""
        mine = getattr(self.own, "lock", None)
        self.locks = weakref.WeakSet([] if mine is None else [mine])
        self.entering = threading.Lock()
        self.taken = []


whole = _Gate()
"""Around what a fork has to wait for."""
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=whole.close, after_in_parent=whole.open, after_in_child=whole.open_in_child)


def imported(name: str, package: str | None = None) -> ModuleType:
    """A module that is imported on first use: a child would wait for ever for one that a thread of its parent was importing."""
    with whole():
        return importlib.import_module(name, package)


def in_background(task: Callable[[], Any]) -> None:
    """Do something in a thread, for which a fork waits. What fails is done again, and complains, where it is needed."""

    def work() -> None:
        with whole(), suppress(Exception):
            task()

    with suppress(RuntimeError):  # there are too many threads, or the process is about to end
        threading.Thread(target=work).start()
