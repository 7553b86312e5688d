"""Loops and branches: values, derivatives of both modes, batching, compilation, and these nested."""

from __future__ import annotations

import math

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite import lax


def f64(x):
    return fnp.asarray(np.asarray(x, np.float64))


def close(got, wanted, tolerance=1e-6):
    np.testing.assert_allclose(np.asarray(got), wanted, rtol=tolerance, atol=tolerance)


def slope(f, x, eps=1e-6):
    return np.array([(f(v + eps) - f(v - eps)) / (2 * eps) for v in x])


def scanned(x):
    return lax.scan(lambda c, row: (fnp.sin(c) * row, c), np.float64(1.0), x)[0]


def python_scanned(x):
    c = 1.0
    for row in x:
        c = np.sin(c) * row
    return c


def doubling(x):
    """A loop of a length that depends on the value."""
    return lax.while_loop(lambda c: c[0] < 10.0, lambda c: (c[0] * 2.0, fnp.sin(c[1]) * c[0]), (x, x))[1]


def python_doubling(x):
    c, d = x, x
    while c < 10:
        c, d = c * 2, math.sin(d) * c
    return d


def nested(x):
    """A loop in a loop, each of a length that depends on values."""

    def inner(x):
        def step(c):
            return (c[0] * 1.7, fnp.sin(c[1]) + c[1] * c[0] * 0.1)

        return lax.while_loop(lambda c: c[0] < 5.0, step, (x, x))[1]

    def step(c):
        return (c[0] + 1.0, inner(fnp.cos(c[1]) + 1.5 + c[0]) * 0.3)

    return lax.while_loop(lambda c: c[0] < 3.0, step, (x, x))[1]


def python_nested(x):
    def inner(x):
        c, d = x, x
        while c < 5:
            c, d = c * 1.7, math.sin(d) + d * c * 0.1
        return d

    c, d = x, x
    while c < 3:
        c, d = c + 1, inner(math.cos(d) + 1.5 + c) * 0.3
    return d


def branched(x):
    return lax.cond(x > 1.0, lambda x: fnp.sin(x), lambda x: x * x * x, x)


def python_branched(x):
    return math.sin(x) if x > 1 else x**3


def dynamic_power(x):
    """A fori_loop whose bound is not known when it is traced."""
    n = lax.while_loop(lambda c: c[0] < 4.0, lambda c: (c[0] + x, c[1] + 1), (x, 0))[1]
    return lax.fori_loop(0, n, lambda i, y: y * x, x)


def python_dynamic_power(x):
    c, n = x, 0
    while c < 4:
        c, n = c + x, n + 1
    return x ** (n + 1)


CASES = [
    (doubling, python_doubling),
    (nested, python_nested),
    (branched, python_branched),
    (dynamic_power, python_dynamic_power),
]
POINTS = np.array([0.35, 0.9, 1.3, 2.6, 11.0])


@pytest.mark.parametrize("f, reference", CASES)
def test_value(f, reference):
    wanted = [reference(v) for v in POINTS]
    close([f(f64(v)) for v in POINTS], wanted)
    close([fl.jit(f)(f64(v)) for v in POINTS], wanted)
    close(fl.vmap(f)(f64(POINTS)), wanted)
    close(fl.jit(fl.vmap(f))(f64(POINTS)), wanted)


def in_batches(f):
    """Functions that give the derivatives of f at all points of a batch."""
    total = lambda x: fnp.sum(fl.vmap(f)(x))  # noqa: E731
    return fl.vmap(fl.grad(f)), fl.jit(fl.vmap(fl.grad(f))), fl.grad(total), fl.jit(fl.grad(total))


@pytest.mark.parametrize("f, reference", CASES)
def test_reverse_mode_in_every_nesting(f, reference):
    wanted = slope(reference, POINTS)
    batch = f64(POINTS)
    for g in (fl.grad(f), fl.jit(fl.grad(f)), fl.grad(fl.jit(f)), fl.jit(fl.grad(fl.jit(f)))):
        close([g(f64(v)) for v in POINTS], wanted)
    for g in (
        *in_batches(f),
        fl.vmap(fl.jit(fl.grad(f))),
        fl.grad(lambda x: fnp.sum(fl.jit(fl.vmap(f))(x))),
        fl.vmap(fl.grad(fl.checkpoint(f))),
    ):
        close(g(batch), wanted)


