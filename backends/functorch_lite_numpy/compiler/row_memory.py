"""The memory of sequences: what one that is gone leaves is taken for the next.

    ptr grow(ptr memory, i64 had, i64 bytes)  so many bytes with what was in other memory; null, and an exception, if there are none
    void give(ptr memory, i64 bytes)          give it back

The system clears the memory that it gives page by page, which takes longer than to write rows; so pieces of some size are kept for
who needs as many bytes next, as the same loop will when it runs again. All is from Python's raw allocator. Threads run this without
the GIL: one looks at the pieces at a time, and who comes meanwhile does without.
"""

from __future__ import annotations

import ctypes
from typing import Any

from .background import once
from .cache import cached
from .linking import Library, load
from .making import making
from .outside import python_api

__all__ = ["LARGEST", "LEAST", "MOST", "address", "forget", "give", "library"]

PIECES = 64
LEAST, LARGEST = 1 << 15, 1 << 22
"""Bytes of a piece that is kept. Larger ones grow where they are."""
MOST = 1 << 24
"""Bytes of all that is kept."""
_API = (
    "PyMem_RawMalloc",
    "PyMem_RawRealloc",
    "PyMem_RawFree",
    "PyGILState_Ensure",
    "PyErr_NoMemory",
    "PyGILState_Release",
)

