"""Things that are made once in a process, where there is time for it: while Python traces, other threads load and compile."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from ..forking import in_background, whole
from ..threads import threads as processors

__all__ = ["afterwards", "be_calm", "hurry", "once", "prepare"]

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
_PATIENCE = 10
"""The niceness of a thread that works on what nobody waits for."""
_LONGEST = 1.0
"""Seconds that such work waits for a program's first result, at most."""
_turn = threading.Lock()
"""Held by a thread that makes something that has time: one at a time, for LLVM needs some ten megabytes at each."""
_calm = threading.Event()
"""Set while nobody waits for the first result of a program whose code is there."""
_calm.set()
_waiting: list[tuple[Callable[[], Any], bool]] = []
"""What has yet to begin, and how patient that is."""


def prepare(make: Callable[[], Any]) -> None:
    """Do once what takes a while and will soon be needed, where a processor is free for it."""
    if make not in _asked and processors() > 1:
        _asked.add(make)
        in_background(functools.partial(_in_turn, make))


def afterwards(task: Callable[[], Any], patient: bool = False) -> None:
    """Do something for later calls in a thread, but not before a program that is about to run for the first time has done so.

    Args:
      task: it.
      patient: whether it takes a processor only while nothing else needs it, where the system can do that. It may take long then,
        while a fork waits.
    """

    waiting = task, patient
    _waiting.append(waiting)

    def before() -> None:
        _calm.wait(_LONGEST)
        if patient:
            _be_patient()

    def work() -> None:
        _waiting.remove(waiting)
        _in_turn(task) if patient else task()

    in_background(work, before)


def _go_on() -> None:
    """In a forked child, which has no thread yet: what its parent had before it is done here too."""
    global _calm, _turn
    _calm, _turn = threading.Event(), threading.Lock()
    _calm.set()
    waiting = list(_waiting)
    _waiting.clear()
    for task, patient in waiting:
        afterwards(task, patient)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_go_on)


def hurry() -> None:
    """A program is about to run for the first time."""
    _calm.clear()


def be_calm() -> None:
    """It has done so."""
    _calm.set()


def _in_turn(task: Callable[[], Any]) -> None:
    with _turn:
        task()


def _be_patient() -> None:
    if sys.platform == "linux":  # where threads have a niceness of their own
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), os.nice(0) + _PATIENCE)
