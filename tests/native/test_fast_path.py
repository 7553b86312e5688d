"""The fast path of `jit`: later calls are checked and run by machine code, and differ in nothing from the first one."""

from __future__ import annotations

import dataclasses
import gc
import sys
from typing import Any, NamedTuple

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite.extend import Array
from functorch_lite.transforms import jit as jit_module

pytest.importorskip("llvmlite", reason="the compiler needs llvmlite")
from functorch_lite_numpy.compiler.native import make_ways_in


@pytest.fixture(autouse=True, scope="module")
def made() -> None:
    """A thread would make it, and calls meanwhile do without."""
    make_ways_in()


def warm(f: Any, *args: Any, **kwargs: Any) -> Any:
    """The jitted function, called often enough to have a fast path."""
    jitted = fl.jit(f)
    for _ in range(2):
        jitted(*args, **kwargs)
    native = all(np.size(x) for x in fl.tree.leaves((args, kwargs)))
    assert (jitted.cache[jit_module._LAST] is not None) == native
    return jitted


def same(got: Any, want: Any) -> None:
    assert fl.tree.structure(got) == fl.tree.structure(want)
    for a, b in zip(fl.tree.leaves(got), fl.tree.leaves(want), strict=True):
        assert type(a) is type(b) is Array
        assert a.type == b.type
        assert a.backend is b.backend
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


@fl.tree_util.register_dataclass
@dataclasses.dataclass
class Pair:
    a: Any
    b: Any


class Named(NamedTuple):
    a: Any
    b: Any


