"""Signatures and pytrees: what the transformations take, and what they give, as JAX has it."""

from __future__ import annotations

import copy
import functools
import inspect
from typing import NamedTuple

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite import dtypes
from functorch_lite.errors import DTypeError, ShapeError
from functorch_lite.extend import Array


class Point(NamedTuple):
    x: object
    y: object


def f(x, y):
    return x**2 * y


def close(found, expected):
    """Same structure, equal leaves."""
    a, b = fl.tree.flatten(found), fl.tree.flatten(expected)
    assert a[1] == b[1], f"{a[1]} is not {b[1]}"
    for x, y in zip(a[0], b[0], strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-5)


# grad


def test_argnums():
    close(fl.grad(f)(3.0, 2.0), 12.0)
    close(fl.grad(f, 1)(3.0, 2.0), 9.0)
    close(fl.grad(f, -1)(3.0, 2.0), 9.0)
    close(fl.grad(f, (0, 1))(3.0, 2.0), (12.0, 9.0))
    close(fl.grad(f, (1, 0))(3.0, 2.0), (9.0, 12.0))
    close(fl.grad(f, [0])(3.0, 2.0), (12.0,))
    close(fl.grad(f, (-2, -1))(3.0, 2.0), (12.0, 9.0))
    close(fl.grad(f, np.int64(1))(3.0, 2.0), 9.0)
    for wrong in (2, -3, (0, 5)):
        with pytest.raises(ValueError, match="the call has 2 positional arguments"):
            fl.grad(f, wrong)(3.0, 2.0)
    for wrong in ("x", 1.0, None):
        with pytest.raises(TypeError, match="argnums must be an integer"):
            fl.grad(f, wrong)(3.0, 2.0)


def test_gradients_have_the_structure_of_arguments():
    def loss(tree, scale):
        return scale * (tree["a"].x ** 2 + tree["a"].y * 3.0 + tree["b"][0] * 0.0)

    tree = {"a": Point(1.0, 2.0), "b": [3.0, None]}
    close(fl.grad(loss)(tree, 2.0), {"a": Point(4.0, 6.0), "b": [0.0, None]})
    value, (by_tree, by_scale) = fl.value_and_grad(loss, (0, 1))(tree, scale := 2.0)
    assert isinstance(by_tree["a"], Point)
    close((value, by_scale), (14.0, 14.0 / scale))


def test_keywords_are_not_differentiated_by():
    close(fl.grad(f)(3.0, y=2.0), 12.0)
    with pytest.raises(ValueError, match="positional arguments"):
        fl.grad(f, 1)(3.0, y=2.0)


def test_auxiliary_data():
    def g(x):
        return x**2, {"double": 2 * x, "text": None}

    close(fl.grad(g, has_aux=True)(3.0), (6.0, {"double": 6.0, "text": None}))
    close(fl.value_and_grad(g, has_aux=True)(3.0), ((9.0, {"double": 6.0, "text": None}), 6.0))
    close(fl.grad_and_value(g, has_aux=True)(3.0), (6.0, (9.0, {"double": 6.0, "text": None})))
    value, pullback, aux = fl.vjp(g, 3.0, has_aux=True)
    close((value, pullback(2.0), aux["double"]), (9.0, (12.0,), 6.0))
    close(fl.jvp(g, (3.0,), (2.0,), has_aux=True), (9.0, 12.0, {"double": 6.0, "text": None}))
    value, push, aux = fl.linearize(g, 3.0, has_aux=True)
    close((value, push(2.0), aux["double"]), (9.0, 12.0, 6.0))
    for jacobian in (fl.jacfwd, fl.jacrev, fl.hessian):
        assert len(jacobian(g, has_aux=True)(3.0)) == 2
    with pytest.raises(TypeError, match="needs a pair"):
        fl.grad(lambda x: x, has_aux=True)(3.0)


