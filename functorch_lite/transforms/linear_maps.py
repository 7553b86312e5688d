"""Derivatives as linear maps: `jvp`, `vjp`, `linearize`, `linear_transpose`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from .. import dtypes
from ..array_type import ArrayType
from ..arrays import type_of
from ..errors import DTypeError, TransformationError, transparent
from ..primitive import Zero
from ..primitives.structural import instantiate
from ..program import Program
from ..promotion import as_operand, flagged
from ..staging import evaluate, stage
from ..tree import flatten, unflatten
from ..tree_registration import Partial, register_pytree_node
from .edges import Aux, given_cotangents, given_tangents, gradient_out, operands_of, tangent_out
from .jvp import jvp_flat
from .linearize import linearize_flat
from .signature import check_callable, function_name
from .tape import Tape
from .transpose import backward_pass

__all__ = ["jvp", "linear_transpose", "linearize", "vjp"]


@transparent
def jvp(fun: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False) -> Any:
    """The value of `fun` and its derivative along `tangents`: f(x), f'(x) x_dot.

    Args:
      fun: takes and gives pytrees of arrays.
      primals: a tuple or list of arguments.
      tangents: a tuple or list of the same structure.
      has_aux: whether `fun` gives a pair of its value and auxiliary data.

    Returns:
      `(value, tangent)`, or `(value, tangent, aux)`.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> y, y_dot = fl.jvp(fnp.sin, (0.0,), (2.0,))
    >>> float(y), float(y_dot)
    (0.0, 2.0)
    """
    if not isinstance(primals, (tuple, list)) or not isinstance(tangents, (tuple, list)):
        raise TransformationError(
            f"jvp takes tuples or lists of primals and of tangents, got {type(primals).__name__} and "
            f"{type(tangents).__name__}: write jvp(f, (x,), (x_dot,))."
        )
    check_callable("jvp", fun)
    operands, structure = operands_of(tuple(primals), "a primal given to jvp")
    dots = given_tangents(tuple(tangents), structure, [type_of(x) for x in operands], "jvp", "tangent")
    flat = _FlatFunction(fun, structure, has_aux)
    values, out_dots = jvp_flat(flat, operands, dots)
    value, aux, n = flat.results(values)
    tangent = unflatten(
        flat.out_tree, [tangent_out(t, type_of(x)) for t, x in zip(out_dots[:n], values[:n], strict=True)]
    )
    return (value, tangent, aux) if has_aux else (value, tangent)


class _FlatFunction:
    """`fun` on operands, remembering the structure of its result."""

    def __init__(self, fun: Callable[..., Any], structure: Any, has_aux: bool):
        self.fun = fun
        self.structure = structure
        self.has_aux = has_aux
        self.aux = Aux(None)
        self.out_tree: Any = None

    def __call__(self, *xs: Any) -> list[Any]:
        out = self.fun(*unflatten(self.structure, xs))
        if self.has_aux:
            if not isinstance(out, (tuple, list)) or len(out) != 2:
                raise TransformationError(
                    f"has_aux=True needs a pair (value, aux) from {function_name(self.fun)}, got {type(out).__name__}."
                )
            out, data = out
            self.aux = Aux(data)
        outs, self.out_tree = operands_of(out, f"a result of {function_name(self.fun)}")
        return [*outs, *self.aux.tracers]

    def results(self, values: Sequence[Any]) -> tuple[Any, Any, int]:
        """The value, the auxiliary data, and how many leaves the value has."""
        n = len(values) - len(self.aux.traced)
        return unflatten(self.out_tree, values[:n]), self.aux.finished(values[n:]), n


class _Signature(NamedTuple):
    """What a pullback takes and gives."""

    name: str
    in_tree: Any
    out_tree: Any
    out_types: tuple[ArrayType, ...]


class Pullback:
    """The function that `vjp` gives: cotangents of the results -> cotangents of the arguments.

    It is a pytree with the residuals for leaves, so it can be given to jitted functions, and returned by them.
    """

    def __init__(self, tape: Tape, signature: _Signature):
        self.tape = tape
        self.signature = signature

    @transparent
    def __call__(self, *cotangents: Any) -> tuple[Any, ...]:
        name, in_tree, out_tree, out_types = self.signature
        what = f"the function that vjp of {name} gave"
        if len(cotangents) != 1:
            raise TransformationError(
                f"{what} takes one cotangent, of the structure of the result of {name}, got {len(cotangents)}: pass a tuple for "
                "a tuple."
            )
        cts = given_tangents(cotangents[0], out_tree, out_types, what, "cotangent")
        rest = [Zero(t) for t in self.tape.out_types[len(cts) :]]
        ins = self.tape.pull_back([*cts, *rest])
        return unflatten(in_tree, [gradient_out(ct, t) for ct, t in zip(ins, self.tape.in_types, strict=True)])


def _split_pullback(pullback: Pullback) -> tuple[list[Any], Any]:
    residuals, outline = pullback.tape.split()
    return residuals, (outline, pullback.signature)


register_pytree_node(Pullback, _split_pullback, lambda aux, leaves: Pullback(Tape.joined(aux[0], list(leaves)), aux[1]))


@transparent
def vjp(fun: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """The value of `fun` and the function that pulls cotangents back: y_bar -> f'(x)^T y_bar.

    Args:
      fun: takes and gives pytrees of arrays.
      *primals: its arguments.
      has_aux: whether `fun` gives a pair of its value and auxiliary data.

    Returns:
      `(value, pullback)`, or `(value, pullback, aux)`; `pullback(cotangent)` is a tuple, an item per argument.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> y, pullback = fl.vjp(lambda x, y: x * y, 2.0, 3.0)
    >>> [float(g) for g in pullback(1.0)]
    [3.0, 2.0]
    """
    check_callable("vjp", fun)
    operands, structure = operands_of(primals, "a primal given to vjp")
    flat = _FlatFunction(fun, structure, has_aux)
    results, tape = linearize_flat(flat, operands)
    value, aux, n = flat.results(results)
    out_types = tuple(type_of(x) for x in results[:n])
    pullback = Pullback(tape, _Signature(function_name(fun), structure, flat.out_tree, out_types))
    return (value, pullback, aux) if has_aux else (value, pullback)


@transparent
def linearize(fun: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """The value of `fun` and its derivative there as a linear function, computed without evaluating `fun` again.

    Returns:
      `(value, push_forward)`, or `(value, push_forward, aux)`.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> y, push_forward = fl.linearize(fnp.exp, 0.0)
    >>> float(push_forward(3.0))
    3.0
    """
    check_callable("linearize", fun)
    operands, structure = operands_of(primals, "a primal given to linearize")
    flat = _FlatFunction(fun, structure, has_aux)
    results, tape = linearize_flat(flat, operands)
    value, aux, n = flat.results(results)
    moving = [dtypes.is_inexact(t.dtype) for t in tape.in_types]

    def push(*dots: Any) -> list[Any]:
        given = iter(dots)
        full = [next(given) if m else Zero(t.tangent()) for m, t in zip(moving, tape.in_types, strict=True)]
        return [instantiate(t) for t in tape.push_forward(*full)[:n] if dtypes.is_inexact(t.dtype)]

    types = [t.tangent() for m, t in zip(moving, tape.in_types, strict=True) if m]
    program, residuals = stage(push, types, name=f"linearized {function_name(fun)}")
    push_forward = Partial(
        _PushForward(program, structure, flat.out_tree, tape.in_types, tape.out_types[:n]), residuals
    )
    return (value, push_forward, aux) if has_aux else (value, push_forward)


class _PushForward:
    """The function that `linearize` gives, once it is told the residuals."""

    def __init__(
        self, program: Program, in_tree: Any, out_tree: Any, in_types: Sequence[Any], out_types: Sequence[Any]
    ):
        self.program = program
        self.in_tree = in_tree
        self.out_tree = out_tree
        self.in_types = in_types
        self.out_types = out_types

    @transparent
    def __call__(self, residuals: Sequence[Any], *tangents: Any) -> Any:
        what = "the function that linearize gave"
        dots = given_tangents(tangents, self.in_tree, self.in_types, what, "tangent")
        given = [instantiate(t) for t in dots if dtypes.is_inexact(t.dtype)]
        found = iter(evaluate(self.program, *residuals, *given))
        outs = [next(found) if dtypes.is_inexact(t.dtype) else Zero(t) for t in self.out_types]
        return unflatten(self.out_tree, [tangent_out(x, t) for x, t in zip(outs, self.out_types, strict=True)])


@transparent
def linear_transpose(fun: Callable[..., Any], *primals: Any) -> Callable[[Any], tuple[Any, ...]]:
    """The transpose of a linear function: `<fun(x), y_bar> = <x, transpose(y_bar)>`.

    Args:
      fun: linear in all of its arguments; from floating to floating (or complex) numbers, or from integers to integers.
      *primals: arrays, or anything with shape and dtype, of the types of the arguments.

    Returns:
      a function of a cotangent of the result that gives a tuple of cotangents of the arguments.

    >>> import functorch_lite as fl
    >>> (x_bar,) = fl.linear_transpose(lambda x: 3 * x, 1.0)(2.0)
    >>> float(x_bar)
    6.0
    """
    check_callable("linear_transpose", fun)
    leaves, structure = flatten(primals)
    types = [
        ArrayType(tuple(x.shape), dtypes.as_dtype(x.dtype)) if hasattr(x, "shape") else type_of(as_operand(x))
        for x in leaves
    ]
    flat = _FlatFunction(fun, structure, False)
    program, hoisted = stage(flat, types, name=function_name(fun))
    _check_number_kinds(types, program.out_types)
    linear = (False,) * len(hoisted) + (True,) * len(types)

    @transparent
    def transposed(cotangent: Any) -> tuple[Any, ...]:
        cts = given_cotangents(cotangent, flat.out_tree, program.out_types, "linear_transpose")
        ins = backward_pass(program, linear, hoisted, cts)
        return unflatten(structure, [flagged(instantiate(ct), t.weak) for ct, t in zip(ins, types, strict=True)])

    return transposed


def _check_number_kinds(operands: Sequence[ArrayType], results: Sequence[ArrayType]) -> None:
    """Raise TypeError unless all are floating (or complex), or all integers: between the two nothing is linear."""
    types = [*operands, *results]
    for belongs in (dtypes.is_inexact, dtypes.is_integer):
        if all(belongs(t.dtype) for t in types):
            return
    raise DTypeError(
        "linear_transpose needs arguments and results of floating or complex dtype, or of integers throughout, got "
        f"({', '.join(map(str, operands))}) -> ({', '.join(map(str, results))}): cast the arguments with astype."
    )
