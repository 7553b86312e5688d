"""Timing of alternatives side by side: interleaved rounds, medians, ratios of medians; results are blocked on."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from typing import Any

__all__ = ["compare", "table"]


WARM_UP = 0.2
"""Seconds: what compiles is compiled, also what is in the background; caches are full."""


def _once(run: Callable[[], Any], repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        run()
    return (time.perf_counter() - start) / repeats


def compare(alternatives: dict[str, Callable[[], Any]], seconds: float = 1.0, rounds: int = 15) -> dict[str, float]:
    """Median seconds of one call of each alternative.

    Each round times every alternative once, one after the other, so that a change of the machine's speed meets all.

    Args:
      alternatives: name -> a function that blocks until its result is computed.
      seconds: time to spend on each.
      rounds: how many.
    """
    repeats = {}
    for name, run in alternatives.items():
        end = time.perf_counter() + WARM_UP
        run()
        while time.perf_counter() < end:
            run()
        once = max(min(_once(run, 3) for _ in range(5)), 1e-8)  # an interruption would leave one call to each round
        repeats[name] = max(1, int(seconds / rounds / once))
    gc.collect()
    gc.disable()
    try:
        times: dict[str, list[float]] = {name: [] for name in alternatives}
        for _ in range(rounds):
            for name, run in alternatives.items():
                times[name].append(_once(run, repeats[name]))
    finally:
        gc.enable()
    return {name: statistics.median(found) for name, found in times.items()}


def table(rows: dict[str, dict[str, float]], ours: str = "functorch_lite") -> str:
    """Rows of medians in microseconds, with our ratio to the fastest other."""
    names = sorted({name for row in rows.values() for name in row}, key=lambda n: (n != ours, n))
    head = f"{'row':44}" + "".join(f"{n:>16}" for n in names) + f"{'ours / fastest':>16}"
    lines = [head, "-" * len(head)]
    for label, row in rows.items():
        others = [t for n, t in row.items() if n != ours]
        ratio = f"{row[ours] / min(others):.2f}" if others else ""
        cells = "".join(f"{row[n] * 1e6:14.2f}us" if n in row else f"{'-':>16}" for n in names)
        lines.append(f"{label:44}{cells}{ratio:>16}")
    return "\n".join(lines)
