"""The NumPy backend: buffers are NumPy arrays, or NumPy scalars where the rank is 0."""

from .backend import NumpyBackend
from .threads import set_threads, threads

__all__ = ["NumpyBackend", "set_threads", "threads"]
