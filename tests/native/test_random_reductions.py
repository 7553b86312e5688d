"""Reductions over random axes of arrays of random shapes, several in a program, against NumPy.

Elements are small integers, also as floats: sums of them are exact in any order, so not one may be counted twice.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp

pytest.importorskip("llvmlite", reason="the compiler needs llvmlite")

MOST = 1 << 18
"""Elements of an array."""
FIRST: dict[str, Callable[[Any], Any]] = {
    "as they are": lambda x: x,
    "transposed": lambda x: x.T,
    "computed": lambda x: x * 2 - 1,
    "reversed": lambda x: x[::-1],
    "apart": lambda x: x[..., ::2],
}
REDUCED = ["sum", "sum", "sum", "max", "min", "any", "all", "argmax", "argmin", "cumsum"]
DTYPES = ["float32", "float32", "float64", "int32", "int8", "complex64", "bool"]


def some_shape(rng: np.random.Generator) -> list[int]:
    """One to four axes, short and long ones alike, of not too many elements in all."""
    shape = [round(2 ** rng.uniform(0, 12)) for _ in range(rng.integers(1, 5))]
    while math.prod(shape) > MOST:
        k = rng.integers(len(shape))
        shape[k] = -(-shape[k] // 2)
    return shape


def reduction(rng: np.random.Generator, ndim: int) -> Callable[[Any, Any], Any]:
    """One of an array of so many axes, by a library."""
    name, first = rng.choice(REDUCED), FIRST[rng.choice(list(FIRST))]
    axes = tuple(sorted(rng.permutation(ndim)[: rng.integers(1, ndim + 1)].tolist()))
    keepdims = bool(rng.integers(2))

    def reduced(library: Any, x: Any) -> Any:
        x = first(x.astype("int32") if x.dtype in (bool, np.int8) else x)
        if name.startswith("arg") or name == "cumsum":
            return getattr(library, name)(x.real, axis=axes[0])
        return getattr(library, name)(x.real if name in ("max", "min") else x, axis=axes, keepdims=keepdims)

    return reduced


@pytest.mark.parametrize("seed", range(120))
def test_random_reductions(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = some_shape(rng)
    x = rng.integers(-8, 9, size=shape).astype(rng.choice(DTYPES))
    program = [reduction(rng, len(shape)) for _ in range(rng.integers(1, 5))]
    for reduced, got in zip(program, fl.jit(lambda x: [f(fnp, x) for f in program])(x), strict=True):
        want = np.asarray(reduced(np, x))
        assert got.shape == want.shape
        np.testing.assert_array_equal(np.asarray(got), want.astype(got.dtype))
