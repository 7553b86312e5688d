"""Programs run a draft of their machine code until the final edition is there; both give the same bits."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite", reason="the compiler needs llvmlite")

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite import lax
from functorch_lite_numpy import set_threads
from functorch_lite_numpy.compiler import cache, compile, editions, engine, parts, processor
from functorch_lite_numpy.compiler.entry import Code
from functorch_lite_numpy.compiler.unit import Source

from .checks import assert_same

X = fnp.asarray(np.random.default_rng(0).normal(size=(37, 45)).astype(np.float32))
PROGRAMS: dict[str, Callable[[Any], Any]] = {
    "softmax": lambda x: fl.nn.softmax(x, axis=1),
    "sums over each axis": lambda x: (x.sum(0), x.sum(1), x.max(), x.mean()),
    "functions": lambda x: fnp.sin(x) * fnp.exp(x) + fnp.log1p(x * x) - fnp.tanh(x) / fnp.sqrt(1 + x * x),
    "halves": lambda x: (x.astype(fnp.float16) * 1.1).sum(0),
    "float64": lambda x: fnp.cumsum(fnp.expm1(x.astype(fnp.float64)), axis=1),
    "complex": lambda x: fnp.exp(1j * x) * (x - 2j),
    "integers": lambda x: (x * 100).astype(int) // 7 + ((x * 100).astype(int) << 2),
    "product": lambda x: fnp.tanh(x @ x.T),
    "order": lambda x: (fnp.sort(x, axis=1), fnp.argmax(x, axis=0), fnp.argsort(x[0])),
    "places": lambda x: x.at[fnp.arange(20) % 7].add(1.5)[:, ::-2],
    "convolution": lambda x: lax.conv(x[None, None], x[None, None, :3, :3], (1, 1), "SAME"),
    "solution": lambda x: fnp.linalg.solve(x[:8, :8], x[:8, 8]),
    "spectrum": lambda x: fnp.fft.rfft(x[:, :32]),
    "draws": lambda x: x[0, 0] + fl.random.normal(fl.random.key(3), (99,)),
    "turns": lambda x: lax.scan(lambda c, row: (fnp.tanh(c + row), c.sum()), x[0], x),
    "branches": lambda x: lax.cond(x[0, 0] > 0, lambda x: x * 2.5, lambda x: fnp.cos(x), x),
    "gradient": fl.grad(lambda x: fnp.sum(fnp.tanh(x @ x.T) ** 2)),
}


@pytest.fixture(autouse=True)
def tasks(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Callable[[], None]]]:
    """What would be done in a thread."""
    found: list[Callable[[], None]] = []
    monkeypatch.setenv("FUNCTORCH_LITE_DRAFTS", "on")
    monkeypatch.setattr(editions, "afterwards", lambda task: found.append(task))
    cache.forget()
    set_threads(2)
    yield found
    set_threads(None)
    while found:
        found.pop()()


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[Code]:
    """Programs that have taken their final edition."""
    found: list[Code] = []
    take = Code.take
    monkeypatch.setattr(Code, "take", lambda self, library: (found.append(self), take(self, library)))
    return found


@pytest.mark.parametrize("name", PROGRAMS)
def test_both_editions_give_the_same_bits(name: str, tasks: list[Any], taken: list[Code]) -> None:
    f = fl.jit(PROGRAMS[name])
    draft = f(X)
    assert tasks
    while tasks:
        tasks.pop(0)()
    assert taken
    assert_same(f(X), draft, name)


@pytest.mark.skipif(not processor.joins(), reason="modules stay whole here")
@pytest.mark.parametrize("drafts", ["on", "off"])
@pytest.mark.parametrize("enough", [1, 60])
@pytest.mark.parametrize("name", [*PROGRAMS, "turns and more", "more and turns"])
def test_bits_do_not_depend_on_what_is_compiled_meanwhile(
    name: str, enough: int, drafts: str, tasks: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What became a part of a loop is written once more for what follows; what is needed before the loop does not become one."""

    def turns(x: Any) -> Any:
        y = fnp.sort(x[0, :3])
        y = y if name == "turns and more" else fnp.tanh(y) * 2.5
        y, _ = lax.scan(lambda c, _: (fnp.tanh(c) * 2.5, None), y, None, length=7)
        return fnp.tanh(y) * 2.5

    f = PROGRAMS.get(name, turns)
    monkeypatch.setenv("FUNCTORCH_LITE_CACHE", "off")
    monkeypatch.setenv("FUNCTORCH_LITE_DRAFTS", "off")
    whole = fl.jit(lambda x: f(x))(X)
    cache.forget()
    monkeypatch.setenv("FUNCTORCH_LITE_DRAFTS", drafts)
    monkeypatch.setattr(parts, "ENOUGH", enough)
    run = fl.jit(lambda x: f(x))
    assert_same(run(X), whole, name)
    while tasks:
        tasks.pop(0)()
    assert_same(run(X), whole, name)


def test_equal_programs_wait_for_one_edition(tasks: list[Any], taken: list[Code]) -> None:
    runs = [fl.jit(lambda x: fnp.exp(x) * 0.125) for _ in range(3)]
    drafts = [f(X) for f in runs]
    assert len(tasks) == 1
    tasks.pop()()
    assert len({id(code) for code in taken}) == 3
    assert_same([f(X) for f in runs], drafts)


