"""Indexing against NumPy: random indices for reading and writing, derivatives, batches, out of range, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import functorch_lite as fl
from functorch_lite import dtypes
from functorch_lite.errors import DTypeError, NonConcreteBooleanIndexError, OutOfBoundsError, ShapeError
from functorch_lite.indexing import getitem, take
from functorch_lite.primitives.structural import reduce_sum
from functorch_lite.promotion import as_operand

SHAPES = hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=4)


def array(shape: tuple[int, ...], dtype: Any = np.float64) -> np.ndarray:
    """Distinct numbers."""
    return np.arange(1, np.prod(shape, dtype=int) + 1).reshape(shape).astype(dtype)


def total(x: Any) -> Any:
    return reduce_sum(x, axes=tuple(range(x.ndim)))


@st.composite
def advanced(draw: Any, shape: tuple[int, ...]) -> Any:
    """An index that mixes all kinds of items."""
    joint = draw(hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3))
    left = list(shape)
    items: list[Any] = []
    gap = False
    while left and draw(st.integers(0, 9)):
        kind = draw(st.sampled_from(["int", "slice", "none", "array", "array", "mask", "gap", "flag"]))
        n = left[0]
        if kind == "none":
            items.append(None)
        elif kind == "gap" and not gap:
            gap = True
            items.append(...)
            del left[: draw(st.integers(0, len(left)))]
        elif kind == "slice":
            items.append(draw(st.slices(n)))
            left.pop(0)
        elif kind == "flag" and joint in ((), (1,)):
            items.append(draw(st.sampled_from([True, np.True_])))
        elif kind == "mask" and len(joint) == 1:
            k = draw(st.integers(1, len(left)))
            size = int(np.prod(left[:k]))
            if size >= joint[0]:
                mask = np.zeros(size, bool)
                mask[draw(st.permutations(range(size)))[: joint[0]]] = True
                items.append(mask.reshape(left[:k]))
                del left[:k]
        elif n and kind == "int":
            items.append(draw(st.integers(-n, n - 1)))
            left.pop(0)
        elif n and kind == "array":
            own = tuple(draw(st.sampled_from([m, 1])) if m else m for m in joint[draw(st.integers(0, len(joint))) :])
            dtype = draw(st.sampled_from([np.int64, np.int32, np.int8]))
            items.append(draw(hnp.arrays(dtype, own, elements=st.integers(-n, n - 1))))
            left.pop(0)
    return items[0] if len(items) == 1 and draw(st.booleans()) else tuple(items)


@st.composite
def cases(draw: Any) -> tuple[tuple[int, ...], Any]:
    shape = draw(SHAPES)
    return shape, draw(advanced(shape))


def as_ours(index: Any) -> Any:
    """The index with arrays of ours."""
    convert = lambda i: as_operand(i) if isinstance(i, np.ndarray) else i  # noqa: E731
    return tuple(map(convert, index)) if isinstance(index, tuple) else convert(index)


def expected_or_skip(x: np.ndarray, index: Any) -> np.ndarray | None:
    try:
        return x[index]
    except IndexError:
        return None


@settings(max_examples=300, deadline=None)
@given(cases(), st.booleans())
def test_reading_is_numpys(case: Any, ours: bool) -> None:
    shape, index = case
    x = array(shape)
    expected = expected_or_skip(x, index)
    if expected is None:
        with pytest.raises((IndexError, ShapeError)):
            as_operand(x)[as_ours(index) if ours else index]
        return
    got = as_operand(x)[as_ours(index) if ours else index]
    assert got.shape == expected.shape
    np.testing.assert_array_equal(np.asarray(got), expected)
    slow = getitem(as_operand(x), index)
    assert slow.shape == expected.shape
    np.testing.assert_array_equal(np.asarray(slow), expected)


@settings(max_examples=100, deadline=None)
@given(cases())
def test_the_derivative_of_reading_scatters(case: Any) -> None:
    shape, index = case
    x = array(shape)
    y = expected_or_skip(x, index)
    if y is None:
        return
    weights = array(y.shape) * 0.5
    expected = np.zeros(shape)
    np.add.at(expected, index, weights)
    found = fl.grad(lambda x: total(x[index] * weights))(as_operand(x))
    np.testing.assert_allclose(np.asarray(found), expected)


@settings(max_examples=60, deadline=None)
@given(cases())
def test_reading_under_jit_and_vmap(case: Any) -> None:
    shape, index = case
    x = array(shape)
    y = expected_or_skip(x, index)
    if y is None:
        return
    items = index if isinstance(index, tuple) else (index,)
    places = [k for k, i in enumerate(items) if isinstance(i, np.ndarray) and i.dtype != bool]

    def read(x: Any, *arrays: Any) -> Any:
        full = list(items)
        for k, a in zip(places, arrays, strict=True):
            full[k] = a
        return x[tuple(full)]

    arrays = [as_operand(items[k]) for k in places]
    np.testing.assert_array_equal(np.asarray(fl.jit(read)(as_operand(x), *arrays)), y)
    both = np.stack([x, x + 1])
    np.testing.assert_array_equal(
        np.asarray(fl.vmap(lambda x: read(x, *arrays))(as_operand(both))), np.stack([y, y + 1])
    )


UPDATES = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "mul": np.multiply,
    "min": np.minimum,
    "max": np.maximum,
}


@settings(max_examples=200, deadline=None)
@given(cases(), st.sampled_from(sorted(UPDATES)), st.booleans())
def test_updates_are_numpys(case: Any, name: str, scalar: bool) -> None:
    shape, index = case
    x = array(shape)
    y = expected_or_skip(x, index)
    if y is None:
        return
    values = np.float64(3.0) if scalar else array(y.shape) * 0.5 - 2
    expected = x.copy()
    UPDATES[name].at(expected, index, values)
    np.testing.assert_allclose(np.asarray(getattr(as_operand(x).at[index], name)(values)), expected)
    found = fl.jit(lambda x, v: getattr(x.at[index], name)(v))(as_operand(x), as_operand(values))
    np.testing.assert_allclose(np.asarray(found), expected)


@settings(max_examples=200, deadline=None)
@given(cases(), st.booleans())
def test_set_is_numpys(case: Any, scalar: bool) -> None:
    shape, index = case
    x = array(shape)
    y = expected_or_skip(x, index)
    if y is None:
        return
    values = np.float64(3.0) if scalar else -array(y.shape)
    expected = x.copy()
    expected[index] = values
    np.testing.assert_array_equal(np.asarray(as_operand(x).at[index].set(values)), expected)
    weights = array(shape) * 0.25
    at_x, at_v = fl.grad(lambda x, v: total(x.at[index].set(v) * weights), (0, 1))(as_operand(x), as_operand(values))
    untouched = np.ones(shape)
    untouched[index] = 0
    np.testing.assert_allclose(np.asarray(at_x), untouched * weights)
    step = array(y.shape) * 0.5 if not scalar else np.float64(0.5)
    moved = x.copy()
    moved[index] = values + step
    np.testing.assert_allclose(np.sum(np.asarray(at_v) * step), np.sum((moved - expected) * weights), atol=1e-9)


INDICES = [1, -1, slice(1, 3), slice(None, None, -2), (0, slice(None)), [0, 2, 0], np.array([True, False, True, True])]


@pytest.mark.parametrize("index", INDICES)
def test_divide_apply_get(index: Any) -> None:
    x = array((4, 3))
    y = as_operand(x)
    once = x.copy()
    once[index] = once[index] * 3 + 1
    np.testing.assert_allclose(np.asarray(y.at[index].apply(lambda v: v * 3.0 + 1.0)), once)
    np.testing.assert_array_equal(np.asarray(y.at[index].get()), x[index])
    divided = x.copy()
    np.divide.at(divided, index, 2.0)
    np.testing.assert_allclose(np.asarray(y.at[index].divide(2.0)), divided)


@pytest.mark.parametrize("index", INDICES)
def test_power(index: Any) -> None:
    x = array((4, 3))
    powers = np.ones((4, 3))
    np.multiply.at(powers, index, 2.0)
    np.testing.assert_allclose(np.asarray(as_operand(x).at[index].power(2.0)), x**powers)


def test_integers_become_floats_when_divided() -> None:
    x = as_operand(np.arange(4, dtype=np.int32)).at[2].divide(4)
    assert np.asarray(x).tolist() == [0, 1, 0.5, 3]
    assert x.dtype == dtypes.default_float()


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "int64", "float16", "bfloat16", "float32", "complex64"])
def test_dtypes(dtype: str) -> None:
    host = np.arange(6).reshape(2, 3).astype(dtypes.as_dtype(dtype))
    x = as_operand(host)
    indices = (
        0,
        (0, 1),
        (slice(None), slice(None, None, -1)),
        np.array([1, 0]),
        (None, ..., 1),
        ([0, 1], [2, 2]),
        x == x,
    )
    for index in indices:
        expected = host[np.asarray(index) if isinstance(index, fl.Array) else index]
        got = x[index]
        assert (got.dtype, got.shape) == (x.dtype, expected.shape)
        np.testing.assert_array_equal(np.asarray(got), expected)
        put = x.at[index].set(x[index])
        assert (put.dtype, put.shape) == (x.dtype, x.shape)
        np.testing.assert_array_equal(np.asarray(put), host)


def test_transformations_compose() -> None:
    rng = np.random.default_rng(0)
    x, i = rng.normal(size=(5, 3)), rng.integers(-5, 5, (4, 2)).astype(np.int32)
    y = rng.normal(size=(5, 3))

    def g(x: Any, i: Any) -> Any:
        z = x.at[i[0]].max(x[i[1]] * 2.0)[::-1]
        z = z.at[i].add(x[1:3] * x[i])
        return total(z * z.at[:, 1].add(x[i[0], 0]) * x)

    ours, indices, direction = as_operand(x), as_operand(i), as_operand(y)
    each = [fl.grad(g)(ours, indices[k]) for k in range(4)]
    together = fl.vmap(fl.grad(g), (None, 0))(ours, indices)
    compiled = fl.jit(fl.vmap(fl.grad(g), (None, 0)))(ours, indices)
    for k in range(4):
        np.testing.assert_allclose(np.asarray(together[k]), np.asarray(each[k]), rtol=1e-12)
        np.testing.assert_allclose(np.asarray(compiled[k]), np.asarray(each[k]), rtol=1e-12)
        _, curved = fl.jvp(lambda x, k=k: fl.grad(g)(x, indices[k]), (ours,), (direction,))
        h = 1e-6
        there = [np.asarray(fl.grad(g)(as_operand(x + s * h * y), indices[k])) for s in (1, -1)]
        np.testing.assert_allclose(np.asarray(curved), (there[0] - there[1]) / (2 * h), rtol=1e-5, atol=1e-5)
    rows = fl.vmap(lambda x, i: x.at[i].set(x[i + 1] * 2.0), (None, 0))(ours, as_operand(np.array([0, 2])))
    np.testing.assert_allclose(np.asarray(rows)[1, 2], 2 * x[3])


def test_the_weak_flag_is_the_arrays() -> None:
    for x in (as_operand(array((3,), np.float32)), as_operand(1.5)[None]):
        for y in (x.at[...].set(1.0), x.at[0].set(1.0), x.at[[0]].add(1), x.at[x > 0].set(2.0), x[0], x[[0]]):
            assert (y.dtype, y.weak_type) == (x.dtype, x.weak_type)


def test_rows_are_iterated() -> None:
    x = as_operand(array((3, 2)))
    assert [np.asarray(row).tolist() for row in x] == [[1, 2], [3, 4], [5, 6]]
    a, _, c = fl.grad(lambda x: total(sum(k * row for k, row in enumerate(x))))(x)
    assert np.asarray(c).tolist() == [2, 2]
    assert np.asarray(a).tolist() == [0, 0]
    with pytest.raises(TypeError, match="rank 0"):
        iter(x[0, 0])


def test_out_of_range_of_known_indices_raises() -> None:
    x = as_operand(array((3, 4), np.float32))
    for index in (3, -4, (0, 4), [0, 3], (slice(None), np.array([-5])), as_operand(np.array([7])), (0, [[4]])):
        with pytest.raises(OutOfBoundsError, match=r"out of bounds for axis [01] of f32\[3,4\]") as caught:
            x[index]
        assert "test_indexing.py" in str(caught.value)
        with pytest.raises(IndexError, match="out of bounds"):
            x.at[index].set(0.0)
        with pytest.raises(IndexError, match="out of bounds"):
            fl.jit(lambda x, index=index: x[index])(x)


def test_out_of_range_of_traced_indices() -> None:
    x = as_operand(array((3,), np.float32))
    i = as_operand(np.array([0, 3, -3, -4], np.int32))
    assert np.asarray(fl.jit(lambda x, i: x[i])(x, i)).tolist() == [1, 3, 1, 1]
    filled = np.asarray(fl.jit(lambda x, i: x.at[i].get(mode="fill"))(x, i))
    np.testing.assert_array_equal(filled, [1, np.nan, 1, np.nan])
    assert np.asarray(fl.jit(lambda x, i: x.at[i].get(mode="fill", fill_value=-1))(x, i)).tolist() == [1, -1, 1, -1]
    assert np.asarray(fl.jit(lambda x, i: x.at[i].add(10.0))(x, i)).tolist() == [21, 2, 3]
    assert np.asarray(fl.jit(lambda x, i: x.at[i].add(10.0, mode="clip"))(x, i)).tolist() == [31, 2, 13]
    unwrapped = fl.jit(lambda x, i: x.at[i].add(10.0, wrap_negative_indices=False))(x, i)
    assert np.asarray(unwrapped).tolist() == [11, 2, 3]
    np.testing.assert_array_equal(np.asarray(fl.jit(take)(x, i)), [1, np.nan, 1, np.nan])


def test_modes_hold_for_known_indices() -> None:
    x = as_operand(array((3,), np.float32))
    assert np.asarray(x.at[5].get(mode="clip")) == 3
    assert np.isnan(np.asarray(x.at[5].get(mode="fill")))
    assert np.asarray(x.at[5].set(9.0, mode="drop")).tolist() == [1, 2, 3]
    assert np.asarray(x.at[[5, 1]].add(9.0, mode="drop")).tolist() == [1, 11, 3]
    assert np.asarray(x.at[-5].set(9.0, mode="clip")).tolist() == [9, 2, 3]
    assert np.asarray(take(x, [4, -1], mode="wrap")).tolist() == [2, 3]
    with pytest.raises(ValueError, match="no index mode is named 'nearest'"):
        x.at[0].get(mode="nearest")


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_take(axis: int | None) -> None:
    x = array((3, 4))
    for i in (np.array([[0, 2], [1, -1]]), 1, [0, 0], np.zeros((0,), int)):
        np.testing.assert_array_equal(np.asarray(take(x, i, axis)), np.take(x, i, axis))
    with pytest.raises(IndexError, match="out of bounds"):
        take(x, [99], axis)


def test_masks_under_jit() -> None:
    x = array((3, 2), np.float32)
    mask = np.array([True, False, True])
    expected = x.copy()
    expected[mask] = [7, 8]
    new = as_operand(np.array([7, 8], np.float32))
    np.testing.assert_array_equal(np.asarray(fl.jit(lambda x, m, v: x.at[m].set(v))(x, mask, new)), expected)
    np.testing.assert_array_equal(np.asarray(fl.jit(lambda x: x.at[x > 3].multiply(2.0))(x)), np.where(x > 3, x * 2, x))
    with pytest.raises(NonConcreteBooleanIndexError, match=r"bool\[3\].* whose values are not known"):
        fl.jit(lambda x, m: x[m])(x, mask)
    with pytest.raises(NonConcreteBooleanIndexError, match="cannot be told apart"):
        fl.jit(lambda x, m: x.at[m].set(np.ones((2, 2), np.float32)))(x, mask)
    slope = fl.grad(lambda x: total(x[x > 3] * x[x > 3]))(as_operand(x))
    np.testing.assert_array_equal(np.asarray(slope), np.where(x > 3, 2 * x, 0))


@pytest.mark.parametrize(
    "use, error, message",
    [
        (lambda x: x["a"], TypeError, "an index is made of integers"),
        (lambda x: x[1.0], TypeError, "got 1.0"),
        (lambda x: x[np.array([1.0])], TypeError, "an array of dtype float64"),
        (lambda x: x[0, 0, 0], IndexError, r"too many indices for f32\[3,4\]"),
        (lambda x: x[..., 0, ...], IndexError, "one ellipsis"),
        (lambda x: x[np.ones((3, 3), bool)], IndexError, r"a mask of shape \(3, 3\)"),
        (lambda x: x[np.zeros(2, int), np.zeros(3, int)], IndexError, "do not broadcast"),
        (lambda x: x.at[0].set(np.zeros(3, np.float32)), ShapeError, r"values of shape \[3\] do not broadcast"),
        (lambda x: x.at[0].set(1j), DTypeError, "without loss"),
        (lambda x: x.at[[0]].power(2, mode="up"), ValueError, "no index mode"),
        (lambda x: take(x, [0.5]), TypeError, "indices of integer dtype"),
        (lambda x: take(x, [0], axis=2), ValueError, "no such axis"),
        (lambda x: as_operand(np.arange(3)).at[0].set(1.5), DTypeError, "without loss"),
        (lambda x: (x[0] > 0).at[0].add(True), DTypeError, "booleans have no arithmetic"),
        (lambda x: fl.jit(lambda i: x[i:])(1), TypeError, "an index or a length needs a value"),
    ],
)
def test_messages(use: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        use(as_operand(array((3, 4), np.float32)))


def test_a_promise_that_is_broken_reads_no_foreign_memory() -> None:
    x = as_operand(array((3,), np.float32))
    for i in ([2**40], [-(2**40)], [2**63 - 1]):
        for name in ("get", "set"):
            try:
                use = getattr(x.at[np.array(i)], name)
                out = np.asarray(use(*([0.0] if name == "set" else []), mode="promise_in_bounds"))
            except IndexError:
                continue
            assert set(out.ravel().tolist()) <= {0.0, 1.0, 2.0, 3.0}


@pytest.mark.parametrize("how", ["set", "add", "multiply", "min", "max"])
def test_updates_of_batches_without_elements(how: str) -> None:
    def update(x: Any, i: Any, v: Any) -> Any:
        return getattr(x.at[i], how)(v, unique_indices=True)

    given = np.zeros((0, 3), "float32"), np.zeros((0, 2), "int32"), np.ones((0, 2), "float32")
    gradient = fl.grad(lambda *xs: update(*xs).sum(), (0, 2))
    for transform in (fl.vmap, lambda f: fl.jit(fl.vmap(f))):
        assert transform(update)(*given).shape == (0, 3)
        assert [g.shape for g in transform(gradient)(*given)] == [(0, 3), (0, 2)]
