"""When two arrays count as equal: to the last bit, or within what rounding in their dtype explains."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes

__all__ = ["assert_close", "assert_same_bits", "tolerance", "wide"]

_ULPS = {"float16": 4.0, "bfloat16": 4.0, "float32": 40.0, "float64": 4000.0}


def tolerance(dtype: Any) -> float:
    """The relative error that two good computations in `dtype` may differ by: a few units in the last place.

    Zero for integers and booleans.

    >>> tolerance("int32"), tolerance("float16")
    (0.0, 0.00390625)
    """
    dtype = dtypes.real_dtype(dtypes.as_dtype(dtype))
    return _ULPS[dtype.name] * float(dtypes.finfo(dtype).eps) if dtypes.is_floating(dtype) else 0.0


def wide(x: Any) -> np.ndarray:
    """A host array of a dtype in which errors can be computed: 16-bit floats become float64."""
    host = np.asarray(x)
    return host.astype(np.float64) if dtypes.is_floating(host.dtype) and host.dtype.itemsize == 2 else host


def assert_close(
    found: Any, expected: Any, *, atol: float | None = None, rtol: float | None = None, what: str = "the result"
) -> None:
    """Raise unless `|found - expected| <= atol + rtol |expected|` everywhere; NaN equals NaN.

    Args:
      found: an array.
      expected: an array of the same shape; its dtype may differ.
      atol: the absolute tolerance; by default what `tolerance` says of the dtype of `found`.
      rtol: the relative tolerance; likewise.
      what: the name of `found` in messages.

    Raises:
      AssertionError: with the number of elements that differ, and the worst of them.
    """
    usual = tolerance(np.asarray(found).dtype)
    a, b = wide(found), wide(expected)
    if a.shape != b.shape:
        raise AssertionError(f"{what} has shape {a.shape}, expected is {b.shape}")
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(
            a, b, rtol=usual if rtol is None else rtol, atol=usual if atol is None else atol, err_msg=what, strict=False
        )


def assert_same_bits(found: Any, expected: Any, what: str = "the result") -> None:
    """Raise unless two arrays have one dtype, one shape, and the same bits in every element."""
    a, b = np.asarray(found), np.asarray(expected)
    if a.dtype != b.dtype or a.shape != b.shape:
        raise AssertionError(f"{what} is {a.dtype}{list(a.shape)}, expected is {b.dtype}{list(b.shape)}")
    if a.tobytes() != b.tobytes():
        assert_close(a, b, what=what)
        raise AssertionError(f"{what} differs in its last bits:\n{a}\n{b}")
