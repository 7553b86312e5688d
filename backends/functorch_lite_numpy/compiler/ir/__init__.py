"""LLVM IR, written as text while it is built: types, values, functions, and a builder with a method for each instruction.

The names are those of `llvmlite.ir`. Its objects remember who uses whom, so that IR can be changed; ours is only ever
written, so an instruction is a line of text, and what is known of a value is its type and its name.
"""

from .builder import IRBuilder
from .types import (
    ArrayType,
    DoubleType,
    FloatType,
    FunctionType,
    HalfType,
    IntType,
    LiteralStructType,
    PointerType,
    VectorType,
    VoidType,
)
from .values import NEAR, Block, Constant, Function, GlobalValue, GlobalVariable, Module, Undefined, Value

__all__ = [
    "NEAR",
    "ArrayType",
    "Block",
    "Constant",
    "DoubleType",
    "FloatType",
    "Function",
    "FunctionType",
    "GlobalValue",
    "GlobalVariable",
    "HalfType",
    "IRBuilder",
    "IntType",
    "LiteralStructType",
    "Module",
    "PointerType",
    "Undefined",
    "Value",
    "VectorType",
    "VoidType",
]
