"""The compiler of the NumPy backend: programs -> machine code, through LLVM.

    program  --fuse-->  groups  --build-->  loop nests  --Kernel-->  LLVM functions
    equations in a row that are native  --Segment-->  one function  --make_callable-->  a Python callable

What has no native form is called through NumPy in between. Reading order: types, vectors, scalars, collapse; kernel_plan,
values (of a nest's nodes), results (what it stores and sums up), kernel (its loops: a nest as a function); unit (a module),
steps (equations), memory, segment (a run of steps), signature and entry (the way in from Python), compile; for threads:
pool, threads, sharing.
"""

from ..threads import threads as processors
from .background import in_background
from .compile import compile_native
from .engine import obstacle
from .entry import entry
from .fast_path import fast_path, way_in
from .reading import describe, steps
from .threads import parallel_for

__all__ = ["compile_native", "describe", "fast_path", "obstacle", "steps"]

if processors() > 1:  # what nearly every program needs, while the first one is traced
    in_background(entry, parallel_for, way_in)
