"""A sample of programs with every buffer against a page that may not be touched; `guard_pages.py` runs other tests like that."""

from __future__ import annotations

import functools
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite import lax
from tests.native.test_programs import REDUCE, SHAPES, apply

linux = pytest.mark.skipif(sys.platform != "linux", reason="protects pages by Linux's numbers")
KINDS = ["unary", "binary", "binary", "reduce", "move", "dot"]


def random_programs(n: int) -> Iterator[tuple[Any, list[Any]]]:
    """Functions of whole arrays, and their operands."""
    rng, numbers = random.Random(0), np.random.default_rng(0)
    for k in range(n):
        steps = [(rng.choice(KINDS), *(rng.randrange(20) for _ in range(4))) for _ in range(12)]
        dtype = ["float32", "float64", "float32", "int8"][k % 4]
        operands = [(numbers.normal(size=rng.choice(SHAPES)) * 3).astype(dtype) for _ in range(3)]
        if k % 4 == 2:
            yield gradient(steps), operands
        elif dtype == "int8":
            yield lambda *xs: [REDUCE[0](x) * 2 + x[..., ::-1] for x in xs if x.ndim], operands
        else:
            yield functools.partial(run, steps), operands


def run(steps: Any, *xs: Any) -> Any:
    return apply(steps, xs)


def gradient(steps: Any) -> Any:
    return fl.grad(lambda *xs: sum(fnp.sum(y * 0.1) for y in apply(steps, xs)), (0, 1, 2))


def grown(f: Any, x: Any) -> Any:
    """A number after some turns, depending on `x`."""
    return lax.while_loop(lambda c: c[0] < 50, lambda c: (c[0] * 1.5 + 1.0, f(c[1]) + c[1] * 0.1), (x.sum(), x))[
        1
    ].sum()


