"""Things that are made once in a process, where there is time for it: while Python traces, other threads load and compile."""

from __future__ import annotations

import functools
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic, TypeVar

from ..forking import in_background, whole
from ..threads import threads as processors

__all__ = ["afterwards", "be_calm", "give_way", "hurry", "once", "prepare"]

T = TypeVar("T")


class once(Generic[T]):
    """A function that does its work at the first call; calls by other threads meanwhile wait for it."""

    def __init__(self, make: Callable[[], T]):
        functools.update_wrapper(self, make)
        self._make = make
        self._made: list[T] = []
        self._lock = threading.RLock()

    def __call__(self) -> T:
        if not self._made:
            with whole(), self._lock:
                if not self._made:
                    self._made.append(self._make())
        return self._made[0]

    @property
    def is_done(self) -> bool:
        """Whether a call takes no time."""
        return bool(self._made)


_asked: set[Callable[[], Any]] = set()


def prepare(make: Callable[[], Any]) -> None:
    """Do once what takes a while and will soon be needed, where a processor is free for it."""
    if make not in _asked and processors() > 1:
        _asked.add(make)
        in_background(make)


_LONGEST = 1.0
"""Seconds that what has time gives way to a program that is about to run for the first time, at most."""
_QUIET = 0.05
"""Seconds that it waits after such a first result: a process that begins often makes one program after another."""
_PATIENCE = 3.0
"""Seconds that it gives way to one after another, at most."""
_LOOK = 0.01
"""Seconds between two looks whether it may go on."""


class _Leisure:
    """What is done for later calls by one thread, one after the other, for LLVM needs some ten megabytes at each.

    Attributes:
      waiting: what has yet to be done, with when it was asked for; what is being done is the first, or was.
    """

    def __init__(self) -> None:
        self.waiting: list[tuple[Callable[[], Any], float]] = []
        self.quiet_from = 0.0
        self.deadline = 0.0
        """When what is being done gives way no longer."""
        self.is_child = False
        self.lock = threading.Lock()
        self.thread: threading.Thread | None = None

    def add(self, task: Callable[[], Any], soon: bool) -> None:
        with self.lock:
            self.waiting.insert(0 if soon else len(self.waiting), (task, time.perf_counter()))
        self.begin()

    def begin(self) -> None:
        """Have a thread, if there is something to do."""
        with self.lock:
            if self.waiting and (self.thread is None or not self.thread.is_alive()):
                self.thread = threading.Thread(target=self.work)
                with suppress(RuntimeError):  # there are too many: the next program tries again
                    self.thread.start()

    def goes_on(self) -> bool:
        """Whether there is something to do; else this thread is none any more."""
        with self.lock:
            if not self.waiting:
                self.thread = None
            return bool(self.waiting)

    def work(self) -> None:
        while self.goes_on():
            self.deadline = self.waiting[0][1] + _PATIENCE
            self.give_way()
            if self.is_child and not threading.main_thread().is_alive():
                return
            entry = self.waiting[0]  # one that is wanted sooner may have come
            with suppress(Exception):  # what fails is done, and complains, where it is needed
                entry[0]()
            self.waiting.remove(entry)

    def give_way(self) -> None:
        while time.perf_counter() < min(self.quiet_from, self.deadline) and threading.main_thread().is_alive():
            time.sleep(_LOOK)

    def go_on_in_child(self) -> None:
        """There is no thread yet. The parent goes on too: what it keeps in the cache need not be made here; and a child that ends
        soon makes nothing."""
        now = time.perf_counter()
        self.lock, self.thread, self.is_child = threading.Lock(), None, True
        self.quiet_from = now + _LONGEST
        self.waiting = [(task, now) for task, _ in self.waiting]
        self.begin()


_leisure = _Leisure()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leisure.go_on_in_child)


def afterwards(task: Callable[[], Any], soon: bool = False) -> None:
    """Do something for later calls in a thread, but not before a program that is about to run for the first time has done so.

    Args:
      task: it. A forked child does it again if it was not done before. It takes what a fork has to wait for upon itself.
      soon: whether it comes before what waits.
    """
    _leisure.add(task, soon)


def give_way() -> None:
    """In such a task: wait while a program is about to run for the first time, for somebody waits for that."""
    _leisure.give_way()


def hurry() -> None:
    """A program is about to be made, and to run for the first time."""
    _leisure.quiet_from = time.perf_counter() + _LONGEST
    _leisure.begin()


def be_calm() -> None:
    """It has done so."""
    _leisure.quiet_from = time.perf_counter() + _QUIET
