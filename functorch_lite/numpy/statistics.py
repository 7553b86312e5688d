"""Weighted averages and covariances: statistics beyond the mean and the variance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .. import dtypes
from ..arrays import type_of
from ..direct import inexact
from ..errors import ArgumentError, ShapeError
from ..primitives import elementwise as e
from ..primitives.structural import broadcast_to, expand_dims, reshape
from ..promotion import as_operand, cast, promote
from .arithmetic import true_divide
from .axes import axes_of
from .contraction import matmul
from .creation import filled
from .diagonals import diagonal
from .joining import concatenate
from .moments import mean
from .operands import like
from .parts import conj, real
from .reductions import sum
from .shaping import moveaxis
from .shaping import reshape as reshape_to

__all__ = ["average", "corrcoef", "cov"]

Axis = int | Sequence[int] | None


def average(a: Any, axis: Axis = None, weights: Any = None, returned: bool = False, keepdims: bool = False) -> Any:
    """The weighted mean: sum(a weights) / sum(weights).

    Args:
      a: an array.
      axis: along which axis or axes; None: all.
      weights: of the shape of `a`, or one for each element along the axis; None: all are equal.
      returned: whether to give (average, sum of weights).
      keepdims: whether to leave the axes in, with length 1.
    """
    x = as_operand(a)
    axes = axes_of("average", axis, x.ndim)
    if weights is None:
        out = mean(x, axes, keepdims=keepdims)
        total = filled(math.prod(x.shape[i] for i in axes), tuple(out.shape), out.dtype)
    else:
        x, w = inexact(x, as_operand(weights))
        w = weights_like("average", x, w, axis)
        total = sum(w, axes, keepdims=keepdims)
        out = e.div(sum(e.mul(x, w), axes, keepdims=keepdims), total)
    return (out, total) if returned else out


def weights_like(name: str, x: Any, w: Any, axis: Axis) -> Any:
    """Weights in the shape of `x`, from that or from its lengths along the axes that are reduced."""
    if w.shape == x.shape:
        return w
    axes = axes_of(name, axis, x.ndim)
    if axis is None or tuple(x.shape[i] for i in axes) != tuple(w.shape):
        raise ShapeError(f"{name} of {type_of(x)}: weights {type_of(w)} need its shape, or its length along the axis.")
    others = (n for i, n in enumerate(x.shape) if i not in axes)
    return moveaxis(broadcast_to(w, (*others, *w.shape)), tuple(range(-len(axes), 0)), axes)


def cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: Any = None,
    aweights: Any = None,
    dtype: Any = None,
) -> Any:
    """The matrix of covariances of variables.

    Args:
      m: observations: float[variables, observations], or of one variable.
      y: further variables.
      rowvar: whether rows are variables; else columns are.
      bias: whether to divide by the count, not by the count less 1.
      ddof: what to take off the count; overrides `bias`.
      fweights: how often each observation was made.
      aweights: how much each observation counts.
      dtype: the dtype of the result, floating or complex.
    """
    if dtype is not None and not dtypes.is_inexact(dtypes.as_dtype(dtype)):
        raise ArgumentError(f"cov: dtype must be floating or complex, got {dtypes.as_dtype(dtype)}.")
    x = inexact(as_operand(m))[0] if dtype is None else cast(as_operand(m), dtypes.as_dtype(dtype))
    if x.ndim > 2:
        raise ShapeError(f"cov needs at most 2 axes, got {type_of(x)}.")

    def rows(v: Any) -> Any:
        if v.ndim < 2:
            return reshape(v, shape=(1, v.size))
        return v if rowvar else moveaxis(v, 0, 1)

    x = rows(x)
    if y is not None:
        x = concatenate([x, rows(as_operand(y))], 0)
    ddof = (0 if bias else 1) if ddof is None else ddof
    w = None
    for given in (fweights, aweights):
        if given is not None:
            g = cast(as_operand(given), dtypes.real_dtype(x.dtype))
            w = g if w is None else e.mul(w, g)
    if w is None:
        centre, norm = mean(x, 1, keepdims=True), like(x, x.shape[1] - ddof)
        weighted = centred = e.sub(*promote("cov", x, centre))
    else:
        wx = cast(w, x.dtype)
        centred = e.sub(*promote("cov", x, average(x, 1, broadcast_to(wx, x.shape), keepdims=True)))
        weighted = e.mul(centred, broadcast_to(wx, x.shape))
        total = sum(wx)
        taken = (
            like(x, ddof)
            if aweights is None
            else e.div(e.mul(like(x, ddof), sum(e.mul(wx, cast(as_operand(aweights), x.dtype)))), total)
        )
        norm = e.sub(total, taken)
    norm = e.max_(norm, like(norm, 0)) if not dtypes.is_complex(x.dtype) else norm
    out = true_divide(matmul(weighted, conj(moveaxis(centred, 0, 1))), norm)
    return reshape_to(out, ()) if out.shape == (1, 1) else out


def corrcoef(x: Any, y: Any = None, rowvar: bool = True, dtype: Any = None) -> Any:
    """The matrix of correlation coefficients: covariances divided by the standard deviations. Arguments as of `cov`."""
    c = cov(x, y, rowvar, dtype=dtype)
    if not c.ndim:
        return e.div(c, c)
    deviations = e.sqrt(real(diagonal(c)))
    c = true_divide(true_divide(c, expand_dims(deviations, 1)), expand_dims(deviations, 0))
    one = dtypes.real_dtype(c.dtype).type(1)
    clipped = e.min_(e.max_(real(c), -one), one)
    return e.complex_(clipped, e.imag(c)) if dtypes.is_complex(c.dtype) else clipped
