"""All that an author of a primitive or a backend may import: the promised part of the inside."""

from .array_type import ArrayType, Dim, has_dim
from .arrays import Array, type_of
from .backend import INTERFACE_VERSION, Backend, Namespace
from .errors import BackendError, DTypeError, ShapeError
from .lowering import LoweringContext, compile_program
from .passes.algebra import rewrite_algebra
from .passes.contract import fold_transposes
from .passes.elements import build
from .passes.fuse import fuse, fusion
from .passes.hoist import hoist
from .passes.nests import Affine, Load, Nest, Node, Phase, Reduction, Store
from .passes.rewrite import map_subprograms
from .passes.spare import spare
from .passes.totals import share_totals
from .passes.widen import widen
from .primitive import LinearOperand, NotDifferentiable, NotLinear, Primitive, Zero, ZeroDerivative, registry
from .primitives.base import Elementwise, kind
from .primitives.structural import instantiate, move_to_front
from .program import Atom, Equation, Literal, Program, Var, dead_code
from .tracing import Tracer, bind

__all__ = [
    "INTERFACE_VERSION",
    "Affine",
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
    "Load",
    "LoweringContext",
    "Namespace",
    "Nest",
    "Node",
    "NotDifferentiable",
    "NotLinear",
    "Phase",
    "Primitive",
    "Program",
    "Reduction",
    "ShapeError",
    "Store",
    "Tracer",
    "Var",
    "Zero",
    "ZeroDerivative",
    "bind",
    "build",
    "compile_program",
    "dead_code",
    "fold_transposes",
    "fuse",
    "fusion",
    "has_dim",
    "hoist",
    "instantiate",
    "kind",
    "map_subprograms",
    "move_to_front",
    "registry",
    "rewrite_algebra",
    "share_totals",
    "spare",
    "type_of",
    "widen",
]
