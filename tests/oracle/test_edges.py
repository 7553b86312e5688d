"""Elementwise primitives at the edges (infinities, NaN, zeros of both signs, extremes, subnormals), against JAX."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
import pytest

from functorch_lite import dtypes
from functorch_lite.arrays import from_host
from functorch_lite.primitives import elementwise as e
from functorch_lite.primitives.base import Elementwise
from functorch_lite.testing.closeness import wide

pytestmark = pytest.mark.oracle

DTYPES = ("bool", "int8", "uint8", "int32", "uint32", "int64", "float16", "bfloat16", "float32", "float64", "complex64")
RENAMED = {"and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor", "not": "bitwise_not", "real": "real"}
RENAMED["regularized_incomplete_beta"] = "betainc"
MODERATE = {
    "digamma",
    "igamma",
    "igammac",
    "lgamma",
    "polygamma",
    "random_gamma_grad",
    "regularized_incomplete_beta",
    "zeta",
}
"""Compared for moderate positive operands only: at poles and at infinity we follow SciPy, which takes the limits."""
LOOSE = {"erfc": 32.0, "exp2": 512.0} | dict.fromkeys(MODERATE, 512.0)
"""Factors for what JAX computes less exactly: it differs from 50-digit arithmetic by as much, and we do not."""
OTHERWISE = {
    ("atan2", "complex64"),
    ("pow", "complex64"),
    ("clamp", "complex64"),
    ("conj", "float32"),
    ("conj", "float64"),
}
"""Other branches of complex functions at their cuts (as NumPy), or dtypes that only the functions above take."""
OURS_ALONE = {"mul_strong", "div_strong", "trunc", "round", "round_away", "copy", "convert", "select", "integer_pow"}
OURS_ALONE |= {"reduce_precision", "igamma_grad_a"}
PRIMITIVES = {p.name: p for p in vars(e).values() if isinstance(p, Elementwise) and p.name not in OURS_ALONE}


def edges(dtype: np.dtype) -> np.ndarray:
    """Values where something may go wrong."""
    if dtypes.is_bool(dtype):
        return np.array([False, True])
    if dtypes.is_integer(dtype):
        info = np.iinfo(dtype)
        near = [info.min, info.min + 1, info.max, info.max - 1, info.max // 2]
        return np.array([v for v in (*near, *range(-9, 10)) if info.min <= v <= info.max]).astype(dtype)
    if dtypes.is_complex(dtype):
        parts = [-2.5, -1.0, -0.3, 0.0, 0.7, 1.0, 3.0]
        return np.array([complex(a, b) for a in parts for b in parts]).astype(dtype)
    info = dtypes.finfo(dtype)
    values = [
        0.0,
        0.1,
        0.3,
        0.5,
        0.9,
        1.0,
        1.5,
        2.0,
        2.5,
        3.0,
        7.3,
        30.0,
        1e3,
        float(info.max),
        float(info.tiny),
        np.inf,
    ]
    return np.array([*values, *(-v for v in values), np.nan]).astype(dtype)


def grid(dtype: np.dtype, arity: int, moderate: bool) -> list[np.ndarray]:
    """All combinations."""
    values = edges(dtype)
    if moderate:
        values = np.array([v for v in values.tolist() if 0.2 < abs(v) < 20 and v == abs(v)]).astype(dtype)
    if arity == 3:
        values = values[:: max(1, len(values) // 9)]
    columns = zip(*itertools.product(values, repeat=arity), strict=True)
    return [np.array(column).astype(dtype) for column in columns]


@pytest.fixture(scope="module")
def lax(jax: Any) -> Any:
    with jax.enable_x64(True):
        yield jax.lax


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", sorted(PRIMITIVES))
def test_values_at_the_edges(name: str, dtype: str, lax: Any) -> None:
    primitive = PRIMITIVES[name]
    if (name, dtype) in OTHERWISE:
        pytest.skip("JAX means something else")
    hosts = grid(dtypes.as_dtype(dtype), primitive.arity, name in MODERATE)
    try:
        theirs = np.asarray(getattr(lax, RENAMED.get(name, name))(*hosts))
    except TypeError:
        pytest.skip(f"JAX has no {name} of {dtype}")
    with warnings.catch_warnings(action="error"):
        ours = np.asarray(primitive(*map(from_host, hosts)))
    assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
    assert_agree(name, ours, theirs, hosts)


def assert_agree(name: str, ours: np.ndarray, theirs: np.ndarray, hosts: list[np.ndarray]) -> None:
    """Equal, but for a few units in the last place; and where XLA flushes subnormal numbers."""
    dtype = ours.dtype
    if not dtypes.is_inexact(dtype):
        bad = ours != theirs
    else:
        info = dtypes.finfo(dtype)
        a, b = wide(ours), wide(theirs)
        bound = LOOSE.get(name, 8.0) * float(info.eps)
        with np.errstate(all="ignore"):
            absolute = bound if dtype.kind == "c" or name in MODERATE else float(info.tiny)
            near = np.abs(a - b) <= bound * np.abs(b) + absolute
        bad = ~(near | (a == b) | (np.isnan(a) & np.isnan(b)))
    if bad.any():
        rows = [f"{[h[i] for h in hosts]}: {ours[i]!r}, JAX {theirs[i]!r}" for i in np.flatnonzero(bad)[:20]]
        raise AssertionError(f"{name} differs at {bad.sum()} of {bad.size}:\n" + "\n".join(rows))
