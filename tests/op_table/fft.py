"""Rows of the Fourier transforms, against sums of exponentials written out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from functorch_lite.primitives.fft import fft

from .row import Row, normal

COMPLEX = ("complex64", "complex128")
REAL = ("float32", "float64")


def _transformed(x: np.ndarray, k: int, sign: int) -> np.ndarray:
    """The sum of x exp(sign 2 pi i j k / n) along each of the last k axes."""
    for axis in range(x.ndim - k, x.ndim):
        n = x.shape[axis]
        angles = sign * 2j * np.pi * (np.outer(np.arange(n), np.arange(n)) % n) / n
        x = np.moveaxis(np.tensordot(x, np.exp(angles), ((axis,), (0,))), -1, axis)
    return x


def _reference(kind: str, lengths: tuple[int, ...]) -> Callable[[np.ndarray], np.ndarray]:
    k, size, n = len(lengths), np.prod(lengths), lengths[-1]

    def reference(x: np.ndarray) -> np.ndarray:
        if kind == "fft":
            return _transformed(x, k, -1)
        if kind == "ifft":
            return _transformed(x, k, 1) / size
        if kind == "rfft":
            return _transformed(x, k, -1)[..., : n // 2 + 1]
        whole = _transformed(x, k - 1, 1) if k == 1 else _over(x, range(x.ndim - k, x.ndim - 1))
        first, rest = whole[..., :1].real, whole[..., 1 : (n + 1) // 2]
        last = whole[..., n // 2 : n // 2 + 1].real if n % 2 == 0 else whole[..., :0].real
        halves = [first, rest, last, rest[..., ::-1].conj()]
        return _transformed(np.concatenate(halves, -1), 1, 1).real / size

    return reference


def _over(x: np.ndarray, axes: Sequence[int]) -> np.ndarray:
    for axis in axes:
        x = np.moveaxis(_transformed(np.moveaxis(x, axis, -1), 1, 1), -1, axis)
    return x


def _fft(kind: str, shape: tuple[int, ...], lengths: tuple[int, ...], **more: Any) -> Row:
    return Row(
        f"fft {kind} of {shape}, {lengths}",
        "fft",
        lambda x: fft(x, fft_type=kind, fft_lengths=lengths),
        normal(shape),
        _reference(kind, lengths),
        REAL if kind == "rfft" else COMPLEX,
        jax=lambda jax, jnp, lax: lambda x: lax.fft(x, kind, lengths),
        **{"tolerance": 2.0, **more},
    )


ROWS = [
    *(_fft(kind, (n,), (n,)) for kind in ("fft", "ifft") for n in (1, 4, 5)),
    *(_fft(kind, (2, 3, 4), (3, 4)) for kind in ("fft", "ifft", "rfft")),
    *(_fft(kind, (2, 3, 2), (2, 3, 2)) for kind in ("fft", "ifft", "rfft")),
    *(_fft("rfft", (n,), (n,)) for n in (1, 2, 4, 5)),
    *(_fft("irfft", (n // 2 + 1,), (n,)) for n in (1, 2, 4, 5)),
    _fft("irfft", (2, 3, 3), (3, 4)),
    _fft("irfft", (2, 3, 3), (3, 5)),
    _fft("irfft", (2, 3, 2), (2, 3, 3)),
    _fft("rfft", (3, 6), (6,)),
    *(_fft(kind, (0, 4), (4,), vmap=False) for kind in ("fft", "rfft")),
]
