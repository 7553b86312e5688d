"""From LLVM IR to machine code in memory, for this machine's processor."""

from __future__ import annotations

import ctypes
import functools
import platform
import sys
import threading
import weakref
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..forking import whole
from .background import in_background
from .llvm import asked, checked, llvm, module
from .symbols import require_symbols

__all__ = [
    "Library",
    "assembly",
    "joins",
    "machine_code",
    "obstacle",
    "optimised_text",
    "processor",
    "processor_family",
    "vector_bytes",
]


def processor_family() -> str:
    """The name of the processor's instruction set."""
    name = platform.machine().lower()
    return {"amd64": "x86_64", "arm64": "aarch64"}.get(name, name)


def obstacle() -> str | None:
    """Why there can be no machine code here; None if there can."""
    if sys.maxsize < 2**32 or sys.byteorder != "little":
        return "it is made for 64-bit little-endian machines"
    if sys.implementation.name != "cpython" or "free-threading" in sys.version:
        return "it knows the objects of CPython with its global lock alone"
    if not np.__version__.startswith("2."):
        return f"it knows the arrays of NumPy 2, this is {np.__version__}"
    try:
        llvm()
    except OSError as error:
        return f"LLVM cannot be loaded ({error})"
    if processor_family() == "x86_64" and not _has("fma"):
        return "the processor lacks fused multiply-add"
    return None


@functools.cache
def processor() -> tuple[str, str]:
    """Its name, and what it can do: `+feature` or `-feature`, with commas between."""
    features = asked(llvm().GetHostCPUFeatures)[1].split(",")
    return asked(llvm().GetHostCPUName)[1], ",".join(sorted(features, key=lambda f: f[1:]))


def _has(*features: str) -> bool:
    """Whether the processor has all of them."""
    return {f"+{f}" for f in features} <= set(processor()[1].split(","))


@functools.cache
def vector_bytes() -> int:
    """The width of the widest registers."""
    if _has("avx512f", "avx512bw", "avx512vl"):
        return 64
    return 32 if _has("avx2") else 16


def joins() -> bool:
    """Whether machine code can refer to that of other modules: only where all addresses are written out in full."""
    return sys.platform == "linux" and processor_family() == "x86_64"


@functools.cache
def _triple() -> bytes:
    triple = asked(llvm().GetDefaultTargetTriple)[1].encode()
    return triple + b"-elf" if sys.platform == "win32" else triple  # all that the loader knows


def _new_machine(level: int = 2) -> int:
    """A target machine of the host."""
    api = llvm()
    target = checked(api.GetTargetFromTriple, _triple())
    name, features = (text.encode() for text in processor())
    kind = b"static" if joins() else b"pic"
    return api.CreateTargetMachine(target, _triple(), name, features, level, kind, b"jitdefault", 0, 1, b"")


_idle: dict[int, list[int]] = defaultdict(list)
"""Target machines that no thread is using, by level."""


@contextmanager
def _machine(level: int) -> Iterator[int]:
    """A target machine for a while, so that several threads can work at a time."""
    idle = _idle[level]
    with whole():
        try:
            machine = idle.pop()
        except IndexError:
            machine = _new_machine(level)
        try:
            yield machine
        finally:
            idle.append(machine)


@functools.cache
def _layout() -> bytes:
    """How data lies in memory."""
    api = llvm()
    with _machine(2) as machine:
        data = api.CreateTargetMachineData(machine)
        layout = asked(api.CopyStringRepOfTargetData, data)[1]
        api.DisposeTargetData(data)
    return layout.encode()


def _optimise(module: int, machine: int) -> None:
    """Clean up a module: registers for stack memory, no expression twice."""
    api = llvm()
    options = api.CreatePipelineTuningOptions()
    builder = api.CreatePassBuilder(machine, options)
    manager = api.CreateNewModulePassManager()
    for add in (api.module_AddSROAPass, api.module_AddInstCombinePass, api.module_AddSimplifyCFGPass):
        add(manager)
    api.RunNewModulePassManager(manager, module, builder)
    api.DisposeNewModulePassManger(manager)
    api.DisposePassBuilder(builder)
    api.DisposePipelineTuningOptions(options)


def _made(text: str, level: int, machine: int, write: Any) -> Any:
    """What `write` makes of a module."""
    api = llvm()
    with module(text) as parsed:
        api.SetTarget(parsed, _triple())
        api.SetDataLayout(parsed, _layout())
        if level:
            _optimise(parsed, machine)
        return write(parsed)


def _emitted(module: int, machine: int, as_object: bool) -> bytes:
    api = llvm()
    buffer = checked(api.TargetMachineEmitToMemory, machine, module, int(as_object))
    try:
        return ctypes.string_at(api.GetBufferStart(buffer), api.GetBufferSize(buffer))
    finally:
        api.DisposeMemoryBuffer(buffer)


def machine_code(text: str, level: int = 2) -> bytes:
    """Compile a module. Several threads can do that at a time.

    Args:
      text: the LLVM IR.
      level: how much to optimise: 0 to 3.
    """
    with _machine(level) as machine:
        return _made(text, level, machine, lambda module: _emitted(module, machine, True))


def assembly(text: str, level: int = 2) -> str:
    """The machine code of a module, to be read."""
    with _machine(level) as machine:
        return _made(text, level, machine, lambda module: _emitted(module, machine, False)).decode()


def optimised_text(text: str) -> str:
    """A module after LLVM's passes."""
    with _machine(2) as machine:
        return _made(text, 2, machine, lambda module: asked(llvm().PrintModuleToString, module)[1])


_linking = threading.RLock()


class Library:
    """Machine code in memory; it goes when the library does."""

    def __init__(self, *codes: bytes):
        require_symbols(*codes)
        api = llvm()
        with whole(), _linking:
            context = api.ContextCreate()
            backing = checked(api.ParseAssembly, context, b"")
            own_manager = processor_family() == "aarch64"
            self.engine = checked(api.CreateMCJITCompiler, backing, _new_machine(), own_manager)
            for code in codes:
                object_file = api.CreateObjectFile(code, len(code))
                api.MCJITAddObjectFile(self.engine, object_file)
                api.DisposeObjectFile(object_file)
            api.FinalizeObject(self.engine)
        weakref.finalize(self, _dispose, self.engine, context).atexit = False

    def address(self, name: str) -> int:
        """Where a function or variable is."""
        api, symbol = llvm(), name.encode()
        return api.GetFunctionAddress(self.engine, symbol) or api.GetGlobalValueAddress(self.engine, symbol)


def _dispose(engine: int, context: int) -> None:
    with whole(), _linking:
        llvm().DisposeExecutionEngine(engine)
        llvm().ContextDispose(context)


def _prepare() -> None:
    """Load LLVM, and make what compiling needs."""
    with _machine(0), _machine(2):
        _layout()


in_background(_prepare)  # while the rest of the compiler is imported
