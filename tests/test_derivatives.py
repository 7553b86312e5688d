"""`grad`, `jvp`, `vjp`, `linearize`, `linear_transpose`, Jacobians: structures, float0, auxiliary data, what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite.extend import Array

FLOAT0 = np.zeros((), fl.float0)


def aux_of(transformation):
    """What comes out of the second part of a pair (value, auxiliary data)."""

    def f(x):
        return x**2, {"text": "hello", "number": 3, "array": x + 1, "none": None}

    if transformation is fl.jvp:
        return fl.jvp(f, (3.0,), (1.0,), has_aux=True)[2]
    if transformation in (fl.vjp, fl.linearize):
        return transformation(f, 3.0, has_aux=True)[2]
    return transformation(f, has_aux=True)(3.0)[1]


@pytest.mark.parametrize("transformation", [fl.grad, fl.jvp, fl.vjp, fl.linearize, fl.jacfwd, fl.jacrev])
def test_auxiliary_data_may_be_anything(transformation):
    aux = aux_of(transformation)
    assert (aux["text"], aux["number"], aux["none"]) == ("hello", 3, None)
    assert float(aux["array"]) == 4.0
    assert type(aux["array"]) is Array


@pytest.mark.parametrize("transformation", [fl.jvp, fl.vjp, fl.linearize])
def test_auxiliary_data_needs_a_pair(transformation):
    args = ((1.0,), (1.0,)) if transformation is fl.jvp else (1.0,)
    with pytest.raises(TypeError, match=r"has_aux=True needs a pair \(value, aux\) from <lambda>, got .*Tracer"):
        transformation(lambda x: x, *args, has_aux=True)


def test_tangents_of_integers_are_float0():
    value, tangent = fl.jvp(lambda x, n: (x * n, n), (2.0, 3), (1.0, FLOAT0))
    assert (float(value[0]), float(tangent[0])) == (6.0, 3.0)
    assert tangent[1].dtype == fl.float0
    push = fl.linearize(lambda x, n: (x * n, n), 2.0, 3)[1]
    assert float(push(1.0, FLOAT0)[0]) == 3.0
    assert push(1.0, FLOAT0)[1].dtype == fl.float0
    for wrong in (1, 1.0, np.zeros(())):
        with pytest.raises(TypeError, match=r"i32\[\] has no derivative, its tangent must be an array of dtype float0"):
            fl.jvp(lambda x, n: x * n, (2.0, 3), (1.0, wrong))
    with pytest.raises(TypeError, match=r"a tangent has dtype float0, needed is f32\[\]"):
        fl.jvp(fnp.sin, (2.0,), (FLOAT0,))


def test_a_pullback_is_a_pytree_of_its_residuals():
    w = fnp.arange(3.0)

    def f(d):
        return {"out": fnp.sin(d["x"]) * w + d["x"] ** 2}

    x = {"x": fnp.arange(1.0, 4.0)}
    pullback = fl.vjp(f, x)[1]
    ct = {"out": fnp.ones(3)}
    expected = np.cos(x["x"]) * np.arange(3) + 2 * np.asarray(x["x"])
    np.testing.assert_allclose(pullback(ct)[0]["x"], expected, rtol=1e-6)
    traced = []

    @fl.jit
    def apply(pullback, ct):
        traced.append(None)
        return pullback(ct)

    np.testing.assert_allclose(apply(pullback, ct)[0]["x"], expected, rtol=1e-6)
    np.testing.assert_allclose(apply(fl.vjp(f, x)[1], ct)[0]["x"], expected, rtol=1e-6)
    assert len(traced) == 1  # equal computations have equal structures
    returned = fl.jit(lambda x: fl.vjp(f, x)[1])(x)
    np.testing.assert_allclose(returned(ct)[0]["x"], expected, rtol=1e-6)
    doubled = fl.tree.map(lambda r: 2.0 * r, fl.vjp(lambda x: x * w, x["x"])[1])
    np.testing.assert_allclose(doubled(fnp.ones(3))[0], 2 * np.arange(3.0))
    over = fl.vmap(lambda x: fl.vjp(fnp.sin, x)[1])(x["x"])
    np.testing.assert_allclose(fl.vmap(lambda p, ct: p(ct)[0])(over, fnp.ones(3)), np.cos(x["x"]), rtol=1e-6)


def test_a_push_forward_is_a_pytree_of_its_residuals():
    x, x_dot = fnp.arange(3.0), fnp.ones(3)
    push = fl.linearize(fnp.sin, x)[1]
    assert len(fl.tree.leaves(push)) == 1
    np.testing.assert_allclose(fl.jit(lambda f, t: f(t))(push, x_dot), np.cos(x), rtol=1e-6)
    np.testing.assert_allclose(fl.jit(lambda x: fl.linearize(fnp.sin, x)[1])(x)(x_dot), np.cos(x), rtol=1e-6)


def test_a_pullback_takes_one_cotangent():
    with pytest.raises(TypeError, match=r"vjp of <lambda> gave takes one cotangent.*got 2: pass a tuple for a tuple"):
        fl.vjp(lambda x: (x, x), 1.0)[1](1.0, 1.0)


def test_jacobians_of_and_by_integers_are_zeros():
    jac = fl.jacfwd(lambda x: (2.0 * x, fnp.arange(2)))(fnp.ones(3))
    assert (jac[1].shape, jac[1].dtype) == ((2, 3), np.dtype("int32"))
    jac = fl.jacrev(lambda n, x: n * x, (0, 1), allow_int=True)(fnp.arange(3), 2.0)
    assert (jac[0].shape, jac[0].dtype) == ((3, 3), np.dtype("int32"))
    np.testing.assert_array_equal(jac[1], np.arange(3.0))


def test_jacobians_by_complex_numbers():
    z = fnp.arange(1.0, 3.0) + 1j
    np.testing.assert_allclose(fl.jacrev(lambda z: fnp.abs(z) ** 2)(z), np.diag(2 * np.conj(z)), rtol=1e-6)
    with pytest.raises(TypeError, match="needs holomorphic=True"):
        fl.jacfwd(lambda z: fnp.abs(z) ** 2)(z)


def test_jacobians_of_weak_results_are_weak():
    assert fl.hessian(lambda x: x**3)(2.0).weak_type
    assert not fl.jacfwd(lambda x: x * fnp.ones(2))(2.0).weak_type


def test_only_linear_functions_are_transposed():
    for f in (fnp.sin, lambda x: x * x):
        with pytest.raises(TypeError, match="only linear functions can be transposed, but this one takes"):
            fl.linear_transpose(f, 1.0)(1.0)
    wrong = fl.custom_jvp(lambda x: x)
    wrong.defjvp(lambda p, t: (p[0], fnp.sin(t[0])))
    with pytest.raises(TypeError, match="the tangent of the result must be linear in the tangents"):
        fl.grad(wrong)(1.0)


@pytest.mark.parametrize(
    "call",
    [
        lambda: fl.jvp(3, (1.0,), (1.0,)),
        lambda: fl.vjp(3, 1.0),
        lambda: fl.linearize(3, 1.0),
        lambda: fl.linear_transpose(3, 1.0),
        lambda: fl.jacfwd(3),
        lambda: fl.jacrev(3),
        lambda: fl.hessian(3),
        lambda: fl.grad_and_value(3),
        lambda: fl.checkpoint(3),
        lambda: fl.custom_jvp(3),
        lambda: fl.custom_vjp(3),
    ],
)
def test_what_is_no_function(call):
    with pytest.raises(TypeError, match="needs a function, got 3 of type int"):
        call()


INTEGERS = fnp.arange(3)


@pytest.mark.parametrize(
    "f, ct, want",
    [
        (lambda x: 3 * x, [0, 1, 2], [0, 3, 6]),
        (lambda x: x.sum() * 2, 5, [10, 10, 10]),
        (lambda x: fnp.arange(6).reshape(2, 3) @ x, [0, 1], [3, 4, 5]),
        (lambda x: x[fnp.array([1, 1])], [1, 2], [0, 3, 0]),
        (fnp.cumsum, [1, 2, 3], [6, 5, 3]),
        (lambda x: x[::-1] - x[0], [1, 2, 3], [-3, 2, 1]),
        (lambda x: fl.lax.fori_loop(0, 3, lambda i, c: c * 2, x), [0, 1, 2], [0, 8, 16]),
        (lambda x: fl.lax.scan(lambda c, i: (c + i * x, None), x, fnp.arange(3))[0], [1, 1, 1], [4, 4, 4]),
        (lambda x: fl.jit(lambda y: 2 * y)(x), [1, 2, 3], [2, 4, 6]),
        (lambda x: fnp.zeros(2, int), [1, 2], [0, 0, 0]),
    ],
)
def test_linear_transpose_of_integers(f, ct, want):
    transposed = fl.linear_transpose(f, INTEGERS)
    (x_bar,) = transposed(fnp.array(ct))
    assert x_bar.dtype == fnp.int32
    assert x_bar.tolist() == want
    assert fl.jit(transposed)(fnp.array(ct))[0].tolist() == want
    assert fl.vmap(transposed)(fnp.array([ct]))[0].tolist() == [want]


def test_linear_transpose_needs_one_kind_of_numbers():
    for f in (lambda x: x.astype(float), lambda x: x > 0):
        with pytest.raises(
            TypeError, match=r"floating or complex dtype, or of integers throughout, got \(i32\[3\]\) ->"
        ):
            fl.linear_transpose(f, INTEGERS)
    with pytest.raises(TypeError, match=r"cotangent has type f32.*needed is i32"):
        fl.linear_transpose(lambda x: 2 * x, 1)(1.5)
    assert int(fl.linear_transpose(lambda x: 2 * x, 1)(3)[0]) == 6


def test_a_tangent_does_not_lose_its_imaginary_part():
    with pytest.raises(TypeError, match=r"tangent has type c64\[\], needed is f32"):
        fl.jvp(fnp.sin, (1.0,), (1j,))
