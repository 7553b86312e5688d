"""Copying an operand into another order of its axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from . import ir, processor
from .control import counted, covered, displaced
from .intrinsics import prefetch
from .squares import exchange
from .types import I32, I64, PTR, constant, lanes, memory_type

if TYPE_CHECKING:
    from .unit import Unit

__all__ = ["Run", "pack"]


LARGE = 1024
"""Elements of a copy that is worth a call."""
MOST = 16
"""Rows of a square: more do not fit into registers."""
BURST = 256
"""Bytes that are read side by side, if there are so many, before what lies far away."""
AHEAD = 2
"""The square that comes so much later is fetched."""


class Run(NamedTuple):
    """An axis of a copy: its length, and its strides, in elements, in the source and in the target."""

    length: int
    source: int
    target: int


def _runs(axes: Sequence[tuple[int, int]]) -> list[Run]:
    """(count, source stride) of axes that are contiguous in the target, outermost first; merged where they can be."""
    out: list[Run] = []
    target = 1
    for count, source in reversed(axes):
        if count == 1:
            continue
        if out and source == out[-1].source * out[-1].length:
            out[-1] = out[-1]._replace(length=out[-1].length * count)
        else:
            out.append(Run(count, source, target))
        target *= count
    return out[::-1]


def pack(unit: Unit, b: Any, dtype: np.dtype, axes: Sequence[tuple[int, int]], source: Any, target: Any) -> None:
    """Copy what has the axes (count, stride) in the source to the target, where it is contiguous.

    Blocks are turned around in registers where one axis is contiguous here and another one there. Large copies are functions,
    equal ones the same.
    """
    runs = _runs(axes) or [Run(1, 1, 1)]
    if math.prod(r.length for r in runs) < LARGE:
        _emit(unit, b, dtype, runs, source, target)
        return

    def make() -> Any:
        function = unit.function(unit.name("pack"), ir.VoidType(), [PTR, PTR])
        inside = ir.IRBuilder(function.append_basic_block("entry"))
        _emit(unit, inside, dtype, runs, *function.args)
        inside.ret_void()
        return function

    b.call(unit.shared(("pack", dtype, *runs), make), [source, target])


def _emit(unit: Unit, b: Any, dtype: np.dtype, runs: Sequence[Run], source: Any, target: Any) -> None:
    size = dtype.itemsize
    last = runs[-1]
    from_ = next((r for r in runs if r.source == 1), None)
    inner = [r for r in runs if r is last or r is from_]
    with ExitStack() as loops:
        for r in runs:
            if r not in inner:
                i = loops.enter_context(counted(b, r.length))
                source, target = displaced(b, source, i, r.source * size), displaced(b, target, i, r.target * size)
        if from_ is None:
            _copy_strided(b, dtype, last, source, target)
        elif from_ is last:
            _copy_row(b, dtype, last, source, target)
        else:
            _turn(unit, b, dtype, from_, last, source, target)


def _copy_strided(b: Any, dtype: np.dtype, r: Run, source: Any, target: Any) -> None:
    type, size = memory_type(dtype), dtype.itemsize
    with counted(b, r.length) as i:
        x = b.load(displaced(b, source, i, r.source * size), typ=type, align=size)
        b.store(x, displaced(b, target, i, r.target * size), align=size)


def _width(dtype: np.dtype, most: int) -> int:
    """The lanes of a register, but no more than `most`; a power of two."""
    width = processor.vector_bytes() // dtype.itemsize
    while width > most:
        width //= 2
    return width


def _copy_row(b: Any, dtype: np.dtype, r: Run, source: Any, target: Any) -> None:
    width = _width(dtype, r.length)
    type, size = memory_type(dtype, width), dtype.itemsize
    with covered(b, r.length, width) as i:
        x = b.load(displaced(b, source, i, size), typ=type, align=size)
        b.store(x, displaced(b, target, i, size), align=size)


def _turn(unit: Unit, b: Any, dtype: np.dtype, along: Run, across: Run, source: Any, target: Any) -> None:
    """`along` is contiguous in the source, `across` in the target."""
    size = dtype.itemsize
    width = _width(dtype, min(along.length, across.length, MOST))
    block = max(width, min(BURST // size, along.length) // width * width)
    function = unit.shared(("turn", memory_type(dtype, width)), lambda: _square(unit, dtype, width))
    steps = [constant(I64, n * size) for n in (across.source, along.target)]
    with covered(b, along.length, block) as first, covered(b, across.length, width) as j:
        here, there = displaced(b, source, first, size), displaced(b, target, first, along.target * size)
        here, there = displaced(b, here, j, across.source * size), displaced(b, there, j, size)
        with covered(b, block, width) as i:
            b.call(function, [displaced(b, here, i, size), displaced(b, there, i, along.target * size), *steps])


def _square(unit: Unit, dtype: np.dtype, width: int) -> Any:
    """A function (ptr source, ptr target, i64, i64): the transpose of a square whose rows lie so many bytes apart."""
    function = unit.function(unit.name("turn"), ir.VoidType(), [PTR, PTR, I64, I64])
    source, target, step, other = function.args
    b = ir.IRBuilder(function.append_basic_block("entry"))
    type, size = memory_type(dtype, width), dtype.itemsize
    for k in range(width):
        prefetch(b, displaced(b, source, step, k + AHEAD * width))
    rows = [b.load(displaced(b, source, step, k), typ=type, align=size) for k in range(width)]
    for k, row in enumerate(_transposed(b, rows, size)):
        b.store(row, displaced(b, target, other, k), align=size)
    b.ret_void()
    return function


def _transposed(b: Any, rows: Sequence[Any], size: int) -> Sequence[Any]:
    """The columns of a square of vectors, whose elements have so many bytes.

    Long elements change places in blocks, ever larger ones: they stay within their parts of vectors at first, for which there are
    instructions. Each round is a block of code of its own: in a draft LLVM looks for ways to join all shuffles of a block, which
    takes it milliseconds.
    """
    out = list(rows)
    for k in range(len(rows).bit_length() - 1):
        if k:
            following = b.append_basic_block("round")
            b.branch(following)
            b.position_at_end(following)
        if size >= 4:
            exchange(b, out, 1 << k, 1 << k)
        else:
            out = _zips(b, out)
    return out


def _zips(b: Any, rows: Sequence[Any]) -> list[Any]:
    """Perfect shuffles of two halves of the rows, for which there are instructions if a vector has few bytes."""
    n = len(rows)
    mask = ir.VectorType(I32, n)
    low = lanes(mask, [k // 2 + n * (k % 2) for k in range(n)])
    high = lanes(mask, [n // 2 + k // 2 + n * (k % 2) for k in range(n)])
    pairs = zip(rows[: n // 2], rows[n // 2 :], strict=True)
    return [b.shuffle_vector(x, y, m) for x, y in pairs for m in (low, high)]
