"""Seeing what a function does without running it: its program, the types of its results; closures made explicit."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from .. import dtypes
from ..array_type import ArrayType
from ..arrays import type_of
from ..errors import ArgumentTypeError, transparent
from ..program import Program
from ..promotion import as_operand
from ..staging import evaluate, stage
from ..tracing import NamedAxes, Tracer, context, use_trace
from ..tree import flatten, unflatten
from .edges import FlatCall
from .signature import StaticArguments, function_name

__all__ = [
    "ClosedProgram",
    "ShapeDtypeStruct",
    "closure_convert",
    "eval_shape",
    "make_jaxpr",
    "make_program",
    "program_as_fun",
]


class ShapeDtypeStruct:
    """A shape and a dtype, in place of an array that is not there.

    >>> import functorch_lite as fl
    >>> fl.ShapeDtypeStruct((2, 3), "float32")
    ShapeDtypeStruct(shape=(2, 3), dtype=float32)
    """

    __slots__ = ("dtype", "shape", "weak_type")

    def __init__(self, shape: Sequence[int], dtype: Any, *, weak_type: bool = False):
        self.shape = tuple(shape)
        self.dtype = dtypes.as_dtype(dtype)
        self.weak_type = weak_type

    @classmethod
    def like(cls, x: Any) -> ShapeDtypeStruct:
        """The shape and dtype of an array or number.

        >>> ShapeDtypeStruct.like(1.0)
        ShapeDtypeStruct(shape=(), dtype=float32, weak_type=True)
        """
        return shape_struct(abstract_type(x))

    def update(self, *, shape: Any = None, dtype: Any = None, weak_type: bool | None = None) -> ShapeDtypeStruct:
        """The same with another shape, dtype or weak flag."""
        weak = self.weak_type if weak_type is None else weak_type
        return ShapeDtypeStruct(
            self.shape if shape is None else shape, self.dtype if dtype is None else dtype, weak_type=weak
        )

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return ArrayType(self.shape, self.dtype).size

    def __len__(self) -> int:
        if not self.shape:
            raise ArgumentTypeError("a ShapeDtypeStruct without axes has no length.")
        return self.shape[0]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ShapeDtypeStruct) and (self.shape, self.dtype, self.weak_type) == (
            other.shape,
            other.dtype,
            other.weak_type,
        )

    def __hash__(self) -> int:
        return hash((self.shape, self.dtype, self.weak_type))

    def __repr__(self) -> str:
        weak = ", weak_type=True" if self.weak_type else ""
        return f"ShapeDtypeStruct(shape={self.shape}, dtype={self.dtype.name}{weak})"


def shape_struct(t: ArrayType) -> ShapeDtypeStruct:
    """A type as users get it."""
    return ShapeDtypeStruct(t.shape, t.dtype, weak_type=t.weak)


def abstract_type(x: Any) -> ArrayType:
    """The type of an argument: an array, a number, or anything with shape and dtype."""
    if hasattr(x, "shape") and hasattr(x, "dtype") and not isinstance(x, Tracer):
        return ArrayType(tuple(x.shape), dtypes.as_dtype(x.dtype), bool(getattr(x, "weak_type", False)))
    return type_of(as_operand(x))


class ClosedProgram(NamedTuple):
    """A program with the values that the function closed over, and the structures of its arguments and result."""

    program: Program
    consts: list[Any]
    in_tree: Any
    out_tree: Any

    @property
    def in_avals(self) -> list[Any]:
        """The types of the arguments' leaves."""
        return [v.type for v in self.program.inputs[len(self.consts) :]]

    @property
    def out_avals(self) -> list[Any]:
        """The types of the results' leaves."""
        return list(self.program.out_types)

    def __call__(self, *args: Any) -> Any:
        """Evaluate the program."""
        leaves, _ = flatten((args, {}))
        out = evaluate(self.program, *self.consts, *map(as_operand, leaves))
        return unflatten(self.out_tree, out)

    def __str__(self) -> str:
        return str(self.program)

    __repr__ = __str__


