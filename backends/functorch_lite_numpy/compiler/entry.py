"""The way from Python into a segment: a built-in function whose body is machine code.

It reads the data pointers of its operands out of NumPy's objects, allocates the results by NumPy's C interface and calls the
segment: 0.1 microseconds where ctypes takes several. Operands are arrays or NumPy scalars of known dtype and shape; an array
that is not contiguous is copied. A large operand that is a result too is given back as it is: nobody changes arrays.

A program that takes long gives up the GIL while it runs. Then another Python thread may call the same function (so may the
handler of a signal): each call works in memory of its own (`arena.py`).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from functorch_lite.extend import ArrayType

from . import ir
from .arena import working_memory
from .control import counted
from .engine import Library
from .parts import hurried
from .segment import Segment
from .types import I8, I32, I64, PTR, constant
from .unit import Unit

__all__ = ["Code", "Method", "emit_entry", "make_callable"]

OBJECT_TYPE, ARRAY_DATA, ARRAY_FLAGS = 8, 16, 64
"""Where CPython's objects hold their type, and NumPy's arrays their data pointer and flags, on 64-bit machines."""
SCALAR_DATA = 16
"""Where a NumPy scalar has its value."""
CONTIGUOUS_ALIGNED = 0x0101
TUPLE_ITEMS = 24
LONG = 50e3
"""Nanoseconds of work from which on the GIL is given up."""
NULL = ir.Constant(PTR, None)


class Method(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    ]


METH_FASTCALL = 0x0080


class Code:
    """Holds what must live as long as the function: the machine code, its definition, dtypes."""

    def __init__(self, library: Any, method: Any, dtypes: Any):
        self.library = library
        self.method = method
        self.dtypes = dtypes


class _Emitter:
    """Emits `PyObject *entry(PyObject *self, PyObject *const *args, Py_ssize_t n)`.

    Loops over operands and results, so that its size does not depend on how many they are; and LLVM takes no pains with it.
    """

    def __init__(self, unit: Unit, segment: Segment, passed: Mapping[int, int]):
        self.unit = unit
        self.segment = segment
        self.passed = passed
        self.n_operands = len(segment.program.inputs)
        self.result_types = [a.type for a in segment.program.outputs]
        self.function = hurried(unit.function("entry", PTR, [PTR, PTR, I64], "external"))
        self.b = ir.IRBuilder(self.function.append_basic_block("entry"))
        self.failed = self.function.append_basic_block("failed")
        self.data = self.pointers(self.n_operands)
        """Where the operands' numbers are."""
        self.copies = self.pointers(self.n_operands)
        """Copies that were made of operands, which are given back in the end; null: none."""
        self.results = self.pointers(len(self.result_types))

    def run(self) -> None:
        self.check_count()
        self.clear(self.copies, self.n_operands)
        self.clear(self.results, len(self.result_types))
        self.read_operands()
        self.make_results()
        self.call_segment()
        self.release(self.copies, self.n_operands)
        self.return_results()
        self.write_failure()

    # Pieces of code

    def call(self, api: str, name: str, result: Any, *args: Any) -> Any:
        return self.unit.call_outside(self.b, f"{api}.{name}", result, args)

    def at(self, pointer: Any, offset: int) -> Any:
        return self.b.gep(pointer, [constant(I64, offset)], source_etype=I8)

    def pointers(self, n: int) -> Any:
        """An array of n pointers on the stack."""
        return self.b.alloca(PTR, max(n, 1))

    def item(self, pointers: Any, i: Any) -> Any:
        return self.b.gep(pointers, [i], source_etype=PTR)

    def items(self, pointers: Any, n: int) -> list[Any]:
        return [self.b.load(self.item(pointers, constant(I64, i)), typ=PTR) for i in range(n)]

    def leave_if(self, condition: Any) -> None:
        """With the exception that is set."""
        go_on = self.b.append_basic_block("go_on")
        self.b.cbranch(condition, self.failed, go_on)
        self.b.position_at_end(go_on)

    def leave_if_null(self, pointer: Any) -> None:
        self.leave_if(self.b.icmp_unsigned("==", pointer, NULL))

    def clear(self, pointers: Any, n: int) -> None:
        if n:
            with counted(self.b, n) as i:
                self.b.store(NULL, self.item(pointers, i))

    def release(self, pointers: Any, n: int) -> None:
        if n:
            with counted(self.b, n) as i:
                self.call("python", "Py_DecRef", ir.VoidType(), self.b.load(self.item(pointers, i), typ=PTR))

    # What is done, in order

    def check_count(self) -> None:
        b = self.b
        with b.if_then(b.icmp_signed("!=", self.function.args[2], constant(I64, self.n_operands))):
            self.call("python", "PyErr_BadInternalCall", ir.VoidType())
            b.ret(NULL)

    def read_operands(self) -> None:
        """The data pointers of the operands; what is not contiguous is copied."""
        b = self.b
        if not self.n_operands:
            return
        with counted(b, self.n_operands) as i:
            x = b.load(self.item(self.function.args[1], i), typ=PTR)
            place = self.item(self.data, i)
            array_type = self.unit.outside(b, "numpy.PyArray_Type")
            is_array = b.icmp_unsigned("==", b.load(self.at(x, OBJECT_TYPE), typ=PTR), array_type)
            with b.if_else(is_array) as (then, otherwise):
                with then:
                    b.store(b.load(self.at(x, ARRAY_DATA), typ=PTR), place)
                    flags = b.and_(b.load(self.at(x, ARRAY_FLAGS), typ=I32), constant(I32, CONTIGUOUS_ALIGNED))
                    with b.if_then(b.icmp_unsigned("!=", flags, constant(I32, CONTIGUOUS_ALIGNED))):
                        copy = self.call("numpy", "PyArray_NewCopy", PTR, x, constant(I32, 0))
                        b.store(copy, self.item(self.copies, i))
                        self.leave_if_null(copy)
                        b.store(b.load(self.at(copy, ARRAY_DATA), typ=PTR), place)
                with otherwise:
                    b.store(self.at(x, SCALAR_DATA), place)

    def make_results(self) -> None:
        """New arrays."""
        b = self.b
        if not self.result_types:
            return
        with counted(b, len(self.result_types)) as k:
            variable, ndim, shape = self.described(k)
            descriptor = b.load(variable, typ=PTR)
            self.call("python", "Py_IncRef", ir.VoidType(), descriptor)
            zero = constant(I32, 0)
            made = self.call("numpy", "PyArray_Empty", PTR, b.trunc(ndim, I32), shape, descriptor, zero)
            b.store(made, self.item(self.results, k))
            self.leave_if_null(made)

    def described(self, k: Any) -> tuple[Any, Any, Any]:
        """Of a result: the variable that holds its dtype, its number of dimensions, its shape."""
        b, row = self.b, ir.LiteralStructType([PTR, I64, PTR])
        table = self.unit.shared("results", self.table)
        at = b.gep(table, [k], source_etype=row)
        places = (b.gep(at, [constant(I32, 0), constant(I32, j)], source_etype=row) for j in range(3))
        return tuple(b.load(p, typ=t) for p, t in zip(places, row.elements, strict=True))  # type: ignore[return-value]

    def table(self) -> Any:
        row = ir.LiteralStructType([PTR, I64, PTR])
        rows = [ir.Constant(row, self.description(t)) for t in self.result_types]
        table: Any = ir.GlobalVariable(self.unit.module, ir.ArrayType(row, len(rows)), "results")
        table.linkage, table.initializer = "internal", ir.Constant(ir.ArrayType(row, len(rows)), rows)
        return table

    def description(self, type: ArrayType) -> list[Any]:
        variable = self.unit.outside_variable(f"dtype.{type.dtype.name}")
        shape = self.unit.constant(np.asarray(type.shape, np.int64)) if type.shape else NULL
        return [variable, constant(I64, type.ndim), shape]

    def call_segment(self) -> None:
        b, operands = self.b, self.items(self.data, self.n_operands)
        results = self.items(self.results, len(self.result_types))
        places = [b.load(self.at(r, ARRAY_DATA), typ=PTR) for r in results]
        size = self.segment.arena
        with working_memory(self.unit, b, size, self.leave_if_null) as arena, self.without_gil():
            b.call(self.segment.function, [*operands, *places, arena])
        if self.unit.interruptible:  # a loop that was interrupted ends early, with the exception set
            self.leave_if(b.icmp_unsigned("!=", self.call("python", "PyErr_Occurred", PTR), NULL))

    @contextmanager
    def without_gil(self) -> Iterator[None]:
        """Gives up the GIL meanwhile, if it is for long."""
        if self.segment.duration < LONG:
            yield
            return
        state = self.call("python", "PyEval_SaveThread", PTR)
        yield
        self.call("python", "PyEval_RestoreThread", ir.VoidType(), state)

    def return_results(self) -> None:
        """A tuple of them, as NumPy returns them: scalars where there are no axes."""
        b, n = self.b, len(self.result_types)
        out = self.call("python", "PyTuple_New", PTR, constant(I64, n + len(self.passed)))
        self.leave_if_null(out)
        items = self.at(out, TUPLE_ITEMS)
        if n:
            with counted(b, n) as k:
                result = b.load(self.item(self.results, k), typ=PTR)
                _, ndim, _ = self.described(k)
                place = self.item(items, self.place_of(k))
                b.store(result, place)
                with b.if_then(b.icmp_unsigned("==", ndim, constant(I64, 0))):
                    b.store(self.call("numpy", "PyArray_Return", PTR, result), place)
        for k, i in self.passed.items():
            operand = b.load(self.item(self.function.args[1], constant(I64, i)), typ=PTR)
            self.call("python", "Py_IncRef", ir.VoidType(), operand)
            b.store(operand, self.item(items, constant(I64, k)))
        b.ret(out)

    def place_of(self, k: Any) -> Any:
        """Where in the tuple a result of the segment belongs."""
        if not self.passed:
            return k
        total = len(self.result_types) + len(self.passed)
        table = self.unit.constant(np.asarray([i for i in range(total) if i not in self.passed], np.int64))
        return self.b.load(self.b.gep(table, [k], source_etype=I64), typ=I64)

    def write_failure(self) -> None:
        self.b.position_at_end(self.failed)
        self.release(self.copies, self.n_operands)
        self.release(self.results, len(self.result_types))
        self.b.ret(NULL)


def emit_entry(unit: Unit, segment: Segment, passed: Mapping[int, int] | None = None) -> None:
    """Append the entry to the unit. `passed`: see `make_callable`."""
    segment.hurry_small_nests()
    if len(segment.function.blocks) == 1:
        hurried(segment.function)
    _Emitter(unit, segment, passed or {}).run()


def make_callable(library: Library, results: Sequence[ArrayType]) -> Callable[..., tuple[Any, ...]]:
    """A Python function from operand buffers to a tuple of result buffers, of the code of a unit with an entry."""
    method = Method(b"program", library.address("entry"), METH_FASTCALL, None)
    new = ctypes.pythonapi.PyCFunction_NewEx
    new.restype, new.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p]
    return new(ctypes.addressof(method), Code(library, method, [t.dtype for t in results]), None)
