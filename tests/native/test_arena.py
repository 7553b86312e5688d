"""Memory between operands and results: shared by all programs, bounded, safe where calls overlap."""

from __future__ import annotations

import threading
import tracemalloc
from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite", reason="the compiler needs llvmlite")

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite_numpy.compiler import arena
from functorch_lite_numpy.compiler.native import make_ways_in

N = 1 << 18
BYTES = 4 * N


def between(x: Any, k: float) -> Any:
    """Keeps an array between two passes over it."""
    y = fnp.sort(x * k)
    return (y * fnp.cumsum(y)).sum()


def kept() -> int:
    """Bytes that NumPy keeps for us once nothing runs."""
    arena.forget()
    fl.jit(lambda x: x + 1)(1.0)
    tracemalloc.start()
    make_ways_in()  # calls before that have memory of their own
    try:
        for k in range(3):
            fl.jit(lambda x, k=k: between(x, k + 1.0))(X)
        fl.clear_caches()
        return tracemalloc.get_traced_memory()[0] // BYTES
    finally:
        tracemalloc.stop()


X = fnp.ones(N, "float32")


def test_programs_share_one_arena() -> None:
    assert 1 <= kept() <= 3


def test_a_large_arena_is_given_back(monkeypatch) -> None:
    monkeypatch.setattr(arena.KEPT, "value", BYTES // 2)
    assert kept() == 0


def test_forget() -> None:
    kept()
    tracemalloc.start()
    arena.forget()
    arena.forget()
    tracemalloc.stop()
    assert np.isfinite(float(fl.jit(lambda x: between(x, 2.0))(X)))


def test_threads_work_in_memory_of_their_own() -> None:
    jitted = fl.jit(between)
    xs = [fnp.arange(N, dtype="float32") * (k + 1) for k in range(4)]
    expected = [float(jitted(x, 0.5)) for x in xs]
    found: list[list[float]] = [[] for _ in xs]

    def run(i: int) -> None:
        for _ in range(10):
            found[i].append(float(jitted(xs[i], 0.5)))

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(xs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [[value] * 10 for value in expected]
