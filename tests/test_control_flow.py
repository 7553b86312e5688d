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


@pytest.mark.parametrize("f, reference", CASES)
def test_reverse_mode_in_every_nesting(f, reference):
    wanted = slope(reference, POINTS)
    batch = f64(POINTS)
    for g in (fl.grad(f), fl.jit(fl.grad(f)), fl.grad(fl.jit(f)), fl.jit(fl.grad(fl.jit(f)))):
        close([g(f64(v)) for v in POINTS], wanted)
    for g in (
        fl.vmap(fl.grad(f)),
        fl.jit(fl.vmap(fl.grad(f))),
        fl.vmap(fl.jit(fl.grad(f))),
        fl.grad(lambda x: fnp.sum(fl.vmap(f)(x))),
        fl.jit(fl.grad(lambda x: fnp.sum(fl.vmap(f)(x)))),
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
    with pytest.raises(TypeError, match=r"branch 0 gives f32\[\], branch 1 gives f32\[2\]"):
        fl.jit(lambda x: lax.cond(x > 0, lambda x: fnp.ones(2), lambda x: x, x))(fnp.asarray(1.0))
