"""grad, vmap and jit, and that they compose.

python examples/quickstart.py
"""

import functorch_lite as fl
import functorch_lite.numpy as fnp


def loss(w, x, y):
    """How badly a line fits a point."""
    return (w["slope"] * x + w["offset"] - y) ** 2


w = {"slope": fnp.asarray(1.0), "offset": fnp.asarray(0.0)}
xs, ys = fnp.arange(5.0), 2.0 * fnp.arange(5.0) + 1.0

# The gradient has the structure of the argument.
print("gradient at a point:     ", fl.grad(loss)(w, xs[3], ys[3]))

# The derivative is the limit of differences.
eps = 1e-3
up = loss({**w, "slope": w["slope"] + eps}, xs[3], ys[3])
down = loss({**w, "slope": w["slope"] - eps}, xs[3], ys[3])
print("finite difference:       ", (up - down) / (2 * eps))

# vmap gives the gradient at each point; the weights are the same for all.
per_point = fl.vmap(fl.grad(loss), in_axes=(None, 0, 0))
print("gradient at each point:  ", per_point(w, xs, ys))


# jit compiles all of it. The loop is Python's; it is traced once.
@fl.jit
def fit(w, xs, ys):
    """Fifty steps of gradient descent."""

    def total(w):
        return fnp.mean(fl.vmap(loss, in_axes=(None, 0, 0))(w, xs, ys))

    def step(w, _):
        return fl.tree.map(lambda p, g: p - 0.1 * g, w, fl.grad(total)(w)), total(w)

    return fl.lax.scan(step, w, None, length=50)


fitted, losses = fit(w, xs, ys)
print("fitted:                  ", fitted)
print("loss, first and last:    ", losses[0], losses[-1])
print("the program of the loss:\n", fl.make_program(loss)(w, 1.0, 2.0), sep="")
