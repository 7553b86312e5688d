"""Losses of predicted numbers, one for each element or vector, as Optax names them."""

from __future__ import annotations

import math
from typing import Any

from .. import numpy as fnp
from ..direct import inexact
from ..errors import ShapeError
from ..promotion import as_operand

__all__ = ["cosine_distance", "cosine_similarity", "huber_loss", "l2_loss", "log_cosh", "squared_error"]


def _errors(predictions: Any, targets: Any, what: str) -> Any:
    (x,) = inexact(as_operand(predictions))
    if targets is None:
        return x
    y = as_operand(targets)
    if x.shape != y.shape:
        raise ShapeError(
            f"{what} needs predictions and targets of one shape, got {x.type} and {y.type}: reshape or broadcast one."
        )
    return x - y


def squared_error(predictions: Any, targets: Any = None) -> Any:
    """(predictions - targets)^2, elementwise.

    Args:
      predictions: of any shape.
      targets: of the same shape; zero if omitted.

    Raises:
      ShapeError: if the shapes differ.

    >>> float(squared_error(3.0, 1.0))
    4.0
    """
    return fnp.square(_errors(predictions, targets, "squared_error"))


def l2_loss(predictions: Any, targets: Any = None) -> Any:
    """(predictions - targets)^2 / 2, elementwise: its derivative is the error. Arguments as of `squared_error`.

    >>> float(l2_loss(3.0, 1.0))
    2.0
    """
    return 0.5 * fnp.square(_errors(predictions, targets, "l2_loss"))


def huber_loss(predictions: Any, targets: Any = None, *, delta: Any = 1.0) -> Any:
    """err^2 / 2 where |err| <= delta, delta (|err| - delta / 2) elsewhere; elementwise.

    Reference: Huber, "Robust estimation of a location parameter", 1964.

    Args:
      predictions: of any shape.
      targets: of the same shape; zero if omitted.
      delta: where the parabola goes over into lines.

    >>> float(huber_loss(0.5)), float(huber_loss(3.0))
    (0.125, 2.5)
    """
    size = fnp.abs(_errors(predictions, targets, "huber_loss"))
    quadratic = fnp.minimum(size, delta)
    return 0.5 * fnp.square(quadratic) + delta * (size - quadratic)


def log_cosh(predictions: Any, targets: Any = None) -> Any:
    """log(cosh(predictions - targets)), elementwise, computed without overflow. Arguments as of `squared_error`.

    >>> round(float(log_cosh(1000.0)), 2)
    999.31
    """
    errors = _errors(predictions, targets, "log_cosh")
    return fnp.logaddexp(errors, -errors) - math.log(2.0)


def cosine_similarity(predictions: Any, targets: Any, *, epsilon: Any = 0.0, axis: Any = -1, where: Any = None) -> Any:
    """<p, t> / (|p| |t|) of vectors along axes.

    Args:
      predictions: vectors along `axis`.
      targets: likewise; broadcasts with the predictions.
      epsilon: what squared norms are at least.
      axis: an axis, several, or None for all.
      where: which elements count.

    >>> import functorch_lite.numpy as fnp
    >>> float(cosine_similarity(fnp.array([2.0, 0.0]), fnp.array([3.0, 0.0])))
    1.0
    """
    a, b = inexact(as_operand(predictions), as_operand(targets))

    def unit(x: Any) -> Any:
        norm = fnp.sum(fnp.square(x), axis=axis, where=where, keepdims=True)
        return x / fnp.sqrt(fnp.maximum(norm, epsilon))

    return fnp.sum(unit(a) * unit(b), axis=axis, where=where)


def cosine_distance(predictions: Any, targets: Any, *, epsilon: Any = 0.0, axis: Any = -1, where: Any = None) -> Any:
    """1 - `cosine_similarity`; arguments as of it.

    >>> import functorch_lite.numpy as fnp
    >>> float(cosine_distance(fnp.array([2.0, 0.0]), fnp.array([0.0, 3.0])))
    1.0
    """
    return 1.0 - cosine_similarity(predictions, targets, epsilon=epsilon, axis=axis, where=where)
