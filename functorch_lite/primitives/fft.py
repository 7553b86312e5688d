"""`fft`: discrete Fourier transforms over the last axes, complex or half complex, forward or backward."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .. import dtypes
from ..array_type import ArrayType
from ..errors import ArgumentError, DTypeError, ShapeError
from .arithmetic import mul
from .base import const
from .parts import complex_, conj, real
from .slicing import pad
from .structural import Structural, broadcast_in_dim, move_to_front

__all__ = ["fft"]

_KINDS = ("fft", "ifft", "rfft", "irfft")


class Fft(Structural):
    """The transform over the last axes, as many as `fft_lengths` has items.

    The unnormalised forward one is y[k] = sum over j of x[j] exp(-2 pi i j k / n); the backward ones divide by the
    number of elements. `fft_type`: "fft", "ifft": complex to complex. "rfft": of real numbers, the first half of the
    spectrum along the last axis (n // 2 + 1 numbers). "irfft": its inverse; what is not the spectrum of real
    numbers is ignored.
    """

    def infer(self, x: ArrayType, *, fft_type: str, fft_lengths: tuple[int, ...]) -> ArrayType:
        if fft_type not in _KINDS:
            raise ArgumentError(f"fft has the types {', '.join(_KINDS)}, got {fft_type!r}.")
        k, name = len(fft_lengths), fft_type
        wanted = (dtypes.float32, dtypes.float64) if name == "rfft" else (dtypes.complex64, dtypes.complex128)
        if x.dtype not in wanted:
            raise DTypeError(f"{name} needs {' or '.join(map(dtypes.short_name, wanted))}, got {x}: cast with astype.")
        given = (*fft_lengths[:-1], fft_lengths[-1] // 2 + 1) if name == "irfft" else fft_lengths
        if not 1 <= k <= x.ndim or x.shape[-k:] != given or any(n < 1 for n in fft_lengths):
            raise ShapeError(
                f"{name} of {x} with lengths {fft_lengths} needs positive lengths, and the last axes to be "
                f"{given}: pad or slice."
            )
        if name == "rfft":
            return ArrayType((*x.shape[:-1], fft_lengths[-1] // 2 + 1), dtypes.complex_dtype(x.dtype))
        if name == "irfft":
            return ArrayType((*x.shape[:-1], fft_lengths[-1]), dtypes.real_dtype(x.dtype))
        return x.update(weak=False)

    def impl(self, xp: Any, x: Any, *, fft_type: str, fft_lengths: tuple[int, ...]) -> Any:
        axes = tuple(range(-len(fft_lengths), 0))
        return getattr(xp.fft, f"{fft_type}n")(x, s=fft_lengths, axes=axes)

    def implemented_over(self, xp: Any) -> bool:
        return hasattr(xp, "fft")

    def transpose(
        self, ct: Any, operands: Sequence[Any], *, fft_type: str, fft_lengths: tuple[int, ...]
    ) -> Sequence[Any]:
        if fft_type == "rfft":
            missing = operands[0].type.shape[-1] - ct.shape[-1]
            whole = pad(ct, const(ct, 0), config=(*((0, 0, 0),) * (ct.ndim - 1), (0, missing, 0)))
            return [real(self(whole, fft_type="fft", fft_lengths=fft_lengths))]
        if fft_type == "irfft":
            spectrum = self(ct, fft_type="rfft", fft_lengths=fft_lengths)
            return [conj(_counted(spectrum, fft_lengths))]
        return [self(ct, fft_type=fft_type, fft_lengths=fft_lengths)]  # the matrix of the transform is symmetric

    def batch(self, axis: Any, operands: Any, dims: Any, **params: Any) -> tuple[Any, Any]:
        return self(move_to_front(operands[0], dims[0]), **params), 0


def _counted(spectrum: Any, fft_lengths: tuple[int, ...]) -> Any:
    """Half a spectrum, each number times how often it is in the whole one, over the number of elements."""
    half, dtype = spectrum.shape[-1], dtypes.real_dtype(spectrum.dtype)
    scale = 1 / math.prod(fft_lengths)
    alone = 2 if fft_lengths[-1] % 2 == 0 else 1  # the numbers that have no mirror image: the first, of even n the last
    middle = broadcast_in_dim(dtype.type(2 * scale), shape=(half - alone,), dims=())
    counts = pad(middle, dtype.type(scale), config=((1, alone - 1, 0),))
    counts = broadcast_in_dim(counts, shape=spectrum.shape, dims=(spectrum.ndim - 1,))
    return mul(spectrum, complex_(counts, dtype.type(0)))


fft = Fft("fft")
