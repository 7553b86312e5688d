"""Convolution and its gradients by native loops, against the exact kernels."""

import functools
from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite.primitives.convolution import conv, out_space
from functorch_lite_numpy.compiler.conv_words import convolve_words
from functorch_lite_numpy.compiler.layouts import laid_out_conv, lay_out
from functorch_lite_numpy.compiler.words import has_words


def params(dims, strides: Any = 1, padding: Any = 0, lhs_dilation: Any = 1, rhs_dilation: Any = 1, groups=1):
    each = {"strides": strides, "lhs_dilation": lhs_dilation, "rhs_dilation": rhs_dilation}
    out = {k: v if isinstance(v, tuple) else (v,) * dims for k, v in each.items()}
    pads = padding if isinstance(padding, tuple) else ((padding, padding),) * dims
    return {**out, "padding": pads, "groups": groups}


def check(x_shape, w_shape, dtype="float32", channels_last=False, **given):
    """The convolution and both gradients."""
    rng = np.random.default_rng(hash((x_shape, w_shape)) % (1 << 32))
    p = params(len(x_shape) - 2, **given)
    space = out_space(x_shape[2:], w_shape[2:], p["strides"], p["padding"], p["lhs_dilation"], p["rhs_dilation"])
    if 0 in space:
        return
    x, w, ct = (rng.standard_normal(s).astype(dtype) for s in (x_shape, w_shape, (x_shape[0], w_shape[0], *space)))

    def convolved(x, w):
        if not channels_last:
            return conv(x, w, **p)
        y = conv(fnp.moveaxis(x, -1, 1), fnp.moveaxis(w, (-1, -2), (0, 1)), **p)
        return fnp.moveaxis(y, 1, -1)

    def all_of(x, w, ct):
        y, pull = fl.vjp(convolved, x, w)
        return (y, *pull(ct))

    if channels_last:
        x, w, ct = np.moveaxis(x, 1, -1).copy(), np.moveaxis(w, (0, 1), (-1, -2)).copy(), np.moveaxis(ct, 1, -1).copy()

    for ours, theirs in zip(fl.jit(all_of)(x, w, ct), fl.jit(all_of, exact=True)(x, w, ct), strict=True):
        ours, theirs = np.asarray(ours), np.asarray(theirs)
        assert ours.dtype == theirs.dtype
        scale = np.abs(theirs).max() + 1e-30
        np.testing.assert_allclose(ours / scale, theirs / scale, atol=5e-5 if dtype == "float32" else 1e-12)


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "x, w, given",
    [
        ((64, 1, 10, 10), (32, 1, 3, 3), {}),
        ((8, 32, 8, 8), (64, 32, 3, 3), {}),
        ((4, 32, 14, 14), (64, 32, 3, 3), {"padding": 1}),
        ((2, 3, 33, 31), (20, 3, 7, 7), {"padding": 3, "strides": 2}),
        ((3, 100, 7, 7), (65, 100, 1, 1), {}),
        ((3, 16, 9, 9), (24, 16, 1, 1), {"strides": 2}),
        ((2, 300, 5, 5), (17, 300, 3, 3), {"padding": 1}),
        ((2, 12, 15, 15), (24, 4, 3, 3), {"padding": 1, "groups": 3}),
        ((2, 12, 15, 15), (12, 1, 3, 3), {"padding": 1, "groups": 12}),
        ((1, 2, 5, 5), (1, 2, 3, 3), {"lhs_dilation": 2, "rhs_dilation": 2, "padding": ((3, -1), (2, 4))}),
        ((3, 5, 70), (33, 5, 4), {"strides": 3, "rhs_dilation": 3, "padding": 2}),
        ((2, 3, 6, 7, 8), (40, 3, 2, 3, 2), {"padding": 1, "strides": (1, 2, 1)}),
        ((1, 2, 3000), (3, 2, 2900), {}),
        ((2, 2, 60, 70), (5, 2, 58, 64), {"padding": 2}),
        ((2, 2, 20, 20), (5, 2, 3, 3), {"padding": ((-3, -2), (-1, 0))}),
        ((2, 3, 4, 4), (7, 3, 3, 3), {"padding": 8}),
        # windows of one element, or of all
        ((8, 64, 30, 31), (48, 64, 1, 1), {}),
        ((1, 512, 20, 20), (70, 512, 1, 1), {}),
        ((3, 7, 5, 4), (9, 7, 1, 1), {}),
        ((5, 24, 12, 12), (40, 6, 1, 1), {"groups": 4}),
        ((5, 24, 12, 12), (24, 1, 1, 1), {"groups": 24}),
        ((2, 30, 17, 18), (40, 30, 1, 1), {"strides": (1, 2)}),
        ((2, 30, 17, 18), (40, 30, 1, 1), {"padding": ((0, -3), (0, -1))}),
        ((2, 30, 17, 18), (40, 30, 1, 1), {"padding": ((-2, 0), (0, 3)), "lhs_dilation": (1, 2)}),
        ((4, 33, 300), (50, 33, 1), {}),
        ((2, 20, 5, 6, 7), (18, 20, 1, 1, 1), {}),
        ((70, 20, 9, 9), (30, 20, 1, 1), {}),
        ((5, 20, 9, 9), (30, 20, 9, 9), {}),
        ((5, 20, 9, 9), (30, 20, 5, 9), {"rhs_dilation": (2, 1)}),
        ((20, 12, 9, 30), (18, 12, 9, 1), {}),
    ],
)
def test_shapes(x, w, given, dtype, channels_last):
    check(x, w, dtype, channels_last, **given)


