"""What comes of uniform bits directly: floats, integers, booleans and signs. Bit for bit as `jax.random` gives them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import dtypes
from ..array_type import Shape
from ..errors import ArgumentError, DTypeError
from ..primitives import elementwise as e
from ..primitives.random_bits import random_bits
from ..primitives.random_floats import random_uniform
from ..promotion import as_operand
from .keys import two_words, words_of
from .parameters import cast, checked_shape, float_dtype, integer_dtype, operands, result_shape, stretched

__all__ = ["bernoulli", "bits", "rademacher", "randint", "uniform"]


def bits(key: Any, shape: Any = (), dtype: Any = None) -> Any:
    """Uniform random bits.

    Args:
      key: a single key.
      shape: of the result.
      dtype: an unsigned integer dtype; uint32 if omitted.

    >>> import functorch_lite as fl
    >>> fl.random.bits(fl.random.key(0), (2,), "uint8")
    Array([167, 146], dtype=uint8)
    """
    words = words_of(key, "bits")
    found = dtypes.uint32 if dtype is None else dtypes.as_dtype(dtype)
    if not dtypes.is_unsigned(found):
        raise DTypeError(f"bits come in unsigned integer dtypes, not {dtypes.short_name(found)}.")
    return random_bits(words, shape=checked_shape(shape, "bits"), dtype=found)


def uniform(key: Any, shape: Any = (), dtype: Any = None, minval: Any = 0.0, maxval: Any = 1.0) -> Any:
    """Floats uniform in [minval, maxval): multiples of the dtype's epsilon in [0, 1), stretched.

    Args:
      key: a single key.
      shape: of the result.
      dtype: a floating dtype; the default one if omitted.
      minval: arrays or numbers that stretch to `shape`.
      maxval: likewise.

    >>> import functorch_lite as fl
    >>> fl.random.uniform(fl.random.key(0), (2,), minval=-1.0)
    Array([0.895334  , 0.95715976], dtype=float32)
    """
    words, found = words_of(key, "uniform"), float_dtype(dtype, "uniform")
    if isinstance(minval, (int, float)) and isinstance(maxval, (int, float)):
        return between(words, checked_shape(shape, "uniform"), found, found.type(minval), found.type(maxval))
    low, high = operands("uniform", minval=minval, maxval=maxval)
    full = result_shape(() if shape is None else shape, "uniform", low, high)
    return between(words, full, found, *(stretched(v, full if v.shape else (), found) for v in (low, high)))


def between(words: Any, shape: Shape, dtype: np.dtype, low: Any, high: Any) -> Any:
    """Uniform floats in [low, high): operands of `dtype`, of `shape` or rank 0; a NumPy scalar is a known number."""
    u = random_uniform(words, shape=shape, dtype=dtype)
    if isinstance(low, np.generic) and isinstance(high, np.generic):
        if low == 0 and high == 1:
            return u
        with np.errstate(all="ignore"):
            span: Any = high - low  # type: ignore[operator]
        exact = math.isfinite(span) and math.frexp(span)[0] == 0.5
    else:
        span, exact = e.sub(high, low), False
    return e.max_(low, _scaled(u, span, low, exact))


def _scaled(u: Any, span: Any, low: Any, exact: bool) -> Any:
    """U span + low, in float32 rounded once, as XLA's fused multiply-add rounds; simpler if the product is `exact`."""
    dtype = u.dtype
    if exact or dtype != dtypes.float32:
        return e.add(e.mul(u, span), low)
    wide, wide_span, wide_low = (
        np.float64(x) if isinstance(x, np.generic) else cast(x, dtypes.float64) for x in (u, span, low)
    )
    return cast(e.add(e.mul(wide, wide_span), wide_low), dtype)


def randint(key: Any, shape: Any, minval: Any, maxval: Any, dtype: Any = None) -> Any:
    """Integers uniform in [minval, maxval); minval where the range is empty.

    Twice the bits of the dtype are drawn, so that the remainder is hardly biased. A bound beyond the dtype means
    its end.

    Args:
      key: a single key.
      shape: of the result.
      minval: the smallest integer; stretches to `shape`.
      maxval: one past the largest; likewise.
      dtype: an integer dtype; the default one if omitted.

    >>> import functorch_lite as fl
    >>> fl.random.randint(fl.random.key(0), (4,), 0, 10)
    Array([9, 0, 2, 3], dtype=int32)
    """
    words, found = words_of(key, "randint"), integer_dtype(dtype, "randint")
    drawn = found if found.itemsize >= 4 else dtypes.int32
    if isinstance(minval, (int, np.integer)) and isinstance(maxval, (int, np.integer)):
        full = checked_shape(shape, "randint")
        low, span = _host_range(int(minval), int(maxval), np.iinfo(found), np.iinfo(drawn).bits)
        offset = _known_offset(words, full, np.dtype(f"u{drawn.itemsize}"), span)
        return cast(e.add(cast(offset, drawn), drawn.type(low)) if low else cast(offset, drawn), found)
    low, high = (_bound(v, drawn, found) for v in (minval, maxval))
    full = result_shape(shape, "randint", low, high)
    return cast(_between_integers(words, full, drawn, low, high), found)


def _host_range(low: int, high: int, info: Any, n_bits: int) -> tuple[int, int]:
    """The smallest integer, and how many there are."""
    top = max(int(info.min), min(high, int(info.max) + 1))
    low = max(int(info.min), min(low, int(info.max)))
    return low, max(1, top - low) if n_bits == info.bits or top > low else 1


