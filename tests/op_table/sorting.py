"""Rows of sort and top_k; keys with ties, with zeros of both signs, with NaN."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from functorch_lite.primitives import sorting as s

from .row import FLOATS, NUMERIC, REALS, Row, normal

Axes = tuple[int, ...]
FEW = ("int32", "bfloat16", "float32", "float64")


def _key(x: Any) -> list[Any]:
    """What orders as `x` does, the most significant first: NaN is larger than any number, -0 equals 0."""
    if x.dtype.kind == "c":
        return [*_key(x.real), *_key(x.imag)]
    if x.dtype.kind in "biu":
        return [x]
    wide = x.astype(np.float64)
    return [np.isnan(wide), np.where(np.isnan(wide), 0.0, wide)]


def _sorted(axis: int, num_keys: int) -> Callable[..., list[Any]]:
    """By Python's sort of each line, which is stable."""

    def reference(*operands: Any) -> list[Any]:
        keys = [np.moveaxis(k, axis, -1) for x in operands[:num_keys] for k in _key(x)]
        rows = [np.moveaxis(x, axis, -1) for x in operands]
        out = [x.copy() for x in rows]
        for line in np.ndindex(rows[0].shape[:-1]):
            order = sorted(range(rows[0].shape[-1]), key=lambda i: tuple(k[line][i] for k in keys))
            for x, y in zip(rows, out, strict=True):
                y[line] = x[line][order]
        return [np.moveaxis(y, -1, axis) for y in out]

    return reference


def _largest(k: int) -> Callable[..., list[Any]]:
    def reference(x: Any) -> list[Any]:
        values, positions = np.empty((*x.shape[:-1], k), x.dtype), np.empty((*x.shape[:-1], k), np.int32)
        for line in np.ndindex(x.shape[:-1]):
            keys = _key(x[line])
            order = sorted(reversed(range(x.shape[-1])), key=lambda i: tuple(key[i] for key in keys))[::-1][:k]
            values[line], positions[line] = x[line][order], order
        return [values, positions]

    return reference


def distinct(*shapes: Axes) -> Callable[..., Any]:
    """Operands without equal elements, so that orders are unique and derivatives exist."""

    def make(rng: np.random.Generator, dtype: np.dtype) -> tuple[np.ndarray, ...]:
        scale = 1 if dtype.kind in "iu" else 0.5
        return tuple((rng.permutation(int(np.prod(s))).reshape(s) * scale).astype(dtype) for s in shapes)

    return make


def _ties(*shapes: Axes) -> Callable[..., Any]:
    """Small integers in any dtype, of which many are equal; then normal operands."""

    def make(rng: np.random.Generator, dtype: np.dtype) -> tuple[np.ndarray, ...]:
        first = rng.integers(0, 3, shapes[0]).astype(dtype)
        return first, *normal(*shapes[1:])(rng, dtype)

    return make


def _special(shape: Axes) -> Callable[..., Any]:
    """With NaN, infinities, zeros of both signs."""

    def make(rng: np.random.Generator, dtype: np.dtype) -> tuple[np.ndarray, ...]:
        values = np.array([np.nan, np.inf, -np.inf, -0.0, 0.0, 1.0, -1.0])
        return rng.choice(values, shape).astype(dtype), rng.normal(size=shape).astype(dtype)

    return make


def _sort(what: str, axis: int, operands: Any, among: Any, num_keys: int = 1, stable: bool = True, **more: Any) -> Row:
    return Row(
        f"sort {what}",
        "sort",
        lambda *xs: s.sort(*xs, dimension=axis, is_stable=stable, num_keys=num_keys),
        operands,
        _sorted(axis, num_keys),
        among,
        jax=lambda jax, jnp, lax: lambda *xs: lax.sort(xs, dimension=axis, is_stable=stable, num_keys=num_keys),
        **more,
    )


def _top_k(what: str, k: int, operands: Any, among: Any, **more: Any) -> Row:
    return Row(
        f"top_k {what}",
        "top_k",
        lambda x: s.top_k(x, k=k),
        operands,
        _largest(k),
        among,
        jax=lambda jax, jnp, lax: lambda x: lax.top_k(x, k),
        **more,
    )


ROWS = [
    _sort("a vector", 0, normal((6,)), ("bool", *NUMERIC)),
    _sort("rows", 1, normal((3, 5)), FEW),
    _sort("columns", 0, normal((5, 3)), FEW),
    _sort("middle axis", 1, normal((2, 4, 3)), FEW),
    _sort("unstable", 1, normal((3, 5)), FEW, stable=False),
    _sort("one element", 0, normal((1, 3)), FEW),
    _sort("no elements", 0, normal((0,)), FEW, vmap=False),
    _sort("key and value", 1, normal((2, 5), (2, 5)), NUMERIC),
    _sort("key with ties and value", 1, _ties((3, 7), (3, 7)), FEW, differentiable=(1,)),
    _sort("two keys, the first with ties", 1, _ties((2, 6), (2, 6), (2, 6)), NUMERIC, 2, differentiable=(1, 2)),
    _sort("three keys", 0, _ties((6, 2), (6, 2), (6, 2)), FEW, 3, differentiable=(1, 2)),
    _sort("special keys", 1, _special((3, 9)), FLOATS, differentiable=()),
    _top_k("of a vector", 3, normal((6,)), REALS),
    _top_k("of rows", 2, normal((3, 4)), FEW),
    _top_k("all", 4, normal((2, 4)), FEW),
    _top_k("none", 0, normal((2, 4)), FEW, differentiable=()),
    _top_k("few of many", 2, normal((3, 40)), FEW, differentiable=()),
    _top_k(
        "few of many, with NaN", 3, lambda rng, dtype: _special((20, 24))(rng, dtype)[:1], FLOATS, differentiable=()
    ),
    _top_k("few of many, with ties", 3, _ties((3, 30)), FEW, differentiable=()),
    _top_k("of ties", 4, _ties((3, 6)), FEW, differentiable=()),
]
