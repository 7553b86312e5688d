"""Gradient transformations, the parts that optimisers are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .. import numpy as fnp
from ..promotion import as_operand
from ..tree import leaves as tree_leaves
from ..tree import map as tree_map
from .base import EmptyState, GradientTransformation, zeros_like

__all__ = [
    "add_decayed_weights",
    "clip",
    "clip_by_global_norm",
    "global_norm",
    "scale",
    "scale_by_adam",
    "scale_by_learning_rate",
    "scale_by_rms",
    "scale_by_rss",
    "scale_by_schedule",
    "trace",
]


class TraceState(NamedTuple):
    """The running sum of `trace`."""

    trace: Any


class ScaleByAdamState(NamedTuple):
    """The number of steps and the two moments of `scale_by_adam`."""

    count: Any
    mu: Any
    nu: Any


class ScaleByRmsState(NamedTuple):
    """The mean square of `scale_by_rms`."""

    nu: Any


class ScaleByRssState(NamedTuple):
    """The sum of squares of `scale_by_rss`."""

    sum_of_squares: Any


class ScaleByScheduleState(NamedTuple):
    """The number of steps of `scale_by_schedule`."""

    count: Any


def _stateless(update: Callable[[Any, Any], Any]) -> GradientTransformation:
    def step(updates: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
        return update(updates, params), state

    return GradientTransformation(lambda params: EmptyState(), step)


def scale(step_size: Any) -> GradientTransformation:
    """Multiplies updates by a number."""
    return _stateless(lambda updates, params: tree_map(lambda u: u * step_size, updates))


def trace(decay: float, nesterov: bool = False) -> GradientTransformation:
    """Momentum: t <- g + decay t; the update is t, or g + decay t with the new t for Nesterov's form."""

    def init(params: Any) -> TraceState:
        return TraceState(zeros_like(params))

    def update(updates: Any, state: TraceState, params: Any = None) -> tuple[Any, TraceState]:
        new = tree_map(lambda g, t: g + decay * t, updates, state.trace)
        return tree_map(lambda g, t: g + decay * t, updates, new) if nesterov else new, TraceState(new)

    return GradientTransformation(init, update)


def _count_zero() -> Any:
    return as_operand(np.int32(0))


def scale_by_adam(
    b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8, eps_root: float = 0.0, *, nesterov: bool = False
) -> GradientTransformation:
    """Adam's scaling: m / (1 - b1^t) over sqrt(v / (1 - b2^t) + eps_root) + eps.

    Reference: Kingma and Ba, "Adam: a method for stochastic optimization", 2015; with `nesterov`: Dozat, 2016.
    """

    def init(params: Any) -> ScaleByAdamState:
        return ScaleByAdamState(_count_zero(), zeros_like(params), zeros_like(params))

    def update(updates: Any, state: ScaleByAdamState, params: Any = None) -> tuple[Any, ScaleByAdamState]:
        mu = tree_map(lambda g, m: (1 - b1) * g + b1 * m, updates, state.mu)
        nu = tree_map(lambda g, v: (1 - b2) * fnp.real(g * fnp.conj(g)) + b2 * v, updates, state.nu)
        count = state.count + 1

        def corrected(m: Any, decay: float, n: Any) -> Any:
            return m / fnp.astype(1 - decay**n, fnp.real(m).dtype)

        if nesterov:
            m_hat = tree_map(
                lambda m, g: b1 * corrected(m, b1, count + 1) + (1 - b1) * corrected(g, b1, count), mu, updates
            )
        else:
            m_hat = tree_map(lambda m: corrected(m, b1, count), mu)
        v_hat = tree_map(lambda v: corrected(v, b2, count), nu)
        new = tree_map(lambda m, v: m / (fnp.sqrt(v + eps_root) + eps), m_hat, v_hat)
        return new, ScaleByAdamState(count, mu, nu)

    return GradientTransformation(init, update)


