"""What of an op table `jit` does by NumPy calls, not by machine code: found by compiling its rows, not kept by hand.

`python -m tests.native.coverage [TABLE]` prints a line for each primitive with gaps.
"""

from __future__ import annotations

import sys
import zlib
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from functorch_lite import dtypes, make_program, use_backend
from functorch_lite.numpy import asarray
from functorch_lite.passes import optimized
from functorch_lite.primitive import registry
from functorch_lite.testing import Case, find_rows
from functorch_lite_numpy.compiler.compile import is_native, prepared

__all__ = ["gaps", "missing"]


def missing(row: Case, dtype: str) -> set[str]:
    """The primitives of a row that NumPy runs. Arrays without elements are nobody's work."""
    rng = np.random.default_rng(zlib.crc32(row.name.encode()))
    with use_backend("numpy") as backend:
        operands = [asarray(x) for x in row.operands(rng, dtypes.as_dtype(dtype))]
        program = optimized(make_program(row.call)(*operands).program, backend)
    equations = [e for e in prepared(program).equations if not is_native(e)]
    return {e.primitive.name for e in equations if all(a.type.size for a in (*e.operands, *e.results))}


def gaps(rows: Sequence[Case]) -> dict[str, dict[str, set[str]]]:
    """Primitive -> dtype -> what NumPy runs."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for row in rows:
        if registry[row.primitive].effects:
            continue  # calls of Python stay such
        for dtype in row.dtypes:
            names = missing(row, dtype)
            if names:
                found[row.primitive][dtype] |= names
    return found


def report(found: dict[str, dict[str, set[str]]]) -> str:
    """The gaps as a table."""
    lines = []
    for primitive, of in sorted(found.items()):
        alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for dtype, names in of.items():
            alike[tuple(sorted(names))].append(dtypes.short_name(dtypes.as_dtype(dtype)))
        for names, which in alike.items():
            by = "" if names == (primitive,) else f" (by {', '.join(names)})"
            lines.append(f"{primitive:28} {' '.join(which)}{by}")
    return "\n".join(lines)


if __name__ == "__main__":
    print(report(gaps(find_rows(*sys.argv[1:2]))))
