"""Sums along axes. Those of many rows go by stretches: NumPy would add up one row after the other, and lose digits."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from functorch_lite.extend import kind

__all__ = ["reduce_sum"]

STRETCH = 256
"""So many rows are added up one after the other; then their sums are."""


def reduce_sum(types: Any, params: Any) -> Callable[[Any], Any]:
    """A kernel for operands of the types; sums of 16-bit floats accumulate in 32 bits."""
    axes, shape, dtype = params["axes"], types[0].shape, types[0].dtype
    short = dtype.itemsize == 2 and kind(dtype) == "f"
    wide = np.dtype(np.float32) if short else dtype
    if kind(dtype) in "fc" and _adds_many_rows(shape, axes):
        run = _in_stretches(shape, axes, wide)
        return (lambda x: run(x).astype(dtype)) if short else run
    if short:
        return lambda x: np.add.reduce(x, axes, np.float32).astype(dtype)
    return lambda x: np.add.reduce(x, axes, dtype)


def _adds_many_rows(shape: Any, axes: Any) -> bool:
    """Whether NumPy would add up many rows one after the other; along the last axis it adds in pairs."""
    if not axes or axes != tuple(range(axes[0], axes[0] + len(axes))) or not all(type(n) is int for n in shape):
        return False
    rows, size = (math.prod(shape[a] for a in part) for part in (axes, range(axes[-1] + 1, len(shape))))
    return rows >= 2 * STRETCH and size > 1


def _in_stretches(shape: Any, axes: Any, dtype: np.dtype) -> Callable[[Any], Any]:
    """Sums over neighbouring axes: of stretches, then of their sums."""
    before, after, axis = shape[: axes[0]], shape[axes[-1] + 1 :], axes[0]
    rows = math.prod(shape[a] for a in axes)

    def added(x: Any, n: int) -> Any:
        if n < 2 * STRETCH:
            return np.add.reduce(x, axis, dtype)
        k = n // STRETCH
        whole, rest = np.split(x, [k * STRETCH], axis)
        out = added(np.add.reduce(whole.reshape(*before, k, STRETCH, *after), axis + 1, dtype), k)
        return out + np.add.reduce(rest, axis, dtype) if n % STRETCH else out

    def kernel(x: Any) -> Any:
        # Another layout would have to be copied first; NumPy adds it up in an order of its own.
        return added(x.reshape(*before, rows, *after), rows) if x.flags.c_contiguous else np.add.reduce(x, axes, dtype)

    return kernel
