"""Vectorization: a value carries a batch dimension; each primitive's batch rule says where the result's is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ..array_type import ArrayType
from ..arrays import type_of
from ..errors import ArgumentError
from ..primitives.constants import closed
from ..primitives.structural import batch_place, move_batch, move_to_front, place_batch
from ..program import Program
from ..staging import evaluate, stage
from ..tracing import Trace, Tracer, context, use_trace

__all__ = ["BatchAxis", "BatchTrace", "BatchTracer", "batch_flat", "batch_program"]


class BatchAxis(NamedTuple):
    """What a batch rule is told of the axis: its size, and its name if it has one.

    Each `vmap` makes one of its own: traces with the very same axis know each other's tracers.
    """

    size: Any
    name: Any = None


class BatchTracer(Tracer):
    """A value with a batch dimension at position `dim`, which the user's code does not see."""

    __slots__ = ("dim", "value")

    def __init__(self, trace: Trace, value: Any, dim: int):
        self.owner = trace
        self.value = value
        self.dim = dim

    @property
    def type(self) -> ArrayType:
        t = type_of(self.value)
        return t.update(shape=t.shape[: self.dim] + t.shape[self.dim + 1 :])


class BatchTrace(Trace):
    """Each primitive with a batched operand is done for the whole batch at once, in the parent."""

    __slots__ = ("axis",)

    def __init__(self, parent: Trace | None, axis: BatchAxis):
        super().__init__(parent)
        self.axis = axis

    def axes(self) -> tuple[tuple[Any, Any], ...]:
        outer = super().axes()
        return outer if self.axis.name is None else ((self.axis.name, self.axis.size), *outer)

    def process(self, primitive: Any, operands: tuple[Any, ...], params: dict[str, Any]) -> Any:
        assert self.parent is not None
        values, dims = [], []
        for x in operands:
            value, dim = self.split(x)
            values.append(value)
            dims.append(dim)
        constant = all(d is None for d in dims) and not primitive.closes_over(params)
        named = self.axis.name is not None and self.axis.name in primitive.axis_names(params)
        with use_trace(self.parent):
            if constant and not named:
                return self.parent.process(primitive, operands, params)
            out, out_dims = primitive.batch(self.axis, values, dims, **params)
        if primitive.multiple_results:
            return [self.join(x, d) for x, d in zip(out, out_dims, strict=True)]
        return self.join(out, out_dims)

    def join(self, value: Any, dim: int | None) -> Any:
        """A tracer, unless the value is the same for the whole batch."""
        return value if dim is None else BatchTracer(self, value, dim)

    def split(self, x: Any) -> tuple[Any, int | None]:
        """The value and batch dimension of an operand."""
        own = type(x) is BatchTracer and x.owner.axis is self.axis  # type: ignore[attr-defined]
        return (x.value, x.dim) if own else (x, None)


def batch_flat(
    function: Callable[..., Sequence[Any]], axis: BatchAxis, operands: Sequence[Any], dims: Sequence[int | None]
) -> tuple[list[Any], list[int | None]]:
    """Results of `function` (operands in, list out) for a whole batch, and their batch dimensions."""
    trace = BatchTrace(context.trace, axis)
    tracers = [trace.join(x, d) for x, d in zip(operands, dims, strict=True)]
    with use_trace(trace, closing=True):
        outs = function(*tracers)
    pairs = [trace.split(x) for x in outs]
    return [x for x, _ in pairs], [d for _, d in pairs]


def batch_program(
    program: Program,
    axis: BatchAxis,
    dims: tuple[int | None, ...],
    out_batched: Any = False,
    places: tuple[int, ...] | None = None,
) -> tuple[Program, tuple[int | None, ...]]:
    """The program for a whole batch.

    Args:
      program: for one element of the batch.
      axis: the batch axis.
      dims: position of each input's batch dimension, None where there is none.
      out_batched: True, or a tuple of booleans: which outputs must have a batch dimension, in its place.
      places: where that is for each output; by default as `batch_place` says.

    Returns:
      the program, and the position of each output's batch dimension (its place or None if `out_batched` was given).
    """

    def make() -> tuple[Program, tuple[int | None, ...]]:
        forced = out_batched if isinstance(out_batched, tuple) else (out_batched,) * len(program.outputs)
        targets = places or [batch_place(t.shape) for t in program.out_types]
        out_dims: list[int | None] = []
        types = [
            t if d is None else t.update(shape=(*t.shape[:d], axis.size, *t.shape[d:]))
            for t, d in zip(program.in_types, dims, strict=True)
        ]

        def function(*operands: Any) -> list[Any]:
            outs, found = batch_flat(lambda *xs: evaluate(program, *xs), axis, operands, dims)
            for i, (x, d, force, target) in enumerate(zip(outs, found, forced, targets, strict=True)):
                if force or (out_batched is not False and d is not None):
                    outs[i], found[i] = place_batch(x, d, target, axis.size), target
            out_dims.extend(found)
            return outs

        staged = stage(function, types, name=f"vmap({program.name})")
        return closed(*staged), tuple(out_dims)

    return program.remember(("batch", axis, dims, out_batched, places, context.trace.axes()), make)


def move_result(value: Any, dim: int | None, target: int | None, axis: BatchAxis, what: str) -> Any:
    """A result with its batch dimension where `out_axes` wants it."""
    if target is None:
        if dim is not None:
            raise ArgumentError(
                f"vmap: out_axes is None for {what}, of type {type_of(value)}, but it depends on the batch: "
                "give an integer, or reduce over the batch axis (psum, pmean ...)."
            )
        return value
    ndim = type_of(value).ndim + (dim is None)
    if not -ndim <= target < ndim:
        raise ArgumentError(f"vmap: out_axes is {target} for {what}, which has {ndim} axes with the batch's.")
    return move_batch(move_to_front(value, dim, axis.size), 0, target % ndim)
