"""Peak memory of the compiled programs, row by row, beside JAX.

    python benchmarks/memory.py [--rows softmax LSTM ...] [--cores 2]

The most memory that a call needs beyond what the process had before it: results and what lies in between, arguments
excluded. Each row of a library runs in a fresh process, on Linux, which forgets its highest mark by way of
/proc/self/clear_refs. Later calls: the third one, with what the library keeps between calls given back before. The first call:
compiling included. Output is a Markdown table of megabytes.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import subprocess
import sys

from compiled import jitted, limit_cores, wait

DIRECT = {"MALLOC_MMAP_THRESHOLD_": "65536"}
"""Has malloc give freed buffers back at once, for all libraries; else they would serve the next call uncounted."""


def resident(field: str) -> float:
    """Megabytes in memory now (VmRSS), or at the most since the mark was reset (VmHWM)."""
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(field)) / 1e3


def give_back(library: str) -> None:
    """Free what the library keeps for the next call."""
    if library == "functorch_lite":
        for name in ("arena", "recycling"):
            importlib.import_module(f"functorch_lite_numpy.compiler.{name}").forget()
    gc.collect()


def peak(library: str, name: str) -> tuple[float, float]:
    """Megabytes over those before: of a later call, and of the first."""
    module = importlib.import_module(library)
    importlib.import_module(f"{library}.numpy")
    run = jitted(module, name)
    marks = []
    for _ in range(3):
        give_back(library)
        before = resident("VmRSS")
        with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
            file.write("5")
        out = run()
        wait(out)
        marks.append(resident("VmHWM") - before)
        del out
    return marks[2], marks[0]


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

    print("| row | later call, ours | JAX | ours / JAX | first call, ours | JAX |\n|---|---|---|---|---|---|")
    for name in ROWS:
        if options.rows and not any(part.lower() in name.lower() for part in options.rows):
            continue
        found = []
        for library in ("functorch_lite", "jax"):
            command = [sys.executable, __file__, "--cores", str(options.cores), "--one", library, name]
            done = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **DIRECT})
            found.append(tuple(map(float, done.stdout.split())))
        (ours, our_first), (theirs, their_first) = found
        ratio = f"{ours / theirs:.2f}" if theirs >= 0.1 else ""
        print(f"| {name} | {ours:.1f} | {theirs:.1f} | {ratio} | {our_first:.0f} | {their_first:.0f} |", flush=True)


if __name__ == "__main__":
    main()
