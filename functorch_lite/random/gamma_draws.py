"""The gamma distribution and what is made of it. Derivatives by the shape parameter are implicit."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import numpy as fnp
from ..array_type import Shape
from ..errors import ShapeError
from ..primitives import elementwise as e
from ..primitives.random_bits import random_split
from ..primitives.random_floats import random_normal
from ..primitives.random_gamma import random_gamma
from ..transforms.custom_jvp import stop_gradient
from . import rounded
from .inverse_draws import exponentials
from .keys import two_words, words_of
from .parameters import cast, checked_shape, float_dtype, operands, result_shape, stretched
from .uniform_draws import rademacher

__all__ = ["ball", "beta", "chisquare", "dirichlet", "f", "gamma", "generalized_normal", "loggamma", "t"]


def _gammas(words: Any, a: Any, shape: Shape, dtype: np.dtype, *, log_space: bool) -> Any:
    keys = random_split(words, shape=shape)
    return random_gamma(keys, stretched(a, shape, dtype), log_space=log_space)


def gamma(key: Any, a: Any, shape: Any = None, dtype: Any = None) -> Any:
    """Floats of density x^(a-1) exp(-x) / gamma(a).

    Args:
      key: a single key.
      a: positive; stretches to `shape`. The variates are differentiable by it.
      shape: of the result; the shape of `a` if omitted.
      dtype: a floating dtype; the default one if omitted.

    >>> import functorch_lite as fl
    >>> fl.random.gamma(fl.random.key(0), 2.0, (2,)).shape
    (2,)
    """
    words, found = words_of(key, "gamma"), float_dtype(dtype, "gamma")
    (alpha,) = operands("gamma", a=a)
    return _gammas(words, alpha, result_shape(shape, "gamma", alpha), found, log_space=False)


def loggamma(key: Any, a: Any, shape: Any = None, dtype: Any = None) -> Any:
    """The logarithm of what `gamma` gives: for small `a`, when that is too small for a float.

    Args:
      key: a single key.
      a: positive; stretches to `shape`. The variates are differentiable by it.
      shape: of the result; the shape of `a` if omitted.
      dtype: a floating dtype; the default one if omitted.

    >>> import functorch_lite as fl
    >>> fl.random.loggamma(fl.random.key(0), 0.001) < -100
    Array(True, dtype=bool)
    """
    words, found = words_of(key, "loggamma"), float_dtype(dtype, "loggamma")
    (alpha,) = operands("loggamma", a=a)
    return _gammas(words, alpha, result_shape(shape, "loggamma", alpha), found, log_space=True)


def beta(key: Any, a: Any, b: Any, shape: Any = None, dtype: Any = None) -> Any:
    """Floats in [0, 1] of density proportional to x^(a-1) (1-x)^(b-1).

    Args:
      key: a single key.
      a: positive; stretches to `shape`.
      b: likewise.
      shape: of the result; the shape of the parameters if omitted.
      dtype: a floating dtype; the default one if omitted.

    >>> import functorch_lite as fl
    >>> fl.random.beta(fl.random.key(0), 2.0, 3.0, (2,)).shape
    (2,)
    """
    words, found = words_of(key, "beta"), float_dtype(dtype, "beta")
    parts = operands("beta", a=a, b=b)
    full = result_shape(shape, "beta", *parts)
    log_x, log_y = (_gammas(w, p, full, found, log_space=True) for w, p in zip(two_words(words), parts, strict=True))
    top = e.max_(log_x, log_y)
    x, y = rounded.exp(log_x - top), rounded.exp(log_y - top)
    return x / (x + y)


def dirichlet(key: Any, alpha: Any, shape: Any = None, dtype: Any = None) -> Any:
    """Vectors of positive numbers that sum to 1, of density proportional to prod x_i^(alpha_i - 1).

    Args:
      key: a single key.
      alpha: positive; [..., n].
      shape: of the result without its last axis; `alpha.shape[:-1]`, which stretches to it, if omitted.
      dtype: a floating dtype; the default one if omitted.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> fl.random.dirichlet(fl.random.key(0), fnp.ones(3), (2,)).shape
    (2, 3)
    """
    words, found = words_of(key, "dirichlet"), float_dtype(dtype, "dirichlet")
    (concentration,) = operands("dirichlet", alpha=alpha)
    if not concentration.ndim:
        raise ShapeError("dirichlet needs a vector alpha (or a batch of vectors), got a scalar.")
    n = concentration.shape[-1]
    batch = concentration.shape[:-1] if shape is None else checked_shape(shape, "dirichlet")
    full = result_shape((*batch, n), "dirichlet", concentration)
    logs = _gammas(words, concentration, full, found, log_space=True)
    parts = rounded.exp(logs - stop_gradient(fnp.max(logs, axis=-1, keepdims=True)))
    return parts / rounded.sum_last(parts)[..., None]


def chisquare(key: Any, df: Any, shape: Any = None, dtype: Any = None) -> Any:
    """The sum of the squares of `df` standard normal numbers.

    Args:
      key: a single key.
      df: degrees of freedom, positive; stretches to `shape`.
      shape: of the result; the shape of `df` if omitted.
      dtype: a floating dtype; the default one if omitted.

    >>> import functorch_lite as fl
    >>> fl.random.chisquare(fl.random.key(0), 3.0, (2,)).shape
    (2,)
    """
    words, found = words_of(key, "chisquare"), float_dtype(dtype, "chisquare")
    (degrees,) = operands("chisquare", df=df)
    return _chisquares(words, cast(degrees, found), result_shape(shape, "chisquare", degrees), found)


def _chisquares(words: Any, df: Any, shape: Shape, dtype: np.dtype) -> Any:
    return rounded.exp(_gammas(words, df / 2.0, shape, dtype, log_space=True)) * 2.0


def f(key: Any, dfnum: Any, dfden: Any, shape: Any = None, dtype: Any = None) -> Any:
    """Fisher's F: the ratio of two chi-square variates, each divided by its degrees of freedom.

    Args:
      key: a single key.
      dfnum: degrees of freedom of the numerator, positive; stretches to `shape`.
      dfden: of the denominator; likewise.
      shape: of the result; the shape of the parameters if omitted.
      dtype: a floating dtype; the default one if omitted.

    >>> import functorch_lite as fl
    >>> fl.random.f(fl.random.key(0), 3.0, 5.0, (2,)).shape
    (2,)
    """
    words, found = words_of(key, "f"), float_dtype(dtype, "f")
    parts = operands("f", dfnum=dfnum, dfden=dfden)
    full = result_shape(shape, "f", *parts)
    above, below = (cast(p, found) for p in parts)
    for_below, for_above = two_words(words)
    return (_chisquares(for_above, above, full, found) / above) / (_chisquares(for_below, below, full, found) / below)


def t(key: Any, df: Any, shape: Any = None, dtype: Any = None) -> Any:
    """Student's t: a standard normal number divided by sqrt(chi-square / df).

    Args:
      key: a single key.
      df: degrees of freedom, positive; stretches to `shape`.
      shape: of the result; the shape of `df` if omitted.
      dtype: a floating dtype; the default one if omitted.

    >>> import functorch_lite as fl
    >>> fl.random.t(fl.random.key(0), 3.0, (2,)).shape
    (2,)
    """
    words, found = words_of(key, "t"), float_dtype(dtype, "t")
    (degrees,) = operands("t", df=df)
    full = result_shape(shape, "t", degrees)
    first, second = two_words(words)
    half = stretched(degrees, full, found) / 2.0
    return random_normal(first, shape=full, dtype=found) * e.sqrt(
        half / _gammas(second, half, full, found, log_space=False)
    )


def generalized_normal(key: Any, p: Any, shape: Any = (), dtype: Any = None) -> Any:
    """Floats of density proportional to exp(-|x|^p).

    Args:
      key: a single key.
      p: the power, positive; a number.
      shape: of the result.
      dtype: a floating dtype; the default one if omitted.

    >>> import functorch_lite as fl
    >>> fl.random.generalized_normal(fl.random.key(0), 1.0, (2,)).shape
    (2,)
    """
    words, found = words_of(key, "generalized_normal"), float_dtype(dtype, "generalized_normal")
    (power,) = operands("generalized_normal", p=p)
    return _generalized_normals(words, cast(power, found), checked_shape(shape, "generalized_normal"), found)


def _generalized_normals(words: Any, p: Any, shape: Shape, dtype: np.dtype) -> Any:
    first, second = two_words(words)
    size = _gammas(first, 1.0 / p, shape, dtype, log_space=False)
    return rademacher(second, shape, dtype) * rounded.power(size, 1.0 / p)


def ball(key: Any, d: int, p: Any = 2, shape: Any = (), dtype: Any = None) -> Any:
    """Points uniform in the ball of radius 1 of the p-norm.

    Args:
      key: a single key.
      d: how many coordinates.
      p: of the norm.
      shape: of the result without its last axis, which is that of the coordinates.
      dtype: a floating dtype; the default one if omitted.

    >>> import functorch_lite as fl
    >>> fl.random.ball(fl.random.key(0), 3, shape=(2,)).shape
    (2, 3)
    """
    words, found = words_of(key, "ball"), float_dtype(dtype, "ball")
    full = checked_shape(shape, "ball")
    (coordinates,) = checked_shape(d, "ball")
    (norm,) = operands("ball", p=p)
    power = cast(norm, found)
    first, second = two_words(words)
    x = _generalized_normals(first, power, (*full, coordinates), found)
    y = exponentials(second, full, found)
    return x / rounded.power(rounded.sum_last(rounded.power(abs(x), power)) + y, 1.0 / power)[..., None]
