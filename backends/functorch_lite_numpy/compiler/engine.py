"""From LLVM IR to machine code in memory, for this machine's processor."""

from __future__ import annotations

import functools
import platform
import sys
import sysconfig
from typing import Any

import llvmlite.binding as llvm
import numpy as np

__all__ = ["Library", "machine", "obstacle", "optimise", "vector_bytes"]


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


def new_machine(opt: int = 2) -> Any:
    """A target machine of the host; engines own theirs."""
    _initialise()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=opt,
        reloc="pic",
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


def optimise(text: str) -> Any:
    """Parse and clean up a module: registers for stack memory, no expression twice."""
    module = llvm.parse_assembly(text)
    module.triple = machine().triple
    module.data_layout = str(machine().target_data)
    builder = llvm.create_pass_builder(machine(), llvm.create_pipeline_tuning_options(speed_level=1))
    manager = llvm.create_new_module_pass_manager()
    manager.add_always_inliner_pass()
    manager.add_sroa_pass()
    manager.add_instruction_combine_pass()
    manager.add_simplify_cfg_pass()
    manager.run(module, builder)
    return module


class Library:
    """Machine code in memory; it goes when the library does."""

    def __init__(self, code: bytes):
        backing = llvm.parse_assembly("")
        self.engine = llvm.create_mcjit_compiler(backing, new_machine())
        self.engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        self.engine.finalize_object()

    def address(self, name: str) -> int:
        """Where a function or variable is."""
        return self.engine.get_function_address(name) or self.engine.get_global_value_address(name)
