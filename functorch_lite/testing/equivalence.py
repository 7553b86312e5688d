"""Transformations that must not change what a function computes: `vmap` against a loop, `jit` against eager."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..arrays import from_host
from ..backend import Backend, default_backend
from ..checking import check
from ..passes import expand, simplify
from ..passes.simplify import common_subexpressions, inline
from ..program import Program, dead_code
from ..promotion import as_operand
from ..transforms.capture import make_program
from ..transforms.jit import jit
from ..transforms.vmap import vmap
from ..tree import flatten, unflatten
from .closeness import assert_close, assert_same_bits

__all__ = ["check_jit", "check_programs", "check_vmap"]


def _operands(tree: Any) -> list[Any]:
    return [as_operand(x, "a value of the checked function") for x in flatten(tree)[0]]


def check_vmap(
    f: Callable[..., Any],
    args: Sequence[Any],
    in_axes: int | Sequence[int | None] = 0,
    *,
    atol: float | None = None,
    rtol: float | None = None,
) -> None:
    """Check `vmap(f, in_axes)(*args)` against calls of `f` in a loop.

    Args:
      f: takes and gives pytrees of arrays.
      args: its arguments with their batch axes.
      in_axes: the batch axis of all arguments, or one (or None) for each.
      atol: absolute tolerance; by default by the dtype of the result.
      rtol: relative tolerance; likewise.

    Raises:
      AssertionError: if values, shapes or dtypes differ.

    >>> import numpy as np
    >>> check_vmap(lambda x, y: x * y, (np.ones((2, 3)), np.ones(3)), in_axes=(0, None))
    """
    axes = tuple(in_axes) if not isinstance(in_axes, int) else (in_axes,) * len(args)
    batched, _ = flatten([x for x, axis in zip(args, axes, strict=True) if axis is not None])
    sizes = [axis for axis in axes if axis is not None]
    size = as_operand(batched[0]).shape[sizes[0]]

    def row(i: int) -> Iterator[Any]:
        for x, axis in zip(args, axes, strict=True):
            yield x if axis is None else _at(x, axis, i)

    rows = [_operands(f(*row(i))) for i in range(size)]
    found = _operands(vmap(f, axes)(*args))
    for k, (y, *expected) in enumerate(zip(found, *rows, strict=True)):
        what = f"vmap with in_axes={axes}: result {k}"
        if y.dtype != expected[0].dtype:
            raise AssertionError(f"{what} has type {y.type}, the loop gives {expected[0].type}")
        assert_close(y, np.stack([np.asarray(e) for e in expected]), atol=atol, rtol=rtol, what=what)


def _at(tree: Any, axis: int, i: int) -> Any:
    """Element `i` along `axis` of each leaf."""
    leaves, structure = flatten(tree)
    return unflatten(structure, [_element(as_operand(x), axis, i) for x in leaves])


def _element(x: Any, axis: int, i: int) -> Any:
    return from_host(np.asarray(np.take(np.asarray(x), i, axis)), x.backend)


def check_jit(f: Callable[..., Any], args: Sequence[Any], *, bits: bool = True, rtol: float | None = None) -> None:
    """Check `jit(f)(*args)` against `f(*args)`: types, weak flags, values; and all programs on the way.


    Args:
      f: takes and gives pytrees of arrays.
      args: its arguments.
      bits: whether, with `exact=True`, jit must give the very bits that eager mode gives.
      rtol: how far compiled values may be off, relative to the largest; by default what is usual for their dtype.

    Raises:
      AssertionError: if they differ. (`ProgramError`, if a program breaks its own grammar, is one.)

    >>> import numpy as np
    >>> check_jit(lambda x: x * 2.0 + x, (np.ones(3),))
    """
    eager = _operands(f(*args))
    for exact in (False, True):
        compiled = _operands(jit(lambda *xs: f(*xs), exact=exact)(*args))
        for k, (e, c) in enumerate(zip(eager, compiled, strict=True)):
            if c.type != e.type:
                weak = " (their weak flags differ)" if c.type.matches(e.type) else ""
                raise AssertionError(f"jit: result {k} has type {c.type}, eager it is {e.type}{weak}")
            what = f"jit against eager: result {k}"
            if exact and bits:
                assert_same_bits(c, e, what=what)
            else:
                assert_close(c, e, rtol=rtol, atol=rtol, what=what)
    check_programs(f, args)


def check_programs(f: Callable[..., Any], args: Sequence[Any], backend: Backend | None = None) -> Program:
    """Run the checker on the program of `f` as staged, and after each pass that `jit` puts it through.

    Args:
      f: takes and gives pytrees of arrays.
      args: its arguments.
      backend: the one to expand for; by default the default backend.

    Returns:
      the program as staged.

    Raises:
      ProgramError: if a program breaks the rules of the grammar; it shows the equation.
    """
    staged = make_program(f)(*args).program
    program = staged
    check(program)
    for change in (inline, common_subexpressions, dead_code):
        program = change(program)
        check(program)
    program = simplify(staged)
    check(program)
    check(expand(program, backend or default_backend()))
    return staged
