"""Activation functions, element by element."""

from __future__ import annotations

import math
from typing import Any

from .. import numpy as fnp
from ..arrays import type_of
from ..direct import inexact
from ..errors import ShapeError
from ..primitives import elementwise as e
from ..promotion import as_operand
from ..transforms.custom_jvp import custom_jvp

__all__ = [
    "celu",
    "elu",
    "gelu",
    "glu",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "identity",
    "leaky_relu",
    "log1mexp",
    "log_sigmoid",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_sign",
    "softplus",
    "sparse_plus",
    "sparse_sigmoid",
    "squareplus",
    "swish",
    "tanh",
]


def _array(x: Any) -> Any:
    """`x` as an operand, whose operators a type checker need not know."""
    return as_operand(x)


def identity(x: Any) -> Any:
    """X itself, as an array.

    >>> import functorch_lite as fl
    >>> fl.nn.identity(2)
    Array(2, dtype=int32, weak_type=True)
    """
    return as_operand(x)


@custom_jvp
def relu(x: Any) -> Any:
    """max(x, 0), with derivative 0 at 0.

    >>> import functorch_lite as fl
    >>> float(fl.grad(fl.nn.relu)(0.0))
    0.0
    """
    return fnp.maximum(x, 0)


relu.defjvps(lambda t, out, x: fnp.where(x > 0, t, fnp.zeros_like(t)))


@custom_jvp
def relu6(x: Any) -> Any:
    """min(max(x, 0), 6), with derivative 0 at 0 and at 6.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> fl.nn.relu6(fnp.array([-1.0, 2.0, 8.0]))
    Array([0., 2., 6.], dtype=float32)
    """
    return fnp.minimum(fnp.maximum(x, 0), 6.0)


