"""Layers as functions of their parameters."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from .. import dtypes, random
from .. import numpy as fnp
from ..arrays import type_of
from ..direct import inexact
from ..errors import ArgumentError, DTypeError, ShapeError
from ..lax import convolution
from ..lax import reduction as windows
from ..lax.parallel import axis_index, axis_size
from ..numpy.axes import axis_of
from ..promotion import as_operand
from .normalising import standardize

__all__ = ["avg_pool", "conv2d", "dropout", "layer_norm", "linear", "max_pool", "one_hot"]


def linear(x: Any, weight: Any, bias: Any = None) -> Any:
    """X weight + bias.

    Args:
      x: (..., inputs).
      weight: (inputs, outputs).
      bias: (outputs,), or None.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> fl.nn.linear(fnp.ones(3), fnp.ones((3, 2)), fnp.array([0.0, 1.0]))
    Array([3., 4.], dtype=float32)
    """
    out = fnp.matmul(x, weight)
    return out if bias is None else out + bias


def conv2d(
    x: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Any:
    """Two-dimensional convolution (cross-correlation, as networks have it).

    Args:
      x: (n, channels, height, width).
      weight: (outputs, channels / groups, height, width).
      bias: (outputs,), or None.
      stride: step between windows: an integer, or one per axis.
      padding: zeros at each side: an integer, one per axis, or "SAME", "VALID".
      dilation: spacing of the filter's elements.
      groups: into how many groups channels are divided.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> fl.nn.conv2d(fnp.ones((1, 3, 5, 5)), fnp.ones((4, 3, 3, 3)), padding=1).shape
    (1, 4, 5, 5)
    """
    sides = padding if isinstance(padding, str) else [(p, p) for p in _pair(padding)]
    out = convolution.conv_general_dilated(
        as_operand(x),
        as_operand(weight),
        _pair(stride),
        sides,
        rhs_dilation=_pair(dilation),
        feature_group_count=groups,
    )
    return out if bias is None else out + fnp.reshape(bias, (1, -1, 1, 1))


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else tuple(value)


def _windows(x: Any, window: Any, stride: Any, what: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    if x.ndim != 4:
        raise ShapeError(f"{what} needs images (n, channels, height, width), got {x.type}.")
    size = _pair(window)
    return (1, 1, *size), (1, 1, *(size if stride is None else _pair(stride)))


def max_pool(x: Any, window: int | Sequence[int], stride: Any = None, padding: Any = "VALID") -> Any:
    """The largest element of each window.

    Args:
      x: (n, channels, height, width).
      window: its size: an integer, or one per axis.
      stride: step between windows; the size of the window if omitted.
      padding: "VALID", "SAME", or (low, high) for each of the four axes; what is added never is the largest.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> fl.nn.max_pool(fnp.arange(16.0).reshape(1, 1, 4, 4), 2)[0, 0]
    Array([[ 5.,  7.],
           [13., 15.]], dtype=float32)
    """
    images = as_operand(x)
    size, step = _windows(images, window, stride, "max_pool")
    lowest = -fnp.inf if dtypes.is_inexact(images.dtype) else dtypes.iinfo(images.dtype).min
    return windows.reduce_window(images, images.dtype.type(lowest), "max", size, step, padding)


def avg_pool(x: Any, window: int | Sequence[int], stride: Any = None, padding: Any = "VALID") -> Any:
    """The mean of each window; zeros that padding adds count. Arguments as of `max_pool`.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> fl.nn.avg_pool(fnp.arange(16.0).reshape(1, 1, 4, 4), 2)[0, 0]
    Array([[ 2.5,  4.5],
           [10.5, 12.5]], dtype=float32)
    """
    (images,) = inexact(as_operand(x))
    size, step = _windows(images, window, stride, "avg_pool")
    total = windows.reduce_window(images, images.dtype.type(0), "add", size, step, padding)
    return total / (size[2] * size[3])


def layer_norm(x: Any, weight: Any = None, bias: Any = None, axis: Any = -1, eps: float = 1e-5) -> Any:
    """(x - mean) / sqrt(variance + eps) along axes, times weight, plus bias.

    Args:
      x: an array.
      weight: broadcasts with x; 1 if omitted.
      bias: likewise; 0 if omitted.
      axis: an axis, several, or None for all.
      eps: keeps the root from zero.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> fl.nn.layer_norm(fnp.array([1.0, 3.0]), bias=1.0, eps=0.0)
    Array([0., 2.], dtype=float32)
    """
    out = standardize(x, axis, epsilon=eps, algorithm="stable")
    out = out if weight is None else out * weight
    return out if bias is None else out + bias


def dropout(key: Any, x: Any, rate: float, deterministic: bool = False) -> Any:
    """Sets each element to zero with probability `rate`, and scales the others by 1 / (1 - rate).

    Args:
      key: a key of `random`.
      x: an array.
      rate: in [0, 1).
      deterministic: whether to leave x as it is, as when a network is used rather than trained.

    Raises:
      ValueError: for another rate.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> fl.nn.dropout(fl.random.key(0), fnp.ones(3), 0.5, deterministic=True)
    Array([1., 1., 1.], dtype=float32)
    """
    if not 0 <= rate < 1:
        raise ArgumentError(f"dropout: rate is {rate}, needed is 0 <= rate < 1.")
    (values,) = inexact(as_operand(x))
    if deterministic or rate == 0:
        return values
    kept = random.bernoulli(key, 1 - rate, values.shape)
    return fnp.where(kept, values / (1 - rate), 0)


def one_hot(x: Any, num_classes: int, *, dtype: Any = None, axis: Any = -1) -> Any:
    """1 at the position that the integers of `x` name along a new axis, 0 elsewhere (everywhere if out of range).

    Args:
      x: integers.
      num_classes: the size of the new axis.
      dtype: of the result, the default float if omitted.
      axis: where the new axis stands; or the name of an axis of `vmap`, of which each member gets its own class.

    Raises:
      DTypeError: if x is not of integers.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> fl.nn.one_hot(fnp.array([1, 3]), 3)
    Array([[0., 1., 0.],
           [0., 0., 0.]], dtype=float32)
    """
    classes = fnp.asarray(x)
    if dtypes.is_inexact(classes.dtype):
        raise DTypeError(f"one_hot needs integers, got {type_of(classes)}: cast with astype(int).")
    num_classes = operator.index(num_classes)
    found = dtypes.default_float() if dtype is None else dtypes.as_dtype(dtype)
    if not hasattr(axis, "__index__"):
        if axis_size(axis) != num_classes:
            raise ShapeError(
                f"one_hot: num_classes is {num_classes}, needed is the size of axis {axis!r}, {axis_size(axis)}."
            )
        return fnp.astype(fnp.equal(classes, axis_index(axis)), found)
    position = axis_of("one_hot", axis, classes.ndim + 1)
    shape = [1] * (classes.ndim + 1)
    shape[position] = num_classes
    # Small integer dtypes may not hold all classes; the comparison promotes.
    fits = dtypes.is_integer(classes.dtype) and num_classes <= dtypes.iinfo(classes.dtype).max
    numbers = fnp.reshape(fnp.arange(num_classes, dtype=classes.dtype if fits else None), shape)
    return fnp.astype(fnp.equal(fnp.expand_dims(classes, position), numbers), found)
