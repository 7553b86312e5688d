"""The softmax family, and standardising: functions of all elements along axes."""

from __future__ import annotations

from typing import Any

from .. import numpy as fnp
from ..direct import inexact
from ..errors import ArgumentError
from ..promotion import as_operand
from ..transforms.custom_jvp import stop_gradient

__all__ = ["log_softmax", "logmeanexp", "logsumexp", "softmax", "standardize"]


def _counted(x: Any, where: Any) -> Any:
    return x if where is None else fnp.where(where, x, -fnp.inf)


def _top(x: Any, axis: Any) -> Any:
    """The largest element along axes, kept as axes of length 1; -inf of none. Subtracting it prevents overflow."""
    return stop_gradient(fnp.max(fnp.real(x), axis=axis, keepdims=True, initial=-fnp.inf))


def logsumexp(
    a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False, where: Any = None
) -> Any:
    """log(sum(b exp(a))) along axes, computed without overflow.

    Args:
      a: an array.
      axis: an axis, several, or None for all.
      b: factors that broadcast with `a`, 1 if omitted; where one is 0, its element does not count.
      keepdims: whether the axes stay, with length 1.
      return_sign: whether to give the log of the absolute value, and the sign (of complex sums the phase). Without it,
        a negative sum gives NaN.
      where: which elements count.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> float(fl.nn.logsumexp(fnp.array([1000.0, -fnp.inf])))
    1000.0
    """
    factors: Any = None
    if b is None:
        (x,) = inexact(as_operand(a))
    else:
        x, factors = fnp.broadcast_arrays(*inexact(as_operand(a), as_operand(b)))
        where = (factors != 0) if where is None else (factors != 0) & where
    counted = _counted(x, where)
    top = _top(counted, axis)
    top = fnp.where(fnp.isfinite(top), top, 0)
    terms = fnp.exp(counted - top)
    if factors is not None:
        terms = terms * factors
    total = fnp.sum(terms, axis=axis, keepdims=True)
    sign = fnp.sign(total)
    if return_sign:
        total = fnp.abs(total)
    out = fnp.log(total) + top
    if not keepdims:
        axes = tuple(range(x.ndim)) if axis is None else axis
        out, sign = fnp.squeeze(out, axes), fnp.squeeze(sign, axes)
    return (out, sign) if return_sign else out


def logmeanexp(x: Any, axis: Any = None, where: Any = None, keepdims: bool = False) -> Any:
    """log(mean(exp(x))) along axes, computed without overflow.

    Args:
      x: an array.
      axis: an axis, several, or None for all.
      where: which elements count.
      keepdims: whether the axes stay, with length 1.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> float(fl.nn.logmeanexp(fnp.array([1000.0, 1000.0])))
    1000.0
    """
    x = as_operand(x)
    out = logsumexp(x, axis=axis, where=where, keepdims=keepdims)
    counts = fnp.broadcast_to(True if where is None else where, x.shape)
    return out - fnp.log(fnp.sum(counts, axis=axis, keepdims=keepdims, dtype=out.dtype))


def log_softmax(x: Any, axis: Any = -1, where: Any = None) -> Any:
    """X - log(sum(exp(x))) along axes, computed without overflow.

    Args:
      x: an array.
      axis: an axis, several, or None for all.
      where: which elements count; the others give -inf.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> fl.nn.log_softmax(fnp.array([1000.0, 0.0]))
    Array([    0., -1000.], dtype=float32)
    """
    (x,) = inexact(as_operand(x))
    counted = _counted(x, where)
    shifted = counted - _top(counted, axis)
    out = shifted - fnp.log(fnp.sum(fnp.exp(shifted), axis=axis, keepdims=True))
    return out if where is None else fnp.where(where, out, -fnp.inf)


def softmax(x: Any, axis: Any = -1, where: Any = None) -> Any:
    """exp(x) / sum(exp(x)) along axes, computed without overflow.

    Args:
      x: an array.
      axis: an axis, several, or None for all.
      where: which elements count; the others give 0.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> fl.nn.softmax(fnp.array([1.0, 1.0, -fnp.inf]))
    Array([0.5, 0.5, 0. ], dtype=float32)
    """
    (x,) = inexact(as_operand(x))
    counted = _counted(x, where)
    terms = fnp.exp(counted - _top(counted, axis))
    out = terms / fnp.sum(terms, axis=axis, keepdims=True)
    return out if where is None else fnp.where(where, out, 0)


def standardize(
    x: Any,
    axis: Any = -1,
    mean: Any = None,
    variance: Any = None,
    epsilon: Any = 1e-5,
    where: Any = None,
    *,
    algorithm: str = "fast",
) -> Any:
    """(x - mean) / sqrt(variance + epsilon) along axes.

    Args:
      x: an array.
      axis: an axis, several, or None for all.
      mean: to be used; that of x if omitted.
      variance: to be used; that of x if omitted.
      epsilon: keeps the root from zero.
      where: which elements count for mean and variance.
      algorithm: "stable" is the mean of (x - mean)^2; "fast" is mean(x^2) - mean^2, which cancels where the mean is
        large beside the deviations.

    Raises:
      ValueError: for another algorithm.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> fl.nn.standardize(fnp.array([1.0, 3.0]), epsilon=0.0)
    Array([-1.,  1.], dtype=float32)
    """
    if algorithm not in ("fast", "stable"):
        raise ArgumentError(f"standardize: the algorithm is 'fast' or 'stable', got {algorithm!r}.")
    (x,) = inexact(as_operand(x))
    if mean is None:
        mean = fnp.mean(x, axis=axis, keepdims=True, where=where)
    if variance is None and algorithm == "stable":
        variance = fnp.mean(fnp.square(x - mean), axis=axis, keepdims=True, where=where)
    elif variance is None:
        variance = fnp.mean(fnp.square(x), axis=axis, keepdims=True, where=where) - fnp.square(mean)
        variance = fnp.maximum(variance, 0)  # rounding may leave it below
    return (x - mean) / fnp.sqrt(variance + epsilon)
