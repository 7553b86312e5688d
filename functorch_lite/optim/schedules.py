"""Learning rates as functions of the number of steps."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from .. import numpy as fnp

__all__ = [
    "constant_schedule",
    "cosine_decay_schedule",
    "exponential_decay",
    "linear_schedule",
    "warmup_cosine_decay_schedule",
]

Schedule = Callable[[Any], Any]


def constant_schedule(value: float) -> Schedule:
    """The same value at each step."""
    return lambda count: value


def linear_schedule(init_value: float, end_value: float, transition_steps: int, transition_begin: int = 0) -> Schedule:
    """A straight line from `init_value` to `end_value` in `transition_steps` steps, from `transition_begin` on."""

    def schedule(count: Any) -> Any:
        done = fnp.clip(count - transition_begin, 0, transition_steps) / transition_steps
        return init_value + (end_value - init_value) * done

    return schedule


def exponential_decay(
    init_value: float,
    transition_steps: int,
    decay_rate: float,
    transition_begin: int = 0,
    staircase: bool = False,
    end_value: float | None = None,
) -> Schedule:
    """`init_value * decay_rate ** (count / transition_steps)`, by whole steps with `staircase`, not past `end_value`."""

    def schedule(count: Any) -> Any:
        done = fnp.maximum(count - transition_begin, 0) / transition_steps
        value = init_value * decay_rate ** (fnp.floor(done) if staircase else done)
        if end_value is None:
            return value
        return (fnp.maximum if decay_rate < 1 else fnp.minimum)(value, end_value)

    return schedule


def cosine_decay_schedule(init_value: float, decay_steps: int, alpha: float = 0.0, exponent: float = 1.0) -> Schedule:
    """Half a cosine from `init_value` to `alpha * init_value` in `decay_steps` steps."""

    def schedule(count: Any) -> Any:
        done = fnp.minimum(count, decay_steps) / decay_steps
        return init_value * ((1 - alpha) * (0.5 * (1 + fnp.cos(math.pi * done))) ** exponent + alpha)

    return schedule


def warmup_cosine_decay_schedule(
    init_value: float,
    peak_value: float,
    warmup_steps: int,
    decay_steps: int,
    end_value: float = 0.0,
    exponent: float = 1.0,
) -> Schedule:
    """A line from `init_value` up to `peak_value` in `warmup_steps`, then a cosine down to `end_value` at `decay_steps`."""
    up = linear_schedule(init_value, peak_value, warmup_steps)
    alpha = 0.0 if peak_value == 0 else end_value / peak_value
    down = cosine_decay_schedule(peak_value, decay_steps - warmup_steps, alpha, exponent)
    return lambda count: fnp.where(count < warmup_steps, up(count), down(fnp.maximum(count - warmup_steps, 0)))
