"""`dot_general` as a product of matrices with loops around it: which axes are what, and how they lie in memory.

    for each loop:  z[m, n] = sum over k of x[m, k] y[k, n]

Each axis has a stride in each of x, y and z (0: it is not there). What cannot be addressed that way is copied first,
one matrix at a time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from functorch_lite.extend import Equation

from .views import strides_of

__all__ = ["Axis", "Product", "merged", "product"]


class Axis(NamedTuple):
    """A length, and the strides in elements."""

    length: int
    x: int
    y: int
    z: int

    def swapped(self) -> Axis:
        return Axis(self.length, self.y, self.x, self.z)


ONE = Axis(1, 0, 0, 0)


class Product(NamedTuple):
    """A product of matrices, with loops around it.

    Attributes:
      loops: outermost first; those that y varies along come before those that it does not.
      m, n, k: rows, columns, and what is summed over; their strides are those after copying.
      copy_x, copy_y: the axes of the operand in the order in which they are copied; None if it is used as it lies.
      swapped: whether x is the second operand of the equation.
      words: whether two terms are multiplied at a time (`words.py`); then k counts such pairs.
      odd: whether the last of them is one term alone.
    """

    loops: tuple[Axis, ...]
    m: Axis
    n: Axis
    k: Axis
    copy_x: tuple[Axis, ...] | None = None
    copy_y: tuple[Axis, ...] | None = None
    swapped: bool = False
    words: bool = False
    odd: bool = False

    @property
    def size(self) -> int:
        return self.m.length * self.n.length * self.k.length

    def copying_x(self) -> Product:
        """With x copied to [m, k], contiguous."""
        m, k = self.m._replace(x=self.k.length), self.k._replace(x=1)
        return self._replace(m=m, k=k, copy_x=(self.m, self.k))

    def copying_y(self) -> Product:
        """With y copied to [k, n], contiguous."""
        k, n = self.k._replace(y=self.n.length), self.n._replace(y=1)
        return self._replace(k=k, n=n, copy_y=(self.k, self.n))


def merged(axes: Sequence[Axis]) -> list[Axis]:
    """Neighbours made one where each address runs on from the one into the other; axes of length 1 are left out."""
    out: list[Axis] = []
    for a in axes:
        if a.length == 1:
            continue
        if out and all(s == a.length * t for s, t in zip(out[-1][1:], a[1:], strict=True)):
            out[-1] = Axis(out[-1].length * a.length, *a[1:])
        else:
            out.append(a)
    return out


def _axes(equation: Equation) -> tuple[list[Axis], list[Axis], list[Axis], list[Axis]]:
    """The batch's axes, x's own, y's own and those summed over."""
    (xc, yc), (xb, yb) = equation.params["dimension_numbers"]
    x, y = (a.type for a in equation.operands)
    z = equation.results[0].type
    sx, sy, sz = (strides_of(t.shape) for t in (x, y, z))
    x_own = [i for i in range(x.ndim) if i not in (*xc, *xb)]
    y_own = [j for j in range(y.ndim) if j not in (*yc, *yb)]
    batch = [Axis(x.shape[i], sx[i], sy[j], sz[d]) for d, (i, j) in enumerate(zip(xb, yb, strict=True))]
    rows = [Axis(x.shape[i], sx[i], 0, sz[len(batch) + d]) for d, i in enumerate(x_own)]
    columns = [Axis(y.shape[j], 0, sy[j], sz[len(batch) + len(rows) + d]) for d, j in enumerate(y_own)]
    summed = [Axis(x.shape[i], sx[i], sy[j], 0) for i, j in zip(xc, yc, strict=True)]
    return batch, rows, columns, summed


def product(equation: Equation) -> Product:
    """The contraction as products of matrices. All lengths are at least 1."""
    loops, rows, columns, summed = _axes(equation)
    loops, rows, columns = merged(loops), merged(rows), merged(columns)
    swapped = not columns and bool(rows)
    if swapped:
        rows, columns = columns, [a.swapped() for a in rows]
        loops, summed = [a.swapped() for a in loops], [a.swapped() for a in summed]
    order, x_runs_on, y_runs_on = _order(summed)
    copy_x = None if x_runs_on else (*rows, *order)
    copy_y = None if y_runs_on else (*order, *columns)
    height = math.prod(a.length for a in rows)
    if len(columns) > 1 and height > 4 and columns[-1].length < 16:  # rather than many short products
        copy_y = (*order, *columns)
    if copy_x is not None and len(rows) > 1:
        rows = [Axis(height, 0, 0, rows[-1].z)]
    if copy_y is not None and len(columns) > 1:
        columns = [Axis(math.prod(a.length for a in columns), 0, 0, 1)]
    m, more_rows = _largest(rows)
    n, more_columns = (columns[-1], columns[:-1]) if columns else (ONE, [])
    k = Axis(math.prod(a.length for a in order), *order[-1][1:]) if order else ONE
    if copy_x is not None:
        m, k = m._replace(x=k.length), k._replace(x=1)
    if copy_y is not None:
        k, n = k._replace(y=n.length), n._replace(y=1)
    around = sorted([*loops, *more_columns, *more_rows], key=lambda a: a.y == 0)
    return Product(tuple(around), m, n, k, copy_x, copy_y, swapped)


def _order(summed: Sequence[Axis]) -> tuple[list[Axis], bool, bool]:
    """An order of the axes that are summed over, and whether they are one axis then in x, and in y."""
    if len(summed) == 1:
        return merged(summed), True, True
    orders = [merged(sorted(summed, key=lambda a: -a.x)), merged(sorted(summed, key=lambda a: -a.y))]
    best = max(orders, key=lambda order: sum(_runs_on(order)))
    return best, *_runs_on(best)


def _runs_on(order: Sequence[Axis]) -> tuple[bool, bool]:
    in_x, in_y = (len(merged([a._replace(**{other: 0}) for a in order])) <= 1 for other in ("y", "x"))
    return in_x, in_y


def _largest(axes: list[Axis]) -> tuple[Axis, list[Axis]]:
    """The longest axis, and the others."""
    if not axes:
        return ONE, []
    i = max(range(len(axes)), key=lambda i: axes[i].length)
    return axes[i], axes[:i] + axes[i + 1 :]
