"""Compiled speed, row by row, beside JAX: medians of interleaved runs, and the time of the first call.

    python benchmarks/compiled.py [--cores 1] [--rows softmax LSTM ...] [--seconds 1.0]

Results are waited for. Each library runs in this process, on as many cores; the first call includes tracing and compiling (our
cache on disk is turned off for it).
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from typing import Any


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--rows", nargs="*", default=[])
    parser.add_argument("--seconds", type=float, default=1.0, help="for each row and library")
    parser.add_argument("--no-jax", action="store_true")
    return parser.parse_args()


def limit_cores(n: int) -> None:
    """Before any of the libraries is imported."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:n]))
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "FUNCTORCH_LITE_THREADS"):
        os.environ[name] = str(n)
    os.environ["FUNCTORCH_LITE_CACHE"] = "off"
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    if n == 1:
        os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"


def wait(out: Any) -> None:
    """Until results that are computed in the background are there."""
    for x in out if isinstance(out, (tuple, list)) else out.values() if isinstance(out, dict) else [out]:
        if isinstance(x, (tuple, list, dict)):
            wait(x)
        elif hasattr(x, "block_until_ready"):
            x.block_until_ready()


def one_time(run: Callable[[], Any]) -> float:
    start = time.perf_counter()
    wait(run())
    return time.perf_counter() - start


def prepared(library: Any, make: Any) -> tuple[Callable[[], Any], float]:
    """The jitted row, called once, and how long that took in seconds."""
    function, args = make(library)
    args = library.tree.map(library.numpy.asarray, args)
    jitted = library.jit(function)
    return lambda: jitted(*args), one_time(lambda: jitted(*args))


def same(a: Any, b: Any, trees: tuple[Any, Any]) -> float:
    """The largest difference of two results, relative to the largest number."""
    import numpy as np  # late: the number of threads is settled before anything loads BLAS

    worst = 0.0
    for x, y in zip(trees[0].leaves(a), trees[1].leaves(b), strict=True):
        x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
        worst = max(worst, float(np.max(np.abs(x - y), initial=0) / (np.max(np.abs(y), initial=0) + 1e-30)))
    return worst


def main() -> None:
    options = arguments()
    limit_cores(options.cores)
    from programs import ROWS

    import functorch_lite

    libraries = {"ours": functorch_lite}
    if not options.no_jax:
        import jax

        jax.numpy  # noqa: B018  (so that it is imported)
        libraries["JAX"] = jax
    print(f"{options.cores} core(s); medians in ms\n")
    print(f"{'row':62}" + "".join(f"{n:>10}{'first':>8}" for n in libraries) + f"{'ratio':>8}{'differ':>9}")
    for name, make in ROWS.items():
        if options.rows and not any(part.lower() in name.lower() for part in options.rows):
            continue
        runs, firsts, failed = {}, {}, ""
        for label, library in libraries.items():
            try:
                runs[label], firsts[label] = prepared(library, make)
            except Exception as error:  # a row that does not run must not hide the others
                failed = f"  {label}: {type(error).__name__}: {str(error).splitlines()[0][:60]}"
        if failed or not runs:
            print(f"{name:62}{failed}")
            continue
        times: dict[str, list[float]] = {label: [] for label in runs}
        end = time.perf_counter() + options.seconds * len(runs)
        while time.perf_counter() < end or len(times["ours"]) < 5:
            for label, run in runs.items():
                n = max(1, int(1e-3 / (times[label][-1] + 1e-9))) if times[label] else 1
                start = time.perf_counter()
                for _ in range(n):
                    out = run()
                wait(out)
                times[label].append((time.perf_counter() - start) / n)
        medians = {label: statistics.median(t) * 1e3 for label, t in times.items()}
        text = "".join(f"{medians[n]:10.4g}{firsts[n] * 1e3:8.0f}" for n in libraries)
        if "JAX" in medians:
            off = same(runs["ours"](), runs["JAX"](), (functorch_lite.tree, libraries["JAX"].tree))
            text += f"{medians['JAX'] / medians['ours']:8.2f}{off:9.1e}"
        print(f"{name:62}{text}", flush=True)


if __name__ == "__main__":
    main()
