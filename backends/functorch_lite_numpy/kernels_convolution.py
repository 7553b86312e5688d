"""Convolution as matrix products, in whatever order the operands lie in memory.

What the windows meet is an array (batch, groups, channels, *space of the result, *window), a strided view of x. Copied
to matrices of (batch, space) by (channels, window), its product with the filters is the convolution. The copy takes
longer than the product unless it moves runs of contiguous elements. So x is laid out with its channels innermost
(unless they are, or the batch is), and axes are copied in the order of their strides. The result has its channels
innermost too, and so has what is computed from it elementwise: the next convolution finds its operand as it wants it,
and so do both gradients, which are convolutions with batch and channels exchanged.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from functorch_lite.extend import registry

__all__ = ["FAST"]

_BLOCK = 1 << 22  # bytes of the matrices made at a time: they should stay in the cache
_SHIFTS = 64  # elements of a window; up to here, filters of one channel are faster shift by shift


def _outer_to_inner(x: np.ndarray, axes: Sequence[int]) -> list[int]:
    """Axes from the one with the largest stride to that with the smallest; those of length 1 come first."""
    return sorted(axes, key=lambda a: (x.shape[a] > 1, -abs(x.strides[a]), x.shape[a]))


def _lies_well(x: np.ndarray) -> bool:
    """Whether the channels or the batch of x (n, groups, channels, *space) are innermost, and nothing is repeated."""
    repeated = any(s == 0 and n > 1 for s, n in zip(x.strides, x.shape, strict=True))
    return not repeated and (_outer_to_inner(x, range(x.ndim))[-1] < 3 or x.shape[1:3] == (1, 1))


def _spread(x: np.ndarray, padding: Any, dilation: Sequence[int], dtype: np.dtype, batch_inside: bool) -> np.ndarray:
    """X (n, groups, channels, *space) dilated and padded, laid out well, of the given dtype."""
    if all(d == 1 for d in dilation):  # cutting first needs no copy
        x = x[(..., *(slice(max(0, -a), n - max(0, -b)) for n, (a, b) in zip(x.shape[3:], padding, strict=True)))]
        padding = [(max(0, a), max(0, b)) for a, b in padding]
        if not any(map(any, padding)) and x.dtype == dtype and _lies_well(x):
            return x
    lengths = [1 + d * (n - 1) for n, d in zip(x.shape[3:], dilation, strict=True)]
    room = [n + max(0, a) + max(0, b) for n, (a, b) in zip(lengths, padding, strict=True)]
    space = range(3, x.ndim)
    order = (2, *space, 1, 0) if batch_inside else (0, *space, 1, 2)
    full = np.zeros([(*x.shape[:3], *room)[i] for i in order], dtype).transpose(np.argsort(order))
    inside = (slice(max(0, a), max(0, a) + n, d) for n, d, (a, _) in zip(lengths, dilation, padding, strict=True))
    full[(..., *inside)] = x
    return full[(..., *(slice(max(0, -a), n - max(0, -b)) for n, (a, b) in zip(room, padding, strict=True)))]


def _patches(spread: np.ndarray, space: Any, window: Any, strides: Any, dilation: Any) -> np.ndarray:
    """The view (n, groups, channels, *space of the result, *window)."""
    steps = spread.strides[3:]
    by_space = [s * d for s, d in zip(steps, strides, strict=True)]
    by_window = [s * d for s, d in zip(steps, dilation, strict=True)]
    shape = (*spread.shape[:3], *space, *window)
    return as_strided(spread, shape, (*spread.strides[:3], *by_space, *by_window), writeable=False)


def _product(patches: np.ndarray, w: np.ndarray, dims: int) -> np.ndarray:
    """The patches by w (groups, outputs, channels, *window), summed: (n, groups * outputs, *space)."""
    groups, outputs = w.shape[:2]
    free = _outer_to_inner(patches, [0, *range(3, 3 + dims)])
    summed = _outer_to_inner(patches, [2, *range(3 + dims, patches.ndim)])
    shape = [patches.shape[a] for a in free]
    rows, terms = math.prod(shape), math.prod(patches.shape[a] for a in summed)
    filters = w.transpose(0, 1, *(2 if a == 2 else a - dims for a in summed)).reshape(groups, outputs, terms)
    if _outer_to_inner(patches, [*free, *summed])[-1] in summed:
        matrices = patches.transpose(1, *free, *summed).reshape(groups, rows, terms)
        memory = np.empty((rows, groups, outputs), patches.dtype)
        np.matmul(matrices, filters.transpose(0, 2, 1), out=memory.transpose(1, 0, 2))
        out, first, channel = memory.reshape(*shape, groups * outputs), 0, len(shape)
    else:
        matrices = patches.transpose(1, *summed, *free).reshape(groups, terms, rows)
        out, first, channel = np.matmul(filters, matrices).reshape(groups * outputs, *shape), 1, 0
    there = [first + free.index(a) for a in (0, *range(3, 3 + dims))]
    return out.transpose(there[0], channel, *there[1:])


def _blocks(n: int, size: int) -> Iterator[slice]:
    """Pieces of an axis of length n, of an array of `size` bytes."""
    step = max(1, n * _BLOCK // size)
    return (slice(start, start + step) for start in range(0, n, step))


def _products(patches: np.ndarray, w: np.ndarray, dims: int) -> np.ndarray:
    """`_product`, in blocks of the batch, or of the channels where these are outermost."""
    size = patches.size * patches.itemsize
    if size <= _BLOCK:
        return _product(patches, w, dims)
    if _outer_to_inner(patches, (0, 2))[-1] == 0 and patches.shape[2] > 1:
        parts = (_product(patches[:, :, b], w[:, :, b], dims) for b in _blocks(patches.shape[2], size))
        total = next(parts)
        for part in parts:
            total += part
        return total
    n, space, channels = patches.shape[0], patches.shape[3 : 3 + dims], w.shape[0] * w.shape[1]
    out = np.moveaxis(np.empty((n, *space, channels), patches.dtype), -1, 1)
    for b in _blocks(n, size):
        out[b] = _product(patches[b], w, dims)
    return out


def _shifted(patches: np.ndarray, w: np.ndarray, dims: int) -> np.ndarray:
    """`_product` for one channel and one output in each group: no matrices, a product for each shift of the window."""
    total: Any = None
    for at in np.ndindex(w.shape[3:]):
        term = patches[(slice(None), slice(None), 0, ..., *at)] * w[(slice(None), 0, 0, *at)].reshape(-1, *(1,) * dims)
        total = term if total is None else np.add(total, term, out=total)
    return total


def _scattered(
    x: np.ndarray, w: np.ndarray, space: Any, padding: Any, lhs_dilation: Any, rhs_dilation: Any
) -> np.ndarray:
    """The convolution with strides 1, by adding what each element gives to where it goes: no zeros are multiplied."""
    (n, groups, channels), (outputs, window) = x.shape[:3], (w.shape[1], w.shape[3:])
    rows = np.moveaxis(x, (1, 2), (-2, -1))  # (n, *space, groups, channels)
    reach = [d * (k - 1) for d, k in zip(rhs_dilation, window, strict=True)]
    spans = [d * (m - 1) + 1 for d, m in zip(lhs_dilation, x.shape[3:], strict=True)]
    full = np.zeros((n, *(a + b for a, b in zip(spans, reach, strict=True)), groups, outputs), x.dtype)
    for b in _blocks(n, full.nbytes):
        block = rows[b]
        matrices = block.reshape(-1, groups, channels).transpose(1, 0, 2)
        for at in np.ndindex(window):
            term = np.matmul(matrices, w[(slice(None), slice(None), slice(None), *at)].transpose(0, 2, 1))
            starts = [r - d * i for r, d, i in zip(reach, rhs_dilation, at, strict=True)]
            place = (slice(s, s + m, d) for s, m, d in zip(starts, spans, lhs_dilation, strict=True))
            full[(b, *place)] += term.transpose(1, 0, 2).reshape(*block.shape[:-1], outputs)
    kept = (slice(r - low, r - low + m) for r, (low, _), m in zip(reach, padding, space, strict=True))
    out = full[(slice(None), *kept)].reshape(n, *space, groups * outputs)
    return np.moveaxis(out, -1, 1)


def _scatters(types: Any, params: Any, space: Any) -> bool:
    """Whether `_scattered` applies, and has less to multiply than `_products`: in the gradient of a convolution by x."""
    x, w = types[0].shape[2:], types[1].shape[2:]
    terms = zip(
        params["strides"], params["padding"], params["lhs_dilation"], params["rhs_dilation"], x, w, space, strict=True
    )
    fits = all(
        stride == 1 and right * (k - 1) - low >= 0 and right * (k - 1) - low + m <= left * (n - 1) + right * (k - 1) + 1
        for stride, (low, _), left, right, n, k, m in terms
    )
    return fits and math.prod(w) <= _SHIFTS and 4 * math.prod(x) < 3 * math.prod(space)


def _conv(types: Any, params: Any) -> Callable[..., Any]:
    strides, padding, rhs_dilation = params["strides"], params["padding"], params["rhs_dilation"]
    groups, lhs_dilation, dims = params["groups"], params["lhs_dilation"], len(params["strides"])
    dtype = types[0].dtype
    wide = np.dtype(np.float32) if dtype.itemsize == 2 and dtype.kind in "fV" else dtype
    space = registry["conv_general_dilated"].infer(*types, **params).shape[2:]
    channels, outputs, window = types[1].shape[1], types[1].shape[0], types[1].shape[2:]
    scatters = _scatters(types, params, space)
    alone = channels == 1 and outputs == groups > 1 and math.prod(window) <= _SHIFTS
    by_gradient = math.prod(window) > math.prod(space)  # windows that large are cotangents: in step with their layout

    def kernel(x: Any, w: Any) -> Any:
        if 0 in (x.size, w.size, *space):
            return np.zeros((x.shape[0], w.shape[0], *space), dtype)
        grouped = x.reshape(x.shape[0], groups, -1, *x.shape[2:])
        filters = w.astype(wide, copy=False).reshape(groups, -1, *w.shape[1:])
        if scatters:
            out = _scattered(grouped.astype(wide, copy=False), filters, space, padding, lhs_dilation, rhs_dilation)
        else:
            spread = _spread(grouped, padding, lhs_dilation, wide, by_gradient)
            patches = _patches(spread, space, window, strides, rhs_dilation)
            out = (_shifted if alone else _products)(patches, filters, dims)
        return out.astype(dtype, copy=False)

    return kernel


FAST: dict[str, Any] = {"conv_general_dilated": _conv}
