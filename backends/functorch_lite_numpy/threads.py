"""How many threads work on the large loops of compiled code."""

from __future__ import annotations

from .backend import load_compiler

__all__ = ["set_threads", "threads"]


def set_threads(n: int | None = None) -> None:
    """Sets how many threads work on one large loop of compiled code; results do not depend on it.

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
    if n is not None and (not isinstance(n, int) or n < 1):
        raise ValueError(f"set_threads takes a number of threads, at least 1, not {n!r}.")
    compiler = load_compiler()
    if compiler is not None:
        compiler.set_threads(n)


def threads() -> int:
    """How many threads work on a large loop, the caller counted; 1 where there is no compiler."""
    compiler = load_compiler()
    return 1 if compiler is None else compiler.threads()
