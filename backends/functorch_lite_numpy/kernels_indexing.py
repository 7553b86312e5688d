"""Kernels of indexing: gathers that are `np.take` along one axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from functorch_lite.extend import registry

__all__ = ["FAST"]


def _takes_along(types: Any, params: Any) -> int | None:
    """The axis, if a gather takes whole slices along one axis and leaves the indices' axes in its place."""
    x, indices = types
    offset, collapsed, index_map, batching, _ = params["dimension_numbers"]
    if batching or collapsed != index_map or len(collapsed) != 1:
        return None
    k, n = collapsed[0], indices.ndim - 1
    whole = all(m == size for a, (m, size) in enumerate(zip(x.shape, params["slice_sizes"], strict=True)) if a != k)
    in_place = offset == (*range(k), *range(k + n, n + x.ndim - 1))
    return k if whole and in_place else None


def _gather(types: Any, params: Any) -> Callable[..., Any]:
    axis = _takes_along(types, params)
    if axis is None or types[1].dtype.kind == "u" or params.get("mode", "fill") == "fill":
        return registry["gather"].kernel(np, types, params)
    batch = types[1].shape[:-1]
    return lambda x, indices: x.take(indices.reshape(batch), axis, None, "clip")


FAST: dict[str, Any] = {"gather": _gather}
