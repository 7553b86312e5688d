"""Random numbers from explicit keys: the same key gives the same numbers, in eager mode, under `jit` and under `vmap`.

A key is made from a seed, and never used twice: `key, subkey = split(key)`. Integers, bits, permutations, booleans and
uniform floats are those of `jax.random` (threefry, partitionable) bit for bit; other floats agree within a few ulp.

By what they do: `keys`; `uniform_draws`, `normal_draws`, `inverse_draws` (formulas of one uniform float),
`gamma_draws`, `counts`, `choices`, `vectors`.

>>> import functorch_lite as fl
>>> key = fl.random.key(0)
>>> fl.random.uniform(key, (2,))
Array([0.947667 , 0.9785799], dtype=float32)
"""

from . import choices, counts, gamma_draws, inverse_draws, keys, normal_draws, uniform_draws, vectors
from .choices import *  # noqa: F403
from .counts import *  # noqa: F403
from .gamma_draws import *  # noqa: F403
from .inverse_draws import *  # noqa: F403
from .keys import *  # noqa: F403
from .normal_draws import *  # noqa: F403
from .uniform_draws import *  # noqa: F403
from .vectors import *  # noqa: F403

__all__ = []
for _part in (choices, counts, gamma_draws, inverse_draws, keys, normal_draws, uniform_draws, vectors):
    __all__ += _part.__all__