def _known_offset(words: Any, shape: Shape, unsigned: np.dtype, span: int) -> Any:
    """Integers uniform in [0, span), for a span that is known now. High words that count for nothing are not drawn."""
    n_bits = unsigned.itemsize * 8
    first, second = two_words(words)
    lower = random_bits(second, shape=shape, dtype=unsigned)
    if span >> n_bits:
        return lower
    multiplier = (1 << (n_bits // 2)) % span
    multiplier = (multiplier * multiplier & ((1 << n_bits) - 1)) % span
    divisor = unsigned.type(span)
    offset = e.rem(lower, divisor)
    if multiplier:
        higher = e.rem(random_bits(first, shape=shape, dtype=unsigned), divisor)
        offset = e.rem(e.add(e.mul(higher, unsigned.type(multiplier)), offset), divisor)
    return offset


def _bound(v: Any, drawn: np.dtype, found: np.dtype) -> Any:
    """A bound of randint as an integer array."""
    if isinstance(v, int) and not -(1 << 31) <= v < (1 << 31):
        v = np.asarray(max(-(1 << 63), min(v, (1 << 64) - 1)), np.int64 if v < (1 << 63) else np.uint64)
    (x,) = operands("randint", bound=v)
    x = x if dtypes.is_integer(x.dtype) else cast(x, dtypes.default_int())
    if drawn != found:
        info = np.iinfo(found)
        x = _clipped(x, drawn, int(info.min), int(info.max) + 1)
    return x


def _clipped(x: Any, dtype: np.dtype, low: int, high: int) -> Any:
    """An integer array in another integer dtype, after what lies outside [low, high] was moved to the nearer end."""
    own = np.iinfo(x.dtype)
    inside = e.max_(e.min_(x, own.dtype.type(min(high, int(own.max)))), own.dtype.type(max(low, int(own.min))))
    return cast(inside, dtype)


def _between_integers(words: Any, shape: Shape, dtype: np.dtype, low: Any, high: Any) -> Any:
    info, own = np.iinfo(dtype), np.iinfo(high.dtype)
    n_bits = info.bits
    beyond = e.gt(high, own.dtype.type(min(int(info.max), int(own.max))))
    low, high = (_clipped(v, dtype, int(info.min), int(info.max)) for v in (low, high))
    low, high = stretched(low, shape, dtype), stretched(high, shape, dtype)
    beyond = stretched(beyond, shape, dtypes.bool_)
    first, second = two_words(words)
    unsigned = np.dtype(f"u{dtype.itemsize}")
    higher = random_bits(first, shape=shape, dtype=unsigned)
    lower = random_bits(second, shape=shape, dtype=unsigned)
    one = unsigned.type(1)
    span = cast(e.sub(high, low), unsigned)
    span = e.add(span, cast(beyond, unsigned))  # 0 means all integers of the dtype: a remainder by 0 is the dividend
    span = e.select(e.gt(high, low), one, span)
    multiplier = e.rem(stretched(as_operand(unsigned.type(1 << (n_bits // 2))), shape, unsigned), span)
    multiplier = e.rem(e.mul(multiplier, multiplier), span)
    offset = e.rem(e.add(e.mul(e.rem(higher, span), multiplier), e.rem(lower, span)), span)
    return e.add(low, cast(offset, dtype))


def bernoulli(key: Any, p: Any = 0.5, shape: Any = None, mode: str = "low") -> Any:
    """Booleans that are true with probability `p`.

    Args:
      key: a single key.
      p: probabilities.
      shape: of the result, to which `p` stretches; the shape of `p` if omitted.
      mode: "high" draws two floats each, for probabilities below the dtype's epsilon.

    >>> import functorch_lite as fl
    >>> fl.random.bernoulli(fl.random.key(0), 0.3, (4,))
    Array([False, False, False, False], dtype=bool)
    """
    words = words_of(key, "bernoulli")
    if mode not in ("low", "high"):
        raise ArgumentError(f"bernoulli: mode is 'low' or 'high', not {mode!r}.")
    if type(p) is float:
        probability: Any = dtypes.default_float().type(p)
        full = checked_shape(() if shape is None else shape, "bernoulli")
    else:
        (probability,) = operands("bernoulli", p=p)
        if not dtypes.is_floating(probability.dtype):
            probability = cast(probability, dtypes.default_float())
        full = result_shape(shape, "bernoulli", probability)
        if probability.shape:
            probability = stretched(probability, full, probability.dtype)
    dtype = probability.dtype
    if mode == "low":
        return e.lt(random_uniform(words, shape=full, dtype=dtype), probability)
    coarse, fine = random_uniform(words, shape=(2, *full), dtype=dtype)
    fine = e.mul(fine, dtype.type(2.0 ** -dtypes.finfo(dtype).nmant))
    return e.lt(fine, e.sub(probability, coarse))


def rademacher(key: Any, shape: Any = (), dtype: Any = None) -> Any:
    """-1 or 1, each with probability 1/2.

    Args:
      key: a single key.
      shape: of the result.
      dtype: any but boolean; the default integer dtype if omitted.

    >>> import functorch_lite as fl
    >>> fl.random.rademacher(fl.random.key(0), (4,))
    Array([-1, -1,  1,  1], dtype=int32)
    """
    found = dtypes.default_int() if dtype is None else dtypes.as_dtype(dtype)
    heads = bernoulli(key, 0.5, checked_shape(shape, "rademacher"))
    return e.sub(e.mul(found.type(2), cast(heads, found)), found.type(1))