def test_threads_that_make_equal_programs_wait_for_one_edition(
    tasks: list[Any], taken: list[Code], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where each finds that no other has made one yet."""
    both, emitted = threading.Barrier(2), compile.emitted
    monkeypatch.setattr(compile, "emitted", lambda program: (emitted(program), both.wait())[0])
    runs = [fl.jit(lambda x: fnp.exp(x) * 0.15625) for _ in range(2)]
    together = [threading.Thread(target=f, args=(X,)) for f in runs]
    for thread in together:
        thread.start()
    for thread in together:
        thread.join()
    assert len(tasks) == 1
    tasks.pop()()
    assert len({id(code) for code in taken}) == 2
    assert not editions._drafts


def test_what_was_dropped_is_kept_for_others(tasks: list[Any], taken: list[Code]) -> None:
    assert_same(fl.jit(lambda x: fnp.exp(x) * 0.25)(X), fl.jit(lambda x: fnp.exp(x) * 0.25)(X))
    fl.clear_caches()
    tasks.pop()()
    fl.jit(lambda x: fnp.exp(x) * 0.25)(X)
    assert not tasks


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """What LLVM is given: the text, and how much it shall optimise."""
    found: list[tuple[str, int]] = []
    machine_code = engine.machine_code
    monkeypatch.setattr(engine, "machine_code", lambda *each: (found.append(each), machine_code(*each))[1])
    return found


def levels(given: list[tuple[str, int]], name: str) -> set[int]:
    """How much functions whose names begin so were optimised."""
    return {level for text, level in given if re.search(rf'define [^@]*@"{name}\d+"', text)}


@pytest.mark.parametrize(
    "f",
    [
        lambda x: lax.while_loop(lambda c: c[0] > 1e-3, lambda c: (c[0] / 2, fnp.sin(c[1])), (x[0, 0], x)),
        lambda x: lax.fori_loop(0, 5_000_000, lambda i, c: c * 0.5 + 0.25, x[0, :3]),
    ],
)
def test_loops_of_unknown_length_and_long_work_have_no_draft(
    f: Callable[[Any], Any], given: list[tuple[str, int]]
) -> None:
    fl.jit(f)(X)
    assert levels(given, "loop") == levels(given, "turn") == {2}


def test_a_draft_takes_pains_with_an_inner_loop_alone(given: list[tuple[str, int]]) -> None:
    def inner(i: Any, c: Any) -> Any:
        return lax.fori_loop(0, 9000, lambda i, c: c * 0.5, c)

    fl.jit(lambda x: lax.fori_loop(0, 9000, inner, x[0, :3]))(X)
    assert levels(given, "loop") == {0, 2}


def test_a_draft_takes_pains_with_what_works_for_long(tasks: list[Any], given: list[tuple[str, int]]) -> None:
    """The tiles of a large convolution, but not what brings them their numbers."""
    images, filters = fnp.ones((16, 32, 32, 32), np.float32), fnp.ones((32, 32, 3, 3), np.float32)
    f = fl.jit(lambda x, w: lax.conv(x, w, (1, 1), "SAME"))
    draft = f(images, filters)
    assert levels(given, "tile") == {2}
    assert levels(given, "conv") == {0}
    given.clear()
    tasks.pop()()
    assert levels(given, "tile") == set()
    assert levels(given, "conv") == {2}
    assert_same(f(images, filters), draft)


def test_a_draft_takes_no_pains_with_what_is_around_a_nest(given: list[tuple[str, int]]) -> None:
    """What fills the parts' copies of sums, and adds them up."""
    fl.jit(fl.grad(lambda x, w: (fnp.tanh(x * w) * fl.nn.gelu(x + w)).sum(), (0, 1)))(
        fnp.ones((8192, 768)), fnp.ones(768)
    )
    assert levels(given, "fill") == levels(given, "combine") == {0}


def test_no_more_than_some_wait(tasks: list[Any]) -> None:
    for k in range(editions.MOST_WAITING + 3):
        fl.jit(lambda x, k=k: fnp.exp(x) * (k + 0.5))(X)
    assert len(tasks) == editions.MOST_WAITING


def test_who_makes_the_final_edition_gives_way_before_each_part(
    tasks: list[Any], given: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[Any] = []
    f = fl.jit(PROGRAMS["gradient"])
    f(X)
    given.clear()
    monkeypatch.setattr(editions, "give_way", lambda: order.append(len(given)))
    tasks.pop()()
    assert order == list(range(len(given)))
    assert given


def test_a_draft_goes_on_if_the_final_edition_fails(tasks: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    f = fl.jit(lambda x: fnp.exp(x) * 0.625)
    draft = f(X)

    def fail(self: Source, between: Any) -> bytes:
        raise RuntimeError("no room")

    monkeypatch.setattr(Source, "compiled", fail)
    with pytest.warns(RuntimeWarning, match=r"RuntimeError: no room.*draft.*report"):
        tasks.pop()()
    assert_same(f(X), draft)
    assert not editions._drafts


SHORT = """
import functorch_lite as fl, functorch_lite.numpy as fnp
from functorch_lite_numpy import set_threads
from functorch_lite_numpy.compiler import editions, engine
set_threads({threads})
made, machine_code = [], engine.machine_code
engine.machine_code = lambda *a: made.append(a) or machine_code(*a)
print(fl.jit(lambda x: fnp.tanh(x) * fnp.exp(x))(fnp.arange(3.0)).sum(), len(made) - len(editions._drafts))
"""


@pytest.mark.parametrize("threads", [1, 2])
def test_a_process_that_ends_early_leaves_the_final_edition(threads: int, tmp_path: Path) -> None:
    environment = {**os.environ, "FUNCTORCH_LITE_CACHE": str(tmp_path), "FUNCTORCH_LITE_DRAFTS": "on"}
    command = [sys.executable, "-c", SHORT.format(threads=threads)]
    first, second = (
        subprocess.run(command, capture_output=True, text=True, env=environment, check=True) for _ in range(2)
    )
    assert not first.stderr
    assert second.stdout.split() == [first.stdout.split()[0], "0"]
