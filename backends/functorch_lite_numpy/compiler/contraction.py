"""Contractions by BLAS: `dot_general` as one product of matrices, or one for each element of the batch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from functorch_lite.extend import Equation
from llvmlite import ir

from .outside import blas
from .steps import STEPS, Step
from .types import I8, I32, I64, constant, register_type

__all__ = ["DotStep"]

_NAMES = {"float32": "sgemm", "float64": "dgemm"}
ROW_MAJOR, AS_IS, TRANSPOSED = 101, 111, 112


class _Matrices(NamedTuple):
    """[batch, m, k] times [batch, k, n], either of which may lie transposed in memory."""

    batch: int
    m: int
    n: int
    k: int
    x_transposed: bool
    y_transposed: bool


def matrices(equation: Equation) -> _Matrices | None:
    """The contraction as one of matrices that lie in memory as they are; None if an operand had to be rearranged."""
    (xc, yc), (xb, yb) = equation.params["dimension_numbers"]
    x, y = (a.type for a in equation.operands)
    nb = len(xb)
    if tuple(xb) != tuple(range(nb)) or tuple(yb) != tuple(range(nb)):
        return None
    pairs = sorted(zip(xc, yc, strict=True))
    sides = []
    for t, axes in ((x, [a for a, _ in pairs]), (y, [b for _, b in pairs])):
        rest = list(range(nb, t.ndim))
        first, last = rest[: len(axes)] == axes, rest[len(rest) - len(axes) :] == axes
        if not first and not last:
            return None
        free = math.prod(t.shape[i] for i in rest if i not in axes)
        sides.append((free, first, last))
    (m, x_first, x_last), (n, y_first, _) = sides
    k = math.prod(x.shape[a] for a in xc)
    return _Matrices(math.prod(x.shape[:nb]), m, n, k, x_first and not x_last, not y_first)


class DotStep(Step):
    """`dot_general` of real floats."""

    @classmethod
    def accepts(cls, equation: Equation) -> bool:
        types = [a.type for a in (*equation.operands, *equation.results)]
        name = _NAMES.get(types[0].dtype.name)
        if name is None or any(t.dtype != types[0].dtype for t in types) or blas(name) is None:
            return False
        return matrices(equation) is not None

    def emit(self, b: Any, operands: Sequence[Any], results: Sequence[Any], scratch: Any) -> None:
        s = matrices(self.equation)
        assert s is not None
        dtype = self.equation.results[0].type.dtype
        size = dtype.itemsize
        pointers = [*operands, *results]
        steps = [s.m * s.k * size, s.k * s.n * size, s.m * s.n * size]
        if s.batch == 1:
            self.product(b, s, dtype, pointers)
            return
        function = b.function
        head, body, done = (function.append_basic_block(f"batch.{part}") for part in ("head", "body", "done"))
        before = b.block
        b.branch(head)
        b.position_at_end(head)
        i = b.phi(I64)
        b.cbranch(b.icmp_signed("<", i, constant(I64, s.batch)), body, done)
        b.position_at_end(body)
        at = [b.gep(p, [b.mul(i, constant(I64, n))], source_etype=I8) for p, n in zip(pointers, steps, strict=True)]
        self.product(b, s, dtype, at)
        i.add_incoming(constant(I64, 0), before)
        i.add_incoming(b.add(i, constant(I64, 1)), b.block)
        b.branch(head)
        b.position_at_end(done)

    def product(self, b: Any, s: _Matrices, dtype: Any, pointers: Sequence[Any]) -> None:
        x, y, z = pointers
        name = _NAMES[dtype.name]
        scalar = register_type(dtype)
        i64 = lambda n: constant(I64, n)  # noqa: E731
        args = [
            constant(I32, ROW_MAJOR),
            constant(I32, TRANSPOSED if s.x_transposed else AS_IS),
            constant(I32, TRANSPOSED if s.y_transposed else AS_IS),
            i64(s.m),
            i64(s.n),
            i64(s.k),
            constant(scalar, 1.0),
            x,
            i64(s.m if s.x_transposed else s.k),
            y,
            i64(s.k if s.y_transposed else s.n),
            constant(scalar, 0.0),
            z,
            i64(s.n),
        ]
        self.unit.call_outside(b, name, blas(name) or 0, ir.VoidType(), args)


STEPS["dot_general"] = DotStep
