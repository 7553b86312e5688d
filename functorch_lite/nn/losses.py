"""Losses: averaged over the batch here; for each member of it, as Optax names them, in two files beside this one."""

from __future__ import annotations

from typing import Any

from .. import dtypes
from .. import numpy as fnp
from ..arrays import type_of
from ..errors import ShapeError
from ..promotion import as_operand
from . import classification_losses, regression_losses
from .classification_losses import *  # noqa: F403
from .normalising import log_softmax
from .regression_losses import *  # noqa: F403

__all__ = ["accuracy", "cross_entropy", "l1_loss", "mse_loss", "nll_loss"]
__all__ += classification_losses.__all__
__all__ += regression_losses.__all__


def nll_loss(log_probs: Any, labels: Any) -> Any:
    """The mean of -log_probs[i, labels[i]].

    Args:
      log_probs: (n, classes), log-probabilities such as `log_softmax` gives.
      labels: (n,) integers, the classes.

    Raises:
      ShapeError: if shapes or dtypes are others.

    >>> import functorch_lite.numpy as fnp
    >>> float(nll_loss(fnp.array([[-1.0, -2.0], [-3.0, -4.0]]), fnp.array([0, 1])))
    2.5
    """
    scores: Any = as_operand(log_probs)
    classes: Any = as_operand(labels)
    if scores.ndim != 2 or classes.shape != scores.shape[:1] or not dtypes.is_integer(classes.dtype):
        raise ShapeError(
            "nll_loss needs log-probabilities (n, classes) and integer labels (n,), got "
            f"{type_of(scores)} and {type_of(classes)}."
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
    """The mean of squared differences; the arguments broadcast.

    >>> import functorch_lite.numpy as fnp
    >>> float(mse_loss(fnp.array([1.0, 3.0]), 0.0))
    5.0
    """
    return fnp.mean(fnp.square(fnp.subtract(predictions, targets)))


def l1_loss(predictions: Any, targets: Any) -> Any:
    """The mean of absolute differences; the arguments broadcast.

    >>> import functorch_lite.numpy as fnp
    >>> float(l1_loss(fnp.array([1.0, -3.0]), 0.0))
    2.0
    """
    return fnp.mean(fnp.abs(fnp.subtract(predictions, targets)))


def accuracy(logits: Any, labels: Any) -> Any:
    """The fraction of rows whose largest score is that of the label.

    Args:
      logits: (..., classes).
      labels: (...) integers.

    >>> import functorch_lite.numpy as fnp
    >>> float(accuracy(fnp.array([[1.0, 2.0], [1.0, 0.0]]), fnp.array([1, 1])))
    0.5
    """
    return fnp.mean(fnp.equal(fnp.argmax(as_operand(logits), axis=-1), labels))
