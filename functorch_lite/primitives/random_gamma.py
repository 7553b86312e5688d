"""Gamma variates from keys, by rejection: each element has a key of its own, and takes from it as often as it must.

G. Marsaglia, W. W. Tsang: "A simple method for generating gamma variables" (2000). With d = a - 1/3 and
c = 1 / sqrt(9 d), d v is a variate where v = (1 + c x)^3, x is normal, and a uniform u says that it is taken. A shape a
below 1 is raised by one; a factor u^(1/a) makes up for it. The keys are used as `jax.random.gamma` uses them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import dtypes
from ..array_type import ArrayType
from ..errors import DTypeError, ShapeError
from ..primitive import NotLinear, Primitive, Zero
from .arithmetic import const, div, mul, select
from .arithmetic import eq as equal
from .random_bits import split_words
from .random_floats import normal_floats, uniform_floats
from .special import random_gamma_grad
from .structural import move_to_front
from .transcendental import exp

__all__ = ["random_gamma"]


def _column(keys: Any, i: int) -> Any:
    return keys[:, i, :]


def _cube_root(xp: Any, keys: Any, c: Any) -> tuple[Any, Any]:
    """The first normal x under each key for which 1 + c x is positive; and that."""
    x = v = xp.zeros_like(c)
    todo = None
    while True:
        both = split_words(xp, keys, (2,))
        keys = _column(both, 0)
        drawn = normal_floats(xp, _column(both, 1), (), c.dtype)
        if todo is None:
            x = drawn
        else:
            x = xp.where(todo, drawn, x)
        v = 1 + x * c
        todo = v <= 0
        if not xp.any(todo):
            return x, v


def _attempt(xp: Any, keys: Any, d: Any, c: Any) -> tuple[Any, Any, Any]:
    """For each element: keys for the next attempt, v, and whether it is taken."""
    three = split_words(xp, keys, (3,))
    x, root = _cube_root(xp, _column(three, 1), c)
    v = root * root * root
    square = x * x
    u = uniform_floats(xp, _column(three, 2), (), d.dtype)
    taken = (u < 1 - 0.0331 * (square * square)) | (xp.log(u) < square * 0.5 + d * ((1 - v) + xp.log(v)))
    return _column(three, 0), v, taken


def _accepted(xp: Any, keys: Any, d: Any, c: Any) -> Any:
    """V of the first attempt that is taken, for each element; attempts go on for those only that need them."""
    where = xp.arange(d.shape[0])
    places, values = [], []
    while True:
        keys, v, taken = _attempt(xp, keys, d, c)
        places.append(where[taken])
        values.append(v[taken])
        left = ~taken
        if not xp.any(left):
            break
        keys, d, c, where = keys[left, :], d[left], c[left], where[left]
    if len(places) == 1:
        return values[0]
    return xp.take(xp.concat(values), xp.argsort(xp.concat(places)), axis=0)


class RandomGamma(NotLinear, Primitive):
    """keys u32[*shape, 2], a f[*shape] -> variates of shapes `a`; their logarithm if `log_space`."""

    of_dtype = True

    def infer(self, keys: ArrayType, a: ArrayType, *, log_space: bool) -> ArrayType:
        if not dtypes.is_floating(a.dtype) or keys.dtype != dtypes.uint32:
            raise DTypeError(f"{self.name} takes keys u32[..., 2] and floats, got {keys} and {a}.")
        if keys.shape != (*a.shape, 2):
            raise ShapeError(f"{self.name} needs a key for each element, got {keys} for {a}.")
        return ArrayType(a.shape, a.dtype)

    def impl(self, xp: Any, keys: Any, a: Any, *, log_space: bool) -> Any:
        shape, dtype = a.shape, a.dtype
        keys = xp.reshape(keys, (-1, 2))
        a = xp.astype(xp.reshape(xp.asarray(a), (-1,)), dtypes.accumulator_dtype(dtype))
        if not a.shape[0]:
            return xp.reshape(xp.astype(a, dtype), shape)
        large = a >= 1
        valid = a > 0  # not NaN: an element without a variate would never be done
        d = xp.where(valid, xp.where(large, a, a + 1), xp.ones_like(a)) - 1 / 3
        c = (1 / 3) / xp.sqrt(d)
        both = split_words(xp, keys, (2,))
        v = _accepted(xp, _column(both, 0), d, c)
        u = uniform_floats(xp, _column(both, 1), (), a.dtype)
        safe = xp.where(valid, a, xp.ones_like(a))
        if log_space:
            log_u = xp.log1p(-u)
            out = (xp.log(d) + xp.log(v)) + xp.where(large | (log_u == 0), xp.zeros_like(a), log_u * (1 / safe))
        else:
            out = d * v * xp.where(large, xp.ones_like(a), (1 - u) ** (1 / safe))
        out = xp.where(valid, out, xp.full_like(out, float("nan")))
        return xp.reshape(xp.astype(out, dtype), shape)

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], *, log_space: bool) -> tuple[Any, Any]:
        keys, a = primals
        out = self(keys, a, log_space=log_space)
        if isinstance(tangents[1], Zero):
            return out, Zero(out.type.tangent())
        return out, mul(tangents[1], _by_shape(a, out, log_space))

    def batch(self, axis: Any, operands: Sequence[Any], dims: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        return self(*(move_to_front(x, d, axis.size) for x, d in zip(operands, dims, strict=True)), **params), 0


def _by_shape(a: Any, out: Any, log_space: bool) -> Any:
    """The derivative of a variate by its shape, through the equation igamma(a, variate) = constant."""
    if not log_space:
        return random_gamma_grad(a, out)
    tiny = const(out, dtypes.finfo(out.dtype).tiny)
    x = exp(out)
    x = select(equal(x, const(x, 0)), x, tiny)
    return div(random_gamma_grad(a, x), x)


random_gamma = RandomGamma("random_gamma")
