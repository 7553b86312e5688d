"""Things that are made once in a process, where there is time for it: while Python traces, other threads load and compile."""

from __future__ import annotations

import contextlib
import functools
import os
import threading
import time
from collections.abc import Callable, Iterator
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
_LONGEST = 1.0
"""Seconds that what has time waits for a program's first result, at most."""
_QUIET = 0.05
"""Seconds that it waits after one: a process that begins often makes one program after another."""
_quiet_from = 0.0
"""When it may begin, by `time.perf_counter`."""
_turn = threading.Lock()
"""Held by a thread that makes something that has time: one at a time, for LLVM needs some ten megabytes at each."""
_waiting: list[tuple[Callable[[], Any], bool]] = []
"""What has yet to begin, and whether it does so in turn."""


def prepare(make: Callable[[], Any]) -> None:
    """Do once what takes a while and will soon be needed, where a processor is free for it."""
    if make not in _asked and processors() > 1:
        _asked.add(make)
        in_background(make, _turn)


def afterwards(task: Callable[[], Any], in_turn: bool = False) -> None:
    """Do something for later calls in a thread, but not before a program that is about to run for the first time has done so.

    Args:
      task: it.
      in_turn: whether it waits for what else began before.
    """

    waiting = task, in_turn
    _waiting.append(waiting)

    def work() -> None:
        _waiting.remove(waiting)
        task()

    in_background(work, _at_leisure(in_turn))


@contextlib.contextmanager
def _at_leisure(in_turn: bool) -> Iterator[None]:
    give_way()
    with _turn if in_turn else contextlib.nullcontext():
        yield


def _go_on() -> None:
    """In a forked child, which has no thread yet: what its parent had before it is done here too."""
    global _turn
    _turn = threading.Lock()
    be_calm()
    waiting = list(_waiting)
    _waiting.clear()
    for task, in_turn in waiting:
        afterwards(task, in_turn)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_go_on)


def hurry() -> None:
    """A program is about to be made, and to run for the first time."""
    global _quiet_from
    _quiet_from = time.perf_counter() + _LONGEST


def be_calm() -> None:
    """It has done so."""
    global _quiet_from
    _quiet_from = time.perf_counter() + _QUIET


def give_way() -> None:
    """Wait while a program is about to run for the first time: somebody waits for its result, and nobody for what is done here."""
    while time.perf_counter() < _quiet_from:
        time.sleep(_QUIET / 5)
