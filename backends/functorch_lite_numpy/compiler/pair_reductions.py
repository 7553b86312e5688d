"""Products and extremes of complex numbers along axes: their parts go together, which loop nests do not know."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from functorch_lite.extend import Equation

from . import scalars
from .functions import FunctionStep, Slot, at, combined_pairs, load_pair, store_pair
from .grids import nested, total
from .types import real_dtype
from .views import strides_of

__all__ = ["PairReductionStep"]


class PairReductionStep(FunctionStep):
    """A reduction by an instruction of pairs, element by element from the first on."""

    kinds: ClassVar[str] = "c"

    @classmethod
    def accepts(cls, equation: Equation) -> bool:
        dtype, op = equation.operands[0].type.dtype, equation.primitive.combines
        return op is not None and scalars.supports(op, (dtype, dtype), dtype)

    @property
    def duration(self) -> float:
        return 2.0 * self.equation.operands[0].type.size

    def write(self, b: Any, operands: Sequence[Any], results: Sequence[Any], scratch: Any) -> None:
        t, axes = self.equation.operands[0].type, self.equation.params["axes"]
        dtype, strides, op = real_dtype(t.dtype), strides_of(t.shape, 2), self.equation.primitive.combines
        assert op is not None
        kept = [a for a in range(t.ndim) if a not in axes]
        to = strides_of([t.shape[a] for a in kept], 2)
        steps = [strides[a] for a in axes]
        with nested(b, [t.shape[a] for a in kept]) as places:
            start = total(b, list(zip(places, [strides[a] for a in kept], strict=True)))
            real, imag = (Slot(b, part) for part in load_pair(b, at(b, operands[0], start, dtype), dtype))
            if math.prod(t.shape[a] for a in axes) > 1:
                with nested(b, [t.shape[a] for a in axes]) as inside:
                    place = total(b, list(zip(inside, steps, strict=True)), start)
                    value = load_pair(b, at(b, operands[0], place, dtype), dtype)
                    new = combined_pairs(b, op, (real.get(), imag.get()), value, dtype)
                    first = b.icmp_unsigned("==", place, start)
                    for slot, part in zip((real, imag), new, strict=True):
                        slot.set(b.select(first, slot.get(), part))
            out = total(b, list(zip(places, to, strict=True)))
            store_pair(b, (real.get(), imag.get()), at(b, results[0], out, dtype), dtype)
