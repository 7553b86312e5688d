"""Attention: each query's mean of the values, weighted by how well their keys fit."""

from __future__ import annotations

import math
from typing import Any

from .. import dtypes
from .. import numpy as fnp
from ..arrays import type_of
from ..dtype_lattice import promote_types
from ..errors import ArgumentError, DTypeError, ShapeError
from ..promotion import as_operand, cast
from ..transforms.custom_jvp import stop_gradient
from .normalising import logsumexp, softmax

__all__ = ["dot_product_attention"]


def dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    bias: Any = None,
    mask: Any = None,
    *,
    scale: float | None = None,
    is_causal: bool = False,
    query_seq_lengths: Any = None,
    key_value_seq_lengths: Any = None,
    local_window_size: int | tuple[int, int] | None = None,
    implementation: str | None = None,
    return_residual: bool = False,
) -> Any:
    """softmax(scale query key^T + bias) value, for each batch member and head.

    Where there are fewer heads of keys and values than of queries, each serves a group of consecutive query heads.
    Products of 16-bit floats are added up, and their softmax is taken, in float32.

    Args:
      query: (batch, targets, heads, features), or without the batch.
      key: (batch, sources, key heads, features); key heads divide heads.
      value: as the key.
      bias: added to the scores; broadcasts to (batch, heads, targets, sources).
      mask: booleans likewise: where False, the source is not seen. Who sees none gets the mean of all values.
      scale: 1 / sqrt(features) if omitted.
      is_causal: whether target t sees sources up to t only.
      query_seq_lengths: (batch,) integers: targets from there on give zeros.
      key_value_seq_lengths: (batch,) integers: sources from there on are not seen.
      local_window_size: how many sources to the left and to the right of its own place a target sees.
      implementation: accepted for compatibility: None or "xla".
      return_residual: whether to give a pair, with the log of the sum of exponentials, (batch, targets, heads).

    Returns:
      an array of the query's shape.

    Raises:
      ShapeError, DTypeError: if shapes or dtypes do not fit.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> x = fnp.arange(3.0).reshape(3, 1, 1)
    >>> fl.nn.dot_product_attention(fnp.zeros_like(x), x, x, is_causal=True).ravel()
    Array([0. , 0.5, 1. ], dtype=float32)
    """
    if implementation not in (None, "xla"):
        raise ArgumentError(f"dot_product_attention: implementation is {implementation!r}, needed is None or 'xla'.")
    given: Any = as_operand(query)
    q, k, v = (_four_axes(x, name) for x, name in ((query, "query"), (key, "key"), (value, "value")))
    _check(q, k, v)
    batch, targets, heads, features = q.shape
    sources, groups = k.shape[1], k.shape[2]
    shape = (batch, heads, targets, sources)

    wide = promote_types(q.dtype, "float32")
    grouped = cast(fnp.reshape(q, (batch, targets, groups, heads // groups, features)), wide)
    scores = fnp.einsum("btkgh,bskh->bkgts", grouped, cast(k, wide)).reshape(shape)
    scores = scores * fnp.asarray(1 / math.sqrt(features) if scale is None else scale, dtype=wide)
    if bias is not None:
        scores = cast(scores + _four_axes(bias, "bias"), wide)
    seen = _seen(targets, sources, mask, is_causal, query_seq_lengths, key_value_seq_lengths, local_window_size)
    if seen is not None:
        # Finite, so that a target that sees nothing has no NaN.
        scores = fnp.where(seen, scores, -0.7 * float(dtypes.finfo("float32").max))
    weights = fnp.astype(softmax(scores), k.dtype).reshape(batch, groups, heads // groups, targets, sources)
    out = fnp.einsum("bkgts,bskh->btkgh", weights, v).reshape(q.shape)
    if query_seq_lengths is not None:
        real = fnp.arange(targets) < fnp.expand_dims(query_seq_lengths, -1)
        out = fnp.where(real[:, :, None, None], out, 0)
    out = out.reshape(given.shape)
    if not return_residual:
        return out
    total = fnp.astype(fnp.swapaxes(logsumexp(scores, axis=-1), 1, 2), k.dtype)
    return out, stop_gradient(total.reshape(given.shape[:-1]))


def _four_axes(value: Any, name: str) -> Any:
    x: Any = as_operand(value)
    if x.ndim > 4:
        raise ShapeError(f"dot_product_attention: the {name} has at most 4 axes, got {type_of(x)}.")
    return x.reshape((1,) * (4 - x.ndim) + x.shape)


def _check(q: Any, k: Any, v: Any) -> None:
    found = f"got query {type_of(q)}, key {type_of(k)} and value {type_of(v)}."
    if not q.dtype == k.dtype == v.dtype or not dtypes.is_floating(q.dtype):
        raise DTypeError(f"dot_product_attention needs query, key and value of one floating dtype, {found}")
    if k.shape != v.shape or q.shape[0] != k.shape[0] or q.shape[3] != k.shape[3]:
        raise ShapeError(
            "dot_product_attention needs a query (batch, targets, heads, features) and key and value (batch, sources, "
            f"key heads, features), {found}"
        )
    if not k.shape[2] or q.shape[2] % k.shape[2]:
        raise ShapeError(f"dot_product_attention: the query's heads must be a multiple of the key's, {found}")


def _seen(
    targets: int, sources: int, mask: Any, is_causal: bool, query_lengths: Any, key_lengths: Any, window: Any
) -> Any:
    """Which sources each target sees, as booleans that broadcast to (batch, heads, targets, sources); None: all."""
    t = fnp.arange(targets)[:, None]
    s = fnp.arange(sources)
    parts = []
    if mask is not None:
        mask = _four_axes(mask, "mask")
        if not dtypes.is_bool(mask.dtype):
            raise DTypeError(f"dot_product_attention: the mask has type {type_of(mask)}, needed are booleans.")
        parts.append(mask)
    if is_causal:
        parts.append(s <= t)
    if window is not None:
        left, right = (window, window) if isinstance(window, int) else window
        parts.append((s >= t - left) & (s <= t + right))
    if query_lengths is not None:
        parts.append(t < fnp.reshape(query_lengths, (-1, 1, 1, 1)))
    if key_lengths is not None:
        parts.append(s < fnp.reshape(key_lengths, (-1, 1, 1, 1)))
    seen = None
    for part in parts:
        seen = part if seen is None else seen & part
    return seen
