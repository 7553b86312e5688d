"""Results that take the memory of an operand: where nothing else needs it, and only there."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite import lax

pytest.importorskip("llvmlite", reason="the compiler needs llvmlite")
from functorch_lite_numpy.compiler.memory import Interval, plan
from tests.native.checks import assert_same

N = 10_003
BYTES = 4 * N
rng = np.random.default_rng(0)
X, Y = (fnp.asarray(rng.normal(size=N).astype(np.float32)) for _ in range(2))
LARGE = fnp.asarray(rng.normal(size=300_007).astype(np.float32))


def turns(step: Any, n: int = 5) -> Any:
    return lambda *carry: lax.fori_loop(0, n, lambda _, c: step(*c), carry)


def mandelbrot(x: Any, y: Any, count: Any) -> Any:
    inside = x * x + y * y < 4
    return fnp.where(inside, x * x - y * y + 0.1, x), fnp.where(inside, 2 * x * y + 0.2, y), count + inside


LOOPS = {
    "both of both": (lambda x, y: (x + y, x - y), (X, Y)),
    "complex": (lambda x, y: (x * y, (x - y).conj()), (X + 1j * Y, Y * 0.5 + 1j)),
    "exchanged": (lambda x, y: (y, x), (X, Y)),
    "one moves up": (lambda x, y: (y, x + y), (X, Y)),
    "crossed": (lambda x, y: (y * 0.5, x * 2.0), (X, Y)),
    "shifted": (lambda x, y: (fnp.roll(x, 1) + y, y[::-1] * 0.5), (X, Y)),
    "shifted and not": (lambda x, y: (x + fnp.roll(x, 1), y + fnp.sum(x)), (X, Y)),
    "twice the same": (lambda x, y: (x + y, x + y), (X, Y)),
    "threads": (lambda x, y: (fnp.sin(x) + y, fnp.cos(x) * y), (LARGE, LARGE + 1)),
    "a sum between": (lambda x, y: (x / fnp.sum(x * x), x + y), (X, Y)),
    "rows": (lambda x: (x / fnp.sum(fnp.exp(x), 1, keepdims=True),), (LARGE[:300_000].reshape(300, 1000),)),
    "columns": (lambda x: (x / fnp.sum(fnp.exp(x), 0, keepdims=True),), (LARGE[:300_000].reshape(300, 1000),)),
    "transposed": (lambda x: (x.T + 0.1 * x,), (LARGE[:250_000].reshape(500, 500),)),
    "updated": (lambda x, y: (x.at[3].set(2.0) * 2, y.at[5].add(x[5])), (X, Y)),
    "counted": (mandelbrot, (X, Y, fnp.zeros(N, "int32"))),
}


@pytest.mark.parametrize("name", LOOPS)
def test_loops(name: str) -> None:
    step, carry = LOOPS[name]
    found, expected = fl.jit(turns(step))(*carry), fl.jit(turns(step), exact=True)(*carry)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=2e-5, atol=1e-5)


def arena(f: Any, *args: Any) -> int:
    return int(re.findall(r"arena of (\d+)", fl.jit(f).lower(*args).as_text("memory plan"))[0])


@pytest.mark.parametrize("n", [1, 7, 32, 60, 91])
def test_an_operand_is_read_before_another_result_takes_its_place(n: int) -> None:
    """In whole vectors, and in the lanes that are left."""

    def f(x: Any, w: Any) -> Any:
        y = x @ w
        a, c = fnp.abs(x) - 0.5, fnp.abs(x) + y
        return a @ w, c @ w

    x, w = (fnp.asarray(rng.integers(-3, 4, size=(n, n)).astype(np.float32)) for _ in range(2))
    assert_same(fl.jit(f)(x, w), f(x, w))


def test_a_gradient_of_an_embedding_needs_no_more_than_its_tokens() -> None:
    """And where each of a few pieces ends."""

    def loss(table: Any, tokens: Any, weights: Any) -> Any:
        return fnp.sum(table[tokens] * weights)

    for rows, count, width in ((10_000, 8192, 128), (8000, 8192, 128), (30_000, 8192, 64)):
        tokens = rng.integers(0, rows, count).astype(np.int32)
        table, weights = np.zeros((rows, width), np.float32), np.zeros((count, width), np.float32)
        assert arena(fl.grad(loss), table, tokens, weights) <= tokens.nbytes + 256


def test_small_products_need_no_copies() -> None:
    """Unless rows lie so that they would drive each other from the cache."""
    for n, copies in ((100, False), (97, False), (128, True)):
        x, y = np.zeros((97, n), np.float32), np.zeros((n, 97 if n < 128 else n), np.float32)
        assert (arena(lambda x, y: x @ y, x, y) > 0) == copies


def test_transforms_of_columns_stay_where_they_are() -> None:
    x, y = np.zeros((64, 70, 96), np.complex64), np.zeros((256, 256), np.float32)
    assert arena(lambda x: fnp.fft.fftn(x[:, :64, :64] + 1), x) < 2 * 64**3 * 8
    assert arena(fnp.fft.rfft2, y) == 0
    assert arena(fnp.fft.irfftn, np.zeros((32, 64, 33), np.complex64)) == 32 * 64 * 33 * 8


def test_a_carry_is_changed_where_it_lies() -> None:
    assert arena(turns(mandelbrot), X, Y, fnp.zeros(N, "int32")) < BYTES
    assert arena(turns(lambda x: (fnp.roll(x, 1) * 2,)), X) > BYTES


def test_between_other_steps() -> None:
    """A product, and three steps over it, in one place."""

    def f(x: Any, w: Any) -> Any:
        y = x @ w
        for _ in range(3):
            y = (fnp.tanh(y) @ w) * 0.5
        return (y * 2).sum()

    w = fnp.asarray(rng.normal(size=(64, 64)).astype(np.float32))
    assert arena(f, w, w) < 4 * w.nbytes
    np.testing.assert_allclose(float(fl.jit(f)(w, w)), float(fl.jit(f, exact=True)(w, w)), rtol=1e-3)


def test_operands_of_the_caller_stay() -> None:
    x = fnp.asarray(np.arange(N, dtype=np.float32))
    y = fl.jit(lambda x: (x + 1, x * 2))(x)
    assert_same(x, np.arange(N, dtype=np.float32))
    assert_same(y, (np.arange(N, dtype=np.float32) + 1, np.arange(N, dtype=np.float32) * 2))


def test_values_lie_in_results_that_are_yet_to_be_written() -> None:
    def f(x: Any, w: Any) -> Any:
        y = fnp.sin(x @ w) @ w
        return fnp.cumsum(y[0]), y @ w, fnp.roll(fnp.cumsum(y, 1) @ w, 1, 0)

    x, w = LARGE[: 200 * 200].reshape(200, 200), LARGE[:40_000].reshape(200, 200) / 200
    assert "in result" in fl.jit(f).lower(x, w).as_text("memory plan")
    for a, b in zip(fl.jit(f)(x, w), f(x, w), strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-4, atol=1e-6)


def test_plans_keep_values_apart() -> None:
    for seed in range(50):
        random = np.random.default_rng(seed)
        sizes = random.choice([1, 300, 5000, 70_000], 20)
        firsts = random.integers(0, 12, 20)
        values = [
            Interval(int(a), int(a + random.integers(0, 5)), int(n), bool(random.integers(2)))
            for a, n in zip(firsts, sizes, strict=True)
        ]
        lenders = [(int(random.integers(0, 15)), int(n)) for n in random.choice([100, 9000, 150_000], 3)]
        places, size = plan(values, lenders)
        for i, (v, (k, offset)) in enumerate(zip(values, places, strict=True)):
            until, room = lenders[k] if k < 3 else (99, size)
            assert v.last < until
            assert offset + v.size <= room
            assert offset % 64 == 0
            assert k == 3 or not v.aligned
            for w, (other, start) in list(zip(values, places, strict=True))[:i]:
                apart = w.last < v.first or v.last < w.first or start + w.size <= offset or offset + v.size <= start
                assert k != other or apart


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "int8", "bool"])
@pytest.mark.parametrize("n", [9, 33, 100, 1003])
def test_the_last_vector_of_a_few_elements_may_begin_early(n: int, dtype: str) -> None:
    """So its first elements are computed twice; no operand may be lost by then."""

    def f(x: Any, y: Any) -> Any:
        z = x + y
        return z * x, fnp.where(z == x, y, z), x[::-1] * y, fnp.roll(x, -1), fnp.concatenate([y[2:], x[:1], y[:1]])

    x, y = (fnp.asarray(rng.integers(0, 5, size=n).astype(dtype)) for _ in range(2))
    assert_same(fl.jit(f, donate_argnums=(0, 1))(fnp.array(x), fnp.array(y)), f(x, y))


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "int8", "bool"])
@pytest.mark.parametrize("n", range(1, 17))
def test_short_rows_may_be_two_vectors_that_overlap(n: int, dtype: str) -> None:
    """In the interiors of pads and outside of them."""

    def f(x: Any, y: Any) -> Any:
        padded = fnp.pad(x, [(0, 3), (4, 0)])
        return padded * y[:1, :1], fnp.pad(x, [(1, 0), (1, 2)]) == 3, x[:, ::-1], fnp.roll(x, 2, 1) + y, x + y[:, :1]

    x, y = (fnp.asarray(rng.integers(0, 5, size=(5, n)).astype(dtype)) for _ in range(2))
    assert_same(fl.jit(f)(x, y), f(x, y))


def test_what_may_be_computed_twice_is_compiled_once() -> None:
    def divisions(n: int) -> int:
        return fl.jit(lambda x: (1 / x).sum() if n < 0 else 1 / x).lower(fnp.ones(abs(n))).as_text("llvm").count("fdiv")

    assert divisions(200) == divisions(192) == 1
    assert divisions(-200) == 2  # sums must take every element once
    assert divisions(10_004) == 2  # results may lie over operands


def test_dimensions_that_run_on_are_one() -> None:
    """However short the last one is: else it would be done in vectors of three lanes."""

    def loops(*shape: int) -> int:
        return fl.jit(lambda x: x * 2 + 1).lower(fnp.ones(shape)).as_text("llvm").split('@"segment"')[0].count("phi")

    assert loops(40, 50, 60, 3) == loops(40 * 50 * 60 * 3) == 1
