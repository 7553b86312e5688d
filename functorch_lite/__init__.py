__version__ = "0.1.0"
from .transforms.grad import grad, grad_and_value, jvp, linear_transpose, linearize, value_and_grad, vjp
from .transforms.jit import jit
from .transforms.vmap import vmap
from . import numpy
