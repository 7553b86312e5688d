"""All that an author of a primitive or a backend may import: the promised part of the inside.

What a backend's compiler needs besides is in `extend_passes`.
"""

from .array_type import ArrayType, Dim, has_dim
from .arrays import Array, type_of
from .backend import INTERFACE_VERSION, Backend, Namespace
from .errors import BackendError, DTypeError, ShapeError
from .lowering import LoweringContext, compile_program
from .primitive import LinearOperand, NotDifferentiable, NotLinear, Primitive, Zero, ZeroDerivative, registry
from .primitives.base import Elementwise, kind
from .primitives.structural import instantiate, move_to_front
from .program import Atom, Equation, Literal, Program, Var, dead_code
from .tracing import Tracer, bind

__all__ = [
    "INTERFACE_VERSION",
    "Array",
    "ArrayType",
    "Atom",
    "Backend",
    "BackendError",
    "DTypeError",
    "Dim",
    "Elementwise",
    "Equation",
    "LinearOperand",
    "Literal",
    "LoweringContext",
    "Namespace",
    "NotDifferentiable",
    "NotLinear",
    "Primitive",
    "Program",
    "ShapeError",
    "Tracer",
    "Var",
    "Zero",
    "ZeroDerivative",
    "bind",
    "compile_program",
    "dead_code",
    "has_dim",
    "instantiate",
    "kind",
    "move_to_front",
    "registry",
    "type_of",
]
