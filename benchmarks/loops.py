"""Loops of small steps: what a turn takes, in value and gradient, where the number of turns is not known before the run.

JAX has no reverse mode for such loops: beside their gradient stands that of its scan of as many turns.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from timing import compare

import functorch_lite as fl

TURNS = 10_000


def affine(n: Any, x: Any, y: Any) -> Any:
    return y * x + 0.1


def sine(n: Any, x: Any, y: Any) -> Any:
    return n.sin(y) * x + 0.1


def pendulum(n: Any, x: Any, y: Any) -> Any:
    """A step of Runge and Kutta."""

    def slope(y: Any) -> Any:
        return n.stack([y[1], -n.sin(y[0])])

    k1 = slope(y)
    k2 = slope(y + 0.0005 * k1)
    k3 = slope(y + 0.0005 * k2)
    k4 = slope(y + 0.001 * k3)
    return y + 0.001 / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


STARTS: dict[Callable[..., Any], Any] = {
    affine: np.float32(0.9),
    sine: np.float32(0.9),
    pendulum: np.float32([0.9, 0.4]),
}


def dynamic(lib: Any, step: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, n: lib.lax.fori_loop(0, n, lambda i, y: step(lib.numpy, x, y), x).sum()


def scanned(lib: Any, step: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, n: lib.lax.scan(lambda y, _: (step(lib.numpy, x, y), None), x, None, length=TURNS)[0].sum()


def main() -> None:
    print(
        f"nanoseconds a turn, of {TURNS}\n{'':10}{'value':>10}{'JAX':>10}{'gradient':>10}{'scan':>10}{'JAX, scan':>10}"
    )
    for step, start in STARTS.items():
        ours, theirs = fl.numpy.asarray(start), jax.numpy.asarray(start)
        runs = {
            "value": (fl.jit(dynamic(fl, step)), ours),
            "JAX": (jax.jit(dynamic(jax, step)), theirs),
            "gradient": (fl.jit(fl.grad(dynamic(fl, step))), ours),
            "scan": (fl.jit(fl.grad(scanned(fl, step))), ours),
            "JAX, scan": (jax.jit(jax.grad(scanned(jax, step))), theirs),
        }
        times = compare({k: lambda f=f, x=x: np.asarray(f(x, TURNS)) for k, (f, x) in runs.items()}, 0.3)
        print(f"{step.__name__:10}" + "".join(f"{times[k] / TURNS * 1e9:10.1f}" for k in runs))


if __name__ == "__main__":
    main()
