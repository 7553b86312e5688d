"""`ufunc`: `reduce`, `accumulate`, `at`, `reduceat`, `outer` of the functions that NumPy gives them, and `frompyfunc`."""

from __future__ import annotations

import inspect
import operator
import pickle
import types
from typing import Any

import numpy as np
import pytest

import functorch_lite as fl
from functorch_lite.testing import check_grads

fnp: Any = fl.numpy

RNG = np.random.default_rng(0)
INTEGERS = RNG.integers(1, 6, (3, 4)).astype(np.int32)
FLOATS = RNG.standard_normal((3, 4)).astype(np.float32)
BOOLEANS = FLOATS > 0

BINARY = sorted(
    name
    for name in dir(fnp)
    if isinstance(getattr(fnp, name), fnp.ufunc) and isinstance(getattr(np, name, None), np.ufunc)
    if (getattr(fnp, name).nin, getattr(fnp, name).nout) == (2, 1) and name != "ldexp"  # whose operands are not alike
)


def close(got, want):
    assert got.shape == np.shape(want)
    np.testing.assert_allclose(np.asarray(got, np.float64), np.asarray(want, np.float64), rtol=1e-4, atol=1e-6)


def numpys_operand(name, x):
    """`x`, as NumPy is right with it: its loops for AVX-512 (2.4) reduce floats by these functions wrongly, along the last axis."""
    is_wrong = name in ("arctan2", "atan2") or (name in ("pow", "power") and x.dtype.kind == "f")
    return x.astype(np.longdouble) if is_wrong else x


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("x", [INTEGERS, FLOATS, BOOLEANS], ids=["int32", "float32", "bool"])
@pytest.mark.parametrize("name", BINARY)
def test_methods_are_those_of_numpy(name, x):
    ours, numpys = getattr(fnp, name), getattr(np, name)
    if x.dtype == bool and "??->?" not in numpys.types:
        pytest.skip("NumPy computes booleans in 8 or 16 bits, or not at all")
    calls = [
        ("reduce", (), {"axis": 1}),
        ("reduce", (), {"axis": 0, "keepdims": True}),
        ("reduce", (), {"axis": -1, "initial": 2}),
        ("reduce", (), {"axis": 0, "initial": 1, "where": BOOLEANS}),
        ("accumulate", (), {}),
        ("accumulate", (), {"axis": 1}),
        ("reduceat", ([0, 2, 1],), {"axis": 1}),
        ("outer", (x[0],), {}),
    ]
    for method, args, options in calls:
        try:
            want = getattr(numpys, method)(numpys_operand(name, x), *args, **options)
        except TypeError:  # NumPy has no loop of these dtypes
            continue
        close(getattr(ours, method)(fnp.asarray(x), *args, **options), want)


def test_every_function_that_is_a_ufunc_in_numpy_is_one():
    for name, numpys in vars(np).items():
        if isinstance(numpys, np.ufunc) and numpys.signature is None and hasattr(fnp, name):
            ours = getattr(fnp, name)
            assert isinstance(ours, fnp.ufunc), name
            assert (ours.nin, ours.nout) == (numpys.nin, numpys.nout), name
    assert not isinstance(fnp.sum, fnp.ufunc)
    assert not isinstance(np.add, fnp.ufunc)


def test_functions_stay_functions():
    assert isinstance(fnp.sin, types.FunctionType)
    add: Any = fnp.add
    assert list(inspect.signature(add).parameters) == ["x", "y"]
    assert pickle.loads(pickle.dumps(add)) is add
    assert add.identity == 0
    assert fnp.maximum.identity is None
    assert fnp.maximum.nargs == 2


@pytest.mark.parametrize("name", ["add", "multiply", "subtract", "maximum", "power", "hypot", "logaddexp"])
def test_at_combines_an_element_named_twice_twice(name):
    x, values = np.arange(1.0, 7.0, dtype=np.float32).reshape(2, 3), np.array([1.5, 2.0, 0.5], np.float32)
    for index, v in [
        (([0, 1, 0], [1, 2, 1]), values),
        ((slice(None), [2, 2, 0]), values),
        ((1,), values),
        ((slice(None), slice(1, None)), np.float32(2)),
    ]:
        want = x.copy()
        getattr(np, name).at(want, index, v)
        close(getattr(fnp, name).at(fnp.asarray(x), index, v, inplace=False), want)


def test_at_of_one_operand():
    want = np.arange(4)
    np.negative.at(want, [1, 1, 2])
    close(fnp.negative.at(fnp.arange(4), [1, 1, 2], inplace=False), want)


def test_reduce_takes_all_axes():
    close(fnp.add.reduce(fnp.asarray(FLOATS), axis=None), FLOATS.sum())
    close(fnp.logaddexp.reduce(fnp.asarray(FLOATS), axis=(0, 1)), np.logaddexp.reduce(FLOATS.ravel()))
    close(
        fnp.logaddexp.reduce(fnp.asarray(FLOATS), axis=None, keepdims=True),
        np.logaddexp.reduce(FLOATS, axis=None, keepdims=True),
    )
    assert fnp.add.reduce(fnp.ones(3, fnp.int8)).dtype == fnp.int32
    assert fnp.add.reduce(fnp.ones(3), dtype=fnp.float16).dtype == fnp.float16
    assert fnp.logaddexp.reduce(fnp.zeros((0,))) == -np.inf


