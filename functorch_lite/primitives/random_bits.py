"""Random bits from keys: the threefry-2x32 counter generator, in the form that does not depend on how work is divided.

A key is uint32[..., 2]. Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as
1, 2, 3", 2011) maps a key and a 64-bit counter to 64 bits; element i of an array takes counter i.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .. import dtypes
from ..array_type import ArrayType, Shape
from ..errors import DTypeError, ShapeError
from ..primitive import Primitive, ZeroDerivative
from .structural import move_to_front

__all__ = ["OfKey", "counted_bits", "random_bits", "random_fold_in", "random_split", "split_words"]

_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_PARITY = 0x1BD11BDA
_MASK = 0xFFFFFFFF


def _threefry(xp: Any, key: Any, x0: Any, x1: Any, *, each: bool = False) -> tuple[Any, Any]:
    """Blocks of threefry-2x32: every key u32[*batch, 2] against all counters, or key i against counter i if `each`."""
    dtype = key.dtype
    k0, k1 = key[..., 0], key[..., 1]
    if not each:
        k0, k1 = (xp.reshape(k, (*k.shape, *(1,) * x1.ndim)) for k in (k0, k1))
    k2 = xp.bitwise_xor(xp.bitwise_xor(k0, k1), xp.asarray(_PARITY, dtype=dtype))
    keys = (k0, k1, k2)
    x0, x1 = x0 + k0, x1 + k1
    for i in range(5):
        for r in _ROTATIONS[i % 2]:
            x0 = x0 + x1
            left = xp.bitwise_left_shift(x1, xp.asarray(r, dtype=dtype))
            right = xp.bitwise_right_shift(x1, xp.asarray(32 - r, dtype=dtype))
            x1 = xp.bitwise_xor(xp.bitwise_or(left, right), x0)
        x0 = x0 + keys[(i + 1) % 3]
        x1 = x1 + (keys[(i + 2) % 3] + xp.asarray(i + 1, dtype=dtype))
    return x0, x1


def _counters(xp: Any, shape: Shape) -> tuple[Any, Any]:
    """The high and low words of 0, 1, 2, ... in `shape`."""
    n = math.prod(shape)
    low = xp.reshape(xp.arange(n, dtype=xp.uint64), shape)
    if n <= _MASK:
        return xp.zeros((1,) * len(shape), dtype=xp.uint32), xp.astype(low, xp.uint32)
    high = xp.bitwise_right_shift(low, xp.asarray(32, dtype=xp.uint64))
    return xp.astype(high, xp.uint32), xp.astype(xp.bitwise_and(low, xp.asarray(_MASK, dtype=xp.uint64)), xp.uint32)


def counted_bits(xp: Any, key: Any, shape: Shape, dtype: Any) -> Any:
    """Uniform unsigned integers of `dtype`, of shape (*batch, *shape), under keys u32[*batch, 2]."""
    high, low = _threefry(xp, key, *_counters(xp, shape))
    if dtype == dtypes.uint64:
        wide = xp.bitwise_left_shift(xp.astype(high, xp.uint64), xp.asarray(32, dtype=xp.uint64))
        return xp.bitwise_or(wide, xp.astype(low, xp.uint64))
    return xp.astype(xp.bitwise_xor(high, low), dtype)


def split_words(xp: Any, key: Any, shape: Shape) -> Any:
    """New keys u32[*batch, *shape, 2] from keys u32[*batch, 2]."""
    return xp.stack(_threefry(xp, key, *_counters(xp, shape)), axis=-1)


class OfKey(ZeroDerivative, Primitive):
    """A primitive whose first operand is a key, or a batch of keys along leading axes."""

    of_dtype = True

    def key_batch(self, key: ArrayType) -> Shape:
        """The leading axes of the key."""
        if key.dtype != dtypes.uint32 or key.shape[-1:] != (2,):
            raise DTypeError(f"a random key is an array u32[..., 2], got {key}: make one with random.key(seed).")
        return key.shape[:-1]

    def batch(self, axis: Any, operands: Sequence[Any], dims: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        return self(*(move_to_front(x, d, axis.size) for x, d in zip(operands, dims, strict=True)), **params), 0


class RandomBits(OfKey):
    """key u32[*batch, 2] -> uniform unsigned integers of `dtype`, of shape (*batch, *shape)."""

    def infer(self, key: ArrayType, *, shape: Shape, dtype: Any) -> ArrayType:
        if not dtypes.is_unsigned(dtype):
            raise DTypeError(f"random bits come in unsigned integer dtypes, not {dtypes.short_name(dtype)}.")
        return ArrayType((*self.key_batch(key), *shape), dtype)

    def impl(self, xp: Any, key: Any, *, shape: Shape, dtype: Any) -> Any:
        return counted_bits(xp, key, shape, dtype)


class RandomSplit(OfKey):
    """key u32[*batch, 2] -> new keys u32[*batch, *shape, 2]."""

    def infer(self, key: ArrayType, *, shape: Shape) -> ArrayType:
        return ArrayType((*self.key_batch(key), *shape, 2), dtypes.uint32)

    def impl(self, xp: Any, key: Any, *, shape: Shape) -> Any:
        return split_words(xp, key, shape)


class RandomFoldIn(OfKey):
    """key u32[*batch, 2], data u32[*batch] -> keys u32[*batch, 2], different for different data."""

    def infer(self, key: ArrayType, data: ArrayType) -> ArrayType:
        if data.shape != self.key_batch(key) or data.dtype != dtypes.uint32:
            raise ShapeError(f"fold_in of keys {key} needs data of type u32{list(self.key_batch(key))}, got {data}.")
        return ArrayType(key.shape, dtypes.uint32)

    def impl(self, xp: Any, key: Any, data: Any) -> Any:
        words = _threefry(xp, key, xp.zeros_like(data), xp.asarray(data), each=True)
        return xp.stack(words, axis=-1)


random_bits = RandomBits("random_bits")
random_split = RandomSplit("random_split")
random_fold_in = RandomFoldIn("random_fold_in")
