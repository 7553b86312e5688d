"""Reductions over windows, with JAX's arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..errors import DTypeError
from ..primitives import pooling
from ..promotion import as_operand
from .convolution import padtype_to_pads

__all__ = ["reduce_window"]


def reduce_window(
    operand: Any,
    init_value: Any,
    computation: Callable[[Any, Any], Any] | str,
    window_dimensions: Sequence[int],
    window_strides: Sequence[int],
    padding: Any,
    base_dilation: Sequence[int] | None = None,
    window_dilation: Sequence[int] | None = None,
) -> Any:
    """A sum, maximum or minimum over each window.

    Args:
      operand: an array.
      init_value: 0 for sums, the least value for maxima, the greatest for minima.
      computation: `lax.add`, `lax.max` or `lax.min` (or "add", "max", "min").
      window_dimensions: the window's length along each axis.
      window_strides: the step along each axis.
      padding: "SAME", "VALID", or a pair for each axis.
      base_dilation: spacing of the operand's elements.
      window_dilation: spacing of the window's elements.

    Raises:
      NotImplementedError: for other computations or initial values.
    """
    x = as_operand(operand)
    n = x.ndim
    base, spread = tuple(base_dilation or (1,) * n), tuple(window_dilation or (1,) * n)
    if isinstance(padding, str):
        reach = [1 + d * (k - 1) for k, d in zip(window_dimensions, spread, strict=True)]
        padding = padtype_to_pads(x.shape, reach, window_strides, padding)
    name = computation if isinstance(computation, str) else getattr(computation, "__name__", "?")
    found = {"add": pooling.reduce_window_sum, "max": pooling.reduce_window_max, "min": pooling.reduce_window_min}.get(
        name
    )
    if found is None or not _is_unit(init_value, name, x.dtype):
        raise NotImplementedError(
            f"reduce_window of {x.type} with {name} from {init_value}: available are add from 0, max from the least value and "
            "min from the greatest."
        )
    return found(
        x,
        window=tuple(window_dimensions),
        strides=tuple(window_strides),
        padding=tuple((int(a), int(b)) for a, b in padding),
        base_dilation=base,
        window_dilation=spread,
    )


def _is_unit(value: Any, name: str, dtype: np.dtype) -> bool:
    if not isinstance(value, (int, float, np.generic)):
        value = np.asarray(value).item()
    if name == "add":
        return value == 0
    if dtypes.is_floating(dtype):
        return value == (-np.inf if name == "max" else np.inf)
    if dtypes.is_complex(dtype):
        raise DTypeError("complex numbers have no maximum or minimum.")
    info = np.iinfo(dtype)
    return value == (info.min if name == "max" else info.max)
