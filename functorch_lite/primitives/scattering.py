"""Scatters that multiply, or keep the smaller or larger: not linear in operand and updates together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..arrays import type_of
from ..errors import UnsupportedError
from ..primitive import LinearOperand, NotLinear, Zero
from .base import add
from .elementwise import div, eq, max_, mul, select
from .gathering import Scatter, gather, read_params, scatter_add
from .structural import zeros

__all__ = ["scatter_max", "scatter_min", "scatter_mul"]


class ScatterMul(Scatter):
    """As `scatter`, but what is there is multiplied by the updates.

    The derivative by the updates needs `unique_indices=True`.
    """

    ufunc = "multiply"
    accepts = "iufc"

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        x, indices, updates = primals
        x_dot, _, updates_dot = tangents
        out = self(x, indices, updates, **params)
        terms = [] if isinstance(x_dot, Zero) else [self(x_dot, indices, updates, **params)]
        if not isinstance(updates_dot, Zero):
            if not params.get("unique_indices"):
                raise _repeats()
            terms.append(mul(x, scatter_add(zeros(type_of(x)), indices, updates_dot, **params)))
        if not terms:
            return out, Zero(out.type.tangent())
        return out, terms[0] if len(terms) == 1 else add(*terms)

    def transpose(self, ct: Any, operands: Sequence[Any], **params: Any) -> Sequence[Any]:
        x, indices, updates = operands
        if isinstance(ct, Zero):
            return [Zero(x.type) if isinstance(x, LinearOperand) else None for x in operands]
        if isinstance(x, LinearOperand):
            return [self(ct, indices, updates, **params), None, None]
        if not params.get("unique_indices"):
            raise _repeats()
        read = read_params(params, ct.shape, updates.type.shape)
        return [None, None, gather(mul(ct, x), indices, **read)]


def _repeats() -> UnsupportedError:
    return UnsupportedError(
        "scatter_mul has a derivative by its updates only where no index repeats: say unique_indices=True, as in "
        "x.at[i].multiply(v, unique_indices=True)."
    )


class _ScatterExtremum(NotLinear, Scatter):
    """As `scatter`, but the smaller (larger) of what is there and the update stays.

    In the derivative, those of old value and updates that are equal to the result share equally.
    """

    accepts = "biuf"

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        x, indices, updates = primals
        x_dot, _, updates_dot = tangents
        out = self(x, indices, updates, **params)
        if isinstance(x_dot, Zero) and isinstance(updates_dot, Zero):
            return out, Zero(out.type.tangent())
        zero, one = x.dtype.type(0), x.dtype.type(1)
        read = read_params(params, x.shape, updates.shape)
        nothing = zeros(type_of(x))
        won = select(eq(updates, gather(out, indices, **{**read, "fill_value": None})), zero, one)
        stayed = select(eq(x, out), zero, one)
        winners = max_(add(stayed, scatter_add(nothing, indices, won, **params)), one)
        terms = [] if isinstance(x_dot, Zero) else [mul(x_dot, div(stayed, winners))]
        if not isinstance(updates_dot, Zero):
            share = div(won, max_(gather(winners, indices, **read), one))
            terms.append(scatter_add(nothing, indices, mul(updates_dot, share), **params))
        return out, terms[0] if len(terms) == 1 else add(*terms)


class ScatterMin(_ScatterExtremum):
    __doc__ = _ScatterExtremum.__doc__
    ufunc = "minimum"


class ScatterMax(_ScatterExtremum):
    __doc__ = _ScatterExtremum.__doc__
    ufunc = "maximum"


scatter_mul = ScatterMul("scatter_mul")
scatter_min = ScatterMin("scatter_min")
scatter_max = ScatterMax("scatter_max")
