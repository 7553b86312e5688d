"""Machine code brought into memory by LLVM, which knows the objects of all systems."""

from __future__ import annotations

import threading
import weakref

from ..forking import whole
from .elf import ElfObject, refuse_missing
from .engine import new_machine
from .llvm import checked, llvm
from .processor import processor_family

__all__ = ["Library"]

_linking = threading.RLock()


class Library:
    """Objects that refer to each other, and to the process; see `linking.load`."""

    def __init__(self, *codes: bytes):
        api = llvm()
        objects = [ElfObject(code) for code in codes if code[:4] == b"\x7fELF"]
        needed = set().union(*(o.names(defined=False) for o in objects))
        needed -= set().union(*(o.names(defined=True) for o in objects))
        refuse_missing({name for name in needed if not api.SearchAddressOfSymbol(name)})
        with whole(), _linking:
            context = api.ContextCreate()
            backing = checked(api.ParseAssembly, context, b"")
            own_manager = processor_family() == "aarch64"
            self.engine = checked(api.CreateMCJITCompiler, backing, new_machine(), own_manager)
            for code in codes:
                object_file = api.CreateObjectFile(code, len(code))
                api.MCJITAddObjectFile(self.engine, object_file)
                api.DisposeObjectFile(object_file)
            api.FinalizeObject(self.engine)
        weakref.finalize(self, _dispose, self.engine, context).atexit = False

    def address(self, name: str) -> int:
        api, symbol = llvm(), name.encode()
        return api.GetFunctionAddress(self.engine, symbol) or api.GetGlobalValueAddress(self.engine, symbol)


def _dispose(engine: int, context: int) -> None:
    with whole(), _linking:
        llvm().DisposeExecutionEngine(engine)
        llvm().ContextDispose(context)
