"""Integers and casts at their limits: defined, and the same eagerly, compiled and exact."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite import lax

pytest.importorskip("llvmlite", reason="the compiler needs llvmlite")
INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
DIVISIONS = {"div": lax.div, "rem": lax.rem, "//": lambda x, y: x // y, "%": lambda x, y: x % y, "fmod": fnp.fmod}
SHIFTS = {"left": lax.shift_left, "arithmetic": lax.shift_right_arithmetic, "logical": lax.shift_right_logical}


def all_ways(f: Any, *operands: np.ndarray) -> list[Any]:
    """The results, as lists: of vectors of several lengths, which become vector code, and code for what is left over."""
    for n in (operands[0].size, 3, 64):
        xs = [fnp.asarray(np.resize(x, n)) for x in operands]
        eager = f(*xs)
        for found in (fl.jit(f)(*xs), fl.jit(f, exact=True)(*xs)):
            for a, b in zip(found, eager, strict=True):
                np.testing.assert_array_equal(np.asarray(a), np.asarray(b))
    return [np.asarray(x).tolist() for x in f(*map(fnp.asarray, operands))]


@pytest.mark.parametrize("dtype", INTEGERS)
def test_division(dtype: str) -> None:
    limits = np.iinfo(dtype)
    x = np.array([limits.min, 7, limits.max, 0, limits.min], dtype)
    y = np.array([-1 if limits.min else 1, 0, 0, 0, 0]).astype(dtype)
    div, rem, floor, mod, _ = all_ways(lambda x, y: [f(x, y) for f in DIVISIONS.values()], x, y)
    bits = -1 if limits.min else limits.max
    assert div == [limits.min, bits, bits, bits, bits]
    assert rem == [0, 7, limits.max, 0, limits.min]
    assert floor == [limits.min, bits, bits, bits, bits]
    assert mod == [0] * 5


@pytest.mark.parametrize("dtype", INTEGERS)
def test_shifts(dtype: str) -> None:
    limits = np.iinfo(dtype)
    x = np.array([limits.max, limits.min, 1, limits.max, limits.min], dtype)
    by = np.array([limits.bits, limits.bits + 1, 127, -1, -128 if limits.bits == 8 else -limits.bits]).astype(dtype)
    left, arithmetic, logical = all_ways(lambda x, y: [f(x, y) for f in SHIFTS.values()], x, by)
    signs = np.where(x.view(f"i{x.itemsize}") < 0, -1, 0).astype(dtype).tolist()
    assert (left, arithmetic, logical) == ([0] * 5, signs, [0] * 5)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_casts(dtype: str) -> None:
    """To the nearest integer that there is, towards zero."""
    values = [np.nan, np.inf, -np.inf, 6e4, -6e4, -1.5, 255.9, 127.5, -128.9, -0.0]
    large = [2.0**31, 2.0**63, 2.0**64, -(2.0**31), -(2.0**63), -1e30, 1e30] if dtype != "float16" else []
    x = np.array([*values, *large], dtype)
    found = all_ways(lambda x: [x.astype(d) for d in [*INTEGERS, "bool"]], x)
    for to, out in zip(INTEGERS, found[:-1], strict=True):
        limits = np.iinfo(to)
        expected = [
            0 if v != v else limits.max if v > 1e25 else limits.min if v < -1e25 else int(v) for v in x.tolist()
        ]
        assert out == [min(max(v, limits.min), limits.max) for v in expected]
    assert found[-1] == [v != 0 for v in x.tolist()]