relu6.defjvps(lambda t, out, x: fnp.where((x > 0) & (x < 6), t, fnp.zeros_like(t)))


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)), computed without overflow.

    >>> import functorch_lite as fl
    >>> float(fl.nn.sigmoid(0.0)), float(fl.nn.sigmoid(-1000.0))
    (0.5, 0.0)
    """
    return e.logistic(inexact(as_operand(x))[0])


def softplus(x: Any) -> Any:
    """log(1 + exp(x)), computed without overflow.

    >>> import functorch_lite as fl
    >>> float(fl.nn.softplus(1000.0))
    1000.0
    """
    return fnp.logaddexp(x, 0)


def soft_sign(x: Any) -> Any:
    """X / (1 + |x|).

    >>> import functorch_lite as fl
    >>> float(fl.nn.soft_sign(-3.0))
    -0.75
    """
    x = _array(x)
    return x / (fnp.abs(x) + 1)


def tanh(x: Any, /) -> Any:
    """The hyperbolic tangent, `numpy.tanh`.

    >>> import functorch_lite as fl
    >>> float(fl.nn.tanh(0.0))
    0.0
    """
    return fnp.tanh(x)


def silu(x: Any) -> Any:
    """X sigmoid(x), also called swish.

    >>> import functorch_lite as fl
    >>> round(float(fl.nn.silu(1.0)), 4)
    0.7311
    """
    (x,) = inexact(as_operand(x))
    return x * sigmoid(x)


swish = silu


def mish(x: Any) -> Any:
    """X tanh(softplus(x)).

    Reference: Misra, "Mish: a self regularized non-monotonic activation function", 2019.

    >>> import functorch_lite as fl
    >>> round(float(fl.nn.mish(1.0)), 4)
    0.8651
    """
    (x,) = inexact(as_operand(x))
    return x * fnp.tanh(softplus(x))


def log_sigmoid(x: Any) -> Any:
    """log(sigmoid(x)) = -softplus(-x).

    >>> import functorch_lite as fl
    >>> float(fl.nn.log_sigmoid(-1000.0))
    -1000.0
    """
    return -softplus(-_array(x))


@custom_jvp
def log1mexp(x: Any) -> Any:
    """log(1 - exp(-x)) of x >= 0, exact for small x and for large.

    Reference: Maechler, "Accurately computing log(1 - exp(-|a|))", 2012.

    >>> import functorch_lite as fl
    >>> round(float(fl.nn.log1mexp(1e-20)), 3)
    -46.052
    """
    (x,) = inexact(as_operand(x))
    return fnp.where(x < math.log(2.0), fnp.log(-fnp.expm1(-x)), fnp.log1p(-fnp.exp(-x)))


log1mexp.defjvps(lambda t, out, x: t / fnp.expm1(x))


def elu(x: Any, alpha: Any = 1.0) -> Any:
    """X where x > 0, else alpha (exp(x) - 1).

    >>> import functorch_lite as fl
    >>> round(float(fl.nn.elu(-1.0)), 4)
    -0.6321
    """
    (x,) = inexact(as_operand(x))
    safe = fnp.where(x > 0, 0.0, x)
    return fnp.where(x > 0, x, alpha * fnp.expm1(safe))


def celu(x: Any, alpha: Any = 1.0) -> Any:
    """max(x, 0) + alpha min(exp(x / alpha) - 1, 0): an elu whose derivative is continuous for every alpha.

    Reference: Barron, "Continuously differentiable exponential linear units", 2017.

    >>> import functorch_lite as fl
    >>> round(float(fl.nn.celu(-1.0, 2.0)), 4)
    -0.7869
    """
    (x,) = inexact(as_operand(x))
    return fnp.maximum(x, 0.0) + alpha * fnp.expm1(fnp.minimum(x, 0.0) / alpha)


def selu(x: Any) -> Any:
    """The self-normalising elu (Klambauer, Unterthiner, Mayr and Hochreiter, 2017).

    >>> import functorch_lite as fl
    >>> round(float(fl.nn.selu(1.0)), 4)
    1.0507
    """
    return 1.0507009873554804934193349852946 * elu(x, 1.6732632423543772848170429916717)


def gelu(x: Any, approximate: bool = True) -> Any:
    """X Phi(x), Phi the normal distribution function; by tanh where `approximate`.

    Reference: Hendrycks and Gimpel, "Gaussian error linear units", 2016.

    >>> import functorch_lite as fl
    >>> round(float(fl.nn.gelu(1.0)), 4), round(float(fl.nn.gelu(1.0, approximate=False)), 4)
    (0.8412, 0.8413)
    """
    (x,) = inexact(as_operand(x))
    if approximate:
        inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)
        return 0.5 * x * (1.0 + fnp.tanh(inner))
    return 0.5 * x * e.erfc(-x / math.sqrt(2.0))


def leaky_relu(x: Any, negative_slope: Any = 0.01) -> Any:
    """X where x >= 0, else negative_slope x.

    >>> import functorch_lite as fl
    >>> float(fl.nn.leaky_relu(-2.0, 0.5))
    -1.0
    """
    x = _array(x)
    return fnp.where(x >= 0, x, negative_slope * x)


def hard_tanh(x: Any) -> Any:
    """x, clipped to [-1, 1].

    >>> import functorch_lite as fl
    >>> float(fl.nn.hard_tanh(3.0))
    1.0
    """
    x = _array(x)
    return fnp.where(x > 1, 1, fnp.where(x < -1, -1, x))


def hard_sigmoid(x: Any) -> Any:
    """relu6(x + 3) / 6.

    >>> import functorch_lite as fl
    >>> float(fl.nn.hard_sigmoid(0.0))
    0.5
    """
    return relu6(_array(x) + 3.0) / 6.0


def hard_silu(x: Any) -> Any:
    """X hard_sigmoid(x), also called hard_swish.

    >>> import functorch_lite as fl
    >>> float(fl.nn.hard_silu(3.0))
    3.0
    """
    x = _array(x)
    return x * hard_sigmoid(x)


hard_swish = hard_silu


def squareplus(x: Any, b: Any = 4) -> Any:
    """(x + sqrt(x^2 + b)) / 2, a softplus without exponentials.

    Reference: Barron, "Squareplus: a softplus-like algebraic rectifier", 2021.

    >>> import functorch_lite as fl
    >>> float(fl.nn.squareplus(0.0))
    1.0
    """
    x = _array(x)
    return (x + fnp.sqrt(fnp.square(x) + b)) / 2


def sparse_plus(x: Any) -> Any:
    """0 where x <= -1, x where x >= 1, (x + 1)^2 / 4 between: a softplus that is exactly zero on the left.

    >>> import functorch_lite as fl
    >>> float(fl.nn.sparse_plus(0.0))
    0.25
    """
    x = _array(x)
    middle = fnp.clip(x, -1, 1)  # not x: its square may overflow where the branch is not taken
    return fnp.where(x <= -1, 0.0, fnp.where(x >= 1, x, fnp.square(middle + 1.0) / 4))


def sparse_sigmoid(x: Any) -> Any:
    """(x + 1) / 2, clipped to [0, 1]: the derivative of `sparse_plus`.

    >>> import functorch_lite as fl
    >>> float(fl.nn.sparse_sigmoid(0.5))
    0.75
    """
    return 0.5 * fnp.clip(_array(x) + 1.0, 0.0, 2.0)


def glu(x: Any, axis: int = -1) -> Any:
    """The first half of x along an axis, times the sigmoid of the second.

    Args:
      x: an array whose size along `axis` is even.
      axis: along which it is halved.

    Raises:
      ShapeError: if the size is odd.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> fl.nn.glu(fnp.array([4.0, 0.0]))
    Array([2.], dtype=float32)
    """
    x = _array(x)
    if x.ndim and -x.ndim <= axis < x.ndim and x.shape[axis] % 2:
        raise ShapeError(f"glu halves x along axis {axis}, so its size there must be even, got {type_of(x)}.")
    first, second = fnp.split(x, 2, axis)
    return first * sigmoid(second)
