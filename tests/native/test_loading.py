"""What of the compiler is loaded when, and in which thread."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

pytest.importorskip("llvmlite", reason="the compiler needs llvmlite")
from functorch_lite_numpy import fourier, threads
from functorch_lite_numpy.compiler import processor
from functorch_lite_numpy.compiler.background import once
from functorch_lite_numpy.compiler.steps import STEPS, Step, step_class

LOADED = """
import sys
import functorch_lite as fl, functorch_lite.numpy as fnp
def loaded(prefix):
    return sorted(m for m in sys.modules if m.startswith(prefix))
print(loaded("functorch_lite_numpy"))
x = fnp.ones(3) + 1
print("libllvmlite" in open("/proc/self/maps").read())
fl.jit(lambda x: x + 1)(x)
steps = ("convolution", "lapack", "sorting")
print(loaded("llvmlite"), loaded("scipy"), loaded("numpy.ctypeslib"))
print([m for m in steps if loaded(f"functorch_lite_numpy.compiler.{m}")])
"""
READY = """
import sys, threading
import functorch_lite as fl, functorch_lite.numpy as fnp
def loaded():
    return [name for name in ("entry", "engine", "compile", "pool") if f"functorch_lite_numpy.compiler.{name}" in sys.modules]
x = fnp.ones(3)
print(loaded())
f = fl.jit(lambda x: x + 1)
for thread in threading.enumerate()[1:]:
    thread.join()