@pytest.mark.parametrize("f, reference", CASES)
def test_forward_mode(f, reference):
    wanted = slope(reference, POINTS)

    def push(x):
        return fl.jvp(f, (x,), (fnp.ones_like(x),))[1]

    close([push(v) for v in map(f64, POINTS)], wanted)
    close(fl.vmap(push)(f64(POINTS)), wanted)
    close(fl.jit(fl.vmap(push))(f64(POINTS)), wanted)
    close([fl.linearize(f, v)[1](fnp.ones_like(v)) for v in map(f64, POINTS)], wanted)


@pytest.mark.parametrize("f, reference", CASES)
def test_second_order(f, reference):
    def first(v):
        return float(fl.grad(f)(f64(v)))

    wanted = slope(first, POINTS, 1e-5)
    for g in (fl.grad(fl.grad(f)), fl.jacfwd(fl.grad(f)), fl.jacfwd(fl.jacfwd(f)), fl.grad(fl.jacfwd(f))):
        close(fl.vmap(g)(f64(POINTS)), wanted, 1e-5)
        close(fl.jit(fl.vmap(g))(f64(POINTS)), wanted, 1e-5)


def looped_or_not(x):
    """A loop in one branch alone: others have none of its residuals."""
    return lax.cond(x > 1.0, doubling, lambda x: fnp.sin(x) * x, x)


def python_looped_or_not(x):
    return python_doubling(x) if x > 1 else math.sin(x) * x


def looping_differently(x):
    step = lax.switch(fnp.astype(x, "int32"), [doubling, nested, fnp.cos, dynamic_power], x)
    return lax.fori_loop(0, 3, lambda i, y: looped_or_not(fnp.sin(y) * 0.3 + 0.5 + i), step)


def python_looping_differently(x):
    branches = [python_doubling, python_nested, math.cos, python_dynamic_power]
    y = branches[min(int(x), 3)](x)
    for i in range(3):
        y = python_looped_or_not(math.sin(y) * 0.3 + 0.5 + i)
    return y


@pytest.mark.parametrize(
    "f, reference", [(looped_or_not, python_looped_or_not), (looping_differently, python_looping_differently)]
)
def test_branches_with_loops_in_every_nesting(f, reference):
    """Under vmap all branches run, and elements of the batch that chose others get zero residuals."""
    points = np.array([0.35, 0.9, 1.3, 2.6])
    wanted, batch = slope(reference, points), f64(points)
    close([fl.jit(fl.grad(f))(v) for v in batch], wanted)
    for g in (*in_batches(f), fl.vmap(fl.grad(fl.jit(f)))):
        close(g(batch), wanted)


def test_scan_in_every_nesting():
    x = np.array([1.0, 2.0, 3.0])
    wanted = [(python_scanned(x + d) - python_scanned(x - d)) / 2e-6 for d in np.eye(3) * 1e-6]
    for g in (fl.grad(scanned), fl.jit(fl.grad(scanned)), fl.grad(fl.jit(scanned)), fl.grad(fl.checkpoint(scanned))):
        close(g(f64(x)), wanted)
    close(fl.vmap(fl.grad(scanned))(f64([x, x])), [wanted, wanted])
    close(fl.grad(lambda xs: fnp.sum(fl.vmap(scanned)(xs)))(f64([x, x])), [wanted, wanted])
    h = fl.hessian(scanned)(f64(x))
    for other in (fl.jacrev(fl.jacrev(scanned)), fl.jacfwd(fl.jacfwd(scanned)), fl.jit(fl.jacrev(fl.jacfwd(scanned)))):
        close(other(f64(x)), np.asarray(h))


def test_scan_reverse_and_results():
    last, rows = lax.scan(lambda c, x: (c + x, c), 0.0, fnp.arange(4.0), reverse=True)
    close(last, 6.0)
    close(rows, [6.0, 5.0, 3.0, 0.0])
    assert lax.scan(lambda c, _: (c, c), 1.0, None, length=0)[1].shape == (0,)


