"""LLVM: the functions of llvmlite's shared library that the compiler calls, and no more.

llvmlite's own `binding` describes all of LLVM, which takes longer to import than many a program to compile, and lets one thread
at a time into it. A test holds the declarations here to those there.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .background import once

__all__ = ["DECLARATIONS", "LLVMError", "LLVMMissing", "asked", "checked", "identity", "llvm", "module"]

_POINTER, _TEXT, _INT = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
_ANSWER = ctypes.POINTER(ctypes.c_char_p)
"""Where a function puts a string."""
DECLARATIONS: dict[str, tuple[Any, ...]] = {
    "ContextCreate": (_POINTER,),
    "ContextDispose": (None, _POINTER),
    "CopyStringRepOfTargetData": (None, _POINTER, _ANSWER),
    "CreateMCJITCompiler": (_POINTER, _POINTER, _POINTER, ctypes.c_bool, _ANSWER),
    "CreateNewModulePassManager": (_POINTER,),
    "CreateObjectFile": (_POINTER, _TEXT, ctypes.c_size_t),
    "CreatePassBuilder": (_POINTER, _POINTER, _POINTER),
    "CreatePipelineTuningOptions": (_POINTER,),
    "CreateTargetMachine": (_POINTER, _POINTER, _TEXT, _TEXT, _TEXT, _INT, _TEXT, _TEXT, _INT, _INT, _TEXT),
    "CreateTargetMachineData": (_POINTER, _POINTER),
    "DisposeExecutionEngine": (None, _POINTER),
    "DisposeMemoryBuffer": (None, _POINTER),
    "DisposeNewModulePassManger": (None, _POINTER),
    "DisposeObjectFile": (None, _POINTER),
    "DisposePassBuilder": (None, _POINTER),
    "DisposePipelineTuningOptions": (None, _POINTER),
    "DisposeString": (None, _TEXT),
    "DisposeTargetData": (None, _POINTER),
    "FinalizeObject": (None, _POINTER),
    "GetBufferSize": (ctypes.c_size_t, _POINTER),
    "GetBufferStart": (_POINTER, _POINTER),
    "GetDefaultTargetTriple": (None, _ANSWER),
    "GetFunctionAddress": (ctypes.c_uint64, _POINTER, _TEXT),
    "GetGlobalValueAddress": (ctypes.c_uint64, _POINTER, _TEXT),
    "GetHostCPUFeatures": (_INT, _ANSWER),
    "GetHostCPUName": (None, _ANSWER),
    "GetTargetFromTriple": (_POINTER, _TEXT, _ANSWER),
    "InitializeNativeAsmPrinter": (None,),
    "InitializeNativeTarget": (None,),
    "LoadLibraryPermanently": (ctypes.c_bool, _TEXT, _ANSWER),
    "MCJITAddObjectFile": (None, _POINTER, _POINTER),
    "ParseAssembly": (_POINTER, _POINTER, _TEXT, _ANSWER),
    "PrintModuleToString": (None, _POINTER, _ANSWER),
    "RunNewModulePassManager": (None, _POINTER, _POINTER, _POINTER),
    "SearchAddressOfSymbol": (_POINTER, _TEXT),
    "SetDataLayout": (None, _POINTER, _TEXT),
    "SetTarget": (None, _POINTER, _TEXT),
    "TargetMachineEmitToMemory": (_POINTER, _POINTER, _POINTER, _INT, _ANSWER),
    "VerifyModule": (ctypes.c_bool, _POINTER, _ANSWER),
    "module_AddAlwaysInlinerPass": (None, _POINTER),
    "module_AddInstCombinePass": (None, _POINTER),
    "module_AddSROAPass": (None, _POINTER),
    "module_AddSimplifyCFGPass": (None, _POINTER),
}
"""Name without the prefix -> result, arguments."""


class LLVMError(RuntimeError):
    """What LLVM says against a module."""


class LLVMMissing(LLVMError):
    """There is no LLVM that can be loaded."""


class _Functions:
    """The functions, as attributes; each takes its declaration when it is first asked for."""

    def __init__(self, path: str):
        self._library = ctypes.CDLL(path)

    def __getattr__(self, name: str) -> Any:
        function = getattr(self._library, f"LLVMPY_{name}")
        function.restype, *function.argtypes = DECLARATIONS[name]
        setattr(self, name, function)
        return function


def _find() -> str:
    """Where the shared library is; llvmlite itself is not imported."""
    found = importlib.util.find_spec("llvmlite")
    if found is None or not found.submodule_search_locations:
        raise ImportError("No module named 'llvmlite'")
    name = {"win32": "llvmlite.dll", "darwin": "libllvmlite.dylib"}.get(sys.platform, "libllvmlite.so")
    return os.path.join(found.submodule_search_locations[0], "binding", name)


_PATH = _find()


def identity() -> tuple[Any, ...]:
    """What tells this LLVM from others."""
    status = os.stat(_PATH)
    return status.st_size, status.st_mtime_ns


@once
def llvm() -> Any:
    """LLVM's functions.

    Raises:
      LLVMMissing: if it cannot be loaded.
    """
    if os.name == "posix":  # it is a large library: Python's own way would keep the global lock while it is loaded
        ctypes.CDLL(None).dlopen(os.fsencode(_PATH), os.RTLD_NOW)
    try:
        functions = _Functions(_PATH)
    except OSError as error:
        raise LLVMMissing(f"LLVM cannot be loaded ({error})") from error
    functions.InitializeNativeTarget()
    functions.InitializeNativeAsmPrinter()
    functions.LoadLibraryPermanently(None, ctypes.byref(ctypes.c_char_p()))  # the process's own: `memcpy`
    return functions


def asked(function: Any, *args: Any) -> tuple[Any, str]:
    """What a function returns, and the string that it gives besides."""
    answer = ctypes.c_char_p()
    out = function(*args, ctypes.byref(answer))
    text = (answer.value or b"").decode()
    if answer:
        llvm().DisposeString(answer)
    return out, text


def checked(function: Any, *args: Any) -> int:
    """The pointer that a function returns; the string that it gives besides is an error."""
    out, problem = asked(function, *args)
    if not out:
        raise LLVMError(problem)
    return out


@contextmanager
def module(text: str) -> Iterator[int]:
    """A module of LLVM IR, for a while."""
    api = llvm()
    context = api.ContextCreate()
    try:
        yield checked(api.ParseAssembly, context, text.encode())
    finally:
        api.ContextDispose(context)
