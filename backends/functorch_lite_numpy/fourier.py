"""Fourier transforms by SciPy's PocketFFT (or DUCC, its successor), quicker than NumPy's.

All of `scipy.fft` takes a hundred times as long to import as the extension module that does the work, so that is loaded alone.
"""

from __future__ import annotations

import functools
import importlib.machinery
import importlib.util
import os
import sys
from typing import Any

import numpy as np

from .forking import whole
from .threads import threads

__all__ = ["fft"]

LARGE = 1 << 16
"""Transforms of so many numbers are shared among threads."""


_NAMES = ("scipy.fft._duccfft.pyduccfft", "scipy.fft._pocketfft.pypocketfft")
"""From SciPy 1.18 on, and before."""


@functools.cache
def _extension() -> Any:
    """The module; None where SciPy keeps it elsewhere, or calls its functions otherwise."""
    module = next(filter(None, map(_loaded, _NAMES)), None)
    return module if all(hasattr(module, name) for name in ("c2c", "c2r", "r2c")) else None


def _loaded(name: str) -> Any:
    """The module of that name, under it: SciPy finds it there, for a process with two of them may crash at its end."""
    if name in sys.modules:
        return sys.modules[name]
    scipy = importlib.util.find_spec("scipy")
    for folder in scipy.submodule_search_locations or () if scipy else ():
        found = importlib.machinery.PathFinder.find_spec(name, [os.path.join(folder, *name.split(".")[1:-1])])
        if found is not None and found.loader is not None:
            module = importlib.util.module_from_spec(found)
            found.loader.exec_module(module)
            return sys.modules.setdefault(name, module)
    return None


def fft(x: np.ndarray, *, fft_type: str, fft_lengths: tuple[int, ...]) -> np.ndarray:
    """The transform over the last axes."""
    workers = threads() if x.size >= LARGE else 1
    if workers == 1:
        return _transform(x, fft_type, fft_lengths, 1)
    with whole():  # a fork meanwhile would take PocketFFT's threads from it, and find its lock taken in the child
        return _transform(x, fft_type, fft_lengths, workers)


def _transform(x: np.ndarray, fft_type: str, fft_lengths: tuple[int, ...], workers: int) -> np.ndarray:
    axes = tuple(range(-len(fft_lengths), 0))
    extension = _extension()
    if extension is None or x.size == 0:
        import scipy.fft  # on first use: it takes a while

        return getattr(scipy.fft, f"{fft_type}n")(x, s=fft_lengths, axes=axes, workers=workers)
    x = np.require(x, requirements="A")
    if fft_type == "rfft":
        return extension.r2c(x, axes, True, 0, None, workers)
    if fft_type == "irfft":
        return extension.c2r(x, axes, fft_lengths[-1], False, 2, None, workers)
    forward = fft_type == "fft"
    return extension.c2c(x, axes, forward, 0 if forward else 2, None, workers)