def test_scan_with_constant_start_has_a_gradient_by_closure():
    def loss(w):
        return lax.scan(lambda c, x: (fnp.tanh(w * c + x), None), 0.0, fnp.ones(3))[0]

    def python_loss(w):
        c = 0.0
        for _ in range(3):
            c = math.tanh(w * c + 1.0)
        return c

    close(fl.grad(loss)(0.7), slope(python_loss, [0.7])[0], 1e-5)


def test_while_loop_that_never_turns():
    f = lambda x: lax.while_loop(lambda c: c < 0.0, lambda c: c * 2.0, x)  # noqa: E731
    assert float(fl.grad(f)(3.0)) == 1.0
    assert float(fl.jit(fl.grad(f))(3.0)) == 1.0


def test_finished_elements_leak_no_nan():
    def f(x):  # log of a value that becomes negative after the element has finished
        return lax.while_loop(lambda c: c[0] > 1.0, lambda c: (c[0] - 1.0, c[1] + fnp.log(c[0])), (x, 0.0))[1]

    g = fl.vmap(fl.grad(f))(f64([1.5, 4.5]))
    close(g, slope(lambda v: sum(math.log(v - i) for i in range(int(v))), [1.5, 4.5]))


def test_carry_must_keep_its_type():
    with pytest.raises(TypeError, match=r"scan: the carry must keep its type.*f32\[\].*f32\[2\]"):
        lax.scan(lambda c, x: (x, None), fnp.asarray(1.0), fnp.ones((3, 2)))
    with pytest.raises(TypeError, match="while_loop's condition must give a scalar boolean"):
        lax.while_loop(lambda c: c, lambda c: c, 1.0)


def test_branches_must_agree():
    with pytest.raises(TypeError, match=r"false_fun gives f32\[\], true_fun gives f32\[2\]"):
        fl.jit(lambda x: lax.cond(x > 0, lambda x: fnp.ones(2), lambda x: x, x))(fnp.asarray(1.0))


# What a carry may be, and what is said of one that does not keep its type


def test_a_carry_never_loses_its_fraction():
    """A weak float in place of an integer was cut off in silence."""
    for loop in (
        lambda: lax.scan(lambda c, x: (c + 1.5, x), fnp.int32(1), fnp.arange(4.0)),
        lambda: lax.while_loop(lambda c: c < 3, lambda c: c + 1.5, fnp.int32(0)),
        lambda: lax.fori_loop(0, 3, lambda i, c: c + 1.5, fnp.int32(0)),
    ):
        with pytest.raises(
            TypeError, match=r"carry must keep its type, but it comes in as i32\[\] and goes out as f32\[\]"
        ):
            loop()
    assert lax.scan(lambda c, x: (0, x), fnp.float32(1), fnp.arange(4.0))[0].dtype == np.float32


def test_an_entry_of_a_carry_is_named_by_its_path():
    init = {"a": (fnp.int32(1), 2.0), "b": 3.0}

    def step(c, _):
        return {"a": (c["a"][0] * 1.5, c["a"][1]), "b": c["b"]}, None

    with pytest.raises(TypeError, match=r"its entry \['a'\]\[0\] comes in as i32\[\]"):
        lax.scan(step, init, None, length=2)


def test_weak_entries_stay_weak_where_nothing_promotes_them():
    assert lax.scan(lambda c, x: (c * 2, None), 1, None, length=3)[0].weak_type
    assert not lax.scan(lambda c, x: (c * 2.5, None), 1, None, length=3)[0].weak_type
    assert not lax.while_loop(lambda c: c < 3, lambda c: c + 1.5, 0).weak_type


@pytest.mark.parametrize("bounds", [(0, 4), (fnp.asarray(0), 4)])
@pytest.mark.parametrize("wrap", [lambda f: f, fl.jit])
def test_the_index_of_fori_loop_is_weak_if_both_bounds_are(wrap, bounds):
    out = wrap(lambda c: lax.fori_loop(0, 4, lambda i, c: c + i, c))(fnp.uint8(0))
    assert (int(out), out.dtype) == (6, np.uint8)
    out = wrap(lambda n, c: lax.fori_loop(0, n, lambda i, c: c + i, c))(4, fnp.uint8(0))
    assert (int(out), out.dtype) == (6, np.uint8)
    assert lax.fori_loop(np.int32(0), np.int32(4), lambda i, c: c + i, 0).weak_type is False


