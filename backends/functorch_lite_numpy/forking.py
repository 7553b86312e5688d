"""What must not be cut in two by a fork: a child would find locks taken by threads that it does not have.

LLVM has locks of its own, and Python one for each module that is being imported, which cannot be renewed in the child. So a fork
waits until no other thread is inside. A thread that is inside may wait for none that has yet to come in.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any

__all__ = ["in_background", "whole"]


class _Gate:
    """Counts the threads inside."""

    def __init__(self) -> None:
        self.inside: dict[int, int] = {}
        """Thread -> how often."""
        self.changed = threading.Condition()
        self.closing = False

    @contextmanager
    def __call__(self) -> Iterator[None]:
        me = threading.get_ident()
        with self.changed:
            while self.closing and me not in self.inside:
                self.changed.wait()
            self.inside[me] = self.inside.get(me, 0) + 1
        try:
            yield
        finally:
            with self.changed:
                self.inside[me] -= 1
                if not self.inside[me]:
                    del self.inside[me]
                    self.changed.notify_all()

    def is_inside(self) -> bool:
        """Whether this thread is."""
        return threading.get_ident() in self.inside

    def close(self) -> None:
        """Wait until no other thread is inside, and let none in."""
        self.changed.acquire()
        self.closing = True
        while self.inside.keys() - {threading.get_ident()}:
            self.changed.wait()

    def open(self) -> None:
        self.closing = False
        self.changed.notify_all()
        self.changed.release()

    def open_in_child(self) -> None:
        """There is no other thread now: all that waited, or was inside, is forgotten."""
        me = threading.get_ident()
        self.inside = {me: self.inside[me]} if me in self.inside else {}
        self.changed = threading.Condition()
        self.closing = False


whole = _Gate()
"""Around what a fork has to wait for."""
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=whole.close, after_in_parent=whole.open, after_in_child=whole.open_in_child)


def in_background(task: Callable[[], Any], around: AbstractContextManager[Any] | None = None) -> None:
    """Do something in a thread, for which a fork waits. What fails is done again, and complains, where it is needed.

    Args:
      task: it.
      around: the context that the thread does it in; a fork does not wait until it is entered.
    """

    def work() -> None:
        with around or nullcontext(), whole(), suppress(Exception):
            task()

    with suppress(RuntimeError):  # there are too many threads, or the process is about to end
        threading.Thread(target=work).start()
