"""LLVM's intrinsics, for scalars and vectors alike."""

from __future__ import annotations

from typing import Any

from . import ir

__all__ = ["intrinsic", "short"]


def intrinsic(builder: Any, name: str, *args: Any) -> Any:
    """A call of an LLVM intrinsic that is overloaded in the type of its first operand, which is the result's too."""
    type = args[0].type
    suffix = f"v{type.count}{short(type.element)}" if isinstance(type, ir.VectorType) else short(type)
    full = f"llvm.{name}.{suffix}"
    module = builder.module
    function = module.globals.get(full)
    if function is None:
        function = ir.Function(module, ir.FunctionType(type, [a.type for a in args]), full)
    return builder.call(function, args)


def short(type: Any) -> str:
    """What a scalar type is called in the names of intrinsics."""
    if isinstance(type, ir.IntType):
        return f"i{type.width}"
    return "f64" if isinstance(type, ir.DoubleType) else "f32"
