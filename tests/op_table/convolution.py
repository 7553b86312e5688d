"""Rows of convolution: strides, paddings, dilations and groups in 0 to 3 dimensions, against loops."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from functorch_lite.primitives.convolution import conv

from .row import FLOATS, Row, normal

Axes = tuple[int, ...]
SOME = ("int32", "bfloat16", "float32", "float64")


def _reference(x: Any, w: Any, *, strides: Any, padding: Any, lhs_dilation: Any, rhs_dilation: Any, groups: int) -> Any:
    """The definition: every output, every element of the window, whatever element of x it meets."""
    kind, space, window = x.dtype.kind, x.shape[2:], w.shape[2:]
    wide = np.complex128 if kind == "c" else np.int64 if kind in "iu" else np.float64
    lengths = []
    for n, k, s, (a, b), ld, rd in zip(space, window, strides, padding, lhs_dilation, rhs_dilation, strict=True):
        room = (1 + ld * (n - 1) if n else 0) + a + b - (1 + rd * (k - 1))
        lengths.append(max(0, room // s + 1))
    out = np.zeros((x.shape[0], w.shape[0], *lengths), wide)
    outputs, channels = w.shape[0] // groups, w.shape[1]
    for at, k in itertools.product(np.ndindex(*lengths), np.ndindex(*window)):
        spot = [i * s + j * d - a for i, s, j, d, (a, _) in zip(at, strides, k, rhs_dilation, padding, strict=True)]
        if all(v % d == 0 and 0 <= v // d < n for v, d, n in zip(spot, lhs_dilation, space, strict=True)):
            met = tuple(v // d for v, d in zip(spot, lhs_dilation, strict=True))
            for o in range(w.shape[0]):
                first = o // outputs * channels
                part = x[(slice(None), slice(first, first + channels), *met)].astype(wide)
                out[(slice(None), o, *at)] += part @ w[(o, slice(None), *k)].astype(wide)
    return out.astype(x.dtype)


def _row(name: str, x: Axes, w: Axes, dtypes: Sequence[str] = ("float32", "float64"), **given: Any) -> Row:
    n = len(x) - 2
    once, none = (1,) * n, ((0, 0),) * n
    params = {"strides": once, "padding": none, "lhs_dilation": once, "rhs_dilation": once, "groups": 1, **given}
    theirs = {
        "window_strides": params["strides"],
        "feature_group_count": params["groups"],
        **{key: params[key] for key in ("padding", "lhs_dilation", "rhs_dilation")},
    }
    return Row(
        f"conv {name}",
        "conv_general_dilated",
        lambda a, b: conv(a, b, **params),
        normal(x, w),
        lambda a, b: _reference(a, b, **params),
        dtypes,
        tolerance=8,
        jax=lambda jax, jnp, lax: lambda a, b: lax.conv_general_dilated(a, b, **theirs),
    )


ROWS = [
    _row("of images", (2, 2, 4, 4), (3, 2, 2, 2), (*FLOATS, "int8", "int32", "uint32", "complex64", "complex128")),
    _row("of images, one channel", (3, 1, 4, 3), (2, 1, 3, 2), SOME),
    _row("of lines", (2, 3, 5), (2, 3, 3), SOME),
    _row("of volumes", (2, 1, 2, 3, 2), (2, 1, 2, 2, 1), SOME),
    _row("of points", (2, 3), (4, 3), SOME),
    _row("of single elements", (2, 3, 3), (4, 3, 1)),
    _row("strided", (2, 2, 7), (2, 2, 3), SOME, strides=(2,)),
    _row("strided, the last elements not met", (1, 2, 6, 5), (2, 2, 2, 3), strides=(3, 2)),
    _row("padded", (2, 2, 3, 3), (2, 2, 3, 3), SOME, padding=((1, 1), (1, 1))),
    _row("padded unevenly, strided", (1, 2, 5), (2, 2, 3), strides=(2,), padding=((1, 2),)),
    _row("padded beyond the window", (1, 2, 2), (2, 2, 2), padding=((3, 2),)),
    _row("cut at the sides", (1, 1, 6), (1, 1, 2), SOME, padding=((-1, -1),), strides=(2,)),
    _row("cut and padded", (1, 2, 4, 4), (1, 2, 2, 2), padding=((-1, 2), (1, -2))),
    _row("dilated window", (1, 1, 6), (1, 1, 2), rhs_dilation=(3,), padding=((1, 0),)),
    _row("dilated images", (1, 2, 3, 2), (2, 2, 2, 2), SOME, lhs_dilation=(2, 3), padding=((1, 1), (0, 2))),
    _row("dilated and cut", (1, 1, 4), (2, 1, 2), lhs_dilation=(3,), padding=((-1, -2),)),
    _row(
        "with everything",
        (2, 2, 4, 3),
        (2, 1, 2, 3),
        strides=(2, 1),
        padding=((1, 2), (2, -1)),
        lhs_dilation=(1, 2),
        rhs_dilation=(2, 1),
        groups=2,
    ),
    _row("in groups", (2, 4, 4), (4, 2, 2), SOME, groups=2),
    _row("in groups, strided", (1, 4, 3, 4), (2, 2, 2, 2), strides=(1, 2), groups=2),
    _row("each channel by itself", (2, 3, 4, 3), (3, 1, 2, 2), SOME, groups=3),
    _row("each channel by itself, two outputs", (2, 3, 4), (6, 1, 2), groups=3),
    _row("window larger than the image", (1, 1, 2), (1, 1, 3)),
    _row("of no images", (0, 2, 3), (2, 2, 2)),
    _row("of no channels", (2, 0, 3), (2, 0, 2)),
]
