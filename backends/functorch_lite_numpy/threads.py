"""How many threads work on one large operation: the setting, the environment, the affinity mask."""

from __future__ import annotations

import os
from collections.abc import Callable

__all__ = ["on_change", "set_threads", "threads", "wanted"]

_ENVIRONMENT = "FUNCTORCH_LITE_THREADS"

_chosen: int | None = None
_listeners: list[Callable[[int], None]] = []


def set_threads(n: int | None = None) -> None:
    """Sets how many threads work on one large loop of compiled code, or one Fourier transform; results do not depend on it.

    Small work stays on the calling thread. BLAS and LAPACK of SciPy have threads and settings of their own.

    Args:
      n: at most so many, the caller counted; None: as at the start, what the environment variable FUNCTORCH_LITE_THREADS says,
        else one for each processor. There are never more than the process may run on.

    Raises:
      ValueError: if `n` is less than 1.

    >>> set_threads(2)
    >>> threads() <= 2
    True
    >>> set_threads()
    """
    global _chosen
    if n is not None and (not isinstance(n, int) or n < 1):
        raise ValueError(f"set_threads takes a number of threads, at least 1, not {n!r}.")
    _chosen = n
    for listener in _listeners:
        listener(wanted())


def threads() -> int:
    """How many threads work on a large loop, the caller counted."""
    if not hasattr(os, "sched_getaffinity"):
        return wanted()
    asked, there = _asked(), len(os.sched_getaffinity(0))
    return there if asked is None else min(asked, there)


def wanted() -> int:
    """The number of threads that was set or the environment asks for; else one for each processor."""
    return _asked() or os.cpu_count() or 1


def _asked() -> int | None:
    """The number of threads that was set or the environment asks for."""
    if _chosen is not None:
        return _chosen
    text = os.environ.get(_ENVIRONMENT, "")
    if not text:
        return None
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"{_ENVIRONMENT} is {text!r}: it takes a number of threads, at least 1.")
    return int(text)


def on_change(listener: Callable[[int], None]) -> None:
    """Call a function with the number of threads whenever that is set."""
    _listeners.append(listener)
