"""`cond` and `switch`: one of several functions runs. Where the choice is known already, that function just runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..array_type import ArrayType, Dim, fit_dims, rename_dims
from ..arrays import type_of
from ..dtype_lattice import lattice_result
from ..errors import ArgumentError, TransformationError, transparent
from ..primitive import LinearOperand, Primitive, Zero
from ..primitives import elementwise as e
from ..primitives.structural import batch_place, broadcast_in_dim, zeros
from ..program import Equation, Program
from ..promotion import as_operand, cast
from ..staging import StagingTrace, evaluate, stage
from ..tracing import context
from ..transforms.batching import batch_program
from ..transforms.call import run_equation
from ..transforms.edges import operands_of
from ..transforms.jvp import jvp_program
from ..transforms.linearize import linearize_program
from ..transforms.signature import check_callable
from ..transforms.tape import Linearization
from ..transforms.transpose import transpose_program
from ..tree import unflatten
from .bodies import StagedBody, split, stage_flat, with_tangents

__all__ = ["cond", "cond_p", "switch"]

_NO_OPERAND = object()


class Cond(Primitive):
    """Operands: which branch (int32, clamped), the branches' operands. Results: those of the branch that runs."""

    multiple_results = True
    subprograms = ("branches",)

    def infer(self, which: ArrayType, *types: ArrayType, branches: tuple[Program, ...]) -> list[ArrayType]:
        return _common_types([rename_dims(b.out_types, fit_dims(b.in_types, types) or {}) for b in branches])

    def evaluate(self, *operands: Any, **params: Any) -> list[Any]:  # type: ignore[override]
        return run_equation(self, operands, params)

    def lower(self, context: Any, equation: Equation) -> Callable[..., tuple[Any, ...]]:
        runs = [context.compile(b) for b in equation.params["branches"]]
        last = len(runs) - 1
        return lambda which, *operands: runs[min(max(int(which), 0), last)](*operands)

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], *, branches: tuple[Program, ...]) -> Any:
        nonzeros = tuple(not isinstance(t, Zero) for t in tangents[1:])
        has = _any_of([jvp_program(b, nonzeros)[1] for b in branches])
        new = tuple(jvp_program(b, nonzeros, has)[0] for b in branches)
        out = self(*primals, *(t for t in tangents[1:] if not isinstance(t, Zero)), branches=new)
        return with_tangents(out[: len(has)], out[len(has) :], has)

    def linearize(  # type: ignore[override]
        self,
        types: Sequence[ArrayType],
        nonzeros: tuple[bool, ...],
        *,
        split_body: Any = linearize_program,
        branches: tuple[Program, ...],
    ) -> Linearization:
        marks = nonzeros[1:]
        has = _any_of([split_body(b, marks)[2] for b in branches])
        parts = [split_body(b, marks, has) for b in branches]
        n_out = len(has)
        residuals = [known.out_types[n_out:] for known, _, _ in parts]
        all_known, all_linear = [], []
        for i, (known, linear, _) in enumerate(parts):
            before = [t for ts in residuals[:i] for t in ts]
            after = [t for ts in residuals[i + 1 :] for t in ts]
            all_known.append(_fill_outputs(known, n_out, before, after))
            all_linear.append(_skip_inputs(linear, before, len(residuals[i]), after))

        def run_known(which: Any, *operands: Any) -> list[Any]:
            return [*self(which, *operands, branches=tuple(all_known)), which]

        def run_linear(*operands: Any) -> list[Any]:
            *stored, which = operands[: n_res + 1]
            return self(which, *stored, *operands[n_res + 1 :], branches=tuple(all_linear))

        n_res = sum(map(len, residuals))
        known_program = stage(run_known, types, name="cond").program
        dots = [t.tangent() for t, m in zip(types, nonzeros, strict=True) if m]
        linear_program = stage(run_linear, [*known_program.out_types[n_out:], *dots], name="cond").program
        return Linearization(known_program, linear_program, has, True)

    def transpose(self, cts: Any, operands: Sequence[Any], *, branches: tuple[Program, ...]) -> Sequence[Any]:
        which, *rest = operands
        linear = tuple(isinstance(x, LinearOperand) for x in rest)
        nonzeros = tuple(not isinstance(ct, Zero) for ct in cts)
        new = tuple(transpose_program(b, linear, nonzeros, True)[0] for b in branches)
        known = [x for x in rest if not isinstance(x, LinearOperand)]
        out = iter(self(which, *known, *(ct for ct in cts if not isinstance(ct, Zero)), branches=new))
        return [None, *(next(out) if m else None for m in linear)]

    def batch(
        self, axis: Any, operands: Sequence[Any], dims: Sequence[Any], *, branches: tuple[Program, ...]
    ) -> tuple[Any, Any]:
        (which, *rest), (which_dim, *rest_dims) = operands, dims
        marks = tuple(rest_dims)
        places = tuple(batch_place(t.shape) for t in _common_types([b.out_types for b in branches]))
        if which_dim is None:
            found = [batch_program(b, axis, marks)[1] for b in branches]
            out = tuple(any(d is not None for d in ds) for ds in zip(*found, strict=True))
            new = tuple(batch_program(b, axis, marks, out, places)[0] for b in branches)
            return self(which, *rest, branches=new), [at if b else None for at, b in zip(places, out, strict=True)]
        all_out = (True,) * len(places)
        results = [evaluate(batch_program(b, axis, marks, all_out, places)[0], *rest) for b in branches]
        cases = zip(*results, strict=True)
        return [select_case(which, xs, at) for xs, at in zip(cases, places, strict=True)], list(places)

    def axis_names(self, params: dict[str, Any]) -> frozenset[Any]:
        return frozenset().union(*(b.axis_names for b in params["branches"]))

    def effects_of(self, params: dict[str, Any]) -> frozenset[str]:
        return frozenset().union(*(b.effects for b in params["branches"]))