def test_results_are_arrays_of_the_argument_s_dtype():
    for dtype in ("float16", "bfloat16", "float32", "float64"):
        g = fl.grad(lambda x: fnp.sum(x * x))(fnp.ones(2, dtype))
        assert isinstance(g, fl.Array)
        assert g.dtype == dtype
    assert fl.grad(lambda x: x * 2.0)(1.0).weak_type


def test_integers():
    with pytest.raises(DTypeError, match="allow_int=True"):
        fl.grad(lambda n: n * 1.0)(3)
    found = fl.grad(lambda t: t["n"] * t["x"], allow_int=True)({"n": fnp.arange(1)[0], "x": 2.0})
    assert found["n"].dtype == dtypes.float0
    assert found["n"].shape == ()
    close(found["x"], 0.0)
    _, pullback = fl.vjp(lambda n, x: n * x, fnp.arange(3), fnp.ones(3))
    by_n, by_x = pullback(fnp.ones(3))
    assert by_n.dtype == dtypes.float0
    assert by_n.shape == (3,)
    close(by_x, np.arange(3.0))
    value, tangent = fl.jvp(lambda n, x: (n + 1, n * x), (3, 2.0), (np.zeros((), dtypes.float0), 1.0))
    assert tangent[0].dtype == dtypes.float0
    close((value, tangent[1]), ((4, 6.0), 3.0))


def test_holomorphic():
    z = 1.0 + 2.0j
    close(fl.grad(lambda z: z**2, holomorphic=True)(z), 2 * z)
    close(fl.jacfwd(lambda z: z**2, holomorphic=True)(z), 2 * z)
    close(fl.jacrev(lambda z: z**2, holomorphic=True)(z), 2 * z)
    with pytest.raises(DTypeError, match="needs complex inputs"):
        fl.grad(lambda z: z**2, holomorphic=True)(1.0)
    with pytest.raises(DTypeError, match="set holomorphic=True"):
        fl.grad(lambda z: z**2)(z)
    close(fl.grad(lambda z: fnp.abs(z) ** 2)(z), 2 * np.conj(z))


# vjp, jvp, linearize, linear_transpose, Jacobians


def test_vjp_and_jvp_of_pytrees():
    def g(p, q):
        return {"sum": p.x + q[0], "product": p.y * q[0]}

    p, q = Point(1.0, 2.0), [3.0]
    value, pullback = fl.vjp(g, p, q)
    close(value, {"sum": 4.0, "product": 6.0})
    close(pullback({"sum": 1.0, "product": 10.0}), (Point(1.0, 30.0), [21.0]))
    with pytest.raises((TypeError, ValueError)):
        pullback((1.0, 10.0))
    close(fl.jvp(g, (p, q), (Point(1.0, 1.0), [1.0])), (value, {"sum": 2.0, "product": 5.0}))
    value, push = fl.linearize(g, p, q)
    close(push(Point(1.0, 1.0), [1.0]), {"sum": 2.0, "product": 5.0})
    with pytest.raises(TypeError, match=r"jvp\(f, \(x,\), \(x_dot,\)\)"):
        fl.jvp(lambda x: x, 1.0, 1.0)
    with pytest.raises(ShapeError):
        fl.jvp(lambda x: x, (fnp.ones(3),), (fnp.ones(2),))
    with pytest.raises(DTypeError):
        fl.jvp(lambda x: x, (fnp.ones(3),), (fnp.ones(3, "float64"),))


def test_a_pullback_works_twice_and_is_batched():
    x = fnp.arange(3.0)
    _, pullback = fl.vjp(lambda x: x**2, x)
    close(pullback(x), pullback(x))
    close(fl.vmap(pullback)(fnp.eye(3)), (np.diag(2 * np.arange(3.0)),))


def test_linear_transpose():
    transposed = fl.linear_transpose(lambda t: t["a"] * 2.0 + t["b"], {"a": fnp.ones(2), "b": fnp.ones(2)})
    close(transposed(fnp.ones(2)), ({"a": np.full(2, 2.0), "b": np.ones(2)},))
    by_type = fl.linear_transpose(lambda x: x[::-1], fl.ShapeDtypeStruct((3,), "float32"))
    close(by_type(fnp.arange(3.0)), (np.array([2.0, 1.0, 0.0]),))


