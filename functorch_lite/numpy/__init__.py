"""NumPy's functions over arrays that can be differentiated, batched and compiled, as `jax.numpy` names and promotes.

* Each element by itself: `arithmetic`, `division`, `transcendental`, `rounding`, `parts`, `bitwise`, `packing`, `logic`.
* Arrays made: `creation`, `ranges`, `grids`, `index_tricks`, `triangles`, `windows`, `files`.
* Elements moved: `shaping`, `joining`, `repeating`, `placing`, `padding`, `diagonals`.
* Axes reduced: `reductions`, `extremes`, `moments`, `without_nan`, `cumulative`, `statistics`, `quantiles`.
* Products summed: `contraction`, `einstein`, `convolving`; and the sub-packages `linalg` and `fft`.
* Order and choice: `sorting`, `choosing`, `sets`, `histograms`.
* Functions and curves: `calculus`, `polynomials`, `applying`, `vectorizing`, `universal`.

Dtypes and constants are in `scalar_types`, the methods of arrays in `methods`, what functions do first with their operands
in `operands` and `axes`; what other libraries ask for is in `protocols`, `dlpack` and `namespace_info`.
"""

import types as _types
import typing as _typing

from ..promotion import broadcast_shapes as _broadcast_shapes
from . import fft, linalg
from .applying import *  # noqa: F403
from .arithmetic import *  # noqa: F403
from .bitwise import *  # noqa: F403
from .calculus import *  # noqa: F403
from .choosing import *  # noqa: F403
from .contraction import *  # noqa: F403
from .convolving import *  # noqa: F403
from .creation import *  # noqa: F403
from .cumulative import *  # noqa: F403
from .diagonals import *  # noqa: F403
from .division import *  # noqa: F403
from .einstein import *  # noqa: F403
from .extremes import *  # noqa: F403
from .files import *  # noqa: F403
from .grids import *  # noqa: F403
from .histograms import *  # noqa: F403
from .index_tricks import *  # noqa: F403
from .joining import *  # noqa: F403
from .logic import *  # noqa: F403
from .moments import *  # noqa: F403
from .namespace_info import NamespaceInfo as __array_namespace_info__  # noqa: F401
from .packing import *  # noqa: F403
from .padding import *  # noqa: F403
from .parts import *  # noqa: F403
from .placing import *  # noqa: F403
from .polynomials import *  # noqa: F403
from .quantiles import *  # noqa: F403
from .ranges import *  # noqa: F403
from .reductions import *  # noqa: F403
from .repeating import *  # noqa: F403
from .rounding import *  # noqa: F403
from .scalar_types import *  # noqa: F403
from .sets import *  # noqa: F403
from .shaping import *  # noqa: F403
from .sorting import *  # noqa: F403
from .statistics import *  # noqa: F403
from .transcendental import *  # noqa: F403
from .triangles import *  # noqa: F403
from .universal import *  # noqa: F403
from .vectorizing import *  # noqa: F403
from .windows import *  # noqa: F403
from .without_nan import *  # noqa: F403

from . import methods, universal  # isort: skip


def broadcast_shapes(*shapes):  # type: ignore[no-untyped-def]
    """The shape that all `shapes` (tuples, or integers) stretch to."""
    return _broadcast_shapes(
        "broadcast_shapes",
        [tuple(s) if isinstance(s, (tuple, list)) or getattr(s, "ndim", 0) else (s,) for s in shapes] or [()],
    )


__array_api_version__ = "2024.12"
__all__ = ["fft", "linalg"]
__all__ += [n for n, v in globals().items() if not n.startswith("_") and not isinstance(v, _types.ModuleType)]

methods.install()
universal.install(globals())

if _typing.TYPE_CHECKING:  # names made from tables, which a type checker cannot see

    def __getattr__(name: str) -> _typing.Any: ...
