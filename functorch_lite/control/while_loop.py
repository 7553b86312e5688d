"""`while_loop`: a loop whose number of turns only the run decides; with reverse mode.

The linearization of a loop lets each turn give its residuals, stacked along an axis of unknown length; the linear part
is a `scan` over that axis. One residual is whether the turn was real: under vmap the loop turns until the last element
of the batch has finished, and for those that finished before, the linear part is the identity.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..array_type import ArrayType, Dim, fit_dims, rename_dims
from ..arrays import type_of
from ..errors import ConcretizationTypeError, TransformationError, transparent
from ..primitive import NotLinear, Primitive, Zero
from ..primitives import elementwise as e
from ..primitives.structural import (
    batch_place,
    broadcast_in_dim,
    instantiate,
    move_batch,
    place_batch,
    reduce_sum,
    zeros,
)
from ..program import Equation, Program
from ..staging import evaluate, stage
from ..transforms.batching import batch_program
from ..transforms.call import run_equation
from ..transforms.edges import operands_of
from ..transforms.linearize import linearize_program
from ..transforms.signature import check_callable
from ..transforms.tape import Linearization
from ..tree import flatten, unflatten
from ..tree_def import LEAF
from .bodies import convert_carry, on_strong_carry, only, settle_carry, split, stage_flat
from .cond import cond_p
from .derivative_bodies import dual_body, linearize_body, stacking_residuals, with_residuals_in_place
from .rows import sparing_rows
from .scan_primitive import scan_p, stack_rows

__all__ = ["while_loop", "while_p"]


class While(NotLinear, Primitive):
    """Operands: constants of the condition, of the body, the carry. Results: the last carry, rows of each turn."""

    multiple_results = True
    subprograms = ("cond", "body")

    def infer(self, *types: ArrayType, cond: Program, body: Program, n_cond: int, n_body: int) -> list[ArrayType]:
        n_carry = len(types) - n_cond - n_body
        turns = Dim()
        rows = rename_dims(body.out_types[n_carry:], fit_dims(body.in_types, types[n_cond:]) or {})
        return [*body.out_types[:n_carry], *(t.update(shape=(turns, *t.shape)) for t in rows)]

    def evaluate(self, *operands: Any, **params: Any) -> list[Any]:  # type: ignore[override]
        return run_equation(self, operands, params)

    def lower(self, context: Any, equation: Equation) -> Callable[..., tuple[Any, ...]]:
        p = equation.params
        n_cond, n_body, body = p["n_cond"], p["n_body"], p["body"]
        n_carry = len(equation.operands) - n_cond - n_body
        test, step, xp = context.compile(p["cond"]), context.compile(body), context.backend.xp
        rows = body.out_types[n_carry:]

        def run(*operands: Any) -> tuple[Any, ...]:
            cond_consts, consts = operands[:n_cond], operands[n_cond : n_cond + n_body]
            carry = operands[n_cond + n_body :]
            collected: list[list[Any]] = [[] for _ in rows]
            while test(*cond_consts, *carry)[0]:
                out = step(*consts, *carry)
                carry = out[:n_carry]
                for into, y in zip(collected, out[n_carry:], strict=True):
                    into.append(y)
            return (*carry, *(stack_rows(xp, ys, t) for ys, t in zip(collected, rows, strict=True)))

        return run

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        cond, body, n_cond, n_body = params["cond"], params["body"], params["n_cond"], params["n_body"]
        n_carry = len(primals) - n_cond - n_body
        _, consts_nz, carry_nz = split([not isinstance(t, Zero) for t in tangents], n_cond, n_body)
        dual = dual_body(body, consts_nz, carry_nz)
        carry_nz = dual.carry_nz
        dot_types = [t.tangent() for t in only(body.in_types[n_body:], carry_nz)]
        new_cond = stage(
            lambda *xs: evaluate(cond, *xs[: n_cond + n_carry]), [*cond.in_types, *dot_types], name=cond.name
        ).program
        cond_consts, consts, carry = split(primals, n_cond, n_body)
        _, consts_t, carry_t = split(tangents, n_cond, n_body)
        dots = map(instantiate, only(carry_t, carry_nz))
        operands = [*cond_consts, *consts, *only(consts_t, consts_nz), *carry, *dots]
        sizes = {"n_cond": n_cond, "n_body": n_body + sum(consts_nz)}
        return dual.results(self(*operands, cond=new_cond, body=dual.body, **sizes))

    def linearize(  # type: ignore[override]
        self,
        types: Sequence[ArrayType],
        nonzeros: tuple[bool, ...],
        *,
        split_body: Any = linearize_program,
        **params: Any,
    ) -> Linearization:
        body, n_cond, n_body = params["body"], params["n_cond"], params["n_body"]
        n_carry = len(types) - n_cond - n_body
        n_out = len(body.outputs)
        _, consts_nz, initial_nz = split(nonzeros, n_cond, n_body)
        known, linear, carry_nz, ys_nz = linearize_body(split_body, body, consts_nz, initial_nz, [])
        kept, kinds = stacking_residuals(known, n_out, n_body, n_carry)
        known_body = stage(lambda *xs: [*evaluate(kept, *xs), np.True_], kept.in_types, name=body.name).program

        def run_known(*operands: Any) -> list[Any]:
            out = self(*operands, **{**params, "body": known_body})
            stacked = iter(out[n_out:])
            consts = operands[n_cond:]
            residuals = [next(stacked) if kind is None else consts[kind] for kind in kinds]
            return [*out[:n_out], *residuals, next(stacked)]

        constant = [kind is not None for kind in kinds]
        linear_body = _where_active(
            with_residuals_in_place(linear, constant, sum(consts_nz), sum(carry_nz)),
            sum(constant) + sum(consts_nz),
            sum(carry_nz),
        )
        n_consts = sum(constant) + sum(consts_nz)

        def run_linear(*operands: Any) -> list[Any]:
            residuals, active = operands[: len(kinds)], operands[len(kinds)]
            c_dot, k_dot = split(operands[len(kinds) + 1 :], sum(consts_nz))
            given = iter(k_dot)
            k_dot = [
                next(given) if m0 else zeros(t.tangent())
                for m, m0, t in zip(carry_nz, initial_nz, types[n_cond + n_body :], strict=True)
                if m
            ]
            varying = [not m for m in constant]
            in_place = [*only(residuals, constant), *c_dot, *k_dot, active, *only(residuals, varying)]
            sizes = {"n_consts": n_consts, "n_carry": sum(carry_nz)}
            turns = type_of(active).shape[0]
            return scan_p(*in_place, body=linear_body, length=turns, reverse=False, unroll=1, **sizes)

        known_program = stage(run_known, types, name=body.name).program
        dots = [t.tangent() for t in only(types, nonzeros)[sum(nonzeros[:n_cond]) :]]
        if any(nonzeros[:n_cond]):
            dots = [t.tangent() for t in only(types, nonzeros)]
            inner = run_linear
            skipped, n_res = sum(nonzeros[:n_cond]), len(kinds) + 1

            def run_linear(*operands: Any) -> list[Any]:  # the condition's constants have no say in the derivative
                return inner(*operands[:n_res], *operands[n_res + skipped :])

        linear_program = stage(run_linear, [*known_program.out_types[n_out:], *dots], name=body.name).program
        return Linearization(known_program, linear_program, (*carry_nz, *ys_nz), True)

    def batch(self, axis: Any, operands: Sequence[Any], dims: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        cond, body, n_cond, n_body = params["cond"], params["body"], params["n_cond"], params["n_body"]
        n_carry = len(operands) - n_cond - n_body
        n_ys = len(body.outputs) - n_carry
        places = [batch_place(t.shape) for t in (*cond.in_types[:n_cond], *body.in_types)]
        values = [x if d is None else move_batch(x, d, at) for x, d, at in zip(operands, dims, places, strict=True)]
        dims = [None if d is None else at for d, at in zip(dims, places, strict=True)]
        cond_d, consts_d, carry_d = split(dims, n_cond, n_body)
        batched = [d is not None for d in carry_d]
        kept = [x is y for x, y in zip(body.inputs[n_body:], body.outputs[:n_carry], strict=True)]
        while True:
            carry_at = [at if b else None for at, b in zip(places[n_cond + n_body :], batched, strict=True)]
            new_cond, (pred_dim,) = batch_program(cond, axis, (*cond_d, *carry_at), (False,))
            changing = [b or not k for b, k in zip(batched, kept, strict=True)]
            if pred_dim is not None and batched != changing:
                batched = changing
                continue
            forced = (*batched, *(pred_dim is not None,) * n_ys)
            new_body, out_dims = batch_program(body, axis, (*consts_d, *carry_at), forced)
            grown = [b or d is not None for b, d in zip(batched, out_dims[:n_carry], strict=True)]
            if grown == batched:
                break
            batched = grown
        cond_consts, consts, carry = split(values, n_cond, n_body)
        carry = [
            x if at is None else place_batch(x, d, at, axis.size)
            for x, d, at in zip(carry, carry_d, carry_at, strict=True)
        ]
        if pred_dim is not None:
            new_cond, new_body = _until_all_finish(new_cond, new_body, n_cond, n_body, n_carry)
            consts = [*cond_consts, *consts]
        out = self(*cond_consts, *consts, *carry, cond=new_cond, body=new_body, n_cond=n_cond, n_body=len(consts))
        return out, [*carry_at, *(None if d is None else 1 + d for d in out_dims[n_carry:])]

    def spare(self, loop: Equation, *others: Any) -> list[Equation] | None:  # type: ignore[override]
        n_body = loop.params["n_body"]
        return sparing_rows(scan_p, loop, n_body, len(loop.params["body"].inputs) - n_body, *others)

    def axis_names(self, params: dict[str, Any]) -> frozenset[Any]:
        return params["cond"].axis_names | params["body"].axis_names

    def effects_of(self, params: dict[str, Any]) -> frozenset[str]:
        return params["cond"].effects | params["body"].effects


def _select(active: Any, x: Any, otherwise: Any) -> Any:
    """`x` where `active` holds: a flag, or one for each element of a batch."""
    shape = type_of(x).shape
    if shape and type_of(active).shape != shape:
        start = batch_place(shape)
        active = broadcast_in_dim(active, shape=shape, dims=tuple(range(start, start + type_of(active).ndim)))
    return e.select(active, otherwise, x)


def _finished(active: Any, y: Any) -> Any:
    """A residual: of a turn that was none, what the turn would leave, if that is a number, since derivatives may divide by it."""
    dtype = type_of(y).dtype
    if dtypes.is_inexact(dtype):
        return e.select(e.eq(e.sub(y, y), dtype.type(0)), _select(active, y, dtype.type(0)), y)
    return _select(active, y, dtype.type(0))


def _where_active(linear: Program, n_consts: int, n_carry: int) -> Program:
    """The linear body with one more row, `active`: where it does not hold, the carry stays and rows are zero.

    It is a branch, so that its transpose is one: residuals of a turn that was none are zeros, by which it might divide.
    """
    consts, carry, rows = split(linear.in_types, n_consts, n_carry)
    ys = linear.out_types[n_carry:]

    def idle(*operands: Any) -> list[Any]:
        return [*split(operands, n_consts, n_carry)[1], *map(zeros, ys)]

    branches = (stage(idle, linear.in_types, name=linear.name).program, linear)

    def function(*operands: Any) -> list[Any]:
        c, k, (active, *x) = split(operands, n_consts, n_carry)
        return cond_p(e.convert(active, dtype=np.dtype("int32"), weak=False), *c, *k, *x, branches=branches)

    flag = ArrayType((), np.dtype(bool))
    return stage(function, [*consts, *carry, flag, *rows], name=linear.name).program


def _until_all_finish(cond: Program, body: Program, n_cond: int, n_body: int, n_carry: int) -> tuple[Program, Program]:
    """The condition and body for a batch whose elements finish at different turns."""
    cond_types, carry_types = split(cond.in_types, n_cond)
    const_types = body.in_types[:n_body]

    def any_active(*operands: Any) -> list[Any]:
        (active,) = evaluate(cond, *operands)
        counted = e.convert(active, dtype=np.dtype("int32"), weak=False)
        return [e.gt(reduce_sum(counted, axes=(0,)), np.int32(0))]

    def step(*operands: Any) -> list[Any]:
        cond_consts, consts, carry = split(operands, n_cond, n_body)
        (active,) = evaluate(cond, *cond_consts, *carry)
        out = evaluate(body, *consts, *carry)
        return [
            *(old if new is old else _select(active, new, old) for new, old in zip(out[:n_carry], carry, strict=True)),
            *(_finished(active, y) for y in out[n_carry:]),
        ]

    new_cond = stage(any_active, cond.in_types, name=cond.name).program
    return new_cond, stage(step, [*cond_types, *const_types, *carry_types], name=body.name).program


while_p = While("while")


@transparent
def while_loop(cond_fun: Callable[[Any], Any], body_fun: Callable[[Any], Any], init_val: Any) -> Any:
    """`while cond_fun(val): val = body_fun(val)`, with a value that keeps its structure, shapes and dtypes.

    Differentiable in forward and in reverse mode; the latter keeps the residuals of all turns.

    Args:
      cond_fun: value -> scalar boolean.
      body_fun: value -> value.
      init_val: a pytree of arrays.

    Returns:
      the value after the last turn.

    Raises:
      TypeError: if the condition is not a scalar boolean, or the value does not keep its type.

    >>> import functorch_lite as fl
    >>> fl.lax.while_loop(lambda x: x < 10.0, lambda x: x * 2.0, 1.0)
    Array(16., dtype=float32, weak_type=True)
    """
    check_callable("while_loop", cond_fun)
    check_callable("while_loop", body_fun)
    carry, tree = operands_of(init_val, "an entry of while_loop's value")
    if not dtypes.defaults().jit:
        try:
            value = unflatten(tree, carry)
            while cond_fun(value):
                value = body_fun(value)
            return value
        except ConcretizationTypeError:
            pass  # the condition has no value here, since the loop is being traced
    _, in_tree = flatten((init_val,))

    def stage_on(types: list[ArrayType]) -> Any:
        body = stage_flat(body_fun, in_tree, types, "while_loop's body")
        if body.out_tree != tree:
            raise TransformationError(
                f"while_loop: the value must keep its structure, but comes in as {tree} and goes out as {body.out_tree}."
            )
        return body

    settled = settle_carry(carry, stage_on, tree, "while_loop")
    carry, body = settled.carry, settled.body
    cond = stage_flat(cond_fun, in_tree, settled.types, "while_loop's condition")
    cond = on_strong_carry(cond, len(carry))
    pred = cond.program.out_types
    if cond.out_tree != LEAF or pred[0].shape != () or pred[0].dtype != np.dtype(bool):
        given = pred[0] if cond.out_tree == LEAF else cond.out_tree
        raise TransformationError(
            f"while_loop's condition must give a scalar boolean, got {given}: compare, or use any()/all()."
        )
    out = while_p(
        *cond.hoisted,
        *body.hoisted,
        *carry,
        cond=cond.program,
        body=convert_carry(body.program, [type_of(x) for x in carry]),
        n_cond=len(cond.hoisted),
        n_body=len(body.hoisted),
    )
    return unflatten(tree, settled.finish(out))
