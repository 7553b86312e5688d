"""Rows that loops need not stack for one another."""

from __future__ import annotations

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite.backend import default_backend
from functorch_lite.checking import check
from functorch_lite.passes import optimized
from functorch_lite.passes.spare import spare
from functorch_lite.staging import evaluate

rng = np.random.default_rng(0)
W, XS, H = (fnp.asarray(rng.normal(size=s).astype(np.float32)) for s in ((8, 8), (7, 5, 8), (5, 8)))


def spared(f, *args):
    """A program's scans, before and after."""
    closed = fl.make_program(f)(*args)
    program = optimized(closed.program, default_backend())
    out = spare(program, lambda e: e.primitive.name in ("exp", "tanh", "sin", "cos"))
    check(out)
    given = [*closed.consts, *fl.tree.leaves(args)]
    for x, y in zip(evaluate(out, *given), evaluate(program, *given), strict=True):
        np.testing.assert_array_equal(np.asarray(x), np.asarray(y))
    for x, y in zip(fl.tree.leaves(fl.jit(f)(*args)), evaluate(program, *given), strict=True):
        np.testing.assert_allclose(np.asarray(x), np.asarray(y), rtol=1e-4, atol=1e-5)
    return [[e for e in p.equations if e.primitive.name in ("scan", "while")] for p in (program, out)]


def rows(scan):
    """How many a scan reads, and how many it stacks."""
    p = scan.params
    if "cond" in p:
        n_carry = len(scan.operands) - p["n_cond"] - p["n_body"]
        return 0, len(scan.results) - n_carry
    return len(scan.operands) - p["n_consts"] - p["n_carry"], len(scan.results) - p["n_carry"]


@pytest.mark.parametrize("reverse", [False, True])
def test_a_derivative_is_made_of_the_value(reverse):
    def loss(w, xs, h):
        def step(h, x):
            h = fnp.tanh(x + h @ w)
            return h, (h, h * fnp.tanh(x))

        return sum((y**2).sum() for y in fl.lax.scan(step, h, xs, reverse=reverse)[1])

    (first, second), (lean, remaking) = spared(fl.grad(loss, (0, 1)), W, XS, H)
    assert rows(lean)[1] == rows(first)[1] - 2
    assert rows(remaking)[0] == rows(second)[0] - 2


@pytest.mark.parametrize("reverse", [False, True])
def test_a_value_is_stacked_once(reverse):
    def f(xs, h):
        last, (u, v, w, x) = fl.lax.scan(lambda c, x: (c + x, (c, c, c @ W, x)), h, xs)
        add = lambda c, r: (c * r[0] + r[1] @ W + r[2] + r[3], r[0])  # noqa: E731
        return fl.lax.scan(add, last, (u, v, w, xs), reverse=reverse), fl.lax.scan(add, last, (v, u, x, xs))[0]

    (first, *readers), (lean, *remaking) = spared(f, XS, H)
    assert (rows(first)[1], rows(lean)[1]) == (4, 2)
    assert [rows(r)[0] for r in readers] == [4, 4]
    assert [rows(r)[0] for r in remaking] == [3, 2]


def test_what_others_read_stays():
    def f(xs, h):
        last, (u, v) = fl.lax.scan(lambda c, x: (c + x, (c * x, c * x + 1.0)), h, xs)
        return fl.lax.scan(lambda c, r: (c * r[0] + r[1], None), last, (u, v))[0], v

    (first, _), (lean, _) = spared(f, XS, H)
    assert rows(first)[1] == rows(lean)[1] == 2
    (first, second), (lean, remaking) = spared(lambda *a: f(*a)[0], XS, H)
    assert (rows(first)[1], rows(lean)[1], rows(second)[0], rows(remaking)[0]) == (2, 1, 2, 1)


def test_rows_of_operands_serve_only_who_reads_them():
    def f(both, xs, h):
        last, v = fl.lax.scan(lambda c, x: (c + x, x * 2.0 + 1.0), h, xs)
        read = (v, xs) if both else (v, v)
        return fl.lax.scan(lambda c, r: (fnp.sin(c) * r[0] - r[1], None), last, read)[0]

    (_, _), (lean, remaking) = spared(lambda *a: f(True, *a), XS, H)
    assert (rows(lean)[1], rows(remaking)[0]) == (0, 1)
    (_, _), (lean, _) = spared(lambda *a: f(False, *a), XS, H)
    assert rows(lean)[1] == 1


def test_dear_values_and_those_of_several_readers_are_stacked():
    def f(xs, h):
        last, (u, v, w) = fl.lax.scan(lambda c, x: (c + x, (c * x, fnp.exp(c * x), 1.0 - c * x)), h, xs)
        a = fl.lax.scan(lambda c, r: (c * r[0] + r[1] - r[2], None), last, (u, v, w))[0]
        return a, fl.lax.scan(lambda c, r: (fnp.cos(c) * r, None), last, w)[0]

    (_, *_), (lean, *_) = spared(f, XS, H)
    assert rows(lean)[1] == 3


def test_loops_in_loops():
    def f(xs, h):
        def outer(c, _):
            return fl.grad(lambda h: fl.lax.scan(lambda h, x: (h * fl.nn.sigmoid(x * h), None), h, xs)[0].sum())(
                c
            ), None

        return fl.lax.scan(outer, h, None, length=3)[0]

    ((before,), (after,)) = spared(f, XS, H)
    inner = [[e for e in s.params["body"].equations if e.primitive.name == "scan"] for s in (before, after)]
    assert rows(inner[1][0])[1] < rows(inner[0][0])[1]


def test_a_while_loop_stacks_as_little():
    """Of tanh only the value; not that each turn was one; nothing for a loop that has no derivative."""

    def f(x):
        n = fl.lax.while_loop(lambda c: c[0] < 9.0, lambda c: (c[0] + x, c[1] + 1), (x, 0))[1]
        return fl.lax.fori_loop(0, n, lambda i, y: fnp.tanh(y), x)

    (count, first, _), (lean_count, lean, remaking) = spared(fl.grad(f), fnp.asarray(0.7))
    assert (rows(count)[1], rows(lean_count)[1]) == (1, 0)
    assert rows(first)[1] > 1
    assert rows(lean)[1] == rows(remaking)[0] == 1


def test_a_row_is_left_to_tell_how_many_turns_there_were():
    f = fl.grad(lambda x: fl.lax.while_loop(lambda c: c < 9.0, lambda c: c * 2.0, x))
    (first, _), (lean, remaking) = spared(f, fnp.asarray(0.7))
    assert rows(first)[1] == rows(lean)[1] == rows(remaking)[0] == 1


def test_loops_in_loops_stack_as_little():
    def inner(x):
        return fl.lax.while_loop(lambda c: c < 5.0, lambda c: c * 1.7 + fnp.sin(c) * 0.1, x)

    def f(x):
        return fl.lax.while_loop(lambda c: c < 9.0, lambda c: fnp.tanh(c) + inner(c), x)

    (first, _), (lean, remaking) = spared(fl.grad(f), fnp.asarray(0.7))
    assert rows(lean)[1] == rows(remaking)[0] < rows(first)[1]
