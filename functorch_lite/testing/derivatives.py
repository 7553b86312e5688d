"""Derivatives against finite differences, along one random direction.

For f: x -> y and a direction v, the derivative along v is (f(x + h v) - f(x - h v)) / 2h, with an error of order h^2.
Forward mode is compared with it element by element. Reverse mode is compared by an inner product,

    <y_bar, f'(x) v> = <f'(x)^T y_bar, v>        <a, b> = Re sum a b,

which is JAX's convention for complex numbers too: no conjugation. With a complex direction and a real step, the same
formulas hold for functions that are not holomorphic, such as `abs`. Higher orders apply the checks to the derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..arrays import Array, from_host
from ..promotion import as_operand
from ..transforms.linear_maps import jvp, linear_transpose, vjp
from ..tree import flatten, unflatten
from .closeness import assert_close, wide

__all__ = ["check_grads", "check_jvp", "check_transpose", "check_vjp"]

_STEPS = {"float16": 0.1, "bfloat16": 0.25, "float32": 1e-2, "float64": 1e-5}
_TOLERANCES = {"float16": 0.1, "bfloat16": 0.5, "float32": 1e-2, "float64": 1e-6}


class _Smooth:
    """The part of a function that has derivatives: its inexact leaves, in and out, all else as it is.

    Args:
      f: takes and gives pytrees.
      args: its arguments.
    """

    def __init__(self, f: Callable[..., Any], args: Sequence[Any]):
        leaves, self.tree = flatten(tuple(args))
        self.f = f
        self.leaves = [as_operand(x, "an argument of the checked function") for x in leaves]
        self.moving = [i for i, x in enumerate(self.leaves) if dtypes.is_inexact(x.dtype)]
        self.primals = [self.leaves[i] for i in self.moving]

    def __call__(self, *xs: Any) -> tuple[Any, ...]:
        leaves = list(self.leaves)
        for i, x in zip(self.moving, xs, strict=True):
            leaves[i] = x
        outs, _ = flatten(self.f(*unflatten(self.tree, leaves)))
        return tuple(y for y in map(as_operand, outs) if dtypes.is_inexact(y.dtype))


def _random_like(x: Any, rng: np.random.Generator) -> Array:
    """A random array of the type of `x`, standard normal, complex where `x` is."""
    value: Any = rng.normal(size=x.shape)
    if dtypes.is_complex(x.dtype):
        value = value + 1j * rng.normal(size=x.shape)
    return from_host(np.asarray(value).astype(x.dtype), x.backend)


def _inner(xs: Sequence[Any], ys: Sequence[Any]) -> tuple[float, float]:
    """`Re sum x y`, and the sum of the absolute values of its terms."""
    products = [wide(x) * wide(y) for x, y in zip(xs, ys, strict=True)]
    return sum(float(np.sum(np.real(p))) for p in products), sum(float(np.sum(np.abs(p))) for p in products)


def _coarsest(table: dict[str, float], arrays: Sequence[Any]) -> float:
    return max((table[dtypes.real_dtype(x.dtype).name] for x in arrays), default=table["float64"])


def _differences(f: Callable[..., Any], xs: Sequence[Any], vs: Sequence[Any], step: float) -> list[np.ndarray]:
    """(f(x + h v) - f(x - h v)) / 2h, on the host."""

    def at(h: float) -> list[np.ndarray]:
        moved = [
            from_host(np.asarray(wide(x) + h * wide(v)).astype(x.dtype), x.backend) for x, v in zip(xs, vs, strict=True)
        ]
        return [wide(y) for y in f(*moved)]

    return [np.asarray(above - below) / (2 * step) for above, below in zip(at(step), at(-step), strict=True)]


class _Check:
    """Tolerances, the step, and the source of random directions of one check."""

    def __init__(self, f: _Smooth, atol: float | None, rtol: float | None, eps: float | None, seed: int):
        arrays = [*f.primals, *f(*f.primals)]
        usual = _coarsest(_TOLERANCES, arrays)
        self.atol = usual if atol is None else atol
        self.rtol = usual if rtol is None else rtol
        self.eps = _coarsest(_STEPS, arrays) if eps is None else eps
        self.rng = np.random.default_rng(seed)

    def forward(self, f: Callable[..., Any], xs: Sequence[Any], where: str) -> list[Array]:
        """Check `jvp` of `f` at `xs`, and return the direction."""
        vs = [_random_like(x, self.rng) for x in xs]
        ys, dots = jvp(f, tuple(xs), tuple(vs))
        expected = _differences(f, xs, vs, self.eps)
        for i, (y, dot, e) in enumerate(zip(ys, dots, expected, strict=True)):
            _same_type(dot, y, f"{where}: tangent of result {i}")
            assert_close(dot, e, atol=self.atol, rtol=self.rtol, what=f"{where}: tangent of result {i}")
        return vs

    def reverse(self, f: Callable[..., Any], xs: Sequence[Any], where: str) -> list[Array]:
        """Check `vjp` of `f` at `xs`, and return the cotangents of the results."""
        vs = [_random_like(x, self.rng) for x in xs]
        ys, pull_back = vjp(f, *xs)
        cts = [_random_like(y, self.rng) for y in ys]
        bars = pull_back(tuple(cts))
        for i, (x, bar) in enumerate(zip(xs, bars, strict=True)):
            _same_type(bar, x, f"{where}: cotangent of argument {i}")
        found, size = _inner(bars, vs)
        expected, size_too = _inner(cts, _differences(f, xs, vs, self.eps))
        bound = self.atol + self.rtol * max(size, size_too)
        assert_close(found, expected, atol=bound, rtol=0, what=f"{where}: <cotangents of arguments, direction>")
        return cts

    def orders(self, f: Callable[..., Any], xs: Sequence[Any], order: int, modes: Sequence[str], where: str) -> None:
        """Check the derivative of `f`, then that of its derivative, and so on up to `order`."""
        n = len(xs)
        if "fwd" in modes:
            vs = self.forward(f, xs, f"{where}jvp")
            if order > 1:
                tangent = lambda *a: jvp(f, a[:n], a[n:])[1]  # noqa: E731
                self.orders(tangent, [*xs, *vs], order - 1, modes, f"{where}jvp, then ")
        if "rev" in modes:
            cts = self.reverse(f, xs, f"{where}vjp")
            if order > 1:
                gradient = lambda *a: vjp(f, *a[:n])[1](a[n:])  # noqa: E731
                self.orders(gradient, [*xs, *cts], order - 1, modes, f"{where}vjp, then ")


def _same_type(found: Any, like: Any, what: str) -> None:
    if found.shape != like.shape or found.dtype != like.dtype:
        raise AssertionError(f"{what} has type {found.type}, expected is {like.type}")


def check_grads(
    f: Callable[..., Any],
    args: Sequence[Any],
    order: int,
    modes: Sequence[str] | str = ("fwd", "rev"),
    atol: float | None = None,
    rtol: float | None = None,
    eps: float | None = None,
    *,
    seed: int = 0,
) -> None:
    """Check derivatives of `f` at `args` up to `order` against finite differences along a random direction.

    At each order beyond the first, the function that is checked is the derivative by each of the modes, so order 2 with
    both modes covers forward over forward, reverse over forward, forward over reverse and reverse over reverse.

    Args:
      f: takes and gives pytrees of arrays. Leaves that are not floating or complex stay as they are.
      args: its arguments.
      order: how often to differentiate, at least once.
      modes: of "fwd" and "rev".
      atol: absolute tolerance; by default what the step and the dtype explain.
      rtol: relative tolerance; likewise.
      eps: the step; by default for the coarsest dtype of the arguments and results (1e-5 for float64).
      seed: of the random directions.

    Raises:
      AssertionError: if a derivative is wrong in value or type; it says at which order.

    >>> import functorch_lite.numpy as fnp
    >>> check_grads(fnp.tanh, (0.5,), order=2)
    """
    unknown = {modes} - {"fwd", "rev"} if isinstance(modes, str) else set(modes) - {"fwd", "rev"}
    if unknown or order < 1:
        raise ValueError(f"check_grads takes modes of 'fwd' and 'rev' and an order from 1, got {modes!r} and {order}.")
    smooth = _Smooth(f, args)
    _Check(smooth, atol, rtol, eps, seed).orders(smooth, smooth.primals, order, modes, "")


def check_jvp(
    f: Callable[..., Any],
    args: Sequence[Any],
    *,
    atol: float | None = None,
    rtol: float | None = None,
    eps: float | None = None,
    seed: int = 0,
) -> None:
    """Check forward mode of `f` at `args`; arguments as of `check_grads`.

    >>> import functorch_lite.numpy as fnp
    >>> check_jvp(fnp.sin, (0.5,))
    """
    check_grads(f, args, 1, ("fwd",), atol, rtol, eps, seed=seed)


def check_vjp(
    f: Callable[..., Any],
    args: Sequence[Any],
    *,
    atol: float | None = None,
    rtol: float | None = None,
    eps: float | None = None,
    seed: int = 0,
) -> None:
    """Check reverse mode of `f` at `args`; arguments as of `check_grads`.

    >>> import functorch_lite.numpy as fnp
    >>> check_vjp(fnp.sin, (0.5,))
    """
    check_grads(f, args, 1, ("rev",), atol, rtol, eps, seed=seed)


def check_transpose(
    f: Callable[..., Any], args: Sequence[Any], *, atol: float = 1e-10, rtol: float = 1e-10, seed: int = 0
) -> None:
    """Check `linear_transpose` of `f`, linear in all of `args`: `<y_bar, f(x)> = <f^T y_bar, x>` for random y_bar.

    Args:
      f: takes and gives pytrees of arrays.
      args: its arguments, of floating or complex dtype.
      atol: absolute tolerance, for float64.
      rtol: tolerance relative to the sum of the absolute values of the terms.
      seed: of the cotangents.

    >>> import numpy as np
    >>> check_transpose(lambda x: x * 2.0, (np.ones(3),))
    """
    smooth = _Smooth(f, args)
    rng = np.random.default_rng(seed)
    ys = smooth(*smooth.primals)
    cts = [_random_like(y, rng) for y in ys]
    bars = linear_transpose(smooth, *smooth.primals)(tuple(cts))
    for i, (x, bar) in enumerate(zip(smooth.primals, bars, strict=True)):
        _same_type(bar, x, f"transpose: cotangent of argument {i}")
    expected, size = _inner(cts, ys)
    found, size_too = _inner(bars, smooth.primals)
    bound = atol + rtol * max(size, size_too)
    assert_close(found, expected, atol=bound, rtol=0, what="transpose: <f^T y_bar, x> against <y_bar, f(x)>")
