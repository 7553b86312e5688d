"""functorch_lite: pure functions over immutable arrays, changed by `grad`, `vmap` and `jit`, which compose in every order.

Reading order of the source, each file on top of those before it:
  errors, config, dtypes, tree        what everything stands on (dtype_lattice: promotion)
  array_type, tracing, primitive      types; the current trace and `bind`; what an operation owes
  program, printing, checking         the intermediate representation
  lowering, backend                   program -> callable; where kernels come from
  arrays, staging                     values and the eager trace; function -> program
  primitives/                         the operations, each with all its rules
  promotion, operators, indexing      from what users write to primitives
  passes/                             program -> program
  transforms/, control/               function -> function; loops and branches
  numpy/, lax/, random, nn/, optim/   what users import
"""

from . import (
    ad_checkpoint,
    config,
    custom_derivatives,
    debug,
    flatten_util,
    lax,
    nn,
    numpy,
    ops,
    optim,
    printing,
    random,
    tree,
    tree_util,
)
from . import indexing as indexing
from .array_interface import ArrayInterface as Array
from .arrays import type_of as typeof
from .backend import available as available_backends
from .backend import default_backend, set_default_backend, use_backend
from .config import disable_jit
from .debug import pure_callback
from .devices import block_until_ready, device_get, device_put, devices
from .dtypes import float0
from .errors import named_scope
from .numpy.protocols import install as _install_protocols
from .transforms.capture import ShapeDtypeStruct, closure_convert, eval_shape, make_jaxpr, make_program
from .transforms.checkpoint import checkpoint
from .transforms.checkpoint import policies as checkpoint_policies
from .transforms.checks import debug_infs, debug_nans
from .transforms.custom_jvp import custom_jvp
from .transforms.custom_vjp import custom_gradient, custom_vjp
from .transforms.grad import grad, grad_and_value, value_and_grad
from .transforms.jacobian import hessian, jacfwd, jacrev
from .transforms.jit import clear_caches, jit
from .transforms.linear_maps import jvp, linear_transpose, linearize, vjp
from .transforms.vmap import vmap

__version__ = "0.1.0"

_install_protocols()

remat = checkpoint
jacobian = jacrev

__all__ = [
    "Array",
    "ShapeDtypeStruct",
    "ad_checkpoint",
    "available_backends",
    "block_until_ready",
    "checkpoint",
    "checkpoint_policies",
    "clear_caches",
    "closure_convert",
    "config",
    "custom_derivatives",
    "custom_gradient",
    "custom_jvp",
    "custom_vjp",
    "debug",
    "debug_infs",
    "debug_nans",
    "default_backend",
    "device_get",
    "device_put",
    "devices",
    "disable_jit",
    "eval_shape",
    "flatten_util",
    "float0",
    "grad",
    "grad_and_value",
    "hessian",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jit",
    "jvp",
    "lax",
    "linear_transpose",
    "linearize",
    "make_jaxpr",
    "make_program",
    "named_scope",
    "nn",
    "numpy",
    "ops",
    "optim",
    "printing",
    "pure_callback",
    "random",
    "remat",
    "set_default_backend",
    "tree",
    "tree_util",
    "typeof",
    "use_backend",
    "value_and_grad",
    "vjp",
    "vmap",
]
