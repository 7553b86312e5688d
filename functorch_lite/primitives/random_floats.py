"""Random floats from keys: uniform and normal. One primitive each, so that a backend can make them in one pass."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import dtypes
from ..array_type import ArrayType, Shape
from ..errors import DTypeError
from .inverse_erf import inverse_erf
from .random_bits import OfKey, counted_bits

__all__ = ["normal_floats", "random_normal", "random_uniform", "uniform_floats"]


def _bits_of_uniform(dtype: Any) -> tuple[np.dtype, int]:
    """The dtype of the bits drawn for a float in [0, 1), and by how much they are shifted to leave a mantissa."""
    info = dtypes.finfo(dtype)
    n = 8 if info.nmant < 8 else info.bits
    return np.dtype(f"uint{n}"), n - info.nmant


def uniform_floats(xp: Any, key: Any, shape: Shape, dtype: Any) -> Any:
    """Uniform in [0, 1), of shape (*batch, *shape): M / 2^m for a random mantissa M of m bits."""
    unsigned, shift = _bits_of_uniform(dtype)
    whole = counted_bits(xp, key, shape, unsigned)
    mantissa = xp.bitwise_right_shift(whole, xp.asarray(shift, dtype=unsigned))
    return xp.astype(mantissa, dtype) * xp.asarray(2.0 ** -dtypes.finfo(dtype).nmant, dtype=dtype)


def normal_floats(xp: Any, key: Any, shape: Shape, dtype: Any) -> Any:
    """Standard normal, likewise."""
    low = np.nextafter(dtype.type(-1), dtype.type(0))
    two, start = (xp.asarray(float(v), dtype=dtype) for v in (2, low))
    u = uniform_floats(xp, key, shape, dtype) * two + start
    y = inverse_erf(xp, xp.astype(u, dtypes.accumulator_dtype(dtype)))
    return xp.astype(y, dtype) * xp.asarray(math.sqrt(2), dtype=dtype)


class _Floats(OfKey):
    """key u32[*batch, 2] -> floats of `dtype`, of shape (*batch, *shape)."""

    def infer(self, key: ArrayType, *, shape: Shape, dtype: Any) -> ArrayType:
        if not dtypes.is_floating(dtype):
            raise DTypeError(f"{self.name} gives floats, not {dtypes.short_name(dtype)}.")
        return ArrayType((*self.key_batch(key), *shape), dtype)


class RandomUniform(_Floats):
    """Uniform in [0, 1)."""

    def impl(self, xp: Any, key: Any, *, shape: Shape, dtype: Any) -> Any:
        return uniform_floats(xp, key, shape, dtype)


class RandomNormal(_Floats):
    """Standard normal: sqrt(2) erf_inv(u), u uniform in (-1, 1)."""

    def impl(self, xp: Any, key: Any, *, shape: Shape, dtype: Any) -> Any:
        return normal_floats(xp, key, shape, dtype)


random_uniform = RandomUniform("random_uniform")
random_normal = RandomNormal("random_normal")
