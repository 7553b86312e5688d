"""`lax`: gather and scatter, shapes, reductions by a function, what is made of several primitives; JAX is asked where it is."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite import lax
from functorch_lite.testing import check_grads

rng = np.random.default_rng(0)
X = rng.normal(size=(4, 5)).astype(np.float32)
ROWS = lax.GatherDimensionNumbers((1,), (0,), (0,))
PUT = lax.ScatterDimensionNumbers((1,), (0,), (0,))
PLACES = np.array([[3], [0], [3], [7]], np.int32)


def host(x: Any) -> Any:
    return [host(v) for v in x] if isinstance(x, (list, tuple)) else np.asarray(x)


@pytest.mark.parametrize("mode, row", [("clip", X[3]), ("fill", np.full(5, np.nan)), (None, np.full(5, np.nan))])
def test_gather(mode: Any, row: Any) -> None:
    found = lax.gather(X, PLACES, ROWS, [1, 5], mode=mode)
    np.testing.assert_array_equal(host(found), np.stack([X[3], X[0], X[3], row]))
    assert host(lax.gather(X, PLACES, ROWS, (1, 5), mode="fill", fill_value=7))[3, 0] == 7


@pytest.mark.parametrize("name", ["scatter", "scatter_add", "scatter_sub", "scatter_mul", "scatter_min", "scatter_max"])
def test_scatter(name: str) -> None:
    jax = pytest.importorskip("jax")
    updates = rng.normal(size=(4, 5)).astype(np.float32)
    indices = PLACES if name != "scatter" else np.array([[3], [0], [2], [7]], np.int32)
    numbers = jax.lax.ScatterDimensionNumbers((1,), (0,), (0,))
    for mode in (None, "clip", "drop"):
        if (name, mode) == ("scatter", "clip"):
            continue  # two updates would fall on one row
        wanted = getattr(jax.lax, name)(X, indices, updates, numbers, mode=mode)
        np.testing.assert_allclose(host(getattr(lax, name)(X, indices, updates, PUT, mode=mode)), wanted, rtol=1e-6)
    if name != "scatter_mul":
        check_grads(lambda x, u: getattr(lax, name)(x, indices, u, PUT), (X.astype(float), updates.astype(float)), 2)


def test_scatter_apply() -> None:
    found = lax.scatter_apply(X, np.array([[1], [2]], np.int32), fnp.sin, PUT, update_shape=(2, 5))
    np.testing.assert_allclose(host(found), np.concatenate([X[:1], np.sin(X[1:3]), X[3:]]), rtol=1e-6)
    with pytest.raises(ValueError, match="the function gave"):
        lax.scatter_apply(X, np.array([[1], [2]], np.int32), fnp.sum, PUT, update_shape=(2, 5))


CALLS = """
l.round(X)
l.round(X * 2, l.RoundingMethod.TO_NEAREST_EVEN)
l.round(n.array([0.5, 1.5, -0.5, -2.5], 'float32'))
l.reciprocal(X)
l.select_n(X > 0, X, -X)
l.select_n(n.array([[0, 2, 1, 1, 0]] * 4), X, 2 * X, 3 * X)
l.select_n(n.array(1), X, 2 * X)
l.batch_matmul(n.stack([X, X]), n.stack([X.T, X.T]))
l.broadcast_shapes((2, 1), (3,), ())
l.broadcast_to_rank(X, 4)
l.broadcasted_iota('int32', (2, 3), 1)
l.collapse(n.zeros((2, 3, 4)), 0, 2)
l.collapse(n.zeros((2, 3, 4)), 1)
l.collapse(n.zeros((2, 3, 4)), -2, None)
l.split(X, (1, 3), 0)
l.split(X, [2, 0, 3], axis=-1)
l.stack([X, X], 1)
l.stack([X, X], -1)
l.unstack(X, 1)
l.tile(X, (2, 3))
l.reduce(X, n.float32(0), l.add, (0,))
l.reduce(X, n.float32(1), l.mul, (0, 1))
l.reduce(X, n.float32(-n.inf), l.max, (1,))
l.reduce((X, X), (n.float32(0), n.float32(1)), lambda a, b: (a[0] + b[0], a[1] * b[1]), (1,))
l.reduce(X, n.float32(0), lambda a, b: a + b + a * b, (0,))
l.reduce(X[:0], n.float32(3), l.add, (0,))
"""


@pytest.mark.parametrize("call", CALLS.strip().splitlines())
def test_as_jax(call: str) -> None:
    jax = pytest.importorskip("jax")
    wanted = eval(call, {"l": jax.lax, "n": jax.numpy, "X": jax.numpy.asarray(X)})
    for x in (fnp.asarray(X),):
        found = eval(call, {"l": lax, "n": fnp, "X": x})
        jax.tree.map(lambda a, b: np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-5), found, wanted)
        jax.tree.map(
            lambda a, b: None if np.asarray(a).dtype == np.asarray(b).dtype else pytest.fail(call), found, wanted
        )


@pytest.mark.parametrize("dtype", [f"{u}int{n}" for u in ("", "u") for n in (8, 16, 32, 64)])
def test_mulhi(dtype: str) -> None:
    info = np.iinfo(dtype)
    ends = [int(info.min), int(info.max), 0, 1, int(info.max) // 2 + 1]
    x = np.array([*ends, *rng.integers(info.min, info.max, 40, dtype, endpoint=True)], dtype)
    x, y = (v.ravel() for v in np.meshgrid(x, x))
    wanted = [int(a) * int(b) >> info.bits for a, b in zip(x, y, strict=True)]
    assert lax.mulhi(x, y).tolist() == wanted
    assert fl.jit(lax.mulhi)(x, y).tolist() == wanted


def test_reductions_have_derivatives() -> None:
    check_grads(lambda x: lax.reduce(x, 1.0, lambda a, b: a * b, (1,)), (X.astype(float),), 2)


def test_mistakes() -> None:
    for mistake, what in [
        (lambda: lax.select_n(fnp.arange(2), fnp.ones(2), fnp.ones(3)), "one shape"),
        (lambda: lax.select_n(fnp.ones(2), fnp.ones(2)), "integers to choose by"),
        (lambda: lax.select_n(True), "at least one"),
        (lambda: lax.split(X, (1, 2)), "do not make up"),
        (lambda: lax.collapse(X, 1, 1), "no axes"),
        (lambda: lax.reduce(X, (0.0, 1.0), lax.add, (0,)), "initial value for each"),
        (lambda: lax.batch_matmul(X, X[0]), "leading axes"),
        (lambda: lax.mulhi(X, X), "integers"),
        (lambda: lax.tile(X, (2,)), "repetitions"),
    ]:
        with pytest.raises((TypeError, ValueError), match=what):
            mistake()


@pytest.mark.parametrize("dtype", ["int8", "int32", "int64", "uint8"])
def test_negative_starts_count_from_the_end(dtype: str) -> None:
    x = fnp.arange(300.0)
    y = fnp.zeros(2)
    for i in (0, 5, 120, *((-1, -3, -128) if dtype != "uint8" else ())):
        first = min(i % 300, 298)
        k = fnp.asarray(i, dtype)
        for f in (lax.dynamic_slice, fl.jit(lax.dynamic_slice, static_argnums=2)):
            assert f(x, (k,), (2,)).tolist() == [first, first + 1]
        assert lax.dynamic_index_in_dim(x, k, keepdims=False) == i % 300
        assert lax.dynamic_update_slice(x, y, (k,)).tolist()[first : first + 2] == [0, 0]
        inwards = lax.dynamic_slice(x, (k,), (2,), allow_negative_indices=False)
        assert inwards.tolist() == [max(i, 0), max(i, 0) + 1]


def test_elementwise_functions_have_the_parameters_of_jax():
    x = fnp.arange(1.0, 4.0)
    assert list(inspect.signature(lax.sin).parameters) == ["x"]
    assert list(inspect.signature(lax.add).parameters) == ["x", "y"]
    assert list(inspect.signature(lax.clamp).parameters) == ["min", "x", "max"]
    assert list(inspect.signature(lax.integer_pow).parameters) == ["x", "y"]
    assert lax.clamp(min=1.5, x=x, max=2.5).tolist() == [1.5, 2, 2.5]
    assert lax.add(x=x, y=1.0).tolist() == [2, 3, 4]
    assert lax.integer_pow(x, 2).tolist() == lax.integer_pow(x=x, y=2).tolist() == [1, 4, 9]
    assert lax.reduce_precision(x, exponent_bits=5, mantissa_bits=10).tolist() == [1, 2, 3]
    for call, message in [
        (lambda: lax.add(x), r"add\(\) missing 1 required positional argument: 'y'"),
        (lambda: lax.sin(x, accuracy=1), r"sin\(\) got an unexpected keyword argument 'accuracy'"),
        (lambda: lax.clamp(x), r"clamp\(min, x, max\): missing a required argument: 'x'"),
        (lambda: lax.igamma(x, x, x), r"igamma\(a, x\): too many positional arguments"),
    ]:
        with pytest.raises(TypeError, match=message):
            call()


def test_reduce_window_needs_no_strides():
    assert lax.reduce_window(fnp.arange(4.0), 0.0, lax.add, (2,)).tolist() == [1, 3, 5]


def test_conv_transpose_by_the_padding_of_the_convolution():
    x, w = fnp.ones((1, 4, 5, 2)), fnp.ones((3, 2, 2, 3))
    got = lax.conv_transpose(x, w, (1, 1), [(1, 0), (0, 1)], use_consistent_padding=True)
    np.testing.assert_array_equal(got, lax.conv_transpose(x, w, (1, 1), [(1, 2), (1, 0)]))
    np.testing.assert_array_equal(lax.conv_transpose(x, w, (2, 1), "same"), lax.conv_transpose(x, w, (2, 1), "SAME"))


@pytest.mark.parametrize("options", [
    ((2, 3), (1, 2), "SAME"),
    ((2, 2), (1, 1), "VALID", (1, 2), (2, 1)),
    ((3, 1), (2, 1), ((1, 2), (-1, 0))),
    ((9, 1), (1, 1), "VALID"),
])  # fmt: skip
def test_windows_combined_by_any_function(options) -> None:
    x = np.random.default_rng(0).normal(size=(5, 6)).astype(np.float32)
    for known, start, other in (
        (lax.add, 0.0, lambda a, b: a + b),
        (lax.max, -np.inf, lambda a, b: fnp.where(a > b, a, b)),
        (lax.min, np.inf, lambda a, b: -fnp.maximum(-a, -b)),
    ):
        by_name = lax.reduce_window(x, start, known, *options)
        by_function = lambda x: lax.reduce_window(x, start, other, *options)  # noqa: E731
        for found in (by_function(x), fl.jit(by_function)(x)):
            np.testing.assert_allclose(found, by_name, rtol=1e-5, atol=1e-6)
            assert found.dtype == by_name.dtype
    gradients = [
        fl.grad(lambda x: (lax.reduce_window(x, 0.0, f, *options) ** 2).sum())(x) for f in (lax.add, lambda a, b: a + b)
    ]
    np.testing.assert_allclose(*gradients, rtol=1e-5, atol=1e-6)


def test_windows_of_several_arrays() -> None:
    x, places = fnp.array([3.0, 1.0, 2.0, 5.0]), fnp.arange(4)
    larger = lambda a, b: tuple(fnp.where(a[0] >= b[0], v, w) for v, w in zip(a, b, strict=True))  # noqa: E731
    values, at = lax.reduce_window((x, places), (-np.inf, -1), larger, (2,), (1,), "VALID")
    assert (values.tolist(), at.tolist()) == ([3, 2, 5], [0, 2, 3])

    def max(a, b):  # a name that means something else
        return a + b

    assert lax.reduce_window(x, 0.0, max, (2,)).tolist() == [4, 3, 7]
    assert lax.reduce_window(x, -np.inf, fnp.maximum, (2,)).tolist() == [3, 2, 5]


def test_broadcast_in_dim_transposes() -> None:
    x = fnp.arange(3.0).reshape(3, 1)
    found = lax.broadcast_in_dim(x, (2, 3, 4), (1, 0))
    np.testing.assert_array_equal(found, np.broadcast_to(np.arange(3.0)[None, :, None], (2, 3, 4)))
    assert lax.mulhi(fnp.ones((2, 3), int), fnp.ones((2, 1), int)).shape == (2, 3)
