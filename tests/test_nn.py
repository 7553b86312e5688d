"""`nn`: values against formulas, derivatives, dtypes, edges and errors."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
import scipy.special

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite import nn
from functorch_lite.errors import DTypeError, ShapeError
from functorch_lite.nn import initializers, losses
from functorch_lite.testing import assert_close, check_grads, check_jit, check_vmap

INF, NAN = np.inf, np.nan
FLOATS = [np.dtype(d) for d in (np.float16, ml_dtypes.bfloat16, np.float32, np.float64)]
POINTS = np.array([-20.0, -6.5, -3.5, -1.75, -0.75, -1e-3, 1e-3, 0.5, 1.25, 2.75, 5.5, 7.0, 20.0])
TANH_GELU = np.sqrt(2 / np.pi)


def softplus(x):
    return np.logaddexp(x, 0)


ACTIVATIONS = {
    "celu": lambda x: np.where(x > 0, x, np.expm1(x)),
    "elu": lambda x: np.where(x > 0, x, np.expm1(x)),
    "gelu": lambda x: 0.5 * x * (1 + np.tanh(TANH_GELU * (x + 0.044715 * x**3))),
    "hard_sigmoid": lambda x: np.clip(x + 3, 0, 6) / 6,
    "hard_silu": lambda x: x * np.clip(x + 3, 0, 6) / 6,
    "hard_tanh": lambda x: np.clip(x, -1, 1),
    "identity": lambda x: x,
    "leaky_relu": lambda x: np.where(x >= 0, x, 0.01 * x),
    "log_sigmoid": lambda x: -softplus(-x),
    "mish": lambda x: x * np.tanh(softplus(x)),
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "selu": lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(x)),
    "sigmoid": scipy.special.expit,
    "silu": lambda x: x * scipy.special.expit(x),
    "soft_sign": lambda x: x / (1 + np.abs(x)),
    "softplus": softplus,
    "sparse_plus": lambda x: np.where(x <= -1, 0, np.where(x >= 1, x, (x + 1) ** 2 / 4)),
    "sparse_sigmoid": lambda x: np.clip((x + 1) / 2, 0, 1),
    "squareplus": lambda x: (x + np.sqrt(x * x + 4)) / 2,
    "tanh": np.tanh,
}


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_has_the_value_of_its_formula(name, dtype):
    x = POINTS.astype(dtype)
    found = getattr(nn, name)(fnp.asarray(x))
    assert found.dtype == dtype
    with np.errstate(all="ignore"):
        expected = ACTIVATIONS[name](x.astype(np.float64))
    eps = float(ml_dtypes.finfo(dtype).eps)
    np.testing.assert_allclose(np.asarray(found).astype(np.float64), expected, rtol=16 * eps, atol=8 * eps)


@pytest.mark.parametrize("name", [*ACTIVATIONS, "log1mexp"])
def test_activation_has_the_derivatives_of_its_values(name):
    x = np.abs(POINTS) if name == "log1mexp" else POINTS
    x = x[np.abs(x) > 0.01]  # away from kinks
    f = getattr(nn, name)
    check_grads(f, (fnp.asarray(x),), order=2, atol=1e-4, rtol=1e-4)
    check_vmap(f, (x,))
    check_jit(f, (x,))


@pytest.mark.parametrize("name", [n for n in ACTIVATIONS if n not in ("identity", "relu", "hard_tanh")])
def test_integers_and_booleans_become_floats(name):
    if name not in ("log_sigmoid",):
        assert getattr(nn, name)(np.array([True, False])).dtype == np.float32
    assert getattr(nn, name)(np.array([1, 2], np.int32)).dtype == np.float32
    assert getattr(nn, name)(0.5).weak_type


def test_activations_at_infinity_and_nan():
    x = fnp.array([-INF, INF, NAN])
    limits = {
        "sigmoid": (0, 1),
        "softplus": (0, INF),
        "log_sigmoid": (-INF, 0),
        "relu": (0, INF),
        "relu6": (0, 6),
        "hard_tanh": (-1, 1),
        "hard_sigmoid": (0, 1),
        "elu": (-1, INF),
        "celu": (-1, INF),
        "sparse_plus": (0, INF),
        "sparse_sigmoid": (0, 1),
        "tanh": (-1, 1),
    }
    for name, (low, high) in limits.items():
        np.testing.assert_array_equal(getattr(nn, name)(x), [low, high, NAN], err_msg=name)
        gradient = fl.vmap(fl.grad(getattr(nn, name)))(x)
        assert np.isfinite(np.asarray(gradient)[:2]).all(), name


def test_derivatives_at_kinks():
    gradient = {name: float(fl.grad(getattr(nn, name))(0.0)) for name in ("relu", "relu6", "leaky_relu", "elu", "celu")}
    assert gradient == {"relu": 0, "relu6": 0, "leaky_relu": 1, "elu": 1, "celu": 1}
    assert float(fl.grad(nn.relu6)(6.0)) == 0
    assert [float(fl.grad(nn.hard_sigmoid)(x)) for x in (-3.0, 3.0)] == [0, 0]


def test_softplus_keeps_its_curvature_at_zero_and_passes_nan_on():
    assert float(fl.grad(fl.grad(nn.softplus))(0.0)) == 0.25
    assert np.isnan(float(fl.grad(nn.softplus)(NAN)))
    assert np.isnan(float(fl.grad(nn.log_sigmoid)(NAN)))


def test_parameters_of_activations():
    x = np.array([-2.0, 3.0])
    np.testing.assert_allclose(nn.elu(x, 2.0), [2 * np.expm1(-2), 3])
    np.testing.assert_allclose(nn.celu(x, 2.0), [2 * np.expm1(-1), 3])
    np.testing.assert_allclose(nn.leaky_relu(x, 0.5), [-1, 3])
    np.testing.assert_allclose(nn.squareplus(x, 12), (x + np.sqrt(x * x + 12)) / 2)
    np.testing.assert_allclose(nn.gelu(x, approximate=False), x * scipy.special.ndtr(x), rtol=1e-12)
    check_grads(lambda x, a: nn.elu(x, a) + nn.celu(x, a), (x, np.array([1.5, 0.7])), order=2)


def test_log1mexp_is_exact_at_both_ends():
    x = np.array([1e-300, 1e-10, 0.5])
    np.testing.assert_allclose(nn.log1mexp(x), np.log(-np.expm1(-x)), rtol=1e-12)
    np.testing.assert_allclose(nn.log1mexp(x + 1), np.log1p(-np.exp(-x - 1)), rtol=1e-12)
    assert float(nn.log1mexp(0.0)) == -INF
    assert float(nn.log1mexp(fnp.asarray(50.0, dtype="float64"))) == pytest.approx(-np.exp(-50.0), rel=1e-12)


def test_glu_halves_an_axis(rng):
    x = rng.normal(size=(3, 4, 2))
    np.testing.assert_allclose(nn.glu(x, 1), x[:, :2] * scipy.special.expit(x[:, 2:]), rtol=1e-12)
    with pytest.raises(ShapeError, match=r"glu halves x along axis 0.*got f64\[3,4,2\]"):
        nn.glu(x, 0)


# The softmax family


@pytest.mark.parametrize("axis", [-1, 0, (0, 2), None])
@pytest.mark.parametrize("masked", [False, True])
def test_softmax_family(rng, axis, masked):
    x = rng.normal(size=(3, 4, 5))
    where = rng.random(x.shape) > 0.3 if masked else None
    terms = np.exp(x) * (1 if where is None else where)
    total = terms.sum(axis=axis, keepdims=True)
    counts = np.broadcast_to(True if where is None else where, x.shape).sum(axis=axis, keepdims=True)
    with np.errstate(divide="ignore"):
        assert_close(nn.softmax(x, axis, where=where), terms / total)
        assert_close(nn.log_softmax(x, axis, where=where), np.log(terms / total))
        assert_close(nn.logsumexp(x, axis, where=where, keepdims=True), np.log(total))
        assert_close(nn.logmeanexp(x, axis, where=where, keepdims=True), np.log(total / counts))
        assert nn.logsumexp(x, axis).shape == total.squeeze(axis).shape
    check_grads(lambda x: nn.softmax(x, axis, where=where), (x,), order=2)
    check_grads(lambda x: fnp.where(True if where is None else where, nn.log_softmax(x, axis, where), 0), (x,), order=2)
    check_grads(lambda x: nn.logmeanexp(x, axis, where=where), (x,), order=2)


def test_softmax_of_large_and_infinite_scores():
    x = np.array([[1000.0, 0.0, -INF], [-INF, 2.0, 2.0]])
    np.testing.assert_array_equal(nn.softmax(x), [[1, 0, 0], [0, 0.5, 0.5]])
    np.testing.assert_allclose(nn.log_softmax(x), [[0, -1000, -INF], [-INF, -np.log(2), -np.log(2)]])
    np.testing.assert_allclose(nn.logsumexp(x, axis=1), [1000, 2 + np.log(2)])
    gradient = fl.grad(lambda x: fnp.sum(nn.softmax(x)[:, 1]))(x)
    np.testing.assert_allclose(gradient, [[0, 0, 0], [0, 0.25, -0.25]])


def test_softmax_of_nothing():
    assert nn.softmax(np.zeros((2, 0))).shape == (2, 0)
    np.testing.assert_array_equal(nn.logsumexp(np.zeros((2, 0)), axis=1), [-INF, -INF])
    np.testing.assert_array_equal(nn.logsumexp(np.array([-INF, -INF])), -INF)
    np.testing.assert_array_equal(nn.logsumexp(np.array([INF, 1.0])), INF)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_softmax_family_keeps_dtypes(dtype, rng):
    x = rng.normal(size=(2, 5)).astype(dtype)
    for f in (nn.softmax, nn.log_softmax, nn.logsumexp, nn.logmeanexp, nn.standardize, nn.layer_norm):
        assert f(fnp.asarray(x)).dtype == dtype, f
    np.testing.assert_allclose(np.asarray(nn.softmax(x)).astype(float).sum(1), 1, atol=8 * ml_dtypes.finfo(dtype).eps)


def test_logsumexp_with_factors_and_signs(rng):
    x, b = rng.normal(size=(2, 3, 4))
    size, sign = nn.logsumexp(x, axis=1, b=b, return_sign=True)
    total = (b * np.exp(x)).sum(1)
    np.testing.assert_allclose(size, np.log(np.abs(total)), rtol=1e-12)
    np.testing.assert_array_equal(sign, np.sign(total))
    assert np.isnan(float(nn.logsumexp(0.0, b=-1.0)))
    # A factor of zero takes an infinite term out.
    np.testing.assert_allclose(nn.logsumexp(np.array([INF, 1.0]), b=np.array([0.0, 2.0])), 1 + np.log(2))
    z = x + 1j * b
    np.testing.assert_allclose(nn.logsumexp(z, axis=1), np.log(np.exp(z).sum(1)), rtol=1e-12)
    check_grads(lambda x, b: nn.logsumexp(x, axis=1, b=b * b), (x, b), order=2)


def test_standardize(rng):
    x = rng.normal(size=(3, 4)) * 3 + 2
    for algorithm in ("fast", "stable"):
        expected = (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5)
        np.testing.assert_allclose(nn.standardize(x, 0, algorithm=algorithm), expected, rtol=1e-9)
    np.testing.assert_allclose(nn.standardize(x, mean=1.0, variance=4.0, epsilon=0.0), (x - 1) / 2)
    where = np.array([True, True, False, False])
    found = np.asarray(nn.standardize(x, where=where, epsilon=0.0))
    np.testing.assert_allclose(found[:, :2].mean(1), 0, atol=1e-12)
    np.testing.assert_allclose(found[:, :2].var(1), 1, atol=1e-9)
    check_grads(nn.standardize, (x,), order=2)
    with pytest.raises(ValueError, match="algorithm is 'fast' or 'stable', got 'quick'"):
        nn.standardize(x, algorithm="quick")


# Layers


def test_one_hot():
    np.testing.assert_array_equal(nn.one_hot(np.array([2, 0]), 3), [[0, 0, 1], [1, 0, 0]])
    np.testing.assert_array_equal(nn.one_hot(np.array([2, 0]), 3, axis=0), [[0, 1], [0, 0], [1, 0]])
    np.testing.assert_array_equal(nn.one_hot(np.array([-1, 3]), 3), np.zeros((2, 3)))
    assert nn.one_hot(1, 3).dtype == np.float32
    assert nn.one_hot(1, 3, dtype=bool).dtype == bool
    assert nn.one_hot(np.array([True]), 2, dtype="int8").tolist() == [[0, 1]]
    assert nn.one_hot(np.zeros((0,), int), 3).shape == (0, 3)
    with pytest.raises(DTypeError, match=r"one_hot needs integers, got f32\[\]"):
        nn.one_hot(fnp.float32(1.0), 3)


def test_one_hot_of_small_integers_with_many_classes():
    """300 classes do not fit into int8, 44 and 300 must not be taken for each other."""
    np.testing.assert_array_equal(nn.one_hot(np.array([44, 5], np.int8), 400), np.eye(400)[[44, 5]])
    np.testing.assert_array_equal(nn.one_hot(np.array([200], np.uint8), 400), np.eye(400)[[200]])


def test_one_hot_along_a_named_axis():
    f = fl.vmap(lambda x: nn.one_hot(x, 3, axis="i"), in_axes=None, axis_name="i", axis_size=3)
    np.testing.assert_array_equal(f(np.array([0, 2])), [[1, 0], [0, 0], [0, 1]])
    with pytest.raises(ShapeError, match="num_classes is 4, needed is the size of axis 'i', 3"):
        fl.vmap(lambda x: nn.one_hot(x, 4, axis="i"), axis_name="i")(np.arange(3))


def attention(query, key, value, bias=0.0, mask=True, scale=None):
    """The definition, a head at a time."""
    heads, groups = query.shape[2], key.shape[2]
    bias = np.broadcast_to(bias, (len(query), heads, query.shape[1], key.shape[1]))
    mask = np.broadcast_to(mask, bias.shape)
    out = np.empty_like(query)
    for b in range(len(query)):
        for h in range(heads):
            g = h // (heads // groups)
            scores = query[b, :, h] @ key[b, :, g].T * (query.shape[3] ** -0.5 if scale is None else scale)
            weights = scipy.special.softmax(np.where(mask[b, h], scores + bias[b, h], -1e30), axis=-1)
            out[b, :, h] = weights @ value[b, :, g]
    return out


@pytest.fixture
def qkv(rng):
    return rng.normal(size=(2, 5, 4, 3)), rng.normal(size=(2, 6, 2, 3)), rng.normal(size=(2, 6, 2, 3))


def test_attention_is_its_definition(qkv, rng):
    bias, mask = rng.normal(size=(2, 4, 5, 6)), rng.random((2, 1, 5, 6)) > 0.3
    t, s = np.arange(5)[:, None], np.arange(6)
    attend = nn.dot_product_attention
    assert_close(attend(*qkv), attention(*qkv), rtol=1e-9, atol=1e-9)
    assert_close(attend(*qkv, bias, mask), attention(*qkv, bias, mask), rtol=1e-9, atol=1e-9)
    assert_close(attend(*qkv, scale=0.3), attention(*qkv, scale=0.3), rtol=1e-9, atol=1e-9)
    assert_close(attend(*qkv, is_causal=True), attention(*qkv, mask=s <= t), rtol=1e-9, atol=1e-9)
    window = (s >= t - 2) & (s <= t + 1)
    assert_close(attend(*qkv, local_window_size=(2, 1)), attention(*qkv, mask=window), rtol=1e-9, atol=1e-9)
    lengths = np.array([4, 6], np.int32)
    seen = s < lengths[:, None, None, None]
    found = attend(*qkv, key_value_seq_lengths=lengths)
    assert_close(found, attention(*qkv, mask=seen), rtol=1e-9, atol=1e-9)
    targets = np.array([3, 5], np.int32)
    found = np.asarray(attend(*qkv, query_seq_lengths=targets))
    assert (found[0, 3:] == 0).all()
    assert_close(found[1], attention(*qkv)[1], rtol=1e-9, atol=1e-9)


def test_attention_without_a_batch_and_its_residual(qkv):
    q, k, v = (x[0] for x in qkv)
    out, residual = nn.dot_product_attention(q, k, v, return_residual=True)
    assert_close(out, attention(*qkv)[0], rtol=1e-9, atol=1e-9)
    scores = np.einsum("thd,shd->ths", q, np.repeat(k, 2, axis=1)) / np.sqrt(3)
    assert_close(residual, scipy.special.logsumexp(scores, axis=-1), rtol=1e-9, atol=1e-9)


def test_attention_of_who_sees_nothing_is_a_mean(qkv):
    found = nn.dot_product_attention(*qkv, mask=np.zeros((2, 1, 5, 6), bool))
    expected = np.repeat(qkv[2].mean(1, keepdims=True), 2, axis=2)
    assert_close(found, np.broadcast_to(expected, found.shape), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_attention_keeps_dtypes_and_composes(qkv, dtype):
    q, k, v = (fnp.asarray(x.astype(dtype)) for x in qkv)
    found = nn.dot_product_attention(q, k, v, is_causal=True)
    assert found.dtype == dtype
    eps = float(ml_dtypes.finfo(dtype).eps)
    assert_close(np.asarray(found).astype(float), nn.dot_product_attention(*qkv, is_causal=True), atol=16 * eps + 1e-5)
    if dtype == np.float32:
        check_grads(lambda *a: nn.dot_product_attention(*a, is_causal=True), (q, k, v), order=1, atol=5e-2, rtol=5e-2)
        check_jit(nn.dot_product_attention, (q, k, v))


def test_attention_explains_what_does_not_fit(qkv):
    q, k, v = qkv
    with pytest.raises(ShapeError, match=r"a multiple of the key's, got query f64\[2,5,3,3\]"):
        nn.dot_product_attention(q[:, :, :3], k, v)
    with pytest.raises(ShapeError, match="key and value"):
        nn.dot_product_attention(q, k, v[:, :4])
    with pytest.raises(DTypeError, match="one floating dtype"):
        nn.dot_product_attention(q.astype(np.float32), k, v)
    with pytest.raises(DTypeError, match="needed are booleans"):
        nn.dot_product_attention(q, k, v, mask=np.ones((2, 1, 5, 6)))
    with pytest.raises(ValueError, match="implementation is 'cudnn'"):
        nn.dot_product_attention(q, k, v, implementation="cudnn")


def test_linear_and_conv2d(rng):
    x, w, b = rng.normal(size=(2, 3)), rng.normal(size=(3, 4)), rng.normal(size=4)
    np.testing.assert_allclose(nn.linear(x, w, b), x @ w + b)
    image, filters, bias = rng.normal(size=(1, 2, 4, 5)), rng.normal(size=(3, 2, 2, 2)), rng.normal(size=3)
    expected = np.zeros((1, 3, 2, 6))
    padded = np.pad(image, ((0, 0), (0, 0), (0, 0), (1, 1)))
    for i in range(2):
        for j in range(6):
            window = padded[0, :, 2 * i : 2 * i + 2, j : j + 2]
            expected[0, :, i, j] = (filters * window).sum((1, 2, 3)) + bias
    np.testing.assert_allclose(nn.conv2d(image, filters, bias, stride=(2, 1), padding=(0, 1)), expected, rtol=1e-12)
    f = lambda *a: nn.conv2d(*a, stride=(2, 1), padding="SAME", dilation=(1, 2))  # noqa: E731
    check_grads(f, (image, filters, bias), order=1)


def test_pooling(rng):
    x = rng.normal(size=(2, 3, 4, 6))
    blocks = x.reshape(2, 3, 2, 2, 3, 2)
    np.testing.assert_allclose(nn.max_pool(x, 2), blocks.max((3, 5)))
    np.testing.assert_allclose(nn.avg_pool(x, 2), blocks.mean((3, 5)))
    assert nn.max_pool(x, (3, 2), (1, 1)).shape == (2, 3, 2, 5)
    assert nn.max_pool(x, 3, 2, "SAME").shape == (2, 3, 2, 3)
    integers = np.arange(16, dtype=np.int32).reshape(1, 1, 4, 4)
    assert nn.max_pool(integers, 2).tolist() == [[[[5, 7], [13, 15]]]]
    assert nn.avg_pool(integers, 2).tolist() == [[[[2.5, 4.5], [10.5, 12.5]]]]
    check_grads(lambda x: (nn.max_pool(x, 2), nn.avg_pool(x, 2)), (x,), order=2)
    with pytest.raises(ShapeError, match=r"max_pool needs images.*got f64\[3,4,6\]"):
        nn.max_pool(x[0], 2)


def test_layer_norm_and_dropout(rng):
    x, w, b = rng.normal(size=(3, 4)), rng.normal(size=4), rng.normal(size=4)
    expected = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5) * w + b
    np.testing.assert_allclose(nn.layer_norm(x, w, b), expected, rtol=1e-12)
    check_grads(nn.layer_norm, (x, w, b), order=1)
    ones = fnp.ones(10_000)
    found = np.asarray(nn.dropout(fl.random.key(0), ones, 0.25))
    assert set(np.unique(found)) == {np.float32(0), np.float32(1 / 0.75)}
    assert abs((found == 0).mean() - 0.25) < 0.02
    np.testing.assert_array_equal(nn.dropout(fl.random.key(0), ones, 0.25, deterministic=True), ones)
    with pytest.raises(ValueError, match="rate is 1"):
        nn.dropout(fl.random.key(0), ones, 1)


# Initial values


KEY = fl.random.key(3)


@pytest.mark.parametrize("name", initializers.__all__[1:])
@pytest.mark.parametrize("dtype", [None, *FLOATS[2:]], ids=str)
def test_initializers_give_shapes_and_dtypes(name, dtype):
    init = getattr(initializers, name)
    if name == "variance_scaling":
        init = init(1.0, "fan_in", "normal")
    elif name not in ("zeros", "ones"):
        init = init(0.5) if name == "constant" else init()
    found = init(KEY, (3, 2, 4)) if dtype is None else init(KEY, (3, 2, 4), dtype)
    assert found.shape == (3, 2, 4)
    assert found.dtype == (dtype or np.float32)


def test_variances_are_as_scaled():
    shape = (5, 200, 300)  # a field of 5: 1000 inputs, 1500 outputs
    expected = {
        "lecun": 1 / 1000,
        "he": 2 / 1000,
        "glorot": 1 / 1250,
    }
    for name, variance in expected.items():
        for distribution in ("normal", "uniform"):
            values = np.asarray(getattr(initializers, f"{name}_{distribution}")()(KEY, shape))
            assert abs(values.mean()) < 1e-3
            assert values.var() == pytest.approx(variance, rel=0.02)
    bound = np.sqrt(3 / 1250)
    values = np.asarray(initializers.glorot_uniform()(KEY, shape))
    assert bound * 0.99 < np.abs(values).max() <= bound
    geometric = initializers.variance_scaling(1.0, "fan_geo_avg", "normal")
    assert np.asarray(geometric(KEY, shape)).var() == pytest.approx((1000 * 1500) ** -0.5, rel=0.02)
    moved = initializers.variance_scaling(1.0, "fan_in", "normal", in_axis=0, out_axis=1, batch_axis=2)
    assert np.asarray(moved(KEY, shape)).var() == pytest.approx(1 / 5, rel=0.02)


def test_complex_initial_values():
    for distribution in ("normal", "uniform", "truncated_normal"):
        init = initializers.variance_scaling(1.0, "fan_in", distribution, dtype="complex64")
        values = np.asarray(init(KEY, (100, 500)))
        assert values.dtype == np.complex64
        assert (np.abs(values) ** 2).mean() == pytest.approx(0.01, rel=0.02)
        assert abs(values.mean()) < 2e-3


def test_orthogonal_initial_values():
    wide = np.asarray(initializers.orthogonal(2.0)(KEY, (3, 7), "float64"))
    np.testing.assert_allclose(wide @ wide.T, 4 * np.eye(3), atol=1e-12)
    moved = np.asarray(initializers.orthogonal(column_axis=0)(KEY, (2, 3, 4), "float64")).reshape(2, 12)
    np.testing.assert_allclose(moved @ moved.T, np.eye(2), atol=1e-12)
    delta = np.asarray(initializers.delta_orthogonal()(KEY, (3, 5, 2, 4), "float64"))
    np.testing.assert_allclose(delta[1, 2] @ delta[1, 2].T, np.eye(2), atol=1e-12)
    assert np.count_nonzero(delta) == 8
    assert initializers.orthogonal()(KEY, (0, 3)).shape == (0, 3)


def test_initial_values_are_those_of_the_reference():
    """Literals from JAX 0.10 with the same key."""
    found = initializers.glorot_uniform()(fl.random.key(0), (2, 3))
    np.testing.assert_allclose(found, EXPECTED_GLOROT, rtol=1e-5)
    found = initializers.he_normal()(fl.random.key(0), (2, 3))
    np.testing.assert_allclose(found, EXPECTED_HE, rtol=1e-5)


EXPECTED_GLOROT = [[0.9807893, 1.048516, -0.367431], [-0.068644, 0.1531185, -0.7328462]]
EXPECTED_HE = [[1.6552032, 1.9494075, -0.4691488], [-0.0853016, 0.1909915, -1.0375029]]


def test_initializers_explain_what_does_not_fit():
    with pytest.raises(ShapeError, match=r"needs a shape with axes of inputs \(-2\).*got \(3,\)"):
        initializers.he_normal()(KEY, (3,))
    with pytest.raises(ShapeError, match="at least two axes"):
        initializers.orthogonal()(KEY, (3,))
    with pytest.raises(ShapeError, match="no more inputs than"):
        initializers.delta_orthogonal()(KEY, (3, 4, 2))
    with pytest.raises(ValueError, match="mode is 'fan'"):
        initializers.variance_scaling(1.0, "fan", "normal")
    with pytest.raises(ValueError, match="distribution is 'cauchy'"):
        initializers.variance_scaling(1.0, "fan_in", "cauchy")


# Losses


@pytest.fixture
def scores(rng):
    probabilities = rng.random((4, 6)) + 0.1
    return rng.normal(size=(4, 6)), probabilities / probabilities.sum(1, keepdims=True), np.array([0, 5, 2, 2])


def test_losses_of_numbers(rng):
    x, t = rng.normal(size=(2, 3, 4)) * 2
    error = x - t
    huber = np.where(np.abs(error) <= 0.7, error**2 / 2, 0.7 * (np.abs(error) - 0.35))
    cosine = (x * t).sum(1) / np.linalg.norm(x, axis=1) / np.linalg.norm(t, axis=1)
    np.testing.assert_allclose(losses.squared_error(x, t), error**2)
    np.testing.assert_allclose(losses.l2_loss(x), x**2 / 2)
    np.testing.assert_allclose(losses.huber_loss(x, t, delta=0.7), huber, rtol=1e-12)
    np.testing.assert_allclose(losses.log_cosh(x, t), np.log(np.cosh(error)), rtol=1e-10)
    np.testing.assert_allclose(losses.cosine_similarity(x, t), cosine, rtol=1e-12)
    np.testing.assert_allclose(losses.cosine_distance(x, t), 1 - cosine, rtol=1e-12)
    np.testing.assert_allclose(losses.mse_loss(x, t), (error**2).mean())
    np.testing.assert_allclose(losses.l1_loss(x, t), np.abs(error).mean())
    for f in (losses.l2_loss, losses.huber_loss, losses.log_cosh, losses.cosine_distance, losses.mse_loss):
        check_grads(f, (x, t), order=2, atol=1e-4, rtol=1e-4)
    with pytest.raises(ShapeError, match=r"of one shape, got f64\[3,4\] and f64\[3\]"):
        losses.squared_error(x, t[:, 0])


def test_losses_of_scores_of_two_classes(rng):
    x, y = rng.normal(size=5), np.array([0.0, 1, 1, 0, 1])
    p = scipy.special.expit(x)
    entropy = -np.where(y == 1, np.log(p), np.log(1 - p))
    hit = np.where(y == 1, p, 1 - p)
    np.testing.assert_allclose(losses.sigmoid_binary_cross_entropy(x, y), entropy, rtol=1e-12)
    np.testing.assert_allclose(losses.sigmoid_focal_loss(x, y), (1 - hit) ** 2 * entropy, rtol=1e-12)
    weight = np.where(y == 1, 0.3, 0.7)
    found = losses.sigmoid_focal_loss(x, y, alpha=0.3, gamma=1.5)
    np.testing.assert_allclose(found, weight * (1 - hit) ** 1.5 * entropy, rtol=1e-12)
    sign = 2 * y - 1
    np.testing.assert_allclose(losses.hinge_loss(x, sign), np.maximum(0, 1 - x * sign))
    np.testing.assert_allclose(losses.perceptron_loss(x, sign), np.maximum(0, -x * sign))
    for f in (losses.sigmoid_binary_cross_entropy, losses.sigmoid_focal_loss):
        check_grads(lambda x: f(x, y), (x,), order=2)
    assert np.isfinite(np.asarray(losses.sigmoid_binary_cross_entropy(np.array([-1e4, 1e4]), np.array([1, 0])))).all()


def test_losses_of_scores_of_classes(scores):
    x, p, labels = scores
    logs = scipy.special.log_softmax(x, axis=1)
    rows = np.arange(4)
    np.testing.assert_allclose(losses.softmax_cross_entropy(x, p), -(p * logs).sum(1), rtol=1e-12)
    integers = losses.softmax_cross_entropy_with_integer_labels
    np.testing.assert_allclose(integers(x, labels), -logs[rows, labels], rtol=1e-12)
    np.testing.assert_allclose(integers(x.T, labels, axis=0), -logs[rows, labels], rtol=1e-12)
    np.testing.assert_allclose(losses.cross_entropy(x, labels), -logs[rows, labels].mean(), rtol=1e-12)
    np.testing.assert_allclose(losses.cross_entropy(x, p), -(p * logs).sum(1).mean(), rtol=1e-12)
    np.testing.assert_allclose(losses.nll_loss(logs, labels), -logs[rows, labels].mean(), rtol=1e-12)
    poly = -(p * logs).sum(1) + 2 * (p * (1 - np.exp(logs))).sum(1)
    np.testing.assert_allclose(losses.poly_loss_cross_entropy(x, p), poly, rtol=1e-12)
    others = x + 1 - np.eye(6)[labels]
    np.testing.assert_allclose(losses.multiclass_hinge_loss(x, labels), others.max(1) - x[rows, labels])
    np.testing.assert_allclose(losses.multiclass_perceptron_loss(x, labels), x.max(1) - x[rows, labels])
    assert float(losses.accuracy(x, x.argmax(1))) == 1
    for f in (losses.softmax_cross_entropy, losses.safe_softmax_cross_entropy, losses.poly_loss_cross_entropy):
        check_grads(f, (x, p), order=2)
    check_grads(lambda x: integers(x, labels), (x,), order=2)
    check_vmap(integers, (x, labels))
    check_jit(integers, (x, labels))


def test_masked_cross_entropy(scores):
    x, _, _ = scores
    where = np.ones((4, 6), bool)
    where[:, 4] = False
    where[2] = False
    integers = losses.softmax_cross_entropy_with_integer_labels
    found = np.asarray(integers(x, np.array([0, 1, 2, 2]), where=where))
    expected = -scipy.special.log_softmax(np.where(where, x, -1e30), axis=1)[np.arange(4), [0, 1, 2, 2]]
    np.testing.assert_allclose(found[[0, 1, 3]], expected[[0, 1, 3]], rtol=1e-12)
    assert found[2] == 0
    blocks = x.reshape(2, 2, 6)
    np.testing.assert_allclose(
        integers(blocks, np.array([1, 7]), axis=(0, 2)),
        [-scipy.special.log_softmax(blocks[:, i].ravel())[j] for i, j in ((0, 1), (1, 7))],
    )
    safe = losses.safe_softmax_cross_entropy(np.array([1.0, 2.0, -INF]), np.array([0.5, 0.5, 0.0]))
    np.testing.assert_allclose(safe, np.log(np.exp(1) + np.exp(2)) - 1.5)
    gradient = fl.grad(losses.safe_softmax_cross_entropy)(np.array([1.0, 1.0, -INF]), np.array([1.0, 0.0, 0.0]))
    np.testing.assert_allclose(gradient, [-0.5, 0.5, 0])


def test_divergences(scores):
    x, p, _ = scores
    logs = scipy.special.log_softmax(x, axis=1)
    np.testing.assert_allclose(losses.kl_divergence(logs, p), (p * (np.log(p) - logs)).sum(1), rtol=1e-10)
    np.testing.assert_allclose(losses.kl_divergence(logs[0], np.eye(6)[1]), -logs[0, 1])
    np.testing.assert_allclose(
        losses.kl_divergence_with_log_targets(logs, np.log(p)), (p * (np.log(p) - logs)).sum(1), rtol=1e-10
    )
    general = (p * (np.log(p) - x)).sum(1) + (np.exp(x) - p).sum(1)
    np.testing.assert_allclose(losses.generalized_kl_divergence(x, p), general, rtol=1e-10)
    np.testing.assert_allclose(losses.smooth_labels(p, 0.3), 0.7 * p + 0.05)
    check_grads(losses.kl_divergence, (logs, p), order=2)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_losses_keep_dtypes(scores, dtype):
    x, p, labels = scores[0].astype(dtype), scores[1].astype(dtype), scores[2]
    assert losses.softmax_cross_entropy(x, p).dtype == dtype
    assert losses.softmax_cross_entropy_with_integer_labels(x, labels).dtype == dtype
    assert losses.cross_entropy(x, labels).dtype == dtype
    assert losses.sigmoid_focal_loss(x, p).dtype == dtype
    assert losses.huber_loss(x, p).dtype == dtype
    assert losses.multiclass_hinge_loss(x, labels).dtype == dtype
    assert losses.cosine_distance(x, p).dtype == dtype


def test_losses_explain_what_does_not_fit(scores):
    x, _, labels = scores
    with pytest.raises(DTypeError, match="needs integer labels"):
        losses.softmax_cross_entropy_with_integer_labels(x, labels.astype(float))
    with pytest.raises(ShapeError, match=r"the labels need shape \(4,\), got i64\[3\]"):
        losses.softmax_cross_entropy_with_integer_labels(x, labels[:3])
    with pytest.raises(ShapeError, match="nll_loss needs log-probabilities"):
        losses.nll_loss(x, labels[:3])


def test_every_public_name_says_what_it_does():
    for module in (nn, initializers, losses):
        for name in module.__all__:
            if name not in ("Initializer", "initializers", "losses"):
                assert getattr(module, name).__doc__, name
