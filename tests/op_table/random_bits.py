"""Rows of the key primitives, against threefry in Python's integers."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special

from functorch_lite.primitives import random_bits as b
from functorch_lite.primitives import random_floats, random_gamma

from .row import Row

MASK = 0xFFFFFFFF


def threefry(key: Any, x0: int, x1: int) -> tuple[int, int]:
    """One block of threefry-2x32, 20 rounds."""
    k0, k1 = map(int, key)
    keys = (k0, k1, k0 ^ k1 ^ 0x1BD11BDA)
    x0, x1 = (x0 + k0) & MASK, (x1 + k1) & MASK
    for i in range(5):
        for r in ((13, 15, 26, 6), (17, 29, 16, 24))[i % 2]:
            x0 = (x0 + x1) & MASK
            x1 = (((x1 << r) | (x1 >> (32 - r))) & MASK) ^ x0
        x0, x1 = (x0 + keys[(i + 1) % 3]) & MASK, (x1 + keys[(i + 2) % 3] + i + 1) & MASK
    return x0, x1


def _key(*more: tuple[int, ...]) -> Any:
    def make(rng: np.random.Generator, dtype: np.dtype) -> tuple[np.ndarray, ...]:
        return tuple(rng.integers(0, MASK, size=s, dtype=np.uint32) for s in ((2,), *more))

    return make


def _bits(bits: int) -> Any:
    dtype = np.dtype(f"uint{bits}")

    def reference(key: Any) -> Any:
        words = [threefry(key, 0, i) for i in range(6)]
        values = [(a << 32) | c if bits == 64 else (a ^ c) & ((1 << bits) - 1) for a, c in words]
        return np.array(values, dtype).reshape(2, 3)

    return lambda key: b.random_bits(key, shape=(2, 3), dtype=dtype), reference


def _uniforms(key: Any) -> Any:
    words = [threefry(key, 0, i) for i in range(6)]
    return np.array([((a ^ c) >> 9) / 2**23 for a, c in words], np.float32).reshape(2, 3)


def _normals(key: Any) -> Any:
    u = 2 * _uniforms(key) - np.float32(1 - 2**-24)
    return np.sqrt(2) * scipy.special.erfinv(u.astype(np.float64))


def _gamma_operands(rng: np.random.Generator, dtype: np.dtype) -> tuple[np.ndarray, ...]:
    keys = np.arange(12, dtype=np.uint32).reshape(2, 3, 2)
    return keys, np.array([[0.5, 1.0, 2.5], [3.0, 0.7, 8.0]], np.float32)


FLOAT: Any = {"shape": (2, 3), "dtype": np.dtype("float32")}

ROWS = [
    Row(
        "random_uniform",
        "random_uniform",
        lambda key: random_floats.random_uniform(key, **FLOAT),
        _key(),
        _uniforms,
        ("uint32",),
        differentiable=(),
    ),
    Row(
        "random_normal",
        "random_normal",
        lambda key: random_floats.random_normal(key, **FLOAT),
        _key(),
        lambda key: _normals(key).astype(np.float32),
        ("uint32",),
        differentiable=(),
        tolerance=32.0,
    ),
    *(
        Row(
            f"random_gamma log_space={log}",
            "random_gamma",
            lambda keys, a, log=log: random_gamma.random_gamma(keys, a, log_space=log),
            _gamma_operands,
            None,
            ("uint32",),
            differentiable=(),
        )
        for log in (False, True)
    ),
    *(
        Row(f"random_bits {n}", "random_bits", _bits(n)[0], _key(), _bits(n)[1], ("uint32",), differentiable=())
        for n in (8, 16, 32, 64)
    ),
    Row(
        "random_split",
        "random_split",
        lambda key: b.random_split(key, shape=(3,)),
        _key(),
        lambda key: np.array([threefry(key, 0, i) for i in range(3)], np.uint32),
        ("uint32",),
        differentiable=(),
    ),
    Row(
        "random_fold_in",
        "random_fold_in",
        b.random_fold_in,
        _key(()),
        lambda key, data: np.array(threefry(key, 0, int(data)), np.uint32),
        ("uint32",),
        differentiable=(),
    ),
]
