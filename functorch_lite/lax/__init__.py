"""`functorch_lite.lax`: the primitives by JAX's names, and control flow."""

from ..control.cond import cond, switch
from ..control.loops import fori_loop, map
from ..control.scan import scan
from ..control.while_loop import while_loop
from ..transforms.custom import stop_gradient

__all__ = ["cond", "fori_loop", "map", "scan", "stop_gradient", "switch", "while_loop"]
