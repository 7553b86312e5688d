"""JAX, or a skip with a reason; and how many of the calls are compared."""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from typing import Any

import pytest

from . import harness as harness  # sets the flags of XLA before JAX reads them

SAMPLE = 8
"""One test of so many runs, always the same ones: JAX compiles every call, all of them take some minutes."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep a sample, unless `ORACLE=all` is in the environment, or tests are chosen by name."""
    if os.environ.get("ORACLE") == "all" or config.option.keyword or any("::" in arg for arg in config.args):
        return
    here = Path(__file__).parent
    left_out = [i for i in items if here in i.path.parents and zlib.crc32(i.nodeid.encode()) % SAMPLE]
    config.hook.pytest_deselected(items=left_out)
    gone = set(left_out)
    items[:] = [i for i in items if i not in gone]


@pytest.fixture(scope="session")
def jax() -> Any:
    """The oracle."""
    return pytest.importorskip("jax", reason="JAX is the oracle of these tests: pip install jax")
