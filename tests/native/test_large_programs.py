"""Programs of thousands of equations: compiled, in many functions, in a time that grows no faster than they do."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp

pytest.importorskip("llvmlite", reason="the compiler needs llvmlite")
from tests.native.checks import is_whole

X = fnp.linspace(-1.0, 1.0, 64)
W = fnp.ones((16, 16), "float32") * 0.05


def chain(n: int, x: Any) -> Any:
    for i in range(n // 2):
        x = x - 0.1 * x if i % 7 else fnp.sin(x)
    return x


def sums(n: int, x: Any) -> Any:
    out: Any = 0.0
    for i in range(n // 5):
        out = out + fnp.sum(fnp.sqrt(x[: 8 + i % 50] + 2.0) * (1.0 + i))
    return out


def siblings(n: int, x: Any) -> Any:
    return sum(fnp.sum((x + 1.5) * (1.0 + i)) for i in range(n // 3))


def products(n: int, x: Any) -> Any:
    y = x[:16] * W
    for _ in range(n // 2):
        y = (y @ W) * 1.1
    return y


def updates(n: int, x: Any) -> Any:
    for i in range(n // 3):
        x = x.at[i % 64].set(x[i * 7 % 64] * 0.5)
    return x


def moves(n: int, x: Any) -> Any:
    for i in range(n // 10):
        x = x[::-1] if i % 2 else fnp.roll(x, 1)
    return x


@pytest.mark.parametrize("f", [chain, sums, siblings, products, updates, moves])
def test_thousands_of_equations(f: Any) -> None:
    """They compile (a warning would be an error) and give what eager mode gives."""
    seconds = []
    for n in (200, 800):
        start = time.process_time()
        found = fl.jit(lambda x, n=n: f(n, x))(X)
        seconds.append(time.process_time() - start)
        np.testing.assert_allclose(np.asarray(found), np.asarray(f(n, X)), rtol=1e-4, atol=1e-5)
    assert is_whole(lambda x: f(400, x), X)
    assert seconds[1] < 12 * seconds[0] + 2, seconds


def test_gradient_of_a_long_chain() -> None:
    gradient = fl.grad(lambda x: chain(800, x).sum())
    np.testing.assert_allclose(np.asarray(fl.jit(gradient)(X)), np.asarray(gradient(X)), rtol=1e-3, atol=1e-6)
