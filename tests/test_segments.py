"""`ops.segment_*`, and pytrees as vectors: `flatten_util.ravel_pytree`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite import ops
from functorch_lite.flatten_util import ravel_pytree
from functorch_lite.testing import check_grads, check_vmap

IDS = np.array([2, 0, 2, 1, -1, 9, 0])
X = np.random.default_rng(3).normal(size=(7, 2))
COMBINE = {"sum": np.add, "prod": np.multiply, "max": np.maximum, "min": np.minimum}


def combined(how: str, x: np.ndarray, n: int, start: Any) -> np.ndarray:
    out = np.full((n, *x.shape[1:]), start, x.dtype)
    for row, i in zip(x, IDS, strict=True):
        if 0 <= i < n:
            out[i] = COMBINE[how](out[i], row)
    return out


def start(how: str, dtype: Any) -> Any:
    if how in ("sum", "prod"):
        return how == "prod"
    largest = np.inf if np.issubdtype(dtype, np.floating) else np.iinfo(dtype).max
    least = -np.inf if np.issubdtype(dtype, np.floating) else np.iinfo(dtype).min
    return least if how == "max" else largest


@pytest.mark.parametrize("bucket_size", [None, 3])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "uint8"])
@pytest.mark.parametrize("how", COMBINE)
def test_segments(how: str, dtype: str, bucket_size: int | None) -> None:
    segment, x = getattr(ops, f"segment_{how}"), (10 * np.abs(X)).astype(dtype)
    for n in (4, None):
        found = segment(x, IDS, n, bucket_size=bucket_size)
        assert found.dtype == x.dtype
        expected = combined(how, x, n or 10, start(how, dtype))
        if how == "prod" and dtype == "uint8":
            expected = combined(how, x.astype("int64"), n or 10, 1).astype(dtype)
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    compiled = fl.jit(segment, static_argnums=2)(x, IDS, 4)
    np.testing.assert_allclose(compiled, segment(x, IDS, 4), rtol=1e-6)


def test_segments_of_booleans() -> None:
    x = X > 0
    for how, whole in (("max", np.any), ("min", np.all)):
        found = getattr(ops, f"segment_{how}")(x, IDS, 3)
        np.testing.assert_array_equal(found, [whole(x[i == IDS], axis=0) for i in range(3)])


@pytest.mark.parametrize("how", ["sum", "max", "min"])
def test_derivatives_and_batches_of_segments(how: str) -> None:
    segment = getattr(ops, f"segment_{how}")
    check_grads(lambda x: fnp.where(fnp.isinf(y := segment(x, IDS, 4)), 0.0, y), (X,), 2)
    check_vmap(lambda x: segment(x, IDS, 4), (np.stack([X, -X]),))


def test_errors_of_segments() -> None:
    with pytest.raises(fl.errors.ConcretizationTypeError, match="give num_segments"):
        fl.jit(ops.segment_sum)(X, IDS)
    with pytest.raises(ValueError, match="cannot be negative"):
        ops.segment_sum(X, IDS, -1)
    with pytest.raises(ValueError, match="an id for each row"):
        ops.segment_sum(X, IDS[:3])


def test_a_tree_as_a_vector_and_back() -> None:
    tree = {"a": fnp.arange(4.0).reshape(2, 2), "b": [fnp.zeros((0, 3)), 5.0]}
    flat, unravel = ravel_pytree(tree)
    np.testing.assert_array_equal(flat, [0, 1, 2, 3, 5])
    back = unravel(fl.numpy.asarray(flat, "float64"))
    assert back["a"].dtype == "float64"
    assert back["b"][0].shape == (0, 3)
    assert unravel == ravel_pytree(tree)[1]
    assert hash(unravel) == hash(ravel_pytree(tree)[1])
    grads = fl.jit(fl.grad(lambda v: (unravel(v)["a"] ** 2).sum()))(flat)
    np.testing.assert_array_equal(grads, [0, 2, 4, 6, 0])
    assert fl.vmap(lambda v: ravel_pytree(unravel(v))[0])(fnp.stack([flat, flat])).shape == (2, 5)
    static = fl.jit(lambda v, unravel: unravel(v)["a"], static_argnums=1)
    np.testing.assert_array_equal(static(flat, unravel), tree["a"])


def test_a_tree_of_several_dtypes_as_a_vector() -> None:
    tree = (np.arange(3), np.float32(0.5), np.array([1j], "complex64"), np.array([True]))
    flat, unravel = ravel_pytree(tree)
    assert flat.dtype == "complex64"
    for found, x in zip(unravel(flat), tree, strict=True):
        assert found.dtype == x.dtype
        assert (found == x).all()
    with pytest.raises(TypeError, match="complex64 for leaves of several dtypes, got float32"):
        unravel(fnp.ones(6))
    with pytest.raises(ValueError, match="6 elements"):
        unravel(fnp.ones(7))
    assert ravel_pytree([])[0].shape == (0,)
    assert ravel_pytree({"a": []})[1](fnp.zeros(0)) == {"a": []}
