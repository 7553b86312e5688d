"""Which backends are installed: entry points found by looking through folders, else as `importlib.metadata` tells."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from functorch_lite.backend import available, get
from functorch_lite.errors import BackendError

CODE = """
import numpy as np
from functorch_lite.extend import Backend, Namespace

class Inner:
    class Other(Backend):
        name = "other"
        def __init__(self):
            super().__init__(Namespace(np))
"""


def install(folder: Path, package: str, text: str) -> None:
    """What pip leaves of a package."""
    about = folder / f"{package}-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(text)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_a_package_is_found(folder):
    (folder / "discovered_once.py").write_text(CODE)
    lines = ["[console_scripts]", "other = nowhere:no", "[functorch_lite.backends]", "# other = no:no", ""]
    install(folder, "once", "\n".join([*lines, "found-once = discovered_once : Inner.Other [extra]"]))
    assert type(get("found-once")).__qualname__ == "Inner.Other"
    assert "found-once" in available()


def test_the_same_package_twice_is_one(folder, tmp_path_factory, monkeypatch):
    other = tmp_path_factory.mktemp("other")
    monkeypatch.syspath_prepend(other)
    for where in (folder, other):
        (where / "discovered_twice.py").write_text(CODE)
        install(where, "twice", "[functorch_lite.backends]\nfound-twice = discovered_twice:Inner.Other\n")
    assert type(get("found-twice")).__qualname__ == "Inner.Other"


def test_two_packages_may_not_share_a_name(folder):
    for package in ("first", "second"):
        install(folder, package, f"[functorch_lite.backends]\nshared = {package}:Backend\n")
    with pytest.raises(BackendError, match=r"two installed packages name a backend 'shared'.*Uninstall one of them"):
        get("shared")


def test_a_package_in_an_archive(tmp_path, monkeypatch):
    archive = tmp_path / "packages.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("discovered_zipped.py", CODE)
        file.writestr("zipped-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: zipped\nVersion: 1.0\n")
        file.writestr(
            "zipped-1.0.dist-info/entry_points.txt",
            "[functorch_lite.backends]\nfound-zipped = discovered_zipped:Inner.Other\n",
        )
    monkeypatch.syspath_prepend(archive)
    assert type(get("found-zipped")).__qualname__ == "Inner.Other"


def test_a_list_that_cannot_be_read_is_passed_over(folder):
    install(folder, "broken", "")
    (folder / "broken-1.0.dist-info" / "entry_points.txt").write_bytes(b"[functorch_lite.backends]\n\xff = a:b\n")
    assert get("numpy").name == "numpy"


def test_a_module_that_is_not_there(folder):
    install(folder, "lost", "[functorch_lite.backends]\nfound-lost = no_such_module:Backend\n")
    with pytest.raises(BackendError, match=r"'found-lost' .no_such_module:Backend. cannot be loaded"):
        get("found-lost")