@pytest.mark.parametrize("channels_last", [False, True])
def test_windows_of_one_element_are_products(channels_last):
    order = ("NHWC", "HWIO", "NHWC") if channels_last else ("NCHW", "OIHW", "NCHW")
    x, w = ((2, 20, 20, 32), (1, 1, 32, 48)) if channels_last else ((2, 32, 20, 20), (48, 32, 1, 1))
    f = fl.jit(lambda x, w: fl.lax.conv_general_dilated(x, w, (1, 1), "SAME", dimension_numbers=order))
    text = f.lower(fnp.ones(x), fnp.ones(w)).as_text("llvm")
    assert '@"product' in text
    assert '@"conv' not in text
    gradient = fl.jit(fl.grad(lambda w, x: f(x, w).sum()))
    text = gradient.lower(fnp.ones(w), fnp.ones((x[0] * 20, *x[1:]))).as_text("llvm")
    assert channels_last or '@"sum' in text
    assert '@"conv' not in text


@pytest.mark.parametrize("seed", range(40))
def test_random_configurations(seed):
    rng = np.random.default_rng(seed)
    dims, groups = int(rng.integers(1, 4)), int(rng.choice([1, 1, 1, 2, 3]))
    channels, outputs = int(rng.integers(1, 6)), int(rng.choice([1, 2, 3, 5, 8, 17, 33, 40, 70]))

    def some(low, high, often=1.0):
        return tuple(int(n) for n in rng.integers(low, high, dims)) if rng.random() < often else (1,) * dims

    space, window = some(1, (40, 17, 9)[dims - 1]), some(1, 6)
    pads = tuple((int(a), int(b)) for a, b in rng.integers(-2, 4, (dims, 2)))
    given = {"strides": some(1, 4), "padding": pads, "lhs_dilation": some(1, 4, 0.4), "rhs_dilation": some(1, 4, 0.4)}
    dtype = str(rng.choice(["float32", "float64"]))
    check(
        (int(rng.integers(1, 5)), channels * groups, *space),
        (outputs * groups, channels, *window),
        dtype,
        groups=groups,
        channels_last=bool(seed % 2),
        **given,
    )


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize(
    "x, w, given",
    [
        ((2, 16, 20, 21), (16, 1, 3, 3), {"padding": 1, "groups": 16}),
        ((2, 16, 20, 21), (16, 1, 2, 3), {"padding": ((2, -1), (-3, 4)), "groups": 16}),
        ((2, 16, 40, 21), (16, 1, 3, 2), {"strides": (2, 1), "rhs_dilation": (2, 3), "groups": 16}),
        ((1, 1, 100, 120), (1, 1, 5, 5), {"padding": 2, "strides": 1}),
        ((1, 1, 9000), (1, 1, 7), {"padding": 3, "strides": 2}),
        ((3, 2, 12, 13, 14), (2, 1, 2, 2, 2), {"groups": 2}),
    ],
)
def test_single_channels(x, w, given, channels_last):
    """They are sums of shifted arrays."""
    check(x, w, "float64", channels_last, **given)
    f = fl.jit(functools.partial(conv, **params(len(x) - 2, **given)))
    assert "conv" not in f.lower(fnp.ones(x), fnp.ones(w)).as_text("fused")


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize(
    "x, w, given",
    [
        ((3, 16, 20, 21), (16, 1, 3, 3), {"padding": 1, "groups": 16}),
        ((2, 16, 23, 22), (16, 1, 7, 7), {"padding": 3, "groups": 16}),
        ((2, 16, 40, 41), (16, 1, 3, 3), {"padding": 1, "strides": 2, "groups": 16}),
        ((2, 16, 40, 41), (16, 1, 2, 5), {"padding": ((0, -1), (3, 1)), "strides": (1, 3), "groups": 16}),
        ((5, 8, 900), (8, 1, 4), {"padding": ((3, 0),), "rhs_dilation": 3, "groups": 8}),
        ((2, 1, 150, 160), (1, 1, 5, 5), {"padding": 2, "strides": 2}),
    ],
)
def test_gradients_of_single_channels(x, w, given, channels_last):
    """They are sums too: by x of shifted arrays, for each remainder modulo the strides, by w of products with such."""
    check(x, w, "float64", channels_last, **given)
    f = functools.partial(conv, **params(len(x) - 2, **given))

    def gradients(x, w):
        y, pull = fl.vjp(f, x, w)
        return pull(y)

    assert "conv" not in fl.jit(gradients).lower(fnp.ones(x), fnp.ones(w)).as_text("fused")


