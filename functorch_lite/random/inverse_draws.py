"""Distributions whose variates are a formula of one uniform float."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import dtypes
from ..array_type import Shape
from ..errors import ArgumentError
from ..primitives import elementwise as e
from ..primitives.random_bits import random_bits
from ..primitives.random_floats import random_uniform
from . import rounded
from .keys import words_of
from .parameters import cast, checked_shape, float_dtype, integer_dtype, operands, result_shape, stretched
from .uniform_draws import between

__all__ = [
    "cauchy",
    "exponential",
    "geometric",
    "gumbel",
    "laplace",
    "logistic",
    "pareto",
    "rayleigh",
    "triangular",
    "weibull_min",
]


def exponential(key: Any, shape: Any = (), dtype: Any = None) -> Any:
    """Exponential floats of rate 1: -log(1 - u).

    Args:
      key: a single key.
      shape: of the result.
      dtype: a floating dtype; the default one if omitted.

    >>> import functorch_lite as fl
    >>> fl.random.exponential(fl.random.key(0), (2,))
    Array([2.950128 , 3.8434246], dtype=float32)
    """
    words, found = words_of(key, "exponential"), float_dtype(dtype, "exponential")
    return exponentials(words, checked_shape(shape, "exponential"), found)


def exponentials(words: Any, shape: Shape, dtype: np.dtype) -> Any:
    """-log(1 - u)."""
    return e.neg(rounded.log1p(e.neg(random_uniform(words, shape=shape, dtype=dtype))))


def gumbel(key: Any, shape: Any = (), dtype: Any = None, mode: str | None = None) -> Any:
    """Gumbel floats: -log(-log u), u uniform in (0, 1).

    Args:
      key: a single key.
      shape: of the result.
      dtype: a floating dtype; the default one if omitted.
      mode: how finely large values are resolved. "low" (which None means): in float32 the largest is about 16; "high":
        twice that, by two floats each; "highest": by 64 random bits each, in float32 (in other dtypes as "high").

    >>> import functorch_lite as fl
    >>> fl.random.gumbel(fl.random.key(0), (2,))
    Array([2.9233725, 3.8326175], dtype=float32)
    """
    words, found = words_of(key, "gumbel"), float_dtype(dtype, "gumbel")
    return gumbels(words, checked_shape(shape, "gumbel"), found, mode)


def gumbels(words: Any, shape: Shape, dtype: np.dtype, mode: str | None) -> Any:
    """-log(-log u)."""
    info = dtypes.finfo(dtype)
    if mode in (None, "low"):
        u = between(words, shape, dtype, dtype.type(info.tiny), dtype.type(1))
        return e.neg(rounded.log(e.neg(rounded.log(u))))
    if mode not in ("high", "highest"):
        raise ArgumentError(f"the mode of gumbel is 'low', 'high' or 'highest', not {mode!r}.")
    if mode == "highest" and dtype == dtypes.float32:
        return _gumbels_of_64_bits(words, shape)
    coarse, fine = random_uniform(words, shape=(2, *shape), dtype=dtype)
    finer = e.add(e.add(coarse, e.mul(fine, dtype.type(2.0**-info.nmant))), dtype.type(info.tiny))
    u = e.select(e.ge(coarse, dtype.type(0.5)), finer, coarse)
    return e.neg(rounded.log(e.neg(rounded.log1p(e.neg(u)))))


def _gumbels_of_64_bits(words: Any, shape: Shape) -> Any:
    """In float32, with u = k / 2^64; what is nearer to 1 than to 0 is handled as 1 - u, which has more digits there."""
    high, low = random_bits(words, shape=(2, *shape), dtype=dtypes.uint32)
    shift, one = np.uint64(32), np.uint64(1)
    k = e.bitwise_or(e.shift_left(cast(high, dtypes.uint64), shift), cast(low, dtypes.uint64))
    small = e.lt(high, np.uint32(1 << 31))
    x = _fraction(e.select(small, e.add(e.bitwise_not(k), one), k))
    return e.neg(rounded.log(e.neg(e.select(small, rounded.log(x), rounded.log1p(e.neg(x))))))


def _fraction(k: Any) -> Any:
    """K / 2^64 in float32, rounded towards zero; 2^-65 for zero."""
    zeros = e.clz(k)
    mantissa = e.shift_right_logical(e.shift_left(k, zeros), np.uint64(40))
    exponent = e.sub(np.uint64(126), zeros)
    bits = e.bitwise_or(e.shift_left(exponent, np.uint64(23)), e.bitwise_and(mantissa, np.uint64((1 << 23) - 1)))
    return e.bitcast_convert(cast(bits, dtypes.uint32), dtype=dtypes.float32)


def laplace(key: Any, shape: Any = (), dtype: Any = None) -> Any:
    """Laplace floats of scale 1: sign(u) log(1 - |u|), u uniform in (-1, 1).

    Args:
      key: a single key.
      shape: of the result.
      dtype: a floating dtype; the default one if omitted.

    >>> import functorch_lite as fl
    >>> fl.random.laplace(fl.random.key(0), (2,))
    Array([-2.2569816, -3.1502788], dtype=float32)
    """
    words, found = words_of(key, "laplace"), float_dtype(dtype, "laplace")
    low = found.type(-1.0 + float(dtypes.finfo(found).epsneg))
    u = between(words, checked_shape(shape, "laplace"), found, low, found.type(1))
    return e.mul(e.sign(u), rounded.log1p(e.neg(e.abs_(u))))


def logistic(key: Any, shape: Any = (), dtype: Any = None) -> Any:
    """Logistic floats of scale 1: log(u / (1 - u)).

    Args:
      key: a single key.
      shape: of the result.
      dtype: a floating dtype; the default one if omitted.

    >>> import functorch_lite as fl
    >>> fl.random.logistic(fl.random.key(0), (2,))
    Array([2.896376 , 3.8217716], dtype=float32)
    """
    words, found = words_of(key, "logistic"), float_dtype(dtype, "logistic")
    low = found.type(dtypes.finfo(found).tiny)
    u = between(words, checked_shape(shape, "logistic"), found, low, found.type(1))
    return e.sub(rounded.log(u), rounded.log1p(e.neg(u)))


def cauchy(key: Any, shape: Any = (), dtype: Any = None) -> Any:
    """Cauchy floats of scale 1: tan(pi (u - 1/2)).

    Args:
      key: a single key.
      shape: of the result.
      dtype: a floating dtype; the default one if omitted.

    >>> import functorch_lite as fl
    >>> fl.random.cauchy(fl.random.key(0), (2,)).shape
    (2,)
    """
    words, found = words_of(key, "cauchy"), float_dtype(dtype, "cauchy")
    low = found.type(dtypes.finfo(found).eps)
    u = between(words, checked_shape(shape, "cauchy"), found, low, found.type(1))
    return rounded.tan(e.mul(found.type(math.pi), e.sub(u, found.type(0.5))))


def pareto(key: Any, b: Any, shape: Any = None, dtype: Any = None) -> Any:
    """Floats in [1, inf) of density b / x^(b+1): exp(y / b), y exponential.

    Args:
      key: a single key.
      b: positive; stretches to `shape`.
      shape: of the result; the shape of `b` if omitted.
      dtype: a floating dtype; the default one if omitted.

    >>> import functorch_lite as fl
    >>> fl.random.pareto(fl.random.key(0), 2.0, (2,))
    Array([4.371...], dtype=float32)
    """
    words, found = words_of(key, "pareto"), float_dtype(dtype, "pareto")
    (power,) = operands("pareto", b=b)
    full = result_shape(shape, "pareto", power)
    return rounded.exp(e.div(exponentials(words, full, found), stretched(power, full, found)))


def rayleigh(key: Any, scale: Any, shape: Any = None, dtype: Any = None) -> Any:
    """Scale sqrt(-2 log u): the length of a normal vector in two dimensions.

    Args:
      key: a single key.
      scale: positive; stretches to `shape`.
      shape: of the result; the shape of `scale` if omitted.
      dtype: a floating dtype; the default one if omitted.

    >>> import functorch_lite as fl
    >>> fl.random.rayleigh(fl.random.key(0), 1.0, (2,)).shape
    (2,)
    """
    words, found = words_of(key, "rayleigh"), float_dtype(dtype, "rayleigh")
    (factor,) = operands("rayleigh", scale=scale)
    full = result_shape(shape, "rayleigh", factor)
    u = random_uniform(words, shape=full, dtype=found)
    return e.mul(stretched(factor, full, found), e.sqrt(e.mul(rounded.log(u), found.type(-2))))


def weibull_min(key: Any, scale: Any, concentration: Any, shape: Any = (), dtype: Any = None) -> Any:
    """Scale y^(1 / concentration), y exponential.

    Args:
      key: a single key.
      scale: positive.
      concentration: positive.
      shape: of the result; the parameters are broadcast against it.
      dtype: a floating dtype; the default one if omitted.

    >>> import functorch_lite as fl
    >>> fl.random.weibull_min(fl.random.key(0), 1.0, 2.0, (2,)).shape
    (2,)
    """
    words, found = words_of(key, "weibull_min"), float_dtype(dtype, "weibull_min")
    factor, power = (cast(p, found) for p in operands("weibull_min", scale=scale, concentration=concentration))
    y = exponentials(words, checked_shape(shape, "weibull_min"), found)
    return rounded.power(y, 1.0 / power) * factor


def triangular(key: Any, left: Any, mode: Any, right: Any, shape: Any = None, dtype: Any = None) -> Any:
    """Floats in [left, right] whose density rises to `mode` and falls from there, both times as a line.

    Args:
      key: a single key.
      left: the smallest; it and the others stretch to `shape`.
      mode: where the density is largest.
      right: the largest.
      shape: of the result; the shape of the parameters if omitted.
      dtype: a floating dtype; the default one if omitted.

    >>> import functorch_lite as fl
    >>> fl.random.triangular(fl.random.key(0), 0.0, 1.0, 2.0, (2,)).shape
    (2,)
    """
    words, found = words_of(key, "triangular"), float_dtype(dtype, "triangular")
    parts = operands("triangular", left=left, mode=mode, right=right)
    full = result_shape(shape, "triangular", *parts)
    a, b, c = (stretched(p, full, found) for p in parts)
    u = random_uniform(words, shape=full, dtype=found)
    rising = a + e.sqrt(u * (c - a) * (b - a))
    falling = c - e.sqrt((1.0 - u) * (c - a) * (c - b))
    return e.select(e.lt(u, (b - a) / (c - a)), falling, rising)


def geometric(key: Any, p: Any, shape: Any = None, dtype: Any = None) -> Any:
    """The number of trials up to the first success: 1 + floor(log u / log(1 - p)).

    Args:
      key: a single key.
      p: the probability of success; stretches to `shape`.
      shape: of the result; the shape of `p` if omitted.
      dtype: an integer dtype; the default one if omitted.

    >>> import functorch_lite as fl
    >>> fl.random.geometric(fl.random.key(0), 0.1, (4,))
    Array([ 1,  1, 11,  8], dtype=int32)
    """
    words, found = words_of(key, "geometric"), integer_dtype(dtype, "geometric")
    (chance,) = operands("geometric", p=p)
    real = chance.dtype if dtypes.is_floating(chance.dtype) else dtypes.default_float()
    full = result_shape(shape, "geometric", chance)
    u = random_uniform(words, shape=full, dtype=real)
    u = e.select(e.eq(u, real.type(0)), u, real.type(1))
    return cast(e.floor(e.div(rounded.log(u), rounded.log1p(e.neg(stretched(chance, full, real))))) + 1.0, found)
