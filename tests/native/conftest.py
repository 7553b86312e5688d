"""Fixtures of the tests of machine code."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture
def fresh_code() -> Iterator[None]:
    """No code of other tests is found in memory, nor this test's by others: it changes how code is made."""
    cache = pytest.importorskip("functorch_lite_numpy.compiler.cache")
    cache.forget()
    yield
    cache.forget()
