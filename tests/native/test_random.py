"""Native threefry, uniform and normal numbers: the very bits of the eager kernels."""

from __future__ import annotations

from typing import Any

import ml_dtypes  # noqa: F401 (NumPy knows bfloat16 then)
import numpy as np
import pytest

import functorch_lite as fl
from functorch_lite import lax, random
from functorch_lite.primitives.random_bits import random_bits, random_fold_in, random_split
from functorch_lite.primitives.random_floats import random_normal, random_uniform
from functorch_lite.primitives.random_gamma import random_gamma
from functorch_lite_numpy import set_threads
from tests.native.checks import check, is_whole

rng = np.random.default_rng(1)

SHAPES: list[Any] = [(), (1,), (2,), (3,), (5, 3), (16,), (17,), (63,), (64,), (65,), (200,), (1023,), (1025,), (3001,)]


def keys(*batch: int) -> np.ndarray:
    return rng.integers(0, 2**32, (*batch, 2), np.uint32)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("batch", [(), (1,), (5,), (40,), (3, 2)])
def test_draws(shape: Any, batch: Any) -> None:
    key = keys(*batch)
    for dtype in ("uint8", "uint16", "uint32", "uint64"):
        check(lambda k, dtype=dtype: random_bits(k, shape=shape, dtype=np.dtype(dtype)), key)
    for dtype in ("float32", "float64"):
        check(lambda k, dtype=dtype: random_uniform(k, shape=shape, dtype=np.dtype(dtype)), key)
        check(lambda k, dtype=dtype: random_normal(k, shape=shape, dtype=np.dtype(dtype)), key)
    check(lambda k: random_split(k, shape=shape), key)


@pytest.mark.parametrize("batch", [(), (1,), (7,), (64,), (130,)])
def test_fold_in(batch: Any) -> None:
    data = rng.integers(0, 2**32, batch, np.uint32)
    check(lambda k, d: random_fold_in(k, d), keys(*batch), data)


def test_many_normals() -> None:
    for dtype in ("float32", "float64"):
        check(lambda k, dtype=dtype: random_normal(k, shape=(1 << 18,), dtype=np.dtype(dtype)), keys())


def test_in_loops() -> None:
    def step(key: Any, _: Any) -> Any:
        key, sub = random.split(key)
        return key, random.normal(sub, (3,)) + random.uniform(sub)

    check(lambda k: lax.scan(step, random.wrap_key_data(k), None, length=9)[1], keys(), native=False)


@pytest.mark.parametrize("batch", [(), (3,)])
def test_many_draws_are_the_same_by_any_number_of_threads(batch: Any) -> None:
    shape, key = (100_003,), keys(*batch)
    try:
        for threads in (1, 2, 3):
            set_threads(threads)
            check(lambda k: random_bits(k, shape=shape, dtype=np.dtype(np.uint8)), key)
            check(lambda k: random_uniform(k, shape=shape, dtype=np.dtype(np.float64)), key)
            check(lambda k: random_normal(k, shape=shape, dtype=np.dtype(np.float32)), key)
            check(lambda k: random_split(k, shape=shape), key)
    finally:
        set_threads()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("n", [1, 7, 100, 70_001])
def test_short_floats(n: int, dtype: str) -> None:
    """The very draws, rounded where eager rounds them."""
    for batch in ((), (3,)):
        check(lambda k: random_uniform(k, shape=(n,), dtype=np.dtype(dtype)), keys(*batch))
        check(lambda k: random_normal(k, shape=(n,), dtype=np.dtype(dtype)), keys(*batch))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", [1, 3, 2000, 30_000])
def test_gamma_variates(n: int, dtype: str) -> None:
    """The very draws."""
    shapes = np.exp(rng.uniform(-3, 8, n)).astype(dtype)
    ends = [0.0, -1.0, np.nan, np.inf, 1.0, 1e-8, 1e30, 0.5, 2.0, 1 / 3]
    shapes[1:1000:100] = ends[: len(shapes[1:1000:100])]
    for log_space in (True, False):
        check(lambda k, a, log=log_space: random_gamma(k, a, log_space=log), keys(n), shapes)


def test_gamma_variates_in_loops_and_in_half_precision() -> None:
    def chain(key: Any, a: Any) -> Any:
        return lax.scan(lambda c, k: (random.gamma(k, a + c) * 0.1, c), a, random.split(key, 20))[1]

    assert is_whole(chain, random.key(0), fl.numpy.float32(1.5))
    check(lambda k: chain(random.wrap_key_data(k), fl.numpy.float32(1.5)), keys(), native=False)
    found = fl.jit(lambda k: random.gamma(k, 2.0, (50,), "float16"))(random.key(1))
    np.testing.assert_allclose(np.asarray(found), np.asarray(random.gamma(random.key(1), 2.0, (50,), "float16")), 2e-3)
