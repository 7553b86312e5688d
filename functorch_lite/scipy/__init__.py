"""SciPy's functions over arrays that can be differentiated, batched and compiled, as `jax.scipy` names them."""

from . import linalg, sparse, special, stats

__all__ = ["linalg", "sparse", "special", "stats"]
