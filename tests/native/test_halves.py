"""16-bit floats in machine code: bits of the eager kernels, but where sums are taken in another order."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite import lax

pytest.importorskip("llvmlite", reason="the compiler needs llvmlite")

from .checks import assert_same, is_whole
from .test_programs import apply, careful, operands, shapes, steps

HALVES = pytest.mark.parametrize("dtype", ["float16", "bfloat16"])


def every(dtype: str) -> np.ndarray:
    """All numbers of 16 bits."""
    return np.arange(1 << 16, dtype=np.uint16).view(np.dtype(dtype) if dtype == "float16" else ml_dtypes.bfloat16)


def check(f, *xs):
    assert is_whole(f, *xs)
    with np.errstate(all="ignore"):
        assert_same(fl.jit(f)(*xs), fl.jit(f, exact=True)(*xs))


@HALVES
def test_casts_from_every_number(dtype):
    check(lambda x: [x.astype(d) for d in ("float32", "float64", "int32", "uint8", "bool")], fnp.asarray(every(dtype)))


@HALVES
def test_casts_to_the_nearest_number(dtype):
    """Numbers, the middles between two, and the neighbours of these, which round to the side that they are on."""
    with np.errstate(all="ignore"):
        x = every(dtype).astype(np.float64)
    x = np.unique(x[np.isfinite(x)])
    middle = (x[1:] + x[:-1]) / 2
    cast = fl.jit(lambda x: x.astype(dtype))
    ends = np.asarray([np.inf, -np.inf, np.nan, 1e38, -1e38])
    single = np.concatenate([x, middle, ends]).astype(np.float32)
    check(cast, fnp.asarray(single))
    assert_same(np.asarray(cast(fnp.asarray(single.astype(np.float64)))), np.asarray(cast(fnp.asarray(single))))
    for direction, side in ((np.inf, x[1:]), (-np.inf, x[:-1])):
        near = np.nextafter(middle, direction)
        np.testing.assert_array_equal(np.asarray(cast(fnp.asarray(near))).astype(np.float64), side)


@HALVES
def test_bits(dtype):
    x = fnp.asarray(every(dtype))
    check(lambda x: lax.nextafter(x, x[::-1]), x)
    check(lambda x: lax.reduce_precision(x, 4, 3), x)
    check(lambda x: (lax.bitcast_convert_type(x, "int16"), fnp.where(x > 0, x, fnp.flip(x)), -x, fnp.abs(x)), x)


@HALVES
def test_updates(dtype):
    x, where = fnp.asarray(every(dtype)[:6000]).reshape(100, 60), fnp.asarray([4, 4, 99])
    check(
        lambda x, i: (x.at[i].set(x[:3]), lax.dynamic_update_slice(x, x[:3, :2], (98, 59)), x.at[:, i].set(1)), x, where
    )


@HALVES
def test_every_operation_rounds(dtype):
    """A value that is read again is what was compared, wherever the groups of fused operations end."""
    x, y = (x.astype(dtype) for x in operands([(40, 37), (40, 37)], np.float32))
    check(lambda x, y: ((x * y + x) / (y + 3) - fnp.sqrt(fnp.abs(x)), (x * 3).max(0) == x * 3), x, y)
    check(fl.grad(lambda x, y: (x * y).max(1).astype("float32").sum()), x, y)
    check(lambda x, y: lax.fori_loop(0, 7, lambda i, z: z * y + x, x), x, y)


@HALVES
def test_sums_and_products_are_taken_in_32_bits(dtype):
    x = fnp.ones((300, 70), dtype)
    f = fl.jit(lambda x: (x.sum(0), fnp.cumsum(x, 0)[-1], x.T @ x, fnp.sort(x), fnp.argmax(x, 1)))
    assert f.lower(x).as_text("fused").count(" fusion") < 9
    total, running, product, *_ = f(x)
    assert all(np.all(np.asarray(y).astype(np.float32) == 300) for y in (total, product))
    assert running.dtype == total.dtype == x.dtype
    assert is_whole(lambda x: (x.sum(0), x.T @ x, fnp.sort(x), fnp.argmax(x, 1), fnp.tanh(x)), x)


@HALVES
@settings(careful, max_examples=40)
@given(steps, shapes)
def test_random_programs(dtype, steps, shapes):
    xs = [x.astype(dtype) for x in operands(shapes, np.float32)]
    found, exact = (fl.jit(lambda *xs: apply(steps, xs), exact=e)(*xs) for e in (False, True))
    for a, b in zip(found, exact, strict=True):
        assert a.dtype == b.dtype
        x, y = (np.asarray(z).astype(np.float64) for z in (a, b))
        finite = np.isfinite(x) & np.isfinite(y)
        rtol = 16 * float(ml_dtypes.finfo(a.dtype).eps) if a.dtype.itemsize == 2 else 1e-3
        np.testing.assert_allclose(x[finite], y[finite], rtol=rtol, atol=rtol * np.max(np.abs(y[finite]), initial=1.0))


@HALVES
def test_nothing_is_called(dtype):
    """No function of a runtime library for 16-bit floats, which need not be there."""
    x = fnp.ones((5, 3), dtype)
    text = fl.jit(lambda x: (fnp.tanh(x) * x.sum(0)).astype("float64").astype(dtype)).lower(x).as_text("assembly")
    assert "hfsf" not in text
    assert "sfhf" not in text
    assert "bf2" not in text
