"""Transformations that divide each element of updates by how large it has been."""

from __future__ import annotations

from typing import Any, NamedTuple

from .. import dtypes
from .. import numpy as fnp
from ..dtype_lattice import promote_types
from ..promotion import as_operand
from ..tree import map as tree_map
from .base import GradientTransformation, cast_tree, count_zero, full_like, zeros_like

__all__ = [
    "ScaleByAdamState",
    "ScaleByRmsState",
    "ScaleByRssState",
    "ScaleByStddevState",
    "scale_by_adam",
    "scale_by_rms",
    "scale_by_rss",
    "scale_by_stddev",
]


class ScaleByAdamState(NamedTuple):
    """The number of steps and the two moments of `scale_by_adam`."""

    count: Any
    mu: Any
    nu: Any


class ScaleByRmsState(NamedTuple):
    """The mean square of `scale_by_rms`; the number of steps is None without bias correction."""

    count: Any
    nu: Any


class ScaleByStddevState(NamedTuple):
    """The mean and the mean square of `scale_by_stddev`; the number of steps is None without bias correction."""

    count: Any
    mu: Any
    nu: Any


class ScaleByRssState(NamedTuple):
    """The sum of squares of `scale_by_rss`."""

    sum_of_squares: Any


def _square(g: Any) -> Any:
    """|g|^2, in the dtype of g's real part."""
    g = as_operand(g)
    return fnp.real(g * fnp.conj(g)) if dtypes.is_complex(g.dtype) else fnp.square(g)


def _moment(updates: Any, old: Any, decay: Any) -> Any:
    return tree_map(lambda g, m: (1 - decay) * g + decay * m, updates, old)


def _second_moment(updates: Any, old: Any, decay: Any) -> Any:
    return tree_map(lambda g, v: (1 - decay) * _square(g) + decay * v, updates, old)


def _corrected(moment: Any, decay: Any, count: Any) -> Any:
    """Moments over 1 - decay^count: what they would be if they had not started at zero."""

    def divide(m: Any) -> Any:
        m = as_operand(m)
        real = fnp.real(m).dtype if dtypes.is_complex(m.dtype) else m.dtype
        wide = promote_types(real, "float32")
        # Not 1 - decay**count: with decay close to 1 that cancels.
        missing = -fnp.expm1(fnp.astype(count, wide) * fnp.log(fnp.asarray(decay, dtype=wide)))
        return m / fnp.astype(missing, real)

    return tree_map(divide, moment)


def _divided(updates: Any, nu: Any, eps: Any, eps_in_sqrt: bool) -> Any:
    if eps_in_sqrt:
        return tree_map(lambda g, v: g / fnp.sqrt(v + eps), updates, nu)
    return tree_map(lambda g, v: g / (fnp.sqrt(v) + eps), updates, nu)


def scale_by_adam(
    b1: Any = 0.9,
    b2: Any = 0.999,
    eps: Any = 1e-8,
    eps_root: Any = 0.0,
    mu_dtype: Any = None,
    *,
    nesterov: bool = False,
) -> GradientTransformation:
    """Adam's scaling: m / (1 - b1^t) over sqrt(v / (1 - b2^t) + eps_root) + eps.

    Reference: Kingma and Ba, "Adam: a method for stochastic optimization", 2015; with `nesterov`: Dozat, 2016.

    Args:
      b1: decay of the first moment m.
      b2: decay of the second moment v.
      eps: added outside of the root.
      eps_root: added inside of the root.
      mu_dtype: in which m is kept; that of the parameters if omitted.
      nesterov: whether to use Nesterov's momentum.

    >>> step = scale_by_adam()
    >>> updates, _ = step.update(3.0, step.init(0.0))
    >>> round(float(updates), 4)
    1.0
    """

    def init(params: Any) -> ScaleByAdamState:
        return ScaleByAdamState(count_zero(), zeros_like(params, mu_dtype), zeros_like(params))

    def update(updates: Any, state: ScaleByAdamState, params: Any = None) -> tuple[Any, ScaleByAdamState]:
        mu = _moment(updates, state.mu, b1)
        nu = _second_moment(updates, state.nu, b2)
        count = state.count + 1
        if nesterov:
            ahead, now = _corrected(mu, b1, count + 1), _corrected(updates, b1, count)
            m_hat = tree_map(lambda m, g: b1 * m + (1 - b1) * g, ahead, now)
        else:
            m_hat = _corrected(mu, b1, count)
        v_hat = _corrected(nu, b2, count)
        new = tree_map(lambda m, v: m / (fnp.sqrt(v + eps_root) + eps), m_hat, v_hat)
        return new, ScaleByAdamState(count, cast_tree(mu, mu_dtype), nu)

    return GradientTransformation(init, update)


