"""Fourier transforms of any length, one after the other, by NumPy's PocketFFT, called by its address: of few lines, and of lengths
that are no powers of two, so that a loop that has them in each turn is native.

    void loop(char **arguments, npy_intp *dimensions, npy_intp *steps, void *data)

with the arguments (input, factor, output), the dimensions (lines, length of the input's, of the output's), and as steps the
distances of lines, 0 for the factor, and those of numbers in a line.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import ir
from .control import displaced
from .fourier_plan import Sweep
from .grids import counted
from .outside import fft_loop
from .types import I64, NULL, PTR, constant, register_type
from .unit import Unit

__all__ = ["has_lines", "transforms_of_lines"]


def _name(sweep: Sweep, dtype: np.dtype) -> str:
    kind = sweep.kind if sweep.kind != "rfft" else "rfft_n_odd" if sweep.n % 2 else "rfft_n_even"
    return f"{kind}.{dtype.name}"


def has_lines(sweep: Sweep, dtype: np.dtype) -> bool:
    """Whether NumPy has such a loop."""
    return fft_loop(_name(sweep, dtype))[0] != 0


def transforms_of_lines(unit: Unit, sweep: Sweep, dtype: np.dtype) -> Any:
    """The function (ptr source, ptr target) of transforms along one axis."""
    function = unit.function(unit.name("lines"), ir.VoidType(), [PTR, PTR])
    b = ir.IRBuilder(function.append_basic_block("entry"))
    arguments, dimensions, steps = (b.alloca(ir.ArrayType(I64, n)) for n in (3, 3, 5))
    factor = b.alloca(register_type(dtype))
    scale = 1 / sweep.n if sweep.sign > 0 else 1.0
    b.store(constant(register_type(dtype), scale), factor)
    half = sweep.n // 2 + 1
    lengths = (half if sweep.kind == "irfft" else sweep.n, half if sweep.kind == "rfft" else sweep.n)
    sizes = [dtype.itemsize * (1 if sweep.kind == kind else 2) for kind in ("rfft", "irfft")]
    across = sweep.inner if sweep.inner > 1 else sweep.outer
    near, far = ((1, sweep.inner),) * 2 if sweep.inner > 1 else tuple((n, 1) for n in lengths)
    for k, n in enumerate((across, *lengths)):
        _put(b, dimensions, k, constant(I64, n))
    distances = (sizes[0] * near[0], 0, sizes[1] * far[0], sizes[0] * near[1], sizes[1] * far[1])
    for k, n in enumerate(distances):
        _put(b, steps, k, constant(I64, n))
    name = _name(sweep, dtype)
    data = unit.outside(b, f"fft_data.{name}") if fft_loop(name)[1] else NULL
    with counted(b, sweep.outer if sweep.inner > 1 else 1) as o:
        places = (
            displaced(b, p, o, n * sweep.inner * size) for p, n, size in zip(function.args, lengths, sizes, strict=True)
        )
        source, target = places
        for k, place in enumerate((source, factor, target)):
            _put(b, arguments, k, place)
        unit.call_outside(b, f"fft.{name}", ir.VoidType(), [arguments, dimensions, steps, data])
    b.ret_void()
    return function


def _put(b: Any, words: Any, k: int, value: Any) -> None:
    b.store(value, b.gep(words, [constant(I64, k)], source_etype=I64))
