"""The conformance kit: does a backend compute what the op table says, under every transformation?

`python -m functorch_lite.testing BACKEND` prints a table, a line per primitive and a column per check, and ends with a
non-zero status if something failed. An author of a backend needs no more to know what is missing.
"""

from __future__ import annotations

import argparse
import traceback
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from ..backend import get
from ..dtypes import as_dtype, short_name
from .table import CHECKS, Unsupported, find_rows, run_check

__all__ = ["Failure", "Report", "conformance", "main"]


class Failure(NamedTuple):
    """A check that failed: where, and why."""

    row: str
    dtype: str
    check: str
    error: BaseException

    def __str__(self) -> str:
        reason = " ".join(str(self.error).split()) or type(self.error).__name__
        return f"{self.row}, {self.check}: {type(self.error).__name__}: {reason[:300]}"


class Report:
    """What a run of the kit found. Its text is the table.

    Args:
      backend: the backend's name.
    """

    def __init__(self, backend: str):
        self.backend = backend
        self.passed: dict[tuple[str, str], set[str]] = defaultdict(set)
        self.failed: dict[tuple[str, str], set[str]] = defaultdict(set)
        self.failures: list[Failure] = []
        self.primitives: dict[str, None] = {}

    @property
    def ok(self) -> bool:
        """Whether something was checked, and nothing failed."""
        return bool(self.passed) and not self.failures

    def cell(self, primitive: str, check: str) -> str:
        """`14` dtypes passed; `FAIL f16 bf16` these failed; `-` where the check does not apply."""
        bad = self.failed[primitive, check]
        good = self.passed[primitive, check] - bad
        if bad:
            names = [short_name(as_dtype(d)) for d in sorted(bad)]
            return f"FAIL {' '.join(names)}" if good else "FAIL all"
        return str(len(good)) if good else "-"

    def __str__(self) -> str:
        header = ["primitive", *CHECKS]
        lines = [header] + [[p, *(self.cell(p, c) for c in CHECKS)] for p in sorted(self.primitives)]
        widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
        table = ["  ".join(text.ljust(w) for text, w in zip(line, widths, strict=True)).rstrip() for line in lines]
        alike: dict[tuple[str, str], list[Failure]] = defaultdict(list)
        for failure in self.failures:
            alike[failure.row, failure.check].append(failure)
        failures = [f"{same[0]} ({', '.join(f.dtype for f in same)})" for same in alike.values()]
        verdict = "everything passed" if self.ok else f"{len(self.failures)} checks failed"
        count = "numbers count the dtypes that passed; - does not apply"
        return "\n".join([*table, "", *failures, f"backend {self.backend}: {verdict} ({count})."])


def conformance(
    backend_name: str,
    *,
    rows: Sequence[Any] | None = None,
    primitives: Sequence[str] = (),
    checks: Sequence[str] = tuple(CHECKS),
) -> Report:
    """Run the op table on an installed backend.

    Args:
      backend_name: as in `use_backend`.
      rows: of the table; by default the library's own.
      primitives: names of primitives to restrict the run to.
      checks: of `value`, `jit`, `vmap`, `derivative`, `transpose`.

    Returns:
      a report: `report.ok`, `report.failures`, and the table as `str(report)`.

    >>> conformance("numpy", primitives=["reshape"], checks=["value"]).ok
    True
    """
    backend = get(backend_name)
    report = Report(backend_name)
    for row in find_rows() if rows is None else rows:
        if primitives and row.primitive not in primitives:
            continue
        report.primitives[row.primitive] = None
        for dtype in row.dtypes:
            for check in checks:
                try:
                    run_check(check, row, dtype, backend)
                except Unsupported:
                    continue
                except Exception as error:
                    report.failed[row.primitive, check].add(dtype)
                    report.failures.append(Failure(row.name, dtype, check, error))
                else:
                    report.passed[row.primitive, check].add(dtype)
    return report


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m functorch_lite.testing", description="Run the op table on an installed backend."
    )
    parser.add_argument("backend", help="name of the backend, as its entry point gives it")
    parser.add_argument("--primitive", action="append", default=[], help="only this primitive (may be repeated)")
    parser.add_argument("--check", action="append", choices=list(CHECKS), help="only this check (may be repeated)")
    parser.add_argument("--table", help="the package with the rows, if not the library's own")
    parser.add_argument("--traceback", action="store_true", help="print where the first failure happened")
    given = parser.parse_args(arguments)
    report = conformance(
        given.backend,
        rows=None if given.table is None else find_rows(given.table),
        primitives=given.primitive,
        checks=given.check or tuple(CHECKS),
    )
    print(report)
    if given.traceback and report.failures:
        traceback.print_exception(report.failures[0].error)
    return 0 if report.ok else 1