def test_jacobians_of_pytrees():
    def g(p):
        return {"u": p["a"] * p["b"], "v": fnp.stack([p["b"].sum(), p["a"]])}

    p = {"a": fnp.float32(2.0), "b": fnp.arange(3.0)}
    expected = {
        "u": {"a": np.arange(3.0), "b": 2 * np.eye(3)},
        "v": {"a": np.array([0.0, 1.0]), "b": np.array([[1.0, 1, 1], [0, 0, 0]])},
    }
    close(fl.jacfwd(g)(p), expected)
    close(fl.jacrev(g)(p), expected)
    assert fl.jacobian is fl.jacrev
    by_both = fl.jacrev(lambda x, y: x * y, (0, 1))(fnp.arange(2.0), fnp.float32(3.0))
    close(by_both, (3 * np.eye(2), np.arange(2.0)))
    close(fl.jacfwd(lambda x, y: x * y, (0, 1))(fnp.arange(2.0), fnp.float32(3.0)), by_both)
    second = fl.hessian(lambda p: p["a"] ** 2 * p["b"].sum())(p)
    close(second["a"], {"a": 6.0, "b": np.full(3, 4.0)})
    close(second["b"], {"a": np.full(3, 4.0), "b": np.zeros((3, 3))})
    close(fl.hessian(f, (0, 1))(3.0, 2.0), ((4.0, 6.0), (6.0, 0.0)))


# vmap


def test_axes_as_pytrees():
    a, b = np.arange(6.0).reshape(2, 3), np.arange(3.0)
    tree = {"a": a, "b": b}

    def g(t, s):
        return t["a"] * t["b"] + s, t["a"].sum()

    product = a * b + 1
    close(fl.vmap(g, ({"a": 0, "b": None}, None))(tree, 1.0), (product, a.sum(1)))
    close(fl.vmap(g, [{"a": 0, "b": None}, None])(tree, 1.0), (product, a.sum(1)))
    close(fl.vmap(g, ({"a": 0, "b": None}, None), (1, 0))(tree, 1.0), (product.T, a.sum(1)))
    close(fl.vmap(g, ({"a": 0, "b": None}, None), (-1, 0))(tree, 1.0)[0], product.T)
    close(fl.vmap(lambda x: x, -1)(a), a.T)
    close(fl.vmap(lambda x: (x, 7.0), out_axes=(0, None))(b), (b, 7.0))
    close(fl.vmap(lambda t, n: t["a"], (1, None))({"a": a}, None), a.T)
    close(fl.vmap(lambda t: t[0], ((0, None),))((b, "kept" and 1.0)), b)
    close(fl.vmap(lambda x, *, k: x * k)(b, k=b), b * b)
    with pytest.raises(ValueError, match="out_axes is None"):
        fl.vmap(lambda x: x, out_axes=None)(b)
    with pytest.raises((TypeError, ValueError), match="in_axes"):
        fl.vmap(lambda x: x, in_axes="0")
    with pytest.raises(ValueError, match="in_axes has 1 items"):
        fl.vmap(lambda x, y: x, in_axes=(0,))(b, b)


def test_axis_size():
    close(fl.vmap(lambda: 1.0, axis_size=3)(), np.ones(3))
    close(fl.vmap(lambda x: x, in_axes=None, axis_size=2)(np.arange(3.0)), np.tile(np.arange(3.0), (2, 1)))
    with pytest.raises(ValueError, match="give axis_size"):
        fl.vmap(lambda x: x, in_axes=None)(1.0)
    with pytest.raises(ShapeError, match="axis_size is 4"):
        fl.vmap(lambda x: x, axis_size=4)(np.arange(3.0))


# jit


def counted(function):
    """`function`, and a list with an item for each time it is traced."""
    calls: list[None] = []

    @functools.wraps(function)
    def traced(*args, **kwargs):
        calls.append(None)
        return function(*args, **kwargs)

    return traced, calls


