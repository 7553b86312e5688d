"""Where CPython's and NumPy's objects hold what machine code reads and writes, on 64-bit machines: bytes from their start."""

from __future__ import annotations

__all__ = [
    "ARRAY_DATA",
    "ARRAY_DTYPE",
    "ARRAY_FLAGS",
    "ARRAY_HANDLER",
    "ARRAY_NDIM",
    "ARRAY_SHAPE",
    "OBJECT_TYPE",
    "SCALAR_DATA",
    "TUPLE_ITEMS",
]

OBJECT_TYPE = 8
TUPLE_ITEMS = 24
SCALAR_DATA = 16
"""The value of a NumPy scalar."""
ARRAY_DATA, ARRAY_NDIM, ARRAY_SHAPE = 16, 24, 32
ARRAY_DTYPE, ARRAY_FLAGS, ARRAY_HANDLER = 56, 64, 88
