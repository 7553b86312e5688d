"""Convolutions with windows of one element: products of matrices.

for each group, for each image:  out[o, place] = sum over c of w[o, c] x[c, place]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .contraction import Products
from .control import displaced
from .phases import Part
from .products import Axis, Product, merged
from .types import I64, constant
from .unit import Unit

__all__ = ["Pointwise", "product_of"]

SHORT = 16
"""Fewer columns side by side are better done by the loops of convolutions."""


class Pointwise:
    """Such a convolution.

    Attributes:
      scratch: how many bytes it needs.
      drafted: how much longer it takes in a draft, times its duration.
      duration_of_all: about how many nanoseconds one thread takes.
    """

    def __init__(self, unit: Unit, dtype: np.dtype, part: Part, product: Product):
        self.part, self.size = part, dtype.itemsize
        self.products = products = Products(unit, product, (dtype, dtype, dtype))
        self.scratch, self.drafted, self.duration_of_all = products.scratch, products.drafted, products.duration

    def call(self, b: Any, x: Any, w: Any, out: Any, scratch: Any) -> None:
        """Append it."""
        views = (self.part.x, self.part.w, self.part.out)
        x, w, out = (
            displaced(b, pointer, constant(I64, view.offset), self.size)
            for pointer, view in zip((x, w, out), views, strict=True)
        )
        pair = (x, w) if self.products.product.swapped else (w, x)
        b.call(self.products.function, [*pair, out, scratch])


def product_of(part: Part) -> Product | None:
    """The products that a convolution is, filters by places; `swapped`: places by filters.

    None if it is none, or if the loops of convolutions do it as well.
    """
    (x, w, out), groups = part[:3], part.params["groups"]
    if 0 in (*x.shape, *w.shape, *out.shape):
        return None
    names = ("strides", "padding", "lhs_dilation")
    rows = zip(x.shape[2:], w.shape[2:], out.shape[2:], *(part.params[name] for name in names), strict=True)
    for n, window, length, stride, (low, _), dilation in rows:
        if (window, stride, low, dilation) != (1, 1, 0, 1) or length > n:
            return None
    channels, outputs = w.shape[1], w.shape[0] // groups
    loops = [Axis(groups, outputs * w.strides[0], channels * x.strides[1], outputs * out.strides[1])]
    filters = [Axis(outputs, w.strides[0], 0, out.strides[1])]
    places = [Axis(out.shape[k], 0, x.strides[k], out.strides[k]) for k in (0, *range(2, len(out.shape)))]
    summed = Axis(channels, w.strides[1], x.strides[1], 0)
    product = _of_axes(loops, filters, places, summed)
    if product is None:
        loops, places, filters = ([a.swapped() for a in axes] for axes in (loops, places, filters))
        product = _of_axes(loops, places, filters, summed.swapped())
        product = None if product is None else product._replace(swapped=True)
    return product


def _of_axes(loops: Sequence[Axis], rows: Sequence[Axis], columns: Sequence[Axis], summed: Axis) -> Product | None:
    """The products of some axes; None if results do not lie side by side along enough columns."""
    loops, rows, columns = merged(loops), merged(rows), merged(sorted(columns, key=lambda a: -a.z))
    strides = [s for a in (*loops, *rows, *columns, summed) for s in a[1:]]
    if len(rows) > 1 or not columns or columns[-1].z != 1 or columns[-1].length < SHORT or min(strides) < 0:
        return None
    around = sorted([*loops, *columns[:-1]], key=lambda a: a.y == 0)
    m = rows[0] if rows else Axis(1, 0, 0, 0)
    return Product(tuple(around), m, columns[-1], summed)