def test_static_arguments():
    def power(x, n=2, *, negate=False):
        assert isinstance(n, int)
        return -(x**n) if negate else x**n

    by_number = fl.jit(power, static_argnums=1)
    by_name = fl.jit(power, static_argnames=("n", "negate"))
    last = fl.jit(power, static_argnums=-1)
    for g in (by_number, by_name):
        close([g(3.0), g(3.0, 3), g(3.0, n=3), g(x=3.0), g(x=3.0, n=3)], [9.0, 27.0, 27.0, 9.0, 27.0])
    close([by_name(3.0, negate=True), last(3.0, 3)], [-9.0, 27.0])
    with pytest.raises(ValueError, match="cannot be hashed"):
        fl.jit(lambda x, n: x, static_argnums=1)(1.0, [1])
    with pytest.raises(ValueError, match="no parameters of the function"):
        fl.jit(lambda x: x, static_argnames="m")


def test_static_arguments_of_equal_value_and_other_type_are_told_apart():
    seen = []
    g = fl.jit(lambda x, n: seen.append(type(n)) or x, static_argnums=1)
    for n in (1, 1.0, True, 1):
        g(2.0, n)
    assert seen == [int, float, bool]


def test_jit_traces_once_for_each_signature():
    g, calls = counted(lambda t: t["a"] + 1)
    g = fl.jit(g)
    for x in (fnp.ones(2), fnp.zeros(2), fnp.ones(3), fnp.ones(2, "float64"), 1.0, 2.0, np.ones(2, np.float32)):
        g({"a": x})
    assert len(calls) == 4
    g.clear_cache()
    g({"a": fnp.ones(2)})
    assert len(calls) == 5
    fl.clear_caches()
    g({"a": fnp.ones(2)})
    assert len(calls) == 6


def test_jit_of_all_kinds_of_callables():
    class Model:
        def __init__(self):
            self.w = fnp.float32(2.0)

        def __call__(self, x):
            return self.w * x

        @functools.partial(fl.jit, static_argnums=0)
        def method(self, x):
            return self.w * x

        @staticmethod
        @fl.jit
        def free(x):
            return x + 1

    model = Model()
    close([fl.jit(model)(3.0), model.method(3.0), model.free(3.0), fl.jit(model.__call__)(3.0)], [6.0, 6.0, 4.0, 6.0])
    close(fl.jit(functools.partial(f, y=2.0))(3.0), 18.0)
    close(fl.grad(functools.partial(f, 3.0))(2.0), 9.0)
    close(fl.grad(model)(3.0), 2.0)
    close(fl.vmap(model)(np.ones(2)), np.full(2, 2.0))
    close(fl.jit(lambda *args, **kwargs: sum(args) + kwargs["k"])(1.0, 2.0, k=3.0), 6.0)
    close(fl.grad(lambda *args: args[0] * args[1], 1)(3.0, 2.0), 3.0)
    close(fl.jit(fnp.sin)(0.0), 0.0)

    @fl.jit
    def decorated(x):
        return x

    @fl.jit(static_argnums=1)
    def with_options(x, n):
        return x * n

    close([decorated(1.0), with_options(2.0, 3)], [1.0, 6.0])


def test_results_of_jit_keep_their_structure():
    out = fl.jit(lambda x: Point({"a": [x, None]}, (1, 2.0, x)))(fnp.arange(2))
    assert isinstance(out, Point)
    assert out.x["a"][1] is None
    assert all(isinstance(x, fl.Array) for x in fl.tree.leaves(out))
    assert [x.dtype.name for x in out.y] == ["int32", "float32", "int32"]
    assert out.y[1].weak_type


def test_nested_jit_is_a_call_in_the_program():
    inner = fl.jit(lambda x: fnp.sin(x) * 2)
    program = fl.make_program(lambda x: inner(x) + inner(x + 1))(1.0)
    assert [e.primitive.name for e in program.program.equations].count("jit") == 2
    close(fl.jit(fl.jit(fl.jit(fnp.sin)))(0.5), np.sin(0.5))


