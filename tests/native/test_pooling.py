"""Reductions over windows and their derivatives by native loops, against the exact kernels."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite.array_type import ArrayType
from functorch_lite.primitives.pooling import (
    _shape,
    reduce_window_max,
    reduce_window_min,
    reduce_window_sum,
    window_pick,
    window_place,
    window_put,
)


def windows(window, strides: Any = 1, padding: Any = 0, base_dilation: Any = 1, window_dilation: Any = 1):
    n = len(window)
    each = {"strides": strides, "base_dilation": base_dilation, "window_dilation": window_dilation}
    out = {k: v if isinstance(v, tuple) else (v,) * n for k, v in each.items()}
    return {**out, "window": window, "padding": padding if isinstance(padding, tuple) else ((padding, padding),) * n}


def values(rng, shape, dtype):
    """Few different ones, so that there are ties; infinities and NaN."""
    if dtype.kind != "f":
        return rng.integers(0 if dtype.kind == "u" else -5, 5, shape).astype(dtype)
    x = np.round(rng.standard_normal(shape) * 2).astype(dtype)
    for special in (np.nan, -np.inf, np.inf):
        x[rng.random(shape) < 0.08] = special
    return x


def check(shape, dtype, w, seed=0):
    rng, dtype = np.random.default_rng(seed), np.dtype(dtype)
    out = _shape("windows", ArrayType(shape, dtype), w)
    if 0 in out:
        return
    x, t = values(rng, shape, dtype), rng.integers(-9 if dtype.kind != "u" else 0, 9, out).astype(dtype)
    finite = np.nan_to_num(x, posinf=1, neginf=-1) if dtype.kind == "f" else x

    def extremes(x):
        places = [window_place(x, largest=largest, **w) for largest in (True, False)]
        return reduce_window_max(x, **w), reduce_window_min(x, **w), *places

    def moves(x, t):
        number = window_place(x, largest=True, **w)
        return window_pick(x, number, **w), window_put(t, number, shape=shape, **w), reduce_window_sum(x, **w)

    for f, args in ((extremes, (x,)), (moves, (finite, t))):
        for ours, theirs in zip(fl.jit(f)(*args), fl.jit(f, exact=True)(*args), strict=True):
            ours, theirs = np.asarray(ours), np.asarray(theirs)
            assert ours.dtype == theirs.dtype
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "uint8", "int64"])
@pytest.mark.parametrize(
    "shape, w",
    [
        ((2, 3, 28, 28), windows((1, 1, 2, 2), strides=(1, 1, 2, 2))),
        ((2, 3, 7, 9), windows((1, 1, 2, 2), strides=(1, 1, 2, 2))),
        ((2, 3, 15, 15), windows((1, 1, 3, 3), strides=(1, 1, 2, 2), padding=((0, 0), (0, 0), (1, 1), (1, 1)))),
        ((2, 15, 15, 5), windows((1, 3, 3, 1), strides=(1, 2, 2, 1), padding=((0, 0), (1, 1), (1, 1), (0, 0)))),
        ((500,), windows((3,), padding=1)),
        ((500,), windows((3,), strides=5, padding=1)),
        ((900,), windows((4,), base_dilation=3, window_dilation=2, padding=7)),
        ((40, 300), windows((20, 1))),
        ((3, 5), windows((3, 5), padding=4)),
        ((6, 6), windows((2, 2), padding=((-1, -2), (3, 0)))),
        ((20, 300), windows((20, 13))),
        ((1,), windows((1,))),
    ],
)
def test_shapes(shape, w, dtype):
    check(shape, dtype, w)


@pytest.mark.parametrize("seed", range(60))
def test_random_configurations(seed):
    rng = np.random.default_rng(seed)
    dims = int(rng.integers(1, 5))
    shape = tuple(int(n) for n in rng.integers(1, (300, 40, 20, 9)[dims - 1], dims))
    alone = rng.random(dims) < 0.3

    def some(low, high, often):
        return tuple(int(n) for n in np.where(alone | (rng.random(dims) > often), 1, rng.integers(low, high, dims)))

    pads = tuple(
        (0, 0) if a or rng.random() < 0.5 else (int(rng.integers(-1, 4)), int(rng.integers(-1, 4))) for a in alone
    )
    w = windows(some(1, 5, 0.9), some(1, 4, 0.7), pads, some(1, 4, 0.25), some(1, 4, 0.25))
    check(shape, str(rng.choice(["float32", "float64", "int32", "uint8", "int64"])), w, seed)


def test_gradient_of_max_pool():
    x = np.random.default_rng(0).standard_normal((3, 2, 9, 11)).astype(np.float32)
    f = fl.grad(lambda x: (fl.nn.max_pool(x, 3, 2) ** 2).sum())
    np.testing.assert_allclose(fl.jit(f)(x), fl.jit(f, exact=True)(x), rtol=1e-6)


def test_gradient_of_avg_pool():
    x = np.random.default_rng(0).standard_normal((3, 2, 9, 11)).astype(np.float32)
    f = fl.grad(lambda x: (fl.nn.avg_pool(x, 3, 2, "SAME") ** 2).sum())
    np.testing.assert_allclose(fl.jit(f)(x), fl.jit(f, exact=True)(x), rtol=1e-5, atol=1e-6)


def test_sums_of_complex_numbers():
    x = fnp.asarray(np.random.default_rng(0).normal(size=(2, 3, 20, 21)) * (1 + 2j))

    def f(x):
        return fl.lax.reduce_window(x, 0j, fl.lax.add, (1, 1, 3, 2), (1, 1, 2, 1), "SAME")

    assert "by NumPy" not in fl.jit(f).lower(x).as_text("llvm")
    np.testing.assert_allclose(fl.jit(f)(x), f(x), rtol=1e-13)
