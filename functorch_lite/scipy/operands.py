"""What the functions of mathematics and statistics do first with their operands."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..arrays import from_host, type_of
from ..direct import inexact
from ..errors import DTypeError
from ..primitives.structural import broadcast_to
from ..promotion import promote

__all__ = ["real_operands"]


def real_operands(name: str, *xs: Any, real: bool = True) -> list[Any]:
    """Operands of one inexact dtype and one shape, as arrays."""
    found = promote(name, *xs)
    found = inexact(*found)
    if real and dtypes.is_complex(type_of(found[0]).dtype):
        raise DTypeError(f"{name} is defined for real numbers here, got {type_of(found[0])}: pass real ones.")
    shape = max((x.shape for x in found), key=len)
    if not shape:
        return [from_host(x) if isinstance(x, np.generic) else x for x in found]
    return [broadcast_to(x, shape) for x in found]