# Names and documentation survive


@pytest.mark.parametrize(
    "transform", [fl.grad, fl.value_and_grad, fl.vmap, fl.jit, fl.checkpoint, fl.jacfwd, fl.jacrev, fl.hessian]
)
def test_names_and_documentation_survive(transform):
    def squared(x):
        """The square."""
        return x * x

    wrapped = transform(squared)
    assert wrapped.__name__ == "squared"
    assert wrapped.__doc__ == "The square."
    assert inspect.unwrap(wrapped) is squared


# checkpoint, custom rules


def test_checkpoint_takes_what_functions_take():
    @functools.partial(fl.checkpoint, static_argnums=(1,))
    def g(t, n, *, k=1.0):
        return t["x"] ** n * k

    close(fl.grad(lambda x: g({"x": x}, 3, k=2.0))(2.0), 24.0)
    for policy in (None, fl.checkpoint_policies.everything_saveable, fl.checkpoint_policies.dots_saveable):
        h = fl.checkpoint(lambda w, x: fnp.sum(fnp.tanh(w @ x)), policy=policy)
        w, x = fnp.ones((2, 3)), fnp.ones(3)
        close(fl.grad(h, (0, 1))(w, x), fl.grad(lambda w, x: fnp.sum(fnp.tanh(w @ x)), (0, 1))(w, x))
    assert fl.remat is fl.checkpoint
    with pytest.raises(
        TypeError, match=r"(?s)policy is 'dots_saveable', of type str.*checkpoint_policies.dots_saveable"
    ):
        fl.checkpoint(g, policy="dots_saveable")


def test_custom_rules_of_pytrees_keywords_and_defaults():
    @fl.custom_jvp
    def g(p, scale=2.0):
        return {"y": p["x"] * scale}

    @g.defjvp
    def g_jvp(primals, tangents):
        p, scale = primals
        return g(p, scale), {"y": tangents[0]["x"] * 10}

    close(g({"x": 3.0}), {"y": 6.0})
    close(fl.grad(lambda x: g({"x": x})["y"])(3.0), 10.0)
    close(fl.grad(lambda x: g({"x": x}, scale=5.0)["y"])(3.0), 10.0)

    @functools.partial(fl.custom_vjp, nondiff_argnums=(0,))
    def h(name, x):
        return x * 2

    h.defvjp(lambda name, x: (h(name, x), x), lambda name, x, g: (g * len(name),))
    close(fl.grad(lambda x: h("four", x))(1.0), 4.0)
    assert h.__name__ == "h"


# Looking at functions, calling out


def test_eval_shape():
    def g(x, n):
        return {"y": fnp.zeros((n, x.shape[0])), "z": x.sum()}

    out = fl.eval_shape(functools.partial(g, n=3), fl.ShapeDtypeStruct((4,), "float64"))
    assert (out["y"].shape, out["y"].dtype, out["z"].shape, out["z"].dtype) == ((3, 4), np.float32, (), np.float64)
    ran = []
    fl.eval_shape(lambda x: fl.debug.callback(ran.append, x), 1.0)
    assert ran == []


def test_closure_convert():
    def outer(a):
        def inner(x):
            return a * x

        converted, hoisted = fl.closure_convert(inner, 1.0)
        assert len(hoisted) == 1
        return converted(3.0, *hoisted)

    close(fl.grad(outer)(2.0), 3.0)


def test_make_program_gives_a_program():
    program = fl.make_jaxpr(lambda x: {"a": fnp.sin(x) + 1})(fnp.ones(3))
    assert "sin" in str(program)
    assert [str(t) for t in program.program.out_types] == ["f32[3]"]
    assert fl.make_program(lambda x, n: x * n, static_argnums=1)(1.0, 3).program.inputs[0].type.weak


