"""Fixtures: the backends that the op table runs on, one of them a stranger's, installed as a user would install it."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from functorch_lite.backend import get

os.environ.setdefault(
    "FUNCTORCH_LITE_CACHE", "off"
)  # the user's machine code stays out of it, and ours out of the user's

os.environ["FUNCTORCH_LITE_VERIFY"] = (
    "1"  # a value that is used where it may not have been made crashes, or gives wrong numbers
)
os.environ["FUNCTORCH_LITE_DRAFTS"] = "off"  # what is tested is the final code

if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):  # shells have it so in the background; tests send it to processes of theirs
    signal.signal(signal.SIGINT, signal.default_int_handler)

collect_ignore = ["backends"]  # packages to install, not tests

STRANGER = Path(__file__).parent / "backends" / "strict_backend"


def install(package: Path, target: Path) -> None:
    """Install a package into a directory with pip, without a network."""
    options = ["--quiet", "--no-build-isolation", "--no-deps", "--no-index", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", str(target), str(package)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the backend `strict` installed in it; it is on the path of this process."""
    pytest.importorskip("array_api_strict")
    target = tmp_path_factory.mktemp("site")
    install(STRANGER, target)
    sys.path.append(str(target))
    importlib.invalidate_caches()
    return target


@pytest.fixture(scope="session", params=["numpy", "strict"])
def any_backend(request: pytest.FixtureRequest) -> Any:
    """Each backend that the op table runs on."""
    if request.param == "strict":
        request.getfixturevalue("stranger")
    return get(request.param)
