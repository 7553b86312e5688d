"""A pass: convolutions of short integers, two channels at a time, in words of two 16-bit integers (see `words.py`).

    conv(x, w)   ->   conv of words (x[:, 2k], x[:, 2k + 1]) with words of w's channels, whose products are sums of two

Bytes, which registers do not multiply, become longer integers anyway: their sums, cut short, are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from functorch_lite.extend import (
    Atom,
    Equation,
    NotDifferentiable,
    Primitive,
    Program,
    Var,
    dead_code,
    has_dim,
    registry,
)
from functorch_lite.extend_passes import by_rules, map_bodies

from .layouts import CONV, laid_out_conv
from .words import WORD, has_words

__all__ = ["convolve_words"]

SHORT = np.dtype(np.int16)
WORTH = 1 << 16
"""Multiplications."""

convert, pad, slice_, transpose = (registry[name] for name in ("convert", "pad", "slice", "transpose"))


class ShortConv(NotDifferentiable, Primitive):
    """A convolution of x and w, transposed by `orders` and converted; only ever between this pass's two halves."""

    def __init__(self, name: str):
        self.name = name


short_conv = ShortConv("short_conv")


def convolve_words(program: Program) -> Program:
    """The program with such convolutions done so, also in bodies; itself if there are none."""
    equations = map_bodies(program, convolve_words)
    if any(e.primitive is CONV for e in equations):
        made = {v: e for e in equations for v in e.results}
        equations = [_from_sources(e, made) if e.primitive is CONV else e for e in equations]
    if all(a is b for a, b in zip(equations, program.equations, strict=True)):
        return program
    return dead_code(by_rules(program.replace(equations=equations), _rule_of))


def _from_sources(equation: Equation, made: Mapping[Var, Equation]) -> Equation:
    """A convolution that takes its operands from before they were transposed and converted; itself if it is not for us."""
    (x, w), result = (a.type for a in equation.operands), equation.results[0].type
    if result.dtype.kind not in "iu" or has_dim((*x.shape, *w.shape)):
        return equation
    (x, x_order), (w, w_order) = sources = [_source(a, made) for a in equation.operands]
    outputs, channels, *_ = equation.operands[1].type.shape
    even = equation.params["groups"] == 1 or channels % 2 == 0
    enough = channels > 1 and result.size * w.type.size >= WORTH * outputs
    short = result.dtype.itemsize in (1, WORD.itemsize) and all(np.can_cast(a.type.dtype, SHORT) for a, _ in sources)
    words = has_words() and even and enough and short
    if not words and result.dtype.itemsize > 1:
        return equation
    params = {"orders": (x_order, w_order), "dtype": result.dtype, "words": words, "params": equation.params}
    return equation.replace(primitive=short_conv, operands=[x, w], params=params)


def _source(a: Atom, made: Mapping[Var, Equation]) -> tuple[Atom, Sequence[int]]:
    """The array that is transposed, in that order, and converted to longer integers, to make an array."""
    order: Sequence[int] = range(a.type.ndim)
    while isinstance(a, Var) and a in made:
        equation = made[a]
        if equation.primitive is transpose:
            order = [equation.params["permutation"][i] for i in order]
        elif equation.primitive is not convert or not np.can_cast(equation.operands[0].type.dtype, a.type.dtype):
            break
        a = equation.operands[0]
    return a, tuple(order)


def _rule_of(equation: Equation, made: Mapping[Var, Equation]) -> Callable[..., Sequence[Any]] | None:
    p = equation.params
    if equation.primitive is not short_conv:
        return None
    conv = _of_words if p["words"] else _of_longer
    orders, params, dtype = p["orders"], p["params"], p["dtype"]
    return lambda x, w: [_to(conv(x, w, orders, params), dtype)]


def _of_longer(x: Any, w: Any, orders: Sequence[Sequence[int]], params: Mapping[str, Any]) -> Any:
    return CONV(_moved(_to(x, SHORT), orders[0]), _moved(_to(w, SHORT), orders[1]), **params)


def _of_words(x: Any, w: Any, orders: Sequence[Sequence[int]], params: Mapping[str, Any]) -> Any:
    return laid_out_conv(_words(x, orders[0]), _words(w, orders[1]), words=True, **params)


def _words(x: Any, order: Sequence[int]) -> Any:
    """Words of every two channels, which are axis 1 in that order; they are made as x lies."""
    axis = order[1]
    first, second = (_to(_every_second(x, axis, start), WORD) for start in (0, 1))
    if x.shape[axis] % 2:
        second = pad(second, WORD.type(0), config=tuple((0, int(k == axis), 0) for k in range(x.ndim)))
    return _moved((first & 0xFFFF) | (second << 16), order)


def _every_second(x: Any, axis: int, start: int) -> Any:
    each = [(start, n, 2) if k == axis else (0, n, 1) for k, n in enumerate(x.shape)]
    starts, limits, strides = zip(*each, strict=True)
    return slice_(x, start=starts, limit=limits, strides=strides)


def _moved(x: Any, order: Sequence[int]) -> Any:
    return x if list(order) == sorted(order) else transpose(x, permutation=tuple(order))


def _to(x: Any, dtype: np.dtype) -> Any:
    return x if x.dtype == dtype else convert(x, dtype=dtype, weak=False)
