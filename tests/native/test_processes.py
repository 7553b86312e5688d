"""Compiling beside forks, in children, and in several threads at once."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

pytest.importorskip("llvmlite", reason="the compiler needs llvmlite")

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite_numpy.compiler.making import making
from functorch_lite_numpy.forking import whole

FORKING = """
import gc, os, threading, numpy as np
import functorch_lite as fl, functorch_lite.numpy as fnp
x = fnp.arange(5.0)
stop = False

def compile_all_the_time(k):
    i = 0
    while not stop:
        i += 1
        fl.jit(lambda x: fnp.tanh(x * i) + k)(x)

threads = [threading.Thread(target=compile_all_the_time, args=(k,)) for k in range(2)]
for thread in threads:
    thread.start()
for n in range(6):
    child = os.fork()
    if not child:
        right = np.allclose(np.asarray(fl.jit(lambda x: fnp.sin(x) * n)(x)), np.sin(np.arange(5.0)) * n, atol=1e-5)
        os._exit(0 if right and gc.isenabled() else 1)
    _, status = os.waitpid(child, 0)
    assert status == 0, status
stop = True
for thread in threads:
    thread.join()
print("right")
"""

POOL = """
import multiprocessing, sys
import functorch_lite as fl, functorch_lite.numpy as fnp

f = fl.jit(lambda x: (fnp.exp(x) * x).sum())

def work(k):
    return float(f(fnp.ones(1000 + k))) / (1000 + k)

if __name__ == "__main__":
    work(0)
    with multiprocessing.get_context(sys.argv[1]).Pool(2) as pool:
        print(*(round(x, 3) for x in pool.map(work, range(4))))
"""


def run(*command: str) -> str:
    environment = {**os.environ, "PYTHONWARNINGS": "ignore", "FUNCTORCH_LITE_CACHE": "off"}
    done = subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, timeout=60, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_forks_while_other_threads_compile() -> None:
    assert run("-c", FORKING) == "right"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_fork_waits() -> None:
    """Until no thread is inside of what must not be cut; and nobody enters meanwhile."""
    entered, leave, order = threading.Event(), threading.Event(), []

    def inside() -> None:
        with whole(), whole():
            entered.set()
            leave.wait(10)
            order.append("left")

    thread = threading.Thread(target=inside)
    thread.start()
    entered.wait()
    threading.Timer(0.2, leave.set).start()
    with whole():  # the thread that forks may be inside
        whole.close()
        order.append("closed")
        whole.open()
    thread.join()
    assert order == ["left", "closed"]


def test_modules_are_imported_where_a_fork_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []
    found = importlib.import_module
    monkeypatch.setattr(importlib, "import_module", lambda *name: (seen.append(whole.is_inside()), found(*name))[1])
    making("compile")
    fl.jit(lambda x: fnp.sort(fnp.exp(x)) * 0.40625)(fnp.ones(30))
    assert len(seen) > 2
    assert all(seen)
    assert not whole.is_inside()


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_pools_of_processes(method: str, tmp_path) -> None:
    if method == "fork" and not hasattr(os, "fork"):
        pytest.skip("no fork")
    path = tmp_path / "pool.py"
    path.write_text(POOL)
    assert run(str(path), method) == "2.718 2.718 2.718 2.718"


def test_first_calls_by_several_threads() -> None:
    jitted = fl.jit(lambda x: fl.lax.fori_loop(0, 3, lambda i, y: fnp.tanh(y) @ y, x))
    x = fnp.ones((20, 20)) * 0.1
    found, start = [], threading.Barrier(4)

    def call() -> None:
        start.wait()
        for _ in range(3):
            found.append(np.asarray(jitted(x)))

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 12
    assert all(np.array_equal(a, found[0]) for a in found)
