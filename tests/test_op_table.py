"""Every row of the op table, with all its dtypes, through all checks, on every backend; no primitive lacks one."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import pytest

import functorch_lite
from functorch_lite.primitive import Primitive, registry
from functorch_lite.primitives.grid import gaps
from functorch_lite.testing import CHECKS, Unsupported, applies, find_rows, run_check

ROWS = find_rows("tests.op_table")
MODULES = [
    importlib.import_module(m.name)
    for m in pkgutil.walk_packages(functorch_lite.__path__, "functorch_lite.")
    if not m.name.endswith("__main__")
]
PRIMITIVES = {p.name: p for m in MODULES for p in vars(m).values() if isinstance(p, Primitive)}
"""Those of the library; the registry may hold more, made by other tests."""


def carries_programs(primitive: Primitive) -> bool:
    """Whether its params hold programs or functions of the user."""
    return bool(primitive.subprograms) or primitive.stage is not None or primitive.evaluate is not None


CASES = [(row, dtype, check) for row in ROWS for dtype in row.dtypes for check in CHECKS if applies(check, row, dtype)]


@pytest.mark.parametrize("row, dtype, check", [pytest.param(r, d, c, id=f"{r.name}-{d}-{c}") for r, d, c in CASES])
def test_row(row: Any, dtype: str, check: str, any_backend: Any) -> None:
    try:
        run_check(check, row, dtype, any_backend)
    except Unsupported as reason:
        pytest.skip(str(reason))


def test_the_names_of_rows_are_unique() -> None:
    names = [row.name for row in ROWS]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("name", sorted(name for name, p in PRIMITIVES.items() if not carries_programs(p)))
def test_a_primitive_has_a_row(name: str) -> None:
    """Those that carry programs or functions have tests of their own."""
    assert any(row.primitive == name for row in ROWS), f"tests/op_table has no row for {name}"


@pytest.mark.parametrize("name", sorted(PRIMITIVES))
def test_a_primitive_has_every_rule(name: str) -> None:
    assert registry[name] is PRIMITIVES[name]
    missing = gaps(PRIMITIVES[name])
    assert not missing, f"{name} lacks {missing}: give the rule, or say by a marker that there is none"
