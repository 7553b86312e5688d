"""Losses of predicted classes, one for each member of the batch, as Optax names them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import dtypes
from .. import numpy as fnp
from ..arrays import type_of
from ..direct import inexact
from ..errors import DTypeError, ShapeError
from ..promotion import as_operand
from .activations import log_sigmoid
from .layers import one_hot
from .normalising import log_softmax, logsumexp, softmax

__all__ = [
    "generalized_kl_divergence",
    "hinge_loss",
    "kl_divergence",
    "kl_divergence_with_log_targets",
    "multiclass_hinge_loss",
    "multiclass_perceptron_loss",
    "perceptron_loss",
    "poly_loss_cross_entropy",
    "safe_softmax_cross_entropy",
    "sigmoid_binary_cross_entropy",
    "sigmoid_focal_loss",
    "smooth_labels",
    "softmax_cross_entropy",
    "softmax_cross_entropy_with_integer_labels",
]


def _along(where: Any, like: Any, axis: Any) -> Any:
    """A mask with the axes of `like`; one without the classes' axis gets it."""
    if where is None:
        return None
    where = as_operand(where)
    return where if where.ndim == like.ndim else fnp.expand_dims(where, axis)


def sigmoid_binary_cross_entropy(logits: Any, labels: Any) -> Any:
    """-y log(sigmoid(x)) - (1 - y) log(1 - sigmoid(x)), elementwise.

    Args:
      logits: x, unnormalised scores of the class 1.
      labels: y, 0 or 1 or between; broadcasts with the logits.

    >>> round(float(sigmoid_binary_cross_entropy(0.0, 1.0)), 4)
    0.6931
    """
    (x,) = inexact(as_operand(logits))
    y = fnp.astype(labels, x.dtype)
    return -y * log_sigmoid(x) - (1 - y) * log_sigmoid(-x)


def sigmoid_focal_loss(logits: Any, labels: Any, *, alpha: Any = None, gamma: Any = 2.0) -> Any:
    """(1 - p)^gamma times the `sigmoid_binary_cross_entropy`, p the probability of the label; elementwise.

    Reference: Lin, Goyal, Girshick, He and Dollar, "Focal loss for dense object detection", 2017.

    Args:
      logits: unnormalised scores of the class 1.
      labels: 0 or 1 or between.
      alpha: the weight of the class 1, and 1 - alpha of the class 0; none if omitted.
      gamma: how little those count that are classified well.

    >>> round(float(sigmoid_focal_loss(0.0, 1.0)), 4)
    0.1733
    """
    (x,) = inexact(as_operand(logits))
    y = fnp.astype(labels, x.dtype)
    log_p, log_q = log_sigmoid(x), log_sigmoid(-x)
    cross_entropy = -y * log_p - (1 - y) * log_q
    y = fnp.broadcast_to(y, cross_entropy.shape)
    log_miss = logsumexp(fnp.stack([log_p + 0 * y, log_q + 0 * y]), axis=0, b=fnp.stack([1 - y, y]))
    loss = cross_entropy * fnp.exp(gamma * log_miss)
    return loss if alpha is None else (alpha * y + (1 - alpha) * (1 - y)) * loss


def hinge_loss(predictor_outputs: Any, targets: Any) -> Any:
    """max(0, 1 - x y), elementwise.

    Args:
      predictor_outputs: x, real scores.
      targets: y, -1 or 1.

    >>> float(hinge_loss(0.25, 1.0))
    0.75
    """
    return fnp.maximum(0, 1 - fnp.multiply(predictor_outputs, targets))


def perceptron_loss(predictor_outputs: Any, targets: Any) -> Any:
    """max(0, -x y), elementwise.

    Args:
      predictor_outputs: x, real scores.
      targets: y, -1 or 1.

    >>> float(perceptron_loss(0.25, -1.0))
    0.25
    """
    return fnp.maximum(0, -fnp.multiply(predictor_outputs, targets))


