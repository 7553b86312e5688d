"""Native cumulative operations, places of extremes and sorts: the very bits of the eager kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite import lax
from functorch_lite.primitives import reduction
from functorch_lite.primitives.sorting import sort, top_k
from functorch_lite_numpy import set_threads

from .checks import assert_same, check

rng = np.random.default_rng(2)

DTYPES = ["bool", "int8", "uint16", "int32", "uint64", "float32", "float64"]
SHAPES: list[Any] = [(1,), (7,), (64,), (1000,), (5, 3), (3, 130), (130, 3), (4, 33, 5), (2, 3, 70), (9, 2100)]


def values(shape: Any, dtype: str, *, spread: int = 40) -> np.ndarray:
    """Few distinct values, so that many are equal; NaN and zeros of both signs among the floats."""
    x = rng.integers(-spread if dtype[0] not in "ub" else 0, spread, shape)
    if dtype[0] != "f":
        return x.astype(dtype)
    y = (x / 4).astype(dtype)
    y[rng.random(shape) < 0.1] = -0.0
    y[rng.random(shape) < 0.05] = np.nan
    return y


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["cumsum", "cumprod", "cummax", "cummin"])
def test_cumulative(shape: Any, name: str) -> None:
    primitive: Any = getattr(reduction, name)
    for dtype in DTYPES[1:]:
        x = np.abs(values(shape, dtype, spread=3)) + 1 if dtype[0] == "f" else values(shape, dtype, spread=3)
        for axis in range(len(shape)):
            for reverse in (False, True):
                check(lambda x, a=axis, r=reverse: primitive(x, axis=a, reverse=r), x.astype(dtype))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["argmax", "argmin"])
def test_places_of_extremes(shape: Any, name: str) -> None:
    primitive: Any = getattr(reduction, name)
    for k, dtype in enumerate(DTYPES):
        for spread in (2, 40):
            x = values(shape, dtype, spread=spread)
            for axis in range(len(shape)):
                index_dtype = np.dtype(["int32", "int64", "uint8", "uint64"][k % 4 if shape[axis] < 256 else k % 2])
                check(lambda x, a=axis, d=index_dtype: primitive(x, axis=a, index_dtype=d), x)
        if dtype[0] == "f":
            x[...] = np.nan
            check(lambda x: primitive(x, axis=0, index_dtype=np.dtype("int32")), x)


@pytest.mark.parametrize("shape", SHAPES)
def test_sort(shape: Any) -> None:
    for dtype in DTYPES:
        x = values(shape, dtype)
        for axis in range(len(shape)):
            for stable in (True, False):
                check(lambda x, a=axis, s=stable: sort(x, dimension=a, is_stable=s, num_keys=1), x)


@pytest.mark.parametrize("shape", SHAPES)
def test_sort_together(shape: Any) -> None:
    for k, dtype in enumerate(DTYPES):
        x, y = values(shape, dtype, spread=3), values(shape, DTYPES[(k + 3) % len(DTYPES)], spread=3)
        z = rng.integers(0, 10**6, shape)
        for axis in range(len(shape)):
            for keys in (1, 2, 3):
                check(lambda x, y, z, a=axis, n=keys: sort(x, y, z, dimension=a, is_stable=True, num_keys=n), x, y, z)


@pytest.mark.parametrize("shape", SHAPES)
def test_top_k(shape: Any) -> None:
    for dtype in DTYPES:
        for spread in (3, 100):
            x = values(shape, dtype, spread=spread)
            for k in sorted({1, min(3, shape[-1]), min(40, shape[-1]), shape[-1]}):
                check(lambda x, k=k: top_k(x, k=k), x)


@pytest.mark.parametrize("dtype", [*DTYPES, "int64"])
def test_top_k_of_long_lines(dtype: str) -> None:
    """By candidates: none further on, nearly all of them, many equal ones, or some here and there."""
    n = 9001
    some = values((n,), dtype, spread=10 if dtype == "int8" else 10**5)
    kinds = {"some": some, "ascending": np.sort(some), "descending": np.sort(some)[::-1].copy(), "equal": some * 0}
    kinds["peaks"] = np.where(np.arange(n) % 500 == 499, some, some.min()).astype(dtype)
    if dtype[0] == "f":
        infinite = np.array([-np.inf, np.inf, np.nan, -0.0, 0.0, -np.nan], dtype)
        kinds |= {
            "nan": np.full(n, np.nan, dtype),
            "infinite": rng.choice(infinite, n),
            "zeros": rng.choice(infinite[3:5], n),
        }
    for x in kinds.values():
        for k in (1, 3, 33, 64, 65, 100, 1000, 2250, n - 1, n):
            check(lambda x, k=k: top_k(x, k=k), x)


@pytest.mark.parametrize("n", [255, 256, 257, 272, 273, 303, 304, 512])
def test_top_k_where_the_buffer_ends(n: int) -> None:
    for dtype in ("float32", "int64", "uint8"):
        x = values((4, n), dtype)
        for k in (33, 63, 64, 65, n):
            check(lambda x, k=k: top_k(x, k=k), x)
            check(lambda x, k=k: top_k(x, k=k), np.sort(x))


def test_top_k_of_nothing() -> None:
    for shape in ((7,), (3, 5), (0,), (2, 0), (0, 4)):
        x = fnp.asarray(np.ones(shape, np.float32))
        for f in (lambda x: top_k(x, k=0), fl.jit(lambda x: top_k(x, k=0))):
            found, places = f(x)
            assert found.shape == places.shape == (*shape[:-1], 0)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
def test_top_k_by_several_threads(dtype: str) -> None:
    x = values((300, 1000), dtype, spread=10**4)
    try:
        for n in (1, 3):
            set_threads(n)
            for k in (1, 10, 100, 1000):
                check(lambda x, k=k: top_k(x, k=k), x)
    finally:
        set_threads()


@pytest.mark.parametrize("dtype", ["float32", "float64", "int8", "uint64", "int32"])
@pytest.mark.parametrize("name", ["cumsum", "cumprod", "cummax", "cummin"])
def test_long_running_lines(name: str, dtype: str) -> None:
    """In blocks, which threads share: sums and products of floats in another order, all others with the same bits."""
    primitive: Any = getattr(reduction, name)
    for shape in ((65_536,), (3, 81_933), (131_073,)):
        x = np.exp(rng.normal(size=shape) / 100).astype(dtype) if name == "cumprod" else values(shape, dtype)
        x = np.where(np.isnan(x), x.dtype.type(0), x) + x.dtype.type(0)
        if dtype[0] == "f":
            x[..., :3] = -0.0 if name == "cumsum" else 0.0
            x[..., 70_000:70_002] = 1.0 if name == "cumsum" else np.nan
        for reverse in (False, True):
            f = lambda x, r=reverse: primitive(x, axis=x.ndim - 1, reverse=r)  # noqa: E731
            found = []
            for n in (1, 2, 3):
                set_threads(n)
                found.append(fl.jit(f)(x))
            set_threads()
            assert_same(found[0], found[1])
            assert_same(found[0], found[2])
            if dtype[0] != "f" or name in ("cummax", "cummin"):
                check(f, x)
                continue
            exact = np.asarray(fl.jit(f, exact=True)(x.astype(np.float64)))
            np.testing.assert_allclose(found[0], exact, rtol=1e-5 if dtype == "float32" else 1e-12, atol=1e-2)
            assert_same(np.signbit(np.asarray(found[0])[..., :3]), np.signbit(exact[..., :3]))


def test_large() -> None:
    x = rng.normal(size=200_001).astype(np.float32)
    check(lambda x: (fnp.cumsum(x.astype("int32")), fnp.sort(x), fnp.argsort(x), fnp.argmax(x), fnp.argmin(x)), x)
    check(lambda x: top_k(x, k=17), x)


def test_in_loops() -> None:
    def step(x: Any, k: Any) -> Any:
        y = fnp.cumsum(fnp.sort(x)) - x[k]
        return y - fnp.max(y), (fnp.argmax(y), fnp.argsort(x)[0])

    check(lambda x, k: lax.scan(step, x, k), values((9,), "float64") * 0 + np.arange(9.0), np.arange(5))


def test_results_do_not_depend_on_the_number_of_threads() -> None:
    x = values((1003, 400), "float32")

    def f(x: Any) -> Any:
        return fnp.cumsum(x, 1), fnp.cumsum(x.reshape(17, 59, 400), 1), fnp.sort(x, 1), fnp.argsort(x, 1)

    try:
        for n in (1, 2, 3):
            set_threads(n)
            check(f, x)
    finally:
        set_threads()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("spread", [1, 100, 100_000])
def test_long_lines(dtype: str, spread: int) -> None:
    """By buckets where there are threads: some of them empty, or all in one."""
    x = values((70_001,), dtype, spread=min(spread, 100) if dtype in ("bool", "int8") else spread)
    others = rng.integers(0, 9, x.shape)
    try:
        for n in (1, 3):
            set_threads(n)
            check(lambda x: (fnp.sort(x), fnp.argsort(x)), x)
            check(lambda x, y: sort(x, y, dimension=0, is_stable=True, num_keys=2), x, others)
            check(lambda x, y: sort(y, x, dimension=0, is_stable=True, num_keys=1), x, others)
            check(lambda x: top_k(x, k=1000), x)
    finally:
        set_threads()


def test_long_lines_of_nan() -> None:
    for x in (np.full(70_000, np.nan, np.float32), np.where(np.arange(70_000) % 2, np.nan, -np.inf)):
        check(lambda x: (fnp.sort(x), fnp.argsort(x)), x)


# Complex numbers.


def complex_values(shape: Any, dtype: str) -> np.ndarray:
    """Few distinct parts, zeros of both signs and NaN among them."""
    real = np.dtype(dtype).type().real.dtype
    return values((*shape, 2), real.name, spread=5).view(dtype)[..., 0]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_complex_sorts(shape: Any, dtype: str) -> None:
    x, y = complex_values(shape, dtype), values(shape, "float32", spread=3)
    for axis in range(len(shape)):
        check(lambda x, a=axis: sort(x, dimension=a, is_stable=True, num_keys=1), x)
        for keys in (1, 2):
            check(lambda x, y, a=axis, n=keys: sort(x, y, dimension=a, is_stable=True, num_keys=n), x, y)
            check(lambda x, y, a=axis, n=keys: sort(y, x, dimension=a, is_stable=True, num_keys=n), x, y)


def same_but_for_rounding(f: Any, x: np.ndarray) -> None:
    """NumPy multiplies complex numbers with a fused multiplication where they lie side by side."""
    found, exact = np.asarray(fl.jit(f)(x)), np.asarray(fl.jit(f, exact=True)(x))
    np.testing.assert_allclose(found, exact, 1e-4 if x.dtype == np.complex64 else 1e-12)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_complex_combinations(shape: Any, dtype: str) -> None:
    x = complex_values(shape, dtype)
    turned = np.exp(1j * np.nan_to_num(x).real).astype(dtype)
    for axis in range(len(shape)):
        for reverse in (False, True):
            check(lambda x, a=axis, r=reverse: reduction.cummax(x, axis=a, reverse=r), x)
            check(lambda x, a=axis, r=reverse: reduction.cummin(x, axis=a, reverse=r), x)
            same_but_for_rounding(lambda x, a=axis, r=reverse: reduction.cumprod(x, axis=a, reverse=r), turned)
    for axes in {(0,), (len(shape) - 1,), tuple(range(len(shape)))}:
        check(lambda x, a=axes: reduction.reduce_max(x, axes=a), x)
        check(lambda x, a=axes: reduction.reduce_min(x, axes=a), x)
        same_but_for_rounding(lambda x, a=axes: reduction.reduce_prod(x, axes=a), turned)


def test_products_of_complex_updates() -> None:
    for shape, n in (((50, 3), 200), ((7,), 1), ((4, 3000), 9)):
        x = fnp.asarray(np.exp(1j * rng.standard_normal(shape)).astype(np.complex64))
        i = fnp.asarray(rng.integers(0, shape[0], n))
        update = fnp.asarray(np.exp(1j * rng.standard_normal((n, *shape[1:]))).astype(np.complex64))
        f = lambda x, i, update: x.at[i].multiply(update)  # noqa: E731
        np.testing.assert_allclose(np.asarray(fl.jit(f)(x, i, update)), np.asarray(f(x, i, update)), 1e-5)
