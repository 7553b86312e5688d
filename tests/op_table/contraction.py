"""Rows of dot_general: dimension numbers of many kinds, the reference by einsum."""

from __future__ import annotations

from typing import Any

import numpy as np

from functorch_lite import dtypes
from functorch_lite.primitives.contraction import dot_general

from .row import NUMERIC, Row, normal

Axes = tuple[int, ...]


def _einsum(dimension_numbers: Any, preferred: Any) -> Any:
    (xc, yc), (xb, yb) = dimension_numbers

    def reference(x: Any, y: Any) -> Any:
        x_names = list(range(x.ndim))
        y_names = list(range(x.ndim, x.ndim + y.ndim))
        for i, j in zip(xc + xb, yc + yb, strict=True):
            y_names[j] = x_names[i]
        out = [x_names[i] for i in xb]
        out += [n for i, n in enumerate(x_names) if i not in xc + xb]
        out += [n for j, n in enumerate(y_names) if j not in yc + yb]
        wide = preferred or (np.float32 if x.dtype.itemsize == 2 and x.dtype.kind in "fV" else x.dtype)
        return np.einsum(x.astype(wide), x_names, y.astype(wide), y_names, out)

    return reference


def _dot(
    name: str,
    x: Axes,
    y: Axes,
    contracting: tuple[Axes, Axes],
    batch: tuple[Axes, Axes] = ((), ()),
    preferred: Any = None,
    among: tuple[str, ...] = NUMERIC,
) -> Row:
    numbers = (contracting, batch)
    return Row(
        f"dot_general {name}",
        "dot_general",
        lambda x, y: dot_general(x, y, dimension_numbers=numbers, preferred=preferred),
        normal(x, y),
        _einsum(numbers, preferred),
        among,
        tolerance=2.0,
        jax=lambda jax, jnp, lax: lambda x, y: lax.dot_general(x, y, numbers, preferred_element_type=preferred),
    )


HALVES = ("float16", "bfloat16")
FEW = ("int32", "bfloat16", "float32", "float64", "complex128")

ROWS = [
    _dot("matrix and matrix", (2, 3), (3, 4), ((1,), (0,))),
    _dot("vectors", (3,), (3,), ((0,), (0,))),
    _dot("matrix and vector", (2, 3), (3,), ((1,), (0,)), among=FEW),
    _dot("vector and matrix", (3,), (3, 4), ((0,), (0,)), among=FEW),
    _dot("scalars", (), (), ((), ()), among=FEW),
    _dot("scalar and matrix", (), (2, 3), ((), ()), among=FEW),
    _dot("outer product", (2,), (3,), ((), ()), among=FEW),
    _dot("transposed left", (3, 2), (3, 4), ((0,), (0,)), among=FEW),
    _dot("transposed right", (2, 3), (4, 3), ((1,), (1,)), among=FEW),
    _dot("both transposed", (3, 2), (4, 3), ((0,), (1,)), among=FEW),
    _dot("two axes", (2, 3, 4), (3, 4, 5), ((1, 2), (0, 1)), among=FEW),
    _dot("two axes crossed", (2, 3, 4), (4, 5, 3), ((1, 2), (2, 0)), among=FEW),
    _dot("two axes out of order", (4, 2, 3), (3, 4, 2), ((2, 0), (0, 1)), among=FEW),
    _dot("all axes", (2, 3), (3, 2), ((0, 1), (1, 0)), among=FEW),
    _dot("batch", (2, 3, 4), (2, 4, 2), ((2,), (1,)), ((0,), (0,))),
    _dot("batch at the ends", (3, 4, 2), (4, 2, 5), ((1,), (0,)), ((2,), (1,)), among=FEW),
    _dot("two batch axes", (2, 3, 2, 4), (2, 3, 4, 2), ((3,), (2,)), ((0, 1), (0, 1)), among=FEW),
    _dot("two batch axes crossed", (2, 3, 4), (4, 3, 2, 5), ((2,), (0,)), ((1, 0), (1, 2)), among=FEW),
    _dot("batch, two axes crossed", (3, 2, 4, 2), (4, 3, 5, 2), ((3, 2), (3, 0)), ((0,), (1,)), among=FEW),
    _dot("batch, nothing contracted", (2, 3), (2, 4), ((), ()), ((0,), (0,)), among=FEW),
    _dot("batch, all else contracted", (2, 3), (3, 2), ((1,), (0,)), ((0,), (1,)), among=FEW),
    _dot("batch only", (2, 3), (2, 3), ((), ()), ((0, 1), (0, 1)), among=FEW),
    _dot("over no elements", (2, 0), (0, 3), ((1,), (0,)), among=FEW),
    _dot("of no elements", (0, 2), (2, 3), ((1,), (0,)), among=FEW),
    _dot("batch of no elements", (0, 2, 3), (0, 3, 2), ((2,), (1,)), ((0,), (0,)), among=FEW),
    _dot("long", (1, 200), (200, 1), ((1,), (0,)), among=FEW),
    _dot("preferred wider", (2, 3), (3, 2), ((1,), (0,)), preferred=dtypes.float32, among=HALVES),
    _dot("preferred 64 bits", (2, 3), (3, 2), ((1,), (0,)), preferred=dtypes.float64, among=("float32",)),
    _dot("preferred int32", (2, 3), (3, 2), ((1,), (0,)), preferred=dtypes.int32, among=("int8",)),
    _dot("preferred wider, batch", (2, 2, 3), (2, 3, 2), ((2,), (1,)), ((0,), (0,)), dtypes.float32, HALVES),
]
