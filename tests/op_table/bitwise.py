"""Rows of the operations on bits."""

from __future__ import annotations

from typing import Any

import numpy as np

from functorch_lite.primitives import elementwise as e

from .elementwise import elementwise
from .row import INTEGERS


def _any_bits(arity: int) -> Any:
    def make(rng: np.random.Generator, dtype: np.dtype) -> tuple[np.ndarray, ...]:
        shape = (4, 5)
        if dtype.kind == "b":
            return tuple(rng.integers(0, 2, shape) > 0 for _ in range(arity))
        info = np.iinfo(dtype)
        return tuple(rng.integers(info.min, info.max, shape, dtype, endpoint=True) for _ in range(arity))

    return make


def _counts(rng: np.random.Generator, dtype: np.dtype) -> tuple[np.ndarray, ...]:
    """Any bits, and counts of which some are not below the width."""
    return *_any_bits(1)(rng, dtype), rng.integers(0, 12 * dtype.itemsize, (4, 5)).astype(dtype)


def _per_element(function: Any) -> Any:
    """By Python's integers, which have no width."""

    def reference(x: Any, *others: Any) -> Any:
        width = x.dtype.itemsize * 8
        columns = zip(*(v.ravel().tolist() for v in (x, *others)), strict=True)
        bits = [function(*column, width) % (1 << width) for column in columns]
        return np.array(bits, np.dtype(f"uint{width}")).view(x.dtype).reshape(x.shape)

    return reference


def _unsigned(x: int, width: int) -> int:
    return x % (1 << width)


def _signed(x: int, width: int) -> int:
    return x - (1 << width) if x >> (width - 1) == 1 else x


ROWS = [
    elementwise(e.and_, np.bitwise_and, ("bool", *INTEGERS), _any_bits(2), jax="bitwise_and"),
    elementwise(e.or_, np.bitwise_or, ("bool", *INTEGERS), _any_bits(2), jax="bitwise_or"),
    elementwise(e.xor, np.bitwise_xor, ("bool", *INTEGERS), _any_bits(2), jax="bitwise_xor"),
    elementwise(e.not_, np.invert, ("bool", *INTEGERS), _any_bits(1), jax="bitwise_not"),
    elementwise(e.shift_left, _per_element(lambda x, n, width: x << n), INTEGERS, _counts),
    elementwise(e.shift_right_arithmetic, _per_element(lambda x, n, width: _signed(x, width) >> n), INTEGERS, _counts),
    elementwise(e.shift_right_logical, _per_element(lambda x, n, width: _unsigned(x, width) >> n), INTEGERS, _counts),
    elementwise(
        e.population_count, _per_element(lambda x, width: _unsigned(x, width).bit_count()), INTEGERS, _any_bits(1)
    ),
    elementwise(e.clz, _per_element(lambda x, width: width - _unsigned(x, width).bit_length()), INTEGERS, _any_bits(1)),
]
