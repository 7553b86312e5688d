"""The processor that machine code is made for."""

from __future__ import annotations

import functools
import platform
import sys

from .llvm import asked, llvm

__all__ = ["has", "identity", "joins", "processor", "processor_family", "vector_bytes"]


def processor_family() -> str:
    """The name of the processor's instruction set."""
    name = platform.machine().lower()
    return {"amd64": "x86_64", "arm64": "aarch64"}.get(name, name)


def joins() -> bool:
    """Whether machine code can refer to that of other modules: where we bring it into memory ourselves (`image.py`)."""
    return sys.platform == "linux" and processor_family() == "x86_64"


@functools.cache
def processor() -> tuple[str, str]:
    """LLVM's name for it, and what it can do: `+feature` or `-feature`, with commas between."""
    features = asked(llvm().GetHostCPUFeatures)[1].split(",")
    return asked(llvm().GetHostCPUName)[1], ",".join(sorted(features, key=lambda f: f[1:]))


@functools.cache
def _known() -> dict[str, str]:
    """What Linux says of an x86 processor, so that LLVM need not be loaded to know it; empty elsewhere."""
    if not joins():
        return {}
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            first = file.read(1 << 14).partition("\n\n")[0]
    except OSError:
        return {}
    pairs = (line.partition(":") for line in first.split("\n"))
    return {name.strip(): value.strip() for name, _, value in pairs}


def identity() -> tuple[str, ...]:
    """What tells it from others."""
    known = _known()
    if "flags" not in known:
        return processor()
    return tuple(known.get(name, "") for name in ("vendor_id", "cpu family", "model", "stepping", "flags"))


@functools.cache
def has(*features: str) -> bool:
    """Whether the processor has all of them, which have the same names in LLVM and in Linux."""
    known = _known()
    if "flags" in known:
        return set(features) <= set(known["flags"].split())
    return {f"+{f}" for f in features} <= set(processor()[1].split(","))


@functools.cache
def vector_bytes() -> int:
    """The width of the widest registers."""
    if has("avx512f", "avx512bw", "avx512vl"):
        return 64
    return 32 if has("avx2") else 16
