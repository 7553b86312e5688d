"""Layers as functions of their parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import dtypes, random
from .. import numpy as fnp
from ..errors import ShapeError
from ..lax import convolution
from ..lax import reduction as windows
from ..promotion import as_operand

__all__ = ["avg_pool", "conv2d", "dropout", "layer_norm", "linear", "max_pool", "one_hot"]


def linear(x: Any, weight: Any, bias: Any = None) -> Any:
    """x weight + bias.

    Args:
      x: (..., inputs).
      weight: (inputs, outputs).
      bias: (outputs,), or None.
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
    """The largest element of each window of images (n, channels, height, width)."""
    images = as_operand(x)
    size, step = _windows(images, window, stride, "max_pool")
    return windows.reduce_window(images, -fnp.inf, "max", size, step, padding)


def avg_pool(x: Any, window: int | Sequence[int], stride: Any = None, padding: Any = "VALID") -> Any:
    """The mean of each window of images (n, channels, height, width)."""
    images = as_operand(x)
    size, step = _windows(images, window, stride, "avg_pool")
    total = windows.reduce_window(images, 0.0, "add", size, step, padding)
    return total / (size[2] * size[3])


def layer_norm(x: Any, weight: Any = None, bias: Any = None, axis: Any = -1, eps: float = 1e-5) -> Any:
    """(x - mean) / sqrt(variance + eps) along axes, times weight, plus bias."""
    values = as_operand(x)
    centred = values - fnp.mean(values, axis=axis, keepdims=True)
    out = centred / fnp.sqrt(fnp.mean(fnp.square(centred), axis=axis, keepdims=True) + eps)
    out = out if weight is None else out * weight
    return out if bias is None else out + bias


def dropout(key: Any, x: Any, rate: float, deterministic: bool = False) -> Any:
    """Sets each element to zero with probability `rate`, and scales the others by 1 / (1 - rate)."""
    if not 0 <= rate < 1:
        raise ValueError(f"dropout: rate is {rate}, needed is 0 <= rate < 1.")
    values = as_operand(x)
    if deterministic or rate == 0:
        return values
    kept = random.bernoulli(key, 1 - rate, values.shape)
    return fnp.where(kept, values / (1 - rate), 0)


def one_hot(x: Any, num_classes: int, *, dtype: Any = None, axis: int = -1) -> Any:
    """1 at the position that the integers of `x` name along a new axis, 0 elsewhere (everywhere if out of range)."""
    classes = as_operand(x)
    found = dtypes.default_float() if dtype is None else dtypes.as_dtype(dtype)
    position = axis % (classes.ndim + 1)
    shape = [1] * (classes.ndim + 1)
    shape[position] = num_classes
    numbers = fnp.reshape(fnp.arange(num_classes, dtype=classes.dtype), shape)
    return fnp.astype(fnp.equal(fnp.expand_dims(classes, position), numbers), found)
