"""Native gathers, scatters and updates of slices: the bits of the eager kernels, for all modes and index dtypes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite import lax
from functorch_lite.primitives.dynamic_slicing import dynamic_slice, dynamic_update_slice
from functorch_lite.primitives.gathering import (
    GatherDimensionNumbers,
    ScatterDimensionNumbers,
    gather,
    scatter,
    scatter_add,
)
from functorch_lite.primitives.scattering import scatter_max, scatter_min, scatter_mul
from functorch_lite_numpy import set_threads

from .checks import assert_same, check

rng = np.random.default_rng(0)


@pytest.fixture
def usual() -> Iterator[None]:
    yield
    set_threads()


INDEX_DTYPES = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]
DTYPES = ["bool", "int8", "uint16", "int32", "int64", "float32", "float64"]
SCATTERS = {"set": scatter, "add": scatter_add, "mul": scatter_mul, "min": scatter_min, "max": scatter_max}

CASES: list[tuple[Any, Any, Any, Any]] = [
    # operand, indices, GatherDimensionNumbers, slice sizes
    ((10, 5), (7, 1), GatherDimensionNumbers((1,), (0,), (0,)), (1, 5)),
    ((10, 130), (9, 1), GatherDimensionNumbers((1,), (0,), (0,)), (1, 130)),
    ((5, 37), (33, 1), GatherDimensionNumbers((0,), (1,), (1,)), (5, 1)),
    ((9,), (40, 1), GatherDimensionNumbers((), (0,), (0,)), (1,)),
    ((6, 7), (4, 3, 2), GatherDimensionNumbers((), (0, 1), (0, 1)), (1, 1)),
    ((6, 7), (4, 3, 2), GatherDimensionNumbers((), (0, 1), (1, 0)), (1, 1)),
    ((6, 7, 8), (5, 2), GatherDimensionNumbers((0, 2, 3), (), (0, 2)), (3, 7, 2)),
    ((6, 7, 8), (5, 2), GatherDimensionNumbers((1, 2), (1,), (1, 2)), (6, 1, 3)),
    ((6, 7, 8), (2,), GatherDimensionNumbers((0, 1, 2), (), (0, 1)), (2, 3, 8)),
    ((6, 7, 8), (4, 6, 1), GatherDimensionNumbers((2,), (1,), (1,), (0,), (1,)), (1, 1, 8)),
    ((4, 3, 11), (3, 4, 5, 1), GatherDimensionNumbers((), (2,), (2,), (0, 1), (1, 0)), (1, 1, 1)),
    ((4, 3), (3, 2), GatherDimensionNumbers((1, 2), (), (0, 1)), (4, 3)),
    ((3, 4), (5, 0), GatherDimensionNumbers((1, 2), (), ()), (3, 2)),
]


def values(shape: Any, dtype: str) -> np.ndarray:
    x = rng.normal(size=shape) * 20
    return (np.abs(x) if dtype.startswith("u") else x).astype(dtype)


def indices(shape: Any, dtype: str, bound: int) -> np.ndarray:
    """Most of them inside, some just outside, some far away."""
    info = np.iinfo(dtype)
    near = rng.integers(max(info.min, -2), bound + 2, shape)
    far = rng.choice(np.array([info.min, info.max], dtype), shape)
    return np.where(rng.random(shape) < 0.15, far, near.astype(dtype))


def scatter_numbers(n: GatherDimensionNumbers) -> ScatterDimensionNumbers:
    return ScatterDimensionNumbers(*n)


@pytest.mark.parametrize("case", range(len(CASES)))
@pytest.mark.parametrize("mode", ["clip", "fill", "promise_in_bounds"])
def test_gather(case: int, mode: str) -> None:
    shape, index_shape, numbers, sizes = CASES[case]
    if 0 in index_shape:
        pytest.skip("nothing to address by")
    for k, dtype in enumerate(DTYPES):
        index_dtype = INDEX_DTYPES[(case + k) % len(INDEX_DTYPES)]
        x = values(shape, dtype)
        i = indices(index_shape, index_dtype, max(shape))
        if mode == "promise_in_bounds":
            last = [shape[a] - sizes[a] for a in numbers.start_index_map]
            i = (rng.integers(0, np.array(last) + 1, index_shape)).astype(index_dtype)
        for fill in (None, 0) if mode == "fill" else (None,):
            check(
                lambda x, i, fill=fill: gather(
                    x, i, dimension_numbers=numbers, slice_sizes=sizes, mode=mode, fill_value=fill
                ),
                x,
                i,
            )


@pytest.mark.parametrize("op", SCATTERS)
@pytest.mark.parametrize("case", range(len(CASES)))
def test_scatter(case: int, op: str) -> None:
    shape, index_shape, numbers, sizes = CASES[case]
    if 0 in index_shape:
        pytest.skip("nothing to address by")
    primitive = SCATTERS[op]
    types = [fl.ShapeDtypeStruct(shape, "float32"), fl.ShapeDtypeStruct(index_shape, "int32")]
    update_shape = fl.eval_shape(lambda x, i: gather(x, i, dimension_numbers=numbers, slice_sizes=sizes), *types).shape
    for k, dtype in enumerate(DTYPES):
        if dtype == "bool" and op in ("add", "mul"):
            continue
        index_dtype = INDEX_DTYPES[(case + k) % len(INDEX_DTYPES)]
        for mode in ("clip", "fill"):
            x, u = values(shape, dtype), values(update_shape, dtype)
            i = indices(index_shape, index_dtype, max(shape))
            f = lambda x, i, u, mode=mode: primitive(  # noqa: E731
                x, i, u, dimension_numbers=scatter_numbers(numbers), mode=mode
            )
            check(f, x, i, u)


def test_broken_promises_touch_nothing_foreign() -> None:
    numbers = GatherDimensionNumbers((1,), (0,), (0,))
    x, i = values((10, 64), "float32"), np.array([[10], [-1], [2**60], [-(2**60)], [3]])
    out = fl.jit(lambda x, i: gather(x, i, dimension_numbers=numbers, slice_sizes=(1, 64), mode="promise_in_bounds"))(
        x, i
    )
    assert_same(out[4], x[3])
    f = lambda x, i, u: scatter_add(  # noqa: E731
        x, i, u, dimension_numbers=scatter_numbers(numbers), mode="promise_in_bounds"
    )
    changed = fl.jit(f)(x, i, np.ones((5, 64), np.float32))
    expected = x.copy()
    expected[3] += 1
    assert_same(changed, expected)


@pytest.mark.parametrize("op", SCATTERS)
@pytest.mark.parametrize("mode", ["clip", "fill"])
def test_large_scatters(op: str, mode: str) -> None:
    """Large enough to be shared among threads: by rows of the first axis, some of which nothing goes to."""
    for shape, index_shape, numbers, sizes in (
        ((4001, 67), (1700, 1), GatherDimensionNumbers((1,), (0,), (0,)), (1, 67)),
        ((4001, 67), (700, 1), GatherDimensionNumbers((1,), (0,), (0,)), (1, 67)),
        ((1400, 5, 40), (60, 9, 2), GatherDimensionNumbers((2, 3), (0,), (1, 0)), (1, 2, 40)),
        ((390, 700), (50, 2), GatherDimensionNumbers((1, 2), (), (0, 1)), (1, 33)),
    ):
        types = [fl.ShapeDtypeStruct(shape, "float32"), fl.ShapeDtypeStruct(index_shape, "int32")]
        taken = fl.eval_shape(lambda x, i, n=numbers, s=sizes: gather(x, i, dimension_numbers=n, slice_sizes=s), *types)
        x, u = values(shape, "float32"), values(taken.shape, "float32")
        i = indices(index_shape, "int32", shape[0] - 30)
        numbers = scatter_numbers(numbers)
        f = lambda x, i, u, n=numbers: SCATTERS[op](x, i, u, dimension_numbers=n, mode=mode)  # noqa: E731
        check(f, x, i, u)
        check(lambda x, i, u, f=f: f(fnp.cumsum(x, axis=0), i, u), x, i, u)  # in place
        check(lambda i, u, f=f, shape=shape: f(fnp.zeros(shape, "float32"), i, u), i, u)


@pytest.mark.parametrize("op", SCATTERS)
@pytest.mark.parametrize("dtype", ["bool", "float16", "int64", "float64", "complex64"])
def test_rows_that_are_put_together_in_registers(op: str, dtype: str) -> None:
    """Whole rows, enough of them to be sorted by row; of lengths that fill registers, and that do not."""
    if op not in {"bool": ["set"], "complex64": ["set", "add"]}.get(dtype, SCATTERS):
        pytest.skip("not an operation on these, or not native")
    for n, width in ((9000, 160), (6007, 233)):
        x, u = values((n, width), dtype), values((n // 3, width), dtype)
        i = indices((n // 3, 1), "int32", n - 50)
        numbers = scatter_numbers(GatherDimensionNumbers((1,), (0,), (0,)))
        f = lambda x, i, u, m=numbers: SCATTERS[op](x, i, u, dimension_numbers=m, mode="fill")  # noqa: E731
        check(f, x, i, u)
        check(lambda i, u, f=f, n=n, width=width: f(fnp.zeros((n, width), u.dtype), i, u), i, u)


@pytest.mark.parametrize(
    "rows, width, count", [(4001, 80, 3000), (4001, 80, 9000), (70_000, 80, 66_000), (4001, 16, 3000)]
)
@pytest.mark.parametrize("where", ["anywhere", "in one row", "in one piece"])
def test_rows_in_any_order(usual: None, rows: int, width: int, count: int, where: str) -> None:
    """Sorted by row at once, or by piece first: the bits of adding one after the other, for any number of threads."""
    bounds = {"anywhere": (-rows, rows), "in one row": (rows - 7, rows - 6), "in one piece": (40, 80)}[where]
    i, u = rng.integers(*bounds, count), values((count, width), "float32")
    expected = np.zeros((rows, width), np.float32)
    np.add.at(expected, i, u)
    f = lambda i, u: fnp.zeros((rows, width), "float32").at[i].add(u)  # noqa: E731
    for n in (1, 2, 3):
        set_threads(n)
        assert_same(fl.jit(f)(i, u), expected)


@pytest.mark.parametrize("op", SCATTERS)
@pytest.mark.parametrize("dtype", ["bool", "int8", "int64", "float32", "complex64"])
def test_many_numbers_into_few(usual: None, op: str, dtype: str) -> None:
    """Shared among threads: the same for any number of them, and but for sums and products of floats the bits of the order."""
    if not (op == "set" or np.dtype(dtype).kind in "if" or (op, dtype) == ("add", "complex64")):
        pytest.skip("not an operation on these, or not native")
    numbers = ScatterDimensionNumbers((), (0,), (0,))
    x, u, i = values((1000,), dtype), values((80_003,), dtype), indices((80_003, 1), "int32", 1000)
    if op == "mul" and dtype == "float32":
        u = np.exp(u / 1000)
    f = lambda x, i, u: SCATTERS[op](x, i, u, dimension_numbers=numbers, mode="fill")  # noqa: E731
    g = lambda i, u: f(fnp.zeros((1000,), u.dtype), i, u)  # noqa: E731
    for h, *args in ((f, x, i, u), (g, i, u)):
        found = []
        for n in (1, 2, 3):
            set_threads(n)
            found.append(fl.jit(h)(*args))
        assert_same(found[0], found[1])
        assert_same(found[0], found[2])
        if op in ("add", "mul") and np.dtype(dtype).kind in "fc":
            np.testing.assert_allclose(found[0], fl.jit(h, exact=True)(*args), rtol=1e-4, atol=1e-2)
        else:
            check(h, *args)


def test_zeros_that_nothing_is_added_to_keep_their_sign() -> None:
    x, i, u = np.full(100, -0.0, np.float32), np.zeros(70_000, np.int32), np.ones(70_000, np.float32)
    check(lambda x, i, u: fnp.asarray(x).at[i].add(u), x, i, u)


@pytest.mark.parametrize("op", SCATTERS)
def test_batches_of_scatters(op: str) -> None:
    """Each into a result of its own: shared among threads, in the order of the updates."""
    x, i, u = values((64, 50), "float32"), indices((64, 1201), "int32", 50), values((64, 1201), "float32")
    f = fl.vmap(lambda x, i, u: getattr(fnp.asarray(x).at[i], {"mul": "multiply"}.get(op, op))(u))
    check(f, x, i, u)
    check(lambda i, u: f(fnp.zeros((64, 50), "float32"), i, u), i, u)


def test_indices_that_are_computed_where_they_are_needed() -> None:
    """They take no memory: those that nobody else reads."""
    i, u = indices((60, 7), "int32", 40), values((60, 7, 50), "float32")
    add = lambda i, u: fnp.zeros((41, 50), "float32").at[i].add(u)  # noqa: E731
    for f, args, none in (
        (add, (i, u), True),
        (add, (i[:, 0], u[:, 0]), True),
        (lambda i, u: add(i.T * 2 - 1, u.swapaxes(0, 1)), (i, u), True),
        (lambda i, u: add(i.astype("uint8"), u), (i, u), True),
        (lambda i, u: add(fnp.clip(i, 0, 30)[:, None] + fnp.arange(3), u[:, :3]), (i[:, 0], u), False),
        (lambda i, u: (add(i + 1, u), i + 1), (i, u), False),
        (lambda i, u: add(fnp.cumsum(i), u.reshape(420, 50)), (i.reshape(420), u), False),
    ):
        check(f, *args)
        plan = fl.jit(f).lower(*args).as_text("memory plan")
        assert not none or re.search(r"[iu]\d+\[", plan) is None


def test_indices_that_are_made_of_what_is_changed() -> None:
    """The result does not take the memory of an operand that they are still made of."""

    def f(x: Any) -> Any:
        y = fnp.cumsum(x)
        return y.at[y % 1000].add(1), y.at[5].add(2).at[(y + 3) % 1000].set(y)

    check(f, rng.integers(0, 9, 1000).astype(np.int32))


def test_zeros_that_several_scatters_begin_with() -> None:
    u, i = values((700, 67), "complex64"), indices((700,), "int32", 2400)

    def f(u: Any, i: Any) -> Any:
        zeros = fnp.zeros((2400, 67), "complex64")
        return zeros.at[i].add(u), zeros.at[i].set(u * 2), zeros.at[i, 3].add(1)

    check(f, u, i)
    check(lambda u, i: (fnp.zeros((2400, 67), u.dtype), fnp.zeros((2400, 67), u.dtype).at[i].add(u)), u, i)
    check(lambda u, i: (-fnp.zeros((2400, 67), "float32")).at[i].mul(u.real), u, i)
    check(
        lambda u, i: lax.fori_loop(
            0, 3, lambda k, x: x + fnp.zeros((2400, 67), u.dtype).at[i].add(u), fnp.concatenate([u, u, u, u])[:2400]
        ),
        u,
        i,
    )


def test_nan_in_extremes() -> None:
    x = np.array([1, np.nan, 3, 4], np.float32)
    i, u = np.array([0, 0, 1, 2, 3, 3]), np.array([np.nan, 5, 2, np.nan, 7, -7], np.float32)
    check(lambda x, u: fnp.asarray(x).at[i].max(u), x, u)
    check(lambda x, u: fnp.asarray(x).at[i].min(u), x, u)


@pytest.mark.parametrize("dtype", INDEX_DTYPES)
def test_slices(dtype: str) -> None:
    x, u = values((9, 70, 3), "float32"), values((4, 70, 2), "float32")
    info = np.iinfo(dtype)
    for start in (0, 2, 7, info.min, info.max):
        starts = [np.asarray(start, dtype), np.asarray(0, dtype), np.asarray(1, dtype)]
        check(lambda x, u, *s: dynamic_update_slice(x, u, *s), x, u, *starts)
        check(lambda x, *s: dynamic_slice(x, *s, sizes=(3, 40, 2)), x, *starts)


def test_memory_is_reused_only_where_it_may_be() -> None:
    x, u, i = values((50, 20), "float32"), values((8, 20), "float32"), np.array([1, 4, 1, 9, 30, 49, 0, 4])

    def f(x: Any, u: Any) -> Any:
        y = fnp.cumsum(x * 2, axis=0) + 0.5
        a = y.at[i].add(u)
        b = y.at[i].set(u)
        c = b.reshape(1000)
        d = b.at[i].multiply(u)
        return a, d, c.at[i].add(1.0), a.at[i].add(a[:8])

    check(f, x, u, native=False)
    check(lambda x, u: fnp.asarray(x).at[i].add(u), x, u)
    check(lambda x: fnp.zeros((50, 20), "float32").at[i].add(x[:8]).at[i].multiply(x[:8]), x)


def test_fused_into_groups() -> None:
    x, y, i = values((30, 16), "float32"), values((12, 16), "float32"), rng.integers(0, 30, 12)
    check(lambda x, y, i: fnp.abs(y) * 0 + x[i] * y + 1, x, y, i)
    f = fl.value_and_grad(lambda x, y, i: fnp.sum((x[i] - y) ** 2))
    got, expected = fl.jit(f)(x, y, i), fl.jit(f, exact=True)(x, y, i)
    np.testing.assert_allclose(got[0], expected[0], rtol=1e-6)
    assert_same(got[1], expected[1])


def test_in_loops() -> None:
    x = values((6, 40), "float32")

    def body(k: Any, x: Any) -> Any:
        row = x[k % 6] + 1
        return x.at[(k * 5) % 6].add(row).at[k % 6, 3].set(0.5)

    check(lambda x: lax.fori_loop(0, 11, body, x), x)


def test_vmapped() -> None:
    x, i = values((5, 31, 4), "float64"), indices((5, 12), "int32", 31)
    check(fl.vmap(lambda x, i: x[i]), x, i)
    check(fl.vmap(lambda x, i: x.at[i].add(1.5)), x, i)
    check(fl.vmap(lambda x, i: dynamic_slice(x, i[0], i[1], sizes=(3, 2))), x, i)
    check(lambda x, i: fnp.take_along_axis(x, i[:, :, None], axis=1, mode="clip"), x, i)


def test_carries_changed_in_place() -> None:
    x, y = values((300,), "float32"), values((300,), "float32")
    check(lambda x: lax.fori_loop(0, 50, lambda k, x: x.at[3 * k].set(x[k] + 1), x), x)

    def swapping(k: Any, carry: Any) -> Any:
        x, y = carry
        return y.at[k].add(x[k]), x.at[k + 1].set(y[0])

    check(lambda x, y: lax.fori_loop(0, 51, swapping, (x, y)), x, y)

    def both(k: Any, carry: Any) -> Any:
        x, _ = carry
        return x.at[k].add(1), x.at[k].set(2)

    check(lambda x, y: lax.fori_loop(0, 7, both, (x, y)), x, y)

    def old_and_new(k: Any, carry: Any) -> Any:
        x, y = carry
        z = x.at[k].multiply(3)
        return z, y + x + z

    check(lambda x, y: lax.fori_loop(0, 6, old_and_new, (x, y)), x, y)

    def elsewhere(k: Any, carry: Any) -> Any:
        x, _ = carry
        return x * 2, x.at[k].set(0.25)

    check(lambda x, y: lax.fori_loop(0, 6, elsewhere, (x, y)), x, y)
    check(lambda x, y: lax.fori_loop(0, 6, lambda k, c: (c[1].at[k].set(0.5), c[1]), (x, y)), x, y)
    small = values((8,), "float32")
    check(lambda x: lax.fori_loop(0, 8, lambda k, x: x.at[k].set(x[7 - k] + 1), x), small)
    rows = np.arange(5)
    check(lambda x, i: lax.scan(lambda x, k: (x.at[k].add(1), (x, x.at[k].get())), x, i), x, rows)
    check(lambda x: lax.while_loop(lambda x: x[0] < 5, lambda x: x.at[0].add(1), x), x * 0)


@pytest.mark.parametrize("n", [1, 3, 8, 21])
def test_one_element_beside_others(n: int) -> None:
    """An element that all lanes read, or none: at a fixed place, and at one that is not there where no lane asks for it."""
    x = fnp.asarray(rng.normal(size=n).astype(np.float32))
    rows = fnp.asarray(rng.normal(size=(4, 1)).astype(np.float32))

    def stacked(x: Any) -> Any:
        return fnp.stack([x[0] * 2, x[n // 2], x[-1] + 1, x[0] * x[-1]])

    def below(x: Any, rows: Any) -> Any:  # row 4 of `rows` is asked for by no lane
        wide = fnp.broadcast_to(rows, (4, n + 1))
        return fnp.concatenate([wide * 2, fnp.ones((2, n + 1), "float32")]) + fnp.concatenate([x, x[:1]])

    check(stacked, x)
    check(below, x, rows)
    check(fl.jacrev(stacked), x)


def test_coordinates_are_not_put_together_in_memory():
    x, i = fnp.ones((30, 40)), fnp.zeros(7, "int32")
    for f in (lambda x, i: x[i, i + 1], lambda x, i: fnp.take_along_axis(x, i[:, None], 0)):
        text = fl.jit(f).lower(x, i).as_text("fused")
        assert text.count("concatenate") == 1
        assert "gather" in text.split("concatenate")[1].split(" in (")[0]  # in the same group


def test_an_index_read_under_a_condition_is_one_for_all_lanes() -> None:
    """It varies along the lanes by the condition alone."""
    x, i = fnp.asarray(np.arange(6.0).reshape(2, 3)), fnp.asarray([1, 2])

    def f(x: Any, i: Any) -> Any:
        left, right = (fnp.take(x, i[k : k + 1], axis=1) for k in range(2))
        return lax.pad(left, 0.0, [(0, 0, 0), (1, 0, 0)]) + lax.pad(right, 0.0, [(0, 0, 0), (0, 1, 0)])

    np.testing.assert_array_equal(np.asarray(fl.jit(f)(x, i)), np.asarray(f(x, i)))
