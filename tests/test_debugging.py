"""What helps to look inside: `disable_jit`, `debug_nans`, `named_scope`, `debug.print`, `debug.callback`."""

from __future__ import annotations

import functools
import sys
import threading

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite import lax
from functorch_lite.arrays import eager
from functorch_lite.extend import Array
from functorch_lite.tracing import context


def test_disable_jit_runs_the_function_as_it_stands():
    seen = []

    @fl.jit
    def f(x, n=2):
        seen.append(type(x))
        return x * n if x.sum() > 0 else -x  # needs a value

    x = fnp.ones(3)
    with pytest.raises(TypeError, match=r"where or lax\.cond"):
        f(x)
    g = fl.jit(lambda x: (seen.append(type(x)), x + 1.0)[1])
    g(x), g(x), g(x)
    seen.clear()
    with fl.disable_jit():
        np.testing.assert_array_equal(f(x), 2 * np.ones(3))
        np.testing.assert_array_equal(f(-x, n=3), np.ones(3))
        g(x)
        np.testing.assert_array_equal(fl.grad(lambda x: f(x).sum())(x), 2 * np.ones(3))
        with fl.disable_jit(False):
            g(x)
    assert seen[:3] == [Array] * 3
    assert len(seen) == 4
    seen.clear()
    g(x)
    assert seen == []


def test_disable_jit_makes_loops_of_python():
    seen = []

    def step(c, x):
        seen.append(float(c))
        return c + x, {"row": c, "none": None}

    with fl.disable_jit():
        last, rows = fl.jit(lambda: lax.scan(step, 1.0, fnp.arange(3.0), reverse=True))()
        assert seen == [1.0, 3.0, 4.0]
        assert float(lax.while_loop(lambda x: seen.append(float(x)) or x < 10.0, lambda x: 2.0 * x, 1.0)) == 16.0
        assert float(fl.grad(lambda x: lax.fori_loop(0, 3, lambda i, c: c * x, x))(2.0)) == 32.0
        np.testing.assert_array_equal(
            fl.vmap(lambda n: lax.while_loop(lambda x: x < n, lambda x: x + 1, 0))(fnp.arange(3)), np.arange(3)
        )
        assert lax.scan(lambda c, x: (c, x), 1.0, fnp.zeros((0,)))[1].shape == (0,)
    want_last, want_rows = lax.scan(lambda c, x: (c + x, {"row": c, "none": None}), 1.0, fnp.arange(3.0), reverse=True)
    assert float(last) == float(want_last)
    np.testing.assert_array_equal(rows["row"], want_rows["row"])


@pytest.mark.parametrize(
    "call",
    [
        lambda: fnp.log(fnp.asarray(-1.0)),
        lambda: fl.jit(lambda x: 2.0 * fnp.log(x - 2.0))(1.0),
        lambda: fl.jit(lambda x: fl.jit(lambda y: fnp.log(y))(x) + 1.0)(-1.0),
        lambda: fl.vmap(fnp.log)(fnp.asarray([1.0, -1.0])),
        lambda: fl.grad(lambda x: fnp.log(x))(-1.0),
        lambda: fl.grad(fl.jit(lambda x: fnp.log(x)))(-1.0),
        lambda: lax.scan(lambda c, x: (fnp.log(c), None), 0.5, None, length=3),
    ],
)
def test_debug_nans(call):
    call()
    with fl.debug_nans(), pytest.raises(FloatingPointError, match=r"(log|scan) gave NaN\n  at .*test_debugging\.py"):
        call()
    with fl.debug_nans(), fl.debug_nans(False):
        call()
    with fl.debug_infs():
        call() if "scan" not in call.__code__.co_names else None
    assert context.trace is eager


def test_debug_nans_lets_good_values_pass():
    x = fnp.arange(1.0, 4.0)
    with fl.debug_nans(), fl.debug_infs():
        np.testing.assert_allclose(fl.jit(fl.grad(lambda x: fnp.log(x).sum()))(x), 1 / np.arange(1.0, 4.0))
        np.testing.assert_allclose(x / 2.0, np.arange(1.0, 4.0) / 2)
    with fl.debug_infs(), pytest.raises(FloatingPointError, match="div gave an infinity"):
        x / 0.0


def test_named_scopes_are_in_programs_and_errors():
    def f(x):
        with fl.named_scope("outer"), fl.named_scope("inner"):
            y = fnp.sin(x)
        return y + 1.0

    program = fl.make_program(f)(1.0).program
    assert [e.source.scope for e in program.equations] == ["outer/inner", ""]
    assert "(f) in outer/inner" in fl.jit(f).lower(1.0).profile(1.0) or len(program.equations) == 2
    with fl.named_scope("block"), pytest.raises(ValueError, match=r"\) in block$"):
        fnp.ones(2) + fnp.ones(3)


