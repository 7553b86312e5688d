"""Activation functions."""

from __future__ import annotations

import math
from typing import Any

from .. import numpy as fnp
from ..operators import inexact
from ..primitives import elementwise as e
from ..promotion import as_operand
from ..transforms.custom import custom_jvp, stop_gradient

__all__ = [
    "celu",
    "elu",
    "gelu",
    "glu",
    "hard_sigmoid",
    "hard_tanh",
    "leaky_relu",
    "log_sigmoid",
    "log_softmax",
    "logsumexp",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_sign",
    "softmax",
    "softplus",
    "swish",
]


@custom_jvp
def relu(x: Any) -> Any:
    """max(x, 0), with derivative 0 at 0.

    >>> import functorch_lite as fl
    >>> float(fl.grad(fl.nn.relu)(0.0))
    0.0
    """
    return fnp.maximum(x, 0)


relu.defjvps(lambda t, out, x: fnp.where(x > 0, t, fnp.zeros_like(t)))


def relu6(x: Any) -> Any:
    """min(max(x, 0), 6)."""
    return fnp.minimum(fnp.maximum(x, 0), 6.0)


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)), computed without overflow."""
    return e.logistic(inexact(as_operand(x))[0])


def softplus(x: Any) -> Any:
    """log(1 + exp(x)), computed without overflow."""
    return fnp.logaddexp(x, 0.0)


def soft_sign(x: Any) -> Any:
    """x / (1 + |x|)."""
    x = as_operand(x)
    return x / (fnp.abs(x) + 1)


def silu(x: Any) -> Any:
    """x sigmoid(x)."""
    (x,) = inexact(as_operand(x))
    return x * sigmoid(x)


swish = silu


def log_sigmoid(x: Any) -> Any:
    """log(sigmoid(x)) = -softplus(-x)."""
    return -softplus(-as_operand(x))


def elu(x: Any, alpha: Any = 1.0) -> Any:
    """x where x > 0, else alpha (exp(x) - 1)."""
    (x,) = inexact(as_operand(x))
    safe = fnp.where(x > 0, 0.0, x)
    return fnp.where(x > 0, x, alpha * fnp.expm1(safe))


def celu(x: Any, alpha: Any = 1.0) -> Any:
    """max(x, 0) + alpha min(exp(x / alpha) - 1, 0)."""
    (x,) = inexact(as_operand(x))
    return fnp.maximum(x, 0.0) + alpha * fnp.expm1(fnp.minimum(x, 0.0) / alpha)


def selu(x: Any) -> Any:
    """The self-normalising elu (Klambauer, Unterthiner, Mayr and Hochreiter, 2017)."""
    return 1.0507009873554804934193349852946 * elu(x, 1.6732632423543772848170429916717)


def gelu(x: Any, approximate: bool = True) -> Any:
    """x Phi(x), Phi the normal distribution function; by tanh where `approximate`.

    Reference: Hendrycks and Gimpel, "Gaussian error linear units", 2016.
    """
    (x,) = inexact(as_operand(x))
    if approximate:
        inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)
        return 0.5 * x * (1.0 + fnp.tanh(inner))
    return 0.5 * x * e.erfc(-x / math.sqrt(2.0))


def leaky_relu(x: Any, negative_slope: Any = 0.01) -> Any:
    """x where x >= 0, else negative_slope x."""
    x = as_operand(x)
    return fnp.where(x >= 0, x, negative_slope * x)


def hard_tanh(x: Any) -> Any:
    """x, clipped to [-1, 1]."""
    x = as_operand(x)
    return fnp.where(x > 1, 1, fnp.where(x < -1, -1, x))


def hard_sigmoid(x: Any) -> Any:
    """relu6(x + 3) / 6."""
    return relu6(as_operand(x) + 3.0) / 6.0


def glu(x: Any, axis: int = -1) -> Any:
    """The first half of x along an axis, times the sigmoid of the second."""
    first, second = fnp.split(as_operand(x), 2, axis)
    return first * sigmoid(second)


def logsumexp(
    a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False, where: Any = None
) -> Any:
    """log(sum(b exp(a))) along axes, computed without overflow.

    Args:
      a: an array.
      axis: an axis, several, or None for all.
      b: factors, 1 if omitted.
      keepdims: whether the axes stay, with length 1.
      return_sign: whether to give the log of the absolute value, and the sign.
      where: which elements count.
    """
    (x,) = inexact(as_operand(a))
    counted = x if where is None else fnp.where(where, x, -fnp.inf)
    top = stop_gradient(fnp.max(fnp.real(counted), axis=axis, keepdims=True))
    top = fnp.where(fnp.isfinite(top), top, 0)
    terms = fnp.exp(counted - top)
    if b is not None:
        terms = terms * b
    total = fnp.sum(terms, axis=axis, keepdims=True)
    sign = fnp.sign(total)
    size = fnp.abs(total) if return_sign or b is not None else total
    out = fnp.log(size if return_sign or b is None else total) + top
    if not keepdims:
        axes = tuple(range(x.ndim)) if axis is None else axis
        out, sign = fnp.squeeze(out, axes), fnp.squeeze(sign, axes)
    return (out, sign) if return_sign else out


def log_softmax(x: Any, axis: Any = -1, where: Any = None) -> Any:
    """x - log(sum(exp(x))) along axes, computed without overflow."""
    (x,) = inexact(as_operand(x))
    counted = x if where is None else fnp.where(where, x, -fnp.inf)
    shifted = counted - stop_gradient(fnp.max(counted, axis=axis, keepdims=True))
    out = shifted - fnp.log(fnp.sum(fnp.exp(shifted), axis=axis, keepdims=True))
    return out if where is None else fnp.where(where, out, -fnp.inf)


def softmax(x: Any, axis: Any = -1, where: Any = None) -> Any:
    """exp(x) / sum(exp(x)) along axes, computed without overflow."""
    (x,) = inexact(as_operand(x))
    counted = x if where is None else fnp.where(where, x, -fnp.inf)
    terms = fnp.exp(counted - stop_gradient(fnp.max(counted, axis=axis, keepdims=True)))
    return terms / fnp.sum(terms, axis=axis, keepdims=True)
