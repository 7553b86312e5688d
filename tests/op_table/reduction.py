"""Rows of reductions, positions of extremes, and cumulative operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from functorch_lite.primitives import reduction as r

from .row import FLOATS, INEXACT, INTEGERS, NUMERIC, REALS, Row, normal

Axes = tuple[int, ...]
FEW = ("int32", "bfloat16", "float32", "float64")
LOGICAL = ("bool", *INTEGERS)


def _wide(x: Any) -> Any:
    return x.astype(np.float32) if x.dtype.itemsize == 2 and x.dtype.kind in "fV" else x


def _ties(shape: Axes) -> Callable[..., Any]:
    """Small integers as floats: of which some are equal."""
    return lambda rng, dtype: (rng.integers(-2, 3, shape).astype(dtype),)


def _with_zeros(count: int) -> Callable[..., Any]:
    """A matrix whose row i has i zeros, up to `count`."""

    def make(rng: np.random.Generator, dtype: np.dtype) -> tuple[np.ndarray]:
        (x,) = normal((count + 1, 4))(rng, dtype)
        x = x + (x == 0).astype(dtype)
        for i in range(1, count + 1):
            x[i, :i] = 0
        return (x,)

    return make


def _with_nan(rng: np.random.Generator, dtype: np.dtype) -> tuple[np.ndarray]:
    (x,) = normal((3, 5))(rng, dtype)
    x[0, 2] = x[0, 4] = x[2, 0] = np.nan
    x[1, 1:3] = np.inf
    return (x,)


def _reduction(
    primitive: Any, reference: Any, what: str, shape: Axes, axes: Axes, among: Any, operands: Any = None, **more: Any
) -> Row:
    return Row(
        f"{primitive.name} {what}",
        primitive.name,
        lambda x: primitive(x, axes=axes),
        operands or normal(shape),
        lambda x: reference(_wide(x), axis=axes).astype(x.dtype),
        among,
        jax=lambda jax, jnp, lax: lambda x: getattr(lax, primitive.name)(x, axes),
        **more,
    )


def _reductions(primitive: Any, reference: Any, among: Any, **more: Any) -> list[Row]:
    few = [d for d in among if d in ("bool", *FEW)]
    return [
        _reduction(primitive, reference, "last axis", (2, 5), (1,), among, **more),
        _reduction(primitive, reference, "first axis", (3, 2), (0,), few, **more),
        _reduction(primitive, reference, "two axes", (2, 3, 2), (0, 2), few, **more),
        _reduction(primitive, reference, "all axes", (2, 3), (0, 1), few, **more),
        _reduction(primitive, reference, "no axis", (2, 3), (), few, **more),
        _reduction(primitive, reference, "of rank 0", (), (), few, **more),
        _reduction(primitive, reference, "one element", (3, 1), (1,), few, **more),
        _reduction(primitive, reference, "no rows", (0, 3), (1,), few, vmap=False, **more),
    ]


def _arg(primitive: Any, reference: Any, what: str, axis: int, among: Any, operands: Any, index: str = "int32") -> Row:
    dtype = np.dtype(index)
    return Row(
        f"{primitive.name} {what}",
        primitive.name,
        lambda x: primitive(x, axis=axis, index_dtype=dtype),
        operands,
        lambda x: reference(_wide(x), axis=axis).astype(dtype),
        among,
        jax=lambda jax, jnp, lax: lambda x: getattr(lax, primitive.name)(x, axis, dtype),
    )


def _args(primitive: Any, reference: Any) -> list[Row]:
    return [
        _arg(primitive, reference, "last axis", 1, ("bool", *REALS), normal((3, 5))),
        _arg(primitive, reference, "first axis", 0, FEW, normal((4, 2))),
        _arg(primitive, reference, "middle axis", 1, FEW, normal((2, 3, 2))),
        _arg(primitive, reference, "of ties", 1, FEW, _ties((4, 6))),
        _arg(primitive, reference, "NaN is first", 1, FLOATS, _with_nan),
        _arg(primitive, reference, "64 bits", 0, FEW, normal((3,)), "int64"),
        _arg(primitive, reference, "unsigned", 0, FEW, normal((3,)), "uint8"),
    ]


def _running(reference: Any, axis: int, reverse: bool) -> Callable[..., Any]:
    def run(x: Any) -> Any:
        rows = np.flip(_wide(x), axis) if reverse else _wide(x)
        out = reference(rows, axis=axis)
        return (np.flip(out, axis) if reverse else out).astype(x.dtype)

    return run


def _cumulative(
    primitive: Any, reference: Any, what: str, axis: int, among: Any, operands: Any, reverse: bool = False, **more: Any
) -> Row:
    return Row(
        f"{primitive.name} {what}",
        primitive.name,
        lambda x: primitive(x, axis=axis, reverse=reverse),
        operands,
        _running(reference, axis, reverse),
        among,
        jax=lambda jax, jnp, lax: lambda x: getattr(lax, primitive.name)(x, axis, reverse),
        **more,
    )


def _cumulatives(primitive: Any, reference: Any, among: Any) -> list[Row]:
    few = [d for d in among if d in FEW]
    return [
        _cumulative(primitive, reference, "last axis", 1, among, normal((2, 5))),
        _cumulative(primitive, reference, "first axis", 0, few, normal((4, 2))),
        _cumulative(primitive, reference, "reverse", 1, among, normal((2, 5)), reverse=True),
        _cumulative(primitive, reference, "middle axis, reverse", 1, few, normal((2, 3, 2)), reverse=True),
        _cumulative(primitive, reference, "one element", 0, few, normal((1,))),
        _cumulative(primitive, reference, "of no elements", 0, few, normal((0, 2)), vmap=False),
    ]


ROWS = [
    *_reductions(r.reduce_max, np.max, ("bool", *NUMERIC)),
    *_reductions(r.reduce_min, np.min, ("bool", *NUMERIC)),
    *_reductions(r.reduce_prod, np.prod, NUMERIC, tolerance=2.0),
    *_reductions(r.reduce_and, np.bitwise_and.reduce, LOGICAL),
    *_reductions(r.reduce_or, np.bitwise_or.reduce, LOGICAL),
    *_reductions(r.reduce_xor, np.bitwise_xor.reduce, LOGICAL),
    _reduction(r.reduce_max, np.max, "of NaN", (), (1,), FLOATS, _with_nan, differentiable=()),
    _reduction(r.reduce_min, np.min, "of NaN", (), (1,), FLOATS, _with_nan, differentiable=()),
    _reduction(r.reduce_prod, np.prod, "with zeros", (), (1,), INEXACT, _with_zeros(3)),
    _reduction(r.reduce_prod, np.prod, "of no elements", (2, 0), (1,), FEW),
    _reduction(r.reduce_and, np.bitwise_and.reduce, "of no elements", (2, 0), (1,), LOGICAL),
    _reduction(r.reduce_or, np.bitwise_or.reduce, "of no elements", (2, 0), (1,), LOGICAL),
    _reduction(r.reduce_xor, np.bitwise_xor.reduce, "of no elements", (2, 0), (1,), LOGICAL),
    *_args(r.argmax, np.argmax),
    *_args(r.argmin, np.argmin),
    *_cumulatives(r.cumsum, np.cumsum, NUMERIC),
    *_cumulatives(r.cumprod, np.cumprod, NUMERIC),
    *_cumulatives(r.cummax, np.maximum.accumulate, NUMERIC),
    *_cumulatives(r.cummin, np.minimum.accumulate, NUMERIC),
    *_cumulatives(r.cumlogsumexp, np.logaddexp.accumulate, FLOATS),
    _cumulative(r.cumprod, np.cumprod, "with zeros", 1, INEXACT, _with_zeros(3)),
    _cumulative(r.cummax, np.maximum.accumulate, "of NaN", 1, FLOATS, _with_nan, differentiable=()),
    _cumulative(r.cummin, np.minimum.accumulate, "of NaN", 1, FLOATS, _with_nan, differentiable=()),
]