def test_what_is_read_often_behind_conditions_is_moved_once():
    f = fl.jit(functools.partial(conv, **params(2, padding=2, groups=8)))
    large, small = (f.lower(fnp.ones((2, 8, 40, 40)), fnp.ones((8, 1, k, k))).as_text("fused") for k in (5, 3))
    assert (large.count("fusion["), small.count("fusion[")) == (2, 1)


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "x, w, given",
    [
        ((2, 32, 40, 40), (1, 32, 3, 3), {"padding": 1}),
        ((3, 40, 24, 33), (2, 40, 3, 5), {"padding": ((0, 2), (1, 3)), "rhs_dilation": (2, 1)}),
        ((1, 50, 5000), (2, 50, 4), {"padding": ((3, 0),)}),
        ((2, 64, 12, 11, 10), (1, 64, 2, 3, 2), {"padding": ((1, 0), (1, 1), (0, 0))}),
        ((2, 64, 18, 19), (2, 64, 7, 7), {"padding": ((3, 4), (3, 3)), "lhs_dilation": 2}),
        ((2, 20, 17, 21), (2, 20, 3, 4), {"padding": ((0, 5), (2, 0)), "lhs_dilation": (3, 2)}),
        ((3, 20, 800), (2, 20, 5), {"padding": 4, "lhs_dilation": 3, "rhs_dilation": 2}),
        ((1, 20, 30, 31), (2, 20, 3, 3), {"padding": 1, "lhs_dilation": (1, 2)}),
    ],
)
def test_few_outputs_are_products(x, w, given, dtype, channels_last):
    check(x, w, dtype, channels_last, **given)
    call = fl.jit(functools.partial(conv, **params(len(x) - 2, **given)))
    text = call.lower(np.ones(x, dtype), np.ones(w, dtype)).as_text("fused")
    assert "dot_general" in text
    assert "conv" not in text


def test_few_outputs_of_few_channels_or_positions_stay_convolutions():
    for x, w, given in [
        ((2, 8, 40, 40), (4, 8, 3, 3), {}),  # their products would be much larger than they are
        ((2, 32, 10, 10), (1, 32, 3, 3), {}),
        ((2, 32, 40, 40), (1, 32, 3, 3), {"strides": 2}),
        ((2, 32, 40, 40), (1, 32, 2, 2), {"lhs_dilation": 3}),  # some positions meet no tap
        ((2, 700, 10, 10), (3, 700, 16, 16), {"padding": 15, "lhs_dilation": 16}),  # more taps than can be written out
        ((2, 32, 40, 40), (1, 32, 3, 3), {"lhs_dilation": 2, "rhs_dilation": 2}),
    ]:
        call = fl.jit(functools.partial(conv, **params(len(x) - 2, **given)))
        assert "conv" in call.lower(np.ones(x, np.float32), np.ones(w, np.float32)).as_text("fused")


