"""Modules cut into parts, which are compiled at the same time."""

from __future__ import annotations

import ctypes
import re
import sys
import threading

import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp

pytest.importorskip("llvmlite", reason="the compiler needs llvmlite")
from functorch_lite_numpy.compiler import ir, parts, processor
from functorch_lite_numpy.compiler.engine import machine_code
from functorch_lite_numpy.compiler.linking import load
from functorch_lite_numpy.compiler.losses import Losses
from functorch_lite_numpy.compiler.types import I64, constant
from functorch_lite_numpy.compiler.workers import Workers, brisk
from functorch_lite_numpy.forking import whole


def module_of_two() -> ir.Module:
    """`double` reads a constant and a variable that `conductor`, which calls it, reads too."""
    module = ir.Module()
    numbers = [ir.GlobalVariable(module, I64, name) for name in ("two", "zero")]
    for variable, n in zip(numbers, (2, 0), strict=True):
        variable.initializer, variable.linkage = constant(I64, n), "internal"
    numbers[0].global_constant = True
    functions = []
    for name in ("double", "conductor"):
        f: ir.Function = ir.Function(module, ir.FunctionType(I64, [I64]), name)
        b = ir.IRBuilder(f.append_basic_block("entry"))
        x = b.call(functions[-1], f.args) if functions else f.args[0]
        b.ret(b.add(b.mul(x, b.load(numbers[0], typ=I64)), b.load(numbers[1], typ=I64)))
        functions.append(f)
    functions[0].linkage = "internal"
    parts.hurried(functions[1])
    return module


@pytest.mark.skipif(not processor.joins(), reason="modules stay whole here")
@pytest.mark.parametrize("long", [1, 700])
def test_parts_together_are_the_module(monkeypatch, long):
    monkeypatch.setattr(parts, "LONG", long)
    cutter = parts.Cutter(module_of_two(), has_draft=False)
    cutter.take((), Losses(), rest=True)
    assert [p.level for p in cutter.parts] == [2, 0]
    library = load(*(machine_code(p.text, p.level) for p in cutter.parts))
    call = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(library.address("conductor"))
    assert call(5) == 20


@pytest.mark.parametrize("threads", [0, 2])
def test_what_llvm_cannot_compile_is_an_error(threads):
    workers = Workers(threads)
    for text in ("", "nonsense", "; more"):
        workers.begin(text, 2)
    with pytest.raises(RuntimeError):
        workers.finish()


def test_who_must_not_be_cut_in_two_by_a_fork_compiles_alone():
    """A thread would wait for the fork, which waits for this one, which would wait for the thread."""
    workers = Workers(2)
    with whole():
        workers.begin("", 0)
        assert not workers._threads
        workers.finish()
    assert workers.codes


@pytest.fixture
def interval():
    """That in which Python's threads take turns; longer than `brisk` has it."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(0.05)
    yield sys.getswitchinterval()
    sys.setswitchinterval(usual + 5e-7)


def test_threads_take_turns_more_often_while_code_is_written(interval):
    seen = []

    def write(other: threading.Thread | None = None) -> None:
        with brisk():
            if other is not None:
                other.start()
                other.join()
            seen.append(sys.getswitchinterval())

    for _ in range(10):
        write(threading.Thread(target=write))
    assert seen == [pytest.approx(brisk.INTERVAL)] * 20
    assert sys.getswitchinterval() == interval


def test_the_interval_is_as_before_where_writing_fails(interval):
    with pytest.raises(ZeroDivisionError), brisk():
        raise ZeroDivisionError
    assert sys.getswitchinterval() == interval


def test_an_interval_that_was_set_meanwhile_stays(interval):
    with brisk():
        sys.setswitchinterval(0.02)
    assert sys.getswitchinterval() == pytest.approx(0.02)


def test_in_a_forked_child_no_other_thread_is_waited_for(interval):
    nobody = -1
    with brisk():
        brisk._inside.append(nobody)
        brisk.go_on_in_child()
        assert sys.getswitchinterval() == pytest.approx(brisk.INTERVAL)
    assert sys.getswitchinterval() == interval


@pytest.mark.parametrize("size, quickly", [(10, True), (1 << 16, False)])
def test_what_takes_next_to_no_time_is_compiled_quickly(size, quickly):
    text = fl.jit(lambda x: x + 1).lower(fnp.ones(size)).as_text("llvm")
    (nest,) = [line for line in text.split("\n") if line.startswith("define") and "nest" in line]
    assert ("optnone" in nest) == quickly


@pytest.mark.skipif(not processor.joins(), reason="modules stay whole here")
@pytest.mark.parametrize("size, inlined", [(1, True), (3, True), (400, False)])
def test_small_turns_are_part_of_their_loops(size, inlined):
    """No calls in each turn: neither of its code, nor of the condition's, nor of groups that have no loops themselves."""

    def f(x):
        y, _ = fl.lax.scan(lambda c, _: (fnp.sin(c) * x + 1.0, None), x, None, length=30)
        return fl.lax.while_loop(lambda c: c[0] < 3.0, lambda c: fnp.tanh(c) + 0.5, y)

    text = fl.jit(fl.grad(lambda x: f(x).sum())).lower(fnp.ones(size)).as_text("assembly")
    functions = set(re.findall(r"^([a-z]+)\d*:", text, re.MULTILINE))
    assert "loop" in functions
    assert functions.isdisjoint({"turn", "test"})
    loops = [text[m.start() : text.index("func_end", m.end())] for m in re.finditer(r"^loop\d+:", text, re.MULTILINE)]
    assert any("nest" in loop for loop in loops) != inlined
