"""Permutations, choices from what is given, and categories by their log-probabilities."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import dtypes
from .. import numpy as fnp
from ..array_type import Shape
from ..arrays import type_of
from ..errors import ArgumentError, DTypeError, ShapeError
from ..primitives import sorting
from ..primitives.random_bits import random_bits
from ..promotion import as_operand, broadcast_shapes
from . import rounded
from .inverse_draws import gumbels
from .keys import two_words, words_of
from .parameters import cast, checked_shape, operands
from .uniform_draws import randint, uniform

__all__ = ["categorical", "choice", "permutation"]


def _axis(axis: int, ndim: int, name: str, what: Any) -> int:
    if not -ndim <= axis < ndim:
        raise ShapeError(f"{name}: axis {axis} is out of range for {what}.")
    return axis % ndim


def _range(n: int) -> Any:
    return fnp.arange(n, dtype=dtypes.position_dtype(n))


def _shuffled(words: Any, x: Any, axis: int) -> Any:
    """Sort by random numbers, so often that all differ in some round."""
    size = x.size
    rounds = math.ceil(3 * math.log(max(1, size)) / math.log(0xFFFFFFFF))
    for _ in range(rounds):
        words, subwords = two_words(words)
        order = random_bits(subwords, shape=x.shape, dtype=dtypes.uint32)
        x = sorting.sort(order, x, dimension=axis, is_stable=True, num_keys=1)[1]
    return x


def permutation(key: Any, x: Any, axis: int = 0, independent: bool = False) -> Any:
    """A random permutation of range(x), or of an array along an axis.

    Args:
      key: a single key.
      x: an integer, or an array.
      axis: along which to permute.
      independent: whether each line along the axis is permuted on its own.

    >>> import functorch_lite as fl
    >>> fl.random.permutation(fl.random.key(0), 5)
    Array([0, 1, 4, 3, 2], dtype=int32)
    """
    words = words_of(key, "permutation")
    array = None if isinstance(x, (int, np.integer)) else as_operand(x, "x of permutation")
    if array is None or not array.shape:
        if array is not None and not dtypes.is_integer(array.dtype):
            raise DTypeError(f"permutation takes an integer or an array with axes, got {type_of(array)}.")
        _axis(axis, 1, "permutation", "the range of an integer")
        return _shuffled(words, _range(int(x)), 0)
    axis = _axis(axis, array.ndim, "permutation", type_of(array))
    if independent or array.ndim == 1:
        return _shuffled(words, array, axis)
    return fnp.take(array, _shuffled(words, _range(array.shape[axis]), 0), axis=axis)


def choice(
    key: Any,
    a: Any,
    shape: Any = (),
    replace: bool = True,
    p: Any = None,
    axis: int = 0,
    mode: str | None = None,
) -> Any:
    """Random elements of range(a), or of an array along an axis.

    Args:
      key: a single key.
      a: an integer, or an array.
      shape: of the draws; it takes the place of the axis in the result's shape.
      replace: whether an element may be drawn more than once.
      p: a probability for each element; all equal if omitted.
      axis: along which to choose.
      mode: of `gumbel`, where `p` is given and `replace` is false.

    >>> import functorch_lite as fl
    >>> fl.random.choice(fl.random.key(0), 10, (3,), replace=False)
    Array([0, 1, 8], dtype=int32)
    """
    words = words_of(key, "choice")
    array = None if isinstance(a, (int, np.integer)) else as_operand(a, "a of choice")
    if array is not None and not array.shape:
        if not dtypes.is_integer(array.dtype):
            raise DTypeError(f"choice takes an integer or an array with axes, got {type_of(array)}.")
        a, array = int(array), None  # type: ignore[arg-type]
    axis = _axis(axis, 1 if array is None else array.ndim, "choice", "the range of an integer" if array is None else a)
    n = int(a) if array is None else array.shape[axis]
    full = checked_shape(shape, "choice")
    k = math.prod(full)
    if k and n <= 0:
        raise ArgumentError("choice: there is nothing to choose from (a is empty or not positive).")
    if not replace and k > n:
        raise ArgumentError(f"choice without replacement: {k} draws of {n} elements.")
    if p is None and not replace:
        drawn = permutation(key, n if array is None else array, axis)
        if array is None:
            return drawn[:k].reshape(full)
        drawn = drawn[(slice(None),) * axis + (slice(k),)]
        return drawn.reshape((*array.shape[:axis], *full, *array.shape[axis + 1 :]))
    indices = (
        randint(key, full, 0, max(n, 1), dtypes.position_dtype(n))
        if p is None
        else _chosen(words, n, full, replace, p, mode)
    )
    return indices if array is None else fnp.take(array, indices, axis=axis)


_running_sum = rounded.exactly(fnp.cumsum)


def _chosen(words: Any, n: int, shape: Shape, replace: bool, p: Any, mode: str | None) -> Any:
    """Positions by their probabilities."""
    (weights,) = operands("choice", p=p)
    if not dtypes.is_floating(weights.dtype):
        weights = cast(weights, dtypes.default_float())
    if weights.shape != (n,):
        raise ShapeError(f"choice: p needs a probability for each of the {n} elements, got {type_of(weights)}.")
    if replace:
        cumulative = _running_sum(weights)
        drawn = cumulative[-1] * (1.0 - uniform(words, shape, cumulative.dtype)) if n else fnp.zeros(shape)
        return fnp.searchsorted(cumulative, drawn)
    scores = gumbels(words, (n,), weights.dtype, mode) + rounded.log(weights)
    return cast(sorting.top_k(scores, k=math.prod(shape))[1].reshape(shape), dtypes.position_dtype(n))


def categorical(
    key: Any, logits: Any, axis: int = -1, shape: Any = None, replace: bool = True, mode: str | None = None
) -> Any:
    """Indices drawn with probabilities softmax(logits) along an axis: where logits + gumbel is largest.

    Args:
      key: a single key.
      logits: unnormalised log-probabilities.
      axis: the axis of the categories.
      shape: of the result; the shape of `logits` without `axis`, which stretches to it, if omitted. Without replacement
        it ends with that shape.
      replace: whether an index may be drawn more than once.
      mode: of `gumbel`.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> fl.random.categorical(fl.random.key(0), fnp.log(fnp.asarray([0.1, 0.2, 0.7])), shape=(4,))
    Array([...], dtype=int32)
    """
    words = words_of(key, "categorical")
    (scores,) = operands("categorical", logits=logits)
    if not dtypes.is_floating(scores.dtype):
        raise DTypeError(f"categorical: logits must be floats, got {type_of(scores)}.")
    axis = _axis(axis, scores.ndim, "categorical", type_of(scores))
    batch = (*scores.shape[:axis], *scores.shape[axis + 1 :])
    full = batch if shape is None else checked_shape(shape, "categorical")
    prefix, inner = full[: len(full) - len(batch)], full[len(full) - len(batch) :]
    if len(full) < len(batch) or broadcast_shapes("categorical", [full, batch]) != full:
        raise ShapeError(f"categorical: the shape {batch} of the logits without their axis does not stretch to {full}.")
    n = scores.shape[axis]
    if replace:
        noise = gumbels(words, (*prefix, *inner[:axis], n, *inner[axis:]), scores.dtype, mode)
        return fnp.argmax(noise + scores, axis=axis - scores.ndim)
    k = math.prod(prefix)
    if k > n:
        raise ArgumentError(f"categorical without replacement: {k} draws of {n} categories.")
    if inner != batch:
        raise ShapeError(f"categorical without replacement: the shape {full} must end with {batch}, as the logits do.")
    noisy = fnp.moveaxis(scores + gumbels(words, scores.shape, scores.dtype, mode), axis, -1)
    chosen = sorting.top_k(noisy, k=k)[1]
    return cast(fnp.moveaxis(chosen, -1, 0).reshape(full), dtypes.position_dtype(n))