def _common_types(branches: Sequence[Sequence[ArrayType]]) -> list[ArrayType]:
    """The types of results, from those of branches: a length in which these differ is known only at run time; where they differ
    alike it is one.
    """
    lengths: dict[tuple[Any, ...], Dim] = {}

    def common(types: Sequence[ArrayType]) -> ArrayType:
        first = types[0]
        if all(t.shape == first.shape for t in types):
            return first.update(weak=all(t.weak for t in types))
        axes = zip(*(t.shape for t in types), strict=True)
        return first.update(shape=tuple(ns[0] if len(set(ns)) == 1 else lengths.setdefault(ns, Dim()) for ns in axes))

    return [common(ts) for ts in zip(*branches, strict=True)]


def _any_of(marks: Sequence[Sequence[bool]]) -> tuple[bool, ...]:
    return tuple(any(ms) for ms in zip(*marks, strict=True))


def _nothing(t: ArrayType) -> Any:
    """Zeros of a type; empty along lengths that are unknown."""
    return zeros(t.update(shape=tuple(0 if type(n) is Dim else n for n in t.shape)))


def _fill_outputs(program: Program, n_out: int, before: Sequence[ArrayType], after: Sequence[ArrayType]) -> Program:
    """The program with zeros for the residuals of the branches before and after it."""

    def function(*operands: Any) -> list[Any]:
        out = evaluate(program, *operands)
        return [*out[:n_out], *map(_nothing, before), *out[n_out:], *map(_nothing, after)]

    return stage(function, program.in_types, name=program.name).program


def _skip_inputs(program: Program, before: Sequence[ArrayType], n: int, after: Sequence[ArrayType]) -> Program:
    """The program with further inputs, the residuals of the other branches, which it ignores."""

    def function(*operands: Any) -> list[Any]:
        _, own, _, dots = split(operands, len(before), n, len(after))
        return evaluate(program, *own, *dots)

    types = [*before, *program.in_types[:n], *after, *program.in_types[n:]]
    return stage(function, types, name=program.name).program


def select_case(which: Any, cases: Sequence[Any], axis: int = 0) -> Any:
    """The case that `which` (int32 along an axis, clamped) names, row by row.

    Of unknown lengths only one case may be other than empty; then the others are zeros.
    """
    shapes = [type_of(x).shape for x in cases]
    shape = next((s for s in shapes if 0 not in s), shapes[0])
    cases = [x if s == shape else type_of(x).dtype.type(0) for x, s in zip(cases, shapes, strict=True)]
    out = cases[-1]
    for i in reversed(range(len(cases) - 1)):
        chosen = e.le(which, np.int32(i))
        if type_of(chosen).shape != shape:
            chosen = broadcast_in_dim(chosen, shape=shape, dims=(axis,))
        out = e.select(chosen, out, cases[i])
    return out


cond_p = Cond("cond")


def _known_value(x: Any) -> Any:
    """The value of a choice if it is known and the choice need not be recorded."""
    trace: Any = context.trace
    while trace is not None:
        if isinstance(trace, StagingTrace):
            return None
        trace = trace.parent
    array = x.concrete()
    return None if array is None else array.backend.to_host(array.buffer)


@transparent
def switch(index: Any, branches: Sequence[Callable[..., Any]], *operands: Any, operand: Any = _NO_OPERAND) -> Any:
    """Run `branches[index](*operands)`; the index is clamped.

    Args:
      index: an integer scalar.
      branches: functions with results of one structure, shapes and dtypes.
      *operands: pytrees of arrays.
      operand: a single operand by keyword, for compatibility.

    Raises:
      TypeError: if the index is not an integer scalar, or the branches' results differ in type.

    >>> import functorch_lite as fl
    >>> fl.lax.switch(1, [lambda x: x, lambda x: -x], 2.0)
    Array(-2., dtype=float32, weak_type=True)
    """
    if operand is not _NO_OPERAND:
        operands = (*operands, operand)
    if not branches:
        raise ArgumentError("switch needs at least one branch.")
    which = as_operand(index, "the index of switch")
    if which.shape != () or not dtypes.is_integer(which.dtype):
        raise TransformationError(f"switch needs an index that is an integer scalar, got {which.type}.")
    return _choose(which, branches, operands, "switch", [f"branch {i}" for i in range(len(branches))])