def scale_by_rms(
    decay: Any = 0.9, eps: Any = 1e-8, initial_scale: Any = 0.0, eps_in_sqrt: bool = True, bias_correction: bool = False
) -> GradientTransformation:
    """Divides updates by the root of a running mean of their squares.

    Args:
      decay: of the mean.
      eps: keeps the divisor from zero.
      initial_scale: the mean at the start.
      eps_in_sqrt: whether eps is added inside of the root.
      bias_correction: whether the mean is divided by 1 - decay^t.

    >>> step = scale_by_rms(decay=0.0, eps=0.0)
    >>> float(step.update(-3.0, step.init(0.0))[0])
    -1.0
    """

    def init(params: Any) -> ScaleByRmsState:
        return ScaleByRmsState(count_zero() if bias_correction else None, full_like(params, initial_scale))

    def update(updates: Any, state: ScaleByRmsState, params: Any = None) -> tuple[Any, ScaleByRmsState]:
        nu = _second_moment(updates, state.nu, decay)
        count = state.count + 1 if bias_correction else None
        found = _corrected(nu, decay, count) if bias_correction else nu
        return _divided(updates, found, eps, eps_in_sqrt), ScaleByRmsState(count, nu)

    return GradientTransformation(init, update)


def scale_by_stddev(
    decay: Any = 0.9, eps: Any = 1e-8, initial_scale: Any = 0.0, eps_in_sqrt: bool = True, bias_correction: bool = False
) -> GradientTransformation:
    """Divides updates by their running standard deviation. Arguments as of `scale_by_rms`.

    >>> step = scale_by_stddev(decay=0.5, eps=0.0)
    >>> float(step.update(-3.0, step.init(0.0))[0])
    -2.0
    """

    def init(params: Any) -> ScaleByStddevState:
        count = count_zero() if bias_correction else None
        return ScaleByStddevState(count, zeros_like(params), full_like(params, initial_scale))

    def update(updates: Any, state: ScaleByStddevState, params: Any = None) -> tuple[Any, ScaleByStddevState]:
        mu, nu = _moment(updates, state.mu, decay), _second_moment(updates, state.nu, decay)
        count, m_hat, v_hat = None, mu, nu
        if bias_correction:
            count = state.count + 1
            m_hat, v_hat = _corrected(mu, decay, count), _corrected(nu, decay, count)
        variance = tree_map(lambda m, v: v - _square(m), m_hat, v_hat)
        return _divided(updates, variance, eps, eps_in_sqrt), ScaleByStddevState(count, mu, nu)

    return GradientTransformation(init, update)


def scale_by_rss(initial_accumulator_value: Any = 0.1, eps: Any = 1e-7) -> GradientTransformation:
    """Divides updates by the root of the sum of all their squares so far: Adagrad's scaling.

    Args:
      initial_accumulator_value: the sum at the start.
      eps: added inside of the root.

    >>> step = scale_by_rss(0.0, eps=0.0)
    >>> float(step.update(-3.0, step.init(0.0))[0])
    -1.0
    """

    def init(params: Any) -> ScaleByRssState:
        return ScaleByRssState(full_like(params, initial_accumulator_value))

    def update(updates: Any, state: ScaleByRssState, params: Any = None) -> tuple[Any, ScaleByRssState]:
        total = tree_map(lambda g, s: _square(g) + s, updates, state.sum_of_squares)

        def scaled(g: Any, s: Any) -> Any:
            return fnp.where(s > 0, g / fnp.sqrt(s + eps), fnp.zeros_like(g))

        return tree_map(scaled, updates, total), ScaleByRssState(total)

    return GradientTransformation(init, update)
