"""Machine code goes with its function: memory stays flat, as the system counts it. `benchmarks/leaks.py` counts longer."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytest.importorskip("llvmlite", reason="the compiler needs llvmlite")

SOURCE = """
import gc, os
import functorch_lite as fl, functorch_lite.numpy as fnp
from functorch_lite_numpy.compiler import cache

cache.IN_MEMORY = 1 << 17  # what is kept on purpose

def resident():
    gc.collect()
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

def compile_and_drop(n, start):
    for i in range(start, start + n):
        f = fl.jit(lambda x: fnp.sum(fnp.tanh(x * (i + 1.5))) if i % 3 else (x * (i + 1.5), x[::-1] + i))
        for _ in range(3):  # the fast path of calls, too
            f(x)

x = fnp.ones(7)
compile_and_drop(60, 0)
grown = []
for start in range(60, 660, 150):
    before = resident()
    compile_and_drop(150, start)
    grown.append(resident() - before)
print(*grown)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's count of pages")
def test_machine_code_is_given_back() -> None:
    environment = {**os.environ, "FUNCTORCH_LITE_CACHE": "off"}
    done = subprocess.run([sys.executable, "-c", SOURCE], capture_output=True, text=True, env=environment, check=True)
    grown = [int(size) for size in done.stdout.split()]
    assert min(grown) < 150 * 512, grown  # a leak shows in every round; the heap grows by large steps, in some