def test_errors_inside_leave_nothing_behind():
    """An exception in a traced function, or a generator left half way, must not leave its trace as the current one."""

    def fails(*_):
        raise KeyError("mine")

    x = fnp.ones(3)
    calls = [
        lambda: fl.grad(fails)(1.0),
        lambda: fl.jvp(fails, (1.0,), (1.0,)),
        lambda: fl.vjp(fails, 1.0),
        lambda: fl.vmap(fails)(x),
        lambda: fl.jit(fails)(x),
        lambda: fl.make_program(fails)(x),
        lambda: lax.scan(fails, 1.0, x),
        lambda: lax.while_loop(lambda c: c < 1.0, fails, 0.0),
        lambda: fl.grad(fl.checkpoint(fails))(1.0),
        lambda: fl.jit(fl.vmap(fl.grad(fails)))(x),
        lambda: fl.pure_callback(fails, fl.ShapeDtypeStruct((), "float32"), 1.0),
    ]
    for call in calls:
        with pytest.raises(KeyError, match="mine"):
            call()
        assert context.trace is eager

    def rows(x):
        for i in range(3):
            yield x * i

    half = rows(2.0)
    assert float(fl.grad(lambda x: sum(rows(x)))(1.0)) == 3.0
    assert float(fl.jit(lambda x: next(rows(x)) + x)(1.0)) == 1.0
    assert next(half) == 0.0
    assert context.trace is eager


def test_threads_have_traces_of_their_own():
    """Each thread has its current trace; caches are shared, and the results are those of one thread."""
    f = fl.jit(lambda x: fnp.sin(x) * x)
    problems, barrier = [], threading.Barrier(6)

    def work(k):
        try:
            barrier.wait()
            for i in range(20):
                x = fnp.arange(float(1 + (i + k) % 5))
                want = np.cos(x) * np.asarray(x) + np.sin(x)
                np.testing.assert_allclose(fl.grad(lambda x: f(x).sum())(x), want, rtol=1e-5, atol=1e-6)
                np.testing.assert_allclose(fl.vmap(fl.grad(lambda x: fnp.sin(x) * x))(x), want, rtol=1e-5, atol=1e-6)
                np.testing.assert_allclose(fl.jit(lambda x: f(x) + k)(x), np.sin(x) * np.asarray(x) + k, rtol=1e-5)
        except Exception as problem:
            problems.append(problem)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not problems


def test_print_in_every_form(capsys):
    def f(x):
        fl.debug.print("{} {y}", x, y=2 * x, ordered=True)
        fl.debug.print("{x:.3f} {0!r} {1[a]} {2.shape} {{}}", "s", {"a": 1}, fnp.ones(2), x=x, partitioned=False)
        fl.debug.print("{}", x, x, skip_format_check=True)
        fl.debug.print("{0:.{1}f}", x, 2)
        fl.debug.print("done")
        return x

    for g in (f, fl.jit(f), fl.grad(f)):
        g(1.5)
        assert capsys.readouterr().out == "1.5 3.0\n1.500 's' 1 (2,) {}\n1.5\n1.50\ndone\n"


def test_callback_in_every_form(capsys):
    seen = []

    def note(*args, **kwargs):
        seen.append((args, kwargs))
        return 3

    def f(x):
        fl.debug.callback(note, x, {"a": x}, ordered=True, k=(x, "text"))
        fl.debug.callback(functools.partial(print, "x is", end="!\n"), x, partitioned=True)
        return x

    fl.jit(f)(1.0)
    ((args, kwargs),) = seen
    assert args == (1.0, {"a": 1.0})
    assert kwargs == {"k": (1.0, "text")}
    assert capsys.readouterr().out == "x is 1.0!\n"


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda x: fl.debug.print("{} {}", x), "names values that are not given: 1. Each value is named"),
        (lambda x: fl.debug.print("{y}", x=x), "names values that are not given: y"),
        (lambda x: fl.debug.print("{}", x, x, y=x), "leaves values out: 1, y"),
        (lambda x: fl.debug.print(x), "takes a format first, got .*write debug.print"),
        (lambda x: fl.debug.callback(x), "debug.callback needs a function"),
    ],
)
def test_mistakes_are_told_when_the_function_is_traced(call, message):
    with pytest.raises((ValueError, TypeError), match=message) as raised:
        fl.make_program(call)(1.0)
    assert "test_debugging.py" in str(raised.value)


def test_threads_may_trace_one_function_for_many_shapes():
    f = fl.jit(lambda x: x + 1, exact=True)
    problems = []

    def work(k):
        try:
            for n in range(k, 1600, 4):
                assert f(fnp.ones(n)).shape == (n,)
        except Exception as error:
            problems.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    finally:
        sys.setswitchinterval(interval)
    assert not problems
