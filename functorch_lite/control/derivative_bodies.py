"""The bodies of loops with derivatives: tangents beside the values, or split into what is known and what is linear.

For `scan` and `while_loop` alike: a body takes constants, a carry and rows, and gives the carry and rows. Which entries
of the carry have a tangent shows only in the body: an entry that starts without one may get it in the first turn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ..program import Program, Var
from ..transforms.jvp import jvp_program
from .bodies import only, rearranged, split, with_tangents

__all__ = ["DualBody", "dual_body", "linearize_body", "stacking_residuals", "with_residuals_in_place"]


class DualBody(NamedTuple):
    """A body of values and tangents: of each kind of operand and result the values first, then the tangents."""

    body: Program
    carry_nz: list[bool]
    ys_nz: Sequence[bool]

    def results(self, out: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """The loop's results, in the body's order, as values with a tangent for each."""
        carry, carry_dots, ys, ys_dots = split(out, len(self.carry_nz), sum(self.carry_nz), len(self.ys_nz))
        return with_tangents([*carry, *ys], [*carry_dots, *ys_dots], [*self.carry_nz, *self.ys_nz])


def dual_body(
    body: Program, consts_nz: Sequence[bool], carry_nz: Sequence[bool], xs_nz: Sequence[bool] = ()
) -> DualBody:
    """The body with tangents, given which operands have one."""
    (jvp,), carry_nz, ys_nz = _until_kept(jvp_program, body, consts_nz, carry_nz, xs_nz)
    counts = [len(consts_nz), len(carry_nz), len(xs_nz), sum(consts_nz), sum(carry_nz), sum(xs_nz)]
    c, k, x, c_dot, k_dot, x_dot, _ = split(range(sum(counts)), *counts)
    k_out, y_out, k_out_dot, y_out_dot = split(range(len(jvp.outputs)), len(carry_nz), len(ys_nz), sum(carry_nz))
    inputs, outputs = [*c, *c_dot, *k, *k_dot, *x, *x_dot], [*k_out, *k_out_dot, *y_out, *y_out_dot]
    return DualBody(rearranged(jvp, inputs, outputs), carry_nz, ys_nz)


def linearize_body(
    split_body: Callable[..., Any],
    body: Program,
    consts_nz: Sequence[bool],
    carry_nz: Sequence[bool],
    xs_nz: Sequence[bool],
) -> tuple[Program, Program, list[bool], Sequence[bool]]:
    """The known and the linear part of the body, and which entries of the carry and which rows have a tangent."""
    (known, linear), carry_nz, ys_nz = _until_kept(split_body, body, consts_nz, carry_nz, xs_nz)
    return known, linear, carry_nz, ys_nz


def _until_kept(
    derive: Callable[..., Any],
    body: Program,
    consts_nz: Sequence[bool],
    carry_nz: Sequence[bool],
    xs_nz: Sequence[bool],
) -> tuple[list[Program], list[bool], Sequence[bool]]:
    """What `derive` makes of the body once the carry's marks, which grow until then, are those that the body keeps."""
    n_carry, carry_nz = len(carry_nz), list(carry_nz)
    none_of_ys = (False,) * (len(body.outputs) - n_carry)
    while True:
        *programs, has = derive(body, (*consts_nz, *carry_nz, *xs_nz), (*carry_nz, *none_of_ys))
        grown = [a or b for a, b in zip(carry_nz, has[:n_carry], strict=True)]
        if grown == carry_nz:
            return programs, carry_nz, has[n_carry:]
        carry_nz = grown


def stacking_residuals(known: Program, n_out: int, n_consts: int, n_carry: int) -> tuple[Program, list[int | None]]:
    """The known body with those of its residuals alone that each turn makes; and for each residual the input that it is.

    That is a constant or a row, or None for what is stacked.
    """
    where = {v: i for i, v in enumerate(known.inputs) if not n_consts <= i < n_consts + n_carry}
    kinds = [where.get(a) if isinstance(a, Var) else None for a in known.outputs[n_out:]]
    stacked = [n_out + i for i, kind in enumerate(kinds) if kind is None]
    return rearranged(known, range(len(known.inputs)), [*range(n_out), *stacked]), kinds


def with_residuals_in_place(linear: Program, constant: Sequence[bool], n_consts: int, n_carry: int) -> Program:
    """Inputs (residuals, dots of constants, of carry, of rows) in the order of a scan's operands."""
    n = len(constant)
    residuals = list(range(n))
    c, k, x = split(range(n, len(linear.inputs)), n_consts, n_carry)
    varying = [not m for m in constant]
    order = [*only(residuals, constant), *c, *k, *only(residuals, varying), *x]
    return rearranged(linear, order, range(len(linear.outputs)))
