"""Native operations on bits: remainders, neighbours, roundings, casts of bits, of values that are hard."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite import lax
from functorch_lite.primitives.bitwise import clz
from functorch_lite.primitives.casting import bitcast_convert, reduce_precision
from functorch_lite.primitives.parts import nextafter, rem, round_away

from .checks import check

rng = np.random.default_rng(3)

INTEGERS = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]
FLOATS = ["float32", "float64"]


def integers(dtype: str, n: int = 500) -> np.ndarray:
    info = np.iinfo(dtype)
    x = rng.integers(info.min, info.max, n, dtype, endpoint=True)
    x[: n // 2] >>= rng.integers(0, info.bits, n // 2).astype(dtype)
    x[:8] = [0, 1, info.min, info.max, info.max - 1, info.min + 1, 2, 7]
    return x


def floats(dtype: str, n: int = 700) -> np.ndarray:
    """Of all magnitudes: bits at random, and the ends."""
    info = np.finfo(dtype)
    x = rng.integers(0, 1 << 63, n, np.uint64) * np.uint64(2) + rng.integers(0, 2, n, np.uint64)
    y = (x >> np.uint64(64 - info.bits)).astype(f"u{info.bits // 8}").view(dtype).copy()
    y[: n // 3] = rng.normal(size=n // 3) * 10
    ends = [0, 1, info.tiny, info.smallest_subnormal, info.max, np.inf, np.nan, 0.5, 2.5, 1 / info.eps, info.eps]
    y[: 2 * len(ends)] = [*ends, *(-e for e in ends)]
    return y


def pairs(x: np.ndarray) -> Any:
    """Hard values with each other, and the rest at random."""
    a, b = (v.reshape(-1) for v in np.meshgrid(x[:30], x[:30]))
    return np.concatenate([a, x]), np.concatenate([b, rng.permutation(x)])


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers(dtype: str) -> None:
    x, y = pairs(integers(dtype))
    check(lambda x, y: rem(x, y), x, y)
    check(lambda x: clz(x), x)


@pytest.mark.parametrize("dtype", FLOATS)
def test_extremes_one_by_one(dtype: str) -> None:
    """As of vectors: of zeros of two signs, of NaN."""
    x = floats(dtype)
    pairs = np.stack(np.meshgrid(x[:30], x[:30]), -1).reshape(-1, 2)
    for f in (fnp.maximum, fnp.minimum):
        check(lambda pairs, f=f: lax.map(lambda p: f(p[0], p[1]), pairs), pairs)
    places = np.arange(len(pairs)) % 50
    check(lambda x, y: x.at[places].max(y).at[places].min(y[::-1]), x, np.sort(pairs[:, 0]))


@pytest.mark.parametrize("dtype", FLOATS)
def test_floats(dtype: str) -> None:
    x, y = pairs(floats(dtype))
    check(lambda x, y: rem(x, y), x, y)
    check(lambda x, y: rem(x, y), x[:1], y[:1])
    check(lambda x, y: nextafter(x, y), x, y)
    check(lambda x: round_away(x), x)
    check(lambda x: round_away(x), np.arange(-40, 41).astype(dtype) / 4)
    for exponent, mantissa in ((5, 10), (8, 7), (8, 23), (11, 52), (4, 3), (5, 0), (11, 5)):
        check(lambda x, e=exponent, m=mantissa: reduce_precision(x, exponent_bits=e, mantissa_bits=m), x)


@pytest.mark.parametrize("dtype", [*INTEGERS, *FLOATS])
def test_bitcasts(dtype: str) -> None:
    x = floats(dtype) if dtype in FLOATS else integers(dtype)
    x = x[~np.isnan(x)]
    for other in map(np.dtype, (*INTEGERS, *FLOATS)):
        parts = other.itemsize // x.itemsize
        given = x if parts <= 1 else x[: x.size // parts * parts].reshape(-1, parts)
        check(lambda x, d=other: bitcast_convert(bitcast_convert(x, dtype=d), dtype=x.dtype), given)
        if other.kind in "iu":
            check(lambda x, d=other: bitcast_convert(x, dtype=d), given)
            check(lambda x, d=other: bitcast_convert(x + x, dtype=d) + d.type(1), given)


@pytest.mark.parametrize("given", FLOATS)
@pytest.mark.parametrize("dtype", INTEGERS)
def test_floats_as_integers(given: str, dtype: str) -> None:
    """Towards zero, no further than to the ends; NaN is 0. In vectors, and one by one."""
    info = np.iinfo(dtype)
    near = [s * 2.0**k + d for k in (7, 8, 15, 16, 31, 32, 63, 64) for s in (1, -1) for d in (-1.5, -0.5, 0, 1, 1.5)]
    x = np.concatenate([floats(given), np.asarray(near, given), (rng.normal(size=400) * 3e9).astype(given)])
    expected = [
        0 if y != y else info.max if y >= info.max else max(info.min, int(y)) if y > -1e30 else info.min
        for y in x.tolist()
    ]
    for part in (slice(None), slice(1)):
        found = fl.jit(lambda x: x.astype(dtype))(x[part])
        np.testing.assert_array_equal(np.asarray(found), np.asarray(expected[part], dtype))


@pytest.mark.parametrize("n", [1, 5, 16, 33, 128, 1000])
@pytest.mark.parametrize("likely", [0.0, 0.01, 0.99, 1.0])
def test_truths_of_rows(n: int, likely: float) -> None:
    x = rng.random((13, n)) < likely
    y = np.where(x, 1, -1).astype("float32")
    check(
        lambda x, y: (x.all(1), x.any(1), x.all(), x.any(), (y > 0).all(1), (y < 0).any(1), (x & (y > 2)).any(0)), x, y
    )


def test_remainder_in_a_reduction() -> None:
    x, y = rng.normal(size=(40, 33)) * 100, rng.normal(size=(40, 33))
    check(lambda x, y: rem(x, y).max(axis=1) + 1, x, y)
