"""Functions with the user's own derivative, under every transformation."""

from __future__ import annotations

import functools

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite import lax
from functorch_lite.extend import Array


@fl.custom_jvp
def doubled_jvp(x):
    return fnp.sin(x)


@doubled_jvp.defjvp
def _(primals, tangents):
    (x,), (x_dot,) = primals, tangents
    return doubled_jvp(x), 2.0 * x_dot * fnp.cos(x)


@fl.custom_vjp
def doubled_vjp(x):
    return fnp.sin(x)


doubled_vjp.defvjp(lambda x: (doubled_vjp(x), x), lambda x, ct: (2.0 * ct * fnp.cos(x),))

V = np.array([0.3, 0.4, 0.5])


def close(got, wanted):
    np.testing.assert_allclose(np.asarray(got), wanted, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("f", [doubled_jvp, doubled_vjp])
def test_in_every_nesting(f):
    v, wanted = fnp.asarray(V), 2 * np.cos(V)

    def total(x):
        return fnp.sum(f(x))

    for g in (
        fl.grad(total),
        fl.jit(fl.grad(total)),
        fl.grad(fl.jit(total)),
        fl.vmap(fl.grad(f)),
        fl.jit(fl.vmap(fl.grad(f))),
        fl.vmap(fl.jit(fl.grad(f))),
        fl.grad(lambda x: fnp.sum(fl.vmap(f)(x))),
        fl.grad(lambda x: fnp.sum(fl.jit(fl.vmap(f))(x))),
        fl.grad(fl.checkpoint(total)),
        fl.jit(fl.grad(fl.checkpoint(total))),
        lambda x: fl.vjp(f, x)[1](fnp.ones_like(x))[0],
    ):
        close(g(v), wanted)


@pytest.mark.parametrize("f", [doubled_jvp, doubled_vjp])
def test_in_loops_and_second_order(f):
    def thrice(x):
        return lax.scan(lambda c, _: (f(c), None), x, None, length=3)[0]

    close(fl.grad(thrice)(0.3), np.asarray(fl.grad(lambda x: f(f(f(x))))(0.3)))
    close(fl.vmap(fl.grad(thrice))(fnp.asarray(V)), np.asarray(fl.vmap(fl.grad(lambda x: f(f(f(x)))))(fnp.asarray(V))))
    close(fl.vmap(fl.grad(fl.grad(f)))(fnp.asarray(V)), -2 * np.sin(V))
    close(fl.jit(fl.vmap(fl.grad(fl.grad(f))))(fnp.asarray(V)), -2 * np.sin(V))


def test_rules_see_values_in_eager_mode():
    seen = []

    @fl.custom_vjp
    def f(x):
        return x * 2.0

    def bwd(x, ct):
        seen.append(float(x) > 0)  # a concrete value: the user's Python runs as it stands
        return (ct * 5.0,)

    f.defvjp(lambda x: (f(x), x), bwd)
    assert float(fl.grad(f)(1.0)) == 5.0
    assert seen == [True]


def test_nondiff_argnums_and_none():
    @fl.custom_vjp
    def scaled(n, x, y):
        return x * y * n

    scaled.nondiff = (0,)
    scaled.defvjp(lambda n, x, y: (scaled(n, x, y), y), lambda n, y, ct: (ct * y * n, None))
    gx, gy = fl.grad(scaled, (1, 2))(3, 2.0, 5.0)
    assert (float(gx), float(gy)) == (15.0, 0.0)


def test_forward_mode_of_custom_vjp_is_an_error():
    with pytest.raises(TypeError, match=r"reached doubled_vjp.*gives the reverse rule only"):
        fl.jvp(doubled_vjp, (1.0,), (1.0,))


def test_wrong_rules_say_what_is_wrong():
    @fl.custom_vjp
    def f(x):
        return x

    with pytest.raises(AttributeError, match="give one with defvjp"):
        f(1.0)
    f.defvjp(lambda x: (x, None), lambda _, ct: (ct, ct))
    with pytest.raises(TypeError, match="must give a tuple with a cotangent for each of its 1 arguments, got 2"):
        fl.grad(f)(1.0)
    f.defvjp(lambda x: (x, None), lambda _, ct: (fnp.ones(3),))
    with pytest.raises(TypeError, match=r"has type f32\[3\], needed is f32\[\]"):
        fl.grad(f)(1.0)


def test_stop_gradient():
    assert float(fl.grad(lambda x: x * lax.stop_gradient(x))(3.0)) == 3.0
    assert float(fl.jit(fl.grad(lambda x: x * lax.stop_gradient(x)))(3.0)) == 3.0


def test_custom_vjp_is_told_what_is_perturbed():
    seen = []

    @fl.custom_vjp
    def f(x, y, n):
        return x * y * n

    def fwd(x, y, n):
        seen.append((x.perturbed, y.perturbed, n.perturbed))
        return f(x.value, y.value, n.value), (x.value, y.value)

    def bwd(residuals, ct):
        x, y = residuals
        return ct * y, ct * x, None

    f.defvjp(fwd, bwd, symbolic_zeros=True)
    x, y, n = fnp.arange(3.0), fnp.ones(3), fnp.asarray(2)

    def g(x, y):
        return f(x, y, n).sum()

    fl.grad(g)(x, y)
    fl.grad(g, 1)(x, y)
    fl.grad(g, (0, 1))(x, y)
    fl.jit(fl.grad(g))(x, y)
    fl.vmap(fl.grad(lambda x, y: f(x, y, n)), (0, None))(x, fnp.ones(()))
    once = [(True, False, False), (False, True, False), (True, True, False), (True, False, False), (True, False, False)]
    assert seen == once


def test_integers_are_not_perturbed():
    seen = []

    @fl.custom_vjp
    def f(x, n):
        return x * n

    def fwd(x, n):
        seen.append((x.perturbed, n.perturbed))
        return f(x.value, n.value), (x.value, n.value)

    f.defvjp(fwd, lambda r, ct: (ct * r[1], None), symbolic_zeros=True)
    assert float(fl.vjp(f, 2.0, 3)[1](1.0)[0]) == 3.0
    assert float(fl.grad(f, (0, 1), allow_int=True)(2.0, 3)[0]) == 3.0
    assert seen == [(True, False)] * 2


def test_rules_are_given_arrays():
    """Scalars of NumPy, which arrays of rank 0 hold, would promote as NumPy does."""
    kinds = []

    def note(*xs):
        kinds.extend((type(x), x.weak_type) for x in xs)

    @fl.custom_vjp
    def f(x, n):
        return x * n

    def bwd(residuals, ct):
        x, n = residuals
        note(x, n, ct)
        return ct * n, None

    f.defvjp(lambda x, n: (f(x, n), (x, n)), bwd)
    x, n = fnp.asarray(np.float32(2.0)), fnp.asarray(np.int32(3))
    gradient = fl.grad(f)(x, n)
    assert (float(gradient), gradient.dtype) == (3.0, np.dtype("float32"))
    assert kinds == [(Array, False)] * 3

    @fl.custom_jvp
    def g(x):
        return x

    g.defjvp(lambda primals, tangents: (note(*primals, *tangents), (primals[0], tangents[0]))[1])
    kinds.clear()
    fl.jvp(g, (2.0,), (1.0,))
    assert kinds == [(Array, True)] * 2
    assert type(fl.grad(lambda x: x)(2.0)) is Array


def closing_jvp(y):
    @fl.custom_jvp
    def f(x):
        return x * y

    f.defjvp(lambda p, t: (f(p[0]), 2.0 * y * t[0]))
    return f


def closing_vjp(y):
    @fl.custom_vjp
    def f(x):
        return x * y

    f.defvjp(lambda x: (f(x), None), lambda _, ct: (2.0 * y * ct,))
    return f


@pytest.mark.parametrize("closing", [closing_jvp, closing_vjp])
def test_closing_over_what_vmap_maps_over(closing):
    ys = fnp.arange(3.0)
    expected = np.arange(3.0)
    close(fl.vmap(lambda y: closing(y)(3.0))(ys), 3 * expected)
    close(fl.vmap(lambda y: closing(y)(y))(ys), expected**2)
    close(fl.vmap(lambda y: fl.grad(closing(y))(3.0))(ys), 2 * expected)
    close(fl.grad(lambda x: fl.vmap(lambda y: closing(y)(x))(ys).sum())(3.0), np.asarray(6.0))
    close(fl.vmap(lambda x: fl.vmap(lambda y: closing(y)(x))(ys))(ys), np.outer(expected, expected))
    close(fl.jit(fl.vmap(fl.grad(lambda x: fl.vmap(lambda y: closing(y)(x))(ys).sum())))(ys), np.full(3, 6.0))


@pytest.mark.parametrize("f", [doubled_jvp, doubled_vjp, lax.stop_gradient])
def test_what_vmap_does_not_map_over_stays_so(f):
    out = fl.vmap(lambda x: (x, f(2.0)), out_axes=(0, None))(fnp.arange(3.0))
    close(out[1], np.asarray(f(2.0)))


@pytest.mark.parametrize("closing", [closing_jvp, closing_vjp])
def test_closing_over_what_is_differentiated_is_an_error(closing):
    with pytest.raises(fl.errors.UnexpectedTracerError, match=r"closes over it\. Pass it as an argument"):
        fl.grad(lambda y: closing(y)(3.0))(2.0)
    with pytest.raises(TypeError, match="closes over a value that is being differentiated"):
        fl.grad(fl.jit(lambda y: closing(y)(3.0)))(2.0)


def test_a_rule_alone_must_not_close_over_what_vmap_maps_over():
    def f(y):
        @fl.custom_jvp
        def g(x):
            return 2.0 * x

        g.defjvp(lambda p, t: (g(*p), y * t[0]))
        return g

    def total(x):
        return fl.vmap(lambda y: f(y)(x))(fnp.arange(3.0)).sum()

    assert float(fl.grad(total)(3.0)) == 3.0  # the rule alone runs, and shows it
    with pytest.raises(TypeError, match="derivative rule of g closes over a value that vmap maps over"):
        fl.grad(fl.jit(total))(3.0)


def test_collectives_in_functions_of_constants():
    @fl.custom_jvp
    def f(x):
        return lax.psum(x, "i")

    f.defjvp(lambda p, t: (f(*p), lax.psum(t[0], "i")))
    close(fl.vmap(lambda x: x + f(2.0), axis_name="i")(fnp.arange(3.0)), np.arange(3.0) + 6)


def test_custom_gradient():
    @fl.custom_gradient
    def f(x, y):
        out = x * y
        return out, lambda ct: (2.0 * ct * y, 3.0 * ct * out)

    close(f(2.0, 5.0), np.asarray(10.0))
    gx, gy = fl.grad(f, (0, 1))(2.0, 5.0)
    assert (float(gx), float(gy)) == (10.0, 30.0)
    close(fl.vmap(fl.grad(f))(fnp.ones(3), fnp.arange(3.0)), 2 * np.arange(3.0))
    close(fl.jit(fl.grad(f, 1))(2.0, 5.0), np.asarray(30.0))


def test_symbolic_zeros_have_names():
    zero = fl.custom_derivatives.zero_from_primal(fnp.ones(3), symbolic_zeros=True)
    assert type(zero) is fl.custom_derivatives.SymbolicZero
    close(fl.custom_derivatives.zero_from_primal(fnp.ones(3)), np.zeros(3))


@pytest.mark.parametrize("wrap", [lambda f: f, fl.jit, fl.checkpoint])
def test_stop_gradient_stops_derivatives_of_all_orders(wrap):
    f = wrap(lambda x: x * fl.lax.stop_gradient(x))
    assert float(fl.grad(f)(3.0)) == 3.0
    for second in (
        fl.grad(fl.grad(f)),
        fl.hessian(f),
        fl.jit(fl.grad(fl.grad(f))),
        lambda x: fl.jvp(lambda y: fl.jvp(f, (y,), (1.0,))[1], (x,), (1.0,))[1],
        lambda x: fl.vmap(fl.grad(fl.grad(f)))(fnp.stack([x, x]))[0],
        fl.grad(lambda x: fl.grad(lambda y: fl.lax.stop_gradient(x * y) * y)(3.0)),
    ):
        assert float(second(fnp.float32(3.0))) == 0.0


def test_a_jvp_rule_may_call_its_function_on_tangents() -> None:
    @fl.custom_jvp
    def negative(x):
        return -x

    negative.defjvp(lambda primals, tangents: (negative(*primals), negative(*tangents)))
    assert fl.grad(negative)(3.0) == -1
    assert fl.grad(lambda x: lax.scan(lambda c, _: (negative(c), None), x, None, length=3)[0])(3.0) == -1
    assert fl.grad(fl.grad(lambda x: negative(x) ** 3))(2.0) == -12
    np.testing.assert_array_equal(fl.jit(fl.vmap(fl.grad(negative)))(fnp.ones(2)), [-1, -1])


def test_a_jvp_rule_may_call_its_function_on_a_value_and_a_tangent() -> None:
    @fl.custom_jvp
    def apply(matrix, vector):
        return matrix @ vector

    @apply.defjvp
    def apply_jvp(primals, tangents):
        (matrix, vector), (d_matrix, d_vector) = primals, tangents
        return apply(matrix, vector), apply(d_matrix, vector) + apply(matrix, d_vector)

    vector = fnp.array([1.0, 2.0])
    by_matrix = fl.grad(lambda m: apply(m, vector).sum())(fnp.ones((2, 2)))
    np.testing.assert_array_equal(by_matrix, [[1, 2], [1, 2]])


def test_rules_of_functions_with_keywords_bound() -> None:
    f = fl.custom_jvp(functools.partial(lambda x, y, a: x * y + a, a=0.5))
    f.defjvp(lambda primals, tangents: (f(*primals), primals[1] * tangents[0]))
    assert f(1.0, 2.0) == 2.5
    assert fl.grad(f)(1.0, 2.0) == 2


def test_forward_rules_may_ask_for_what_compiled_programs_do_anyway() -> None:
    f = fl.custom_vjp(fnp.sin)
    f.defvjp(lambda x: (fnp.sin(x), x), lambda x, ct: (2 * ct * fnp.cos(x),), optimize_remat=True)
    assert fl.grad(fl.checkpoint(f))(0.0) == 2


def test_none_stands_for_any_part_of_a_cotangent() -> None:
    f = fl.custom_vjp(lambda x: x["a"][0] + x["b"][1][0])
    for zero in ((None, (None, None)), (None, None), (None, (None, [None]))):
        f.defvjp(lambda x: (f(x), None), lambda _, ct, zero=zero: ({"a": (3 * ct, None), "b": zero},))
        by_x = fl.grad(f)({"a": (1.0, None), "b": (2.0, (4.0, [None]))})
        assert by_x["a"] == (3, None)
        assert by_x["b"] == (0, (0, [None]))
    f.defvjp(lambda x: (f(x), None), lambda _, ct: ({"a": (ct, ct), "b": None},))
    with pytest.raises(fl.errors.TransformationError, match="structure of argument 0"):
        fl.grad(f)({"a": (1.0, None), "b": (2.0, (4.0, [None]))})
