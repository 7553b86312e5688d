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
    """The same value at each step.

    >>> constant_schedule(0.5)(3)
    0.5
    """
    return lambda count: value


def linear_schedule(init_value: float, end_value: float, transition_steps: int, transition_begin: int = 0) -> Schedule:
    """A straight line from `init_value` to `end_value` in `transition_steps` steps, from `transition_begin` on.

    >>> float(linear_schedule(1.0, 0.0, 10)(5))
    0.5
    """

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
    """`init_value * decay_rate ** (count / transition_steps)`.

    Args:
      init_value: the value up to `transition_begin`.
      transition_steps: in how many steps the value is multiplied by `decay_rate`.
      decay_rate: positive; above 1 the value grows.
      transition_begin: the step at which it starts.
      staircase: whether the exponent is rounded down.
      end_value: past which the value does not go.

    >>> float(exponential_decay(1.0, 10, 0.5)(20))
    0.25
    """

    def schedule(count: Any) -> Any:
        done = fnp.maximum(count - transition_begin, 0) / transition_steps
        value = init_value * decay_rate ** (fnp.floor(done) if staircase else done)
        if end_value is None:
            return value
        return (fnp.maximum if decay_rate < 1 else fnp.minimum)(value, end_value)

    return schedule


def cosine_decay_schedule(init_value: float, decay_steps: int, alpha: float = 0.0, exponent: float = 1.0) -> Schedule:
    """Half a cosine from `init_value` to `alpha * init_value` in `decay_steps` steps.

    >>> float(cosine_decay_schedule(1.0, 10)(10))
    0.0
    """

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
    """A line from `init_value` up to `peak_value`, then half a cosine down to `end_value`.

    Args:
      init_value: at step 0.
      peak_value: at step `warmup_steps`.
      warmup_steps: how many steps the line has.
      decay_steps: how many steps both have together.
      end_value: from there on.
      exponent: of the cosine's factor.

    >>> schedule = warmup_cosine_decay_schedule(0.0, 1.0, 2, 10)
    >>> [float(schedule(count)) for count in (1, 2, 10)]
    [0.5, 1.0, 0.0]
    """
    up = linear_schedule(init_value, peak_value, warmup_steps)
    alpha = 0.0 if peak_value == 0 else end_value / peak_value
    down = cosine_decay_schedule(peak_value, decay_steps - warmup_steps, alpha, exponent)
    return lambda count: fnp.where(count < warmup_steps, up(count), down(fnp.maximum(count - warmup_steps, 0)))
