"""Windows: weights that fall off on both sides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import dtypes
from ..arrays import from_host
from ..primitives import elementwise as e
from ..promotion import as_operand, cast
from .axes import integer
from .creation import filled
from .operands import like
from .ranges import arange
from .transcendental import i0

__all__ = [
    "bartlett",
    "blackman",
    "hamming",
    "hanning",
    "kaiser",
]


def _window(name: str, host: Callable[[int], Any], doc: str) -> Callable[[int], Any]:
    def function(M: int) -> Any:
        return from_host(np.asarray(host(integer(name, "M", M))).astype(dtypes.default_float()))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{doc}, with M points, of the default float dtype."
    return function


bartlett = _window("bartlett", np.bartlett, "The triangular window")


blackman = _window("blackman", np.blackman, "The Blackman window")


hamming = _window("hamming", np.hamming, "The Hamming window")


hanning = _window("hanning", np.hanning, "The Hann window")


def kaiser(M: int, beta: Any) -> Any:
    """The Kaiser window of a given shape, with M points, of the default float dtype."""
    M = integer("kaiser", "M", M)
    beta = cast(as_operand(beta), dtypes.default_float())
    if M == 1:
        return filled(1, (1,), beta.dtype)
    place = 2 * arange(M, dtype=beta.dtype) / (M - 1) - 1
    inside = 1 - place * place
    root = e.sqrt(e.max_(inside, like(inside, 0)))
    return i0(beta * root) / i0(beta)
