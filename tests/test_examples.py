"""The examples run, as a user would run them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def run(*arguments: str, path: str = "") -> str:
    environment = {**os.environ, "PYTHONPATH": path, "MPLBACKEND": "Agg"}
    done = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning:functorch_lite", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=540,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("name", ["quickstart", "per_example_gradients", "newton", "custom_primitive"])
def test_example(name):
    assert run(f"examples/{name}.py")


def test_main_job_learns_in_two_epochs(tmp_path):
    out = run("examples/train_digits_cnn.py", "--epochs", "2", "--output", str(tmp_path))
    accuracy = float(out.split("held-out accuracy: ")[1].split("%")[0])
    assert accuracy > 85
    assert (tmp_path / "confusion.png").exists()
    assert (tmp_path / "digits_cnn.safetensors").exists()


def test_custom_backend_installs_and_counts(tmp_path):
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run(
        [*command, "--target", str(tmp_path), str(ROOT / "examples/custom_backend")], check=True, timeout=300
    )
    program = (
        "import functorch_lite as fl, functorch_lite.numpy as fnp\n"
        "with fl.use_backend('counting') as backend:\n"
        "    g = fl.jit(fl.grad(lambda x: fnp.sum(fnp.sin(x) * x)))(fnp.arange(4.0))\n"
        "print(backend.report())\n"
        "print([round(float(v), 4) for v in g], g.backend.name)\n"
    )
    out = run("-c", program, path=str(tmp_path))
    assert "sin" in out
    assert "[0.0, 1.3818, 0.077, -2.8289] counting" in out
