"""Every row of the op table, with all its dtypes, through all checks, on every backend; and that no primitive lacks one."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import pytest

import functorch_lite.primitives
from functorch_lite.primitives.grid import gaps
from functorch_lite.primitive import registry
from functorch_lite.testing import CHECKS, Unsupported, find_rows, run_check

ROWS = find_rows("tests.op_table")
for _module in pkgutil.iter_modules(functorch_lite.primitives.__path__):
    if not _module.name.startswith("__"):
        importlib.import_module(f"functorch_lite.primitives.{_module.name}")

PRIMITIVES = {name: p for name, p in registry.items() if type(p).__module__.startswith("functorch_lite.")}


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("row, dtype", [pytest.param(r, d, id=f"{r.name}-{d}") for r in ROWS for d in r.dtypes])
def test_row(row: Any, dtype: str, check: str, any_backend: Any) -> None:
    try:
        run_check(check, row, dtype, any_backend)
    except Unsupported as reason:
        pytest.skip(str(reason))


def test_the_names_of_rows_are_unique() -> None:
    names = [row.name for row in ROWS]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("name", sorted(name for name, p in PRIMITIVES.items() if not p.subprograms and p.stage is None))
def test_a_primitive_has_a_row(name: str) -> None:
    """Those that carry programs or functions of the user have tests of their own."""
    assert any(row.primitive == name for row in ROWS), f"tests/op_table has no row for {name}"


@pytest.mark.parametrize("name", sorted(PRIMITIVES))
def test_a_primitive_has_every_rule(name: str) -> None:
    assert not gaps(registry[name]), f"{name} lacks {gaps(registry[name])}: give the rule, or say by a marker that there is none"
