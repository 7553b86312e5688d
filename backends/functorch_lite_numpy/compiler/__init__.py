"""The compiler of the NumPy backend: programs -> machine code, through LLVM.

    program  --fuse-->  groups  --build-->  loop nests  --Kernel-->  LLVM functions
    equations in a row that are native  --Segment-->  one function  --make_callable-->  a Python callable

What has no native form is called through NumPy in between. Reading order: native (code found or made); types, vectors,
scalars, collapse; kernel_plan, values (of a nest's nodes), results (what it stores and sums up), kernel (its loops: a nest as
a function); unit (a module), parts (that workers compile), steps (equations), memory, segment (a run of steps), loops,
sequences (what loops stack), signature, compile, editions; engine, linking, image (code in memory); entry, fast_path and
early (the ways in from Python); for threads: pool, threads, sharing. What runs code that was found is imported here, what
makes code (`making`) only where some is likely to be made.
"""

from .fast_path import fast_path
from .llvm import LLVMMissing
from .making import making
from .native import compile_native, get_ready, import_ahead, obstacle

__all__ = ["LLVMMissing", "compile_native", "fast_path", "get_ready", "import_ahead", "making", "obstacle"]
