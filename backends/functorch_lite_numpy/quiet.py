"""Floating-point warnings off while our kernels run, and only then: the user's settings for NumPy stay as they are.

`np.errstate` does this in 0.7 us, three times what adding two small arrays takes. NumPy keeps the state in a context
variable; setting that directly takes a tenth. It is NumPy's private name, so without it `np.errstate` does the work.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["quiet"]


def _with_errstate(run: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(run, updated=())
    def quietly(*operands: Any) -> Any:
        with np.errstate(all="ignore"):
            return run(*operands)

    return quietly


def _by_context_variable() -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    from numpy._core import umath

    variable = umath._extobj_contextvar  # type: ignore[attr-defined]
    ignore = umath._make_extobj(all="ignore")  # type: ignore[attr-defined]
    put, reset = variable.set, variable.reset

    def quiet(run: Callable[..., Any]) -> Callable[..., Any]:
        def quietly(*operands: Any) -> Any:
            token = put(ignore)
            try:
                return run(*operands)
            finally:
                reset(token)

        return quietly

    quiet(np.divide)(np.ones(1), np.zeros(1))  # raises here, at import, if the private form has changed
    return quiet


try:
    quiet = _by_context_variable()
except (ImportError, AttributeError, TypeError):
    quiet = _with_errstate
