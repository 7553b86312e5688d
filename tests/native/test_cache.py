"""Machine code on disk: found again, and never trusted without reason."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("llvmlite", reason="the compiler needs llvmlite")
import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite_numpy.compiler import cache, engine
from functorch_lite_numpy.compiler.entry import entry
from functorch_lite_numpy.compiler.fast_path import way_in

PROGRAM = """
import functorch_lite as fl, functorch_lite.numpy as fnp
from functorch_lite_numpy.compiler import engine
made = []
machine_code = engine.machine_code
engine.machine_code = lambda *a: made.append(a) or machine_code(*a)
f = lambda x: fl.lax.fori_loop(0, 3, lambda i, y: fl.nn.softmax(y @ y) + x, x)
print(float(fl.jit(f)(fnp.ones((4, 4))).sum()), len(made))
"""


def run(folder: Path | str, seed: str = "0", before: str = "") -> list[str]:
    environment = {**os.environ, "FUNCTORCH_LITE_CACHE": str(folder), "PYTHONHASHSEED": seed}
    out = subprocess.run(
        [sys.executable, "-W", "error", "-c", before + PROGRAM],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return out.stdout.split()


def entries(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.code"))


def test_a_second_process_finds_the_code(tmp_path):
    result, made = run(tmp_path, "1")
    assert result == "20.0"
    assert int(made) > 0
    assert entries(tmp_path)
    assert run(tmp_path, "2") == ["20.0", "0"]  # programs become the same text whatever the hashes


def test_a_second_process_makes_nothing_of_a_program_that_is_known(tmp_path):
    run(tmp_path)
    never = "import sys; sys.modules['functorch_lite_numpy.compiler.compile'] = None\n"
    assert run(tmp_path, before=never) == ["20.0", "0"]


def test_off(tmp_path):
    assert run("off")[0] == "20.0"


@pytest.fixture
def place(tmp_path, monkeypatch):
    for prepare in (entry, way_in):  # what a thread may be making still, and would keep here
        prepare()
    monkeypatch.setenv("FUNCTORCH_LITE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def cached(text, make):
    """What is found on disk, else made."""
    cache.forget()
    return cache.cached(text, make)


def test_code_is_remembered(place, monkeypatch):
    """Functions made anew are compiled once; what was not used for the longest time is forgotten."""
    monkeypatch.setattr(cache, "IN_MEMORY", 8)
    cache.forget()
    monkeypatch.setenv("FUNCTORCH_LITE_CACHE", "off")
    made = []

    def code_of(text):
        return cache.cached(text, lambda: made.append(text) or text.encode() * 3)

    assert [code_of(t) for t in "aabab"] == [b"aaa", b"aaa", b"bbb", b"aaa", b"bbb"]
    assert made == ["a", "b"]
    assert code_of("c") == b"ccc"
    assert (code_of("b"), code_of("a")) == (b"bbb", b"aaa")
    assert made == ["a", "b", "c", "a"]


def test_fresh_functions_of_one_kind_are_compiled_once(monkeypatch):
    made = []
    compile = engine.machine_code
    monkeypatch.setattr(engine, "machine_code", lambda *a: made.append(a) or compile(*a))
    monkeypatch.setenv("FUNCTORCH_LITE_CACHE", "off")
    counts = []
    for _ in range(3):
        fl.jit(lambda x: fnp.cos(x) * 1.0625)(fnp.ones(37))
        counts.append(len(made))
    assert counts[0] == counts[2] > 0


def test_entries_are_kept_by_text(place):
    assert cached("a", lambda: b"code of a") == b"code of a"
    assert cached("a", lambda: b"other") == b"code of a"
    assert cached("b", lambda: b"code of b") == b"code of b"
    assert len(entries(place)) == 2


def test_entries_on_a_read_only_disk_are_found(place, monkeypatch):
    def utime(path):
        raise OSError("read-only file system")

    cached("a", lambda: b"code of a")
    monkeypatch.setattr(os, "utime", utime)
    assert cached("a", lambda: b"other") == b"code of a"


@pytest.mark.parametrize("damage", [lambda d: d[:-1] + b"x", lambda d: d[:34], lambda d: b"", lambda d: b"y" + d[1:]])
def test_what_was_changed_is_not_run(place, damage):
    cached("a", lambda: b"right")
    (path,) = entries(place)
    path.write_bytes(damage(path.read_bytes()))
    assert cached("a", lambda: b"made anew") == b"made anew"
    assert cached("a", lambda: b"once more") == b"made anew"


def test_an_entry_under_another_name_is_not_run(place):
    cached("a", lambda: b"of a")
    cached("b", lambda: b"of b")
    first, second = entries(place)
    first.write_bytes(second.read_bytes())
    assert {cached("a", lambda: b"anew"), cached("b", lambda: b"anew")} & {b"anew"}


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="needs POSIX permissions")
def test_what_others_can_write_is_not_used(place):
    cached("a", lambda: b"right")
    (path,) = entries(place)
    path.chmod(0o666)
    assert cached("a", lambda: b"anew") == b"anew"
    place.chmod(0o777)
    assert cached("a", lambda: b"once more") == b"once more"
    assert place.stat().st_mode & 0o777 == 0o777  # nothing is changed behind the user's back


def test_files_are_the_users_alone(place):
    cached("a", lambda: b"right")
    if hasattr(os, "getuid"):
        assert all(p.stat().st_mode & 0o077 == 0 for p in [place, *place.iterdir()])


def test_the_oldest_go_when_there_are_too_many(place, monkeypatch):
    monkeypatch.setattr(cache, "LARGEST", 250)
    monkeypatch.setattr(cache, "LOOKS", 1)
    for k in range(5):
        cached(f"text {k}", lambda: bytes(60) + b"code")
        os.utime(entries(place)[0], (k + 1, k + 1)) if k == 0 else None
    assert len(entries(place)) == 2


def test_few_new_entries_look_at_all_others(place, monkeypatch):
    looks = []
    monkeypatch.setattr(cache, "_limit", looks.append)
    for k in range(20 * cache.LOOKS):
        cached(f"text {k}", lambda: b"code")
    assert 0 < len(looks) < 60


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="needs POSIX permissions")
def test_what_belongs_to_others_is_not_used(place, monkeypatch):
    cached("a", lambda: b"right")
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    assert cached("a", lambda: b"anew") == b"anew"


def test_a_full_disk_is_no_error(place, monkeypatch):
    cached("a", lambda: b"of a")
    before = sorted(place.iterdir())

    def full(handle: int, mode: str) -> None:
        os.close(handle)
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(os, "fdopen", full)
    assert cached("b", lambda: b"of b") == b"of b"
    assert sorted(place.iterdir()) == before


def test_a_folder_that_may_only_be_read(place, monkeypatch):
    cached("a", lambda: b"of a")

    def forbidden(*where: Any) -> int:
        raise PermissionError(errno.EACCES, "permission denied")

    monkeypatch.setattr(os, "open", forbidden)
    assert cached("a", lambda: b"anew") == b"of a"
    assert cached("b", lambda: b"of b") == b"of b"


def test_a_user_without_a_home(monkeypatch):
    monkeypatch.delenv("FUNCTORCH_LITE_CACHE")
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # what it does where nothing tells the home
    assert cache.folder() is None
    assert cached("a", lambda: b"code") == b"code"


def test_several_processes_write_at_once(tmp_path):
    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(lambda _: run(tmp_path), range(3)))
    assert {result for result, _ in results} == {"20.0"}
    assert all(p.suffix == ".code" or p.name == "secret" for p in tmp_path.iterdir())
    assert run(tmp_path) == ["20.0", "0"]


def test_what_a_killed_process_left_goes_with_the_oldest(place, monkeypatch):
    monkeypatch.setattr(cache, "LARGEST", 250)
    monkeypatch.setattr(cache, "LOOKS", 1)
    cached("a", lambda: bytes(100))
    (place / "tmp123").write_bytes(bytes(300))
    os.utime(place / "tmp123", (1, 1))
    cached("b", lambda: bytes(50))
    assert not (place / "tmp123").exists()
    assert len(entries(place)) == 2


def test_a_folder_that_cannot_be_used_is_no_error(monkeypatch):
    monkeypatch.setenv("FUNCTORCH_LITE_CACHE", "/dev/null/nowhere")
    assert cached("a", lambda: b"code") == b"code"