def chosen_programs() -> Iterator[tuple[Any, list[Any]]]:
    """What has code of its own: products, convolutions, pooling, sorts, addressing, loops, factorisations."""
    rng = np.random.default_rng(1)

    def normal(*shape: int) -> Any:
        return rng.normal(size=shape).astype(np.float32)

    index = np.array([3, -1, 40, 7, 0], np.int32)
    yield lambda x, w: (x @ w, x.T @ x, (x @ w).sum(0)), [normal(37, 19), normal(19, 41)]
    yield lambda x, w: x @ w, [normal(3, 130, 65), normal(3, 65, 7)]
    yield lambda x, w: lax.conv(x, w, (1, 1), "SAME"), [normal(2, 3, 9, 11), normal(5, 3, 3, 3)]
    yield fl.grad(lambda x: fl.nn.max_pool(x, (2, 2), (2, 2)).sum()), [normal(2, 9, 9, 3)]
    yield lambda x: (fnp.sort(x), fnp.argsort(x, axis=0), lax.top_k(x, 3), fnp.cumsum(x, 0)), [normal(13, 17)]
    yield lambda x, i: (x[i], x.at[i].add(1.0), fnp.take(x, i, mode="clip"), x.at[i].set(x[:5])), [normal(17, 3), index]
    yield lambda x: lax.scan(lambda c, row: (fnp.tanh(c + row), c * row), x[0], x), [normal(9, 5)]
    yield lambda x: (fnp.linalg.cholesky(x @ x.T + 5 * fnp.eye(7)), fnp.linalg.solve(x, x + 1)), [normal(7, 7)]
    yield (
        lambda x: fnp.pad(x[:, 1:], ((1, 1), (0, 1)))[1:-1] + fnp.roll(x, 3, 1) * fnp.pad(x[:, :-2], ((0, 0), (2, 0))),
        [normal(9, 301)],
    )
    yield lambda x: (fnp.sort(x), fnp.argsort(x), fnp.cumsum(x), fnp.cumsum(x[::-1])), [normal(66_001)]
    yield lambda x: (lax.top_k(x, 40), lax.top_k(x.astype("float64"), 300)), [normal(3, 1999)]
    yield (
        lambda x, w: lax.conv(x, w, (1, 1), "SAME"),
        [np.ones((2, 5, 19, 21), np.int8), np.ones((9, 5, 3, 3), np.int8)],
    )
    yield lambda x, y: (x.T + y, x.T * 2, fl.nn.softmax(x.T)), [normal(137, 65), normal(65, 137)]
    yield lambda x: (fnp.transpose(x, (2, 0, 1)) + 1, fnp.transpose(x, (0, 2, 1)) * 2), [normal(20, 31, 17)]
    rows, few = rng.integers(-3, 4100, 1700), rng.integers(-3, 1010, 70_001)
    yield (
        lambda x, i: (fnp.zeros((4001, 67), x.dtype).at[i].add(x), fnp.ones((4001, 67)).at[i].set(x)),
        [normal(1700, 67), rows],
    )
    yield lambda x, i: (fnp.zeros(1000, x.dtype).at[i].add(x), fnp.zeros(1000).at[i].max(x)), [normal(70_001), few]
    matrix = normal(9, 9) + 1j * normal(9, 9)
    yield lambda x: (fnp.linalg.svd(x), fnp.linalg.qr(x[:, :5]), fnp.linalg.solve(x, x + 1)), [matrix]
    yield lambda x: (fnp.linalg.eigh(x @ x.conj().T), fnp.linalg.cholesky(x @ x.conj().T + fnp.eye(9))), [matrix]
    yield lambda x: (fnp.stack([x, x * 2, x + 1], -1), fnp.stack([x, -x], -1).reshape(9, -1)), [normal(9, 77)]
    yield lambda x: fnp.pad(x, 3, mode="edge") + fnp.pad(x, ((5, 1), (2, 4))), [normal(5, 200)]
    yield (
        lambda x, y: lax.pad(x, 0.0, [(-2, 1, 0), (2, -1, 0), (1, 0, 0)])[::3, :, ::2] * y,
        [rng.normal(size=(29, 5, 16)), rng.normal(size=(10, 6, 9))],
    )
    yield lambda x, y: [a / abs(a).sum() for a in (fnp.exp(x * y), fnp.tanh(x + y))], [normal(16, 23), normal(23)]
    yield lambda x: (x.max(1), x.max(), (x * 2).sum((0, 1)), x.min((0, 2))), [normal(59, 9, 12)]
    yield lambda x, w: lax.conv(x, w, (1, 1), "SAME"), [normal(2, 32, 30, 31), normal(2, 32, 3, 3)]
    yield lambda x: lax.while_loop(lambda c: c.sum() < 50, lambda c: c * 1.5, x), [np.abs(normal(33))]
    yield fl.grad(lambda x: grown(lambda x: x * grown(fnp.sin, x), x)), [np.abs(normal(33))]
    yield fl.grad(fl.jit(lambda x: grown(lambda x: x * grown(fnp.sin, x), x))), [np.abs(normal(33))]


def sample() -> None:
    for f, operands in [*chosen_programs(), *random_programs(24)]:
        found = fl.jit(f)(*map(fnp.asarray, operands))
        assert all(np.asarray(x).shape is not None for x in fl.tree_util.tree_leaves(found))


def in_guard_pages(side: str, source: str) -> subprocess.CompletedProcess[str]:
    pytest.importorskip("llvmlite", reason="the compiler needs llvmlite")
    source = f"import os; from tests.native import guard_pages; guard_pages.install()\n{source}; os._exit(0)"
    command = [sys.executable, "-W", "error::RuntimeWarning", "-c", source]
    return subprocess.run(command, env={**os.environ, "GUARD_PAGES": side}, capture_output=True, text=True, check=False)


@linux
@pytest.mark.parametrize("side", ["end", "start"])
def test_nothing_outside_of_buffers_is_touched(side: str) -> None:
    done = in_guard_pages(side, "from tests.native.test_guard_pages import sample; sample()")
    assert done.returncode == 0, done.stderr[-3000:]


@linux
@pytest.mark.parametrize("side, place", [("end", 12), ("start", -1)])
def test_what_is_touched_outside_kills(side: str, place: int) -> None:
    source = f"import ctypes, numpy as np; x = np.ones(3, np.float32); ctypes.string_at(x.ctypes.data + {place}, 1)"
    done = in_guard_pages(side, source)
    assert done.returncode < 0
    assert "Segmentation fault" in done.stderr
