"""Optimisers as pure functions: gradient transformations in Optax's form, which chain.

>>> import functorch_lite as fl
>>> from functorch_lite import optim
>>> optimizer = optim.sgd(0.1)
>>> params = {"w": 1.0}
>>> state = optimizer.init(params)
>>> updates, state = optimizer.update({"w": 2.0}, state, params)
>>> float(optim.apply_updates(params, updates)["w"])
0.800000011920929
"""

from .adaptive import scale_by_adam, scale_by_rms, scale_by_rss, scale_by_stddev
from .alias import adagrad, adam, adamw, rmsprop, sgd
from .base import EmptyState, GradientTransformation, apply_updates, chain, identity, set_to_zero
from .schedules import (
    constant_schedule,
    cosine_decay_schedule,
    exponential_decay,
    linear_schedule,
    warmup_cosine_decay_schedule,
)
from .transform import (
    add_decayed_weights,
    clip,
    clip_by_global_norm,
    global_norm,
    scale,
    scale_by_learning_rate,
    scale_by_schedule,
    trace,
)

__all__ = [
    "EmptyState",
    "GradientTransformation",
    "adagrad",
    "adam",
    "adamw",
    "add_decayed_weights",
    "apply_updates",
    "chain",
    "clip",
    "clip_by_global_norm",
    "constant_schedule",
    "cosine_decay_schedule",
    "exponential_decay",
    "global_norm",
    "identity",
    "linear_schedule",
    "rmsprop",
    "scale",
    "scale_by_adam",
    "scale_by_learning_rate",
    "scale_by_rms",
    "scale_by_rss",
    "scale_by_schedule",
    "scale_by_stddev",
    "set_to_zero",
    "sgd",
    "trace",
    "warmup_cosine_decay_schedule",
]
