"""Convolution as matrix products, in whatever order the operands lie in memory.

What the windows meet is an array (batch, groups, channels, *space of the result, *window), a strided view of x. Copied
to matrices of (batch, space) by (channels, window), its product with the filters is the convolution. The copy takes
longer than the product unless it moves runs of contiguous elements. So x is laid out with its channels innermost
(unless they are, or the batch is), and axes are copied in the order of their strides. The result has its channels
innermost too, and so has what is computed from it elementwise: the next convolution finds its operand as it wants it,
and so do both gradients, which are convolutions with batch and channels exchanged.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from functorch_lite.extend import registry

__all__ = ["FAST"]

_BLOCK = 1 << 22  # bytes of the matrices made at a time: they should stay in the cache
_SHIFTS = 64  # elements of a window; up to here, filters of one channel are faster shift by shift


def _inner_axes(x: np.ndarray, axes: Sequence[int]) -> list[int]:
    """Axes from the one with the largest stride to that with the smallest; those of length 1 come first."""
    return sorted(axes, key=lambda a: (x.shape[a] > 1, -abs(x.strides[a])))


def _lies_well(x: np.ndarray) -> bool:
    """Whether the channels or the batch of x (n, groups, channels, *space) are innermost, and nothing is repeated."""
    repeated = any(s == 0 and n > 1 for s, n in zip(x.strides, x.shape, strict=True))
    return not repeated and (_inner_axes(x, range(x.ndim))[-1] < 3 or x.shape[1:3] == (1, 1))


def _spread(x: np.ndarray, padding: Any, dilation: Sequence[int], dtype: np.dtype) -> np.ndarray:
    """x (n, groups, channels, *space) dilated and padded, laid out well, of the given dtype."""
    lengths = [1 + d * (n - 1) for n, d in zip(x.shape[3:], dilation, strict=True)]
    if lengths == list(x.shape[3:]):  # cutting before needs no copy
        x = x[(..., *(slice(max(0, -low), n - max(0, -high)) for n, (low, high) in zip(lengths, padding, strict=True)))]
        lengths = list(x.shape[3:])
        padding = [(max(0, low), max(0, high)) for low, high in padding]
        if not any(map(any, padding)) and x.dtype == dtype and _lies_well(x):
            return x
    sides = [(max(0, low), max(0, high)) for low, high in padding]
    memory = np.zeros((x.shape[0], *(n + a + b for n, (a, b) in zip(lengths, sides, strict=True)), *x.shape[1:3]), dtype)
    full = memory.transpose(0, -2, -1, *range(1, x.ndim - 2))
    inside = (slice(a, a + n, d) for n, d, (a, _) in zip(lengths, dilation, sides, strict=True))
    full[(..., *inside)] = x
    kept = (slice(max(0, -low), n - max(0, -high)) for n, (low, high) in zip(full.shape[3:], padding, strict=True))
    return full[(..., *kept)]


def _patches(spread: np.ndarray, space: Any, window: Any, strides: Any, dilation: Any) -> np.ndarray:
    """The view (n, groups, channels, *space of the result, *window)."""
    steps = spread.strides[3:]
    by_space = [s * d for s, d in zip(steps, strides, strict=True)]
    by_window = [s * d for s, d in zip(steps, dilation, strict=True)]
    shape = (*spread.shape[:3], *space, *window)
    return as_strided(spread, shape, (*spread.strides[:3], *by_space, *by_window), writeable=False)


def _blocks(patches: np.ndarray, axis: int) -> list[slice]:
    """The patches in pieces along an axis, such that each fits into the cache."""
    n = patches.shape[axis]
    step = max(1, _BLOCK * n // (patches.size * patches.itemsize))
    return [slice(start, min(start + step, n)) for start in range(0, n, step)]


def _products(patches: np.ndarray, w: np.ndarray, dims: int) -> np.ndarray:
    """The patches with w (groups, outputs, channels, *window): (n, groups * outputs, *space)."""
    groups, outputs = w.shape[:2]
    free = _inner_axes(patches, [0, *range(3, 3 + dims)])
    summed = _inner_axes(patches, [2, *range(3 + dims, patches.ndim)])
    innermost = _inner_axes(patches, [*free, *summed])[-1]
    shape = [patches.shape[a] for a in free]
    w = w.transpose(0, 1, *(2 if a == 2 else a - dims for a in summed))
    if innermost in summed:
        out = np.empty((*shape, groups, outputs), patches.dtype)
        view, target = patches.transpose(1, *free, *summed), np.moveaxis(out, -2, 0)
    else:
        out = np.empty((groups, outputs, *shape), patches.dtype)
        view, target = patches.transpose(1, *summed, *free), out
    outer = _inner_axes(patches, [free[0], summed[0]])[0]
    at = (innermost not in summed) * (len(summed) if outer in free else 0) + 1
    for block in _blocks(patches, outer):
        ...
    return out
