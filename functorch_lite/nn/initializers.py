"""Initial values of parameters: functions that give functions (key, shape, dtype) -> array."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal

from .. import dtypes, random
from .. import numpy as fnp
from ..errors import ArgumentError, ShapeError

__all__ = [
    "Initializer",
    "constant",
    "delta_orthogonal",
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
    "orthogonal",
    "truncated_normal",
    "uniform",
    "variance_scaling",
    "xavier_normal",
    "xavier_uniform",
    "zeros",
]

Initializer = Callable[..., Any]


def zeros(key: Any, shape: Sequence[int], dtype: Any = None) -> Any:
    """Zeros; the key is not used.

    >>> zeros(None, (2,))
    Array([0., 0.], dtype=float32)
    """
    return fnp.zeros(shape, dtype)


def ones(key: Any, shape: Sequence[int], dtype: Any = None) -> Any:
    """Ones; the key is not used.

    >>> ones(None, (2,))
    Array([1., 1.], dtype=float32)
    """
    return fnp.ones(shape, dtype)


def constant(value: Any, dtype: Any = None) -> Initializer:
    """The same value everywhere.

    Args:
      value: a number, or an array that broadcasts to the shapes asked for.
      dtype: the dtype if none is asked for; the default float if omitted.

    >>> constant(0.5)(None, (2,))
    Array([0.5, 0.5], dtype=float32)
    """
    return lambda key, shape, dtype=dtype: fnp.full(shape, value, _dtype(dtype))


def _dtype(dtype: Any) -> Any:
    return dtypes.default_float() if dtype is None else dtypes.as_dtype(dtype)


def _times(x: Any, factor: Any) -> Any:
    """A product in the dtype of x, also where the factor is an array."""
    return x * fnp.asarray(factor, dtype=x.dtype)


def normal(stddev: Any = 1e-2, dtype: Any = None) -> Initializer:
    """Normal numbers of mean 0.

    Args:
      stddev: their standard deviation.
      dtype: floating or complex, if none is asked for; the default float if omitted.

    >>> import functorch_lite as fl
    >>> normal(0.1)(fl.random.key(0), (2, 3)).shape
    (2, 3)
    """
    return lambda key, shape, dtype=dtype: _times(random.normal(key, shape, _dtype(dtype)), stddev)


def uniform(scale: Any = 1e-2, dtype: Any = None) -> Initializer:
    """Numbers uniform in [0, scale).

    Args:
      scale: the upper end.
      dtype: floating, if none is asked for; the default float if omitted.

    >>> import functorch_lite as fl
    >>> uniform(0.1)(fl.random.key(0), (2, 3)).shape
    (2, 3)
    """
    return lambda key, shape, dtype=dtype: _times(random.uniform(key, shape, _dtype(dtype)), scale)


def truncated_normal(stddev: Any = 1e-2, dtype: Any = None, lower: float = -2.0, upper: float = 2.0) -> Initializer:
    """Standard normal numbers between `lower` and `upper`, times `stddev`.

    Args:
      stddev: the factor; the standard deviation of the results is less, as the tails are cut off.
      dtype: floating, if none is asked for; the default float if omitted.
      lower: in standard deviations.
      upper: likewise.

    >>> import functorch_lite as fl
    >>> truncated_normal(0.1)(fl.random.key(0), (2, 3)).shape
    (2, 3)
    """
    return lambda key, shape, dtype=dtype: _times(
        random.truncated_normal(key, lower, upper, shape, _dtype(dtype)), stddev
    )


def _fans(shape: Sequence[int], in_axis: Any, out_axis: Any, batch_axis: Any) -> tuple[float, float]:
    def size(axes: Any) -> int:
        return math.prod(shape[a] for a in ((axes,) if isinstance(axes, int) else axes))

    try:
        n_in, n_out, n_batch = size(in_axis), size(out_axis), size(batch_axis)
    except IndexError:
        raise ShapeError(
            f"this initializer needs a shape with axes of inputs ({in_axis}) and of outputs ({out_axis}), got "
            f"{tuple(shape)}: add an axis, or name others by in_axis and out_axis."
        ) from None
    field = math.prod(shape) / max(n_in * n_out * n_batch, 1)
    return n_in * field, n_out * field


def variance_scaling(
    scale: Any,
    mode: Literal["fan_in", "fan_out", "fan_avg", "fan_geo_avg"],
    distribution: Literal["normal", "truncated_normal", "uniform"],
    in_axis: int | Sequence[int] = -2,
    out_axis: int | Sequence[int] = -1,
    batch_axis: int | Sequence[int] = (),
    dtype: Any = None,
) -> Initializer:
    """Numbers of mean 0 and variance scale / n, n the number of inputs, of outputs, or a mean of the two.

    Args:
      scale: the factor.
      mode: what n is: inputs, outputs, their arithmetic or their geometric mean. Axes that are none of those named
        below count to both: they are the field of a convolution.
      distribution: of the numbers; the truncated normal one ends at two deviations of its parent.
      in_axis: the axes of inputs.
      out_axis: the axes of outputs.
      batch_axis: axes that are neither.
      dtype: floating or complex, if none is asked for; the default float if omitted.

    Raises:
      ValueError: for another mode or distribution.
      ShapeError: if the shape asked for has not the axes.

    >>> import functorch_lite as fl
    >>> variance_scaling(1.0, "fan_avg", "uniform")(fl.random.key(0), (2, 3)).shape
    (2, 3)
    """
    if mode not in ("fan_in", "fan_out", "fan_avg", "fan_geo_avg"):
        raise ArgumentError(
            f"variance_scaling: the mode is {mode!r}, needed is one of fan_in, fan_out, fan_avg, fan_geo_avg."
        )
    if distribution not in ("normal", "truncated_normal", "uniform"):
        raise ArgumentError(
            f"variance_scaling: the distribution is {distribution!r}, needed is one of normal, truncated_normal, "
            "uniform."
        )

    def init(key: Any, shape: Sequence[int], dtype: Any = dtype) -> Any:
        found = _dtype(dtype)
        fan_in, fan_out = _fans(shape, in_axis, out_axis, batch_axis)
        n = {
            "fan_in": fan_in,
            "fan_out": fan_out,
            "fan_avg": (fan_in + fan_out) / 2,
            "fan_geo_avg": math.sqrt(fan_in * fan_out),
        }[mode]
        variance = fnp.asarray(scale / n if n else 0.0, dtype=fnp.finfo(found).dtype)
        if distribution == "normal":
            return _times(random.normal(key, shape, found), fnp.sqrt(variance))
        complex_ = dtypes.is_complex(found)
        if distribution == "uniform":
            draw = _complex_uniform if complex_ else _uniform
            return _times(draw(key, shape, found), fnp.sqrt((1 if complex_ else 3) * variance))
        if complex_:
            return _times(_complex_truncated_normal(key, shape, found), fnp.sqrt(variance) / 0.95311164380491208)
        # The standard deviation of a normal number that is known to lie in (-2, 2).
        draw = random.truncated_normal(key, -2, 2, shape, found)
        return _times(draw, fnp.sqrt(variance) / 0.87962566103423978)

    return init


def _uniform(key: Any, shape: Sequence[int], dtype: Any) -> Any:
    return random.uniform(key, shape, dtype, -1)


def _polar(radius: Any, angle: Any, dtype: Any) -> Any:
    return fnp.astype(radius, dtype) * fnp.exp(1j * fnp.astype(angle, dtype))


def _complex_uniform(key: Any, shape: Sequence[int], dtype: Any) -> Any:
    """Uniform in the unit disk, times sqrt(2): of variance 1."""
    for_radius, for_angle = random.split(key)
    real = fnp.finfo(dtype).dtype
    radius = fnp.sqrt(2 * random.uniform(for_radius, shape, real))
    return _polar(radius, 2 * math.pi * random.uniform(for_angle, shape, real), dtype)


def _complex_truncated_normal(key: Any, shape: Sequence[int], dtype: Any) -> Any:
    """Normal of variance 1, known to lie in the disk of radius 2."""
    for_radius, for_angle = random.split(key)
    real = fnp.finfo(dtype).dtype
    inside = (1 - fnp.exp(fnp.asarray(-4.0, dtype=real))) * random.uniform(for_radius, shape, real)
    return _polar(fnp.sqrt(-fnp.log1p(-inside)), 2 * math.pi * random.uniform(for_angle, shape, real), dtype)


def orthogonal(scale: Any = 1.0, column_axis: int = -1, dtype: Any = None) -> Initializer:
    """Matrices evenly distributed over those with orthonormal columns (or rows, if these are fewer), times `scale`.

    Args:
      scale: the factor.
      column_axis: the axis of columns; the others together are rows.
      dtype: floating or complex, if none is asked for; the default float if omitted.

    Raises:
      ShapeError: if the shape asked for has fewer than two axes.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> w = orthogonal()(fl.random.key(0), (4, 2))
    >>> bool(fnp.allclose(w.T @ w, fnp.eye(2), atol=1e-6))
    True
    """

    def init(key: Any, shape: Sequence[int], dtype: Any = dtype) -> Any:
        found = _dtype(dtype)
        if len(shape) < 2:
            raise ShapeError(f"orthogonal needs a shape with at least two axes, got {tuple(shape)}.")
        columns = shape[column_axis]
        others = list(shape)
        del others[column_axis]
        if not math.prod(shape):
            return fnp.zeros(shape, found)
        matrix = random.orthogonal(key, math.prod(others), (), found, columns)
        return _times(fnp.moveaxis(fnp.reshape(matrix, (*others, columns)), -1, column_axis), scale)

    return init


def delta_orthogonal(scale: Any = 1.0, column_axis: int = -1, dtype: Any = None) -> Initializer:
    """Filters (*field, inputs, outputs) that are zero but at the centre of the field, where `orthogonal` stands.

    Reference: Xiao and others, "Dynamical isometry and a mean field theory of CNNs", 2018.

    Args:
      scale: the factor.
      column_axis: of the matrix at the centre.
      dtype: floating or complex, if none is asked for; the default float if omitted.

    Raises:
      ShapeError: if the shape asked for has not three to five axes, or more inputs than outputs.

    >>> import functorch_lite as fl
    >>> w = delta_orthogonal()(fl.random.key(0), (3, 2, 2))
    >>> bool((w[0] == 0).all() and (w[2] == 0).all())
    True
    """
    centre = orthogonal(scale, column_axis, dtype)

    def init(key: Any, shape: Sequence[int], dtype: Any = dtype) -> Any:
        found = _dtype(dtype)
        if not 3 <= len(shape) <= 5 or shape[-1] < shape[-2]:
            raise ShapeError(
                "delta_orthogonal needs a shape (*field, inputs, outputs) of three to five axes, with no more inputs "
                f"than outputs, got {tuple(shape)}."
            )
        place = tuple((n - 1) // 2 for n in shape[:-2])
        return fnp.zeros(shape, found).at[place].set(centre(key, shape[-2:], found))

    return init


def _scaled(scale: float, mode: Any, distribution: Any, name: str, reference: str) -> Callable[..., Initializer]:
    def make(in_axis: Any = -2, out_axis: Any = -1, batch_axis: Any = (), dtype: Any = None) -> Initializer:
        return variance_scaling(scale, mode, distribution, in_axis, out_axis, batch_axis, dtype)

    make.__name__ = make.__qualname__ = name
    make.__doc__ = f"""`variance_scaling({scale}, {mode!r}, {distribution!r})`: {reference}.

    Args:
      in_axis: the axes of inputs.
      out_axis: the axes of outputs.
      batch_axis: axes that are neither.
      dtype: floating or complex, if none is asked for; the default float if omitted.

    >>> import functorch_lite as fl
    >>> fl.nn.initializers.{name}()(fl.random.key(0), (2, 3)).shape
    (2, 3)
    """
    return make


_GLOROT = "Glorot and Bengio, 2010"
_LECUN = "LeCun, Bottou, Orr and Mueller, 1998"
_HE = "He, Zhang, Ren and Sun, 2015"

glorot_uniform = _scaled(1.0, "fan_avg", "uniform", "glorot_uniform", _GLOROT)
glorot_normal = _scaled(1.0, "fan_avg", "truncated_normal", "glorot_normal", _GLOROT)
lecun_uniform = _scaled(1.0, "fan_in", "uniform", "lecun_uniform", _LECUN)
lecun_normal = _scaled(1.0, "fan_in", "truncated_normal", "lecun_normal", _LECUN)
he_uniform = _scaled(2.0, "fan_in", "uniform", "he_uniform", _HE)
he_normal = _scaled(2.0, "fan_in", "truncated_normal", "he_normal", _HE)
xavier_uniform, xavier_normal = glorot_uniform, glorot_normal
kaiming_uniform, kaiming_normal = he_uniform, he_normal