def test_pure_callback():
    def host(x):
        assert isinstance(x, np.ndarray)
        return {"y": np.sin(x), "n": np.int32(x.size)}

    kind = {"y": fl.ShapeDtypeStruct((3,), "float32"), "n": fl.ShapeDtypeStruct((), "int32")}
    x = fnp.arange(3.0)
    for g in (lambda x: fl.pure_callback(host, kind, x), fl.jit(lambda x: fl.pure_callback(host, kind, x))):
        close(g(x), {"y": np.sin(np.arange(3.0)), "n": 3})
    rows = fnp.ones((2, 3))
    scalar = fl.ShapeDtypeStruct((), "float32")
    for method in ("sequential", "expand_dims", "broadcast_all"):
        sums = fl.vmap(lambda r: fl.pure_callback(lambda v: v.sum(-1), scalar, r, vmap_method=method))(rows)
        close(sums, np.full(2, 3.0))


class Other:
    """An array of another library, that knows of bfloat16."""

    def __init__(self, array):
        self.__dlpack__, self.__dlpack_device__ = array.__dlpack__, array.__dlpack_device__


@pytest.mark.parametrize("wrap", [lambda f: f, fl.jit])
def test_callbacks_may_give_the_same_memory_each_time(wrap):
    memory = np.zeros(2, "float32")

    def host(x):
        memory[:] = x
        return memory

    @wrap
    def f(x):
        return fl.pure_callback(host, fl.ShapeDtypeStruct((2,), "float32"), x, vmap_method="sequential")

    rows = fnp.arange(6.0).reshape(3, 2)
    close(fl.vmap(f)(rows), rows)
    first, second = f(rows[0]), f(rows[1])
    memory[:] = 7
    close((first, second), (rows[0], rows[1]))


EXPORTED = ["bool", "int8", "uint8", "int64", "float16", "bfloat16", "float32", "float64", "complex64", "complex128"]


@pytest.mark.parametrize("dtype", EXPORTED)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3)])
def test_arrays_of_others_that_share_memory_cannot_be_made_writeable(dtype, shape):
    seen = []
    x = fnp.ones(shape, dtype)
    fl.pure_callback(lambda v: seen.append(v) or v, fl.ShapeDtypeStruct(shape, dtype), x)
    for y in (x, x.T, fnp.broadcast_to(x, (2, *shape))):
        seen.append(host := np.asarray(y))
        assert (host.shape, host.dtype) == (y.shape, y.dtype)
        np.testing.assert_array_equal(host, np.ones(y.shape, dtype))
        if dtype != "bfloat16":
            seen.append(np.from_dlpack(y))
        again = fnp.from_dlpack(Other(y))
        assert (again.shape, again.dtype) == (y.shape, y.dtype)
        np.testing.assert_array_equal(again, y)
    for host in seen:
        assert not host.flags.writeable
        with pytest.raises(ValueError, match="WRITEABLE"):
            host.flags.writeable = True
    assert np.array(x).flags.writeable
    x.__dlpack_device__()


def test_bfloat16_goes_to_torch_and_comes_back():
    torch = pytest.importorskip("torch")
    x = fnp.arange(6, dtype="bfloat16").reshape(2, 3)
    out = torch.from_dlpack(x)
    assert out.dtype == torch.bfloat16
    assert out.tolist() == x.tolist()
    back = fnp.from_dlpack(torch.arange(3, dtype=torch.bfloat16))
    assert (back.dtype, back.tolist()) == ("bfloat16", [0, 1, 2])
    with pytest.raises(TypeError, match="got a list: use asarray"):
        fnp.from_dlpack([1.0])


def test_the_namespace_tells_about_itself():
    namespace = fnp.ones(2).__array_namespace__(api_version=fnp.__array_api_version__)
    info = namespace.__array_namespace_info__()
    assert info.default_device() in info.devices()
    assert info.capabilities()["boolean indexing"]
    assert info.default_dtypes()["indexing"] == np.int32
    assert set(info.dtypes(kind=("bool", "complex floating"))) == {"bool", "complex64", "complex128"}
    assert info.dtypes(kind="integral").keys() == info.dtypes(kind=("signed integer", "unsigned integer")).keys()
    assert len(info.dtypes()) == 13
    with pytest.raises(ValueError, match="no kind of dtypes 'float'"):
        info.dtypes(kind="float")


