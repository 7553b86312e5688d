"""Functions that networks are made of; parameters are pytrees of arrays, which the user keeps.

>>> import functorch_lite as fl, functorch_lite.numpy as fnp
>>> fl.nn.relu(fnp.array([-1.0, 2.0]))
Array([0., 2.], dtype=float32)
"""

from . import initializers, losses
from .activations import (
    celu,
    elu,
    gelu,
    glu,
    hard_sigmoid,
    hard_tanh,
    leaky_relu,
    log_sigmoid,
    log_softmax,
    logsumexp,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    soft_sign,
    softmax,
    softplus,
    swish,
)
from .layers import avg_pool, conv2d, dropout, layer_norm, linear, max_pool, one_hot
from .losses import cross_entropy, mse_loss

__all__ = [
    "avg_pool",
    "celu",
    "conv2d",
    "cross_entropy",
    "dropout",
    "elu",
    "gelu",
    "glu",
    "hard_sigmoid",
    "hard_tanh",
    "initializers",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "logsumexp",
    "losses",
    "max_pool",
    "mse_loss",
    "one_hot",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_sign",
    "softmax",
    "softplus",
    "swish",
]
