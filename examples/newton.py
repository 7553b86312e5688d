"""Newton's method by `hessian`: the minimum of Rosenbrock's function in a few steps.

python examples/newton.py
"""

import functorch_lite as fl
import functorch_lite.numpy as fnp


def rosenbrock(x):
    """A curved valley; the minimum is at (1, 1)."""
    return (1.0 - x[0]) ** 2 + 100.0 * (x[1] - x[0] ** 2) ** 2


@fl.jit
def newton_step(x):
    """X - H^-1 g; the 2x2 system by Cramer's rule."""
    g, h = fl.grad(rosenbrock)(x), fl.hessian(rosenbrock)(x)
    determinant = h[0, 0] * h[1, 1] - h[0, 1] * h[1, 0]
    step = fnp.stack([h[1, 1] * g[0] - h[0, 1] * g[1], h[0, 0] * g[1] - h[1, 0] * g[0]]) / determinant
    return x - step


with fl.config.default_dtypes(float="float64"):
    x = fnp.array([-1.2, 1.0])
    for i in range(8):
        print(f"step {i}: x = {x}, f(x) = {float(rosenbrock(x)):.3e}")
        x = newton_step(x)
    assert float(rosenbrock(x)) < 1e-20
