"""Rows of static pieces: slice, pad, rev, concatenate, iota; and of those whose place is known at run time."""

from __future__ import annotations

from typing import Any

import numpy as np

from functorch_lite import dtypes
from functorch_lite.primitives.dynamic_slicing import dynamic_slice, dynamic_update_slice
from functorch_lite.primitives.slicing import concatenate, iota, pad, rev, slice_

from .row import NUMERIC, Row, normal

ALL = ("bool", *NUMERIC)
FEW = ("bool", "int32", "bfloat16", "float32", "float64", "complex64")
Axes = tuple[int, ...]


def _slice(name: str, shape: Axes, start: Axes, limit: Axes, strides: Axes | None = None, among: Any = FEW) -> Row:
    place = tuple(map(slice, start, limit, strides or (1,) * len(shape)))
    return Row(
        f"slice {name}",
        "slice",
        lambda x: slice_(x, start=start, limit=limit, strides=strides),
        normal(shape),
        lambda x: x[place],
        among,
        jax=lambda jax, jnp, lax: lambda x: lax.slice(x, start, limit, strides),
    )


def _padded(config: Any) -> Any:
    """Pad by definition, element by element."""

    def reference(x: Any, value: Any) -> Any:
        shape = tuple(n + lo + hi + max(n - 1, 0) * mid for n, (lo, hi, mid) in zip(x.shape, config, strict=True))
        out = np.full(shape, value, x.dtype)
        for i in np.ndindex(x.shape):
            j = tuple(lo + k * (mid + 1) for k, (lo, _, mid) in zip(i, config, strict=True))
            if all(0 <= k < n for k, n in zip(j, shape, strict=True)):
                out[j] = x[i]
        return out

    return reference


def _pad(name: str, shape: Axes, config: Any, among: Any = FEW) -> Row:
    return Row(
        f"pad {name}",
        "pad",
        lambda x, value: pad(x, value, config=config),
        normal(shape, ()),
        _padded(config),
        among,
        jax=lambda jax, jnp, lax: lambda x, value: lax.pad(x, value, config),
    )


def _rev(name: str, shape: Axes, dimensions: Axes) -> Row:
    return Row(
        f"rev {name}",
        "rev",
        lambda x: rev(x, dimensions=dimensions),
        normal(shape),
        lambda x: np.flip(x, dimensions),
        ALL if name == "one axis" else FEW,
        jax=lambda jax, jnp, lax: lambda x: lax.rev(x, dimensions),
    )


def _concatenate(name: str, shapes: tuple[Axes, ...], dimension: int, among: Any = FEW) -> Row:
    return Row(
        f"concatenate {name}",
        "concatenate",
        lambda *xs: concatenate(*xs, dimension=dimension),
        normal(*shapes),
        lambda *xs: np.concatenate(xs, dimension),
        among,
        jax=lambda jax, jnp, lax: lambda *xs: lax.concatenate(xs, dimension),
    )


def _iota(shape: Axes, dimension: int) -> Row:
    def call(like: Any) -> Any:
        return iota(dtype=dtypes.as_dtype(like.dtype), shape=shape, dimension=dimension)

    def reference(like: Any) -> Any:
        line = np.arange(shape[dimension]).reshape([-1 if i == dimension else 1 for i in range(len(shape))])
        return np.broadcast_to(line, shape).astype(like.dtype)

    return Row(
        f"iota {shape} along {dimension}", "iota", call, normal(()), reference, NUMERIC, differentiable=(), vmap=False,
        jax=lambda jax, jnp, lax: lambda like: lax.broadcasted_iota(like.dtype, shape, dimension),
    )  # fmt: skip


def _starts(*limits: int, shapes: tuple[Axes, ...]) -> Any:
    """Arrays, and starts some of which are out of range."""

    def make(rng: np.random.Generator, dtype: np.dtype) -> Any:
        return *normal(*shapes)(rng, dtype), *(np.asarray(rng.integers(-2, n + 2), np.int32) for n in limits)

    return make


def _place(x: Any, sizes: Axes, starts: Any) -> tuple[slice, ...]:
    begins = [min(max(int(s), 0), n - m) for s, n, m in zip(starts, x.shape, sizes, strict=True)]
    return tuple(slice(b, b + m) for b, m in zip(begins, sizes, strict=True))


def _dynamic_slice(name: str, shape: Axes, sizes: Axes, among: Any = FEW) -> Row:
    return Row(
        f"dynamic_slice {name}",
        "dynamic_slice",
        lambda x, *starts: dynamic_slice(x, *starts, sizes=sizes),
        _starts(*shape, shapes=(shape,)),
        lambda x, *starts: x[_place(x, sizes, starts)],
        among,
        jax=lambda jax, jnp, lax: lambda x, *starts: lax.dynamic_slice(x, starts, sizes, allow_negative_indices=False),
    )


def _updated(x: Any, update: Any, *starts: Any) -> Any:
    out = np.array(x)
    out[_place(x, update.shape, starts)] = update
    return out


def _dynamic_update_slice(name: str, shape: Axes, sizes: Axes, among: Any = FEW) -> Row:
    return Row(
        f"dynamic_update_slice {name}",
        "dynamic_update_slice",
        dynamic_update_slice,
        _starts(*shape, shapes=(shape, sizes)),
        _updated,
        among,
        jax=lambda jax, jnp, lax: (
            lambda x, u, *starts: lax.dynamic_update_slice(x, u, starts, allow_negative_indices=False)
        ),
    )


ROWS = [
    _slice("matrix", (4, 5), (1, 0), (3, 5), among=ALL),
    _slice("steps", (7, 5), (1, 0), (6, 5), (2, 3), among=ALL),
    _slice("empty", (3, 2), (1, 0), (1, 2)),
    _slice("steps that do not fit", (6,), (0,), (6,), (4,)),
    _slice("scalar", (), (), ()),
    _pad("around", (2, 3), ((1, 2, 0), (0, 1, 0)), ALL),
    _pad("between", (3, 2), ((1, 0, 2), (0, 0, 1)), ALL),
    _pad("cutting", (4, 5), ((-1, -2, 0), (2, -1, 0))),
    _pad("cutting what lies between", (4,), ((-2, -1, 2),)),
    _pad("cutting all", (3,), ((-3, 2, 0),)),
    _pad("empty", (0, 2), ((1, 1, 1), (0, 0, 0))),
    _pad("scalar", (), ()),
    _rev("one axis", (4,), (0,)),
    _rev("two of three axes", (2, 3, 4), (2, 0)),
    _rev("no axis", (2,), ()),
    _concatenate("three vectors", ((2,), (0,), (3,)), 0, ALL),
    _concatenate("last axis", ((2, 3), (2, 1)), 1),
    _concatenate("first axis", ((1, 3), (2, 3)), 0),
    _concatenate("one", ((2, 3),), 0),
    _iota((4,), 0),
    _iota((2, 3, 2), 1),
    _dynamic_slice("matrix", (4, 5), (2, 3), ALL),
    _dynamic_slice("vector", (5,), (1,)),
    _dynamic_slice("whole", (3,), (3,)),
    _dynamic_slice("empty", (3, 2), (0, 2)),
    _dynamic_update_slice("matrix", (4, 5), (2, 3), ALL),
    _dynamic_update_slice("vector", (5,), (1,)),
    _dynamic_update_slice("whole", (3,), (3,)),
]
