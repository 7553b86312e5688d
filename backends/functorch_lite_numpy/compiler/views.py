"""How arrays lie in memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["View", "row_major", "strides_of"]


class View(NamedTuple):
    """How an array lies in memory: strides and the first element's place, in elements."""

    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int = 0


def strides_of(shape: Sequence[int], parts: int = 1) -> list[int]:
    """Those of an array that lies row by row, whose elements have so many parts."""
    return [parts * math.prod(shape[i + 1 :]) for i in range(len(shape))]


def row_major(shape: Sequence[int]) -> View:
    return View(tuple(shape), tuple(strides_of(shape)))