@pytest.mark.parametrize("dtype", ["int32", "complex64"])
def test_single_channels_of_other_numbers(dtype):
    x, w = (np.arange(n).reshape(1, 1, k, -1).astype(dtype) for n, k in ((8000, 80), (9, 3)))
    f = functools.partial(conv, **params(2, padding=1))
    np.testing.assert_array_equal(fl.jit(f)(x, w), fl.jit(f, exact=True)(x, w))


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize(
    "x, w, given",
    [
        ((2, 3, 30, 33), (35, 3, 3, 3), {"padding": 1}),
        ((2, 6, 17, 19), (4, 3, 5, 3), {"groups": 2, "rhs_dilation": (2, 1), "strides": (2, 1)}),
        ((4, 5, 33), (7, 5, 4), {"strides": 2, "lhs_dilation": 2}),
    ],
)
def test_complex_numbers(dtype, x, w, given):
    """As one real convolution, gradients included."""
    rng = np.random.default_rng(0)
    x, w = ((rng.normal(size=(2, *shape)).T @ [1, 1j]).T.astype(dtype) for shape in (x, w))
    f = functools.partial(conv, **params(x.ndim - 2, **given))

    def all_of(x, w):
        y, pull = fl.vjp(f, x, w)
        return (y, *pull(y))

    assert "by NumPy" not in fl.jit(all_of).lower(x, w).as_text("llvm")
    for ours, theirs in zip(fl.jit(all_of)(x, w), fl.jit(all_of, exact=True)(x, w), strict=True):
        assert ours.dtype == theirs.dtype
        scale = np.abs(np.asarray(theirs)).max()
        atol = 1e-5 if dtype == "complex64" else 1e-13
        np.testing.assert_allclose(ours / scale, theirs / scale, atol=atol)


@pytest.mark.parametrize("dtype", ["int8", "int16", "uint16", "int32", "uint32", "int64", "uint64"])
@pytest.mark.parametrize(
    "x, w, given",
    [
        ((2, 3, 30, 33), (35, 3, 3, 3), {"padding": 1}),
        ((2, 6, 17, 19), (4, 3, 5, 3), {"groups": 2, "rhs_dilation": (2, 1), "strides": (2, 1)}),
        ((4, 5, 33), (7, 5, 4), {"strides": 2, "lhs_dilation": 2}),
    ],
)
def test_integers_wrap_around(dtype, x, w, given):
    rng = np.random.default_rng(0)
    x, w = (fnp.asarray(rng.integers(-(2**31), 2**31, shape).astype(dtype)) for shape in (x, w))
    f = functools.partial(conv, **params(x.ndim - 2, **given))
    assert "by NumPy" not in fl.jit(f).lower(x, w).as_text("llvm")
    np.testing.assert_array_equal(fl.jit(f)(x, w), f(x, w))


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize(
    "dtypes", [("int8", "int32"), ("uint8", "int32"), ("uint8", "uint32"), ("int16", "int32"), ("int8", "int8")]
)
@pytest.mark.parametrize(
    "x, w, given",
    [
        ((4, 8, 20, 20), (24, 8, 3, 3), {"padding": 1}),
        ((2, 3, 33, 31), (20, 3, 7, 7), {"padding": 3, "strides": 2}),
        ((3, 101, 7, 7), (65, 101, 1, 1), {}),
        ((2, 12, 15, 15), (24, 4, 3, 3), {"padding": 1, "groups": 3}),
        ((2, 9, 15, 15), (24, 3, 3, 3), {"padding": 1, "groups": 3}),
        ((2, 12, 15, 15), (12, 1, 3, 3), {"padding": 1, "groups": 12}),
        ((8, 1, 28, 28), (9, 1, 3, 3), {"padding": 1}),
        ((2, 5, 30, 30), (7, 5, 3, 3), {"lhs_dilation": 2, "rhs_dilation": 2, "padding": ((3, -1), (2, 4))}),
        ((3, 5, 700), (33, 5, 4), {"strides": 3, "rhs_dilation": 3, "padding": 2}),
        ((2, 3, 16, 7, 8), (40, 3, 2, 3, 2), {"padding": 1, "strides": (1, 2, 1)}),
    ],
)
def test_short_integers(x, w, given, dtypes, channels_last):
    """The extremes are among them: sums of two products of the smallest wrap around."""
    given_dtype, result = map(np.dtype, dtypes)
    info = np.iinfo(given_dtype)
    rng = np.random.default_rng(0)
    x, w = (rng.integers(info.min, info.max, shape, given_dtype, endpoint=True) for shape in (x, w))
    x[:, :2] = w[:, :2] = info.min
    if channels_last:
        x, w = np.moveaxis(x, 1, -1).copy(), np.moveaxis(w, (0, 1), (-1, -2)).copy()

    def f(x, w):
        x, w = x.astype(result), w.astype(result)
        if not channels_last:
            return conv(x, w, **params(x.ndim - 2, **given))
        y = conv(fnp.moveaxis(x, -1, 1), fnp.moveaxis(w, (-1, -2), (0, 1)), **params(x.ndim - 2, **given))
        return fnp.moveaxis(y, 1, -1)

    x, w = fnp.asarray(x), fnp.asarray(w)
    assert "by NumPy" not in fl.jit(f).lower(x, w).as_text("llvm")
    found, expected = fl.jit(f)(x, w), f(x, w)
    assert found.dtype == expected.dtype == result
    np.testing.assert_array_equal(found, expected)


