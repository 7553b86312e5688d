"""Compiled speed, row by row, beside JAX, PyTorch and torch.compile.

    python benchmarks/compiled.py [--cores 1] [--rivals jax torch compile autograd] [--rows softmax LSTM ...] [--seconds 1.0]
    python benchmarks/compiled.py --first       the first calls instead, each in a fresh process
    python benchmarks/compiled.py --limits      what memory and arithmetic of this machine allow

Steady state: medians; each library has a process of its own, kept to so many processors, and they take turns; results are waited
for, and must agree before anything is timed. First call: `jit`, tracing, compiling and running, with an empty cache on
disk, loading LLVM included, and with a full one; "in all": with what was before, the import of the library and of NumPy, and
the making of the arrays. Output is a Markdown table; `--json FILE` keeps the figures.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import limits

UNROLLED = ("HMC", "gradient through", "Kalman")
"""Rows that torch.compile would unroll for minutes: it is not asked."""
AGREE = 2e-3
"""Results may differ by this, relative to the largest number."""
TOUCHY = ("cumsum, sort, argsort", "Mandelbrot")
"""Rows in which one rounding may change a number altogether (an order of equals, a count of steps): it may in one of fifty."""
TURN = 5e-2
"""Seconds of a turn at the least: a thread that sleeps takes a while to wake up."""
PAUSE = 1e-2
"""Seconds before a library's turn: threads of the one before look for work for a while, and would take a processor."""


RIVALS = {"jax": "JAX", "torch": "PyTorch", "compile": "torch.compile", "autograd": "autograd"}
"""What they are called in commands, and in tables."""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--rivals", nargs="*", default=["jax", "torch"], choices=list(RIVALS))
    parser.add_argument("--rows", nargs="*", default=[])
    parser.add_argument("--seconds", type=float, default=1.0, help="for each row and library")
    parser.add_argument("--json", help="a file for the figures")
    parser.add_argument("--first", action="store_true")
    parser.add_argument("--limits", action="store_true")
    parser.add_argument("--serve", nargs=3, metavar=("LIBRARY", "ROW", "FILE"), help=argparse.SUPPRESS)
    parser.add_argument("--one-first", nargs=2, metavar=("LIBRARY", "ROW"), help=argparse.SUPPRESS)
    return parser.parse_args()


def limit_cores(n: int) -> None:
    """Before any of the libraries is imported."""
    os.environ.setdefault("FUNCTORCH_LITE_DRAFTS", "off")  # the steady state is that of the final code
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:n]))
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "FUNCTORCH_LITE_THREADS"):
        os.environ[name] = str(n)
    os.environ.setdefault("FUNCTORCH_LITE_CACHE", "off")
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


def program_of(library: Any, name: str) -> tuple[Callable[..., Any], Any]:
    """A row's function and arguments, for a library with JAX's interface."""
    from programs import ROWS

    function, args = ROWS[name](library)
    return function, library.tree.map(library.numpy.asarray, args)


def jitted(library: Any, name: str) -> Callable[[], Any]:
    """The same compiled, as a function of no arguments."""
    function, args = program_of(library, name)
    compiled = library.jit(function)
    return lambda: compiled(*args)


def of_torch(name: str, compiled: bool) -> Callable[[], Any] | None:
    """A row, for PyTorch; None if it has none."""
    import torch
    from programs import ROWS
    from programs_torch import TORCH

    import functorch_lite as fl

    if name not in TORCH or (compiled and name.startswith(UNROLLED)):
        return None
    args = fl.tree.map(torch.as_tensor, ROWS[name](fl)[1])
    function = torch.compile(TORCH[name]) if compiled else TORCH[name]
    return lambda: function(*args)


def of_autograd(name: str) -> Callable[[], Any] | None:
    """A row, for autograd; None if it lacks what the row needs."""
    from interface_autograd import LACKING, interface
    from programs import ROWS

    try:
        function, args = ROWS[name](interface)
        function(*args)
    except LACKING:
        return None
    return lambda: function(*args)


RUNS: dict[str, Callable[[str], Callable[[], Any] | None]] = {
    "ours": lambda name: jitted(importlib.import_module("functorch_lite"), name),
    "JAX": lambda name: jitted(importlib.import_module("jax"), name),
    "PyTorch": lambda name: of_torch(name, False),
    "torch.compile": lambda name: of_torch(name, True),
    "autograd": of_autograd,
}
"""Library -> what makes a row's function of no arguments; None if the library has no such row."""


def serve(library: str, name: str, path: str) -> None:
    """In a process of its own: leave the row's result in a file; then run as often as told, and say how long that took."""
    run = RUNS[library](name)
    if run is None:
        return
    out = run()
    wait(out)
    import numpy as np  # late: the number of threads is settled before anything loads BLAS

    import functorch_lite as fl

    with open(path, "wb") as file:
        pickle.dump([np.asarray(x, np.float64) for x in fl.tree.leaves(out)], file)
    print("ready", flush=True)
    for line in sys.stdin:
        start = time.perf_counter()
        for _ in range(int(line)):
            out = run()
        wait(out)
        print(time.perf_counter() - start, flush=True)


