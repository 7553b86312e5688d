"""Memory over ten thousand gradients, vmaps, jits of fresh functions and of as many programs: it should be flat.

python benchmarks/leaks.py [--calls 10000]
"""

from __future__ import annotations

import argparse
import gc
import os
from collections.abc import Callable
from typing import Any

os.environ.setdefault("FUNCTORCH_LITE_CACHE", "off")

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite.tracing import Tracer

X = fnp.linspace(0.0, 1.0, 32)


def gradient(i: int) -> Any:
    return fl.grad(lambda x: fnp.sum(fnp.sin(x) * (x + i)))(X)


def fresh_jit(i: int) -> Any:
    return fl.jit(lambda x: fnp.sum(fnp.tanh(x * (i % 7 + 1.0))))(X)


def distinct_jit(i: int) -> Any:
    return fl.jit(lambda x: fnp.sum(fnp.tanh(x * (i + 1.5))) if i % 3 else (x * (i + 1.5), x[::-1] + i))(X)


def vectorised(i: int) -> Any:
    return fl.vmap(lambda x: fnp.where(x > 0.5, x * i, x))(X)


def resident() -> float:
    """Megabytes of this process in memory."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def measure(name: str, run: Callable[[int], Any], calls: int) -> None:
    """Print the memory at a tenth of the calls, half way, and at the end."""
    marks = {calls // 10: 0.0, calls // 2: 0.0, calls: 0.0}
    for i in range(1, calls + 1):
        run(i)
        if i in marks:
            gc.collect()
            marks[i] = resident()
    tracers = sum(isinstance(x, Tracer) for x in gc.get_objects())
    text = ", ".join(f"{at:,} calls {mb:.1f} MB" for at, mb in marks.items())
    first, *_, last = marks.values()
    print(
        f"{name:25} {text}; {(last - first) * 1e6 / (0.9 * calls):.0f} bytes a call; {tracers} tracers alive",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=10_000)
    calls = parser.parse_args().calls
    measure("grad", gradient, calls)
    measure("vmap", vectorised, calls)
    measure("jit", fresh_jit, calls)
    measure("jit, each another program", distinct_jit, calls)


if __name__ == "__main__":
    main()
