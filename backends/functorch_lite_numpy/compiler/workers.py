"""Texts that become machine code, by several threads, while others are still written."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator

from ..forking import whole
from . import engine

__all__ = ["Workers", "brisk"]


class _Brisk:
    """A context in which Python's threads take turns more often.

    A worker needs Python's lock between two functions of LLVM. While this thread writes what is next it would wait for it for as
    long as LLVM takes for some hundred lines, each time.
    """

    INTERVAL = 1e-4

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside: list[int] = []
        """The threads that are in it."""
        self._usual = self._shorter = 0.0

    @contextlib.contextmanager
    def __call__(self) -> Iterator[None]:
        with self._lock:
            if not self._inside:
                self._usual = sys.getswitchinterval()
                sys.setswitchinterval(min(self.INTERVAL, self._usual))
                self._shorter = sys.getswitchinterval()
            self._inside.append(threading.get_ident())
        try:
            yield
        finally:
            self._leave([threading.get_ident()])

    def _leave(self, threads: list[int]) -> None:
        with self._lock:
            for thread in threads:
                self._inside.remove(thread)
            is_ours = sys.getswitchinterval() == self._shorter  # else somebody set it meanwhile
            if threads and not self._inside and is_ours:
                sys.setswitchinterval(self._usual + 5e-7)  # Python cuts off parts of microseconds

    def go_on_in_child(self) -> None:
        """After a fork there is this thread alone."""
        self._lock = threading.Lock()
        self._leave([thread for thread in self._inside if thread != threading.get_ident()])


brisk = _Brisk()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=brisk.go_on_in_child)


class Workers:
    """Threads that compile.

    Attributes:
      codes: the machine code of each text at each level.
    """

    def __init__(self, most: int):
        """No thread yet; at most so many, besides the one that calls `finish`."""
        self.codes: dict[tuple[str, int], bytes] = {}
        self._most = most
        self._waiting: deque[tuple[str, int]] = deque()
        self._asked: set[tuple[str, int]] = set()
        self._threads: list[threading.Thread] = []
        self._problem: Exception | None = None

    def add(self, text: str, level: int) -> bool:
        """A text that `finish` will have compiled; false if there was one already."""
        if (text, level) in self._asked:
            return False
        self._asked.add((text, level))
        self._waiting.append((text, level))
        return True

    def begin(self, text: str, level: int) -> None:
        """Have a text compiled."""
        if not self.add(text, level):
            return
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        if len(self._threads) < self._most and not whole.is_inside():  # who is inside may wait for none that is not
            thread = threading.Thread(target=self._work)
            with contextlib.suppress(RuntimeError):  # there are too many: then `finish` does it
                thread.start()
                self._threads.append(thread)

    def finish(self, between: Callable[[], object] | None = None) -> None:
        """Help, and wait until all is done.

        Args:
          between: what is called before each text.

        Raises:
          LLVMError: if LLVM refused a text.
        """
        self._work(between)
        for thread in self._threads:
            thread.join()
        if self._problem is not None:
            raise self._problem

    def _work(self, between: Callable[[], object] | None = None) -> None:
        while self._waiting and self._problem is None:
            if between is not None:
                between()
            with whole():  # a child goes on with the rest
                try:
                    text, level = self._waiting.popleft()
                except IndexError:  # another thread took it
                    return
                try:
                    self.codes[text, level] = engine.machine_code(text, level)
                except Exception as problem:
                    self._problem = problem
