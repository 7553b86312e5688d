"""Rows of sort and top_k."""

from __future__ import annotations

from typing import Any

import numpy as np

from functorch_lite.primitives.sorting import sort, top_k

from .row import REALS, Row


def distinct(*shapes: tuple[int, ...]) -> Any:
    """Operands without equal elements, so that orders are unique and derivatives exist."""

    def make(rng: np.random.Generator, dtype: np.dtype) -> tuple[np.ndarray, ...]:
        return tuple((rng.permutation(int(np.prod(s))).reshape(s) * (1 if dtype.kind in "iu" else 0.5)).astype(dtype) for s in shapes)

    return make


def _sort(dimension: int, num_keys: int = 1) -> Any:
    return lambda *xs: sort(*xs, dimension=dimension, is_stable=True, num_keys=num_keys)


def _by_first(x: Any, y: Any) -> list[Any]:
    order = np.argsort(x, 1, kind="stable")
    return [np.take_along_axis(x, order, 1), np.take_along_axis(y, order, 1)]


def _top(x: Any) -> list[Any]:
    order = np.argsort(-x.astype(np.float64), -1, kind="stable")[..., :2]
    return [np.take_along_axis(x, order, -1), order.astype(np.int32)]


ROWS = [
    Row("sort", "sort", _sort(1), distinct((2, 4)), lambda x: [np.sort(x, 1)], REALS),
    Row("sort first axis", "sort", _sort(0), distinct((4, 2)), lambda x: [np.sort(x, 0)]),
    Row("sort two operands", "sort", _sort(1), distinct((2, 4), (2, 4)), _by_first),
    Row("top_k", "top_k", lambda x: top_k(x, k=2), distinct((2, 5)), _top, REALS, differentiable=None),
]
