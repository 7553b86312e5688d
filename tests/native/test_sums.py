"""Sums over several axes of one value: read once, several rows at a time."""

from __future__ import annotations

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite.backend import default_backend
from functorch_lite.checking import check as check_program
from functorch_lite.passes import optimized
from functorch_lite.passes.totals import share_totals
from functorch_lite_numpy import set_threads
from tests.native.checks import is_whole

rng = np.random.default_rng(0)


def each(x):
    return x.sum(0), x.sum(1), x.max(0), x.min(1), x.mean(), x.max()


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int8"])
@pytest.mark.parametrize("shape", [(64, 64), (68, 33), (400, 5), (128, 1), (1, 300), (67, 300), (3, 64, 40)])
def test_sums_and_extremes(shape, dtype):
    x = (rng.normal(size=shape) * 50).astype(dtype)
    got = fl.jit(each)(fnp.asarray(x))
    assert is_whole(each, fnp.asarray(x))
    for a, b in zip(got, each(fnp.asarray(x)), strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-5, atol=1e-3)


def test_nan_is_found_in_any_row():
    for i in range(68):
        x = np.ones((68, 40), np.float32)
        x[i, 7] = np.nan
        columns, rows = fl.jit(lambda x: (x.max(0), x.sum(1)))(fnp.asarray(x))
        np.testing.assert_array_equal(np.isnan(np.asarray(columns)), np.isnan(x).any(0))
        np.testing.assert_array_equal(np.isnan(np.asarray(rows)), np.isnan(x).any(1))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("n", [1, 3, 7, 16, 33, 130])
def test_extremes_of_nan_infinities_and_zeros(n, dtype):
    """NaN of either sign is the extreme of what it is among; 0.0 is above -0.0."""
    special = np.array([np.nan, -np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-7, -1e-7, 6e4, -6e4], dtype)
    for first in (0, 2, 4):  # all of them; without NaN; without infinities
        x = rng.choice(special[first:], size=(200, n))
        x[::2] = np.copysign(np.zeros((), dtype), x[::2])  # zeros alone
        for name, sign in (("max", 1), ("min", -1)):
            got = np.asarray(fl.jit(lambda x, name=name: getattr(x, name)(1))(fnp.asarray(x)))
            want = getattr(x, name)(1)
            np.testing.assert_array_equal(got, want)
            above = np.signbit(x * np.asarray(sign, dtype)) | (x != 0)  # of zeros: those that do not win
            zeros = want == 0
            np.testing.assert_array_equal(np.signbit(got * np.asarray(sign, dtype))[zeros], above.all(1)[zeros])


@pytest.mark.parametrize("last", [1, 2, 12, 40])
@pytest.mark.parametrize("first", [3, 16, 30, 59, 64])
def test_rows_of_two_axes_are_added_up_once(first, last):
    """The loops over both are one; whether it goes block by block is then decided by all of its turns."""
    for second in (9, 17, 59, 64, 1000):
        x = fnp.asarray(rng.integers(-8, 8, size=(first, second, last)).astype(np.float32))
        for f in (lambda x: x.sum((0, 1)), lambda x: (x * 2 - 1).sum((0, 1)), lambda x: fnp.sum(x.T, (1, 2))):
            np.testing.assert_array_equal(np.asarray(fl.jit(f)(x)), np.asarray(f(x)))


def test_rows_that_come_from_memory_are_fetched_ahead():
    """Not those of an array in a cache, nor where there is no time for it."""
    x = rng.normal(size=(520, 4101)).astype(np.float32)
    fetches = lambda f, x: "prefetch" in fl.jit(f).lower(fnp.asarray(x)).as_text("llvm")  # noqa: E731
    assert fetches(each, x)
    assert not fetches(each, x[:64])
    assert not fetches(lambda x: x.sum(0), x)
    for a, b in zip(fl.jit(each)(fnp.asarray(x)), each(fnp.asarray(x)), strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-4, atol=1e-3)


def test_of_what_is_computed():
    def f(x, s):
        y = (x - 1) * s
        return y.sum(0), (y * x).sum(0), y.sum(1)

    x, s = rng.normal(size=(256, 40)).astype(np.float32), rng.normal(size=40).astype(np.float32)
    for a, b in zip(fl.jit(f)(fnp.asarray(x), fnp.asarray(s)), f(x, s), strict=True):
        np.testing.assert_allclose(np.asarray(a), b, rtol=1e-4, atol=1e-3)


def test_results_do_not_depend_on_the_number_of_threads():
    x = fnp.asarray(rng.normal(size=(2048, 1000)).astype(np.float32))
    f = fl.jit(each)
    found = []
    try:
        for n in (1, 2, 3):
            set_threads(n)
            found.append([np.asarray(y) for y in f(x)])
    finally:
        set_threads()
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_totals_are_made_of_sums():
    def axes(f, x):
        program = share_totals(optimized(fl.make_program(f)(x).program, default_backend()))
        check_program(program)
        return [(e.params["axes"], e.operands[0].type.ndim) for e in program.equations if e.primitive.combines]

    x = fnp.ones((8, 9, 10))
    assert axes(lambda x: (x.sum(), x.sum(2)), x) == [((2,), 3), ((0, 1), 2)]
    assert axes(lambda x: (x.sum((0, 2)), x.sum(2), x.max()), x) == [((2,), 3), ((0,), 2), ((0, 1, 2), 3)]
    assert axes(lambda x: (x.sum(0), x.sum(1)), x) == [((0,), 3), ((1,), 3)]
    assert axes(lambda x: (x.sum(), x.sum(2)), x.astype(fnp.float16))[1][1] == 3


def test_what_comes_between_is_not_passed():
    def f(x):
        total = x.sum()
        y = x / total
        return y.sum(0), y.sum(), x.sum(1)

    x = rng.random((70, 30)).astype(np.float32)
    for a, b in zip(fl.jit(f)(fnp.asarray(x)), f(x), strict=True):
        np.testing.assert_allclose(np.asarray(a), b, rtol=1e-5)
