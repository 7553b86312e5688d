"""From LLVM IR to machine code, for this machine's processor."""

from __future__ import annotations

import ctypes
import functools
import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..forking import in_background, whole
from .llvm import LLVMError, asked, checked, llvm, module
from .processor import joins, processor

__all__ = ["assembly", "load_llvm", "machine_code", "new_machine", "optimised_text"]


_VERIFIES = "FUNCTORCH_LITE_VERIFY" in os.environ
"""Whether LLVM is to check what it is given: our tests ask for that."""


@functools.cache
def _triple() -> bytes:
    triple = asked(llvm().GetDefaultTargetTriple)[1].encode()
    return triple + b"-elf" if sys.platform == "win32" else triple  # all that the loader knows


def new_machine(level: int = 2) -> int:
    """A target machine of the host."""
    api = llvm()
    target = checked(api.GetTargetFromTriple, _triple())
    name, features = (text.encode() for text in processor())
    distances = b"small" if joins() else b"jitdefault"
    return api.CreateTargetMachine(target, _triple(), name, features, level, b"pic", distances, 0, 1, b"")


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
            machine = new_machine(level)
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
    """Clean up a module: what loops do in their place, registers for stack memory, no expression twice."""
    api = llvm()
    options = api.CreatePipelineTuningOptions()
    builder = api.CreatePassBuilder(machine, options)
    manager = api.CreateNewModulePassManager()
    for name in ("AlwaysInliner", "SROA", "InstCombine", "SimplifyCFG"):
        getattr(api, f"module_Add{name}Pass")(manager)
    api.RunNewModulePassManager(manager, module, builder)
    api.DisposeNewModulePassManger(manager)
    api.DisposePassBuilder(builder)
    api.DisposePipelineTuningOptions(options)


def _made(text: str, level: int, machine: int, write: Any) -> Any:
    """What `write` makes of a module."""
    api = llvm()
    with module(text) as parsed:
        if _VERIFIES:
            broken, problem = asked(api.VerifyModule, parsed)
            if broken:
                raise LLVMError(f"{problem} in\n{text}")
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


@functools.cache
def load_llvm() -> None:
    """Load LLVM, and make what compiling needs, while others do something else."""
    in_background(_prepare)


def _prepare() -> None:
    with _machine(0), _machine(2):
        _layout()
