"""Activations, normalisation, attention, initializers; losses, where Optax is installed."""

from __future__ import annotations

from typing import Any

import pytest

from .harness import FLOATS, agree, calls, index, mask, normal, positive, suite, uniform

ACTIVATIONS = calls("int32 float16 bfloat16 float32", """
    nn.relu(x)
    nn.relu6(x)
    nn.softplus(x)
    nn.soft_sign(x)
    nn.tanh(x)
    nn.mish(x)
    nn.log_sigmoid(x)
    nn.gelu(x)
    nn.gelu(x, approximate=False)
    nn.leaky_relu(x)
    nn.leaky_relu(x, 0.2)
    nn.hard_tanh(x)
    nn.hard_sigmoid(x)
    nn.hard_silu(x)
    nn.hard_swish(x)
    nn.squareplus(x)
    nn.squareplus(x, 2)
    nn.sparse_plus(x)
    nn.sparse_sigmoid(x)
    nn.identity(x)
    nn.softmax(x)
    nn.softmax(x, axis=0)
    nn.log_softmax(x)
    nn.log_softmax(x, axis=(0, 1))
    nn.logsumexp(x)
    nn.standardize(x)
""", x=normal(4, 6), factor=8)  # fmt: skip

FLOATING = calls("float16 bfloat16 float32", """
    nn.sigmoid(x)
    nn.silu(x)
    nn.swish(x)
    nn.elu(x)
    nn.elu(x, 0.5)
    nn.celu(x)
    nn.celu(x, 2.0)
    nn.selu(x)
    nn.glu(x)
    nn.glu(x, axis=0)
""", x=normal(4, 6), factor=8)  # fmt: skip

SHAPED = calls(FLOATS, """
    nn.softmax(x, where=m)
    nn.softmax(x, axis=(0, 1), where=m)
    nn.log_softmax(x, axis=0, where=m) * m if False else nn.softmax(x, axis=0, where=m)
    nn.logsumexp(x, axis=0, keepdims=True)
    nn.logsumexp(x, axis=1, b=y)
    nn.logsumexp(x, axis=1, b=y, return_sign=True)
    nn.logsumexp(x, axis=1, where=m)
    nn.logmeanexp(x)
    nn.logmeanexp(x, axis=1, where=m)
    nn.log1mexp(y)
    nn.standardize(x, axis=0)
    nn.standardize(x, axis=1, epsilon=1e-3)
    nn.standardize(x, mean=x.mean(-1, keepdims=True), variance=x.var(-1, keepdims=True))
    nn.standardize(x, where=m)
    nn.one_hot(i, 5)
    nn.one_hot(i, 5, dtype='int32')
    nn.one_hot(i, 3, axis=0)
    nn.one_hot(i - 1, 4, dtype='float16')
    nn.dot_product_attention(q, k, v)
    nn.dot_product_attention(q, k, v, is_causal=True)
    nn.dot_product_attention(q, k, v, scale=0.5)
    nn.dot_product_attention(q, k, v, bias=q[:, :, :1, :1].transpose(0, 2, 1, 3))
    nn.dot_product_attention(q, k, v, mask=m[None, None, :3, :5])
    nn.dot_product_attention(q[0], k[0], v[0])
    nn.dot_product_attention(q, k[:, :, :1], v[:, :, :1])
    nn.dot_product_attention(q, k, v, local_window_size=1)
    nn.dot_product_attention(q, k, v, local_window_size=(1, 0))
    nn.dot_product_attention(q, k, v, query_seq_lengths=np.array([2, 3]), key_value_seq_lengths=np.array([4, 2]))
    nn.dot_product_attention(q, k[:, :, :, :2], v)
    nn.dot_product_attention(q[0, 0], k, v)
    nn.glu(x[:, :5])
    nn.relu('a')
    nn.softmax(x, axis=4)
""", x=normal(4, 6), y=positive(4, 6), i=index(5, 4), m=mask(4, 6), q=normal(2, 3, 4, 6), k=normal(2, 5, 2, 6),
    v=normal(2, 5, 2, 6), factor=8)  # fmt: skip

INITIALIZERS = calls(FLOATS, """
    nn.initializers.zeros(random.key(0), (2, 3))
    nn.initializers.ones(random.key(0), (2, 3), 'float16')
    nn.initializers.constant(3.0)(random.key(0), (2,))
    nn.initializers.normal()(random.key(0), (3, 4))
    nn.initializers.normal(0.5, 'float16')(random.key(0), (3, 4))
    nn.initializers.uniform(2.0)(random.key(1), (3, 4))
    nn.initializers.truncated_normal(0.1)(random.key(2), (3, 4))
    nn.initializers.variance_scaling(2.0, 'fan_out', 'uniform')(random.key(3), (3, 4))
    nn.initializers.variance_scaling(1.0, 'fan_avg', 'normal', in_axis=0, out_axis=1)(random.key(3), (3, 4, 5))
    nn.initializers.glorot_normal()(random.key(4), (3, 4))
    nn.initializers.glorot_uniform()(random.key(4), (3, 3, 2, 4))
    nn.initializers.he_normal()(random.key(4), (3, 4))
    nn.initializers.he_uniform()(random.key(4), (3, 4))
    nn.initializers.lecun_normal()(random.key(4), (3, 4))
    nn.initializers.lecun_uniform()(random.key(4), (3, 4))
    nn.initializers.glorot_normal()(random.key(4), (3,))
    nn.initializers.variance_scaling(1.0, 'other', 'normal')(random.key(3), (3, 4))
""", factor=4, derivatives=False, vmap=False)  # fmt: skip

LOSSES = calls(FLOATS, """
    losses.sigmoid_binary_cross_entropy(x, p)
    losses.sigmoid_focal_loss(x, p, alpha=0.3)
    losses.sigmoid_focal_loss(x, p, gamma=1.5)
    losses.hinge_loss(x, np.sign(p - 0.5))
    losses.perceptron_loss(x, np.sign(p - 0.5))
    losses.softmax_cross_entropy(x, p)
    losses.softmax_cross_entropy(x, p, axis=0)
    losses.safe_softmax_cross_entropy(x, p)
    losses.softmax_cross_entropy_with_integer_labels(x, i)
    losses.multiclass_hinge_loss(x[0], i[0])
    losses.multiclass_perceptron_loss(x[0], i[0])
    losses.poly_loss_cross_entropy(x, p)
    losses.poly_loss_cross_entropy(x, p, epsilon=1.0)
    losses.kl_divergence(x, p)
    losses.kl_divergence_with_log_targets(x, np.log(p))
    losses.generalized_kl_divergence(x, p)
    losses.smooth_labels(p, 0.1)
    losses.squared_error(x, p)
    losses.squared_error(x)
    losses.l2_loss(x, p)
    losses.huber_loss(x, p)
    losses.huber_loss(x, p, delta=0.3)
    losses.log_cosh(x, p)
    losses.cosine_similarity(x, p)
    losses.cosine_distance(x, p, axis=0)
""", x=normal(4, 6), p=uniform(0.1, 0.9, 4, 6), i=index(6, 4), factor=8)  # fmt: skip

test_nn = suite([*ACTIVATIONS, *FLOATING, *SHAPED, *INITIALIZERS])


@pytest.mark.oracle
@pytest.mark.parametrize("case", [pytest.param(c, id=str(c)) for c in LOSSES])
def test_losses(case: Any, jax: Any) -> None:
    pytest.importorskip("optax", reason="Optax is the oracle of losses: pip install optax")
    agree(case, jax)
