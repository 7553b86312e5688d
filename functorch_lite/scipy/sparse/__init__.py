"""`functorch_lite.scipy.sparse`: systems of which only products are known."""

from . import linalg

__all__ = ["linalg"]