def words_of(f, *args):
    return "words=True" in fl.jit(f).lower(*args).as_text("fused")


def test_channels_go_by_twos():
    """Where integers are known to be short, and there is more than one channel."""
    p = params(2, padding=1)
    x, w = fnp.ones((2, 4, 20, 20), "int8"), fnp.ones((16, 4, 3, 3), "int8")
    wide = lambda x, w: conv(x.astype("int32"), w.astype("int32"), **p)  # noqa: E731
    by_words = has_words()
    assert words_of(wide, x, w) == words_of(functools.partial(conv, **p), x, w) == by_words
    assert words_of(lambda x, w: fl.lax.map(lambda x: wide(x[None], w), x), x, w) == by_words
    assert words_of(lambda x, w: wide(x.astype("int16").astype("int8"), w), x, w) == by_words
    assert not words_of(lambda x, w: wide(x.astype("float32").astype("int32"), w), x, w)
    assert not words_of(lambda x, w: wide(x + 1, w.astype("int32")), x.astype("int32"), w)
    assert not words_of(wide, x[:, :1], w[:, :1])


def test_words_without_native_code():
    """As NumPy does what is too large for native code."""
    rng = np.random.default_rng(0)
    p = params(2, padding=1)
    x, w = (rng.integers(-100, 100, shape).astype(np.int8) for shape in ((2, 4, 20, 20), (16, 4, 3, 3)))
    program = fl.make_program(functools.partial(conv, **p))(x, w).program
    (made,) = [e for e in convolve_words(program).equations if e.primitive is laid_out_conv] or [None]
    if made is not None:
        words = [(a[:, ::2] & 0xFFFF) | (a[:, 1::2] << 16) for a in (x.astype(np.int32), w.astype(np.int32))]
        found = laid_out_conv.impl(np, *words, **made.params)
        np.testing.assert_array_equal(found, conv.impl(np, x.astype(np.int32), w.astype(np.int32), **p))


def test_in_a_loop():
    w = np.random.default_rng(0).standard_normal((4, 4, 3, 3)).astype(np.float32) * 0.1
    x = np.random.default_rng(1).standard_normal((2, 4, 9, 9)).astype(np.float32)
    step = functools.partial(conv, **params(2, padding=1))

    def loop(x, w):
        return fl.lax.fori_loop(0, 5, lambda i, x: step(x, w), x)

    np.testing.assert_allclose(fl.jit(loop)(x, w), fl.jit(loop, exact=True)(x, w), rtol=1e-4, atol=1e-5)


def test_transposes_are_taken_in():
    p = params(2, padding=1)
    x, w = np.ones((2, 3, 8, 8), np.float32), np.ones((5, 3, 3, 3), np.float32)
    gradients = fl.grad(lambda x, w: conv(x, w, **p).sum(), (0, 1))
    closed = fl.make_program(gradients)(x, w)
    assert "transpose" in str(closed.program)
    assert "transpose" not in str(lay_out(closed.program))


def test_vmap_of_per_example_gradients():
    p = params(2, padding=1)
    rng = np.random.default_rng(3)
    x, w = rng.standard_normal((6, 1, 3, 8, 8)).astype(np.float32), rng.standard_normal((5, 3, 3, 3)).astype(np.float32)
    f = fl.vmap(fl.grad(lambda w, x: (conv(x, w, **p) ** 2).sum()), (None, 0))
    np.testing.assert_allclose(fl.jit(f)(w, x), fl.jit(f, exact=True)(w, x), rtol=1e-4, atol=1e-3)
