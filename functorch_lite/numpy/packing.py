"""Bits packed into bytes, and bytes laid out as bits."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..arrays import from_host, type_of
from ..errors import ArgumentError, DTypeError
from ..primitives import elementwise as e
from ..promotion import cast
from .creation import asarray, filled
from .joining import concatenate
from .operands import like
from .reductions import sum as sum_
from .shaping import moveaxis, reshape
from .sorting import line_of

__all__ = ["packbits", "unpackbits"]

_BYTE = np.dtype(np.uint8)


def packbits(a: Any, axis: int | None = None, bitorder: str = "big") -> Any:
    """Bytes of eight bits each, from an array that says of each bit whether it is set; zeros fill up the last byte.

    Args:
      a: integers or booleans; what is not 0 is set.
      axis: along which bits lie; None: the array is flattened first.
      bitorder: "big": the first bit counts 128; "little": it counts 1.

    >>> packbits([1, 0, 1]).tolist()
    [160]
    """
    x = asarray(a)
    if not dtypes.is_integer(x.dtype) and not dtypes.is_bool(x.dtype):
        raise DTypeError(f"packbits needs integers or booleans, got {type_of(x)}.")
    x, place = line_of("packbits", x, axis)
    bits = moveaxis(cast(e.ne(x, like(x, 0)), _BYTE), place, -1)
    n = bits.shape[-1]
    bits = concatenate([bits, filled(0, (*bits.shape[:-1], -n % 8), _BYTE)], -1)
    bits = reshape(bits, (*bits.shape[:-1], -(-n // 8), 8))
    return moveaxis(sum_(bits << _shifts(bitorder), -1, _BYTE), -1, place)


def unpackbits(a: Any, axis: int | None = None, count: int | None = None, bitorder: str = "big") -> Any:
    """The bits of bytes, as uint8 that are 0 or 1.

    Args:
      a: of dtype uint8.
      axis: along which bits are laid out; None: the array is flattened first.
      count: how many bits to give; zeros are added; if negative, so many are left out at the end. None: all.
      bitorder: as of `packbits`.

    >>> unpackbits(packbits([1, 0, 1]), count=3).tolist()
    [1, 0, 1]
    """
    x = asarray(a)
    if x.dtype != _BYTE:
        raise DTypeError(f"unpackbits needs bytes, of dtype uint8, got {type_of(x)}.")
    x, place = line_of("unpackbits", x, axis)
    bits = moveaxis(x, place, -1)[..., None] >> _shifts(bitorder) & _BYTE.type(1)
    bits = reshape(bits, (*bits.shape[:-2], -1))
    if count is not None:
        bits = bits[..., :count]
        missing = 0 if count < 0 else count - bits.shape[-1]
        bits = concatenate([bits, filled(0, (*bits.shape[:-1], missing), _BYTE)], -1) if missing else bits
    return moveaxis(bits, -1, place)


def _shifts(bitorder: str) -> Any:
    if bitorder not in ("big", "little"):
        raise ArgumentError(f"bitorder is 'big' or 'little', got {bitorder!r}.")
    order = np.arange(8, dtype=_BYTE)
    return from_host(order if bitorder == "little" else order[::-1].copy())
