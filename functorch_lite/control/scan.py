"""`scan`: a loop over the rows of arrays, from a function of pytrees to the primitive."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from .. import dtypes
from ..array_type import ArrayType
from ..arrays import type_of
from ..errors import ArgumentError, ConcretizationTypeError, ShapeError, TransformationError, transparent
from ..primitives.slicing import concatenate
from ..primitives.structural import expand_dims
from ..promotion import as_operand
from ..tracing import Tracer
from ..transforms.edges import operands_of
from ..transforms.signature import check_callable
from ..tree import flatten, unflatten
from .bodies import convert_carry, settle_carry, stage_flat
from .scan_primitive import scan_p

__all__ = ["run_scan", "scan"]


@transparent
def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
) -> tuple[Any, Any]:
    """Go over the rows of `xs` with a carry: `carry, y = f(carry, x)` for each row x; the y are stacked.

    Args:
      f: (carry, row) -> (carry, row of results); pytrees. The carry keeps its structure, shapes and dtypes.
      init: the carry before the first turn.
      xs: a pytree of arrays with a common leading length, or None.
      length: the number of turns; needed where `xs` is None.
      reverse: whether to go from the last row to the first (results stay in the order of the rows).
      unroll: how many turns a compiler may put into one; results do not depend on it.

    Returns:
      the last carry, and the results stacked along a new leading axis.

    Raises:
      TypeError: if the carry does not keep its type.
      ValueError: if lengths differ.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> fl.lax.scan(lambda c, x: (c + x, c), 0.0, fnp.arange(3.0))
    (Array(3., dtype=float32), Array([0., 0., 1.], dtype=float32))
    """
    return run_scan("scan", f, init, xs, length, reverse, unroll)


def run_scan(
    what: str, f: Any, init: Any, xs: Any, length: int | None = None, reverse: bool = False, unroll: int | bool = 1
) -> tuple[Any, Any]:
    """`scan`, with the name that its messages give it."""
    check_callable(what, f)
    carry, carry_tree = operands_of(init, f"an entry of {what}'s carry")
    rows, rows_tree = operands_of(xs, f"an array that {what} goes over")
    turns = _length(what, rows, length)
    if turns and not dtypes.defaults().jit:
        return _in_python(f, unflatten(carry_tree, carry), rows, rows_tree, range(turns), reverse)
    row_types = [type_of(x).update(shape=type_of(x).shape[1:]) for x in rows]
    _, in_tree = flatten((init, xs))

    def stage_on(carry_types: list[ArrayType]) -> Any:
        body = stage_flat(f, in_tree, [*carry_types, *row_types], f"{what}'s function")
        _check_pair(what, body.out_tree, carry_tree)
        return body

    settled = settle_carry(carry, stage_on, carry_tree, what)
    carry, body = settled.carry, settled.body
    n_carry = len(carry)
    program = convert_carry(body.program, [type_of(x) for x in carry])
    out = scan_p(
        *body.hoisted,
        *carry,
        *rows,
        body=program,
        length=turns,
        reverse=bool(reverse),
        n_consts=len(body.hoisted),
        n_carry=n_carry,
        unroll=turns if unroll is True else _unroll(what, unroll),
    )
    last, ys = unflatten(body.out_tree, settled.finish(out))
    return last, ys


def _in_python(f: Any, carry: Any, rows: Sequence[Any], tree: Any, turns: range, reverse: bool) -> tuple[Any, Any]:
    """The loop as one of Python, for `disable_jit`."""
    ys = []
    for i in reversed(turns) if reverse else turns:
        carry, y = f(carry, unflatten(tree, [x[i] for x in rows]))
        ys.append(y)
    leaves = [flatten(y)[0] for y in (reversed(ys) if reverse else ys)]
    stacked = [_stacked(column) for column in zip(*leaves, strict=True)]
    return carry, unflatten(flatten(ys[0])[1], stacked)


def _stacked(column: Sequence[Any]) -> Any:
    parts = [expand_dims(as_operand(x, "a result of scan's function"), 0) for x in column]
    return concatenate(*parts, dimension=0)


def _length(what: str, rows: Sequence[Any], length: int | None) -> Any:
    if any(not x.shape for x in rows):
        raise ShapeError(f"{what} goes over the leading axis of arrays, but got one of rank 0: give it a leading axis.")
    if isinstance(length, Tracer):
        raise ConcretizationTypeError(
            f"{what} needs to know its length when it is traced, got {length}: use fori_loop or while_loop for a number of turns "
            "that is computed, or mark the argument static (static_argnums)."
        )
    if length is not None and (not hasattr(length, "__index__") or operator.index(length) < 0):
        raise ArgumentError(f"{what}: length must be a number of turns, 0 or more, got {length!r}.")
    found = {x.shape[0] for x in rows} | ({operator.index(length)} if length is not None else set())
    if not found:
        raise ArgumentError(
            f"{what}: there are no arrays to go over (xs is None): give the number of turns as length=."
        )
    if len(found) > 1:
        given = "" if length is None else f" and length={length}"
        raise ShapeError(f"{what}: the leading lengths must agree, got {[str(type_of(x)) for x in rows]}{given}.")
    return found.pop()


def _unroll(what: str, unroll: int) -> int:
    if not hasattr(unroll, "__index__") or unroll < 0:
        raise ArgumentError(f"{what}: unroll must be a boolean or a number of turns, got {unroll!r}.")
    return max(1, operator.index(unroll))


def _check_pair(what: str, out_tree: Any, carry_tree: Any) -> None:
    children = out_tree.children()
    if len(children) != 2 or not isinstance(unflatten(out_tree, range(out_tree.num_leaves)), (tuple, list)):
        raise TransformationError(f"{what}'s function must return a pair (carry, row of results), got {out_tree}.")
    if children[0] != carry_tree:
        raise TransformationError(
            f"{what}: the carry must keep its structure, but comes in as {carry_tree} and goes out as {children[0]}."
        )
