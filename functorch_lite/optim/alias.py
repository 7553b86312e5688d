"""Optimisers, each a chain of gradient transformations."""

from __future__ import annotations

from typing import Any

from .base import GradientTransformation, chain, identity
from .transform import add_decayed_weights, scale_by_adam, scale_by_learning_rate, scale_by_rms, scale_by_rss, trace

__all__ = ["adagrad", "adam", "adamw", "rmsprop", "sgd"]


def sgd(learning_rate: Any, momentum: float | None = None, nesterov: bool = False) -> GradientTransformation:
    """Stochastic gradient descent: p <- p - lr t, with t <- g + momentum t.

    Args:
      learning_rate: a number, or a function of the number of steps.
      momentum: the decay of the running sum; None for none.
      nesterov: whether to look ahead by the momentum.
    """
    first = identity() if momentum is None else trace(momentum, nesterov)
    return chain(first, scale_by_learning_rate(learning_rate))


def adam(
    learning_rate: Any,
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-8,
    eps_root: float = 0.0,
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
      nesterov: whether to use Nesterov's momentum.
    """
    return chain(scale_by_adam(b1, b2, eps, eps_root, nesterov=nesterov), scale_by_learning_rate(learning_rate))


def adamw(
    learning_rate: Any,
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-8,
    eps_root: float = 0.0,
    weight_decay: float = 1e-4,
    mask: Any = None,
    *,
    nesterov: bool = False,
) -> GradientTransformation:
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019). Arguments as of `adam`.

    Args:
      weight_decay: the rate of decay, multiplied by the learning rate.
      mask: which parameters decay: a pytree of booleans, or a function of the parameters.
    """
    return chain(
        scale_by_adam(b1, b2, eps, eps_root, nesterov=nesterov),
        add_decayed_weights(weight_decay, mask),
        scale_by_learning_rate(learning_rate),
    )


def rmsprop(
    learning_rate: Any, decay: float = 0.9, eps: float = 1e-8, initial_scale: float = 0.0, momentum: float | None = None
) -> GradientTransformation:
    """RMSProp: gradients over the root of a running mean of their squares."""
    last = identity() if momentum is None else trace(momentum)
    return chain(scale_by_rms(decay, eps, initial_scale), scale_by_learning_rate(learning_rate), last)


def adagrad(learning_rate: Any, initial_accumulator_value: float = 0.1, eps: float = 1e-7) -> GradientTransformation:
    """Adagrad: gradients over the root of the sum of all their squares (Duchi, Hazan and Singer, 2011)."""
    return chain(scale_by_rss(initial_accumulator_value, eps), scale_by_learning_rate(learning_rate))
