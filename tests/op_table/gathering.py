"""Rows of gather and the scatter family; the references work window by window, as the definition says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from functorch_lite.primitives import gathering as g
from functorch_lite.primitives import scattering
from functorch_lite.primitives.gathering import GatherDimensionNumbers, ScatterDimensionNumbers

from .row import NUMERIC, Row

ALL = ("bool", *NUMERIC)
FEW = ("int32", "uint8", "bfloat16", "float32", "float64")
Axes = tuple[int, ...]


class Case(NamedTuple):
    """A gather: shapes of operand and indices, dimension numbers, and the shape of a window."""

    name: str
    shape: Axes
    indices: Axes
    numbers: GatherDimensionNumbers
    sizes: Axes


CASES = [
    Case("rows", (4, 3), (5, 1), GatherDimensionNumbers((1,), (0,), (0,)), (1, 3)),
    Case("columns", (2, 4), (2, 2, 1), GatherDimensionNumbers((0,), (1,), (1,)), (2, 1)),
    Case("points", (3, 4), (5, 2), GatherDimensionNumbers((), (0, 1), (1, 0)), (1, 1)),
    Case("windows", (5, 4), (3, 2), GatherDimensionNumbers((0, 2), (), (0, 1)), (2, 3)),
    Case("one window", (5, 4), (1,), GatherDimensionNumbers((0,), (1,), (1,)), (5, 1)),
    Case("axes apart", (3, 2, 4), (3, 2), GatherDimensionNumbers((1,), (0, 2), (0, 2)), (1, 2, 1)),
    Case("batching", (3, 4, 2), (2, 3, 1), GatherDimensionNumbers((2,), (1,), (1,), (0,), (1,)), (1, 1, 2)),
    Case("batching and windows", (2, 5), (2, 1), GatherDimensionNumbers((1,), (), (1,), (0,), (0,)), (1, 2)),
]


def _windows(case: Case, indices: Any, mode: str) -> Iterator[tuple[Any, Any, bool]]:
    """For each window: where it is in the operand, where in the result, and whether it did not stick out."""
    offset, collapsed, index_map, x_batching, i_batching = case.numbers
    kept = [a for a in range(len(case.shape)) if a not in collapsed and a not in x_batching]
    rank = len(offset) + indices.ndim - 1
    for b in np.ndindex(indices.shape[:-1]):
        start = [0] * len(case.shape)
        for k, a in enumerate(index_map):
            start[a] = int(indices[b][k])
        last = [n - m for n, m in zip(case.shape, case.sizes, strict=True)]
        inside = all(0 <= start[a] <= last[a] for a in index_map)
        start = [min(max(s, 0), m) for s, m in zip(start, last, strict=True)]
        for a, i in zip(x_batching, i_batching, strict=True):
            start[a] = b[i]
        source = tuple(
            slice(s, s + m) if a in kept else s for a, (s, m) in enumerate(zip(start, case.sizes, strict=True))
        )
        batch = iter(b)
        target = tuple(slice(None) if i in offset else next(batch) for i in range(rank))
        yield source, target, inside or mode != "fill"


def _shape(case: Case) -> Axes:
    batch = iter(case.indices[:-1])
    left_out = (*case.numbers.collapsed_slice_dims, *case.numbers.operand_batching_dims)
    window = iter([m for a, m in enumerate(case.sizes) if a not in left_out])
    rank = len(case.numbers.offset_dims) + len(case.indices) - 1
    return tuple(next(window) if i in case.numbers.offset_dims else next(batch) for i in range(rank))


def _operands(case: Case, updates: bool, unique: bool = False) -> Callable[..., Any]:
    """Values that do not tie where floats can help it, and indices some of which are out of range and repeat."""

    def make(rng: np.random.Generator, dtype: np.dtype) -> Any:
        def values(shape: Axes) -> np.ndarray:
            x = rng.normal(size=shape)
            if dtype.kind == "c":
                x = x + 1j * rng.normal(size=shape)
            if dtype.kind in "iu":
                x = np.round(np.abs(x) * 3 if dtype.kind == "u" else x * 3)
            return np.asarray(x > 0 if dtype.kind == "b" else x).astype(dtype)

        indices = rng.integers(-1, max(case.shape) + 1, case.indices).astype(np.int32)
        if unique:
            order = np.arange(np.prod(case.indices[:-1], dtype=int)).reshape(*case.indices[:-1], 1)
            indices = np.broadcast_to(order, case.indices).astype(np.int32)
        out = [values(case.shape), indices]
        return (*out, values(_shape(case))) if updates else tuple(out)

    return make


def _gather(case: Case, mode: str, fill_value: Any = None, among: Any = FEW) -> Row:
    def reference(x: Any, indices: Any) -> Any:
        out = np.zeros(_shape(case), x.dtype)
        for source, target, inside in _windows(case, indices, mode):
            out[target] = x[source] if inside else g.default_fill(x.dtype) if fill_value is None else fill_value
        return out

    def call(x: Any, indices: Any) -> Any:
        return g.gather(
            x, indices, dimension_numbers=case.numbers, slice_sizes=case.sizes, mode=mode, fill_value=fill_value
        )

    return Row(
        f"gather {case.name}, {mode} {fill_value}", "gather", call, _operands(case, False), reference, among,
        differentiable=() if mode == "fill" and fill_value is None else (0,),
        jax=lambda jax, jnp, lax: lambda x, i: lax.gather(
            x, i, lax.GatherDimensionNumbers(*case.numbers), case.sizes, mode=mode, fill_value=fill_value
        ),
    )  # fmt: skip


_COMBINE: dict[str, Callable[[Any, Any], Any]] = {
    "scatter": lambda x, u: u,
    "scatter_add": np.add,
    "scatter_mul": np.multiply,
    "scatter_min": np.minimum,
    "scatter_max": np.maximum,
}


SCATTERS: dict[str, Any] = {
    "scatter": g.scatter,
    "scatter_add": g.scatter_add,
    "scatter_mul": scattering.scatter_mul,
    "scatter_min": scattering.scatter_min,
    "scatter_max": scattering.scatter_max,
}


def _scatter(case: Case, name: str, mode: str, among: Any = FEW, unique: bool = False) -> Row:
    numbers = ScatterDimensionNumbers(*case.numbers)

    def reference(x: Any, indices: Any, updates: Any) -> Any:
        wide = np.float32 if x.dtype.itemsize == 2 and x.dtype.kind in "fV" else x.dtype
        out = x.astype(wide)
        for target, source, inside in _windows(case, indices, mode):
            if inside:
                out[target] = _COMBINE[name](out[target], updates[source].astype(wide))
        return out.astype(x.dtype)

    def call(x: Any, indices: Any, updates: Any) -> Any:
        return SCATTERS[name](x, indices, updates, dimension_numbers=numbers, mode=mode, unique_indices=unique)

    return Row(
        f"{name} {case.name}, {mode}{', unique' if unique else ''}", name, call,
        _operands(case, True, unique), reference, among,
        differentiable=(0,) if name == "scatter_mul" and not unique else (0, 2),
        tolerance=2.0,
        jax=lambda jax, jnp, lax: lambda x, i, u: getattr(lax, name)(
            x, i, u, lax.ScatterDimensionNumbers(*numbers), mode=mode, unique_indices=unique
        ),
    )  # fmt: skip


def _among(name: str) -> tuple[str, ...]:
    """All dtypes that a scatter takes."""
    kinds = SCATTERS[name].accepts
    return tuple(d for d in ALL if (d != "bool" or "b" in kinds) and ("complex" not in d or "c" in kinds))


ROWS = [
    *(_gather(c, "clip", among=ALL if c is CASES[0] else FEW) for c in CASES),
    *(_gather(c, "fill", among=ALL if c is CASES[0] else FEW) for c in CASES),
    *(_gather(c, "fill", 0) for c in CASES),
    *(_scatter(c, name, "clip") for name in _COMBINE for c in CASES),
    *(
        _scatter(c, name, "fill", _among(name) if c is CASES[0] else FEW)
        for name in _COMBINE
        for c in CASES
        if name != "scatter_mul" or c.name not in ("windows", "axes apart")  # there no index repeats: linear by chance
    ),
    *(_scatter(c, name, "fill", unique=True) for name in _COMBINE for c in CASES[:1]),
]