ARGUMENTS = {
    "array": ((fnp.arange(5.0),), {}),
    "scalars": ((fnp.asarray(2.0), fnp.float32(3), fnp.asarray(2.5, "float64")), {}),
    "weak": ((fnp.asarray(3),), {}),
    "tree": (({"b": fnp.ones(3), "a": (fnp.zeros((2, 3)), None, [fnp.asarray(1)])}, fnp.arange(3)), {}),
    "keywords": ((fnp.ones(2),), {"y": fnp.ones((2, 2)), "x": {"z": fnp.ones(1)}}),
    "not contiguous": ((fnp.arange(12.0).reshape(3, 4).T,), {}),
    "key": ((fl.random.key(3),), {}),
    "registered": ((Pair(fnp.ones(2), (fnp.zeros(3), None)), Named(fnp.ones(1), {"x": fnp.ones(4)})), {}),
    "numpy": ((np.ones((3, 4), np.float32), fnp.ones(2)), {}),
    "python": ((2.5, fnp.ones(2)), {}),
    "large": ((fnp.ones((50, 60)), fnp.ones(2)), {}),
    "empty": ((fnp.zeros((0, 3)), ()), {}),
    "other dtypes": ((fnp.ones(3, bool), fnp.ones(3, "uint8"), fnp.ones(3, "float64")), {}),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_same_as_first_call(name: str) -> None:
    args, kwargs = ARGUMENTS[name]
    hoisted = fnp.arange(1)

    def f(*args: Any, **kwargs: Any) -> Any:
        total = sum(fnp.sum(x) for x in fl.tree.leaves((args, kwargs)))
        return {"out": fl.tree.map(lambda x: x + x, args), "total": total + hoisted, "given": args}

    first = fl.jit(lambda *args, **kwargs: f(*args, **kwargs))(*args, **kwargs)
    jitted = warm(f, *args, **kwargs)
    same(jitted(*args, **kwargs), first)
    same(jitted(*args, **kwargs), first)


OTHERS = [
    fnp.ones(4), fnp.ones((3, 1)), fnp.ones(3, "float64"), fnp.ones(3, "int32"), np.ones(3, np.float32), 1.0, fnp.float32(2),
    fnp.asarray(1.5), [fnp.ones(3)], (fnp.ones(3), fnp.ones(2)), {"a": fnp.ones(3)}, None, fnp.ones((3, 3))[:, 0],
]  # fmt: skip


@pytest.mark.parametrize("k", range(len(OTHERS)))
def test_other_arguments_go_the_long_way(k: int) -> None:
    def f(tree: Any) -> Any:
        return fl.tree.map(lambda x: fnp.asarray(x) * 2, tree)

    x = fnp.ones(3)
    jitted = warm(f, x)
    other = OTHERS[k]
    same(jitted(other), f(other))
    same(jitted(x), f(x))


def test_weak_and_strong_scalars_are_told_apart() -> None:
    def f(x: Any) -> Any:
        return x + fnp.ones((), "int16")

    weak, strong = fnp.asarray(1), fnp.asarray(1, "int32")
    assert (weak.weak_type, strong.weak_type) == (True, False)
    jitted = warm(f, weak)
    assert (jitted(weak).dtype, jitted(strong).dtype) == (np.int16, np.int32)
    assert (jitted(weak).dtype, jitted(strong).dtype) == (np.int16, np.int32)


def test_structures_of_other_shape() -> None:
    def f(tree: Any) -> Any:
        return sum(fl.tree.leaves(tree))

    one = fnp.ones(2)
    jitted = warm(f, {"a": one, "b": one})
    for tree in ({"a": one}, {"a": one, "c": one}, {"a": one, "b": {"b": one}}, [one, one], {"a": one, "b": None}, one):
        same(jitted(tree), f(tree))
    with pytest.raises(TypeError):
        jitted()


def test_registered_nodes_of_other_auxiliary_data() -> None:
    @fl.tree_util.register_pytree_node_class
    class Scaled:
        def __init__(self, x: Any, by: float):
            self.x, self.by = x, by

        def tree_flatten(self) -> Any:
            return (self.x,), self.by

        @classmethod
        def tree_unflatten(cls, by: float, children: Any) -> Any:
            return cls(*children, by)

    jitted = warm(lambda s: s.x * s.by, Scaled(fnp.ones(2), 2.0))
    same(jitted(Scaled(fnp.ones(2), 3.0)), fnp.full(2, 3.0, "float32"))
    same(jitted(Scaled(fnp.ones(2), 2.0)), fnp.full(2, 2.0, "float32"))


def test_what_comes_from_numpy_is_copied() -> None:
    host = np.ones(3000, np.float32)
    jitted = warm(lambda x: (x, x + 1), host)
    for _ in range(3):
        out, _ = jitted(host)
        host[:] += 1
        assert out[0] == host[0] - 1
    same(jitted(host.astype("int32"))[0], fnp.asarray(host.astype("int32")))
    with fl.use_backend("numpy"):
        same(jitted(host)[0], fnp.asarray(host))


def test_a_large_argument_that_is_returned_is_not_copied() -> None:
    x, y = fnp.ones((300, 40)), fnp.arange(4.0)
    jitted = warm(lambda x, y: (x, y + x[0, 0], x, y), x, y)
    a, b, c, d = jitted(x, y)
    assert a.buffer is c.buffer is x.buffer
    same((b, d), (y + 1, y))
    before = sys.getrefcount(x.buffer)
    for _ in range(10):
        jitted(x, y)
    after = sys.getrefcount(x.buffer)
    assert after == before


def test_inside_transformations() -> None:
    jitted = warm(lambda x: x * x, fnp.float32(3))
    assert float(fl.grad(jitted)(fnp.float32(3))) == 6
    np.testing.assert_array_equal(np.asarray(fl.vmap(jitted)(fnp.arange(3.0))), [0, 1, 4])


def test_deleted_arrays_are_refused() -> None:
    x = fnp.ones(3)
    jitted = warm(lambda x: x + 1, x)
    x.delete()
    with pytest.raises(fl.errors.DeletedArrayError):
        jitted(x)


def test_nothing_leaks() -> None:
    backend, tree = fnp.ones(1).backend, {"a": fnp.ones((100, 100)), "b": fnp.asarray(1.0)}
    jitted = warm(lambda t: {"x": t["a"] * 2, "y": t["b"] + 1}, tree)
    other = {"a": fnp.ones(3), "b": fnp.asarray(1.0)}
    jitted(other)
    jitted(tree)

    def counts() -> list[int]:
        gc.collect()
        return [
            sys.getrefcount(x) for x in (backend, tree["a"], tree["a"].buffer, tree["b"].buffer, NotImplemented, False)
        ]

    before = counts()
    for _ in range(1000):
        jitted(tree)
    assert max(np.subtract(counts(), before)) < 50
    out = jitted(tree)
    assert sys.getrefcount(out["x"].buffer) == sys.getrefcount(fnp.ones(3).buffer)
