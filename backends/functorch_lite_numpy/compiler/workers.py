"""Texts that become machine code, by several threads, while others are still written."""

from __future__ import annotations

import contextlib
import threading
from collections import deque

from ..forking import whole
from . import engine

__all__ = ["Workers"]


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

    def begin(self, text: str, level: int) -> None:
        """Have a text compiled, once."""
        if (text, level) in self._asked:
            return
        self._asked.add((text, level))
        self._waiting.append((text, level))
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        if len(self._threads) < self._most and not whole.is_inside():  # who is inside may wait for none that is not
            thread = threading.Thread(target=self._work)
            with contextlib.suppress(RuntimeError):  # there are too many: then `finish` does it
                thread.start()
                self._threads.append(thread)

    def finish(self) -> None:
        """Help, and wait until all is done.

        Raises:
          LLVMError: if LLVM refused a text.
        """
        self._work()
        for thread in self._threads:
            thread.join()
        if self._problem is not None:
            raise self._problem

    def _work(self) -> None:
        while self._waiting and self._problem is None:
            try:
                text, level = self._waiting.popleft()
            except IndexError:  # another thread took it
                return
            try:
                self.codes[text, level] = engine.machine_code(text, level)
            except Exception as problem:
                self._problem = problem
