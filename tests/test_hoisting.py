"""What passes move out of loops, and what they leave there; results stay what they were."""

from __future__ import annotations

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite.backend import default_backend
from functorch_lite.checking import check
from functorch_lite.control import hoisting
from functorch_lite.passes import optimized
from functorch_lite.passes.contract import fold_transposes
from functorch_lite.passes.hoist import hoist
from functorch_lite.staging import evaluate

rng = np.random.default_rng(0)


def array(*shape):
    return fnp.asarray(rng.normal(size=shape).astype(np.float32))


W, U, V = array(24, 32), array(32, 32), array(32, 40)
XS, H = array(7, 5, 24), array(5, 32)


def relieved(f, *args):
    """The program with its loops relieved."""
    program = optimized(fl.make_program(f)(*args).program, default_backend())
    out = hoist(fold_transposes(program, lambda e: True), lambda e: e.primitive.name in ("exp", "tanh"))
    check(out)
    return out


def names(program):
    """The primitives outside of loops, and those in their bodies."""
    loops = [e for e in program.equations if e.primitive.subprograms]
    return (
        [e.primitive.name for e in program.equations],
        [e.primitive.name for loop in loops for e in loop.params["body"].equations],
    )


def agrees(f, *args):
    """Whether the program gives what the function does, and so does machine code."""
    expected = [np.asarray(x) for x in fl.tree.leaves(f(*args))]
    consts = fl.make_program(f)(*args).consts
    for got in (fl.jit(f)(*args), evaluate(relieved(f, *args), *consts, *fl.tree.leaves(args))):
        for x, y in zip(fl.tree.leaves(got), expected, strict=True):
            np.testing.assert_allclose(np.asarray(x), y, rtol=2e-4, atol=2e-4 * np.abs(y).max())
    return True


def rnn(w, u, xs, h):
    def step(h, x):
        h = fnp.tanh(x @ w + h @ u)
        return h, h

    return fl.lax.scan(step, h, xs)


def test_products_of_rows_are_one_before_the_loop():
    outside, inside = names(relieved(rnn, W, U, XS, H))
    assert (outside.count("dot_general"), inside.count("dot_general")) == (1, 1)
    assert agrees(rnn, W, U, XS, H)


def test_what_a_product_needs_goes_with_it():
    def f(w, xs, h):
        return fl.lax.scan(lambda h, x: (h * 0.5 + fnp.tanh(x) @ w, fnp.tanh(x).sum()), h, xs)

    outside, inside = names(relieved(f, W, XS, H))
    assert (outside.count("dot_general"), inside.count("dot_general"), inside.count("tanh")) == (1, 0, 1)
    assert agrees(f, W, XS, H)


@pytest.mark.parametrize("reverse", [False, True])
def test_products_of_results_are_one_after_the_loop(reverse):
    def f(u, v, xs, h):
        def step(h, x):
            h = fnp.tanh(h @ u + x[:, :1])
            return h, (fnp.sin(h @ v), h)

        return fl.lax.scan(step, h, xs, reverse=reverse)

    outside, inside = names(relieved(f, U, V, XS, H))
    assert (outside.count("dot_general"), inside.count("dot_general")) == (1, 1)
    assert (outside.count("sin"), inside.count("sin")) == (1, 0)
    assert agrees(f, U, V, XS, H)


def test_gradients_of_weights_are_one_contraction_after_the_loop():
    def loss(w, u, xs, h):
        return (rnn(w, u, xs, h)[1] ** 2).sum()

    f = fl.grad(loss, (0, 1, 2))
    program = relieved(f, W, U, XS, H)
    assert agrees(f, W, U, XS, H)
    loops = [e for e in program.equations if e.primitive.name == "scan"]
    assert len(loops) == 2
    assert [e.primitive.name for e in loops[1].params["body"].equations].count("dot_general") == 1
    shapes = [v.type.shape for v in loops[1].results]
    assert not {W.shape, U.shape} & set(shapes)  # no accumulators are left


def test_sums_of_several_products_leave_the_carry():
    def f(xs, h):
        def step(carry, x):
            h, s = carry
            h = fnp.cos(h)
            return (h, h.T @ x + (s + h.T @ (x * 2.0))), None

        return fl.lax.scan(step, (h, fnp.ones((32, 24))), xs)[0]

    outside, inside = names(relieved(f, XS, H))
    assert (outside.count("dot_general"), inside.count("dot_general")) == (2, 0)
    assert agrees(f, XS, H)


def test_a_sum_that_is_read_stays():
    def f(xs, h):
        def step(s, x):
            s = s + h.T @ x
            return s, s[0]

        return fl.lax.scan(step, fnp.zeros((32, 24)), xs)

    assert "add" in names(relieved(f, XS, H))[1]
    assert agrees(f, XS, H)


def test_what_is_the_same_in_all_turns_is_computed_once():
    def f(u, v, xs, h):
        return fl.lax.scan(lambda h, x: (h @ fnp.exp(u) * 1e-3 + (u @ v).sum(), x + 1.0), h, xs)

    outside, inside = names(relieved(f, U, V, XS, H))
    assert (outside.count("exp"), inside.count("exp")) == (1, 0)
    assert (outside.count("dot_general"), inside.count("dot_general")) == (1, 1)
    assert agrees(f, U, V, XS, H)


