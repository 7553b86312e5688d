"""`fft` with JAX's arguments; `functorch_lite.numpy.fft` has the transforms that users mostly want."""

from __future__ import annotations

import enum
import operator
from collections.abc import Sequence
from typing import Any

from ..primitives.fft import fft as fft_p
from ..promotion import as_operand

__all__ = ["FftType", "fft"]


class FftType(enum.IntEnum):
    """The kinds of transforms: complex, inverse complex, real, inverse real."""

    FFT = 0
    IFFT = 1
    RFFT = 2
    IRFFT = 3


def fft(x: Any, fft_type: FftType | str | int, fft_lengths: Sequence[int]) -> Any:
    """The discrete Fourier transform over the last axes, as many as `fft_lengths` has items.

    Args:
      x: complex; real for "RFFT".
      fft_type: one of "FFT", "IFFT", "RFFT", "IRFFT".
      fft_lengths: the lengths of the last axes; of the real side, for the last one.

    Raises:
      ValueError: for another type.
      DTypeError: for operands of another dtype.
      ShapeError: if the lengths do not fit.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> fl.lax.fft(fnp.array([1.0, 0.0]), "RFFT", (2,)).real.tolist()
    [1.0, 1.0]
    """
    kind = fft_type.lower() if isinstance(fft_type, str) else FftType(fft_type).name.lower()
    return fft_p(
        as_operand(x, "the operand of fft"), fft_type=kind, fft_lengths=tuple(map(operator.index, fft_lengths))
    )
