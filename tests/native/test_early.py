"""A program's first calls, before the way in is made: as those that come later."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite", reason="the compiler needs llvmlite")

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite import lax
from functorch_lite.extend import Array
from functorch_lite.transforms import jit as jit_module
from functorch_lite_numpy.compiler import background, cache, early, native
from functorch_lite_numpy.compiler.entry import entry
from functorch_lite_numpy.compiler.fast_path import way_in
from functorch_lite_numpy.compiler.native import make_ways_in

X = fnp.asarray(np.random.default_rng(0).normal(size=(40, 50)).astype(np.float32))
PROGRAMS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "elements": (lambda x: fnp.sin(x) + 1, (X,)),
    "scalars": (lambda x, y: (x + y, x * 2.5, fnp.stack([x, y])), (fnp.asarray(2.0), fnp.float32(3))),
    "none": (lambda: fnp.arange(10) * 2, ()),
    "working memory": (lambda x: fnp.linalg.inv(x @ x.T + 50 * fnp.eye(40)) @ x, (X,)),
    "not contiguous": (lambda x: x * 2, (X[::2, ::-3].T,)),
    "passed on": (lambda x, y: (y + 1, x, (x.sum(), y)), (X, X[0])),
    "passed on alone": (lambda x, y: (y, x, x.sum(0)), (X, X * 2)),
    "half": (lambda x: (x.astype("bfloat16") * 3, x.astype("float16"), x > 0), (X,)),
    "complex": (lambda x: fnp.fft.rfft(x), (X,)),
    "turns": (lambda x: lax.scan(lambda c, row: (fnp.tanh(c + row), c.sum()), x[0], x), (X,)),
    "sequences": (
        fl.grad(lambda x: lax.while_loop(lambda c: c.sum() < 50, lambda c: c * 1.1 + 0.1, x).sum()),
        (fnp.ones(3),),
    ),
    "no elements": (lambda x: (x[:0] + 1, x.sum()), (X,)),
}


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """There is no way in until this is called."""
    make_ways_in()
    monkeypatch.setenv("FUNCTORCH_LITE_DRAFTS", "off")
    monkeypatch.setattr(early, "find_entry", lambda: entry.is_done)
    monkeypatch.setattr(native, "afterwards", lambda task, soon: None)
    cache.forget()
    made = {way: way._made for way in (entry, way_in)}
    for way in made:
        monkeypatch.setattr(way, "_made", [])

    def make() -> None:
        for way, value in made.items():
            way._made = value

    return make


@pytest.mark.parametrize("name", PROGRAMS)
def test_first_calls_are_as_later_ones(name: str, make: Callable[[], None]) -> None:
    function, args = PROGRAMS[name]
    jitted = fl.jit(function)
    first, second = jitted(*args), jitted(*args)
    assert not entry.is_done
    assert jitted.cache[jit_module._LAST] is None
    make()
    third, fourth = jitted(*args), jitted(*args)
    for other in (second, third, fourth):
        assert fl.tree.structure(other) == fl.tree.structure(first)
        for a, b in zip(fl.tree.leaves(other), fl.tree.leaves(first), strict=True):
            assert type(a) is type(b) is Array
            assert (a.type, type(a.buffer)) == (b.type, type(b.buffer))
            np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


def test_a_result_that_is_an_operand_is_passed_on(make: Callable[[], None]) -> None:
    x = fnp.arange(10000.0)
    y, z = fl.jit(lambda x: (x, x + 1))(x)
    assert np.shares_memory(np.asarray(y), np.asarray(x))
    assert not np.shares_memory(np.asarray(z), np.asarray(x))


def test_a_program_with_another_number_of_operands(make: Callable[[], None]) -> None:
    """It would read what is not there."""
    fl.jit(lambda x: x + 1).lower(X)
    run = fl.jit(lambda x: x + 1)
    run(X)
    (found,) = [e for key, e in run.cache.items() if key is not jit_module._LAST]
    with pytest.raises(SystemError, match="a program of 1 operands was called with 2"):
        found.run(X.buffer, X.buffer)


def output(source: str, **settings: str) -> str:
    environment = {**os.environ, **settings}
    command = [sys.executable, "-c", source]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


INTERRUPTED = """
import os, signal, threading, time
os.environ.update(FUNCTORCH_LITE_CACHE="off")
import functorch_lite as fl
from functorch_lite import lax, numpy as fnp
seen = []
def interrupt():
    time.sleep(2)
    seen.append("another thread")
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt, daemon=True).start()
try:
    fl.jit(lambda x: lax.while_loop(lambda c: c[0] >= 0, lambda c: (c[0] * 0.5, fnp.sin(c[1])), (x, x)))(fnp.ones(()))
