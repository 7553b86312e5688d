"""The memory of large results is used again: bounded, for a while, and only where nobody else manages NumPy's memory."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite", reason="the compiler needs llvmlite")

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite_numpy.compiler import recycling
from functorch_lite_numpy.compiler.recycling_code import STALE

from .checks import together

N = 1 << 17
BYTES = 4 * N
double = fl.jit(lambda x: x * 2)


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    double(fnp.ones(3))
    recycling.forget()
    yield
    recycling.forget()
    recycling.limit(recycling.MOST)


def place(x: Any) -> int:
    return np.asarray(x).__array_interface__["data"][0]


def kept() -> int:
    return recycling._state[recycling.STATE.index("kept")]


def test_the_next_result_takes_it() -> None:
    x = fnp.ones(N, "float32")
    first = double(x)
    where = place(first)
    del first
    assert kept() == BYTES
    second = double(x)
    assert place(second) == where
    assert kept() == 0
    assert fl.jit(lambda x: x + 1)(x).sum() == 2 * N  # other memory: the second result is alive
    np.testing.assert_array_equal(second, np.full(N, 2, np.float32))


def test_little_smaller_results_take_it_too() -> None:
    double(fnp.ones(N, "float32"))
    assert kept() == BYTES
    x = double(fnp.ones(N - 99, "float32"))
    assert kept() == 0
    del x
    assert kept() == BYTES - 4 * 99
    y = double(fnp.ones(N // 2, "float32"))
    assert kept() == BYTES - 4 * 99
    assert y.shape == (N // 2,)


def test_small_results_are_numpys() -> None:
    double(fnp.ones(100))
    assert kept() == 0


def test_it_is_bounded() -> None:
    recycling.limit(2 * BYTES)
    results = [double(fnp.ones(N, "float32")) for _ in range(4)]
    results.clear()
    assert kept() == 2 * BYTES
    recycling.limit(0)
    results = [double(fnp.ones(N, "float32")) for _ in range(3)]
    results.clear()
    assert kept() == 0


def test_what_nothing_takes_is_given_back() -> None:
    double(fnp.ones(5 * N, "float32"))
    assert kept() == 5 * BYTES
    x = fnp.ones(N, "float32")
    for _ in range(STALE + 2):
        double(x)  # each takes the memory of the one before
    assert kept() == BYTES


def test_numpy_reports_it() -> None:
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        x = double(fnp.ones(N, "float32"))
        assert tracemalloc.get_traced_memory()[0] - before >= BYTES
        del x
        assert tracemalloc.get_traced_memory()[0] - before < BYTES
    finally:
        tracemalloc.stop()


def test_many_sizes_in_several_threads() -> None:
    wrong: list[int] = []
    sizes = [N // 4 + 9_999 * k for k in range(8)]

    def run(seed: int) -> None:
        rng, alive = random.Random(seed), []
        for k in range(60):
            n = rng.choice(sizes)
            alive.append((k + seed, double(fnp.full(n, k + seed, "float32"))))
            if rng.random() < 0.6:
                value, x = alive.pop(rng.randrange(len(alive)))
                if not bool((np.asarray(x) == 2 * value).all()):
                    wrong.append(value)

    together(run, [(seed,) for seed in range(3)])
    assert not wrong


def run_alone(source: str) -> None:
    head = "import functorch_lite as fl, functorch_lite.numpy as fnp, numpy as np\n"
    head += "from functorch_lite_numpy.compiler import recycling\ndouble = fl.jit(lambda x: x * 2)\n"
    done = subprocess.run([sys.executable, "-c", head + source], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_results_may_outlive_everything() -> None:
    run_alone("import sys\nsys.kept = [double(fnp.ones(1 << 20)) for _ in range(3)]\ndel double, recycling")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_child_has_its_own() -> None:
    run_alone(
        "import os, warnings\nwarnings.simplefilter('ignore')\nx = double(fnp.ones(1 << 20)); y = double(x); del y\n"
        "child = os.fork()\ny = double(x); assert (np.asarray(y) == 4).all(); del y\n"
        "if child: assert os.waitpid(child, 0)[1] == 0\nelse: os._exit(0)"
    )


@pytest.mark.skipif(sys.platform != "linux", reason="protects pages by Linux's numbers")
def test_others_may_manage_the_memory() -> None:
    run_alone(
        "from tests.native import guard_pages; guard_pages.install()\nx = double(fnp.ones(1 << 20))\ndel x\n"
        "assert recycling._state[recycling.STATE.index('kept')] == 0\nimport os; os._exit(0)"
    )
