"""What a Fourier transform of an array is: transforms along one axis after the other."""

from __future__ import annotations

import math
from typing import NamedTuple

from functorch_lite.extend import Equation

__all__ = ["Sweep", "sweeps"]


class Sweep(NamedTuple):
    """Transforms along one axis of an array of `outer` by `n` by `inner` numbers.

    Attributes:
      kind: "fft" or "ifft"; "rfft" or "irfft" where rows are real; these have `inner` 1.
      n: the length; of real rows that of the real ones.
    """

    kind: str
    outer: int
    n: int
    inner: int

    @property
    def count(self) -> int:
        """How many transforms."""
        return self.outer * self.inner

    @property
    def length(self) -> int:
        """That of the complex transforms."""
        return self.n // 2 if self.kind in ("rfft", "irfft") else self.n

    @property
    def sign(self) -> int:
        """That of the exponent."""
        return 1 if self.kind in ("ifft", "irfft") else -1


def sweeps(equation: Equation) -> list[Sweep]:
    """One for each axis, in their order."""
    kind, lengths = equation.params["fft_type"], equation.params["fft_lengths"]
    x, y = equation.operands[0].type, equation.results[0].type
    half = (y if kind == "rfft" else x).shape  # that of the complex array
    first, rank = len(half) - len(lengths), len(half)
    complex_kind = {"rfft": "fft", "irfft": "ifft"}.get(kind, kind)
    out = [Sweep(kind, math.prod(half[:-1]), lengths[-1], 1)]
    for axis in range(rank - 2, first - 1, -1):
        out.append(Sweep(complex_kind, math.prod(half[:axis]), half[axis], math.prod(half[axis + 1 :])))
    return out[::-1] if kind == "irfft" else out
