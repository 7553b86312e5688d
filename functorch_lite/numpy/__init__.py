"""`import functorch_lite.numpy as fnp`: the functions of `jax.numpy`, on immutable arrays, under every transformation."""

from .contraction import *  # noqa: F403
from .creation import *  # noqa: F403
from .elementwise import *  # noqa: F403
from .logic import *  # noqa: F403
from .manipulation import *  # noqa: F403
from .reductions import *  # noqa: F403
from .scalar_types import *  # noqa: F403
from .statistics import *  # noqa: F403
from .searching import *  # noqa: F403
