"""The way from Python into native code: a built-in function whose body is machine code too.

It reads the data pointers of its operands out of NumPy's objects, allocates the results by NumPy's C interface and calls the
segment: 0.1 microseconds where ctypes takes several. Operands are arrays or NumPy scalars of known dtype and shape; an array
that is not contiguous is copied.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from llvmlite import ir

from functorch_lite.extend import ArrayType

from .outside import numpy_api, python_api
from .segment import Segment
from .types import I8, I32, I64, PTR, constant
from .unit import Unit

__all__ = ["emit_entry", "make_callable"]

ARRAY_DATA, ARRAY_FLAGS = 16, 64
"""Where a NumPy array has its data pointer and its flags (NumPy's stable ABI)."""
SCALAR_DATA = 16
"""Where a NumPy scalar has its value."""
CONTIGUOUS_ALIGNED = 0x0101
TUPLE_ITEMS = 24


class _Method(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    ]


METH_FASTCALL = 0x0080


class _Code:
    """Holds what must live as long as the function: the machine code, its definition, dtypes."""

    def __init__(self, library: Any, method: Any, arena: Any):
        self.library = library
        self.method = method
        self.arena = arena


class _Emitter:
    """Emits `PyObject *entry(PyObject *self, PyObject *const *args, Py_ssize_t n)`."""

    def __init__(self, unit: Unit, segment: Segment):
        self.unit = unit
        self.segment = segment
        self.function = unit.function("entry", PTR, [PTR, PTR, I64], "external")
        self.b = ir.IRBuilder(self.function.append_basic_block("entry"))

    def call(self, api: str, name: str, result: Any, *args: Any) -> Any:
        address = numpy_api(name) if api == "numpy" else python_api(name)
        return self.unit.call_outside(self.b, name, address, result, args)

    def at(self, pointer: Any, offset: int) -> Any:
        return self.b.gep(pointer, [constant(I64, offset)], source_etype=I8)

    def operand(self, i: int) -> tuple[Any, Any]:
        """The data pointer of an operand, and what must be released afterwards (null: nothing)."""
        b = self.b
        arguments = self.function.args[1]
        x = b.load(b.gep(arguments, [constant(I64, i)], source_etype=PTR), typ=PTR)
        null = ir.Constant(PTR, None)
        is_array = b.icmp_unsigned(
            "==", b.load(self.at(x, 8), typ=PTR), self.unit.outside(b, "PyArray_Type", numpy_api("PyArray_Type"))
        )
        array, scalar, copy, direct, done = (
            self.function.append_basic_block(f"x{i}.{n}") for n in ("array", "scalar", "copy", "direct", "done")
        )
        b.cbranch(is_array, array, scalar)
        b.position_at_end(scalar)
        scalar_data = self.at(x, SCALAR_DATA)
        b.branch(done)
        b.position_at_end(array)
        flags = b.and_(b.load(self.at(x, ARRAY_FLAGS), typ=I32), constant(I32, CONTIGUOUS_ALIGNED))
        b.cbranch(b.icmp_unsigned("==", flags, constant(I32, CONTIGUOUS_ALIGNED)), direct, copy)
        b.position_at_end(copy)
        copied = self.call("numpy", "PyArray_NewCopy", PTR, x, constant(I32, 0))
        copied_data = b.load(self.at(copied, ARRAY_DATA), typ=PTR)
        copy_end = b.block
        b.branch(done)
        b.position_at_end(direct)
        direct_data = b.load(self.at(x, ARRAY_DATA), typ=PTR)
        b.branch(done)
        b.position_at_end(done)
        data, owned = b.phi(PTR), b.phi(PTR)
        for value, owner, block in (
            (scalar_data, null, scalar),
            (copied_data, copied, copy_end),
            (direct_data, null, direct),
        ):
            data.add_incoming(value, block)
            owned.add_incoming(owner, block)
        return data, owned

    def result(self, t: ArrayType) -> Any:
        """A new array."""
        b = self.b
        descriptor = self.unit.outside(b, f"dtype.{t.dtype.name}", id(t.dtype))
        self.call("python", "Py_IncRef", ir.VoidType(), descriptor)
        shape = self.unit.constant(np.asarray(t.shape, np.int64)) if t.shape else ir.Constant(PTR, None)
        return self.call("numpy", "PyArray_Empty", PTR, constant(I32, t.ndim), shape, descriptor, constant(I32, 0))

    def leave_if_raised(self) -> None:
        """A loop that was interrupted ends early, with the exception set."""
        b = self.b
        raised = self.call("python", "PyErr_Occurred", PTR)
        with b.if_then(b.icmp_unsigned("!=", raised, ir.Constant(PTR, None))):
            b.ret(ir.Constant(PTR, None))

    def run(self, in_types: Sequence[ArrayType], out_types: Sequence[ArrayType]) -> None:
        b = self.b
        with b.if_then(b.icmp_signed("!=", self.function.args[2], constant(I64, len(in_types)))):
            self.call("python", "PyErr_BadInternalCall", ir.VoidType())
            b.ret(ir.Constant(PTR, None))
        operands = [self.operand(i) for i in range(len(in_types))]
        results = [self.result(t) for t in out_types]
        arena = self.unit.outside(b, "arena", 0)
        data = [b.load(self.at(r, ARRAY_DATA), typ=PTR) for r in results]
        b.call(self.segment.function, [*(p for p, _ in operands), *data, arena])
        if self.unit.interruptible:
            self.leave_if_raised()
        for _, owned in operands:
            self.call("python", "Py_DecRef", ir.VoidType(), owned)  # of null: nothing
        finished = [
            r if t.shape else self.call("numpy", "PyArray_Return", PTR, r)
            for r, t in zip(results, out_types, strict=True)
        ]
        out = self.call("python", "PyTuple_New", PTR, constant(I64, len(finished)))
        for k, r in enumerate(finished):
            b.store(r, self.at(out, TUPLE_ITEMS + 8 * k))
        b.ret(out)


def emit_entry(unit: Unit, segment: Segment) -> None:
    """Append the entry to the unit."""
    program = segment.program
    _Emitter(unit, segment).run([v.type for v in program.inputs], [a.type for a in program.outputs])


def make_callable(unit: Unit, segment: Segment) -> Callable[..., tuple[Any, ...]]:
    """Compile the unit; a Python function from operand buffers to a tuple of result buffers."""
    program = segment.program
    emit_entry(unit, segment)
    arena = _aligned(segment.arena)
    unit.addresses["arena"] = arena.ctypes.data if segment.arena else 0
    library = unit.load()
    method = _Method(b"program", library.address("entry"), METH_FASTCALL, None)
    new = ctypes.pythonapi.PyCFunction_NewEx
    new.restype, new.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p]
    return new(ctypes.addressof(method), _Code(library, method, (arena, [a.type.dtype for a in program.outputs])), None)


def _aligned(size: int) -> np.ndarray:
    """Memory that starts at a multiple of 64 bytes."""
    memory = np.empty(size + 64, np.uint8)
    start = -memory.ctypes.data % 64
    return memory[start : start + max(size, 1)]
