"""OpenBLAS's own threads held at one while ours are at work, as LLVM IR: a part of the pool's module.

    void hold_blas(), void free_blas()      in between, OpenBLAS uses no threads of its own
    void lock_blas(), void unlock_blas()    in between, nobody changes that

OpenBLAS's threads look for work for long, and take processors from ours; where others have the processors, a product waits for
them many times as long as it takes. So products are shared among our threads, while OpenBLAS's number of threads is held at 1.
It is set back when nobody holds it any more. OpenBLAS has a lock for that, which a forked child would find taken for ever: so a
fork takes ours.
"""

from __future__ import annotations

__all__ = ["FUNCTIONS", "ir"]

FUNCTIONS = ("get_num_threads", "set_num_threads")
"""What is called of OpenBLAS; null where there is none."""

_STATE = """
@blas.lock = dso_local global i32 0
@blas.holders = dso_local global i32 0
@blas.threads = dso_local global i32 1
@outside.get_num_threads = dso_local global ptr null
@outside.set_num_threads = dso_local global ptr null

define dso_local void @lock_blas() {{
entry:
  br label %try
try:
  %pair = cmpxchg ptr @blas.lock, i32 0, i32 1 seq_cst seq_cst
  %mine = extractvalue {{ i32, i1 }} %pair, 1
  br i1 %mine, label %leave, label %rest
rest:
  call void @{pause}({operand})
  br label %try
leave:
  ret void
}}

define dso_local void @unlock_blas() {{
entry:
  store atomic i32 0, ptr @blas.lock release, align 4
  ret void
}}
"""

_COUNT = """
define dso_local void @{name}() {{
entry:
  %get = load ptr, ptr @outside.get_num_threads
  %set = load ptr, ptr @outside.set_num_threads
  %none = icmp eq ptr %set, null
  br i1 %none, label %leave, label %count
count:
  call void @lock_blas()
  %before = load i32, ptr @blas.holders
  %after = add i32 %before, {change}
  store i32 %after, ptr @blas.holders
  %nobody = icmp eq i32 {nobody}, 0
  br i1 %nobody, label %switch, label %unlock
switch:
{switch}
  br label %unlock
unlock:
  call void @unlock_blas()
  br label %leave
leave:
  ret void
}}
"""
"""Counts holders: the first and the last of them change OpenBLAS's setting."""

_HOLD = """  %threads = call i32 %get()
  store i32 %threads, ptr @blas.threads
  call void %set(i32 1)"""

_FREE = """  %threads = load i32, ptr @blas.threads
  call void %set(i32 %threads)"""


def ir(pause: str, operand: str) -> str:
    """This part of the module.

    Args:
      pause: the intrinsic that tells the processor of a waiting loop.
      operand: its operand.
    """
    return (
        _STATE.format(pause=pause, operand=operand)
        + _COUNT.format(name="hold_blas", change=1, nobody="%before", switch=_HOLD)
        + _COUNT.format(name="free_blas", change=-1, nobody="%after", switch=_FREE)
    )
