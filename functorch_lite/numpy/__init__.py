"""NumPy's functions over arrays that can be differentiated, batched and compiled, as `jax.numpy` names and promotes.

By what they do: `elementwise`, `logic`, `creation`, `manipulation`, `padding`, `reductions`, `statistics`,
`contraction`, `searching`, `calculus`; dtypes and constants are in `scalar_types`, the methods of arrays in `methods`.
"""

import typing as _typing

from ..promotion import broadcast_shapes as _broadcast_shapes
from . import (
    calculus,
    contraction,
    creation,
    elementwise,
    fft,
    linalg,
    logic,
    manipulation,
    padding,
    reductions,
    scalar_types,
    searching,
    statistics,
)
from .calculus import *  # noqa: F403
from .contraction import *  # noqa: F403
from .creation import *  # noqa: F403
from .elementwise import *  # noqa: F403
from .logic import *  # noqa: F403
from .manipulation import *  # noqa: F403
from .padding import *  # noqa: F403
from .reductions import *  # noqa: F403
from .scalar_types import *  # noqa: F403
from .searching import *  # noqa: F403
from .statistics import *  # noqa: F403

from . import methods  # isort: skip


def broadcast_shapes(*shapes):  # type: ignore[no-untyped-def]
    """The shape that all `shapes` (tuples, or integers) stretch to."""
    return _broadcast_shapes(
        "broadcast_shapes",
        [s if isinstance(s, tuple) else tuple(s) if isinstance(s, list) else (s,) for s in shapes] or [()],
    )


__all__ = ["broadcast_shapes", "fft", "linalg"]
for _part in (
    calculus,
    contraction,
    creation,
    elementwise,
    logic,
    manipulation,
    padding,
    reductions,
    scalar_types,
    searching,
    statistics,
):
    __all__ += _part.__all__

methods.install()

if _typing.TYPE_CHECKING:  # names made from tables, which a type checker cannot see

    def __getattr__(name: str) -> _typing.Any: ...