def test_loops_in_loops_are_relieved_all_the_way():
    def f(w, u, xs, h):
        return fl.lax.scan(lambda h, k: (rnn(w, u, xs, h * k)[0], None), h, fnp.arange(3.0))[0]

    outside, _ = names(relieved(f, W, U, XS, H))
    assert outside == ["scan"] or outside.index("dot_general") < outside.index("scan")
    assert agrees(f, W, U, XS, H)


def test_small_work_stays():
    def f(w, xs, h):
        return fl.lax.scan(lambda h, x: (fnp.tanh(h + x @ w), None), h, xs)[0]

    assert "dot_general" in names(relieved(f, array(3, 3), array(9, 2, 3), array(2, 3)))[1]


def test_what_would_take_much_memory_stays(monkeypatch):
    def f(w, xs):
        return fl.lax.scan(lambda h, x: (h * 0.5 + (x @ w).sum(), None), 0.0, xs)[0]

    w = array(24, 2000)
    assert "dot_general" not in names(relieved(f, w, XS))[1]
    monkeypatch.setattr(hoisting, "FREE", 0)
    assert "dot_general" in names(relieved(f, w, XS))[1]


def test_a_loop_that_only_sums_is_none():
    def f(w, xs, h):
        return fl.lax.scan(lambda h, x: (h + x @ w, None), h, xs)[0]

    assert "scan" not in names(relieved(f, W, XS, H))[0]
    assert agrees(f, W, XS, H)


def test_effects_stay_in_their_turns(capsys):
    def f(w, xs):
        def step(s, x):
            y = x @ w
            fl.debug.print("{}", y.sum() > 1e9)
            return s + y.sum(), None

        return fl.lax.scan(step, 0.0, xs)[0]

    out = fl.jit(f)(W, XS)
    assert capsys.readouterr().out.count("False") == 7
    np.testing.assert_allclose(float(out), float(np.sum(np.asarray(XS) @ np.asarray(W))), rtol=1e-3)


def test_exact_programs_keep_their_loops():
    eager = rnn(W, U, XS, H)
    exact = fl.jit(rnn, exact=True)(W, U, XS, H)
    for x, y in zip(fl.tree.leaves(eager), fl.tree.leaves(exact), strict=True):
        np.testing.assert_array_equal(np.asarray(x), np.asarray(y))


def test_under_vmap_and_twice_differentiated():
    def loss(u, h):
        return (rnn(W, u, XS, h)[1] ** 2).sum()

    assert agrees(fl.vmap(fl.grad(loss), (None, 0)), U, array(3, 5, 32))
    assert agrees(lambda u: fl.jvp(fl.grad(lambda u: loss(u, H)), (u,), (u,))[1], U)


def random_scan(seed):
    """A function with a scan of products, sums and elementwise operations in any order, and its arguments."""
    random = np.random.default_rng(seed)
    n, turns = 3, int(random.integers(2, 5))
    counts = random.integers(1, 3, 3)

    def arrays(count, *leading):
        return [fnp.asarray(random.normal(size=(*leading, n, n)).astype(np.float32)) for _ in range(count)]

    args = (arrays(counts[0]), arrays(counts[1]), arrays(counts[2], turns))
    plan = [(int(random.integers(6)), *random.integers(0, 100, 2)) for _ in range(int(random.integers(3, 9)))]
    ends = [(bool(random.integers(2)), int(random.integers(100))) for _ in range(counts[1])]
    rows = [int(random.integers(100)) for _ in range(int(random.integers(0, 3)))]
    reverse = bool(random.integers(2))

    def f(consts, carry, xs):
        def body(carry, xs):
            pool = [*consts, *carry, *xs]
            for kind, i, j in plan:
                a, b = pool[i % len(pool)], pool[j % len(pool)]
                made = [lambda: a @ b, lambda: a.T @ b, lambda: a + b, lambda: a * b, lambda: fnp.tanh(a), lambda: a.T]
                pool.append(made[kind]() if kind not in (0, 1) else made[kind]() * 0.3)
            last = [
                c + pool[k % len(pool)] if adds else fnp.tanh(pool[k % len(pool)])
                for c, (adds, k) in zip(carry, ends, strict=True)
            ]
            return last, [pool[k % len(pool)] for k in rows]

        return fl.lax.scan(body, carry, xs, reverse=reverse)

    return f, args


@pytest.mark.parametrize("seed", range(40))
def test_random_loops(seed, monkeypatch):
    monkeypatch.setattr(hoisting, "MUCH", 0)  # everything that can be moved is
    f, args = random_scan(seed)
    assert agrees(f, *args)

    def loss(*args):
        return sum((fnp.sin(x)).sum() for x in fl.tree.leaves(f(*args)))

    assert agrees(fl.grad(loss, (0, 1, 2)), *args)
