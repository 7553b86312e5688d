"""The primitive `scan`: a loop of a given number of turns, over the rows of arrays, with a carry and rows of results.

Its rules transform the body and scan the result. The length may be unknown before the run: the linear part of a
`while_loop` is a scan over the turns that the loop took.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import dtypes
from ..array_type import ArrayType, Dim, fit_dims, has_dim, rename_dims
from ..errors import ShapeError, TransformationError
from ..primitive import LinearOperand, Primitive, Zero
from ..primitives.base import add
from ..primitives.structural import batch_place, instantiate, move_batch, place_batch
from ..program import Equation, Program
from ..staging import evaluate, stage
from ..transforms.batching import batch_program
from ..transforms.call import run_equation
from ..transforms.linearize import linearize_program
from ..transforms.tape import Linearization
from ..transforms.transpose import transpose_program
from .bodies import only, split
from .derivative_bodies import dual_body, linearize_body, stacking_residuals, with_residuals_in_place
from .hoisting import relieved
from .rows import sparing_rows

__all__ = ["scan_p", "stack_rows"]


def stack_rows(xp: Any, rows: Sequence[Any], row: ArrayType) -> Any:
    """Results of the turns of a loop, one above the other.

    Rows whose type has an unknown length may differ in it (an inner loop took more turns in some turn of the outer
    one): the shorter ones are filled up with zeros.
    """
    if not rows:
        return xp.zeros((0, *(n if isinstance(n, int) else 0 for n in row.shape)), dtype=row.dtype)
    shapes = {r.shape for r in rows}
    if len(shapes) > 1:
        full = tuple(map(max, zip(*shapes, strict=True)))
        rows = [_filled(xp, r, full) for r in rows]
    return xp.stack(rows)


def _filled(xp: Any, row: Any, shape: tuple[int, ...]) -> Any:
    for axis, n in enumerate(shape):
        if row.shape[axis] < n:
            missing = (*row.shape[:axis], n - row.shape[axis], *row.shape[axis + 1 :])
            row = xp.concat([row, xp.zeros(missing, dtype=row.dtype)], axis=axis)
    return row


class Scan(Primitive):
    """Operands: constants, initial carry, arrays to go over. Results: the last carry, stacked rows."""

    multiple_results = True
    subprograms = ("body",)

    def infer(
        self, *types: ArrayType, body: Program, length: Any, reverse: bool, n_consts: int, n_carry: int, unroll: int
    ) -> list[ArrayType]:
        out = body.out_types
        for t in types[n_consts + n_carry :]:  # unknown lengths may be equal and not known to be
            if t.shape[:1] != (length,) and not (type(length) is Dim and has_dim(t.shape[:1])):
                raise ShapeError(
                    f"scan of length {length} over an array of type {t}: its leading axis must have that length."
                )
        n_whole = n_consts + n_carry
        given = [*types[:n_whole], *(t.update(shape=t.shape[1:]) for t in types[n_whole:])]
        rows = rename_dims(out[n_carry:], fit_dims(body.in_types, given) or {})
        return [*out[:n_carry], *(t.update(shape=(length, *t.shape)) for t in rows)]

    def evaluate(self, *operands: Any, **params: Any) -> list[Any]:  # type: ignore[override]
        return run_equation(self, operands, params)

    def lower(self, context: Any, equation: Equation) -> Callable[..., tuple[Any, ...]]:
        p = equation.params
        body, length, n_consts, n_carry = p["body"], p["length"], p["n_consts"], p["n_carry"]
        step, xp = context.compile(body), context.backend.xp
        turns = range(length - 1, -1, -1) if p["reverse"] else range(length)
        rows = body.out_types[n_carry:]
        vectors = [not t.shape for t in body.in_types[n_consts + n_carry :]]  # they have no axis for `...` to stand for

        def run(*operands: Any) -> tuple[Any, ...]:
            consts, carry, xs = (
                operands[:n_consts],
                operands[n_consts : n_consts + n_carry],
                operands[n_consts + n_carry :],
            )
            collected: list[list[Any]] = [[] for _ in rows]
            for i in turns:
                out = step(*consts, *carry, *[x[i] if v else x[i, ...] for x, v in zip(xs, vectors, strict=True)])
                carry = out[:n_carry]
                for into, y in zip(collected, out[n_carry:], strict=True):
                    into.append(y)
            if p["reverse"]:
                collected = [ys[::-1] for ys in collected]
            return (*carry, *(stack_rows(xp, ys, t) for ys, t in zip(collected, rows, strict=True)))

        return run

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        body, n_consts, n_carry = params["body"], params["n_consts"], params["n_carry"]
        parts = split([not isinstance(t, Zero) for t in tangents], n_consts, n_carry)
        dual = dual_body(body, *parts)
        consts_nz, _, xs_nz = parts
        consts, carry, xs = split(primals, n_consts, n_carry)
        consts_t, carry_t, xs_t = split(tangents, n_consts, n_carry)
        dots = map(instantiate, only(carry_t, dual.carry_nz))
        operands = [*consts, *only(consts_t, consts_nz), *carry, *dots, *xs, *only(xs_t, xs_nz)]
        sizes = {"n_consts": n_consts + sum(consts_nz), "n_carry": n_carry + sum(dual.carry_nz)}
        return dual.results(self(*operands, **{**params, "body": dual.body, **sizes}))

    def linearize(  # type: ignore[override]
        self,
        types: Sequence[ArrayType],
        nonzeros: tuple[bool, ...],
        *,
        split_body: Any = linearize_program,
        **params: Any,
    ) -> Linearization:
        body, n_consts, n_carry = params["body"], params["n_consts"], params["n_carry"]
        n_ys = len(body.outputs) - n_carry
        consts_nz, carry_nz, xs_nz = split(nonzeros, n_consts, n_carry)
        initial_nz = carry_nz
        known, linear, carry_nz, ys_nz = linearize_body(split_body, body, consts_nz, carry_nz, xs_nz)
        n_out = len(body.outputs)
        known_body, kinds = stacking_residuals(known, n_out, n_consts, n_carry)

        def run_known(*operands: Any) -> list[Any]:
            out = self(*operands, **{**params, "body": known_body})
            stacked = iter(out[n_out:])
            residuals = [next(stacked) if kind is None else operands[kind] for kind in kinds]
            return [*out[:n_out], *residuals]

        constant = [kind is not None and kind < n_consts for kind in kinds]
        linear_body = with_residuals_in_place(linear, constant, sum(consts_nz), sum(carry_nz))
        sizes = {"n_consts": sum(constant) + sum(consts_nz), "n_carry": sum(carry_nz)}

        def run_linear(*operands: Any) -> list[Any]:
            residuals, dots = operands[: len(kinds)], operands[len(kinds) :]
            c_dot, k_dot, x_dot = split(dots, sum(consts_nz), sum(initial_nz))
            given = iter(k_dot)
            k_dot = [
                next(given) if m0 else instantiate(Zero(t.tangent()))
                for m, m0, t in zip(carry_nz, initial_nz, split(types, n_consts, n_carry)[1], strict=True)
                if m
            ]
            varying = [not m for m in constant]
            in_place = [*only(residuals, constant), *c_dot, *k_dot, *only(residuals, varying), *x_dot]
            return self(*in_place, **{**params, "body": linear_body, **sizes})

        known_program = stage(run_known, types, name=body.name).program
        dots = [t.tangent() for t in only(types, nonzeros)]
        linear_program = stage(run_linear, [*known_program.out_types[n_carry + n_ys :], *dots], name=body.name).program
        return Linearization(known_program, linear_program, (*carry_nz, *ys_nz), True)

    def transpose(self, cts: Any, operands: Sequence[Any], **params: Any) -> Sequence[Any]:
        body, n_consts, n_carry = params["body"], params["n_consts"], params["n_carry"]
        linear = [isinstance(x, LinearOperand) for x in operands]
        consts_l, carry_l, xs_l = split(linear, n_consts, n_carry)
        carry_types = body.out_types[:n_carry]
        integers = any(isinstance(x, LinearOperand) and dtypes.is_integer(x.type.dtype) for x in operands)
        can_be_linear = dtypes.is_integer if integers else dtypes.is_inexact
        if not all(can_be_linear(t.dtype) for t in carry_types):
            raise TransformationError(
                "the transpose of a scan needs a carry that is linear in all of its entries: keep counters and other "
                "integers out of the carry (go over an arange instead)."
            )
        # An entry that starts as a known value starts as zero: the scan is linear in it all the same.
        ct_carry, ct_ys = split(cts, n_carry)
        ys_nz = [not isinstance(ct, Zero) for ct in ct_ys]
        marks = (*consts_l, *(True,) * n_carry, *xs_l)
        transposed, _ = transpose_program(body, marks, (*(True,) * n_carry, *ys_nz), True)
        consts, _, xs = split(operands, n_consts, n_carry)
        known_c, known_x = [not m for m in consts_l], [not m for m in xs_l]
        # transposed: known consts, known rows, ct of carry, ct of ys -> ct of linear consts, of carry, of linear rows
        n = [sum(known_c), sum(known_x), n_carry, sum(ys_nz)]
        in_c, in_x, in_k, in_y, _ = split(range(sum(n)), *n)
        c_types = [x.type for x in only(consts, consts_l)]
        accumulating = _with_accumulators(transposed, in_c, in_k, in_y, in_x, c_types)
        ct_consts = [instantiate(Zero(t)) for t in c_types]
        start = [*ct_consts, *map(instantiate, ct_carry)]
        rows = [*(ct for ct in ct_ys if not isinstance(ct, Zero)), *only(xs, known_x)]
        sizes = {"n_consts": sum(known_c), "n_carry": len(start)}
        backwards = {**params, "body": accumulating, "reverse": not params["reverse"], **sizes}
        out = self(*only(consts, known_c), *start, *rows, **backwards)
        found_c, found_k, found_x = map(iter, split(out, len(c_types), n_carry))
        return [
            *(next(found_c) if m else None for m in consts_l),
            *(ct if m else None for ct, m in zip(found_k, carry_l, strict=True)),
            *(next(found_x) if m else None for m in xs_l),
        ]

    def batch(self, axis: Any, operands: Sequence[Any], dims: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        body, n_consts, n_carry = params["body"], params["n_consts"], params["n_carry"]
        consts, carry, xs = split(operands, n_consts, n_carry)
        consts_d, carry_d, xs_d = split(dims, n_consts, n_carry)
        batched = [d is not None for d in carry_d]
        places = [batch_place(t.shape) for t in body.in_types]
        at_c, at_k, at_x = split(places, n_consts, n_carry)
        xs = [x if d is None else move_batch(x, d, 1 + at) for x, d, at in zip(xs, xs_d, at_x, strict=True)]
        consts = [x if d is None else move_batch(x, d, at) for x, d, at in zip(consts, consts_d, at_c, strict=True)]
        n_ys = len(body.outputs) - n_carry
        while True:
            marks = [*(d is not None for d in consts_d), *batched, *(d is not None for d in xs_d)]
            where = tuple(at if m else None for at, m in zip(places, marks, strict=True))
            new_body, out_dims = batch_program(body, axis, where, (*batched, *(False,) * n_ys))
            grown = [b or d is not None for b, d in zip(batched, out_dims[:n_carry], strict=True)]
            if grown == batched:
                break
            batched = grown
        carry = [
            place_batch(x, d, at, axis.size) if b else x
            for x, d, at, b in zip(carry, carry_d, at_k, batched, strict=True)
        ]
        out = self(*consts, *carry, *xs, **{**params, "body": new_body})
        return out, [*out_dims[:n_carry], *(None if d is None else 1 + d for d in out_dims[n_carry:])]

    def hoist(self, is_dear: Callable[[Equation], bool], **params: Any) -> Callable[..., Any] | None:  # type: ignore[override]
        return relieved(self, is_dear, params)

    def spare(self, loop: Equation, *others: Any) -> list[Equation] | None:  # type: ignore[override]
        return sparing_rows(self, loop, loop.params["n_consts"], loop.params["n_carry"], *others)

    def axis_names(self, params: dict[str, Any]) -> frozenset[Any]:
        return params["body"].axis_names

    def effects_of(self, params: dict[str, Any]) -> frozenset[str]:
        return params["body"].effects


def _with_accumulators(
    transposed: Program, in_c: Any, in_k: Any, in_y: Any, in_x: Any, c_types: Sequence[ArrayType]
) -> Program:
    """The body of the backward scan: cotangents of the constants are summed up in the carry."""
    from_program = transposed
    types = transposed.in_types
    n = len(c_types)

    def function(*operands: Any) -> list[Any]:
        known, sums, k, y, x = split(operands, len(in_c), n, len(in_k), len(in_y))
        out = evaluate(from_program, *known, *x, *k, *y)
        return [*(add(s, ct) for s, ct in zip(sums, out[:n], strict=True)), *out[n:]]

    order = (
        [types[i] for i in in_c],
        c_types,
        [types[i] for i in in_k],
        [types[i] for i in in_y],
        [types[i] for i in in_x],
    )
    return stage(function, [t for part in order for t in part], name=transposed.name).program


scan_p = Scan("scan")
