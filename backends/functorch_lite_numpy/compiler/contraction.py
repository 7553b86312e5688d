"""`dot_general`: small products by code of our own, large ones by BLAS.

One function goes over the loops around the products (the batch, and what cannot be seen as one axis of a matrix),
copies into scratch memory what does not lie as a matrix, and does the products. Equal equations share the function.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np
from llvmlite import ir

from functorch_lite.extend import Equation

from . import engine
from .blocks import STREAMS, blocked, scratch_of
from .control import counted, displaced
from .outside import blas
from .packing import pack
from .products import Axis, Product, product
from .steps import STEPS, Step
from .tiles import dots, rows
from .types import I32, I64, PTR, constant, register_type
from .unit import Unit

__all__ = ["DotStep"]

_GEMM = {"float32": "sgemm", "float64": "dgemm"}
ROW_MAJOR, AS_IS, TRANSPOSED = 101, 111, 112

SMALL = 96**3
"""Up to so many multiplications, a product is done by our own code."""
FAR = 1 << 17
"""From so many elements of a matrix, a vector is multiplied by some of its rows at a time, which lie in a row."""
WRITTEN_OUT = 64
"""Up to so many elements of y, they are read one by one rather than copied."""


def _dtypes(equation: Equation) -> tuple[np.dtype, np.dtype, np.dtype] | None:
    """Of the operands, the sums and the result; None if that is not for us."""
    given, other = (a.type.dtype for a in equation.operands)
    result = equation.results[0].type.dtype
    if given != other or given.kind not in "iuf" or result.kind != given.kind:
        return None
    return given, np.promote_types(given, result), result


def planned(p: Product, dtypes: Sequence[np.dtype]) -> tuple[str, Product]:
    """How the products are done, with operands copied where they must be."""
    along_n = p.n.length == 1 or p.n.y == 1
    y_along_k, x_along_k = p.k.length == 1 or p.k.y == 1, p.k.length == 1 or p.k.x == 1
    blocks = dtypes[1] == dtypes[2] and (engine.vector_bytes() == 64 or not _has_blas(dtypes))
    if p.m.length == 1 or p.size <= SMALL or not (blocks or _has_blas(dtypes)):
        if p.n.length > 1 and along_n and p.copy_y is None:
            far = p.m.length == 1 and p.k.length > STREAMS and p.size > FAR and dtypes[1] == dtypes[2]
            return "blocked" if far else "rows", p
        if p.m.length <= 2 and y_along_k and p.copy_y is None and p.k.length > 4:
            return "dots", p if x_along_k else p.copying_x()
        if p.n.length * p.k.length <= WRITTEN_OUT and p.copy_y is None:
            return "rows", p
        if p.n.length == 1:
            p = p if x_along_k else p.copying_x()
            return "dots", p if y_along_k else p.copying_y()
        return "rows", p if p.copy_y is not None else p.copying_y()
    if blocks:
        return "blocked", p
    p = p if x_along_k or p.m.x == 1 else p.copying_x()
    return "blas", p if y_along_k or along_n else p.copying_y()


def _has_blas(dtypes: Sequence[np.dtype]) -> bool:
    name = _GEMM.get(dtypes[0].name)
    return name is not None and dtypes[0] == dtypes[2] and blas(name) is not None


class DotStep(Step):
    """`dot_general` of real numbers."""

    @classmethod
    def accepts(cls, equation: Equation) -> bool:
        return _dtypes(equation) is not None

    def __init__(self, unit: Unit, equation: Equation):
        super().__init__(unit, equation)
        dtypes = _dtypes(equation)
        assert dtypes is not None
        self.dtypes = dtypes
        self.how, self.product = planned(product(equation), self.dtypes)
        p, size = self.product, self.dtypes[0].itemsize
        self.x_bytes, self.y_bytes = (_bytes(axes, size) for axes in (p.copy_x, p.copy_y))
        self.scratch = self.x_bytes + self.y_bytes + (sum(scratch_of(p, self.dtypes)) if self.how == "blocked" else 0)
        self.function = unit.shared(("dot_general", self.how, p, self.dtypes), self.make_function)

    def emit(self, b: Any, operands: Sequence[Any], results: Sequence[Any], scratch: Any) -> None:
        x, y = operands[::-1] if self.product.swapped else operands
        b.call(self.function, [x, y, *results, scratch])

    def make_function(self) -> Any:
        function = self.unit.function(self.unit.name("product"), ir.VoidType(), [PTR] * 4)
        for argument in function.args:
            argument.add_attribute("noalias")
        b = ir.IRBuilder(function.append_basic_block("entry"))
        self.around(b, *function.args)
        b.ret_void()
        return function

    def around(self, b: Any, x: Any, y: Any, z: Any, scratch: Any) -> None:
        """The loops; operands are copied where the innermost loop that changes them begins."""
        p, (given, _, result) = self.product, self.dtypes
        depths = [max((d + 1 for d, a in enumerate(p.loops) if stride(a)), default=0) for stride in (_x, _y)]
        targets = [displaced(b, scratch, constant(I64, 1), n) for n in (0, self.x_bytes, self.x_bytes + self.y_bytes)]
        with ExitStack() as loops:
            for depth in range(len(p.loops) + 1):
                if depth:
                    a = p.loops[depth - 1]
                    i = loops.enter_context(counted(b, a.length))
                    x, y = displaced(b, x, i, a.x * given.itemsize), displaced(b, y, i, a.y * given.itemsize)
                    z = displaced(b, z, i, a.z * result.itemsize)
                if p.copy_x is not None and depths[0] == depth:
                    pack(self.unit, b, given, [(a.length, a.x) for a in p.copy_x], x, targets[0])
                    x = targets[0]
                if p.copy_y is not None and depths[1] == depth:
                    pack(self.unit, b, given, [(a.length, a.y) for a in p.copy_y], y, targets[1])
                    y = targets[1]
            _WAYS[self.how](self, b, (x, y, z), targets[2])

    def by_blas(self, b: Any, pointers: Sequence[Any]) -> None:
        p, dtype = self.product, self.dtypes[0]
        name, scalar = _GEMM[dtype.name], register_type(dtype)
        args: list[Any] = [constant(I32, ROW_MAJOR)]
        # A matrix is as it is if its last axis is contiguous; of an axis of length 1, any stride may be said.
        x_as_is = p.k.length == 1 or (p.k.x == 1 and (p.m.x >= p.k.length or p.m.length == 1))
        y_as_is = p.n.length == 1 or (p.n.y == 1 and (p.k.y >= p.n.length or p.k.length == 1))
        args += [constant(I32, AS_IS if as_is else TRANSPOSED) for as_is in (x_as_is, y_as_is)]
        args += [constant(I64, axis.length) for axis in (p.m, p.n, p.k)]
        x, y, z = pointers
        x_lead = max(p.m.x, p.k.length) if x_as_is else max(p.k.x, p.m.length)
        y_lead = max(p.k.y, p.n.length) if y_as_is else max(p.n.y, p.k.length)
        args += [constant(scalar, 1.0), x, constant(I64, x_lead), y, constant(I64, y_lead)]
        args += [constant(scalar, 0.0), z, constant(I64, max(p.m.z, p.n.length))]
        self.unit.call_outside(b, name, blas(name) or 0, ir.VoidType(), args)


def _x(a: Axis) -> int:
    return a.x


def _y(a: Axis) -> int:
    return a.y


def _bytes(axes: Sequence[Axis] | None, size: int) -> int:
    return 0 if axes is None else -(-math.prod(a.length for a in axes) * size // 64) * 64


_WAYS: dict[str, Callable[[DotStep, Any, Sequence[Any], Any], None]] = {
    "rows": lambda step, b, pointers, scratch: rows(b, step.product, step.dtypes, pointers),
    "dots": lambda step, b, pointers, scratch: dots(b, step.product, step.dtypes, pointers),
    "blas": lambda step, b, pointers, scratch: step.by_blas(b, pointers),
    "blocked": lambda step, b, pointers, scratch: blocked(step.unit, b, step.product, step.dtypes, pointers, scratch),
}

STEPS["dot_general"] = DotStep
