"""Threefry: in place on blocks that stay in the cache; for few words in Python's integers, where NumPy's calls cost
more than the arithmetic. Floats are made of the words block by block."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import ml_dtypes
import numpy as np

from functorch_lite.extend import registry

__all__ = ["FAST", "TABLE"]

_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_PARITY = 0x1BD11BDA
_MASK = 0xFFFFFFFF
_FEW = 192  # words; up to here Python's integers are quicker
_BLOCK = 1 << 15
_WORDS = [np.uint32(i) for i in range(33)]


@lru_cache(maxsize=256)
def _lanes(n: int) -> tuple[int, int, int]:
    """For integers with n lanes of 64 bits: 1 in each lane; 32 bits in each; and each lane's number."""
    ones = sum(1 << (64 * i) for i in range(n))
    return ones, ones * _MASK, sum(i << (64 * i) for i in range(n))


def _packed(k0: int, k1: int, x1: int, ones: int, mask: int) -> tuple[int, int]:
    """Blocks with high counter words 0, one in each lane of Python's integers; what spills over a lane is masked."""
    keys = (k0, k1, k0 ^ k1 ^ _PARITY * ones)
    x0 = k0
    x1 = (x1 + k1) & mask
    for i in range(5):
        for r in _ROTATIONS[i % 2]:
            x0 = (x0 + x1) & mask
            x1 = (((x1 << r) | (x1 >> (32 - r))) & mask) ^ x0
        x0 = (x0 + keys[(i + 1) % 3]) & mask
        x1 = (x1 + keys[(i + 2) % 3] + (i + 1) * ones) & mask
    return x0, x1


def _rounds(k0: Any, k1: Any, x0: np.ndarray, x1: np.ndarray) -> None:
    """Threefry on arrays, in place."""
    keys = (k0, k1, k0 ^ k1 ^ np.uint32(_PARITY))
    turned = np.empty_like(x1)
    np.add(x0, k0, x0)
    np.add(x1, k1, x1)
    for i in range(5):
        for r in _ROTATIONS[i % 2]:
            np.add(x0, x1, x0)
            np.left_shift(x1, _WORDS[r], turned)
            np.right_shift(x1, _WORDS[32 - r], x1)
            np.bitwise_or(x1, turned, x1)
            np.bitwise_xor(x1, x0, x1)
        np.add(x0, keys[(i + 1) % 3], x0)
        np.add(x1, keys[(i + 2) % 3] + _WORDS[i + 1], x1)


def _few(keys: np.ndarray, n: int) -> np.ndarray:
    """The words u32[len(keys), n, 2] of blocks 0 ... n-1 under each key, for few of them."""
    ones, mask, numbers = _lanes(n)
    if len(keys) == 1:
        k0, k1 = keys.tolist()[0]
        k0, k1 = k0 * ones, k1 * ones
    else:
        total = len(keys) * n
        k0, k1 = (int.from_bytes(np.repeat(keys[:, i], n).astype("<u8").tobytes(), "little") for i in range(2))
        numbers *= sum(1 << (64 * n * i) for i in range(len(keys)))
        ones, mask, _ = _lanes(total)
    x0, x1 = _packed(k0, k1, numbers, ones, mask)
    words = np.frombuffer((x0 | x1 << 32).to_bytes(8 * len(keys) * n, "little"), "<u4")
    return words.reshape(len(keys), n, 2)


