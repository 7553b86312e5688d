"""What must hold of the derivatives of every operation of the op table, whatever they are.

That they are right, finite differences show (`test_op_table.py`). Here: both modes are one linear map and its transpose, the
transpose's transpose is the map, transformations commute, and second derivatives are symmetric.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite import dtypes
from functorch_lite.arrays import from_host
from functorch_lite.testing import find_rows

DTYPE = np.dtype(np.float64)
ROWS = [r for r in find_rows("tests.op_table") if "float64" in r.dtypes and r.order and r.differentiable != ()]


def random_like(x: Any, rng: np.random.Generator) -> Any:
    value = rng.normal(size=x.shape)
    value = value + 1j * rng.normal(size=x.shape) if dtypes.is_complex(x.dtype) else value
    return from_host(np.asarray(value).astype(x.dtype))


def agree(found: Any, expected: Any, tolerance: float, law: str) -> None:
    for a, b in zip(fl.tree.leaves(found), fl.tree.leaves(expected), strict=True):
        size = np.abs(np.asarray(b)).max(initial=1)
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=tolerance, atol=tolerance * size, err_msg=law)


def inner(xs: Any, ys: Any) -> np.ndarray:
    return np.concatenate([np.real(np.asarray(x) * np.asarray(y)).ravel() for x, y in zip(xs, ys, strict=True)])


@pytest.mark.parametrize("row", [pytest.param(r, id=r.name) for r in ROWS])
def test_derivatives_keep_the_laws(row: Any) -> None:
    rng = np.random.default_rng(zlib.crc32(row.name.encode()))
    operands = [from_host(np.asarray(x)) for x in row.operands(rng, DTYPE)]
    named = range(len(operands)) if row.differentiable is None else row.differentiable
    moving = [i for i in named if dtypes.is_inexact(operands[i].dtype)]

    def f(*xs: Any) -> list[Any]:
        given = dict(zip(moving, xs, strict=True))
        out = row.call(*(given.get(i, x) for i, x in enumerate(operands)))
        return [y for y in (out if isinstance(out, (list, tuple)) else [out]) if dtypes.is_inexact(y.dtype)]

    at = tuple(operands[i] for i in moving)
    if not at or not f(*at):
        pytest.skip("nothing has a derivative")
    v, w = (tuple(random_like(x, rng) for x in at) for _ in range(2))
    results, pushed = fl.jvp(f, at, v)
    cts = [random_like(y, rng) for y in results]
    pulled = fl.vjp(f, *at)[1](cts)
    short = max(float(np.finfo(y.dtype).eps) if y.dtype.kind in "fc" else 2.0**-7 for y in results)
    tolerance = row.tolerance * max(1e-9, 8 * short)

    there, back = inner(cts, pushed), inner(pulled, v)
    assert abs(there.astype(float).sum() - back.astype(float).sum()) <= tolerance * (
        1 + abs(there).sum() + abs(back).sum()
    )
    linear = fl.linearize(f, *at)[1]
    agree(linear(*v), pushed, tolerance, "linearize is jvp")
    transposed = fl.linear_transpose(linear, *v)
    agree(transposed(cts), pulled, tolerance, "the transpose of the linear map is vjp")
    again = fl.linear_transpose(lambda *c: transposed(list(c)), *cts)
    agree(list(again(v)), pushed, tolerance, "the transpose of the transpose is the map")
    if row.vmap:
        stacked = [fnp.stack([x, x]) for x in at], [fnp.stack([c, 2 * c]) for c in cts]
        inside = fl.vmap(lambda xs, c: fl.vjp(f, *xs)[1](c))(*stacked)
        agree([x[0] for x in inside], list(pulled), tolerance, "vmap of vjp is vjp")
        agree(fl.vjp(fl.vmap(f), *stacked[0])[1](stacked[1]), inside, tolerance, "vjp of vmap is vmap of vjp")
    if row.order > 1:

        def second(v: Any, w: Any) -> Any:
            return fl.jvp(lambda *x: fl.jvp(f, x, v)[1], at, w)[1]

        def gradient(*xs: Any) -> Any:
            return fl.vjp(f, *xs)[1](cts)

        agree(second(v, w), second(w, v), 100 * tolerance, "second derivatives are symmetric")
        forward = fl.jvp(gradient, at, v)[1]
        agree(fl.vjp(gradient, *at)[1](v), forward, 100 * tolerance, "reverse over reverse is forward over reverse")
