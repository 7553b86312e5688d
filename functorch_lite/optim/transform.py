"""Gradient transformations, the parts that optimisers are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from .. import numpy as fnp
from ..errors import ArgumentError
from ..promotion import as_operand
from ..tree import leaves as tree_leaves
from ..tree import map as tree_map
from .base import EmptyState, GradientTransformation, cast_tree, count_zero, zeros_like

__all__ = [
    "add_decayed_weights",
    "clip",
    "clip_by_global_norm",
    "global_norm",
    "scale",
    "scale_by_learning_rate",
    "scale_by_schedule",
    "trace",
]


class TraceState(NamedTuple):
    """The running sum of `trace`."""

    trace: Any


class ScaleByScheduleState(NamedTuple):
    """The number of steps of `scale_by_schedule`."""

    count: Any


def _stateless(update: Callable[[Any, Any], Any]) -> GradientTransformation:
    def step(updates: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
        return update(updates, params), state

    return GradientTransformation(lambda params: EmptyState(), step)


def scale(step_size: Any) -> GradientTransformation:
    """Multiplies updates by a number.

    >>> float(scale(0.5).update(3.0, EmptyState())[0])
    1.5
    """
    return _stateless(lambda updates, params: tree_map(lambda u: u * step_size, updates))


def trace(decay: Any, nesterov: bool = False, accumulator_dtype: Any = None) -> GradientTransformation:
    """Momentum: t <- g + decay t; the update is t, or g + decay t with the new t for Nesterov's form.

    Args:
      decay: of the sum.
      nesterov: whether to look ahead.
      accumulator_dtype: in which the sum is kept; that of the parameters if omitted.

    >>> step = trace(0.5)
    >>> _, state = step.update(2.0, step.init(0.0))
    >>> float(step.update(2.0, state)[0])
    3.0
    """

    def init(params: Any) -> TraceState:
        return TraceState(zeros_like(params, accumulator_dtype))

    def update(updates: Any, state: TraceState, params: Any = None) -> tuple[Any, TraceState]:
        new = tree_map(lambda g, t: g + decay * t, updates, state.trace)
        ahead = tree_map(lambda g, t: g + decay * t, updates, new) if nesterov else new
        return ahead, TraceState(cast_tree(new, accumulator_dtype))

    return GradientTransformation(init, update)


def scale_by_schedule(step_size_fn: Callable[[Any], Any]) -> GradientTransformation:
    """Multiplies updates by a function of the number of steps before.

    >>> step = scale_by_schedule(lambda count: 1.0 / (count + 1))
    >>> _, state = step.update(3.0, step.init(0.0))
    >>> float(step.update(3.0, state)[0])
    1.5
    """

    def init(params: Any) -> ScaleByScheduleState:
        return ScaleByScheduleState(count_zero())

    def update(updates: Any, state: ScaleByScheduleState, params: Any = None) -> tuple[Any, ScaleByScheduleState]:
        factor = as_operand(step_size_fn(state.count))
        new = tree_map(lambda u: u * fnp.astype(factor, as_operand(u).dtype), updates)
        return new, ScaleByScheduleState(state.count + 1)

    return GradientTransformation(init, update)


def scale_by_learning_rate(learning_rate: Any, *, flip_sign: bool = True) -> GradientTransformation:
    """Multiplies updates by minus the learning rate.

    Args:
      learning_rate: a number, or a function of the number of steps.
      flip_sign: whether by minus it; the sign makes steps go downhill.

    >>> float(scale_by_learning_rate(0.5).update(3.0, EmptyState())[0])
    -1.5
    """
    sign: Any = -1 if flip_sign else 1
    if callable(learning_rate):
        return scale_by_schedule(lambda count: sign * learning_rate(count))
    return scale(sign * learning_rate)


def add_decayed_weights(weight_decay: Any = 0.0, mask: Any = None) -> GradientTransformation:
    """Adds `weight_decay * params` to updates.

    Args:
      weight_decay: the factor.
      mask: where to: a pytree of booleans, or a function of the parameters that gives one.

    Raises:
      ValueError: if `update` gets no parameters.

    >>> float(add_decayed_weights(0.5).update(3.0, EmptyState(), 2.0)[0])
    4.0
    """

    def update(updates: Any, params: Any) -> Any:
        if params is None:
            raise ArgumentError("add_decayed_weights needs the parameters: call update(gradients, state, params).")
        if mask is None:
            return tree_map(lambda g, p: g + weight_decay * p, updates, params)
        marks = mask(params) if callable(mask) else mask
        return tree_map(lambda m, g, p: g + weight_decay * p if m else g, marks, updates, params)

    return _stateless(update)


def clip(max_delta: Any) -> GradientTransformation:
    """Clips each element of updates to [-max_delta, max_delta].

    >>> float(clip(1.0).update(-3.0, EmptyState())[0])
    -1.0
    """
    return _stateless(lambda updates, params: tree_map(lambda u: fnp.clip(u, -max_delta, max_delta), updates))


def global_norm(tree: Any) -> Any:
    """The Euclidean norm of all leaves together.

    >>> float(global_norm({"w": 3.0, "b": 4.0}))
    5.0
    """
    total = sum((fnp.sum(fnp.real(x * fnp.conj(x))) for x in map(as_operand, tree_leaves(tree))), start=0.0)
    return fnp.sqrt(total)


def clip_by_global_norm(max_norm: float) -> GradientTransformation:
    """Scales all updates down together, so that their global norm is at most `max_norm`.

    >>> {k: float(v) for k, v in clip_by_global_norm(2.5).update({"w": 3.0, "b": 4.0}, EmptyState())[0].items()}
    {'b': 2.0, 'w': 1.5}
    """

    def update(updates: Any, params: Any) -> Any:
        norm = global_norm(updates)
        factor = fnp.where(norm < max_norm, 1.0, max_norm / fnp.where(norm == 0, 1.0, norm))
        return tree_map(lambda u: u * fnp.astype(factor, as_operand(u).dtype), updates)

    return _stateless(update)
