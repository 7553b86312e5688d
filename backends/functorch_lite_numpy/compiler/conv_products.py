"""Convolutions that are products of matrices: with windows of one element, or such that the window meets all places at once.

    for each group, for each image:  out[o, place] = sum over c of w[o, c] x[c, place]
    out[o, n] = sum over c, over places of  w[o, c, place] x[n, c, place]

The second is the gradient of the first by the filters, channels and images exchanged.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .contraction import Products
from .control import displaced
from .phases import Part
from .product_sums import ProductSum, sums_up
from .products import Axis, Product, merged
from .types import I64, constant
from .unit import Unit

__all__ = ["ConvolutionByProducts", "ProductPlan", "plan_of"]

SHORT = 16
"""Fewer columns side by side are better done by the loops of convolutions."""


class ProductPlan(NamedTuple):
    """The product that a convolution is, filters by places, or if `swapped`, places by filters; and what that is summed over."""

    product: Product
    outer: Axis | None


class ConvolutionByProducts:
    """Such a convolution.

    Attributes:
      scratch: how many bytes it needs.
      drafted: how much longer it takes in a draft, times its duration.
      duration_of_all: about how many nanoseconds one thread takes.
    """

    def __init__(self, unit: Unit, dtype: np.dtype, part: Part, plan: ProductPlan):
        self.part, self.size, self.swapped = part, dtype.itemsize, plan.product.swapped
        if plan.outer is None:
            made: Products | ProductSum = Products(unit, plan.product, (dtype, dtype, dtype))
        else:
            made = ProductSum(unit, plan.product, dtype, plan.outer)
        self.function, self.scratch = made.function, made.scratch
        self.drafted, self.duration_of_all = made.drafted, made.duration

    def call(self, b: Any, x: Any, w: Any, out: Any, scratch: Any) -> None:
        """Append it."""
        views = (self.part.x, self.part.w, self.part.out)
        x, w, out = (
            displaced(b, pointer, constant(I64, view.offset), self.size)
            for pointer, view in zip((x, w, out), views, strict=True)
        )
        b.call(self.function, [*((x, w) if self.swapped else (w, x)), out, scratch])


def plan_of(part: Part, dtype: np.dtype) -> ProductPlan | None:
    """How a convolution is done by products; None if it is not, or if the loops of convolutions do it as well."""
    axes = _axes(part)
    if axes is None:
        return None
    loops, filters, places, summed = axes
    plan = _of_axes(loops, filters, places, summed, dtype)
    if plan is not None:
        return plan
    loops, filters, places, summed = ([a.swapped() for a in some] for some in axes)
    plan = _of_axes(loops, places, filters, summed, dtype)
    return None if plan is None else plan._replace(product=plan.product._replace(swapped=True))


def _axes(part: Part) -> tuple[list[Axis], list[Axis], list[Axis], list[Axis]] | None:
    """The groups, the filters, the places (images among them), and what is summed over: strides in w, x and the result."""
    (x, w, out), groups = part[:3], part.params["groups"]
    if 0 in (*x.shape, *w.shape, *out.shape):
        return None
    channels, outputs = w.shape[1], w.shape[0] // groups
    loops = [Axis(groups, outputs * w.strides[0], channels * x.strides[1], outputs * out.strides[1])]
    filters = [Axis(outputs, w.strides[0], 0, out.strides[1])]
    places = [Axis(out.shape[0], 0, x.strides[0], out.strides[0])]
    summed = [Axis(channels, w.strides[1], x.strides[1], 0)]
    names = ("strides", "rhs_dilation", "padding", "lhs_dilation")
    for k, (stride, apart, (low, _), dilation) in enumerate(zip(*map(part.params.get, names), strict=True), start=2):
        window, length = w.shape[k], out.shape[k]
        if low != 0 or dilation != 1 or (length - 1) * stride + (window - 1) * apart >= x.shape[k]:
            return None
        if window == 1:
            places.append(Axis(length, 0, stride * x.strides[k], out.strides[k]))
        elif length == 1:
            summed.append(Axis(window, w.strides[k], apart * x.strides[k], 0))
        else:
            return None
    return loops, filters, places, summed


def _of_axes(
    loops: Sequence[Axis], rows: Sequence[Axis], columns: Sequence[Axis], summed: Sequence[Axis], dtype: np.dtype
) -> ProductPlan | None:
    """The products of some axes; None if results do not lie side by side along enough columns."""
    loops, rows, columns = merged(loops), merged(rows), merged(sorted(columns, key=lambda a: -a.z))
    *outer, k = merged(sorted(summed, key=lambda a: -a.y)) or [Axis(1, 1, 1, 0)]
    strides = [s for a in (*loops, *rows, *columns, *outer, k) for s in a[1:]]
    if len(rows) > 1 or not columns or columns[-1].z != 1 or columns[-1].length < SHORT or min(strides) < 0:
        return None
    around = sorted([*loops, *columns[:-1]], key=lambda a: a.y == 0)
    product = Product(tuple(around), rows[0] if rows else Axis(1, 0, 0, columns[-1].length), columns[-1], k)
    if not outer:
        return ProductPlan(product, None)
    return ProductPlan(product, outer[0]) if len(outer) == 1 and not around and sums_up(product, dtype) else None
