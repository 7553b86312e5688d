"""Elements of small groups, and backwards: read in a row and taken apart, never gathered; short last axes are done in line."""

from __future__ import annotations

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp

from .checks import check
from .test_turning import gathers, values

DTYPES = ["float32", "float64", "int8", "int16", "int64", "bool", "float16"]

CASES = {
    "backwards": lambda x: x[::-1],
    "rows backwards": lambda x: (x[:, ::-1], x[::-1, ::-1] == x),
    "some of each group": lambda x: [x.ravel()[k : x.size // 4 * 4 : 4] for k in range(4)],
    "every third": lambda x: (x[:, 1::3] == x[:, ::3][:, : x[:, 1::3].shape[1]], x[:, 2::-3]),
    "padded": lambda x: fnp.pad(x[:, ::-1], ((0, 0), (3, 40))),
    "beside": lambda x: fnp.concatenate([x[:, ::-2], x[:, ::-1], x[:, ::2]], 1),
    "of rows": lambda x: fnp.where(x[:, :1] == x.dtype.type(1), x[:, ::-1], x),
}
SHORT = {
    "backwards": lambda x: x[..., ::-1],
    "the axis before backwards": lambda x: x[:, ::-1],
    "both, and another": lambda x: (x[:, ::-1, ::-1], x[:, ::-1] == x),
    "of each": lambda x: x == fnp.arange(x.shape[-1]).astype(x.dtype),
    "cross": lambda x: fnp.stack([x[..., -1], x[..., 0]], -1),
    "of rows": lambda x: x[..., 1:] == x[..., :1],
    "extremes": lambda x: (x.max(-1), x.min(-1, keepdims=True) == x),
    "where": lambda x: (x == x.dtype.type(1)).any(-1),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", CASES)
def test_every_shape(case: str, dtype: str) -> None:
    for shape in ((64, 96), (137, 63), (5, 300), (3, 1005), (1024, 12), (2, 7)):
        check(CASES[case], values(shape, dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", SHORT)
def test_short_last_axes(case: str, dtype: str) -> None:
    for shape in ((7, 64, 2), (5, 37, 3), (16, 16, 4), (3, 401, 3), (2, 15, 3), (3, 130, 5)):
        check(SHORT[case], values(shape, dtype))


def test_several_phases_in_line() -> None:
    x = fnp.asarray(values((50, 33, 3), "float32"))
    for f in (
        fl.nn.softmax,
        lambda x: x / fnp.linalg.norm(x, axis=-1, keepdims=True),
        lambda x: x - x.mean(-1, keepdims=True),
    ):
        got, expected = fl.jit(f)(x), fl.jit(f, exact=True)(x)
        np.testing.assert_allclose(np.asarray(got), np.asarray(expected), rtol=1e-5, atol=1e-6)


def test_nothing_is_gathered() -> None:
    x, y, cube = values((137, 63), "float32"), values((900, 3), "float32"), values((20, 30, 3), "float64")
    for f, *args in (
        (lambda x: x[:, ::-1] * 2, x),
        (lambda x: x[:, ::3] + x[:, 2::3], x),
        (lambda y: fnp.cross(y, y[::-1]), y),
        (lambda y: y[:, 0] * y[:, 1] + y[:, 2], y),
        (lambda cube: cube[:, ::-1], cube),
        (lambda cube: (cube * cube).sum(-1), cube),
    ):  # fmt: skip
        assert gathers(f, *args) == 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(8, 698), (4, 10), (16, 23), (8, 122), (2, 1018), (8, 90)])
def test_kept_values_have_room_for_whole_vectors(shape, dtype):
    """The last vector of the last row reaches beyond it, into nothing else."""

    def f(x, y):
        kept = fnp.exp(x * y), fnp.tanh(x + y)
        return [a / abs(a).sum() for a in kept]

    x = np.random.default_rng(0).normal(size=shape).astype(dtype)
    for got, want in zip(fl.jit(f)(x, x[0]), f(fnp.asarray(x), fnp.asarray(x[0])), strict=True):
        np.testing.assert_allclose(np.asarray(got), np.asarray(want), rtol=1e-5)
