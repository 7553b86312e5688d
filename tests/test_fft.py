"""Fourier transforms: values and dtypes against NumPy, derivatives against differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite.errors import DTypeError, ShapeError
from functorch_lite.testing import check_grads, check_jit, check_vmap

RNG = np.random.default_rng(7)
NORMS = (None, "backward", "ortho", "forward")
ONE = ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")
MANY = ("fft", "ifft", "rfft", "irfft")


def draw(name: str, *shape: int) -> np.ndarray:
    x = RNG.normal(size=shape)
    return x if name.startswith(("rfft", "ihfft")) else x + 1j * RNG.normal(size=shape)


def close(found: Any, expected: np.ndarray) -> None:
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    bound = 1e-5 if found.dtype in ("float32", "complex64") else 1e-12
    np.testing.assert_allclose(found, expected, rtol=bound, atol=bound)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", ONE)
def test_along_one_axis(name: str, norm: str | None) -> None:
    ours, theirs = getattr(fnp.fft, name), getattr(np.fft, name)
    for n in (None, 1, 3, 4, 7):
        for axis in (0, -1):
            x = draw(name, 4, 5)
            close(ours(x, n, axis, norm), theirs(x, n, axis, norm))
            narrow = x.astype("complex64" if x.dtype.kind == "c" else "float32")
            close(ours(narrow, n, axis, norm), theirs(narrow, n, axis, norm))


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", MANY)
def test_along_several_axes(name: str, norm: str | None) -> None:
    x = draw(name, 3, 4, 5)
    for s in (None, (3, 4), (5, 2)):
        for axes in ((-2, -1), (0, 2), (2, 0)):
            for kind in ("2", "n"):
                ours, theirs = getattr(fnp.fft, name + kind), getattr(np.fft, name + kind)
                close(ours(x, s, axes, norm), theirs(x, s, axes, norm))
    close(getattr(fnp.fft, f"{name}n")(x, norm=norm), getattr(np.fft, f"{name}n")(x, norm=norm))


@pytest.mark.parametrize("name", ONE)
@pytest.mark.parametrize("n", [4, 5])
def test_derivatives_and_transformations(name: str, n: int) -> None:
    function, x = getattr(fnp.fft, name), draw(name, 3, n)
    for length in (None, 3, 6):
        transform = lambda x: function(x, length, norm="ortho")  # noqa: E731
        check_grads(lambda x: transform(x) * transform(x), (x,), 2, atol=1e-5, rtol=1e-5)
        check_jit(transform, (x,))
        check_vmap(transform, (draw(name, 3, n, 2),), 2)


def test_several_axes_have_derivatives() -> None:
    for name in MANY:
        function, x = getattr(fnp.fft, f"{name}n"), draw(name, 2, 3, 4)
        check_grads(lambda x: function(x, axes=(0, 2)) ** 2, (x,), 2, atol=1e-5, rtol=1e-5)


def test_inverses() -> None:
    x = RNG.normal(size=(2, 7))
    close(fnp.fft.irfft(fnp.fft.rfft(x), 7), x)
    close(fnp.fft.hfft(fnp.fft.ihfft(x), 7), x)
    close(fnp.fft.ifft2(fnp.fft.fft2(x)), x + 0j)
    energy = fl.grad(lambda x: fnp.sum(fnp.abs(fnp.fft.fft(x, norm="ortho")) ** 2))(x)
    close(energy, 2 * x)  # Parseval: the transform keeps the sum of squares


@pytest.mark.parametrize("n", [1, 4, 5])
def test_frequencies_and_shifts(n: int) -> None:
    close(fnp.fft.fftfreq(n, 0.5, dtype="float64"), np.fft.fftfreq(n, 0.5))
    close(fnp.fft.rfftfreq(n, 2), np.fft.rfftfreq(n, 2).astype("float32"))
    x = RNG.normal(size=(n, 3))
    for axes in (None, 0, (0, 1), -1):
        close(fnp.fft.fftshift(x, axes), np.fft.fftshift(x, axes))
        close(fnp.fft.ifftshift(x, axes), np.fft.ifftshift(x, axes))


def test_dtypes() -> None:
    for dtype in ("bool", "int32", "float16", "bfloat16", "float32"):
        x = fnp.asarray(np.array([0, 1, 1, 0])).astype(dtype)
        assert fnp.fft.fft(x).dtype == np.complex64
        assert fnp.fft.irfft(x).dtype == np.float32
    assert fnp.fft.rfft(np.ones(3)).dtype == np.complex128


def test_numpy_s_own_functions_take_our_arrays() -> None:
    x = fnp.arange(4.0)
    for name in ("fft", "rfft", "ifft", "fftshift"):
        assert isinstance(getattr(np.fft, name)(x), fl.Array)
    assert np.fft.fftn(x).dtype == np.complex64


def test_lax_fft() -> None:
    x = RNG.normal(size=(2, 4))
    close(fl.lax.fft(x, fl.lax.FftType.RFFT, (2, 4)), np.fft.rfft2(x))
    close(fl.lax.fft(x + 0j, "IFFT", (4,)), np.fft.ifft(x))


def test_errors_say_what_came() -> None:
    with pytest.raises(DTypeError, match="rfft needs real numbers"):
        fnp.fft.rfft(np.ones(3, complex))
    with pytest.raises(ShapeError, match="axis 1"):
        fnp.fft.fft(np.ones(3), axis=1)
    with pytest.raises(ShapeError, match="positive"):
        fnp.fft.fft(np.ones(3), 0)
    with pytest.raises(ValueError, match="norm"):
        fnp.fft.fft(np.ones(3), norm="both")
    with pytest.raises(ValueError, match="2 axes"):
        fnp.fft.fft2(np.ones(3), axes=(0,))
    with pytest.raises(ShapeError, match="differ in number"):
        fnp.fft.fftn(np.ones((3, 3)), (3,), (0, 1))
    with pytest.raises(ValueError):
        fl.lax.fft(np.ones(3), "DCT", (3,))
