"""A backend that counts: NumPy's functions, and a tally of kernels and of the elements they produce.

Everything a backend must say is here: a name, a namespace of NumPy-like functions, how host arrays become buffers and
back. Kernels of its own go into `table`; this one has one, for `reduce_sum`. The rest comes from the primitives' `impl`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from functorch_lite.extend import Backend, Namespace

__all__ = ["CountingBackend"]


def _special() -> Any:
    import scipy.special

    return scipy.special


def _sum(x: Any, *, axes: tuple[int, ...]) -> Any:
    """A kernel of our own: pairwise sums, in double precision for floats of single precision."""
    wide = np.float64 if x.dtype == np.float32 else None
    return (
        np.sum(x, axis=axes, dtype=wide).astype(x.dtype)
        if wide
        else np.add.reduce(x, axes, _wide_enough(x.dtype)).astype(x.dtype)
    )


def _wide_enough(dtype: np.dtype) -> np.dtype:
    return np.dtype(np.float32) if dtype.itemsize == 2 and dtype.kind in "fV" else dtype


class CountingBackend(Backend):
    """NumPy, with a tally."""

    name = "counting"
    table = {"reduce_sum": _sum}

    def __init__(self) -> None:
        super().__init__(Namespace(np, _special))
        self.calls: Counter[str] = Counter()
        self.elements: Counter[str] = Counter()

    def from_host(self, array: Any) -> Any:
        return np.array(array)

    def to_host(self, buffer: Any) -> np.ndarray:
        return np.asarray(buffer)

    def literal(self, value: np.generic) -> Any:
        return np.asarray(value)

    def guard(self, run: Callable[..., Any]) -> Callable[..., Any]:
        def quietly(*buffers: Any) -> Any:
            with np.errstate(all="ignore"):
                return run(*buffers)

        return quietly

    def kernel(self, primitive: Any, types: Any, params: Any) -> Callable[..., Any]:
        """The kernel that any NumPy backend has, with the tally around it."""
        inner = super().kernel(primitive, types, params)
        name = primitive.name

        def counted(*buffers: Any) -> Any:
            out = inner(*buffers)
            self.calls[name] += 1
            self.elements[name] += sum(np.size(x) for x in (out if isinstance(out, (tuple, list)) else (out,)))
            return out

        return counted

    def report(self) -> str:
        """What was computed so far, a line for each primitive."""
        lines = [f"{n:8d} calls {self.elements[name]:10d} elements  {name}" for name, n in self.calls.most_common()]
        return "\n".join(lines) or "nothing yet"