def softmax_cross_entropy(logits: Any, labels: Any, axis: Any = -1, where: Any = None) -> Any:
    """-sum(labels log(softmax(logits))) along axes.

    Args:
      logits: unnormalised scores, classes along `axis`.
      labels: probabilities of the classes; broadcasts with the logits.
      axis: an axis, several, or None for all.
      where: which elements count: of the shape of the logits, or without the axis.

    >>> import functorch_lite.numpy as fnp
    >>> round(float(softmax_cross_entropy(fnp.zeros(10), fnp.eye(10)[3])), 4)
    2.3026
    """
    (x,) = inexact(as_operand(logits))
    where = _along(where, x, axis)
    return -fnp.sum(labels * log_softmax(x, axis, where), axis=axis, where=where)


def safe_softmax_cross_entropy(logits: Any, labels: Any) -> Any:
    """`softmax_cross_entropy` along the last axis, where a class of probability 0 adds 0 though its score be -inf.

    >>> import functorch_lite.numpy as fnp
    >>> abs(float(safe_softmax_cross_entropy(fnp.array([1.0, -fnp.inf]), fnp.array([1.0, 0.0]))))
    0.0
    """
    x, y = inexact(as_operand(logits), as_operand(labels))
    counts = y != 0
    return -fnp.sum(fnp.where(counts, y * fnp.where(counts, log_softmax(x), 0), 0), axis=-1)


def softmax_cross_entropy_with_integer_labels(
    logits: Any, labels: Any, axis: int | Sequence[int] = -1, where: Any = None
) -> Any:
    """logsumexp(logits) - logits[label] along axes: the negative log-probability of the label.

    Args:
      logits: unnormalised scores, classes along `axis`.
      labels: integers, the classes; the shape of the logits without `axis`. With several axes, positions in these,
        flattened.
      axis: an axis, or several.
      where: which elements count; where none does, the loss is 0.

    Raises:
      DTypeError: if the labels are not integers.
      ShapeError: if their shape does not fit.

    >>> import functorch_lite.numpy as fnp
    >>> round(float(softmax_cross_entropy_with_integer_labels(fnp.zeros(10), 3)), 4)
    2.3026
    """
    (x,) = inexact(as_operand(logits))
    classes: Any = as_operand(labels)
    if not dtypes.is_integer(classes.dtype):
        raise DTypeError(
            f"softmax_cross_entropy_with_integer_labels needs integer labels, got {type_of(classes)}: use "
            "softmax_cross_entropy for probabilities."
        )
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    last = tuple(range(-len(axes), 0))
    where = _along(where, x, axis)

    def to_end(a: Any) -> Any:
        a = fnp.moveaxis(a, axes, last)
        return a.reshape(*a.shape[: a.ndim - len(axes)], -1)

    scores = to_end(x)
    if classes.shape != scores.shape[:-1]:
        raise ShapeError(
            f"softmax_cross_entropy_with_integer_labels: for logits {type_of(x)} with classes along {axis} the labels "
            f"need shape {scores.shape[:-1]}, got {type_of(classes)}."
        )
    counted = None if where is None else to_end(fnp.broadcast_to(where, x.shape))
    chosen = fnp.take_along_axis(scores, classes[..., None], axis=-1)[..., 0]
    out = logsumexp(scores, axis=-1, where=counted) - chosen
    return out if counted is None else fnp.where(fnp.any(counted, axis=-1), out, 0)


def multiclass_hinge_loss(scores: Any, labels: Any) -> Any:
    """max_j(s_j + [j != y]) - s_y along the last axis.

    Args:
      scores: (..., classes), s.
      labels: (...) integers, y.

    >>> import functorch_lite.numpy as fnp
    >>> float(multiclass_hinge_loss(fnp.array([1.0, 0.5]), 0))
    0.5
    """
    (s,) = inexact(as_operand(scores))
    hot = one_hot(labels, s.shape[-1], dtype=s.dtype)
    return fnp.max(s + (1 - hot), axis=-1) - fnp.sum(s * hot, axis=-1)


