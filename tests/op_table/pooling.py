"""Rows of windowed reductions, against loops."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from functorch_lite.primitives import pooling as p

from .row import REALS, Row, normal
from .sorting import distinct

PLAIN: dict[str, Any] = {
    "window": (2, 2),
    "strides": (1, 2),
    "padding": ((0, 0), (1, 0)),
    "base_dilation": (1, 1),
    "window_dilation": (1, 1),
}
DILATED = {**PLAIN, "base_dilation": (2, 1), "window_dilation": (1, 2), "padding": ((1, 1), (1, 1))}


def _windows(x: Any, w: dict[str, Any]) -> Any:
    """For each window: its place in the result, and the places of x that it meets."""
    lengths = []
    for n, k, s, (a, b), bd, wd in zip(*([x.shape] + [w[key] for key in ("window", "strides", "padding", "base_dilation", "window_dilation")]), strict=True):
        lengths.append((1 + bd * (n - 1) + a + b - (1 + wd * (k - 1))) // s + 1)
    for at in itertools.product(*map(range, lengths)):
        places = []
        for k in itertools.product(*map(range, w["window"])):
            spot = [i * s + j * wd - a for i, s, j, wd, (a, _) in zip(at, w["strides"], k, w["window_dilation"], w["padding"], strict=True)]
            if all(v % bd == 0 and 0 <= v // bd < n for v, bd, n in zip(spot, w["base_dilation"], x.shape, strict=True)):
                places.append(tuple(v // bd for v, bd in zip(spot, w["base_dilation"], strict=True)))
        yield tuple(lengths), at, places


def _reduced(function: Any, w: dict[str, Any]) -> Any:
    def reference(x: Any) -> Any:
        out: Any = None
        for shape, at, places in _windows(x, w):
            out = np.zeros(shape, x.dtype) if out is None else out
            out[at] = function([x[i] for i in places])
        return out

    return reference


def _gathered(t: Any, x: Any) -> Any:
    out: Any = None
    for shape, at, places in _windows(x, PLAIN):
        out = np.zeros(shape, t.dtype) if out is None else out
        out[at] = t[max(places, key=lambda i: x[i])]
    return out


def _scattered(t: Any, x: Any) -> Any:
    out = np.zeros(x.shape, t.dtype)
    for _, at, places in _windows(x, PLAIN):
        out[max(places, key=lambda i: x[i])] += t[at]
    return out


def _sum(values: Any) -> Any:
    return np.asarray(values).astype(np.float64).sum() if np.asarray(values).dtype.kind in "fV" else np.asarray(values).sum()


ROWS = [
    Row("reduce_window_sum", "reduce_window_sum", lambda x: p.reduce_window_sum(x, **PLAIN), normal((3, 4)), _reduced(_sum, PLAIN), REALS),
    Row("reduce_window_sum dilated", "reduce_window_sum", lambda x: p.reduce_window_sum(x, **DILATED), normal((3, 4)), _reduced(_sum, DILATED)),
    Row("reduce_window_max", "reduce_window_max", lambda x: p.reduce_window_max(x, **PLAIN), distinct((3, 4)), _reduced(max, PLAIN), REALS),
    Row("reduce_window_min", "reduce_window_min", lambda x: p.reduce_window_min(x, **PLAIN), distinct((3, 4)), _reduced(min, PLAIN), REALS),
    Row(
        "select_and_gather", "select_and_gather", lambda t, x: p.select_and_gather(t, x, largest=True, **PLAIN),
        distinct((3, 4), (3, 4)), _gathered, differentiable=(0,),
    ),  # fmt: skip
    Row(
        "select_and_scatter_add", "select_and_scatter_add", lambda t, x: p.select_and_scatter_add(t, x, largest=True, **PLAIN),
        distinct((2, 2), (3, 4)), _scattered, differentiable=(0,),
    ),  # fmt: skip
]
