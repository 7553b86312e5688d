"""LLVM's intrinsics, for scalars and vectors alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import ir
from .types import I1, I8, I32, constant, int64

__all__ = ["call_named", "clear_memory", "copy_memory", "intrinsic", "prefetch", "suffix"]


def intrinsic(b: Any, name: str, *args: Any) -> Any:
    """A call of an LLVM intrinsic that is overloaded in the type of its first operand, which is the result's too."""
    type = args[0].type
    return call_named(b, f"llvm.{name}.{suffix(type)}", type, args)


def call_named(b: Any, name: str, result: Any, args: Sequence[Any], fastmath: Sequence[str] = ()) -> Any:
    """A call of a function that LLVM knows by its full name."""
    function = b.module.globals.get(name)
    if function is None:
        function = ir.Function(b.module, ir.FunctionType(result, [a.type for a in args]), name)
    return b.call(function, args, fastmath)


def suffix(type: Any) -> str:
    """What a type is called in the names of intrinsics."""
    if isinstance(type, ir.VectorType):
        return f"v{type.count}{suffix(type.element)}"
    if isinstance(type, ir.IntType):
        return f"i{type.width}"
    return "f64" if isinstance(type, ir.DoubleType) else "f32"


def copy_memory(b: Any, target: Any, source: Any, size: Any) -> None:
    """Copy bytes between buffers that do not overlap."""
    call_named(b, "llvm.memcpy.p0.p0.i64", ir.VoidType(), [target, source, int64(size), constant(I1, 0)])


def clear_memory(b: Any, target: Any, size: Any) -> None:
    """Set bytes to zero."""
    call_named(b, "llvm.memset.p0.i64", ir.VoidType(), [target, constant(I8, 0), size, constant(I1, 0)])


def prefetch(b: Any, pointer: Any) -> None:
    """Get what is about to be read into the nearest cache; any address is fine."""
    read, near, data = (constant(I32, n) for n in (0, 3, 1))
    call_named(b, "llvm.prefetch.p0", ir.VoidType(), [pointer, read, near, data])
