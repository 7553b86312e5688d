"""Rows of the callbacks: the user's function on host arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from functorch_lite.extend import ArrayType, type_of
from functorch_lite.primitives.callbacks import debug_callback, pure_callback

from .row import Row, normal

ALL = ("bool", "int32", "uint8", "float16", "bfloat16", "float32", "float64", "complex64", "complex128")


def _sorted_and_size(x: Any) -> list[Any]:
    return [np.sort(x), np.asarray(x.size, np.int32)]


def _sort(x: Any) -> Any:
    types = (type_of(x).update(weak=False), ArrayType((), np.dtype("int32")))
    return pure_callback(x, function=_sorted_and_size, result_types=types, vmap_method="sequential")


def _scaled(x: Any, y: Any) -> list[Any]:
    return [x * y]


def _scale(method: str) -> Any:
    def call(x: Any, y: Any) -> Any:
        types = (type_of(x).update(weak=False),)
        return pure_callback(x, y, function=_scaled, result_types=types, vmap_method=method)

    return call


def _look(*xs: Any) -> None:
    assert all(isinstance(x, np.ndarray) for x in xs)


ROWS = [
    Row("pure_callback of two results", "pure_callback", _sort, normal((4,)), _sorted_and_size, ALL, differentiable=()),
    *(
        Row(
            f"pure_callback {method}",
            "pure_callback",
            _scale(method),
            normal((2, 3), (2, 3)),
            _scaled,
            ("int32", "float32", "float64"),
            differentiable=(),
        )
        for method in ("sequential", "expand_dims", "broadcast_all")
    ),
    Row(
        "debug_callback", "debug_callback", lambda x: debug_callback(x, function=_look), normal((3,)), lambda x: [], ALL
    ),
]
