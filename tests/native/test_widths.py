"""Machine code for registers of other widths than this processor's: LLVM makes what it lacks of what it has."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("llvmlite", reason="the compiler needs llvmlite")

from functorch_lite.backend import get
from functorch_lite.testing import Unsupported, applies, find_rows, run_check
from functorch_lite_numpy.compiler import processor

WIDTHS = {16: ("complex128", "float64", "int8"), 64: ("float32",)}
"""Bytes of a register -> dtypes: those of which few or many lie in a narrow one."""


@pytest.mark.parametrize("part", range(8))
@pytest.mark.parametrize("width", WIDTHS)
def test_rows(width: int, part: int, monkeypatch: pytest.MonkeyPatch, fresh_code: None) -> None:
    """The op table, compiled against eager."""
    monkeypatch.setattr(processor, "vector_bytes", lambda: width)
    for row in find_rows("tests.op_table")[part::8]:
        for dtype in WIDTHS[width]:
            if dtype in row.dtypes and applies("jit", row, dtype):
                _check(row, dtype, width)


def _check(row: Any, dtype: str, width: int) -> None:
    try:
        run_check("jit", row, dtype, get("numpy"))
    except Unsupported:
        pass
    except Exception as error:
        error.add_note(f"{row.name!r} with {dtype} for registers of {width} bytes")
        raise
