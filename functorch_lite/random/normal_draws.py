"""Normal variates, and what is made of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import dtypes
from ..array_type import Shape
from ..errors import DTypeError
from ..primitives import elementwise as e
from ..primitives.random_floats import random_normal, random_uniform
from ..transforms.custom_jvp import stop_gradient
from . import rounded
from .keys import two_words, words_of
from .parameters import checked_shape, float_dtype, operands, result_shape, stretched
from .uniform_draws import between, rademacher

__all__ = ["double_sided_maxwell", "lognormal", "maxwell", "normal", "truncated_normal", "wald"]


def normal(key: Any, shape: Any = (), dtype: Any = None) -> Any:
    """Standard normal floats, or complex numbers of variance 1: sqrt(2) erf_inv(u), u uniform in (-1, 1).

    Args:
      key: a single key.
      shape: of the result.
      dtype: a floating or complex dtype; the default floating one if omitted.

    >>> import functorch_lite as fl
    >>> fl.random.normal(fl.random.key(0), (2,))
    Array([1.6226422, 2.0252647], dtype=float32)
    """
    words = words_of(key, "normal")
    found = dtypes.default_float() if dtype is None else dtypes.as_dtype(dtype)
    full = checked_shape(shape, "normal")
    if dtypes.is_floating(found):
        return random_normal(words, shape=full, dtype=found)
    if not dtypes.is_complex(found):
        raise DTypeError(
            f"normal gives floats or complex numbers, but the dtype asked for is {dtypes.short_name(found)}."
        )
    part = dtypes.real_dtype(found)
    real, imaginary = (random_normal(w, shape=full, dtype=part) for w in two_words(words))
    root = part.type(math.sqrt(2))
    return e.complex_(e.div(real, root), e.div(imaginary, root))


def truncated_normal(key: Any, lower: Any, upper: Any, shape: Any = None, dtype: Any = None) -> Any:
    """Standard normal floats, given that they lie in (lower, upper): sqrt(2) erf_inv(u), u between the bounds' erf.

    Args:
      key: a single key.
      lower: the bounds; they stretch to `shape`.
      upper: likewise.
      shape: of the result; the shape of the bounds if omitted.
      dtype: a floating dtype; the default one if omitted.

    >>> import functorch_lite as fl
    >>> fl.random.truncated_normal(fl.random.key(0), -2.0, 2.0, (2,))
    Array([1.4559592, 1.7147489], dtype=float32)
    """
    words, found = words_of(key, "truncated_normal"), float_dtype(dtype, "truncated_normal")
    low, high = operands("truncated_normal", lower=lower, upper=upper)
    full = result_shape(shape, "truncated_normal", low, high)
    low, high = (stretched(v, full if v.shape else (), found) for v in (low, high))
    root = found.type(math.sqrt(2))
    u = between(words, full, found, rounded.erf(e.div(low, root)), rounded.erf(e.div(high, root)))
    out = e.mul(root, rounded.erf_inv(u))
    return e.min_(e.max_(out, _next(low, np.inf)), _next(high, -np.inf))


def _next(bound: Any, towards: float) -> Any:
    return e.nextafter(stop_gradient(bound), bound.dtype.type(towards))


def lognormal(key: Any, sigma: Any = 1.0, shape: Any = None, dtype: Any = None) -> Any:
    """Exp(sigma z), z standard normal.

    Args:
      key: a single key.
      sigma: the standard deviation of the logarithm; stretches to `shape`.
      shape: of the result; the shape of `sigma` if omitted.
      dtype: a floating dtype; the default one if omitted.

    >>> import functorch_lite as fl
    >>> fl.random.lognormal(fl.random.key(0), 0.5, (2,))
    Array([2.2508795, 2.752838 ], dtype=float32)
    """
    words, found = words_of(key, "lognormal"), float_dtype(dtype, "lognormal")
    (deviation,) = operands("lognormal", sigma=sigma)
    full = result_shape(shape, "lognormal", deviation)
    return rounded.exp(random_normal(words, shape=full, dtype=found) * stretched(deviation, full, found))


def maxwell(key: Any, shape: Any = (), dtype: Any = None) -> Any:
    """The length of a standard normal vector in three dimensions.

    Args:
      key: a single key.
      shape: of the result.
      dtype: a floating dtype; the default one if omitted.

    >>> import functorch_lite as fl
    >>> fl.random.maxwell(fl.random.key(0), (2,))
    Array([2.6310966, 0.9910329], dtype=float32)
    """
    words, found = words_of(key, "maxwell"), float_dtype(dtype, "maxwell")
    return _lengths(words, checked_shape(shape, "maxwell"), found)


def _lengths(words: Any, shape: Shape, dtype: np.dtype) -> Any:
    vectors = random_normal(words, shape=(*shape, 3), dtype=dtype)
    x, y, z = (vectors[..., i] for i in range(3))  # a sum in an order of its own, the same wherever it is computed
    return e.sqrt(x * x + y * y + z * z)


def double_sided_maxwell(key: Any, loc: Any, scale: Any, shape: Any = (), dtype: Any = None) -> Any:
    """Loc + scale * s * x, x of Maxwell's distribution, s a random sign.

    Args:
      key: a single key.
      loc: the centre.
      scale: factors.
      shape: comes before the shape of the parameters in the result's.
      dtype: a floating dtype; the default one if omitted.

    >>> import functorch_lite as fl
    >>> fl.random.double_sided_maxwell(fl.random.key(0), 0.0, 1.0, (2,)).shape
    (2,)
    """
    words, found = words_of(key, "double_sided_maxwell"), float_dtype(dtype, "double_sided_maxwell")
    centre, factor = operands("double_sided_maxwell", loc=loc, scale=scale)
    own = result_shape(None, "double_sided_maxwell", centre, factor)
    full = (checked_shape(shape, "double_sided_maxwell") or own) + own
    first, second = two_words(words)
    signs = rademacher(second, full, found)
    return signs * _lengths(first, full, found) * stretched(factor, full, found) + stretched(centre, full, found)


def wald(key: Any, mean: Any, shape: Any = None, dtype: Any = None) -> Any:
    """The inverse Gaussian distribution of a given mean, with scale 1.

    Args:
      key: a single key.
      mean: positive; stretches to `shape`.
      shape: of the result; the shape of `mean` if omitted.
      dtype: a floating dtype; the default one if omitted.

    >>> import functorch_lite as fl
    >>> fl.random.wald(fl.random.key(0), 1.0, (2,)).shape
    (2,)
    """
    words, found = words_of(key, "wald"), float_dtype(dtype, "wald")
    (centre,) = operands("wald", mean=mean)
    full = result_shape(shape, "wald", centre)
    m = stretched(centre, full, found)
    first, second = two_words(words)
    y = e.square(random_normal(first, shape=full, dtype=found))
    z = random_uniform(second, shape=full, dtype=found)
    square = m * m
    x = m + square * y / 2.0 - m / 2.0 * e.sqrt(4.0 * m * y + square * (y * y))
    return e.select(e.le(z, m / (m + x)), square / x, x)