def _captured(
    fun: Callable[..., Any], static: StaticArguments, args: Sequence[Any], kwargs: dict[str, Any]
) -> ClosedProgram:
    statics: Any = None
    dynamic: Any = (tuple(args), kwargs)
    if static:
        statics, dynamic = static.split(args, kwargs)
    leaves, tree = flatten(dynamic)
    fill_in = functools.partial(static.join, statics) if static else None
    flat = FlatCall(fun, tree, f"a result of {function_name(fun)}", fill_in)
    program, hoisted = stage(flat, [abstract_type(x) for x in leaves], name=function_name(fun))
    return ClosedProgram(program, hoisted, tree, flat.out_tree)


def make_program(
    fun: Callable[..., Any],
    static_argnums: int | Sequence[int] = (),
    axis_env: Sequence[tuple[Any, int]] | None = None,
    return_shape: bool = False,
) -> Callable[..., Any]:
    """A function that gives the program of `fun` for arguments of the given types, without running it.

    Args:
      fun: the function.
      static_argnums: positions of arguments that are not arrays.
      axis_env: names and sizes of axes that `fun` speaks of, and that no `vmap` around it names.
      return_shape: whether to give a pair of the program and the types of the results.

    >>> import functorch_lite as fl
    >>> fl.make_program(lambda x: x * x)(2.0)
    { a:f32[] .
      let b:f32[] = mul a a
      in ( b ) }
    """
    static = StaticArguments.of(fun, static_argnums or None, None)

    @transparent
    @functools.wraps(fun)
    def capture(*args: Any, **kwargs: Any) -> Any:
        with use_trace(NamedAxes(context.trace, axis_env or ())):
            closed = _captured(fun, static, args, kwargs)
        if not return_shape:
            return closed
        return closed, _shapes(closed)

    return capture


make_jaxpr = make_program


def _shapes(closed: ClosedProgram) -> Any:
    return unflatten(closed.out_tree, list(map(shape_struct, closed.program.out_types)))


@transparent
def eval_shape(fun: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The shapes and dtypes of the results of `fun`, without computing them.

    Args:
      fun: the function.
      *args: arrays, or `ShapeDtypeStruct`s.
      **kwargs: likewise.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> fl.eval_shape(fnp.dot, fl.ShapeDtypeStruct((2, 3), "float32"), fl.ShapeDtypeStruct((3,), "float32"))
    ShapeDtypeStruct(shape=(2,), dtype=float32)
    """
    return _shapes(_captured(fun, StaticArguments((), frozenset()), args, kwargs))


@transparent
def closure_convert(fun: Callable[..., Any], *example_args: Any) -> tuple[Callable[..., Any], list[Any]]:
    """A function without closure, and the values that `fun` closes over, its further arguments.

    Only values of floating or complex dtype that are being traced become arguments, as in JAX.

    >>> import functorch_lite as fl
    >>> converted, consts = fl.closure_convert(lambda x: x + 1.0, 2.0)
    >>> float(converted(2.0, *consts))
    3.0
    """
    closed = _captured(fun, StaticArguments((), frozenset()), example_args, {})
    wanted = flatten(example_args)[1]
    free = [i for i, x in enumerate(closed.consts) if isinstance(x, Tracer) and dtypes.is_inexact(x.dtype)]
    values = [closed.consts[i] for i in free]
    fixed = [None if i in free else x for i, x in enumerate(closed.consts)]
    n_free = len(free)

    def converted(*args: Any) -> Any:
        own, given = args[: len(args) - n_free], args[len(args) - n_free :]
        leaves, tree = flatten(own)
        if tree != wanted:
            raise ArgumentTypeError(
                f"a function from closure_convert takes arguments of the structure {wanted}, and then the {n_free} values "
                f"that came with it; got {tree} before the last {n_free}."
            )
        consts = list(fixed)
        for i, x in zip(free, given, strict=True):
            consts[i] = as_operand(x)
        return unflatten(closed.out_tree, evaluate(closed.program, *consts, *map(as_operand, leaves)))

    return converted, values


def program_as_fun(closed: ClosedProgram) -> Callable[..., Any]:
    """The function that a captured program computes."""
    return closed.__call__
