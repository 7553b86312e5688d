"""JAX, or a skip with a reason."""

from __future__ import annotations

from typing import Any

import pytest

from . import harness as harness  # sets the flags of XLA before JAX reads them


@pytest.fixture(scope="session")
def jax() -> Any:
    """The oracle."""
    return pytest.importorskip("jax", reason="JAX is the oracle of these tests: pip install jax")
