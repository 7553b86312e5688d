"""Machine code kept on disk, so that the next process need not make it again.

In the user's cache folder, or where the environment variable FUNCTORCH_LITE_CACHE says ("off": nowhere). An entry is named by
a hash of the program, the processor and the versions of all that took part. Before the code it has a keyed hash of itself, with
a secret of the user's: what was changed, or written by somebody else, is not run but made anew. Files appear whole or not
at all, so several processes may write; of too many bytes those go, now and then, that were not used for the longest time.

What this process used last it also keeps in memory: a function made anew at each turn of a loop is not compiled at each turn.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import threading
from _operator import _compare_digest as compare_digest
from collections.abc import Callable

try:
    from _blake2 import blake2b  # what hashlib has, without loading OpenSSL
except ImportError:
    from hashlib import blake2b

import numpy as np

from functorch_lite.extend import Array

from ..forking import whole
from . import llvm, processor
from .background import once

__all__ = ["LARGEST", "cached", "folder", "forget", "found", "keep"]

LARGEST = 512 << 20
"""How many bytes are kept on disk."""
LOOKS = 64
"""One of so many new entries looks whether there are too many, since it must look at all of them."""
IN_MEMORY = 32 << 20
"""How many bytes are kept in memory."""
_DIGEST = 32
_making_secret = threading.Lock()
_FORMAT = b"functorch_lite machine code 2"


def folder() -> str | None:
    """Where entries are kept; None if nowhere."""
    chosen = os.environ.get("FUNCTORCH_LITE_CACHE")
    if chosen:
        return None if chosen == "off" else chosen
    home = os.path.expanduser("~")
    if not os.path.isabs(home):  # a user without a home
        return None
    if sys.platform == "darwin":
        base = os.path.join(home, "Library", "Caches")
    elif sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA", os.path.join(home, "AppData", "Local"))
    else:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")
    return os.path.join(base, "functorch_lite")


class _Recent:
    """The machine code that was used last, by key."""

    def __init__(self) -> None:
        self.codes: dict[bytes, bytes] = {}
        self.size = 0
        self.lock = threading.Lock()

    def clear(self) -> None:
        with whole(), self.lock:
            self.codes.clear()
            self.size = 0

    def get(self, key: bytes) -> bytes | None:
        with whole(), self.lock:
            code = self.codes.pop(key, None)
            if code is not None:
                self.codes[key] = code  # the last one of all
            return code

    def put(self, key: bytes, code: bytes) -> None:
        with whole(), self.lock:
            self.size += len(code) - len(self.codes.pop(key, b""))
            self.codes[key] = code
            while self.size > IN_MEMORY:
                self.size -= len(self.codes.pop(next(iter(self.codes))))


_recent = _Recent()


def forget() -> None:
    """Keep nothing in memory any more."""
    _recent.clear()


@once
def _surroundings() -> bytes:
    """What else than the text decides the code."""
    versions = (sys.platform, sys.version, np.__version__)
    return repr((_FORMAT, processor.identity(), llvm.identity(), versions, _sources())).encode()


def _sources() -> list[tuple[str, int, int]]:
    """What tells this version of ours from others, one that is being worked on included: when its files were changed."""
    folders = [
        os.path.dirname(sys.modules[Array.__module__].__file__ or ""),
        os.path.dirname(os.path.dirname(__file__)),
    ]
    files = []
    for folder in folders:  # it grows meanwhile
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith(".py"):
                    status = entry.stat()
                    files.append((entry.name, status.st_size, status.st_mtime_ns))
                elif entry.is_dir() and not entry.name.startswith("_"):
                    folders.append(entry.path)
    return sorted(files)


def cached(text: str | None, make: Callable[[], bytes]) -> bytes:
    """The machine code that a text stands for: as it was kept, else made and kept.

    Args:
      text: what tells this code from other code; None: it is not kept.
      make: compiles it.
    """
    code = found(text)
    return keep(text, make()) if code is None else code


def found(text: str | None) -> bytes | None:
    """The machine code that a text stands for, if it was kept, in memory or on disk."""
    if text is None:
        return None
    name = _hash(text.encode())
    code = _recent.get(name)
    if code is None:
        entry = _entry(name, make=False)
        code = None if entry is None else _read(*entry)
        if code is not None:
            _recent.put(name, code)
    return code


def keep(text: str | None, code: bytes) -> bytes:
    """Keep machine code under what it is found by; gives it back."""
    if text is None:
        return code
    name = _hash(text.encode())
    _recent.put(name, code)
    entry = _entry(name, make=True)
    if entry is not None:
        path, key, secret = entry
        try:
            _write(path, _seal(secret, key, code) + code)
            if int.from_bytes(key[:8], "little") % LOOKS == 0:
                _limit(os.path.dirname(path))
        except OSError:
            pass  # a full or read-only disk: the code runs all the same
    return code


def _hash(data: bytes) -> bytes:
    return blake2b(data, digest_size=_DIGEST).digest()


def _entry(name: bytes, make: bool) -> tuple[str, bytes, bytes] | None:
    """The file of an entry, its key, and the user's; None if nothing is kept on disk.

    Args:
      name: of the entry.
      make: whether the folder and the user's key are made if they are not there.
    """
    try:
        place = folder()
        if place is None:
            return None
        if make:
            _make(place)
        if not _ours(place):
            return None
        secret = _secret(place, make)
        key = _hash(_surroundings() + name)
        return os.path.join(place, f"{key.hex()}.code"), key, secret
    except OSError:
        return None


def _make(place: str) -> None:
    """Make the folder if it is not there."""
    os.makedirs(os.path.dirname(os.path.abspath(place)), exist_ok=True)
    with contextlib.suppress(FileExistsError):
        os.mkdir(place, 0o700)


def _ours(path: str) -> bool:
    """Whether nobody else can have written there."""
    if not hasattr(os, "getuid"):
        return True
    status = os.stat(path)
    return status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _secret(place: str, make: bool) -> bytes:
    """The user's key."""
    path = os.path.join(place, "secret")
    with whole(), _making_secret:
        if make and not os.path.exists(path):
            _write(path, os.urandom(_DIGEST))
    data = _contents(path)
    if len(data) != _DIGEST or not _ours(path):
        raise OSError("the key of the cache is not the user's own")
    return data


def _contents(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _read(path: str, key: bytes, secret: bytes) -> bytes | None:
    """The code of an entry, if it is there and right."""
    try:
        data = _contents(path)
        if not _ours(path):
            return None
    except OSError:
        return None
    code = data[_DIGEST:]
    if not code or not compare_digest(data[:_DIGEST], _seal(secret, key, code)):
        return None
    with contextlib.suppress(OSError):  # it is on a read-only disk, or was removed just now
        os.utime(path)
    return code


def _seal(secret: bytes, key: bytes, code: bytes) -> bytes:
    """What only the user can have written before the code of an entry."""
    return blake2b(key + code, digest_size=_DIGEST, key=secret).digest()


def _write(path: str, data: bytes) -> None:
    """Write a file that nobody sees before it is whole."""
    name = f"{path}.{os.urandom(8).hex()}"
    handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(name, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def _limit(place: str) -> None:
    """Remove the entries used the longest time ago, if there are too many bytes."""
    with os.scandir(place) as found:
        entries = sorted((e.stat().st_mtime, e.stat().st_size, e.path) for e in found if e.name != "secret")
    total = sum(size for _, size, _ in entries)
    for _, size, path in entries:
        if total <= LARGEST:
            return
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        total -= size
