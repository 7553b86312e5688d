"""Rows of the reductions, positions of extremes, and cumulative operations."""

from __future__ import annotations

from typing import Any

import numpy as np

from functorch_lite.primitives import reduction as r

from .row import FLOATS, INTEGERS, NUMERIC, REALS, Row, normal


def _reduce(primitive: Any, *axes: int) -> Any:
    return lambda x: primitive(x, axes=axes)


def _wide(function: Any) -> Any:
    """A NumPy function in the operand's dtype, 16-bit floats by way of 32."""

    def reference(x: Any) -> Any:
        narrow = x.dtype.itemsize == 2 and x.dtype.kind in "fV"
        return np.asarray(function(x.astype(np.float32) if narrow else x)).astype(x.dtype)

    return reference


def _running(primitive: Any, axis: int, reverse: bool) -> Any:
    return lambda x: primitive(x, axis=axis, reverse=reverse)


def _cumulative(function: Any, axis: int, reverse: bool) -> Any:
    def reference(x: Any) -> Any:
        rows = np.flip(x, axis) if reverse else x
        out = function(rows, axis)
        return np.flip(out, axis) if reverse else out

    return _wide(reference)


_INT32 = np.dtype("int32")
_BITS = ("bool", *INTEGERS)

ROWS = [
    Row("reduce_max", "reduce_max", _reduce(r.reduce_max, 0), normal((3, 4)), _wide(lambda x: x.max(0)), (*REALS, "bool")),
    Row("reduce_max of all", "reduce_max", _reduce(r.reduce_max, 0, 1), normal((2, 3)), _wide(np.max)),
    Row("reduce_min", "reduce_min", _reduce(r.reduce_min, 1), normal((3, 4)), _wide(lambda x: x.min(1)), (*REALS, "bool")),
    Row(
        "reduce_prod", "reduce_prod", _reduce(r.reduce_prod, 1), normal((2, 3)),
        _wide(lambda x: x.prod(1, dtype=x.dtype)), NUMERIC, tolerance=4,
    ),  # fmt: skip
    Row("reduce_prod two axes", "reduce_prod", _reduce(r.reduce_prod, 0, 2), normal((2, 3, 2)), _wide(lambda x: x.prod((0, 2)))),
    Row("reduce_and", "reduce_and", _reduce(r.reduce_and, 0), normal((3, 2)), np.bitwise_and.reduce, _BITS),
    Row("reduce_or", "reduce_or", _reduce(r.reduce_or, 0), normal((3, 2)), np.bitwise_or.reduce, _BITS),
    Row("reduce_xor", "reduce_xor", _reduce(r.reduce_xor, 0), normal((3, 2)), np.bitwise_xor.reduce, _BITS),
    Row(
        "argmax", "argmax", lambda x: r.argmax(x, axis=1, index_dtype=_INT32), normal((3, 5)),
        lambda x: np.argmax(x, 1).astype(np.int32), (*REALS, "bool"),
    ),  # fmt: skip
    Row(
        "argmin", "argmin", lambda x: r.argmin(x, axis=0, index_dtype=_INT32), normal((3, 5)),
        lambda x: np.argmin(x, 0).astype(np.int32), (*REALS, "bool"),
    ),  # fmt: skip
    Row("cumsum", "cumsum", _running(r.cumsum, 1, False), normal((2, 4)), _cumulative(np.cumsum, 1, False), NUMERIC),
    Row("cumsum reverse", "cumsum", _running(r.cumsum, 0, True), normal((3, 2)), _cumulative(np.cumsum, 0, True)),
    Row("cumprod", "cumprod", _running(r.cumprod, 1, False), normal((2, 4)), _cumulative(np.cumprod, 1, False), NUMERIC, tolerance=4),
    Row("cumprod reverse", "cumprod", _running(r.cumprod, 0, True), normal((3, 2)), _cumulative(np.cumprod, 0, True)),
    Row("cummax", "cummax", _running(r.cummax, 1, False), normal((2, 5)), _cumulative(np.maximum.accumulate, 1, False), REALS),
    Row("cummin", "cummin", _running(r.cummin, 0, True), normal((4, 2)), _cumulative(np.minimum.accumulate, 0, True), REALS),
    Row(
        "cumlogsumexp", "cumlogsumexp", _running(r.cumlogsumexp, 1, False), normal((2, 4)),
        _cumulative(np.logaddexp.accumulate, 1, False), FLOATS, tolerance=4,
    ),  # fmt: skip
]