def _each_block(keys: np.ndarray, n: int, finish: Callable[[Any, Any, Any], None]) -> None:
    """Call `finish` (where, x0, x1) with the words of blocks 0 ... n-1 under each key; `where` indexes (keys, n)."""
    rows = max(1, _BLOCK // max(1, n))
    for first in range(0, len(keys), rows):
        some = keys[first : first + rows]
        k0, k1 = (some[0, 0], some[0, 1]) if len(some) == 1 else (some[:, :1], some[:, 1:])
        for start in range(0, n, _BLOCK):
            stop = min(n, start + _BLOCK)
            x0 = np.full((len(some), stop - start), start >> 32, np.uint32)
            x1 = np.empty_like(x0)
            x1[...] = np.arange(start & _MASK, (start & _MASK) + stop - start, dtype=np.uint64)
            if (start & _MASK) + stop - start > _MASK + 1:
                x0[:, _MASK + 1 - (start & _MASK) :] += _WORDS[1]
            _rounds(k0, k1, x0, x1)
            finish((slice(first, first + rows), slice(start, stop)), x0, x1)


def _drawn(
    key: np.ndarray, shape: Any, dtype: Any, make: Callable[[Any, Any], Any], parts: tuple[int, ...] = ()
) -> Any:
    """`make` (high words, low words) for each block 0, 1, ..., in an array (*batch, *shape, *parts)."""
    n = math.prod(shape)
    keys = key.reshape(-1, 2)
    full = (*key.shape[:-1], *shape, *parts)
    if 0 < n * len(keys) <= _FEW:
        words = _few(keys, n)
        return make(words[..., 0], words[..., 1]).reshape(full)[()]
    out = np.empty((len(keys), n, *parts), dtype)

    def finish(where: Any, x0: Any, x1: Any) -> None:
        out[where] = make(x0, x1)

    _each_block(keys, n, finish)
    return out.reshape(full)[()]


def _bits(dtype: Any) -> Callable[[Any, Any], Any]:
    if dtype.itemsize == 8:
        return lambda x0, x1: (x0.astype(np.uint64) << np.uint64(32)) | x1
    return lambda x0, x1: np.bitwise_xor(x0, x1).astype(dtype, copy=False)


def random_bits(key: np.ndarray, *, shape: Any, dtype: Any) -> Any:
    """Uniform unsigned integers."""
    return _drawn(key, shape, dtype, _bits(dtype))


def random_split(key: np.ndarray, *, shape: Any) -> Any:
    """New keys."""
    keys = key.reshape(-1, 2)
    n = math.prod(shape)
    if 0 < n * len(keys) <= _FEW:
        return _few(keys, n).astype(np.uint32).reshape((*key.shape[:-1], *shape, 2))
    return _drawn(key, shape, np.uint32, lambda x0, x1: np.stack([x0, x1], axis=-1), (2,))


def random_fold_in(key: np.ndarray, data: Any) -> Any:
    """Keys with data mixed in."""
    keys, data = key.reshape(-1, 2), np.asarray(data).reshape(-1)
    if len(keys) == 1:
        (k0, k1), number = keys.tolist()[0], data.tolist()[0]
        x0, x1 = _packed(k0, k1, number, 1, _MASK)
        return np.array([x0, x1], np.uint32).reshape(key.shape)
    out0, out1 = np.zeros(len(keys), np.uint32), data.astype(np.uint32)
    _rounds(keys[:, 0], keys[:, 1], out0, out1)
    return np.stack([out0, out1], axis=-1).reshape(key.shape)


@lru_cache(maxsize=16)
def _uniform(dtype: Any) -> Callable[[Any, Any], Any]:
    """Words -> floats in [0, 1): random mantissas under the exponent of 1, less 1."""
    info = ml_dtypes.finfo(dtype)
    n_bits = 8 if info.nmant < 8 else info.bits
    drawn, unsigned = np.dtype(f"u{n_bits // 8}"), np.dtype(f"u{dtype.itemsize}")
    whole = _bits(drawn)
    shift = unsigned.type(n_bits - info.nmant)
    one = np.ones((), dtype)
    exponent = one.view(unsigned)[()]

    def make(x0: Any, x1: Any) -> Any:
        mantissa = whole(x0, x1).astype(unsigned, copy=False)
        np.right_shift(mantissa, shift, mantissa)
        np.bitwise_or(mantissa, exponent, mantissa)
        out = mantissa.view(dtype)
        return np.subtract(out, one, out)

    return make


def random_uniform(key: np.ndarray, *, shape: Any, dtype: Any) -> Any:
    """Floats in [0, 1)."""
    return _drawn(key, shape, dtype, _uniform(dtype))


@lru_cache(maxsize=16)
def _normal(dtype: Any) -> Callable[[Any, Any], Any]:
    uniform = _uniform(dtype)
    two, root = dtype.type(2), dtype.type(math.sqrt(2))
    low = np.nextafter(dtype.type(-1), dtype.type(0))
    wide = np.dtype(np.float32) if dtype.itemsize == 2 else dtype

    def make(x0: Any, x1: Any) -> Any:
        u = uniform(x0, x1)
        np.multiply(u, two, u)
        np.add(u, low, u)
        out = erf_inv(u.astype(wide, copy=False)).astype(dtype, copy=False)
        return np.multiply(out, root)

    return make


def random_normal(key: np.ndarray, *, shape: Any, dtype: Any) -> Any:
    """Standard normal floats."""
    return _drawn(key, shape, dtype, _normal(dtype))


def erf_inv(x: Any) -> Any:
    """The inverse error function of float32 or float64, in blocks."""
    impl: Any = registry["erf_inv"].own_impl  # type: ignore[attr-defined]
    source = np.asarray(x).reshape(-1)
    if source.size <= _BLOCK:
        return impl(np, source, sparse=True).reshape(np.shape(x))[()]
    out = np.empty(source.shape, source.dtype)
    for start in range(0, source.size, _BLOCK):
        out[start : start + _BLOCK] = impl(np, source[start : start + _BLOCK], sparse=True)
    return out.reshape(np.shape(x))


def _erf_inv(types: Any, params: Any) -> Callable[[Any], Any]:
    dtype = types[0].dtype
    return erf_inv if dtype.itemsize > 2 else lambda x: erf_inv(x.astype(np.float32)).astype(dtype)


TABLE: dict[str, Any] = {
    "random_bits": random_bits,
    "random_fold_in": random_fold_in,
    "random_normal": random_normal,
    "random_split": random_split,
    "random_uniform": random_uniform,
}
FAST: dict[str, Any] = {"erf_inv": _erf_inv}
