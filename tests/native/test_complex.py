"""Complex numbers in machine code, against the eager kernels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite import lax

pytest.importorskip("llvmlite", reason="the compiler needs llvmlite")

from .checks import check, is_whole
from .test_programs import SHAPES, careful, move, small

DTYPES = pytest.mark.parametrize("dtype", ["complex64", "complex128"])
ENDS = np.asarray([0.0, -0.0, 1.0, -2.5, np.inf, -np.inf, np.nan])


def numbers(shape, dtype, seed=0):
    rng = np.random.default_rng(seed)
    return fnp.asarray((rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(dtype))


def close(f, *xs, rtol=16, native=True):
    """`rtol`: in units of the last place of the largest result."""
    found, exact = fl.jit(f)(*xs), fl.jit(f, exact=True)(*xs)
    for a, b in zip(fl.tree_util.tree_leaves(found), fl.tree_util.tree_leaves(exact), strict=True):
        a, b = np.asarray(a), np.asarray(b)
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        eps = np.finfo(a.dtype).eps if a.dtype.kind in "fc" else 0
        np.testing.assert_allclose(
            a, b, rtol=rtol * eps, atol=rtol * eps * np.max(np.abs(b[np.isfinite(b)]), initial=1.0)
        )
    assert not native or is_whole(f, *xs)


@DTYPES
@pytest.mark.parametrize("shape", [(), (1,), (3,), (17,), (64, 33), (5, 4, 3)])
def test_what_acts_on_parts_keeps_bits(shape, dtype):
    x, y = numbers(shape, dtype), numbers(shape, dtype, 1)
    check(lambda x, y: (x + y, x - y, -x, x.conj(), x.real, y.imag, fnp.where(x.real > 0, x, y), x == y, x != y), x, y)
    check(lambda x: (lax.complex(x.real, x.real), x.astype("complex64"), x.astype("complex128"), x.astype(bool)), x)
    check(lambda x: (x.T, x.reshape(-1), fnp.broadcast_to(x, (3, *x.shape)), fnp.stack([x, x * 0 + 1j])), x)


@DTYPES
def test_ends(dtype):
    with np.errstate(all="ignore"):
        grid = np.stack(np.meshgrid(ENDS, ENDS), -1).view(np.complex128).ravel().astype(dtype)
    x = fnp.asarray(grid)
    check(lambda x: (x.real, x.imag, -x, x.conj(), x + x, x == x, x != x, x.astype(bool), abs(x)), x)
    check(lambda x, y: (fnp.maximum(x[:, None], y), fnp.minimum(x[:, None], y)), x, fnp.concatenate([x, x + 1]))
    product = fl.jit(lambda x, y: x[:, None] * y)(x, x)
    with np.errstate(all="ignore"):
        expected = np.multiply(grid[:, None], grid)
    for a, b in ((np.asarray(product).real, expected.real), (np.asarray(product).imag, expected.imag)):
        np.testing.assert_array_equal(a, b)


@DTYPES
@pytest.mark.parametrize("shape", [(), (7,), (40, 33), (300, 70)])
def test_arithmetic_and_functions(shape, dtype):
    x, y = numbers(shape, dtype), numbers(shape, dtype, 1)
    close(
        lambda x, y: (x * y, x / y, x**2, x**-3, x**y, fnp.square(x), fnp.sign(x), abs(x), fnp.angle(x)), x, y, rtol=40
    )
    close(lambda x: [f(x) for f in (fnp.exp, fnp.log, fnp.sqrt, fnp.sin, fnp.cos, fnp.sinh, fnp.cosh, fnp.tanh)], x)
    close(
        lambda x: [f(x) for f in (fnp.tan, fnp.log1p, fnp.expm1, fnp.exp2, lax.rsqrt, fl.nn.sigmoid)], x * 0.5, rtol=40
    )


@DTYPES
@pytest.mark.parametrize("shape", [(5,), (3, 200), (200, 3), (9, 5, 33), (1000, 7)])
def test_sums(shape, dtype):
    x = numbers(shape, dtype)
    close(lambda x: [x.sum(axis) for axis in (None, *range(x.ndim))], x)
    close(lambda x: (x.mean(-1), (x * x.conj()).sum(0), abs(x).max(0), x.var(0), x / abs(x).sum()), x)
    close(fl.grad(lambda x: (abs(fnp.exp(x) * x) ** 2).sum()), x, rtol=100)


@DTYPES
def test_along_axes_and_by_index(dtype):
    x, updates, where = numbers((12, 7, 5), dtype), numbers((3, 7, 5), dtype, 1), fnp.asarray([4, 4, 11])
    check(lambda x: [fnp.cumsum(x, k) for k in range(3)], x)
    check(
        lambda x, u, i: (x.at[i].add(u), x.at[i[1:]].set(u[1:]), x.at[:, i[0]].set(1j, mode="drop")), x, updates, where
    )
    check(
        lambda x, u: (lax.dynamic_update_slice(x, u[:, :2], (10, 3, 0)), lax.dynamic_update_slice(x, u[:1], (2, 0, 0))),
        x,
        updates,
    )
    check(fl.grad(lambda x, i: x[i, 0].real.sum() + x[2].imag.sum()), x, where)
    one = numbers(9, dtype)
    check(lambda x: (fnp.cumsum(x), x.at[3].add(2j), lax.cumsum(x, reverse=True)), one)


@DTYPES
def test_products_of_matrices(dtype):
    x, y, v = numbers((40, 33), dtype), numbers((33, 17), dtype), numbers(33, dtype)
    close(lambda x, y, v: (x @ y, x @ v, v @ y, v @ v, x.T @ x, x.T.conj() @ x, fnp.outer(v, v)), x, y, v, rtol=100)
    k, m = numbers((5, 7, 33), dtype), numbers((5, 33, 4), dtype)
    close(lambda k, m: (k @ m, fnp.einsum("bij,bjk->ikb", k, m), fnp.einsum("bij,cjk->bcik", k, m)), k, m, rtol=100)


def test_operands_that_are_aligned_to_parts_only():
    x = np.zeros(1001, np.complex64).view(np.float32)[1:-1].view(np.complex64)
    y = np.frombuffer(bytes(16 * 100 + 8), np.uint8)[8:].view(np.complex128).reshape(10, 10)
    assert not np.asarray(fl.jit(lambda x: x + 1j)(x)).real.any()
    assert not np.asarray(fl.jit(lambda y: (y @ y.T) * 2 + y.T @ y)(y)).any()


@DTYPES
def test_loops(dtype):
    x = numbers((40, 33), dtype) * 0.5

    def mandelbrot(c):
        def turn(i, state):
            z, n = state
            inside = z.real * z.real + z.imag * z.imag < 4
            return fnp.where(inside, z * z + c, z), n + inside

        return lax.fori_loop(0, 30, turn, (fnp.zeros_like(c), fnp.zeros(c.shape, "int32")))[1]

    check(lambda x: lax.scan(lambda c, row: (c + row, (c - row).conj()), x[0], x), x)
    found, expected = fl.jit(mandelbrot)(x), fl.jit(mandelbrot, exact=True)(x)
    assert np.mean(np.asarray(found) != np.asarray(expected)) < 0.01
    assert is_whole(mandelbrot, x)


UNARY = [
    fnp.negative,
    fnp.conj,
    lambda x: x * (0.5 - 1j),
    fnp.exp,
    lambda x: fnp.sin(x * 0.1),
    fnp.abs,
    fnp.real,
    fnp.imag,
    fnp.sign,
]
BINARY = [
    fnp.add,
    fnp.subtract,
    fnp.multiply,
    lambda x, y: fnp.where(x.real < y.real, x, y),
    lambda x, y: lax.complex(x.real, y.imag),
]


def apply(steps, values):
    values = list(values)
    for kind, which, i, j, k in steps:
        x, y = (values[n % len(values)].astype(values[0].dtype) for n in (i, j))
        out = None
        if kind == "unary":
            out = UNARY[which % len(UNARY)](x)
        elif kind == "binary" and x.shape == y.shape:
            out = BINARY[which % len(BINARY)](x, y)
        elif kind == "sum":
            out = (fnp.sum, fnp.mean)[which % 2](
                x, axis=k % x.ndim if x.ndim and k % 3 else None, keepdims=bool(which % 2)
            )
        elif kind == "dot" and x.ndim == y.ndim == 2 and x.shape[1] == y.shape[0]:
            out = x @ y
        else:
            out = move(x, which, k) if which % 12 != 11 else fnp.pad(x, 1) if x.ndim else x
        if out is not None and 0 < out.size <= 20_000:
            values.append(out / fnp.maximum(1, abs(out).max()))
    return values[-4:]


programs = st.lists(
    st.tuples(st.sampled_from(["unary", "binary", "sum", "move", "dot"]), small, small, small, small),
    min_size=2,
    max_size=12,
)


@DTYPES
@settings(careful, max_examples=25)
@given(programs, st.lists(st.sampled_from(SHAPES), min_size=2, max_size=3))
def test_random_programs(dtype, steps, shapes):
    xs = [numbers(shape, dtype, k) for k, shape in enumerate(shapes)]
    close(lambda *xs: apply(steps, xs), *xs, rtol=1000, native=False)
