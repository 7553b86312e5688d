"""Things that are made once in a process, where there is time for it: while Python traces, other threads load and compile."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from ..forking import whole
from ..threads import threads as processors

__all__ = ["in_background", "later", "once", "prepare"]

T = TypeVar("T")


def once(make: Callable[[], T]) -> Callable[[], T]:
    """The function as one that does its work at the first call; calls by other threads meanwhile wait for it."""
    made: list[T] = []
    lock = threading.RLock()

    def get() -> T:
        if not made:
            with whole(), lock:
                if not made:
                    made.append(make())
        return made[0]

    return get


_tasks: deque[tuple[Callable[[], Any], bool]] = deque()
"""What is to be done, and whether anything else goes before it."""
_PATIENCE = 10
"""The niceness of a thread that works on what nobody waits for."""
_turn = threading.Lock()
"""Held by the thread that does the tasks: one at a time, for LLVM needs some ten megabytes at each."""


@functools.cache
def prepare(make: Callable[[], Any]) -> None:
    """Do once what takes a while and will soon be needed, where a processor is free for it."""
    if processors() > 1:
        later(make)


def later(task: Callable[[], Any], patient: bool = False) -> None:
    """Do something in a thread, after what was to be done before it.

    Args:
      task: it.
      patient: whether it takes a processor only while nothing else needs it, where the system can do that.
    """
    _tasks.append((task, patient))
    in_background(_do_tasks)


def _do_tasks() -> None:
    while _tasks and _turn.acquire(blocking=False):  # else who has the turn does it
        try:
            task, patient = _tasks.popleft()
            if patient:
                _be_patient()
            with contextlib.suppress(Exception):
                task()
        finally:
            _turn.release()
        if patient:  # for good: what comes next is another thread's
            in_background(_do_tasks)
            return


def _be_patient() -> None:
    if sys.platform == "linux":  # where threads have a niceness of their own
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), os.nice(0) + _PATIENCE)


def in_background(task: Callable[[], Any]) -> None:
    """Do something in a thread. What fails is done again, and complains, where it is needed."""

    def work() -> None:
        with whole(), contextlib.suppress(Exception):
            task()

    with contextlib.suppress(RuntimeError):  # there are too many threads, or the process is about to end
        threading.Thread(target=work).start()
