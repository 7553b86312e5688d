"""Fourier transforms by SciPy's PocketFFT, quicker than NumPy's. All of `scipy.fft` takes a hundred times as long to import as the
extension module that does the work, so that is loaded alone."""

from __future__ import annotations

import functools
import importlib.machinery
import importlib.util
import os
import sys
from typing import Any

import numpy as np

from .threads import threads

__all__ = ["fft"]

LARGE = 1 << 16
"""Transforms of so many numbers are shared among threads."""


_NAME = "scipy.fft._pocketfft.pypocketfft"


@functools.cache
def _pocketfft() -> Any:
    """The extension module; None where SciPy keeps it elsewhere, or calls its functions otherwise."""
    module = sys.modules.get(_NAME) or _loaded()
    return module if all(hasattr(module, name) for name in ("c2c", "c2r", "r2c")) else None


def _loaded() -> Any:
    """The module, under its own name: SciPy finds it there, for a process with two of them may crash at its end."""
    scipy = importlib.util.find_spec("scipy")
    for folder in scipy.submodule_search_locations or () if scipy else ():
        found = importlib.machinery.PathFinder.find_spec(_NAME, [os.path.join(folder, "fft", "_pocketfft")])
        if found is not None and found.loader is not None:
            module = importlib.util.module_from_spec(found)
            found.loader.exec_module(module)
            return sys.modules.setdefault(_NAME, module)
    return None


def fft(x: np.ndarray, *, fft_type: str, fft_lengths: tuple[int, ...]) -> np.ndarray:
    """The transform over the last axes."""
    workers = threads() if x.size >= LARGE else 1
    axes = tuple(range(-len(fft_lengths), 0))
    pocketfft = _pocketfft()
    if pocketfft is None or x.size == 0:
        import scipy.fft  # on first use: it takes a while

        return getattr(scipy.fft, f"{fft_type}n")(x, s=fft_lengths, axes=axes, workers=workers)
    x = np.require(x, requirements="A")
    if fft_type == "rfft":
        return pocketfft.r2c(x, axes, True, 0, None, workers)
    if fft_type == "irfft":
        return pocketfft.c2r(x, axes, fft_lengths[-1], False, 2, None, workers)
    forward = fft_type == "fft"
    return pocketfft.c2c(x, axes, forward, 0 if forward else 2, None, workers)