def multiclass_perceptron_loss(scores: Any, labels: Any) -> Any:
    """max_j(s_j) - s_y along the last axis; arguments as of `multiclass_hinge_loss`.

    >>> import functorch_lite.numpy as fnp
    >>> float(multiclass_perceptron_loss(fnp.array([1.0, 0.5]), 1))
    0.5
    """
    (s,) = inexact(as_operand(scores))
    hot = one_hot(labels, s.shape[-1], dtype=s.dtype)
    return fnp.max(s, axis=-1) - fnp.sum(s * hot, axis=-1)


def poly_loss_cross_entropy(logits: Any, labels: Any, *, epsilon: Any = 2.0, axis: Any = -1, where: Any = None) -> Any:
    """`softmax_cross_entropy` + epsilon sum(labels (1 - softmax(logits))).

    Reference: Leng and others, "PolyLoss: a polynomial expansion perspective of classification loss functions", 2022.

    >>> import functorch_lite.numpy as fnp
    >>> round(float(poly_loss_cross_entropy(fnp.zeros(10), fnp.eye(10)[3])), 4)
    4.1026
    """
    (x,) = inexact(as_operand(logits))
    misses = fnp.sum(labels * (1 - softmax(x, axis, where)), axis=axis, where=where)
    return softmax_cross_entropy(x, labels, axis, where) + epsilon * misses


def kl_divergence(log_predictions: Any, targets: Any, axis: Any = -1, where: Any = None) -> Any:
    """sum(t (log(t) - log_predictions)) along axes, where t log(t) is 0 at 0.

    Args:
      log_predictions: log-probabilities, such as `log_softmax` gives.
      targets: t, probabilities.
      axis: an axis, several, or None for all.
      where: which elements count.

    >>> import functorch_lite.numpy as fnp
    >>> p = fnp.array([0.5, 0.5])
    >>> float(kl_divergence(fnp.log(p), p))
    0.0
    """
    x, t = inexact(as_operand(log_predictions), as_operand(targets))
    zero = t == 0
    return fnp.sum(t * (fnp.where(zero, 0, fnp.log(fnp.where(zero, 1, t))) - x), axis=axis, where=where)


def kl_divergence_with_log_targets(log_predictions: Any, log_targets: Any, axis: Any = -1, where: Any = None) -> Any:
    """`kl_divergence`, of log-probabilities on both sides.

    >>> import functorch_lite.numpy as fnp
    >>> p = fnp.log(fnp.array([0.5, 0.5]))
    >>> float(kl_divergence_with_log_targets(p, p))
    0.0
    """
    x, t = inexact(as_operand(log_predictions), as_operand(log_targets))
    return fnp.sum(fnp.exp(t) * (t - x), axis=axis, where=where)


def generalized_kl_divergence(log_predictions: Any, targets: Any, axis: Any = -1, where: Any = None) -> Any:
    """`kl_divergence` + sum(exp(log_predictions) - targets): for what does not sum to 1.

    >>> import functorch_lite.numpy as fnp
    >>> float(generalized_kl_divergence(fnp.log(fnp.array([2.0])), fnp.array([2.0])))
    0.0
    """
    x, t = inexact(as_operand(log_predictions), as_operand(targets))
    return kl_divergence(x, t, axis, where) + fnp.sum(fnp.exp(x) - t, axis=axis, where=where)


def smooth_labels(labels: Any, alpha: Any, *, axis: Any = -1, where: Any = None) -> Any:
    """(1 - alpha) labels + alpha / n, n the number of classes.

    Reference: Mueller, Kornblith and Hinton, "When does label smoothing help?", 2019.

    Args:
      labels: probabilities, classes along `axis`.
      alpha: in [0, 1].
      axis: an axis, several, or None for all.
      where: which classes count for n.

    >>> import functorch_lite.numpy as fnp
    >>> smooth_labels(fnp.array([1.0, 0.0]), 0.5)
    Array([0.75, 0.25], dtype=float32)
    """
    (p,) = inexact(as_operand(labels))
    counted = fnp.ones(p.shape, bool) if where is None else where
    n = fnp.sum(counted, axis=axis, keepdims=True, dtype=p.dtype)
    return (1 - alpha) * p + alpha / n
