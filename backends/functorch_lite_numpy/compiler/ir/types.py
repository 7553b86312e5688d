"""Types of LLVM IR, and how their constants are written."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

__all__ = [
    "I1",
    "ArrayType",
    "DoubleType",
    "FloatType",
    "FunctionType",
    "HalfType",
    "IntType",
    "LiteralStructType",
    "PointerType",
    "Type",
    "VectorType",
    "VoidType",
]


class Type:
    """A type: there is one object for each, so they can be compared by `is`. `text`: how it is written."""

    text: str
    zero = "zeroinitializer"

    def __new__(cls, *args: Any) -> Any:
        found = _TYPES.get((cls, args))
        if found is None:
            found = super().__new__(cls)
            found.describe(*args)
            found = _TYPES.setdefault((cls, args), found)
        return found

    def describe(self, *args: Any) -> None:
        """Set the attributes of a new type."""
        raise NotImplementedError

    def literal(self, value: Any) -> str:
        """A constant of the type, without the type."""
        raise NotImplementedError

    def __str__(self) -> str:
        return self.text


_TYPES: dict[Any, Any] = {}


class VoidType(Type):
    def describe(self) -> None:
        self.text = "void"


class IntType(Type):
    def describe(self, width: int) -> None:
        self.width = width
        self.text = f"i{width}"

    def literal(self, value: Any) -> str:
        return str(int(value)) if self.width > 1 else "true" if value else "false"


class _FloatingType(Type):
    def literal(self, value: Any) -> str:
        return f"0x{struct.unpack('<Q', struct.pack('<d', self.rounded(value)))[0]:x}"

    def rounded(self, value: float) -> float:
        return value


class HalfType(Type):
    def describe(self) -> None:
        self.text = "half"

    def literal(self, value: Any) -> str:
        return f"0xH{struct.unpack('<H', struct.pack('<e', value))[0]:04X}"


class FloatType(_FloatingType):
    def describe(self) -> None:
        self.text = "float"

    def rounded(self, value: float) -> float:
        return struct.unpack("<f", struct.pack("<f", value))[0]


class DoubleType(_FloatingType):
    def describe(self) -> None:
        self.text = "double"


class PointerType(Type):
    """A pointer; to a function of a known type, it can be called."""

    zero = "null"

    def describe(self, pointee: Type | None = None) -> None:
        self.pointee = pointee
        self.text = "ptr"


class _Several(Type):
    """A type made of others: its constants are written with theirs."""

    brackets = "{}"

    def literal(self, value: Any) -> str:
        return f"{self.brackets[0]} {', '.join(x.typed for x in value)} {self.brackets[1]}"


class VectorType(Type):
    def describe(self, element: Type, count: int) -> None:
        self.element = element
        self.count = count
        self.text = f"<{count} x {element.text}>"

    def literal(self, value: Any) -> str:
        element = self.element
        return f"< {', '.join([f'{element.text} {element.literal(x)}' for x in value])} >"


class ArrayType(_Several):
    brackets = "[]"

    def describe(self, element: Type, count: int) -> None:
        self.element = element
        self.count = count
        self.text = f"[{count} x {element.text}]"

    def literal(self, value: Any) -> str:
        if isinstance(value, (bytes, bytearray)):
            return f'c"{"".join(map(_BYTES.__getitem__, value))}"'
        return super().literal(value)


_BYTES = [chr(x) if 32 <= x < 127 and chr(x) not in '"\\' else f"\\{x:02x}" for x in range(256)]


class LiteralStructType(_Several):
    def __new__(cls, elements: Sequence[Type]) -> Any:
        return super().__new__(cls, tuple(elements))

    def describe(self, elements: Sequence[Type]) -> None:
        self.elements = elements
        self.text = f"{{{', '.join(t.text for t in elements)}}}"


class FunctionType(Type):
    def __new__(cls, return_type: Type, args: Sequence[Type]) -> Any:
        return super().__new__(cls, return_type, tuple(args))

    def describe(self, return_type: Type, args: Sequence[Type]) -> None:
        self.return_type = return_type
        self.args = args
        self.text = f"{return_type.text} ({', '.join(t.text for t in args)})"


I1 = IntType(1)
