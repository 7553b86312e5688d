"""Calls of the user's Python from inside a program: for values (`pure_callback`), or to look at them (`debug`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..array_type import ArrayType
from ..arrays import read_only
from ..errors import ArgumentError, ShapeError
from ..primitive import NotDifferentiable, NotLinear, Primitive
from .structural import move_to_front

__all__ = ["debug_callback", "pure_callback"]


class PureCallback(NotDifferentiable, Primitive):
    """`function` on host arrays, giving arrays of `result_types`; may be called any number of times."""

    multiple_results = True

    def infer(
        self,
        *types: ArrayType,
        function: Callable[..., Any],
        result_types: tuple[ArrayType, ...],
        vmap_method: str | None,
    ) -> list[ArrayType]:
        return list(result_types)

    def impl(
        self,
        xp: Any,
        *buffers: Any,
        function: Callable[..., Any],
        result_types: tuple[ArrayType, ...],
        vmap_method: str | None,
    ) -> tuple[Any, ...]:
        found = function(*_on_host(xp, buffers))
        return tuple(xp.from_host(_checked(x, t, function)) for x, t in zip(found, result_types, strict=True))

    def batch(
        self,
        axis: Any,
        operands: Sequence[Any],
        dims: Sequence[Any],
        *,
        function: Callable[..., Any],
        result_types: tuple[ArrayType, ...],
        vmap_method: str | None,
    ) -> tuple[Any, Any]:
        types = tuple(t.update(shape=(axis.size, *t.shape)) for t in result_types)
        if vmap_method in ("expand_dims", "broadcast_all", "legacy_vectorized"):
            size = axis.size if vmap_method == "broadcast_all" else 1
            moved = [move_to_front(x, d, size) for x, d in zip(operands, dims, strict=True)]
            called = function
        elif vmap_method in ("sequential", "sequential_unrolled"):
            moved = [x if d is None else move_to_front(x, d) for x, d in zip(operands, dims, strict=True)]
            called = EachRow(function, tuple(d is not None for d in dims), axis.size)
        else:
            raise ArgumentError(
                "vmap of pure_callback needs vmap_method: 'sequential' (a call per element), or 'expand_dims' or "
                f"'broadcast_all' (one call, the function takes batches); got {vmap_method!r}."
            )
        out = self(*moved, function=called, result_types=types, vmap_method=vmap_method)
        return out, [0] * len(out)


class EachRow:
    """Calls a function for each row of a batch, and stacks what it gives."""

    def __init__(self, function: Callable[..., Any], batched: tuple[bool, ...], size: int):
        self.function = function
        self.batched = batched
        self.size = size

    def __call__(self, *arrays: Any) -> list[Any]:
        rows = []
        for i in range(self.size):
            row = self.function(*(x[i] if b else x for x, b in zip(arrays, self.batched, strict=True)))
            rows.append([np.array(x) for x in row])  # the function may give the same memory again
        return [np.stack(columns) for columns in zip(*rows, strict=True)]


def _on_host(xp: Any, buffers: Sequence[Any]) -> list[Any]:
    """What a callback gets to see: arrays of the host that it cannot write into, for they may be the users' own."""
    arrays = [xp.to_host(x) for x in buffers]
    return [read_only(x) if isinstance(x, np.ndarray) else x for x in arrays]


def _checked(x: Any, t: ArrayType, function: Callable[..., Any]) -> np.ndarray:
    """What a callback gave, of exactly the promised type."""
    array = np.asarray(x)
    if array.shape != t.shape:
        name = getattr(function, "__name__", "the function")
        raise ShapeError(f"pure_callback: {name} gave an array of shape {array.shape}, promised was {t}.")
    return array.astype(t.dtype, copy=False)


class DebugCallback(NotLinear, Primitive):
    """`function` on host arrays, for its side effect; kept and ordered also though it gives nothing."""

    multiple_results = True
    effects = frozenset({"debug"})

    def infer(self, *types: ArrayType, function: Callable[..., Any]) -> list[ArrayType]:
        return []

    def impl(self, xp: Any, *buffers: Any, function: Callable[..., Any]) -> tuple[()]:
        function(*_on_host(xp, buffers))
        return ()

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        return self(*primals, **params), []

    def batch(
        self, axis: Any, operands: Sequence[Any], dims: Sequence[Any], *, function: Callable[..., Any]
    ) -> tuple[Any, Any]:
        moved = [x if d is None else move_to_front(x, d) for x, d in zip(operands, dims, strict=True)]
        rows = EachRow(lambda *xs: function(*xs) or [], tuple(d is not None for d in dims), axis.size)
        return self(*moved, function=rows), []


pure_callback = PureCallback("pure_callback")
debug_callback = DebugCallback("debug_callback")
