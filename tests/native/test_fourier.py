"""Fourier transforms in native code against NumPy's in twice the precision."""

from __future__ import annotations

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite import lax
from functorch_lite_numpy import set_threads
from tests.native.checks import is_whole

pytest.importorskip("llvmlite", reason="the compiler needs llvmlite")

rng = np.random.default_rng(0)
COMPLEX = {"float32": "complex64", "float64": "complex128"}


def numbers(shape, dtype):
    """Real numbers, and complex ones."""
    x = rng.normal(size=shape).astype(dtype)
    return x, (x + 1j * rng.normal(size=shape)).astype(COMPLEX[dtype])


def agrees(name, x, axes=None):
    """Whether a transform is native, and as exact as rounding allows."""

    def f(x):
        return getattr(fnp.fft, name)(x) if axes is None else getattr(fnp.fft, name)(x, axes=axes)

    wide = x.astype(np.result_type(x, np.float64))
    expected = getattr(np.fft, name)(wide) if axes is None else getattr(np.fft, name)(wide, axes=axes)
    assert is_whole(f, fnp.asarray(x))
    got = np.asarray(fl.jit(f)(fnp.asarray(x)))
    off = np.abs(got - expected).max() / np.abs(expected).max()
    return got.shape == expected.shape and off < 4 * np.finfo(x.dtype).eps


@pytest.mark.parametrize("dtype", COMPLEX)
@pytest.mark.parametrize("shape", [(16, 8), (19, 32), (33, 64), (3, 16, 128), (16, 1024)])
def test_rows(shape, dtype):
    real, complex_ = numbers(shape, dtype)
    assert agrees("fft", complex_)
    assert agrees("ifft", complex_)
    assert agrees("rfft", real)
    assert agrees("irfft", np.ascontiguousarray(complex_[..., : shape[-1] // 2 + 1]))


@pytest.mark.parametrize("dtype", COMPLEX)
@pytest.mark.parametrize("shape", [(32, 128), (3, 64, 32), (256, 64)])
def test_planes(shape, dtype):
    real, complex_ = numbers(shape, dtype)
    assert agrees("fft2", complex_)
    assert agrees("ifft2", complex_)
    assert agrees("rfft2", real)
    assert agrees("irfft2", np.ascontiguousarray(complex_[..., : shape[-1] // 2 + 1]))


@pytest.mark.parametrize("dtype", COMPLEX)
def test_more_axes(dtype):
    real, complex_ = numbers((2, 16, 8, 32), dtype)
    assert agrees("rfftn", real, axes=(1, 2, 3))
    assert agrees("fftn", complex_, axes=(1, 2, 3))
    assert agrees("irfftn", np.ascontiguousarray(complex_[..., :17]), axes=(1, 2, 3))


def test_many_numbers_in_other_lengths_are_left_to_scipy():
    for shape in ((90, 1000), (3, 30_000), (16, 8192)):
        f, x = fnp.fft.rfft, fnp.asarray(numbers(shape, "float32")[0])
        assert not is_whole(f, x)
        np.testing.assert_allclose(np.asarray(fl.jit(f)(x)), np.fft.rfft(np.asarray(x)), atol=1e-3)


def test_imaginary_parts_that_no_real_numbers_have_are_ignored():
    x = numbers((16, 17), "float32")[1]
    x[:, [0, -1]] += 1j * np.array([3, 4], np.float32)
    assert agrees("irfft", x)


def test_rows_keep_apart():
    x = numbers((35, 64), "float32")[0]
    x[11, 3], x[34, 0] = np.nan, np.inf
    got = np.asarray(fl.jit(fnp.fft.rfft)(fnp.asarray(x)))
    np.testing.assert_array_equal(np.isfinite(got).all(1), np.isfinite(x).all(1))


def test_results_do_not_depend_on_the_number_of_threads():
    x = fnp.asarray(numbers((1024, 1024), "float32")[0])
    f = fl.jit(lambda x: fnp.fft.irfft2(fnp.fft.rfft2(x)))
    results = []
    try:
        for n in (1, 2, 3):
            set_threads(n)
            results.append(np.asarray(f(x)))
    finally:
        set_threads()
    for other in results[1:]:
        np.testing.assert_array_equal(results[0], other)
    np.testing.assert_allclose(results[0], np.asarray(x), atol=2e-6)


def test_gradients():
    x = numbers((16, 32), "float32")[0]

    def loss(x):
        y = fnp.fft.rfft2(x)
        return (fnp.abs(y) ** 2).sum() / x.size

    expected = np.asarray(fl.grad(loss)(fnp.asarray(x)))
    np.testing.assert_allclose(np.asarray(fl.jit(fl.grad(loss))(fnp.asarray(x))), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(1,), (2,), (5,), (64,), (100,), (3, 7), (4, 6, 5), (1, 256), (2, 3, 16)])
def test_few_lines_of_any_length(shape, dtype):
    """One after the other, by NumPy's code."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape).astype(dtype)
    z = x + 1j * rng.standard_normal(shape).astype(dtype)
    bound = 1e-5 if dtype == "float32" else 1e-13
    functions = [(f, z) for f in (fnp.fft.fft, fnp.fft.ifft, fnp.fft.fftn, fnp.fft.ifftn)]
    functions += [(f, x) for f in (fnp.fft.rfft, fnp.fft.rfftn)]
    if shape[-1] > 1:
        functions += [(lambda z, n=n: fnp.fft.irfft(z, n), z) for n in (2 * shape[-1] - 2, 2 * shape[-1] - 1)]
        functions += [(lambda z: fnp.fft.irfftn(z, z.shape), z)]
    for f, operand in functions:
        assert is_whole(f, fnp.asarray(operand))
        found, exact = np.asarray(fl.jit(f)(operand)), np.asarray(f(fnp.asarray(operand)))
        assert np.max(np.abs(found - exact)) <= bound * (1 + np.max(np.abs(exact)))


def test_transforms_in_each_turn_of_a_loop():
    """A spectral method's steps: machine code throughout."""
    decay = fnp.exp(-0.01 * fnp.arange(51.0))

    def evolved(u):
        def step(u, _):
            return fnp.fft.irfft(fnp.fft.rfft(u) * decay, 100) - 0.01 * u * u, None

        return fnp.sum(lax.scan(step, u, None, length=20)[0] ** 2)

    u = fnp.sin(fnp.arange(100.0))
    for f in (evolved, fl.grad(evolved)):
        assert is_whole(f, u)
        np.testing.assert_allclose(np.asarray(fl.jit(f)(u)), np.asarray(f(u)), rtol=1e-4, atol=1e-4)
