"""Rows of the primitives that move elements: broadcast, reshape, transpose; and of the sum."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from functorch_lite.ad_checkpoint import checkpoint_name
from functorch_lite.primitives.structural import broadcast_in_dim, reduce_sum, reshape, transpose

from .row import NUMERIC, Row, normal

ALL = ("bool", *NUMERIC)


def _stretched(shape: tuple[int, ...], dims: tuple[int, ...]) -> Callable[[Any], Any]:
    def reference(x: Any) -> Any:
        full = [1] * len(shape)
        for n, d in zip(x.shape, dims, strict=True):
            full[d] = n
        return np.broadcast_to(x.reshape(full), shape)

    return reference


def _broadcast(name: str, operand: tuple[int, ...], shape: tuple[int, ...], dims: tuple[int, ...]) -> Row:
    return Row(
        f"broadcast_in_dim {name}",
        "broadcast_in_dim",
        lambda x: broadcast_in_dim(x, shape=shape, dims=dims),
        normal(operand),
        _stretched(shape, dims),
        ALL,
        jax=lambda jax, jnp, lax: lambda x: lax.broadcast_in_dim(x, shape, dims),
    )


def _reshape(name: str, operand: tuple[int, ...], shape: tuple[int, ...]) -> Row:
    return Row(
        f"reshape {name}",
        "reshape",
        lambda x: reshape(x, shape=shape),
        normal(operand),
        lambda x: np.reshape(x, shape),
        ALL,
        jax=lambda jax, jnp, lax: lambda x: jnp.reshape(x, shape),
    )


def _transpose(name: str, operand: tuple[int, ...], permutation: tuple[int, ...]) -> Row:
    return Row(
        f"transpose {name}",
        "transpose",
        lambda x: transpose(x, permutation=permutation),
        normal(operand),
        lambda x: np.transpose(x, permutation),
        ALL,
        jax=lambda jax, jnp, lax: lambda x: lax.transpose(x, permutation),
    )


def _sum(name: str, operand: tuple[int, ...], axes: tuple[int, ...]) -> Row:
    return Row(
        f"reduce_sum {name}",
        "reduce_sum",
        lambda x: reduce_sum(x, axes=axes),
        normal(operand),
        lambda x: np.sum(x.astype(np.float32) if x.dtype.kind == "V" else x, axis=axes, dtype=_sum_dtype(x)),
        NUMERIC,
        jax=lambda jax, jnp, lax: lambda x: jnp.sum(x, axes, dtype=x.dtype),
    )


def _sum_dtype(x: Any) -> Any:
    return np.float32 if x.dtype.itemsize == 2 and x.dtype.kind in "fV" else x.dtype


ROWS = [
    Row("name", "name", lambda x: checkpoint_name(x, "here"), normal((2, 3)), lambda x: x, ALL),
    _broadcast("of a scalar", (), (2, 3), ()),
    _broadcast("to a scalar", (), (), ()),
    _broadcast("new axis in front", (3,), (2, 3), (1,)),
    _broadcast("new axis at the end", (3,), (3, 2), (0,)),
    _broadcast("new axes on both sides", (3,), (2, 3, 2), (1,)),
    _broadcast("stretched", (2, 1), (2, 3), (0, 1)),
    _broadcast("stretched, with a new axis", (1, 3), (2, 4, 3), (0, 2)),
    _broadcast("of length 1 kept", (1, 3), (1, 3), (0, 1)),
    _broadcast("to length 0", (1,), (0, 2), (0,)),
    _broadcast("unchanged", (2, 3), (2, 3), (0, 1)),
    _reshape("to a vector", (2, 3), (6,)),
    _reshape("to more axes", (6,), (1, 3, 2)),
    _reshape("to other axes", (2, 6), (4, 3)),
    _reshape("from a scalar", (), (1, 1)),
    _reshape("to a scalar", (1, 1), ()),
    _reshape("unchanged", (2, 3), (2, 3)),
    _reshape("of no elements", (0, 3), (2, 0)),
    _transpose("of a matrix", (2, 3), (1, 0)),
    _transpose("cyclic", (2, 3, 4), (1, 2, 0)),
    _transpose("swapped", (2, 3, 4), (0, 2, 1)),
    _transpose("of a scalar", (), ()),
    _transpose("unchanged", (2, 3), (0, 1)),
    _sum("of a vector", (5,), (0,)),
    _sum("first axis", (2, 3), (0,)),
    _sum("last axis", (2, 3), (1,)),
    _sum("two axes", (2, 3, 4), (0, 2)),
    _sum("axes out of order", (2, 3, 4), (2, 0)),
    _sum("all axes", (2, 3), (0, 1)),
    _sum("no axis", (2, 3), ()),
    _sum("of a scalar", (), ()),
    _sum("over no elements", (0, 3), (0,)),
    _sum("of many", (300,), (0,)),
]
