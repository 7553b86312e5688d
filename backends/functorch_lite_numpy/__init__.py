"""The NumPy backend: buffers are NumPy arrays, or NumPy scalars where the rank is 0."""

from .backend import NumpyBackend

__all__ = ["NumpyBackend"]
