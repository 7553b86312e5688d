"""Operands that lie along the rows are turned around, some rows at a time: the bits of eager mode, whatever the shape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite_numpy import set_threads

from .checks import assert_same, check

rng = np.random.default_rng(0)


@pytest.fixture
def usual() -> Iterator[None]:
    yield
    set_threads()


def values(shape: Any, dtype: str) -> np.ndarray:
    return (rng.normal(size=shape) * 20).astype(dtype)


def gathers(f: Any, *args: Any) -> int:
    """How many vectors are gathered element by element."""
    text = fl.jit(f).lower(*args).as_text("llvm")
    return sum("call" in line and "llvm.masked.gather" in line for line in text.splitlines())


CASES = {
    "transpose": lambda x: x.T,
    "with another": lambda x: (x.reshape(x.T.shape) == x.T, x.reshape(x.T.shape)),
    "of rows": lambda x: fnp.where(x.T[:, :1] == x.T, x.T[:1], x.T),
    "blocks": lambda x: fnp.swapaxes(x.reshape(-1, 1, *x.shape)[:, 0], 1, 2) == x.dtype.type(1),
    "far": lambda x: fnp.transpose(x.reshape(x.shape[0], -1, 5), (2, 0, 1)) == x.reshape(5, x.shape[0], -1),
    "slices": lambda x: fnp.flip(x[1:, 2:].T, 0)[:, ::-1] == x.dtype.type(3),
    "two sizes": lambda x: x.T.astype("float64") + fnp.sign(x.T.astype("float32")),
}


@pytest.mark.parametrize("dtype", ["float32", "float64", "int8", "int16", "int64", "bool", "float16"])
@pytest.mark.parametrize("case", CASES)
def test_every_shape(case: str, dtype: str) -> None:
    for shape in ((64, 100), (137, 65), (63, 35), (300, 5), (4, 1005), (1025, 10), (3, 1000)):
        check(CASES[case], values(shape, dtype))


def test_nothing_is_gathered() -> None:
    x, y, cube = values((137, 65), "float32"), values((65, 137), "float32"), values((20, 30, 40), "float64")
    assert gathers(lambda x: fl.nn.softmax(x.T), x) == 0
    for f, *args in (
        (lambda x: x.T, x),
        (lambda x, y: x.T * 2 + y, x, y),
        (lambda x: fnp.transpose(x, (0, 2, 1)) * 2, cube),
        (lambda x: fnp.transpose(x, (2, 0, 1)) + fnp.transpose(x, (2, 0, 1))[:, ::-1], cube),
        (lambda x: fnp.transpose(x, (1, 2, 0)) - 1, cube),
    ):
        assert gathers(f, *args) == 0
        check(f, *args)


@pytest.mark.parametrize("shape", [(1000, 777), (65, 3001), (4001, 66)])
def test_rows_with_reductions_and_threads(usual: None, shape: Any) -> None:
    x = values(shape, "float32") / 20

    def f(x: Any) -> Any:
        y = x.T
        e = fnp.exp(y - y.max(1, keepdims=True))
        return e / e.sum(1, keepdims=True), (y * x.reshape(y.shape)).sum(0), y - y.mean(1, keepdims=True)

    results = []
    for n in (1, 2, 3):
        set_threads(n)
        results.append(fl.jit(f)(x))
    assert_same(results[0], results[1])
    assert_same(results[0], results[2])
    for got, expected in zip(results[0], fl.jit(f, exact=True)(x), strict=True):
        np.testing.assert_allclose(np.asarray(got), np.asarray(expected), rtol=2e-5, atol=1e-3)


def test_in_place() -> None:
    """A result in the memory of one operand, while the same is read across."""
    x = values((300, 300), "float64")
    check(lambda x: (lambda y: y + y.T)(fnp.flip(x, 0) * 2), x)
    check(lambda x: (lambda y, z: (z - y.T, y.T * z.T))(fnp.flip(x, 0) * 2, x + 1), x)
    check(lambda x: fl.lax.fori_loop(0, 5, lambda i, x: x.T / 2 + x, x), x)
