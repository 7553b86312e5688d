"""Initial values of parameters: functions that give functions (key, shape, dtype) -> array."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal

from .. import dtypes, random
from .. import numpy as fnp

__all__ = [
    "constant",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "kaiming_normal",
    "kaiming_uniform",
    "lecun_normal",
    "lecun_uniform",
    "normal",
    "ones",
    "truncated_normal",
    "uniform",
    "variance_scaling",
    "xavier_normal",
    "xavier_uniform",
    "zeros",
]

Initializer = Callable[..., Any]


def zeros(key: Any, shape: Sequence[int], dtype: Any = None) -> Any:
    """Zeros."""
    return fnp.zeros(shape, dtype)


def ones(key: Any, shape: Sequence[int], dtype: Any = None) -> Any:
    """Ones."""
    return fnp.ones(shape, dtype)


def constant(value: Any, dtype: Any = None) -> Initializer:
    """The same value everywhere."""
    return lambda key, shape, dtype=dtype: fnp.full(shape, value, dtype)


def normal(stddev: Any = 1e-2, dtype: Any = None) -> Initializer:
    """Normal numbers of a standard deviation."""
    return lambda key, shape, dtype=dtype: random.normal(key, shape, dtype) * stddev


def uniform(scale: Any = 1e-2, dtype: Any = None) -> Initializer:
    """Numbers uniform in [0, scale)."""
    return lambda key, shape, dtype=dtype: random.uniform(key, shape, dtype) * scale


def truncated_normal(stddev: Any = 1e-2, dtype: Any = None, lower: float = -2.0, upper: float = 2.0) -> Initializer:
    """Normal numbers between `lower` and `upper`, times `stddev`."""
    return lambda key, shape, dtype=dtype: random.truncated_normal(key, lower, upper, shape, dtype) * stddev


def _fans(shape: Sequence[int], in_axis: Any, out_axis: Any, batch_axis: Any) -> tuple[float, float]:
    def size(axes: Any) -> int:
        return math.prod(shape[a] for a in ((axes,) if isinstance(axes, int) else axes))

    if len(shape) <= 1 and batch_axis == ():
        raise ValueError(f"this initializer needs a shape with at least two axes, got {tuple(shape)}.")
    n_in, n_out = size(in_axis), size(out_axis)
    field = math.prod(shape) / n_in / n_out / size(batch_axis)
    return n_in * field, n_out * field


def variance_scaling(
    scale: float,
    mode: Literal["fan_in", "fan_out", "fan_avg"],
    distribution: Literal["normal", "truncated_normal", "uniform"],
    in_axis: int | Sequence[int] = -2,
    out_axis: int | Sequence[int] = -1,
    batch_axis: Sequence[int] = (),
    dtype: Any = None,
) -> Initializer:
    """Numbers of mean 0 and variance scale / n, n the number of inputs, of outputs, or their mean.

    Args:
      scale: the factor.
      mode: what n is.
      distribution: of the numbers.
      in_axis: the axes of inputs.
      out_axis: the axes of outputs.
      batch_axis: axes that are neither.
      dtype: the dtype if none is asked for.
    """

    def init(key: Any, shape: Sequence[int], dtype: Any = dtype) -> Any:
        fan_in, fan_out = _fans(shape, in_axis, out_axis, batch_axis)
        fans = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
        if mode not in fans:
            raise ValueError(f"variance_scaling: mode is {mode!r}, needed is one of {sorted(fans)}.")
        found = dtypes.default_float() if dtype is None else dtypes.as_dtype(dtype)
        deviation = found.type(math.sqrt(scale / fans[mode]))
        if distribution == "normal":
            return random.normal(key, shape, found) * deviation
        if distribution == "uniform":
            return random.uniform(key, shape, found, -1) * found.type(math.sqrt(3 * scale / fans[mode]))
        if distribution == "truncated_normal":
            # The standard deviation of a normal number that is known to lie in (-2, 2).
            return random.truncated_normal(key, -2, 2, shape, found) * found.type(deviation / 0.87962566103423978)
        raise ValueError(f"variance_scaling: the distribution {distribution!r} is not known.")

    return init


def _scaled(scale: float, mode: Any, distribution: Any, name: str, doc: str) -> Callable[..., Initializer]:
    def make(in_axis: Any = -2, out_axis: Any = -1, batch_axis: Any = (), dtype: Any = None) -> Initializer:
        return variance_scaling(scale, mode, distribution, in_axis, out_axis, batch_axis, dtype)

    make.__name__ = make.__qualname__ = name
    make.__doc__ = doc
    return make


glorot_uniform = _scaled(1.0, "fan_avg", "uniform", "glorot_uniform", "Glorot and Bengio, 2010; uniform.")
glorot_normal = _scaled(1.0, "fan_avg", "truncated_normal", "glorot_normal", "Glorot and Bengio, 2010; normal.")
lecun_uniform = _scaled(1.0, "fan_in", "uniform", "lecun_uniform", "LeCun, Bottou, Orr and Mueller, 1998; uniform.")
lecun_normal = _scaled(
    1.0, "fan_in", "truncated_normal", "lecun_normal", "LeCun, Bottou, Orr and Mueller, 1998; normal."
)
he_uniform = _scaled(2.0, "fan_in", "uniform", "he_uniform", "He, Zhang, Ren and Sun, 2015; uniform.")
he_normal = _scaled(2.0, "fan_in", "truncated_normal", "he_normal", "He, Zhang, Ren and Sun, 2015; normal.")
xavier_uniform, xavier_normal = glorot_uniform, glorot_normal
kaiming_uniform, kaiming_normal = he_uniform, he_normal
