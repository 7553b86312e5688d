"""Mathematical functions of the compiler, compiled alone, as functions of arrays."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np

from functorch_lite_numpy.compiler import engine, ir
from functorch_lite_numpy.compiler.linking import load

__all__ = ["elementwise"]


def elementwise(emit: Any, operands: int, dtype: type, width: int, results: int = 1) -> Callable[..., Any]:
    """A compiled loop over arrays.

    Args:
      emit: (builder, *values) -> value, or a tuple of values if there are several results.
      operands: how many arrays there are.
      dtype: of all arrays.
      width: lanes of the vectors; with 1, scalars.
      results: how many.
    """
    scalar = ir.FloatType() if dtype == np.float32 else ir.DoubleType()
    pointer, index = ir.PointerType(), ir.IntType(64)
    type = scalar if width == 1 else ir.VectorType(scalar, width)
    module = ir.Module("elementwise")
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [pointer] * (operands + results) + [index]), "loop")
    start, body, done = (function.append_basic_block(n) for n in ("start", "body", "done"))
    ir.IRBuilder(start).branch(body)
    b = ir.IRBuilder(body)
    i = b.phi(index)
    i.add_incoming(ir.Constant(index, 0), start)
    places = [b.gep(p, [i], source_etype=scalar) for p in function.args[:-1]]
    align = np.dtype(dtype).itemsize
    out = emit(b, *(b.load(p, typ=type, align=align) for p in places[:operands]))
    for value, place in zip((out,) if results == 1 else out, places[operands:], strict=True):
        b.store(value, place, align=align)
    following = b.add(i, ir.Constant(index, width))
    i.add_incoming(following, b.block)
    b.cbranch(b.icmp_signed("<", following, function.args[-1]), body, done)
    ir.IRBuilder(done).ret_void()
    library = load(engine.machine_code(str(module)))
    signature = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * (operands + results), ctypes.c_int64)
    call: Any = signature(library.address("loop"))
    call.library = library

    def run(*arrays: np.ndarray) -> Any:
        n = arrays[0].size
        padded = [np.concatenate([a.astype(dtype), np.ones(-n % width, dtype)]) for a in arrays]
        outs = [np.empty_like(padded[0]) for _ in range(results)]
        call(*(a.ctypes.data for a in (*padded, *outs)), padded[0].size)
        return outs[0][:n] if results == 1 else tuple(out[:n] for out in outs)

    return run
