"""Transposition: a program linear in some inputs, run backwards, takes cotangents of its outputs to cotangents of those.

For a linear map A, <A x_dot, y_bar> = <x_dot, A^T y_bar>: this is what turns a linearized program into reverse mode.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..array_type import ArrayType, Dim, has_dim
from ..arrays import operand_of
from ..lowering import substitute_dims
from ..primitive import LinearOperand, Zero
from ..primitives.base import add
from ..primitives.constants import closed
from ..primitives.structural import instantiate
from ..program import Literal, Program, Var
from ..staging import bind_dims, known_params, stage
from ..tracing import context

__all__ = ["backward_pass", "transpose_program"]


def backward_pass(
    program: Program, linear: Sequence[bool], known: Sequence[Any], cotangents: Sequence[Any]
) -> list[Any]:
    """Cotangents of the linear inputs, in the current trace.

    Args:
      program: linear in the inputs that `linear` marks.
      linear: a mark for each input.
      known: the values of the inputs that are not marked.
      cotangents: of the outputs; some may be `Zero`.
    """
    values: dict[Var, Any] = {}
    dims: dict[Dim, Any] = {}
    given = iter(known)
    unknown: set[Var] = set()
    for v, is_linear in zip(program.inputs, linear, strict=True):
        if is_linear:
            unknown.add(v)
        else:
            values[v] = next(given)
            bind_dims(v, values[v], dims)

    def type_here(v: Var) -> ArrayType:
        t = v.type
        return t.update(shape=substitute_dims(t.shape, dims)) if dims and has_dim(t.shape) else t

    def read(a: Any) -> Any:
        if isinstance(a, Literal):
            return operand_of(a)
        return LinearOperand(type_here(a)) if a in unknown else values[a]

    backwards = []
    for equation in program.equations:
        if any(a in unknown for a in equation.operands):
            unknown.update(equation.results)
            backwards.append(equation)
        else:
            params = known_params(equation, dims)
            out = context.trace.process(equation.primitive, tuple(map(read, equation.operands)), params)
            results = out if equation.primitive.multiple_results else [out]
            for v, x in zip(equation.results, results, strict=True):
                values[v] = x
                bind_dims(v, x, dims)

    cts: dict[Var, Any] = {}

    def accumulate(a: Any, ct: Any) -> None:
        if isinstance(a, Var) and a in unknown and ct is not None and not isinstance(ct, Zero):
            cts[a] = add(cts[a], ct) if a in cts else ct

    for a, ct in zip(program.outputs, cotangents, strict=True):
        accumulate(a, ct)
    for equation in reversed(backwards):
        if not any(v in cts for v in equation.results):
            continue
        out_cts = [cts.pop(v) if v in cts else Zero(type_here(v)) for v in equation.results]
        out_ct = out_cts if equation.primitive.multiple_results else out_cts[0]
        operands = [read(a) for a in equation.operands]
        in_cts = equation.primitive.transpose(out_ct, operands, **known_params(equation, dims))
        for a, ct in zip(equation.operands, in_cts, strict=True):
            accumulate(a, ct)
    return [cts.get(v, Zero(type_here(v))) for v, is_linear in zip(program.inputs, linear, strict=True) if is_linear]


def transpose_program(
    program: Program, linear: tuple[bool, ...], nonzeros: tuple[bool, ...], instantiated: bool = False
) -> tuple[Program, tuple[bool, ...]]:
    """The transposed program.

    Args:
      program: linear in the inputs that `linear` marks.
      linear: a mark for each input.
      nonzeros: which outputs have a cotangent.
      instantiated: whether cotangents of all linear inputs are wanted, also those known to be zero.

    Returns:
      a program (inputs that are not linear, cotangents of outputs that have one) -> cotangents of linear inputs that
      have one, and a mark for each linear input: whether it has.
    """

    def make() -> tuple[Program, tuple[bool, ...]]:
        known_types = [t for t, is_linear in zip(program.in_types, linear, strict=True) if not is_linear]
        ct_types = [t for t, nz in zip(program.out_types, nonzeros, strict=True) if nz]
        has: list[bool] = []

        def function(*operands: Any) -> list[Any]:
            given = iter(operands[len(known_types) :])
            cts = [next(given) if nz else Zero(t) for nz, t in zip(nonzeros, program.out_types, strict=True)]
            ins = backward_pass(program, linear, operands[: len(known_types)], cts)
            if instantiated:
                ins = [instantiate(ct) for ct in ins]
            has.extend(not isinstance(ct, Zero) for ct in ins)
            return [ct for ct in ins if not isinstance(ct, Zero)]

        staged = stage(function, [*known_types, *ct_types], name=f"transpose({program.name})")
        return closed(*staged), tuple(has)

    return program.remember(("transpose", linear, nonzeros, instantiated, context.trace.axes()), make)