print(loaded(), "libllvmlite" in open("/proc/self/maps").read())
f(x)
"""
FOUND = """
import sys
import functorch_lite as fl, functorch_lite.numpy as fnp
print(fl.jit(fl.grad(lambda x: fnp.sum(fnp.sin(x @ x))))(fnp.ones((3, 3))).shape)
print([name for name in ("engine", "compile", "kernel", "ir") if f"functorch_lite_numpy.compiler.{name}" in sys.modules])
print("importlib.metadata" in sys.modules)
print("libllvmlite" in open("/proc/self/maps").read())
"""
WITHOUT_SCIPY = """
import sys
import functorch_lite as fl, functorch_lite.numpy as fnp
from functorch_lite.scipy.special import erf
x = fnp.linspace(-2.0, 2.0, 64)
fl.jit(fl.grad(lambda x: (erf(x) ** 2).sum()))(x)
fl.jit(lambda x: fnp.fft.irfft(fnp.fft.rfft(x) * fnp.fft.fft(x)[:33]))(x)
print("scipy" in sys.modules)
"""
FORKED = """
import os
import functorch_lite as fl, functorch_lite.numpy as fnp
x = fnp.ones(3)
fl.jit(lambda x: x + 1).lower(x)
child = os.fork()
out = fl.jit(lambda x: x * 2)(x)
if not child:
    os._exit(0 if out.tolist() == [2.0, 2.0, 2.0] else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
FIRST_OF_ALL = """
import os, warnings
os.environ.update(FUNCTORCH_LITE_THREADS="1", FUNCTORCH_LITE_CACHE="off")
warnings.simplefilter("error")
import functorch_lite as fl, functorch_lite.numpy as fnp
twice = fl.jit(lambda x: fl.lax.fori_loop(0, 2, lambda i, x: fnp.roll(x, 1) + x, x))
print(float(twice(fnp.ones(1 << 16))[0]))
"""


def output(source):
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().split("\n")


def test_little_is_loaded_for_a_small_program():
    assert output(LOADED) == ["[]", "False", "[] [] []", "[]"]


@pytest.mark.skipif(threads() == 1, reason="there is no processor to spare")
def test_the_compiler_is_there_with_the_backend_and_a_thread_loads_llvm_once_a_function_is_made(tmp_path, monkeypatch):
    """Not where code was kept: what this process needs is likely to be found."""
    whole = ["entry", "engine", "compile", "pool"]
    monkeypatch.setenv("FUNCTORCH_LITE_CACHE", str(tmp_path))
    assert output(READY) == [f"{whole}", f"{whole} True"]
    assert output(READY) == ["['entry']", "['entry'] False"]
    monkeypatch.setenv("FUNCTORCH_LITE_CACHE", "off")
    monkeypatch.setenv("FUNCTORCH_LITE_THREADS", "1")
    assert output(READY) == [f"{whole}", f"{whole} False"]
    monkeypatch.setenv("FUNCTORCH_LITE_COMPILER", "off")
    assert output(READY) == ["[]", "[] False"]


def test_to_look_for_code_makes_no_folder(tmp_path, monkeypatch):
    """Arrays are computed with; there may never be code to keep."""
    monkeypatch.setenv("FUNCTORCH_LITE_CACHE", str(tmp_path / "cache"))
    assert output("import functorch_lite.numpy as fnp; print(float((fnp.ones(3) * 2).sum()))") == ["6.0"]
    assert not (tmp_path / "cache").exists()


def test_a_function_is_made_before_its_backend_is_there(monkeypatch):
    monkeypatch.setenv("FUNCTORCH_LITE_BACKEND", "nowhere")
    source = "import functorch_lite as fl\nf = fl.jit(lambda x: x + 1)\ntry: f(1.0)\nexcept Exception as e: print(type(e).__name__)"
    assert output(source) == ["BackendError"]


@pytest.mark.skipif(not processor.joins(), reason="LLVM brings the code into memory here")
def test_what_was_found_runs_without_llvm(tmp_path, monkeypatch):
    monkeypatch.setenv("FUNCTORCH_LITE_CACHE", str(tmp_path))
    assert output(FOUND)[-1] == "True"
    assert output(FOUND) == ["(3, 3)", "[]", "False", "False"]


def test_scipy_is_not_loaded_for_what_is_compiled_nor_for_fourier_transforms():
    assert output(WITHOUT_SCIPY) == ["False"]


@pytest.mark.parametrize("kind, lengths", [("fft", (6,)), ("ifft", (4, 6)), ("rfft", (4, 6)), ("irfft", (4, 10))])
def test_fourier_transforms_are_those_of_scipy_fft(monkeypatch, kind, lengths):
    x = np.random.default_rng(0).normal(size=(3, 4, 6)).astype(np.float32)
    x = x if kind == "rfft" else x.astype(np.complex64)
    given = fourier.fft(x, fft_type=kind, fft_lengths=lengths)
    monkeypatch.setattr(fourier, "_extension", lambda: None)
    wanted = fourier.fft(x, fft_type=kind, fft_lengths=lengths)
    assert given.dtype == wanted.dtype
    np.testing.assert_array_equal(given, wanted)


@pytest.mark.parametrize("order", [("ours", "scipy"), ("scipy", "ours")])
def test_the_module_of_fourier_transforms_is_there_once(order):
    """SciPy 1.13 with two of them ends with an invalid free."""
    steps = {
        "ours": "from functorch_lite_numpy import fourier; mine = fourier._extension()",
        "scipy": "import scipy.fft, sys; theirs = next(m.pfft for m in sys.modules.values() if hasattr(m, 'pfft'))",
    }
    assert output("\n".join((*(steps[name] for name in order), "print(mine is theirs)"))) == ["True"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_fork_while_llvm_is_loaded():
    assert output(FORKED) == ["0"]


def test_the_first_machine_code_of_a_process_may_call_what_the_process_has():
    """With one thread nothing was loaded in the background; loops copy by `memcpy`."""
    assert output(FIRST_OF_ALL) == ["4.0"]


@pytest.mark.parametrize("primitive", STEPS)
def test_each_step_is_there(primitive):
    found = step_class(primitive)
    assert found is not None
    assert issubclass(found, Step)


def test_once_for_several_threads():
    made, entered = [], threading.Barrier(4)

    @once
    def make():
        made.append(1)
        return made

    def get():
        entered.wait()
        assert make() is made

    threads = [threading.Thread(target=get) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [1]
