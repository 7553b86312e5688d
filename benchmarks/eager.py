"""Eager overhead, gradients and dispatch, beside NumPy, JAX, autograd and PyTorch (those that are installed).

    python benchmarks/eager.py [--seconds 1.0] [row ...]

Every figure is the median of interleaved rounds, in one process, on as many threads as the libraries take by default.
"""

from __future__ import annotations

import argparse
import importlib
import platform
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from timing import compare, table

import functorch_lite as fl
import functorch_lite.numpy as fnp

Row = dict[str, Callable[[], Any]]


def _optional(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


jax, torch, autograd = _optional("jax"), _optional("torch"), _optional("autograd")
if jax is not None:
    import jax.numpy as jnp
if autograd is not None:
    import autograd.numpy as anp


def _chain(x: Any) -> Any:
    for _ in range(10):
        x = x * 0.5 + x
    return x


def add_ten() -> Row:
    """X + y on 10 floats."""
    x = np.ones(10, np.float32)
    ours = fnp.asarray(x)
    row: Row = {"functorch_lite": lambda: ours + ours, "numpy": lambda: x + x}
    if jax is not None:
        j = jnp.asarray(x)
        row["jax"] = lambda: (j + j).block_until_ready()
    if torch is not None:
        t = torch.ones(10)
        row["torch"] = lambda: t + t
    return row


def chain_of_twenty() -> Row:
    """20 operations on 8x8 arrays."""
    x = np.ones((8, 8), np.float32)
    ours = fnp.asarray(x)
    row: Row = {"functorch_lite": lambda: _chain(ours), "numpy": lambda: _chain(x)}
    if jax is not None:
        j = jnp.asarray(x)
        row["jax"] = lambda: _chain(j).block_until_ready()
    if torch is not None:
        t = torch.ones(8, 8)
        row["torch"] = lambda: _chain(t)
    return row


def _gradient(f: Callable[[Any], Callable[[Any], Any]], x: np.ndarray) -> Row:
    """The gradient of f(namespace), at x."""
    ours, g = fnp.asarray(x), fl.grad(f(fnp))
    row: Row = {"functorch_lite": lambda: g(ours)}
    if jax is not None:
        j, jg = jnp.asarray(x), jax.grad(f(jnp))
        row["jax"] = lambda: jg(j).block_until_ready()
    if autograd is not None:
        ag = autograd.grad(f(anp))
        row["autograd"] = lambda: ag(x)
    if torch is not None:
        tf = f(torch)

        def torch_gradient() -> Any:
            t = torch.from_numpy(x).clone().requires_grad_()
            tf(t).backward()
            return t.grad

        row["torch"] = torch_gradient
    return row


def gradient_of_two() -> Row:
    """Grad of sin(x) x, a scalar."""
    return _gradient(lambda xp: lambda x: xp.sin(x) * x, np.asarray(0.3, np.float32))


def gradient_of_twenty() -> Row:
    """Grad of 20 operations on arrays of 3, summed."""

    def make(xp: Any) -> Callable[[Any], Any]:
        def f(x: Any) -> Any:
            for _ in range(5):
                x = xp.sin(x) * x + x * 0.5
            return xp.sum(x)

        return f

    return _gradient(make, np.full(3, 0.3, np.float32))


def gradient_of_mlp() -> Row:
    """Eager gradient of an MLP 784-512-512-10 at batch 32."""
    rng = np.random.default_rng(0)
    sizes = [784, 512, 512, 10]
    host = [(rng.normal(size=s).astype(np.float32) * 0.05) for s in pairwise(sizes)]
    batch = rng.normal(size=(32, 784)).astype(np.float32)

    def loss(xp: Any) -> Callable[..., Any]:
        def f(weights: Any, x: Any) -> Any:
            for w in weights[:-1]:
                x = xp.tanh(x @ w)
            y = x @ weights[-1]
            return xp.mean(y * y)

        return f

    ours, x, g = [fnp.asarray(w) for w in host], fnp.asarray(batch), fl.grad(loss(fnp))
    row: Row = {"functorch_lite": lambda: g(ours, x)}
    if jax is not None:
        j, jx, jg = [jnp.asarray(w) for w in host], jnp.asarray(batch), jax.grad(loss(jnp))
        row["jax"] = lambda: jax.block_until_ready(jg(j, jx))
    if autograd is not None:
        ag = autograd.grad(loss(anp))
        row["autograd"] = lambda: ag(host, batch)
    if torch is not None:
        t, tx, tf = [torch.from_numpy(w).requires_grad_() for w in host], torch.from_numpy(batch), loss(torch)
        row["torch"] = lambda: torch.autograd.grad(tf(t, tx), t)
    return row


def jitted_call() -> Row:
    """A jitted call of x + 1 on 10 floats."""
    x = np.ones(10, np.float32)
    ours, f = fnp.asarray(x), fl.jit(lambda x: x + 1.0)
    row: Row = {"functorch_lite": lambda: f(ours), "numpy": lambda: x + np.float32(1)}
    if jax is not None:
        j, jf = jnp.asarray(x), jax.jit(lambda x: x + 1.0)
        row["jax"] = lambda: jf(j).block_until_ready()
    return row


def jitted_call_of_dict() -> Row:
    """A jitted call with a dict of 20 arrays, one addition."""
    x = np.ones(10, np.float32)
    names = [f"p{i:02d}" for i in range(20)]
    ours, f = {n: fnp.asarray(x) for n in names}, fl.jit(lambda d: d["p00"] + d["p19"])
    row: Row = {"functorch_lite": lambda: f(ours), "numpy": lambda: x + x}
    if jax is not None:
        j, jf = {n: jnp.asarray(x) for n in names}, jax.jit(lambda d: d["p00"] + d["p19"])
        row["jax"] = lambda: jf(j).block_until_ready()
    return row


ROWS = [
    add_ten,
    chain_of_twenty,
    gradient_of_two,
    gradient_of_twenty,
    gradient_of_mlp,
    jitted_call,
    jitted_call_of_dict,
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", help="names of rows; all if omitted")
    parser.add_argument("--seconds", type=float, default=1.0, help="time for each alternative of each row")
    args = parser.parse_args()
    chosen = [row for row in ROWS if not args.rows or row.__name__ in args.rows]
    print(f"Python {platform.python_version()}, NumPy {np.__version__}, {platform.machine()}")
    print(table({row.__doc__.rstrip("."): compare(row(), args.seconds) for row in chosen}))  # type: ignore[union-attr]


if __name__ == "__main__":
    main()