class Served:
    """A row of a library in its own process: threads of one library do not disturb another one."""

    def __init__(self, library: str, name: str, cores: int, folder: str):
        self.path = os.path.join(folder, library)
        command = [sys.executable, __file__, "--cores", str(cores), "--serve", library, name, self.path]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def result(self) -> list[Any] | None:
        """The first result, once it is there; None if there is none."""
        if self.answer() != "ready":
            return None
        with open(self.path, "rb") as file:
            return pickle.load(file)

    def seconds(self, n: int) -> float:
        """How long each of n runs takes."""
        assert self.process.stdin is not None
        time.sleep(PAUSE)
        print(n, file=self.process.stdin, flush=True)
        return float(self.answer()) / n

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def agree(name: str, a: Any, b: Any) -> bool:
    """Whether two results of a row are the same but for rounding."""
    import numpy as np

    for x, y in zip(a, b, strict=True):
        off = np.abs(x - y.reshape(x.shape)) > AGREE * (np.max(np.abs(x), initial=0) + 1e-30)
        if np.mean(off) > (0.02 if name.startswith(TOUCHY) else 0):
            return False
    return True


@contextmanager
def serving(name: str, libraries: list[str], cores: int) -> Iterator[dict[str, Served]]:
    """The libraries that have a row, each in its process; their results agree."""
    with tempfile.TemporaryDirectory() as folder:
        served = {label: Served(label, name, cores, folder) for label in libraries}
        try:
            results = {label: s.result() for label, s in served.items()}
            for label, out in results.items():
                if out is not None and not agree(name, results["ours"], out):
                    raise AssertionError(f"{name}: {label} has another result")
            yield {label: s for label, s in served.items() if results[label] is not None}
        finally:
            for s in served.values():
                s.close()


def steady(name: str, libraries: list[str], seconds: float, cores: int) -> dict[str, float]:
    """Median seconds of a call, by library; they take turns."""
    with serving(name, libraries, cores) as served:
        times = {label: [s.seconds(1)] for label, s in served.items()}
        end = time.perf_counter() + seconds * len(times)
        while time.perf_counter() < end or len(times["ours"]) < 6:
            for label, found in times.items():
                if label == "ours" or found[-1] < seconds or len(found) < 3:
                    found.append(served[label].seconds(max(1, int(TURN / found[-1]))))
        return {label: statistics.median(found[1:]) for label, found in times.items()}


def first(name: str, cores: int, jax: bool) -> dict[str, float]:
    """Seconds of the first call in a fresh process, with an empty cache and with a full one, and JAX's; alone, and in all."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "FUNCTORCH_LITE_CACHE": cache, "FUNCTORCH_LITE_DRAFTS": "on"}

        def measured(library: str, label: str) -> dict[str, float]:
            command = [sys.executable, __file__, "--cores", str(cores), "--one-first", library, name]
            done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
            alone, in_all = map(float, done.stdout.split())
            return {label: alone, f"{label}, in all": in_all}

        out = {**measured("functorch_lite", "ours"), **measured("functorch_lite", "ours, cached")}
        return {**out, **measured("jax", "JAX")} if jax else out


def one_first(library: str, name: str) -> None:
    """In the fresh process: print how long the first call takes, and that with all that was before."""
    start = time.perf_counter()
    module = importlib.import_module(library)
    importlib.import_module(f"{library}.numpy")
    function, args = program_of(module, name)
    called = time.perf_counter()
    wait(module.jit(function)(*args))
    done = time.perf_counter()
    print(done - called, done - start)


def table(rows: dict[str, dict[str, float]], unit: str = "ms") -> str:
    """Markdown: milliseconds by library, and our time over the fastest rival's."""
    labels = list(dict.fromkeys(label for row in rows.values() for label in row))
    rivals = [label for label in labels if not label.startswith("ours") and "," not in label]
    head = ["row", *(f"{label}, {unit}" for label in labels), *(["ours / fastest"] if rivals else [])]
    lines = [head, ["---"] * len(head)]
    for name, row in rows.items():
        cells = [f"{row[label] * 1e3:.4g}" if label in row else "" for label in labels]
        if rivals:
            others = [row[label] for label in rivals if label in row]
            cells.append(f"{row['ours'] / min(others):.2f}" if others else "")
        lines.append([name, *cells])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def geometric_mean(values: list[float]) -> float:
    return statistics.geometric_mean(values) if values else float("nan")


def main() -> None:
    options = arguments()
    limit_cores(options.cores)
    if options.serve:
        serve(*options.serve)
        return
    if options.one_first:
        one_first(*options.one_first)
        return
    from programs import ROWS

    chosen = [n for n in ROWS if not options.rows or any(part.lower() in n.lower() for part in options.rows)]
    if options.limits:
        limits.report(chosen, options.cores, lambda name: serving(name, ["ours"], options.cores))
        return
    libraries = ["ours", *(RIVALS[rival] for rival in options.rivals)]
    rows: dict[str, dict[str, float]] = {}
    for name in chosen:
        try:
            if options.first:
                rows[name] = first(name, options.cores, "jax" in options.rivals)
            else:
                rows[name] = steady(name, libraries, options.seconds, options.cores)
        except Exception as error:  # a row that does not run must not hide the others
            print(f"{name}: {type(error).__name__}: {str(error).splitlines()[0][:200]}", file=sys.stderr)
            continue
        print(name, {k: f"{v * 1e3:.4g}" for k, v in rows[name].items()}, file=sys.stderr, flush=True)
    print(f"{options.cores} core(s), {'first calls' if options.first else 'medians'}\n\n{table(rows)}\n")
    for label in ("JAX", "JAX, in all", "PyTorch", "torch.compile", "autograd"):
        ours = "ours, in all" if label.endswith("in all") else "ours"
        ratios = [row[label] / row[ours] for row in rows.values() if label in row]
        if ratios:
            print(f"{label}: {geometric_mean(ratios):.2f} times our time in the geometric mean of {len(ratios)} rows")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"cores": options.cores, "first": options.first, "rows": rows}, file, indent=1)


if __name__ == "__main__":
    main()
