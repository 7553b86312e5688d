"""A pass before fusion: convolutions read and write arrays as they lie, without transposes and reversals around.

The gradients of a convolution are convolutions of arrays with axes exchanged or turned round. Native loops take any
strides (`views.View`), so such an equation becomes one of `laid_out_conv`, whose params say how each array lies.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from functorch_lite.extend import ArrayType, Equation, NotDifferentiable, Primitive, Program, Var, dead_code, registry
from functorch_lite.extend_passes import map_bodies

from .steps import is_native
from .views import View, row_major

__all__ = ["CONV", "laid_out_conv", "lay_out"]

CONV = registry["conv_general_dilated"]


class LaidOutConv(NotDifferentiable, Primitive):
    """A convolution of arrays that lie as `views` (of x, w and the result) say, if there are any; only ever made by the compiler.

    With `words`, elements are words of two 16-bit integers, and a product is the sum of two. There is a meaning outside of machine
    code for those alone.
    """

    def __init__(self, name: str):
        self.name = name  # not entered among the primitives that programs of users are made of

    def infer(self, x: ArrayType, w: ArrayType, *, words: bool, **params: Any) -> ArrayType:
        return CONV.infer(x, w, **params)

    def impl(self, xp: Any, x: Any, w: Any, *, words: bool, **params: Any) -> Any:
        low, high = ([f(a) >> 16 for a in (x, w)] for f in (lambda a: a << 16, lambda a: a))
        return CONV.impl(xp, *low, **params) + CONV.impl(xp, *high, **params)


laid_out_conv = LaidOutConv("laid_out_conv")


def lay_out(program: Program) -> Program:
    """The program with convolutions that take their operands from before transposes, and store after them."""
    uses = Counter(a for e in program.equations for a in e.operands)
    uses.update(a for a in program.outputs if isinstance(a, Var))
    made = {v: e for e in program.equations for v in e.results}
    readers = {a: e for e in program.equations for a in e.operands}
    replaced: set[int] = set()
    equations: list[Equation] = []
    for equation in program.equations:
        if id(equation) in replaced:
            continue
        if equation.primitive in (CONV, laid_out_conv) and is_native(equation):
            (y,) = equation.results
            reader = readers.get(y)
            if uses[y] != 1 or reader is None or reader.primitive.name != "transpose":
                reader = None
            equation = _laid_out(equation, reader, made)
            if reader is not None:
                replaced.add(id(reader))
        equations.append(equation)
    program = program.replace(equations=equations)
    return dead_code(program.replace(equations=map_bodies(program, lay_out)))


def _laid_out(equation: Equation, transpose: Equation | None, made: dict[Any, Equation]) -> Equation:
    """The convolution, with the transpose that follows if there is one."""
    sources, views = zip(*(_source(a, made) for a in equation.operands), strict=True)
    result = equation.results[0]
    out = row_major(result.type.shape)
    if transpose is not None:
        result = transpose.results[0]
        strides = row_major(result.type.shape).strides
        out = View(out.shape, tuple(strides[transpose.params["permutation"].index(k)] for k in range(len(strides))))
    if sources == equation.operands and transpose is None:
        return equation
    params = {**equation.params, "views": (*views, out)}
    return Equation(laid_out_conv, sources, params, [result], equation.source)


def _source(a: Any, made: dict[Any, Equation]) -> tuple[Any, View]:
    """The array from which `a` comes by moves of axes alone, and how `a` lies in it."""
    equation = made.get(a)
    if equation is not None and equation.primitive.name in ("transpose", "reshape", "rev"):
        source, view = _source(equation.operands[0], made)
        moved = _moved(view, equation)
        if moved is not None:
            return source, moved
    return a, row_major(a.type.shape)


def _moved(view: View, equation: Equation) -> View | None:
    """The view after an equation; None if there is none."""
    p = equation.params
    if equation.primitive.name == "transpose":
        shape, strides = (tuple(x[k] for k in p["permutation"]) for x in view[:2])
        return View(shape, strides, view.offset)
    if equation.primitive.name == "rev":
        ends = sum((view.shape[k] - 1) * view.strides[k] for k in p["dimensions"])
        strides = tuple(-s if k in p["dimensions"] else s for k, s in enumerate(view.strides))
        return View(view.shape, strides, view.offset + ends)
    strides = _reshaped(view, equation.results[0].type.shape)
    return None if strides is None else View(equation.results[0].type.shape, strides, view.offset)


def _reshaped(view: View, shape: Sequence[int]) -> tuple[int, ...] | None:
    """Strides in another shape: axes of length 1 come and go; others must stay as they are, or be parts of one."""
    axes = [(n, s) for n, s in zip(view.shape, view.strides, strict=True) if n != 1]
    joined: list[tuple[int, int]] = []
    for n, s in axes:
        if joined and joined[-1][1] == n * s:
            joined[-1] = (joined[-1][0] * n, s)
        else:
            joined.append((n, s))
    strides = []
    for n in reversed(shape):
        if n == 1:
            strides.append(0)
            continue
        if not joined or joined[-1][0] % n:
            return None
        m, s = joined.pop()
        strides.append(s)
        if m != n:
            joined.append((m // n, s * n))
    return tuple(reversed(strides))
