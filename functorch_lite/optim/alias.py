"""Optimisers, each a chain of gradient transformations."""

from __future__ import annotations

from typing import Any

from .adaptive import scale_by_adam, scale_by_rms, scale_by_rss, scale_by_stddev
from .base import GradientTransformation, chain, identity
from .transform import add_decayed_weights, scale_by_learning_rate, trace

__all__ = ["adagrad", "adam", "adamw", "rmsprop", "sgd"]


def sgd(
    learning_rate: Any, momentum: Any = None, nesterov: bool = False, accumulator_dtype: Any = None
) -> GradientTransformation:
    """Stochastic gradient descent: p <- p - lr t, with t <- g + momentum t.

    Args:
      learning_rate: a number, or a function of the number of steps.
      momentum: the decay of the running sum; None for none.
      nesterov: whether to look ahead by the momentum.
      accumulator_dtype: in which the running sum is kept; that of the parameters if omitted.

    >>> optimizer = sgd(0.5)
    >>> float(optimizer.update(3.0, optimizer.init(1.0))[0])
    -1.5
    """
    first = identity() if momentum is None else trace(momentum, nesterov, accumulator_dtype)
    return chain(first, scale_by_learning_rate(learning_rate))


def adam(
    learning_rate: Any,
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-8,
    eps_root: float = 0.0,
    mu_dtype: Any = None,
    *,
    nesterov: bool = False,
) -> GradientTransformation:
    """Adam: p <- p - lr m_hat / (sqrt(v_hat + eps_root) + eps).

    Args:
      learning_rate: a number, or a function of the number of steps.
      b1: decay of the first moment.
      b2: decay of the second moment.
      eps: added outside of the root.
      eps_root: added inside of the root; positive where one differentiates through the optimiser.
      mu_dtype: in which the first moment is kept; that of the parameters if omitted.
      nesterov: whether to use Nesterov's momentum.

    >>> optimizer = adam(0.5)
    >>> round(float(optimizer.update(3.0, optimizer.init(1.0))[0]), 4)
    -0.5
    """
    return chain(
        scale_by_adam(b1, b2, eps, eps_root, mu_dtype, nesterov=nesterov), scale_by_learning_rate(learning_rate)
    )


def adamw(
    learning_rate: Any,
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-8,
    eps_root: float = 0.0,
    mu_dtype: Any = None,
    weight_decay: float = 1e-4,
    mask: Any = None,
    *,
    nesterov: bool = False,
) -> GradientTransformation:
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019). Arguments as of `adam`.

    Args:
      weight_decay: the rate of decay, multiplied by the learning rate.
      mask: which parameters decay: a pytree of booleans, or a function of the parameters.

    >>> optimizer = adamw(0.5, weight_decay=0.2)
    >>> round(float(optimizer.update(3.0, optimizer.init(1.0), 1.0)[0]), 4)
    -0.6
    """
    return chain(
        scale_by_adam(b1, b2, eps, eps_root, mu_dtype, nesterov=nesterov),
        add_decayed_weights(weight_decay, mask),
        scale_by_learning_rate(learning_rate),
    )


def rmsprop(
    learning_rate: Any,
    decay: Any = 0.9,
    eps: Any = 1e-8,
    initial_scale: Any = 0.0,
    eps_in_sqrt: bool = True,
    centered: bool = False,
    momentum: Any = None,
    nesterov: bool = False,
    bias_correction: bool = False,
) -> GradientTransformation:
    """RMSProp: gradients over the root of a running mean of their squares.

    Args:
      learning_rate: a number, or a function of the number of steps.
      decay: of the mean.
      eps: keeps the divisor from zero.
      initial_scale: the mean at the start.
      eps_in_sqrt: whether eps is added inside of the root.
      centered: whether to divide by the standard deviation instead.
      momentum: the decay of a running sum of steps; None for none.
      nesterov: whether to look ahead by the momentum.
      bias_correction: whether the mean is divided by 1 - decay^t.

    >>> optimizer = rmsprop(0.5, decay=0.0)
    >>> float(optimizer.update(3.0, optimizer.init(1.0))[0])
    -0.5
    """
    first = (scale_by_stddev if centered else scale_by_rms)(decay, eps, initial_scale, eps_in_sqrt, bias_correction)
    last = identity() if momentum is None else trace(momentum, nesterov)
    return chain(first, scale_by_learning_rate(learning_rate), last)


def adagrad(learning_rate: Any, initial_accumulator_value: Any = 0.1, eps: Any = 1e-7) -> GradientTransformation:
    """Adagrad: gradients over the root of the sum of all their squares (Duchi, Hazan and Singer, 2011).

    Args:
      learning_rate: a number, or a function of the number of steps.
      initial_accumulator_value: the sum at the start.
      eps: added inside of the root.

    >>> optimizer = adagrad(0.5, 0.0)
    >>> round(float(optimizer.update(3.0, optimizer.init(1.0))[0]), 4)
    -0.5
    """
    return chain(scale_by_rss(initial_accumulator_value, eps), scale_by_learning_rate(learning_rate))