def test_scan_takes_a_pair_as_a_list():
    last, rows = lax.scan(lambda c, x: [c + x, c], 1.0, fnp.arange(3.0))
    assert float(last) == 4.0
    np.testing.assert_array_equal(rows, [1.0, 1.0, 2.0])


def test_switch_takes_its_operand_by_keyword():
    assert float(lax.switch(1, [lambda x: x, lambda x: 2.0 * x], operand=3.0)) == 6.0


@pytest.mark.parametrize(
    "call, message",
    [
        (
            lambda: lax.scan(lambda c, x: (c, x), 1.0, fnp.arange(3.0), unroll=-1),
            "unroll must be a boolean or a number",
        ),
        (lambda: lax.scan(3, 1.0, fnp.arange(3.0)), "scan needs a function, got 3"),
        (lambda: lax.while_loop(lambda x: x < 3, 3, 1.0), "while_loop needs a function, got 3"),
        (lambda: lax.fori_loop(0, 3, 3, 1.0), "fori_loop needs a function, got 3"),
        (lambda: lax.map(3, fnp.arange(3.0)), "map needs a function, got 3"),
        (lambda: lax.map(lambda x: x, 3.0), "map goes over the leading axis of arrays, but got one of rank 0"),
        (lambda: lax.cond(True, 1.0, lambda: 2.0), "cond, as its true_fun, needs a function, got 1.0"),
        (
            lambda: lax.while_loop(lambda x: (x < 3,), lambda x: x + 1, 0),
            r"must give a scalar boolean, got PyTreeDef\(\(\*,\)\)",
        ),
        (
            lambda: fl.jit(lambda n: lax.scan(lambda c, _: (c, None), 1.0, None, length=n))(3),
            "scan needs to know its length when it is traced",
        ),
        (
            lambda: fl.jit(lambda p: lax.cond(p, lambda: fnp.ones(2), lambda: fnp.ones(3)))(True),
            r"false_fun gives f32\[3\], true_fun gives f32\[2\]",
        ),
    ],
)
def test_what_loops_and_branches_refuse(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()


@pytest.mark.parametrize(
    "body", [lambda x: 0.5 * x + fnp.max(x), lambda x: fnp.linalg.solve(fnp.diag(1 + x * x), x)], ids=["max", "solve"]
)
def test_loops_of_a_batch_that_turn_more_or_less_often_have_derivatives(body):
    """What the shorter ones lack is filled up with residuals by which their derivatives must not divide."""

    def total(x):
        start = (fnp.sum(x), x)
        return fnp.sum(fnp.sin(lax.while_loop(lambda c: c[0] < 2.9, lambda c: (c[0] + 1, body(c[1])), start)[1]))

    def steepness(x):
        return fnp.sum(fl.grad(total)(x) ** 2)

    x = fnp.asarray(np.random.default_rng(0).normal(size=(4, 3)))
    first, second = (np.stack([np.asarray(fl.grad(f)(row)) for row in x]) for f in (total, steepness))
    mapped = {"vmap": lambda f: fl.vmap(f)(x), "map": lambda f: lax.map(f, x)}
    for name, over in mapped.items():
        np.testing.assert_allclose(over(fl.grad(total)), first, rtol=1e-9, err_msg=name)
    for f, want in ((fl.vmap(total), first), (lambda x: lax.map(total, x), first), (fl.vmap(steepness), second)):
        for wrap in (lambda g: g, fl.jit):
            np.testing.assert_allclose(wrap(fl.grad(lambda x: fnp.sum(f(x))))(x), want, rtol=1e-7)


def test_rows_of_matrices_on_a_backend_that_is_strict_about_indices(stranger):
    """The array API's standard does not say what fewer indices than axes mean."""
    with fl.use_backend("strict"):
        x = fl.device_put(fnp.arange(6.0).reshape(3, 2), "strict")
        np.testing.assert_array_equal(lax.map(lambda row: 2 * row, x), 2 * np.arange(6.0).reshape(3, 2))
        np.testing.assert_array_equal(fl.jit(lambda x: lax.map(fnp.sum, x))(x), [1, 5, 9])
