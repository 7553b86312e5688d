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
    hard_silu,
    hard_swish,
    hard_tanh,
    identity,
    leaky_relu,
    log1mexp,
    log_sigmoid,
    mish,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    soft_sign,
    softplus,
    sparse_plus,
    sparse_sigmoid,
    squareplus,
    swish,
    tanh,
)
from .attention import dot_product_attention
from .layers import (
    avg_pool,
    conv2d,
    dropout,
    layer_norm,
    linear,
    max_pool,
    one_hot,
)
from .losses import cross_entropy, mse_loss
from .normalising import log_softmax, logmeanexp, logsumexp, softmax, standardize

__all__ = [
    "avg_pool",
    "celu",
    "conv2d",
    "cross_entropy",
    "dot_product_attention",
    "dropout",
    "elu",
    "gelu",
    "glu",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "identity",
    "initializers",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log1mexp",
    "log_sigmoid",
    "log_softmax",
    "logmeanexp",
    "logsumexp",
    "losses",
    "max_pool",
    "mish",
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
    "sparse_plus",
    "sparse_sigmoid",
    "squareplus",
    "standardize",
    "swish",
    "tanh",
]