def scale_by_rms(decay: float = 0.9, eps: float = 1e-8, initial_scale: float = 0.0) -> GradientTransformation:
    """Divides updates by the root of a running mean of their squares."""

    def init(params: Any) -> ScaleByRmsState:
        return ScaleByRmsState(tree_map(lambda z: z + initial_scale, zeros_like(params)))

    def update(updates: Any, state: ScaleByRmsState, params: Any = None) -> tuple[Any, ScaleByRmsState]:
        nu = tree_map(lambda g, v: (1 - decay) * g * g + decay * v, updates, state.nu)
        return tree_map(lambda g, v: g / (fnp.sqrt(v) + eps), updates, nu), ScaleByRmsState(nu)

    return GradientTransformation(init, update)


def scale_by_rss(initial_accumulator_value: float = 0.1, eps: float = 1e-7) -> GradientTransformation:
    """Divides updates by the root of the sum of all their squares so far: Adagrad's scaling."""

    def init(params: Any) -> ScaleByRssState:
        return ScaleByRssState(tree_map(lambda z: z + initial_accumulator_value, zeros_like(params)))

    def update(updates: Any, state: ScaleByRssState, params: Any = None) -> tuple[Any, ScaleByRssState]:
        total = tree_map(lambda g, s: g * g + s, updates, state.sum_of_squares)

        def scaled(g: Any, s: Any) -> Any:
            return fnp.where(s > 0, g / fnp.sqrt(s + eps), fnp.zeros_like(g))

        return tree_map(scaled, updates, total), ScaleByRssState(total)

    return GradientTransformation(init, update)


def scale_by_schedule(step_size_fn: Callable[[Any], Any]) -> GradientTransformation:
    """Multiplies updates by a function of the number of steps."""

    def init(params: Any) -> ScaleByScheduleState:
        return ScaleByScheduleState(_count_zero())

    def update(updates: Any, state: ScaleByScheduleState, params: Any = None) -> tuple[Any, ScaleByScheduleState]:
        factor = as_operand(step_size_fn(state.count))
        new = tree_map(lambda u: u * fnp.astype(factor, as_operand(u).dtype), updates)
        return new, ScaleByScheduleState(state.count + 1)

    return GradientTransformation(init, update)


def scale_by_learning_rate(learning_rate: Any, *, flip_sign: bool = True) -> GradientTransformation:
    """Multiplies updates by minus the learning rate, a number or a schedule."""
    sign = -1 if flip_sign else 1
    if callable(learning_rate):
        return scale_by_schedule(lambda count: sign * learning_rate(count))
    return scale(sign * learning_rate)


def add_decayed_weights(weight_decay: Any = 0.0, mask: Any = None) -> GradientTransformation:
    """Adds `weight_decay * params` to updates, where `mask` (a pytree of booleans, or a function of params) holds."""

    def update(updates: Any, params: Any) -> Any:
        if params is None:
            raise ValueError("add_decayed_weights needs the parameters: call update(gradients, state, params).")
        if mask is None:
            return tree_map(lambda g, p: g + weight_decay * p, updates, params)
        marks = mask(params) if callable(mask) else mask
        return tree_map(lambda m, g, p: g + weight_decay * p if m else g, marks, updates, params)

    return _stateless(update)


def clip(max_delta: Any) -> GradientTransformation:
    """Clips each element of updates to [-max_delta, max_delta]."""
    return _stateless(lambda updates, params: tree_map(lambda u: fnp.clip(u, -max_delta, max_delta), updates))


def global_norm(tree: Any) -> Any:
    """The Euclidean norm of all leaves together."""
    total = sum((fnp.sum(fnp.real(x * fnp.conj(x))) for x in map(as_operand, tree_leaves(tree))), start=0.0)
    return fnp.sqrt(total)


def clip_by_global_norm(max_norm: float) -> GradientTransformation:
    """Scales all updates down together, so that their global norm is at most `max_norm`."""

    def update(updates: Any, params: Any) -> Any:
        norm = global_norm(updates)
        factor = fnp.where(norm < max_norm, 1.0, max_norm / fnp.where(norm == 0, 1.0, norm))
        return tree_map(lambda u: u * fnp.astype(factor, as_operand(u).dtype), updates)

    return _stateless(update)
