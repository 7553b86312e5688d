"""An operation of one's own, with all its rules in one place: the sine integral Si(x), the integral of sin(t)/t.

python examples/custom_primitive.py
"""

import numpy as np
import scipy.special

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite.extend import Elementwise


def sine_integral_kernel(xp, x):
    """The meaning, on host arrays: SciPy's function. `xp.asarray` brings the result back to the backend."""
    return xp.asarray(scipy.special.sici(np.asarray(x))[0].astype(x.dtype))


# Type rule, symbolic zeros, batching and second derivatives follow from the row: only the derivative is to be said.
sine_integral = Elementwise(
    "sine_integral",
    accepts="f",
    impl=sine_integral_kernel,
    derivatives=(lambda t, y, x: t * fnp.sinc(x / np.pi),),
)

x = fnp.linspace(0.5, 3.0, 6)
print("Si(x):          ", sine_integral(x))
print("derivative:     ", fl.vmap(fl.grad(sine_integral))(x))
print("sin(x) / x:     ", fnp.sin(x) / x)
print("second, jitted: ", fl.jit(fl.vmap(fl.grad(fl.grad(sine_integral))))(x))
print(fl.make_program(fl.grad(sine_integral))(1.0))
assert fnp.allclose(fl.vmap(fl.grad(sine_integral))(x), fnp.sin(x) / x, rtol=1e-5)
