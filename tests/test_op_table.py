"""Every row of the op table, with all its dtypes, through all checks, on every backend; no primitive lacks one."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from typing import Any

import pytest

import functorch_lite.primitives
from functorch_lite.primitive import Primitive, registry
from functorch_lite.primitives.grid import gaps
from functorch_lite.testing import CHECKS, Unsupported, applies, find_rows, run_check

ROWS = find_rows("tests.op_table")
for _module in pkgutil.iter_modules(functorch_lite.primitives.__path__, "functorch_lite.primitives."):
    if not _module.name.endswith("__main__"):
        importlib.import_module(_module.name)
MODULES = [m for name, m in sys.modules.items() if name.startswith("functorch_lite.")]
PRIMITIVES = {p.name: p for m in MODULES for p in vars(m).values() if isinstance(p, Primitive)}
"""Those of the library; the registry may hold more, made by other tests."""


def carries_programs(primitive: Primitive) -> bool:
    """Whether its params hold programs or functions of the user."""
    return bool(primitive.subprograms) or primitive.stage is not None or primitive.evaluate is not None


@pytest.mark.parametrize("row, dtype", [pytest.param(r, d, id=f"{r.name}-{d}") for r in ROWS for d in r.dtypes])
def test_row(row: Any, dtype: str, any_backend: Any) -> None:
    reasons: list[str] = []
    errors: list[Exception] = []
    checks = [name for name in CHECKS if applies(name, row, dtype)]
    for name in checks:
        try:
            run_check(name, row, dtype, any_backend)
        except Unsupported as reason:
            reasons.append(str(reason))
        except Exception as error:
            error.add_note(f"in the check {name!r} of {row.name!r} with {dtype} on {any_backend.name}")
            errors.append(error)
    if errors:
        raise errors[0] if len(errors) == 1 else ExceptionGroup(f"{len(errors)} checks failed", errors)
    if len(reasons) == len(checks):
        pytest.skip(reasons[0])


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