def test_methods_are_transformed():
    x = fnp.asarray(FLOATS, fnp.float64)
    for f in (
        fnp.add.reduce,
        fnp.logaddexp.reduce,
        fnp.multiply.accumulate,
        fnp.hypot.accumulate,
        lambda x: fnp.subtract.outer(x[0], x[1]),
        lambda x: fnp.multiply.reduceat(x, [0, 2], axis=1),
        lambda x: fnp.hypot.at(x, ([0, 0], [1, 1]), x[1, :2], inplace=False),
    ):
        check_grads(f, (x,), order=1)
        close(fl.jit(f)(x), f(x))
        close(fl.vmap(f)(x[None])[0], f(x))


def test_frompyfunc():
    add = fnp.frompyfunc(operator.add, 2, 1, identity=0)
    x = fnp.arange(4)
    assert isinstance(add, fnp.ufunc)
    assert add(x, 10).tolist() == [10, 11, 12, 13]
    assert add(x[:, None], x).shape == (4, 4)
    assert int(add.reduce(x)) == 6
    assert add.accumulate(x).tolist() == [0, 1, 3, 6]
    assert add.outer(x, x).tolist() == fnp.add.outer(x, x).tolist()
    assert add.at(x, 1, 10, inplace=False).tolist() == [0, 11, 2, 3]
    assert add.reduceat(x, [0, 2]).tolist() == [1, 5]
    assert int(add.reduce(x[:0])) == 0
    assert add == fnp.frompyfunc(operator.add, 2, 1, identity=0)
    assert hash(add) == hash(fnp.frompyfunc(operator.add, 2, 1, identity=0))
    assert fl.jit(lambda f, x: f.reduce(x), static_argnums=0)(add, x) == 6
    halves = fnp.frompyfunc(lambda x: (x // 2, x % 2), 1, 2)
    assert [v.tolist() for v in halves(x)] == [[0, 0, 1, 1], [0, 1, 0, 1]]
    where = fnp.ufunc(lambda c, a, b: fnp.where(c, a, b), 3, 1, name="where")
    assert where(x > 1, x, -1).tolist() == [-1, -1, 2, 3]
    assert repr(where) == "<ufunc 'where'>"
    again = pickle.loads(pickle.dumps(add))
    assert again == add
    assert again.reduce(x[:0]) == 0


def test_numpy_s_ufunc_methods_of_our_arrays_are_ours():
    x = fnp.arange(4.0)
    assert isinstance(np.add.reduce(x, axis=0, keepdims=True), fl.Array)
    assert fl.grad(lambda x: np.multiply.reduce(x))(x).tolist() == [6, 0, 0, 0]
    assert fl.jit(lambda x: np.add.outer(x, np.ones(2)))(x).shape == (4, 2)
    host = np.zeros(4)
    np.add.at(host, fnp.array([1, 1]), 2.0)
    assert host.tolist() == [0, 4, 0, 0]


def test_numpy_s_at_does_not_change_an_array():
    x = fnp.arange(4.0)
    with pytest.raises(fl.errors.ImmutableArrayError, match=r"np\.add\.at cannot change f32\[4\]"):
        np.add.at(x, [0], 1)
    assert x.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda x: fnp.add.at(x, 0, 1), "add.at cannot change its operand.*inplace=False"),
        (lambda x: fnp.sin.reduce(x), "sin.reduce needs a function of two operands with one result"),
        (lambda x: fnp.divmod.outer(x, x), "divmod.outer needs a function of two operands with one result"),
        (lambda x: fnp.arctan2.reduce(x, where=x > 1), "needs `initial`: arctan2 has no identity"),
        (lambda x: fnp.hypot.reduce(x, where=x), "the mask `where` must be boolean, got f32"),
        (lambda x: fnp.subtract.reduce(x[:0]), "there is nothing along axis=0, and no identity"),
        (lambda x: fnp.hypot.accumulate(x, axis=None), "goes along one axis, got axis=None"),
        (lambda x: fnp.hypot.reduceat(x, 0), "needs a vector of integers as indices"),
        (lambda x: fnp.hypot.at(x, 0, inplace=False), "hypot has 2 operands, got 1"),
        (lambda x: fnp.frompyfunc(operator.add, 2, 1)(x), "add takes 2 arrays, got 1"),
        (lambda x: fnp.frompyfunc(operator.add, 2, 1)(x, x, out=x), "`out` must be None"),
        (lambda x: fnp.add.reduce(x, out=x), "`out` must be None"),
    ],
)
def test_mistakes(call, message):
    with pytest.raises((ValueError, TypeError, NotImplementedError), match=message):
        call(fnp.arange(3.0))


def test_type_checkers_are_told_of_the_methods():
    """Functions that are written out are marked; those made by `named` are by that."""
    functions = [getattr(fnp, name) for name in fnp.__all__ if isinstance(getattr(fnp, name), fnp.ufunc)]
    assert len(functions) > 90
    for f in functions:
        source = inspect.getsource(f)
        assert f"def {f.__name__}(" not in source or source.startswith("@with_methods"), f.__name__
