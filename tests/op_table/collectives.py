"""Rows of the collectives, each under a `vmap` that names the axis; and of constants."""

from __future__ import annotations

from typing import Any

import numpy as np

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite import lax
from functorch_lite.primitives.constants import Box, constant

from .row import Row, normal


def _mapped(f: Any) -> Any:
    return fl.vmap(f, axis_name="i")


def _everywhere(x: Any) -> Any:
    """What each of the members of the leading axis gets, if all get `x`."""
    return lambda rows: np.broadcast_to(x(rows), (rows.shape[0], *x(rows).shape))


_THREE = fnp.arange(3.0)

ROWS = [
    Row("psum", "psum", _mapped(lambda x: lax.psum(x, "i")), normal((4, 2)), _everywhere(lambda r: r.sum(0))),
    Row(
        "pmax",
        "pmax",
        _mapped(lambda x: lax.pmax(x, "i")),
        normal((4, 2)),
        _everywhere(lambda r: r.max(0)),
        differentiable=(),
    ),
    Row(
        "pmin",
        "pmin",
        _mapped(lambda x: lax.pmin(x, "i")),
        normal((5, 2)),
        _everywhere(lambda r: r.min(0)),
        differentiable=(),
    ),
    Row(
        "all_gather",
        "all_gather",
        _mapped(lambda x: lax.all_gather(x, "i", axis=1)),
        normal((4, 2)),
        _everywhere(lambda r: r.T),
    ),
    Row(
        "reduce_scatter",
        "reduce_scatter",
        _mapped(lambda x: lax.psum_scatter(x, "i")),
        normal((3, 3, 2)),
        lambda r: r.sum(0),
    ),
    Row(
        "ppermute",
        "ppermute",
        _mapped(lambda x: lax.ppermute(x, "i", [(0, 1), (1, 2), (2, 0)])),
        normal((3, 2)),
        lambda r: np.roll(r, 1, 0),
    ),
    Row(
        "axis_index",
        "axis_index",
        _mapped(lambda x: x + lax.axis_index("i")),
        normal((3,)),
        lambda r: (r + np.arange(3)).astype(r.dtype),
    ),
    Row(
        "constant",
        "constant",
        lambda x: x + fnp.astype(constant(value=Box(_THREE)), x.dtype),
        normal((3,)),
        lambda x: (x + np.arange(3)).astype(x.dtype),
    ),
]
