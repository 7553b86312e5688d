"""The CuPy backend: buffers are CuPy arrays on an NVIDIA GPU."""

from .backend import CupyBackend

__all__ = ["CupyBackend"]
