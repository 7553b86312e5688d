"""Threefry: in place for arrays, in Python's integers for few words, where NumPy's calls cost more than the arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["TABLE"]

_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_PARITY = np.uint32(0x1BD11BDA)
_FEW = 8
_BLOCK = 1 << 14


def _words(k0: int, k1: int, x1: int) -> tuple[int, int]:
    """One block in Python's integers, high counter word 0."""
    mask = 0xFFFFFFFF
    keys = (k0, k1, k0 ^ k1 ^ 0x1BD11BDA)
    x0 = k0
    x1 = (x1 + k1) & mask
    for i in range(5):
        for r in _ROTATIONS[i % 2]:
            x0 = (x0 + x1) & mask
            x1 = (((x1 << r) | (x1 >> (32 - r))) & mask) ^ x0
        x0 = (x0 + keys[(i + 1) % 3]) & mask
        x1 = (x1 + keys[(i + 2) % 3] + i + 1) & mask
    return x0, x1


def _rounds(k0: np.uint32, k1: np.uint32, x0: np.ndarray, x1: np.ndarray) -> None:
    """Threefry on arrays, in place."""
    keys = (k0, k1, k0 ^ k1 ^ _PARITY)
    turned = np.empty_like(x1)
    x0 += k0
    x1 += k1
    for i in range(5):
        for r in _ROTATIONS[i % 2]:
            x0 += x1
            np.left_shift(x1, np.uint32(r), out=turned)
            x1 >>= np.uint32(32 - r)
            x1 |= turned
            x1 ^= x0
        x0 += keys[(i + 1) % 3]
        x1 += keys[(i + 2) % 3] + np.uint32(i + 1)


def _blocks(key: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """The two words of blocks 0 ... n-1 under one key; in pieces that stay in the cache."""
    high = np.empty(n, np.uint32)
    low = np.empty(n, np.uint32)
    for start in range(0, n, _BLOCK):
        stop = min(n, start + _BLOCK)
        counters = np.arange(start, stop, dtype=np.uint64)
        high[start:stop] = counters >> np.uint64(32)
        low[start:stop] = counters
        _rounds(key[0], key[1], high[start:stop], low[start:stop])
    return high, low


def _per_key(key: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """As `_blocks`, for each key of a batch."""
    keys = key.reshape(-1, 2)
    high = np.empty((len(keys), n), np.uint32)
    low = np.empty((len(keys), n), np.uint32)
    if n <= _FEW and len(keys) <= _FEW:
        for row, (k0, k1) in enumerate(keys.tolist()):
            for i in range(n):
                high[row, i], low[row, i] = _words(k0, k1, i)
    else:
        for row, k in enumerate(keys):
            high[row], low[row] = _blocks(k, n)
    return high, low


def _size(shape: Any) -> int:
    n = 1
    for length in shape:
        n *= length
    return n


def random_bits(key: np.ndarray, *, shape: Any, dtype: Any) -> Any:
    """Uniform unsigned integers."""
    high, low = _per_key(key, _size(shape))
    if dtype.itemsize == 8:
        out = (high.astype(np.uint64) << np.uint64(32)) | low
    else:
        out = np.bitwise_xor(high, low, out=high).astype(dtype, copy=False)
    return out.reshape(key.shape[:-1] + tuple(shape))[()]


def random_split(key: np.ndarray, *, shape: Any) -> Any:
    """New keys."""
    high, low = _per_key(key, _size(shape))
    return np.stack([high, low], axis=-1).reshape((*key.shape[:-1], *shape, 2))


def random_fold_in(key: np.ndarray, data: Any) -> Any:
    """Keys with data mixed in."""
    out = np.empty(key.shape, np.uint32)
    rows = zip(key.reshape(-1, 2).tolist(), np.asarray(data).reshape(-1).tolist(), strict=True)
    flat = out.reshape(-1, 2)
    for i, ((k0, k1), d) in enumerate(rows):
        flat[i] = _words(k0, k1, d)
    return out


TABLE: dict[str, Any] = {
    "random_bits": random_bits,
    "random_split": random_split,
    "random_fold_in": random_fold_in,
}
