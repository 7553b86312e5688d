"""Losses, averaged over the batch."""

from __future__ import annotations

from typing import Any

from .. import dtypes
from .. import numpy as fnp
from ..errors import ShapeError
from ..promotion import as_operand
from .activations import log_softmax

__all__ = ["accuracy", "cross_entropy", "l1_loss", "mse_loss", "nll_loss"]


def nll_loss(log_probs: Any, labels: Any) -> Any:
    """The mean of -log_probs[i, labels[i]].

    Args:
      log_probs: (n, classes), log-probabilities such as `log_softmax` gives.
      labels: (n,) integers, the classes.
    """
    scores, classes = as_operand(log_probs), as_operand(labels)
    if scores.ndim != 2 or classes.shape != scores.shape[:1] or not dtypes.is_integer(classes.dtype):
        raise ShapeError(
            f"nll_loss needs log-probabilities (n, classes) and integer labels (n,), got {scores.type} and {classes.type}."
        )
    chosen = fnp.take_along_axis(scores, classes[:, None], axis=1)
    return -fnp.mean(chosen)


def cross_entropy(logits: Any, labels: Any) -> Any:
    """The mean negative log-probability of the labels, from unnormalised scores.

    Args:
      logits: (n, classes).
      labels: (n,) integers, or (n, classes) probabilities.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> round(float(fl.nn.cross_entropy(fnp.zeros((2, 10)), fnp.array([3, 7]))), 4)
    2.3026
    """
    scores, targets = as_operand(logits), as_operand(labels)
    if targets.shape == scores.shape:
        return -fnp.mean(fnp.sum(log_softmax(scores) * targets, axis=-1))
    return nll_loss(log_softmax(scores), targets)


def mse_loss(predictions: Any, targets: Any) -> Any:
    """The mean of squared differences."""
    return fnp.mean(fnp.square(fnp.subtract(predictions, targets)))


def l1_loss(predictions: Any, targets: Any) -> Any:
    """The mean of absolute differences."""
    return fnp.mean(fnp.abs(fnp.subtract(predictions, targets)))


def accuracy(logits: Any, labels: Any) -> Any:
    """The fraction of rows whose largest score is that of the label."""
    return fnp.mean(fnp.equal(fnp.argmax(as_operand(logits), axis=-1), labels))
