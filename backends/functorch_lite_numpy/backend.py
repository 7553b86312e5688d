"""`NumpyBackend`: NumPy's namespace, and what NumPy does faster than by its general functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from functorch_lite.extend import Backend, Namespace

from .kernels import FAST, OPERATORS, TABLE
from .quiet import quiet

__all__ = ["NumpyBackend"]


def _special() -> Any:
    import scipy.special  # on first use: SciPy takes longer to import than all of this library

    return scipy.special


class NumpyBackend(Backend):
    """Arrays in the memory of the host, computed by NumPy."""

    name = "numpy"
    table = TABLE

    def __init__(self) -> None:
        super().__init__(Namespace(np, _special))

    def from_host(self, array: Any) -> Any:
        return array if isinstance(array, np.generic) else np.array(array)

    def to_host(self, buffer: Any) -> np.ndarray:
        return np.asarray(buffer)

    def literal(self, value: np.generic) -> Any:
        return value

    def guard(self, run: Callable[..., Any]) -> Callable[..., Any]:
        return quiet(run)

    def kernel(self, primitive: Any, types: Any, params: Any) -> Callable[..., Any]:
        if all(t.dtype.kind == "f" for t in types):
            fast = OPERATORS.get(primitive.name)
            if fast is not None:
                return fast
        make = FAST.get(primitive.name)
        if make is not None:
            return make(types, params)
        return super().kernel(primitive, types, params)