except KeyboardInterrupt as error:
    print(*seen, "interrupted", error.__cause__, error.__context__)
"""


def test_the_first_call_can_be_interrupted() -> None:
    """A loop without end; meanwhile other threads work."""
    assert output(INTERRUPTED) == "another thread interrupted None None"


def test_what_comes_afterwards_waits_for_the_first_result() -> None:
    done: list[float] = []
    background.hurry()
    start = time.perf_counter()
    background.afterwards(lambda: done.append(time.perf_counter() - start))
    time.sleep(0.1)
    assert not done
    background.be_calm()
    while not done and time.perf_counter() - start < 10:
        time.sleep(0.01)
    assert 0.1 + background._QUIET <= done[0] < 0.9


def wait_for(what: Callable[[], Any]) -> None:
    end = time.perf_counter() + 20
    while not what() and time.perf_counter() < end:
        time.sleep(0.01)
    assert what()


def test_one_after_another_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is traced again and again, and never run, would keep all else from being made."""
    monkeypatch.setattr(background, "_PATIENCE", 0.2)
    done: list[int] = []
    background.hurry()
    background.afterwards(lambda: (background.give_way(), done.append(1)))
    end = time.perf_counter() + 20
    while not done and time.perf_counter() < end:
        fl.eval_shape(fl.jit(lambda x: x + 1), X)
        background.hurry()
    background.be_calm()
    assert done


def test_one_thread_does_all_and_what_is_wanted_soon_first() -> None:
    order: list[Any] = []
    background.hurry()
    for k in range(3):
        background.afterwards(lambda k=k: order.append((k, threading.get_ident())))
    background.afterwards(lambda: order.append(("first", threading.get_ident())), soon=True)
    background.be_calm()
    wait_for(lambda: len(order) == 4)
    names, threads = zip(*order, strict=True)
    assert names == ("first", 0, 1, 2)
    assert len(set(threads)) == 1


def test_where_threads_cannot_be_started_the_next_program_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[int] = []
    wait_for(lambda: not background._leisure.waiting)

    def start(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        background.afterwards(lambda: done.append(1))
    background.hurry()
    background.be_calm()
    wait_for(lambda: done)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_fork_does_not_wait_while_others_trace() -> None:
    done: list[int] = []
    background.hurry()
    background.afterwards(lambda: done.append(1))
    start = time.perf_counter()
    child = os.fork()
    if not child:
        os._exit(0)
    assert time.perf_counter() - start < 0.5
    os.waitpid(child, 0)
    assert not done
    background.be_calm()
    wait_for(lambda: done)


def test_tracing_begins_a_hurry_and_a_first_result_ends_it() -> None:
    left: list[float] = []

    def f(x: Any) -> Any:
        left.append(background._leisure.quiet_from - time.perf_counter())
        return x * 0.6875

    fl.jit(f)(X)
    left.append(background._leisure.quiet_from - time.perf_counter())
    assert left[0] > 0.5 > left[1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_child_does_what_its_parent_has_yet_to_do() -> None:
    """Else it would run a draft for ever."""
    source = """
import os, time, warnings
warnings.simplefilter("ignore")
import functorch_lite as fl, functorch_lite.numpy as fnp
from functorch_lite_numpy.compiler.entry import Code
from functorch_lite_numpy.compiler.fast_path import way_in
taken = []
take = Code.take
Code.take = lambda self, library: (taken.append(1), take(self, library))
program = fl.jit(lambda x: fnp.exp(fnp.sin(x)).sum(0)).lower(fnp.ones((64, 64))).compile()  # and it waits to be run
assert not (taken or way_in.is_done)
child = os.fork()
if not child:
    end = time.time() + 20
    while time.time() < end and not (taken and way_in.is_done):
        time.sleep(0.01)
    os._exit(len(taken))
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    settings = {"FUNCTORCH_LITE_DRAFTS": "on", "FUNCTORCH_LITE_THREADS": "2", "FUNCTORCH_LITE_CACHE": "off"}
    assert output(source, **settings) == "1"


def test_it_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that is compiled may never run."""
    monkeypatch.setattr(background, "_LONGEST", 0.05)
    done: list[int] = []
    background.hurry()
    background.afterwards(lambda: done.append(1))
    for _ in range(1000):
        if done:
            break
        time.sleep(0.01)
    background.be_calm()
    assert done
