"""Rows that say the same in JAX: values, shapes and dtypes agree with it.

Derivatives do not come in here: the op table holds them against finite differences.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from functorch_lite import dtypes
from functorch_lite.arrays import from_host
from functorch_lite.testing import assert_close, find_rows, tolerance

pytestmark = pytest.mark.oracle

FEW = ("int32", "float32", "complex64")


def some(names: Sequence[str]) -> Sequence[str]:
    """One dtype of each kind: JAX compiles each operation anew for each of them."""
    return [name for name in names if name in FEW] or names[:1]


CASES = [(r, d) for r in find_rows("tests.op_table") if r.jax is not None for d in some(r.dtypes)]


@pytest.mark.parametrize("row, dtype", [pytest.param(r, d, id=f"{r.name}-{d}") for r, d in CASES])
def test_row(row: Any, dtype: str, jax: Any) -> None:
    rng = np.random.default_rng(zlib.crc32(row.name.encode()))
    hosts = [np.asarray(x) for x in row.operands(rng, dtypes.as_dtype(dtype))]
    arrays = [from_host(x) for x in hosts]
    with jax.enable_x64(True):
        theirs = row.jax(jax, jax.numpy, jax.lax)
        inputs = [jax.numpy.asarray(x) for x in hosts]
        compare(row, row.call(*arrays), theirs(*inputs))


def flat(x: Any) -> list[Any]:
    return list(x) if isinstance(x, (list, tuple)) else [x]


def compare(row: Any, ours: Any, theirs: Any) -> None:
    for i, (a, b) in enumerate(zip(flat(ours), flat(theirs), strict=True)):
        assert (a.shape, a.dtype) == (b.shape, b.dtype), f"result {i}: we give {a.type}, JAX {b.dtype}{list(b.shape)}"
        bound = 4 * row.tolerance * tolerance(a.dtype)
        assert_close(a, np.asarray(b), atol=bound, rtol=bound, what=f"result {i}")
