"""From LLVM IR to machine code in memory, for this machine's processor."""

from __future__ import annotations

import ctypes
import functools
import platform
import sys
import sysconfig
from collections import defaultdict
from typing import Any

import llvmlite.binding as llvm
import numpy as np
from llvmlite.binding import ffi

__all__ = ["Library", "joins", "machine", "machine_code", "obstacle", "optimise", "vector_bytes"]


@functools.cache
def _initialise() -> None:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()


def obstacle() -> str | None:
    """Why there can be no machine code here; None if there can."""
    if sys.maxsize < 2**32 or sys.byteorder != "little":
        return "it is made for 64-bit little-endian machines"
    if sys.implementation.name != "cpython" or sysconfig.get_config_var("Py_GIL_DISABLED"):
        return "it knows the objects of CPython with its global lock alone"
    if not np.__version__.startswith("2."):
        return f"it knows the arrays of NumPy 2, this is {np.__version__}"
    if platform.machine().lower() in ("x86_64", "amd64") and not llvm.get_host_cpu_features().get("fma"):
        return "the processor lacks fused multiply-add"
    return None


@functools.cache
def _processor() -> tuple[str, str]:
    """Its name, and what it can do."""
    return llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()


def joins() -> bool:
    """Whether machine code can refer to that of other modules: only where all addresses are written out in full."""
    return sys.platform == "linux" and platform.machine() == "x86_64"


def new_machine(opt: int = 2) -> Any:
    """A target machine of the host; engines own theirs."""
    _initialise()
    name, features = _processor()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=name,
        features=features,
        opt=opt,
        reloc="static" if joins() else "pic",
        codemodel="jitdefault",
        jit=True,
    )


@functools.cache
def machine() -> Any:
    """The target machine that code is made with."""
    return new_machine()


@functools.cache
def vector_bytes() -> int:
    """The width of the widest registers."""
    features = llvm.get_host_cpu_features()
    if features.get("avx512f") and features.get("avx512bw") and features.get("avx512vl"):
        return 64
    return 32 if features.get("avx2") else 16


def optimise(text: str, context: Any = None) -> Any:
    """Parse and clean up a module: registers for stack memory, no expression twice."""
    module = parse(text, context)
    builder = llvm.create_pass_builder(machine(), llvm.create_pipeline_tuning_options(speed_level=1))
    manager = llvm.create_new_module_pass_manager()
    manager.add_sroa_pass()
    manager.add_instruction_combine_pass()
    manager.add_simplify_cfg_pass()
    manager.run(module, builder)
    return module


def parse(text: str, context: Any = None) -> Any:
    module = llvm.parse_assembly(text, context)
    module.triple = machine().triple
    module.data_layout = str(machine().target_data)
    return module


def machine_code(text: str, level: int) -> bytes:
    """Compile a module. Several threads can do that at a time.

    Args:
      text: the LLVM IR.
      level: how much to optimise: 0 to 3.
    """
    context = llvm.create_context()
    module = optimise(text, context) if level else parse(text, context)
    try:
        machine = _idle[level].pop()
    except IndexError:
        machine = new_machine(level)
    try:
        return _emitted(machine, module)
    finally:
        _idle[level].append(machine)


_idle: dict[int, list[Any]] = defaultdict(list)
"""Target machines that no thread is using, by level."""


def _emitted(machine: Any, module: Any) -> bytes:
    """The object code. llvmlite's own method would keep its lock meanwhile, and with it all other threads from compiling."""
    emit = ffi.lib.LLVMPY_TargetMachineEmitToMemory
    with ffi.OutputString() as problem:
        buffer = getattr(emit, "_cfn", emit)(machine, module, 1, problem)
        if not buffer:
            raise RuntimeError(str(problem))
    try:
        return ctypes.string_at(ffi.lib.LLVMPY_GetBufferStart(buffer), ffi.lib.LLVMPY_GetBufferSize(buffer))
    finally:
        ffi.lib.LLVMPY_DisposeMemoryBuffer(buffer)


class Library:
    """Machine code in memory; it goes when the library does."""

    def __init__(self, *codes: bytes):
        backing = llvm.parse_assembly("")
        self.engine = llvm.create_mcjit_compiler(backing, new_machine())
        for code in codes:
            self.engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        self.engine.finalize_object()

    def address(self, name: str) -> int:
        """Where a function or variable is."""
        return self.engine.get_function_address(name) or self.engine.get_global_value_address(name)
