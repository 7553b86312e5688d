"""Algebraic rewrites: what an equation is equal to, and cheaper.

A rule looks at one equation and at those that made its operands, and gives an atom that is its result, other equations, or None.
Each says whether it keeps bits: for all numbers, NaN, infinities and signed zeros included. Those that do run for every
program; the others, which are nearer to the mathematics or right where the original overflows, only in a backend's compiler.

There is no rule for x + 0 (-0 + 0 is 0), x * 0 (NaN), x - x (infinity) or exp(log x) (negative numbers).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .. import dtypes
from ..array_type import has_dim
from ..primitives import elementwise as e
from ..primitives.structural import broadcast_in_dim, reduce_sum, reshape, transpose
from ..program import Atom, Equation, Literal, Program, Var, dead_code
from .rewrite import map_bodies, renamed_operands, renaming

__all__ = ["RULES", "rewrite_algebra"]

Rewrite = Callable[[Equation, "_Made"], "Atom | Equation | tuple[Equation, ...] | None"]
"""Of several equations the last one gives the result, of those before it."""


class Rule(NamedTuple):
    """A rewrite, and whether it keeps bits."""

    rewrite: Rewrite
    keeps_bits: bool


RULES: dict[str, list[Rule]] = {}
"""The rules, by the name of the primitive that they look at."""

MOST = 4
"""So often in a row one equation is rewritten."""


def rewrite_algebra(program: Program, *, keeping_bits: bool) -> Program:
    """The program after all rules that apply, in its bodies too.

    Args:
      program: simplified.
      keeping_bits: only rules that keep bits.
    """
    equations: list[Equation] = []
    renamed: dict[Var, Atom] = {}
    rename = renaming(renamed)
    made = _Made()
    for equation in map_bodies(program, lambda body: rewrite_algebra(body, keeping_bits=keeping_bits)):
        equation = renamed_operands(equation, renamed)
        *before, out = _rewritten(equation, made, keeping_bits)
        if not isinstance(out, Equation):
            renamed[equation.results[0]] = out
        for found in (*before, out) if isinstance(out, Equation) else before:
            equations.append(found)
            made.update(dict.fromkeys(found.results, found))
    return dead_code(program.replace(equations=equations, outputs=[rename(a) for a in program.outputs]))


def _rewritten(equation: Equation, made: _Made, keeping_bits: bool) -> tuple[*tuple[Equation, ...], Atom | Equation]:
    """The last one is the result, or gives it."""
    before: tuple[Equation, ...] = ()
    for _ in range(MOST):
        for rule in RULES.get(equation.primitive.name, ()):
            if keeping_bits and not rule.keeps_bits:
                continue
            out = rule.rewrite(equation, made)
            if out is None:
                continue
            *first, out = out if isinstance(out, tuple) else (out,)
            if _fits(out, equation):
                before += tuple(first)
                break
        else:
            return *before, equation
        if not isinstance(out, Equation):
            return *before, out
        equation = out
    return *before, equation


def _fits(out: Atom | Equation, equation: Equation) -> bool:
    """Whether it is of the type of the result."""
    wanted = equation.results[0].type
    return out.results[0].type == wanted if isinstance(out, Equation) else out.type == wanted


class _Made(dict[Var, Equation]):
    """Variable -> the equation that made it."""

    def by(self, a: Atom, name: str) -> Equation | None:
        """The equation that made an atom, if that is one of this primitive."""
        equation = self.get(a) if isinstance(a, Var) else None
        return equation if equation is not None and equation.primitive.name == name else None

    def number(self, a: Atom) -> Any:
        """The number that an atom is, or is filled with; None if that is not known."""
        while isinstance(a, Var):
            equation = self.get(a)
            if equation is None or equation.primitive.name not in ("broadcast_in_dim", "reshape"):
                return None
            a = equation.operands[0]
        return a.value


def rule(*names: str, keeps_bits: bool) -> Callable[[Rewrite], Rewrite]:
    """Enter a rule for primitives."""

    def enter(rewrite: Rewrite) -> Rewrite:
        for name in names:
            RULES.setdefault(name, []).append(Rule(rewrite, keeps_bits))
        return rewrite

    return enter


def _same(equation: Equation, primitive: Any, *operands: Atom, **params: Any) -> Equation:
    """Another way to the same result."""
    return Equation(primitive, operands, params, equation.results, equation.source)


def _is(value: Any, wanted: float) -> bool:
    """Whether it is this number, the sign of zero included."""
    if value is None or value != wanted:
        return False
    return value.dtype.kind not in "fV" or bool(np.signbit(value)) == (math.copysign(1, wanted) < 0)


# Numbers that change nothing.


@rule("mul", keeps_bits=True)
def times_one(equation: Equation, made: _Made) -> Atom | None:
    """X * 1 = 1 * x = x."""
    x, y = equation.operands
    return x if _is(made.number(y), 1) else y if _is(made.number(x), 1) else None


@rule("div", keeps_bits=True)
def over_one(equation: Equation, made: _Made) -> Atom | None:
    """X / 1 = x."""
    x, y = equation.operands
    return x if _is(made.number(y), 1) else None


@rule("add", keeps_bits=True)
def plus_zero(equation: Equation, made: _Made) -> Atom | None:
    """X + 0 = x of integers; of floats, of which there are two zeros, x + -0 = x."""
    x, y = equation.operands
    zero = -0.0 if equation.results[0].type.dtype.kind in "fVc" else 0
    if equation.results[0].type.dtype.kind == "c":
        return None
    return x if _is(made.number(y), zero) else y if _is(made.number(x), zero) else None


@rule("sub", keeps_bits=True)
def minus_zero(equation: Equation, made: _Made) -> Atom | None:
    """X - 0 = x."""
    x, y = equation.operands
    return x if equation.results[0].type.dtype.kind != "c" and _is(made.number(y), 0.0) else None


@rule("integer_pow", keeps_bits=True)
def first_power(equation: Equation, made: _Made) -> Atom | None:
    """X ** 1 = x."""
    return equation.operands[0] if equation.params["y"] == 1 else None


@rule("max", "min", "and", "or", keeps_bits=True)
def of_itself(equation: Equation, made: _Made) -> Atom | None:
    """Max(x, x) = x."""
    x, y = equation.operands
    return x if x is y else None


# What undoes itself.


@rule("neg", "not", keeps_bits=True)
def twice(equation: Equation, made: _Made) -> Atom | None:
    """-(-x) = x."""
    before = made.by(equation.operands[0], equation.primitive.name)
    return None if before is None else before.operands[0]


@rule("log", keeps_bits=False)
def log_of_exp(equation: Equation, made: _Made) -> Atom | None:
    """Log(exp(x)) = x, also where exp(x) is too large or too small to be told from infinity or zero."""
    before = made.by(equation.operands[0], "exp")
    return None if before is None or equation.results[0].type.dtype.kind == "c" else before.operands[0]


@rule("transpose", keeps_bits=True)
def transposed_twice(equation: Equation, made: _Made) -> Atom | Equation | None:
    """One transpose for two, or none."""
    before = made.by(equation.operands[0], "transpose")
    if before is None:
        return None
    first, second = before.params["permutation"], equation.params["permutation"]
    both = tuple(first[k] for k in second)
    (x,) = before.operands
    return x if both == tuple(range(len(both))) else _same(equation, transpose, x, permutation=both)


@rule("reshape", keeps_bits=True)
def reshaped_twice(equation: Equation, made: _Made) -> Atom | Equation | None:
    """One reshape for two, or none."""
    before = made.by(equation.operands[0], "reshape")
    if before is None:
        return None
    (x,) = before.operands
    shape = equation.params["shape"]
    return x if x.type.shape == shape else _same(equation, reshape, x, shape=shape)


@rule("rev", keeps_bits=True)
def turned_twice(equation: Equation, made: _Made) -> Atom | None:
    """Turned round the same way twice."""
    before = made.by(equation.operands[0], "rev")
    same = before is not None and set(before.params["dimensions"]) == set(equation.params["dimensions"])
    return before.operands[0] if before is not None and same else None


@rule("broadcast_in_dim", keeps_bits=True)
def broadcast_twice(equation: Equation, made: _Made) -> Equation | None:
    """One broadcast for two."""
    before = made.by(equation.operands[0], "broadcast_in_dim")
    if before is None:
        return None
    outer = equation.params["dims"]
    dims = tuple(outer[d] for d in before.params["dims"])
    return _same(equation, broadcast_in_dim, before.operands[0], shape=equation.params["shape"], dims=dims)


@rule("convert", keeps_bits=True)
def converted_twice(equation: Equation, made: _Made) -> Atom | Equation | None:
    """One cast for two, where the first one loses nothing."""
    before = made.by(equation.operands[0], "convert")
    if before is None:
        return None
    (x,) = before.operands
    between = before.results[0].type.dtype
    kinds = {x.type.dtype.kind, between.kind, equation.results[0].type.dtype.kind}
    if "V" in kinds or not np.can_cast(x.type.dtype, between, "safe"):
        return None
    # an integer that is cast to floats first is cast from there: numbers out of range may differ
    if between.kind != x.type.dtype.kind and equation.results[0].type != x.type:
        return None
    return x if equation.results[0].type == x.type else _same(equation, e.convert, x, **equation.params)


@rule("reduce_sum", "reduce_prod", "reduce_max", "reduce_min", keeps_bits=False)
def reduced_transpose(equation: Equation, made: _Made) -> Equation | tuple[Equation, Equation] | None:
    """A reduction of the operand of a transpose, in whose order it lies in memory; what is left is transposed, if it must be."""
    before = made.by(equation.operands[0], "transpose")
    if before is None:
        return None
    (x,), permutation, axes = before.operands, before.params["permutation"], equation.params["axes"]
    kept = [a for k, a in enumerate(permutation) if k not in axes]
    out = equation.replace(
        operands=[x], params={**equation.params, "axes": tuple(sorted(permutation[k] for k in axes))}
    )
    if kept == sorted(kept):
        return out
    between = Var(x.type.update(shape=tuple(x.type.shape[a] for a in sorted(kept))))
    order = tuple(sorted(kept).index(a) for a in kept)
    return out.replace(results=[between]), _same(equation, transpose, between, permutation=order)


FEW_TERMS, MANY_SUMS = 4, 256
"""Of a product with a vector: so few terms are rather part of what is computed before and after, where there are many sums."""


@rule("dot_general", keeps_bits=False)
def few_terms(equation: Equation, made: _Made) -> tuple[Equation, ...] | None:
    """The sums of few products that lie side by side, with a vector or a stack of them: x @ y = sum(x * y)."""
    (x, y), (contracting, batch) = equation.operands, equation.params["dimension_numbers"]
    if len(contracting[1] + batch[1]) < y.type.ndim:
        x, y, contracting, batch = y, x, contracting[::-1], batch[::-1]
    result, n, summed = equation.results[0].type, x.type.ndim, contracting[0]
    if len(contracting[1] + batch[1]) < y.type.ndim or result.dtype != x.type.dtype or result.dtype.kind != "f":
        return None
    if dtypes.accumulator_dtype(result.dtype) != result.dtype:
        return None
    if has_dim(x.type.shape) or result.size < MANY_SUMS or math.prod(x.type.shape[i] for i in summed) > FEW_TERMS:
        return None
    places = dict(zip(batch[1] + contracting[1], batch[0] + summed, strict=True))
    dims = tuple(places[i] for i in range(y.type.ndim))
    if dims != (*range(len(batch[0])), *range(n - len(summed), n)):
        return None
    factors, products = Var(y.type.update(shape=x.type.shape)), Var(result.update(shape=x.type.shape))
    stretched = Equation(broadcast_in_dim, [y], {"shape": x.type.shape, "dims": dims}, [factors], equation.source)
    if not summed:
        return stretched, _same(equation, e.mul, x, factors)
    product = Equation(e.mul, [x, factors], {}, [products], equation.source)
    return stretched, product, _same(equation, reduce_sum, products, axes=tuple(sorted(summed)))


MANY_USES = 32
"""Of each element of the operands of a product, that they are rather cast once."""


@rule("dot_general", keeps_bits=False)
def cast_once(equation: Equation, made: _Made) -> tuple[Equation, ...] | None:
    """A product that is added up in a wider dtype, of operands that are cast to it: rather than wherever they are used.

    Integers of up to 16 bits with sums of 32 stay: processors multiply those quicker than wider ones.
    """
    x, y = equation.operands
    given, wide = x.type.dtype, equation.results[0].type.dtype
    sizes = [math.prod(a.type.shape) for a in (x, y)] if not (has_dim(x.type.shape) or has_dim(y.type.shape)) else []
    kinds = {given.kind, wide.kind}
    if given == wide or not sizes or not (kinds <= {"i", "u"} or kinds == {"f"}) or not np.can_cast(given, wide):
        return None
    if np.can_cast(given, np.int16) and given.kind == wide.kind and wide.itemsize == 4:
        return None
    contracted = math.prod(x.type.shape[i] for i in equation.params["dimension_numbers"][0][0])
    if equation.results[0].type.size * contracted < MANY_USES * sum(sizes):
        return None
    casts = [
        Equation(
            e.convert, [a], {"dtype": wide, "weak": a.type.weak}, [Var(a.type.update(dtype=wide))], equation.source
        )
        for a in (x, y)
    ]
    params = {k: v for k, v in equation.params.items() if k != "preferred"}
    return *casts, equation.replace(operands=[c.results[0] for c in casts], params=params)


# Signs, choices, divisors.


@rule("mul", "div", keeps_bits=True)
def both_negative(equation: Equation, made: _Made) -> Equation | None:
    """(-x) * (-y) = x * y."""
    signs = [made.by(a, "neg") for a in equation.operands]
    if any(s is None for s in signs) or equation.results[0].type.dtype.kind not in "fV":
        return None
    return equation.replace(operands=[s.operands[0] for s in signs if s is not None])


@rule("add", "sub", keeps_bits=True)
def of_negative(equation: Equation, made: _Made) -> Equation | None:
    """X + (-y) = x - y, and x - (-y) = x + y."""
    x, y = equation.operands
    negated = made.by(y, "neg")
    if negated is None or equation.results[0].type.dtype.kind not in "fV":
        return None
    return _same(equation, e.sub if equation.primitive.name == "add" else e.add, x, negated.operands[0])


@rule("select", keeps_bits=True)
def known_choice(equation: Equation, made: _Made) -> Atom | None:
    """The chosen operand, where the choice is known or makes no difference."""
    which, x, y = equation.operands  # y where it is true
    value = made.number(which)
    if x is y:
        return x
    return None if value is None else y if value else x


@rule("div", keeps_bits=True)
def over_power_of_two(equation: Equation, made: _Made) -> Equation | None:
    """X / 2**k = x * 2**-k. By other numbers one divides: quotients shall be the same eagerly and compiled."""
    x, y = equation.operands
    c, dtype = made.number(y), equation.results[0].type.dtype
    if c is None or dtype.name not in ("float32", "float64") or not isinstance(x, Var):
        return None
    tiny, size = float(np.finfo(dtype).tiny), abs(float(c))
    if not tiny <= size <= 1 / tiny or math.frexp(size)[0] != 0.5:
        return None
    return _same(equation, e.mul, x, Literal(dtype.type(1) / dtype.type(c)))
