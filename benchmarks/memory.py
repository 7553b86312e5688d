"""Peak memory of the compiled programs, row by row, beside JAX.

    python benchmarks/memory.py [--rows softmax LSTM ...] [--cores 2]

The most memory that a call needs beyond what the process had before it: results and what lies in between, arguments
excluded. Each row of a library runs in a fresh process, on Linux, which forgets its highest mark by way of
/proc/self/clear_refs. Later calls: the third one, with what the library and the C library keep between calls given back before. The
first call: compiling included, with an empty cache on disk, in a process that has compiled `x + 1`: JAX has its compiler in memory
once it is imported, ours comes with the first compilation. The process: all that it has at most, until the first call is
over, libraries and arguments included. Output is a Markdown table of megabytes. The system counts pages only roughly, for
speed: 0.2 MB more or less mean nothing.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import importlib
import os
import subprocess
import sys
import tempfile

from compiled import jitted, limit_cores, wait

DIRECT = {"MALLOC_MMAP_THRESHOLD_": "65536"}
"""Has malloc give freed buffers back at once, for all libraries; else they would serve the next call uncounted."""


def resident(field: str) -> float:
    """Megabytes in memory now (VmRSS), or at the most since the mark was reset (VmHWM)."""
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(field)) / 1e3


def give_back(library: str) -> None:
    """Free what the library and the C library keep for the next call."""
    if library == "functorch_lite":
        for name in ("arena", "recycling"):
            importlib.import_module(f"functorch_lite_numpy.compiler.{name}").forget()
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)


def peak(library: str, name: str) -> tuple[float, float, float]:
    """Megabytes over those before: of a later call, and of the first; and those of the process until then."""
    module = importlib.import_module(library)
    numpy = importlib.import_module(f"{library}.numpy")
    wait(module.jit(lambda x: x + 1)(numpy.zeros(10)))
    run = jitted(module, name)
    marks = [resident("VmHWM")]
    for _ in range(3):
        give_back(library)
        before = resident("VmRSS")
        with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
            file.write("5")
        out = run()
        wait(out)
        marks += [resident("VmHWM") - before, resident("VmHWM")]
        del out
    start, first, process, *_, later, _ = marks
    return later, first, max(start, process)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--rows", nargs="*", default=[])
    parser.add_argument("--one", nargs=2, metavar=("LIBRARY", "ROW"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    limit_cores(options.cores)
    if options.one:
        print(*peak(*options.one))
        return
    from programs import ROWS

    print("| row | later call, ours | JAX | ours / JAX | first call, ours | JAX | process, ours | JAX |")
    print("|---|---|---|---|---|---|---|---|")
    for name in ROWS:
        if options.rows and not any(part.lower() in name.lower() for part in options.rows):
            continue
        found = []
        for library in ("functorch_lite", "jax"):
            command = [sys.executable, __file__, "--cores", str(options.cores), "--one", library, name]
            with tempfile.TemporaryDirectory() as cache:
                environment = {**os.environ, **DIRECT, "FUNCTORCH_LITE_CACHE": cache}
                done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
            found.append(tuple(map(float, done.stdout.split())))
        (ours, *our_others), (theirs, *their_others) = found
        ratio = f"{ours / theirs:.2f}" if theirs >= 1 else ""
        others = [f"{x:.0f}" for pair in zip(our_others, their_others, strict=True) for x in pair]
        print(f"| {name} | {ours:.1f} | {theirs:.1f} | {ratio} | {' | '.join(others)} |", flush=True)


if __name__ == "__main__":
    main()
