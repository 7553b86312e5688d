"""Functions with derivatives of the user's own, under the names of `jax.custom_derivatives`."""

from .primitive import Zero as SymbolicZero
from .transforms.capture import closure_convert
from .transforms.custom_function import zero_from_primal
from .transforms.custom_jvp import custom_jvp
from .transforms.custom_vjp import CustomVJPPrimal, custom_gradient, custom_vjp

__all__ = [
    "CustomVJPPrimal",
    "SymbolicZero",
    "closure_convert",
    "custom_gradient",
    "custom_jvp",
    "custom_vjp",
    "zero_from_primal",
]
