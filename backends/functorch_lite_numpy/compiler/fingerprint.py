"""What a program is, as text: two programs with the same one do the same thing, whatever their variables are called.

So the machine code of a program can be found on disk before anything is made of the program.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from functorch_lite.extend import ArrayType, Dim, Literal, Primitive, Program

__all__ = ["fingerprint"]


_OURS = {name.split(".")[0] for name in (Program.__module__, __name__)}
"""The packages whose rules are known by their version."""


class _Unknown(Exception):
    """Something whose text would not tell all that it is."""


def fingerprint(program: Program) -> str | None:
    """The text; None if a param of an equation is neither data nor a program, or a primitive has rules of a stranger's."""
    writer = _Writer()
    try:
        written = writer.program(program)
    except _Unknown:
        return None
    return repr((written, [(writer.value(t.shape), writer.dtype(t.dtype), t.weak) for t in writer.types]))


class _Writer:
    """Makes nested tuples of numbers and strings; types are numbered, and so are lengths that only the run decides."""

    def __init__(self) -> None:
        self.types: dict[ArrayType, int] = {}
        self.dtypes: dict[np.dtype, str] = {}
        self.dims: dict[Dim, int] = {}
        self.primitives: dict[Primitive, Any] = {}

    def dtype(self, dtype: np.dtype) -> str:
        if dtype not in self.dtypes:
            self.dtypes[dtype] = dtype.name
        return self.dtypes[dtype]

    def type(self, type: ArrayType) -> int:
        number = self.types.get(type)
        if number is None:
            number = self.types[type] = len(self.types)
        return number

    def program(self, program: Program) -> tuple[Any, ...]:
        numbers = {v: i for i, v in enumerate(program.inputs)}

        def atom(a: Any) -> Any:
            return (self.type(a.type), a.value.tobytes()) if isinstance(a, Literal) else numbers[a]

        equations = []
        for e in program.equations:
            operands = [atom(a) for a in e.operands]
            for v in e.results:
                numbers[v] = len(numbers)
            params = [(name, self.value(value)) for name, value in sorted(e.params.items())]
            equations.append((self.primitive(e.primitive), operands, params, [self.type(v.type) for v in e.results]))
        inputs = [self.type(v.type) for v in program.inputs]
        return inputs, equations, [atom(a) for a in program.outputs]

    def primitive(self, primitive: Primitive) -> Any:
        """A primitive; those of the registry may have been made by users, of our classes or their own."""
        found = self.primitives.get(primitive)
        if found is None:
            if type(primitive).__module__.split(".")[0] not in _OURS:
                raise _Unknown
            found = self.primitives[primitive] = primitive.name, getattr(primitive, "scalar", None), primitive.combines
        return found

    def value(self, value: Any) -> Any:
        """A param."""
        kind = type(value)
        if kind in _PLAIN:
            return value
        if isinstance(value, (tuple, list)):
            known = _PLAIN.issuperset(map(type, value))
            return (kind.__name__, *(value if known else map(self.value, value)))
        if isinstance(value, dict):
            return ("dict", *((self.value(k), self.value(v)) for k, v in value.items()))
        if isinstance(value, Program):
            return self.program(value)
        if isinstance(value, np.dtype):
            return ("dtype", self.dtype(value))
        if isinstance(value, Dim):
            return ("dim", self.dims.setdefault(value, len(self.dims)))
        if hasattr(value, "array"):  # what holds a constant
            value = np.asarray(value.array)
        if isinstance(value, (np.ndarray, np.generic)) and not value.dtype.hasobject:
            return ("array", value.shape, self.dtype(value.dtype), value.tobytes())
        raise _Unknown


_PLAIN = frozenset((int, str, bool, float, complex, bytes, type(None)))
