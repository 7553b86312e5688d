"""jit where there is no machine code: as planned NumPy calls, which it says once."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp

PROGRAM = """
import warnings
import functorch_lite as fl, functorch_lite.numpy as fnp
with warnings.catch_warnings(record=True) as found:
    warnings.simplefilter("always")
    for k in (2.0, 3.0):
        print(fl.jit(fl.grad(lambda x: (fnp.sin(x) * k).sum()))(fnp.zeros(2)))
print(len(found), *(w.message for w in found))
"""
WITHOUT_LLVM = "import sys\nsys.modules['llvmlite'] = None\n"
OLD_PROCESSOR = """
import functorch_lite_numpy.compiler as compiler
compiler.obstacle = lambda: "the processor lacks fused multiply-add"
"""
FORBIDDEN = """
import functorch_lite as fl, functorch_lite.numpy as fnp
import functorch_lite_numpy.compiler.entry as entry, functorch_lite_numpy.compiler.native as native
def fail(*args):
    raise OSError("no executable memory")
entry.found = native.found = fail
print((fnp.ones(3) * 2).sum())
"""


def run(source: str, **environment: str) -> list[str]:
    env = {**os.environ, **environment}
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().split("\n")


def test_without_llvm():
    *values, warning = run(WITHOUT_LLVM + PROGRAM)
    assert values == ["[2. 2.]", "[3. 3.]"]
    assert warning.startswith("1 jit runs NumPy calls, not machine code")
    assert "pip install llvmlite" in warning


def test_on_a_machine_that_the_compiler_does_not_know():
    pytest.importorskip("llvmlite")
    *values, warning = run(OLD_PROCESSOR + PROGRAM)
    assert values == ["[2. 2.]", "[3. 3.]"]
    assert warning == "1 jit runs NumPy calls, not machine code: the processor lacks fused multiply-add"


def test_turned_off():
    *values, warning = run(PROGRAM, FUNCTORCH_LITE_COMPILER="off")
    assert values == ["[2. 2.]", "[3. 3.]"]
    assert warning == "0"


def test_arrays_do_without_a_compiler_that_fails_at_once():
    pytest.importorskip("llvmlite")
    *values, warning = run(FORBIDDEN + PROGRAM)
    assert values == ["6.0", "[2. 2.]", "[3. 3.]"]
    assert "no executable memory" in warning


def test_a_failure_of_the_compiler_is_a_warning(monkeypatch):
    """Wherever it fails there is one warning, and the result of eager mode; in our own tests it is an error."""
    pytest.importorskip("llvmlite")
    from functorch_lite_numpy.compiler import compile, engine, kernel, linking, segment, signature

    places = [
        (compile, "fuse"), (compile, "lay_out"), (kernel, "collapse"), (segment, "plan"), (signature, "hurried"),
        (engine, "machine_code"), (linking, "load"),
    ]  # fmt: skip
    x = fnp.arange(300.0).reshape(30, 10)
    for module, name in places:

        def fail(*args: Any, **kwargs: Any) -> Any:
            raise ZeroDivisionError("injected")

        def f(x: Any) -> Any:
            return fnp.sort(fnp.sin(x @ x.T)).sum(0), fnp.cumsum(x, 0)

        with monkeypatch.context() as patch:
            patch.setattr(module, name, fail)
            jitted, again = fl.jit(f), fl.jit(lambda x: f(x))
            with pytest.warns(RuntimeWarning, match="injected.*Please report this") as found:
                jitted(x)
            assert len(found) == 1, (name, [str(w.message) for w in found])
            for a, b in zip(jitted(x), f(x), strict=True):
                np.testing.assert_array_equal(np.asarray(a), np.asarray(b), err_msg=name)
            with pytest.raises(RuntimeWarning, match="injected"):
                again(x)
