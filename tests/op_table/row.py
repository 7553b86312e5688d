"""`Row`: one line of the op table buys all the checks of an operation (see `tests/test_op_table.py`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["FLOATS", "INEXACT", "INTEGERS", "NUMERIC", "REALS", "Row", "normal"]

FLOATS = ("float16", "bfloat16", "float32", "float64")
INEXACT = (*FLOATS, "complex64", "complex128")
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
REALS = (*INTEGERS, *FLOATS)
NUMERIC = (*REALS, "complex64", "complex128")


def normal(*shapes: tuple[int, ...], scale: float = 1.0, shift: float = 0.0) -> Callable[..., tuple[np.ndarray, ...]]:
    """Operands of the given shapes: normal floats and complex numbers, small integers, booleans."""

    def make(rng: np.random.Generator, dtype: np.dtype) -> tuple[np.ndarray, ...]:
        out = []
        for shape in shapes:
            x = rng.normal(size=shape) * scale + shift
            if dtype.kind == "c":
                x = x + 1j * rng.normal(size=shape) * scale
            if dtype.kind in "iu":
                x = np.round(np.abs(x) * 3 if dtype.kind == "u" else x * 3)
            out.append(np.asarray(x > 0 if dtype.kind == "b" else x).astype(dtype))
        return tuple(out)

    return make


@dataclass(frozen=True)
class Row:
    """An operation, and how to check it.

    Args:
      name: of the row, unique: the primitive's name, and what is special here (`"reduce_sum two axes"`).
      primitive: the primitive's name in the registry.
      call: operands -> the result (or a list of results): binds the primitive with its params.
      operands: (rng, dtype) -> host arrays.
      reference: host arrays -> the expected result (or list of results), in NumPy or SciPy.
      dtypes: names of the dtypes of the operands to check with.
      differentiable: marks of the operands to differentiate by; () if none. None: all of floating or complex dtype.
      tolerance: factor on the tolerances that follow from the dtype.
      order: up to which order derivatives are checked by finite differences.
      vmap: whether to check batching (each operand alone, and all together) against a loop.
      jax: the same in JAX, given `jax`'s modules as (jax, jnp, lax): for the optional oracle suite.
    """

    name: str
    primitive: str
    call: Callable[..., Any]
    operands: Callable[[np.random.Generator, np.dtype], Sequence[np.ndarray]]
    reference: Callable[..., Any] | None = None
    dtypes: Sequence[str] = ("float32", "float64")
    differentiable: Sequence[int] | None = None
    tolerance: float = 1.0
    order: int = 2
    vmap: bool = True
    jax: Callable[..., Any] | None = None