_IR = """
@lock = internal global i32 0
@kept = internal global i64 0
@oldest = internal global i64 0
@pieces = internal global [{pieces} x {{ ptr, i64 }}] zeroinitializer
{variables}

declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)

define internal i1 @is_kept(i64 %bytes) {{
  %large = icmp uge i64 %bytes, {least}
  %small = icmp ule i64 %bytes, {largest}
  %both = and i1 %large, %small
  ret i1 %both
}}

define internal i1 @enter() {{
  %before = atomicrmw xchg ptr @lock, i32 1 seq_cst
  %free = icmp eq i32 %before, 0
  ret i1 %free
}}

define internal void @leave() {{
  store atomic i32 0, ptr @lock seq_cst, align 4
  ret void
}}

; The place of the first piece of so many bytes, of none: an empty one; -1 if there is none.
define internal i64 @find(i64 %bytes) {{
entry:
  br label %head
head:
  %i = phi i64 [ 0, %entry ], [ %i.next, %other ]
  %more = icmp ult i64 %i, {pieces}
  br i1 %more, label %look, label %none
look:
  %place = getelementptr {{ ptr, i64 }}, ptr @pieces, i64 %i, i32 1
  %here = load i64, ptr %place
  %right = icmp eq i64 %here, %bytes
  br i1 %right, label %found, label %other
other:
  %i.next = add i64 %i, 1
  br label %head
found:
  ret i64 %i
none:
  ret i64 -1
}}

define internal ptr @remove(i64 %i) {{
  %place = getelementptr {{ ptr, i64 }}, ptr @pieces, i64 %i
  %size.place = getelementptr {{ ptr, i64 }}, ptr @pieces, i64 %i, i32 1
  %memory = load ptr, ptr %place
  %bytes = load i64, ptr %size.place
  store ptr null, ptr %place
  store i64 0, ptr %size.place
  %kept = load i64, ptr @kept
  %left = sub i64 %kept, %bytes
  store i64 %left, ptr @kept
  ret ptr %memory
}}

define internal ptr @take(i64 %bytes) {{
entry:
  %mine = call i1 @enter()
  br i1 %mine, label %look, label %new
look:
  %i = call i64 @find(i64 %bytes)
  %there = icmp sge i64 %i, 0
  br i1 %there, label %old, label %none
old:
  %memory = call ptr @remove(i64 %i)
  call void @leave()
  ret ptr %memory
none:
  call void @leave()
  br label %new
new:
  %malloc = load ptr, ptr @outside.PyMem_RawMalloc
  %made = call ptr %malloc(i64 %bytes)
  ret ptr %made
}}

define dso_local void @give(ptr %memory, i64 %bytes) {{
entry:
  %free = load ptr, ptr @outside.PyMem_RawFree
  %worth = call i1 @is_kept(i64 %bytes)
  br i1 %worth, label %ask, label %drop
ask:
  %mine = call i1 @enter()
  br i1 %mine, label %head, label %drop
head:
  %kept = load i64, ptr @kept
  %sum = add i64 %kept, %bytes
  %fits = icmp ule i64 %sum, {most}
  %empty = call i64 @find(i64 0)
  %room = icmp sge i64 %empty, 0
  %good = and i1 %fits, %room
  br i1 %good, label %keep, label %evict
evict:
  %i = load i64, ptr @oldest
  %old = call ptr @remove(i64 %i)
  call void %free(ptr %old)
  %following = add i64 %i, 1
  %i.next = urem i64 %following, {pieces}
  store i64 %i.next, ptr @oldest
  br label %head
keep:
  %place = getelementptr {{ ptr, i64 }}, ptr @pieces, i64 %empty
  %size.place = getelementptr {{ ptr, i64 }}, ptr @pieces, i64 %empty, i32 1
  store ptr %memory, ptr %place
  store i64 %bytes, ptr %size.place
  store i64 %sum, ptr @kept
  call void @leave()
  ret void
drop:
  call void %free(ptr %memory)
  ret void
}}

define dso_local ptr @grow(ptr %memory, i64 %had, i64 %bytes) {{
entry:
  %worth = call i1 @is_kept(i64 %bytes)
  br i1 %worth, label %other, label %same
same:
  %realloc = load ptr, ptr @outside.PyMem_RawRealloc
  %grown = call ptr %realloc(ptr %memory, i64 %bytes)
  br label %check
other:
  %taken = call ptr @take(i64 %bytes)
  br label %check
check:
  %new = phi ptr [ %grown, %same ], [ %taken, %other ]
  %none = icmp eq ptr %new, null
  br i1 %none, label %fail, label %fill
fill:
  br i1 %worth, label %copy, label %done
copy:
  call void @llvm.memcpy.p0.p0.i64(ptr %new, ptr %memory, i64 %had, i1 false)
  call void @give(ptr %memory, i64 %had)
  br label %done
done:
  ret ptr %new
fail:
  %ensure = load ptr, ptr @outside.PyGILState_Ensure
  %state = call i32 %ensure()
  %complain = load ptr, ptr @outside.PyErr_NoMemory
  %ignored = call ptr %complain()
  %release = load ptr, ptr @outside.PyGILState_Release
  call void %release(i32 %state)
  ret ptr null
}}

define dso_local void @forget() {{
entry:
  %free = load ptr, ptr @outside.PyMem_RawFree
  %mine = call i1 @enter()
  br i1 %mine, label %head, label %done
head:
  %i = phi i64 [ 0, %entry ], [ %i.next, %next ]
  %more = icmp ult i64 %i, {pieces}
  br i1 %more, label %next, label %leave
next:
  %old = call ptr @remove(i64 %i)
  call void %free(ptr %old)
  %i.next = add i64 %i, 1
  br label %head
leave:
  call void @leave()
  br label %done
done:
  ret void
}}
"""


@once
def library() -> Library:
    """The machine code; it is never given back, as what it keeps."""
    variables = "\n".join(f"@outside.{name} = dso_local global ptr null" for name in _API)
    text = _IR.format(pieces=PIECES, least=LEAST, largest=LARGEST, most=MOST, variables=variables)
    made = load(cached(text, lambda: making("engine").machine_code(text, 0)))
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(made))
    for name in _API:
        ctypes.c_void_p.from_address(made.address(f"outside.{name}")).value = python_api(name)
    return made


def address(name: str) -> int:
    """Of what compiled code refers to by `rows.name`."""
    return library().address(name)


@once
def _give() -> Any:
    return ctypes.PYFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)(address("give"))


def give(memory: int, size: int) -> None:
    """Give back what code has made grow."""
    _give()(memory, size)


def forget() -> None:
    """Keep nothing any more."""
    leave: Any = ctypes.PYFUNCTYPE(None)(address("forget"))
    leave()
