"""The conformance kit as a command, on our own backend and on a stranger's; what it says when something is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite.recent import Recent
from functorch_lite.testing import conformance, find_rows

ROOT = Path(__file__).parent.parent


def kit(*arguments: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = dict(os.environ, PYTHONPATH=str(path or ""))
    command = [sys.executable, "-W", "error", "-m", "functorch_lite.testing", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)


def test_the_command_prints_a_table_and_succeeds() -> None:
    done = kit("numpy", "--primitive", "reshape", "--primitive", "reduce_sum")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "primitive" in done.stdout
    assert "everything passed" in done.stdout


def test_the_command_runs_on_an_installed_stranger(stranger: Path) -> None:
    done = kit("strict", "--primitive", "reduce_sum", path=stranger)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "backend strict: everything passed" in done.stdout


def test_the_command_fails_on_an_unknown_backend() -> None:
    done = kit("nowhere")
    assert done.returncode != 0
    assert "no backend is named 'nowhere'" in done.stderr


def test_the_command_fails_where_nothing_was_checked() -> None:
    assert kit("numpy", "--primitive", "nothing").returncode == 1


def test_a_wrong_kernel_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    numpy = fl.default_backend()
    monkeypatch.setattr(numpy, "eager_kernels", Recent(64))
    kernel = numpy.kernel

    def wrong(primitive: Any, types: Any, params: Any) -> Any:
        right = kernel(primitive, types, params)
        return (lambda *xs: right(*xs) + 1) if primitive.name == "transpose" else right

    monkeypatch.setattr(numpy, "kernel", wrong)
    rows = [row for row in find_rows("tests.op_table.structural") if row.name == "transpose of a matrix"]
    report = conformance("numpy", rows=rows, checks=["value"])
    assert not report.ok
    assert report.cell("transpose", "value").startswith("FAIL")
    assert "transpose of a matrix, value: AssertionError" in str(report)


def test_a_stranger_is_used_like_our_own(stranger: Path) -> None:
    with fl.use_backend("strict") as backend:
        x = fnp.asarray(np.arange(6.0, dtype=np.float32))
        assert x.backend is backend
        found = fl.jit(fl.grad(lambda x: (x * x).sum()))(x) if hasattr(type(x), "sum") else x * 2.0
    assert found.backend is backend
    np.testing.assert_allclose(np.asarray(found), 2 * np.arange(6.0))