def test_debug_print_and_callback(capsys):
    @fl.jit
    def g(x):
        fl.debug.print("x = {x}, {}", x + 1, x=x)
        return x

    g(2.0)
    g(3.0)
    assert capsys.readouterr().out == "x = 2.0, 3.0\nx = 3.0, 4.0\n"
    seen = []
    fl.vmap(lambda x: fl.debug.callback(lambda v, k: seen.append((float(v), k["a"])), x, {"a": "text"}))(np.arange(2.0))
    assert seen == [(0.0, "text"), (1.0, "text")]
    fl.grad(lambda x: (fl.debug.callback(lambda v: seen.append(float(v)), x), x)[1])(5.0)
    assert seen[-1] == 5.0


def test_devices_and_waiting():
    tree = {"a": np.arange(3), "b": 1.0}
    placed = fl.device_put(tree)
    assert all(isinstance(x, fl.Array) for x in fl.tree.leaves(placed))
    assert fl.block_until_ready(placed) is placed
    fetched = fl.device_get(placed)
    assert isinstance(fetched["a"], np.ndarray)
    assert len(fl.devices()) >= 1


def test_typeof_and_float0():
    assert str(fl.typeof(fnp.ones((2, 3)))) == "f32[2,3]"
    assert fl.float0 == dtypes.float0


def test_differences_from_jax_are_as_documented():
    x = fnp.arange(3.0)
    for outside in (lambda x: x[5], lambda x: x.at[5].set(1.0), lambda x: x[-4]):
        with pytest.raises(IndexError, match="out of bounds"):
            fl.jit(outside)(x)
    assert float(fl.jit(lambda x, i: x[i])(x, 7)) == 2
    with pytest.raises(DTypeError, match="without loss"):
        fnp.arange(3).at[0].set(1.5)
    twice = fnp.array([0, 0])
    assert x.at[twice].apply(lambda v: v + 1).tolist() == [1, 1, 2]
    assert x.at[twice].set(fnp.array([5.0, 6.0])).tolist() == [6, 1, 2]
    assert float(fl.grad(fnp.abs)(0.0)) == 0
    close(fl.grad(fnp.hypot, (0, 1))(0.0, 0.0), (0.0, 0.0))
    for order in (1, np.inf):
        close(fl.grad(lambda x, order=order: fnp.linalg.norm(x, order))(fnp.zeros(3)), np.zeros(3))
    close(fl.grad(lambda a: fnp.linalg.eigh(a)[1][0, 1])(fnp.eye(2)), np.zeros((2, 2)))
    close(fl.grad(lambda a: fnp.linalg.svd(a)[0][0, 1])(fnp.eye(2)), np.zeros((2, 2)))
    close(fl.grad(lambda a: fnp.linalg.lstsq(a, fnp.ones(2))[0].sum())(fnp.eye(2)), -np.ones((2, 2)))
    close(fl.grad(fnp.logaddexp, (0, 1))(-np.inf, -np.inf), (0.5, 0.5))
    close(fl.grad(fnp.logaddexp, (0, 1))(np.inf, 1.0), (1.0, 0.0))
    _, turned = fl.jvp(fnp.sign, (3 + 4j,), (1j,))
    np.testing.assert_allclose(turned, (1j - (0.6 + 0.8j) * 0.8) / 5, rtol=1e-5)
    close(fl.grad(fnp.power, (0, 1))(0.0, 0.0), (0.0, 0.0))
    close(fl.grad(lambda x: fl.lax.while_loop(lambda y: y < 100, lambda y: y * y, x))(3.0), 8 * 3.0**7)
    assert fnp.zeros(2, "float64").dtype == np.float64
    assert fnp.zeros(2).dtype == np.float32