@transparent
def cond(
    pred: Any, true_fun: Callable[..., Any], false_fun: Callable[..., Any], *operands: Any, operand: Any = _NO_OPERAND
) -> Any:
    """Run `true_fun(*operands)` if `pred` holds, else `false_fun(*operands)`.

    Args:
      pred: a scalar, boolean or number.
      true_fun: one function.
      false_fun: the other; its results have the same structure, shapes and dtypes.
      *operands: pytrees of arrays.
      operand: a single operand by keyword, for compatibility.

    Raises:
      TypeError: if `pred` is not a scalar, or the branches' results differ in type.

    >>> import functorch_lite as fl
    >>> fl.lax.cond(True, lambda x: x + 1.0, lambda x: x, 2.0)
    Array(3., dtype=float32, weak_type=True)
    """
    if operand is not _NO_OPERAND:
        operands = (*operands, operand)
    p = as_operand(pred, "the predicate of cond")
    if p.shape != ():
        raise TransformationError(
            f"cond needs a predicate that is a scalar, got {p.type}: reduce it with any() or all(), or use where."
        )
    if not dtypes.is_bool(p.dtype):
        p = e.ne(p, p.dtype.type(0))
    return _choose(p, (false_fun, true_fun), operands, "cond", ("false_fun", "true_fun"))


def _choose(
    which: Any, branches: Sequence[Callable[..., Any]], operands: Sequence[Any], what: str, names: Sequence[str]
) -> Any:
    for f, name in zip(branches, names, strict=True):
        check_callable(f"{what}, as its {name},", f)
    xs, in_tree = operands_of(operands, f"an operand of {what}")
    value = _known_value(which)
    if value is not None:
        chosen = branches[min(max(int(value), 0), len(branches) - 1)]
        outs, out_tree = operands_of(chosen(*unflatten(in_tree, xs)), f"a result of {what}'s branch")
        return unflatten(out_tree, outs)
    types = [type_of(x) for x in xs]
    bodies = [stage_flat(f, in_tree, types, f"{what}'s branch") for f in branches]
    _check_branches(bodies, what, names)
    programs = tuple(_with_hoisted(body, i, bodies) for i, body in enumerate(_one_type(bodies)))
    hoisted = [x for body in bodies for x in body.hoisted]
    out = cond_p(cast(which, np.dtype("int32")), *hoisted, *xs, branches=programs)
    return unflatten(bodies[0].out_tree, out)


def _check_branches(bodies: Sequence[StagedBody], what: str, names: Sequence[str]) -> None:
    first = bodies[0]
    for body, name in zip(bodies[1:], names[1:], strict=True):
        if body.out_tree != first.out_tree:
            raise TransformationError(
                f"{what}: the branches must give results of one structure; {names[0]} gives {first.out_tree}, {name} gives "
                f"{body.out_tree}."
            )
        for a, b in zip(first.program.out_types, body.program.out_types, strict=True):
            if a.shape != b.shape or (a.dtype != b.dtype and not (a.weak or b.weak)):
                raise TransformationError(
                    f"{what}: the branches must give results of one type; {names[0]} gives {a}, {name} gives {b}: cast or "
                    "reshape one of them."
                )


def _one_type(bodies: Sequence[StagedBody]) -> list[StagedBody]:
    """The bodies with weak results cast to the dtype that the others give."""
    wanted = []
    for types in zip(*(b.program.out_types for b in bodies), strict=True):
        dtype, weak = lattice_result([(t.dtype, t.weak) for t in types])
        wanted.append(types[0].update(dtype=dtype, weak=weak))

    def converted(body: StagedBody) -> StagedBody:
        if list(body.program.out_types) == wanted:
            return body
        program = body.program

        def function(*operands: Any) -> list[Any]:
            return [cast(x, t.dtype, t.weak) for x, t in zip(evaluate(program, *operands), wanted, strict=True)]

        return body._replace(program=stage(function, program.in_types, name=program.name).program)

    return [converted(body) for body in bodies]


def _with_hoisted(body: StagedBody, i: int, bodies: Sequence[StagedBody]) -> Program:
    """The branch with the values that the other branches close over as further inputs."""
    before = [type_of(x) for b in bodies[:i] for x in b.hoisted]
    after = [type_of(x) for b in bodies[i + 1 :] for x in b.hoisted]
    return _skip_inputs(body.program, before, len(body.hoisted), after)
