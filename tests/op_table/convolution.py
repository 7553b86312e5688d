"""Rows of convolution, against loops."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from functorch_lite.primitives.convolution import conv

from .row import FLOATS, Row, normal


def _reference(x: Any, w: Any, *, strides: Any, padding: Any, lhs_dilation: Any, rhs_dilation: Any, groups: int) -> Any:
    """The definition, an output at a time, in double precision."""
    wide = np.complex128 if x.dtype.kind == "c" else np.float64
    n, channels, *space = x.shape
    spread = np.zeros((n, channels, *(1 + d * (m - 1) for m, d in zip(space, lhs_dilation, strict=True))), wide)
    spread[(..., *(slice(None, None, d) for d in lhs_dilation))] = x
    spread = np.pad(spread, [(0, 0), (0, 0), *((max(0, a), max(0, b)) for a, b in padding)])
    cuts = [slice(max(0, -a), spread.shape[i + 2] - max(0, -b)) for i, (a, b) in enumerate(padding)]
    spread = spread[(..., *cuts)]
    window = w.shape[2:]
    out_space = [
        (m - (1 + d * (k - 1))) // s + 1
        for m, k, d, s in zip(spread.shape[2:], window, rhs_dilation, strides, strict=True)
    ]
    out = np.zeros((n, w.shape[0], *out_space), wide)
    outputs, inputs = w.shape[0] // groups, channels // groups
    for o in range(w.shape[0]):
        first = o // outputs * inputs
        for at in itertools.product(*map(range, out_space)):
            for k in itertools.product(*map(range, window)):
                place = tuple(a * s + i * d for a, s, i, d in zip(at, strides, k, rhs_dilation, strict=True))
                part = spread[(slice(None), slice(first, first + inputs), *place)]
                out[(slice(None), o, *at)] += part @ w[(o, slice(None), *k)].astype(wide)
    return out.astype(x.dtype)


def row(name: str, x: tuple[int, ...], w: tuple[int, ...], dtypes: Any = ("float32", "float64"), **given: Any) -> Row:
    """A row for one set of params."""
    n = len(x) - 2
    params = {
        "strides": (1,) * n,
        "padding": ((0, 0),) * n,
        "lhs_dilation": (1,) * n,
        "rhs_dilation": (1,) * n,
        "groups": 1,
        **given,
    }
    return Row(
        f"convolution {name}",
        "conv_general_dilated",
        lambda a, b: conv(a, b, **params),
        normal(x, w),
        lambda a, b: _reference(a, b, **params),
        dtypes,
        tolerance=8,
    )


ROWS = [
    row("of images", (2, 2, 4, 4), (3, 2, 2, 2), (*FLOATS, "complex64", "int32")),
    row("strided, padded", (1, 2, 5), (2, 2, 3), strides=(2,), padding=((1, 2),)),
    row("dilated window", (1, 1, 6), (1, 1, 2), rhs_dilation=(3,), padding=((1, 0),)),
    row("dilated operand", (1, 1, 3), (2, 1, 2), lhs_dilation=(2,), padding=((1, 1),)),
    row("in groups", (1, 4, 4), (4, 2, 2), groups=2),
    row("cut at the sides", (1, 1, 6), (1, 1, 2), padding=((-1, -1),), strides=(2,)),
    row("of volumes", (1, 1, 2, 3, 2), (1, 1, 2, 2, 1)),
]