def test_type_checkers_are_told_of_all_operators():
    from functorch_lite import array_interface
    from functorch_lite.tracing import Tracer

    source = inspect.getsource(array_interface)
    protocol = {"__array__", "__array_function__", "__array_namespace__", "__array_priority__", "__array_ufunc__"}
    plumbing = {
        "__annotations__",
        "__module__",
        "__slots__",
        "__weakref__",
        "__setitem__",
        "__copy__",
        "__deepcopy__",
        "__doc__",
        "__firstlineno__",
        "__static_attributes__",
    }
    for cls in (Array, Tracer):
        installed = {n for n in vars(cls) if n.startswith("__")} - protocol - plumbing - set(vars(object))
        missing = {n for n in installed if f"def {n}(" not in source and "dlpack" not in n}
        assert not missing


def test_arrays_say_where_they_are_and_copy():
    x = fnp.arange(3.0)
    assert x.device == fl.devices()[0]
    assert x.devices() == {x.device}
    assert x.to_device(x.device) is fl.device_put(x, "numpy") is fl.device_put(x, fl.devices()[0]) is x
    assert all(y is not x and y.buffer is x.buffer for y in (copy.copy(x), copy.deepcopy({"x": x})["x"]))
    traced = fl.jit(lambda x: (copy.copy(x), copy.deepcopy({"x": x})["x"]))(x)
    np.testing.assert_array_equal(traced[0] + traced[1], 2 * np.arange(3.0))
    assert float(fl.grad(lambda x: copy.deepcopy(x) * copy.copy(x))(2.0)) == 4.0


def test_tracers_are_arrays_to_users():
    seen = []

    def f(x):
        seen.append(isinstance(x, fl.Array) and isinstance(x, fnp.ndarray))
        return (x * x).sum()

    x = fnp.arange(3.0)
    f(x)
    fl.grad(f)(x)
    fl.jit(fl.vmap(f))(x[None])
    fl.jvp(f, (x,), (x,))
    assert seen == [True] * 4
    assert not isinstance(np.arange(3.0), fl.Array)
    assert not isinstance(1.0, fnp.ndarray)


# what is kept, and types in place of arrays


def test_what_reverse_mode_keeps(capsys):
    def inner(w, x):
        return fnp.sin(w @ x)

    def outer(params, x, scale):
        y = fl.ad_checkpoint.checkpoint_name(inner(params["w"], x), "mid")
        return (y * fnp.asarray([2.0, 3.0]) * scale).sum()

    args = {"w": fnp.ones((2, 3))}, fnp.ones(3)
    found = fl.ad_checkpoint.saved_residuals(outer, *args, scale=2.0)
    origins = {origin.split(" from ")[0] if " from /" in origin else origin: str(t) for t, origin in found}
    assert origins["from the argument params['w']"] == "f32[2,3]"
    assert origins["from the argument x"] == "f32[3]"
    assert origins["from a constant"] == "f32[2]"
    assert origins["output of cos"] == "f32[2]"
    assert any("(inner)" in origin for _, origin in found)
    policy = fl.checkpoint_policies.save_only_these_names("mid")
    kept = [origin for _, origin in fl.ad_checkpoint.saved_residuals(fl.checkpoint(outer, policy=policy), *args, 2.0)]
    assert sum(origin.startswith("named 'mid'") for origin in kept) == 1
    assert not any(origin.startswith("output of") for origin in kept)
    fl.ad_checkpoint.print_saved_residuals(lambda x, y: x * y, fnp.ones(2), fnp.ones(2))
    assert capsys.readouterr().out == "f32[2] from the argument y\nf32[2] from the argument x\n"


def test_types_in_place_of_arrays():
    t = fl.ShapeDtypeStruct.like(np.ones((2, 3), "float32"))
    assert t == fl.ShapeDtypeStruct((2, 3), "float32")
    assert fl.ShapeDtypeStruct.like(t) == t
    assert t.update(dtype="int32", shape=(4,)) == fl.ShapeDtypeStruct((4,), "int32")
    assert len(t) == 2
    with pytest.raises(TypeError, match="no length"):
        len(t.update(shape=()))
