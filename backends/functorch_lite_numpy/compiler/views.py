"""How arrays lie in memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["View", "row_major"]


class View(NamedTuple):
    """How an array lies in memory: strides and the first element's place, in elements."""

    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int = 0


def row_major(shape: Sequence[int]) -> View:
    strides = [math.prod(shape[i + 1 :]) for i in range(len(shape))]
    return View(tuple(shape), tuple(strides))
