"""Pads, rolls and concatenations wide enough for an interior: the bits of eager mode, there and at the edges."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite import lax

from .checks import check

rng = np.random.default_rng(0)


def values(shape: Any, dtype: str) -> np.ndarray:
    x = rng.normal(size=shape) * 20
    return (x + 1j * rng.normal(size=shape) if dtype.startswith("complex") else x).astype(dtype)


def shifted(x: Any) -> Any:
    """Sums of neighbours, with nothing beyond the edges."""
    pads = [(x[..., 1:], (0, 1)), (x[..., :-2], (2, 0)), (x[..., 3:-1], (1, 3))]
    return [fnp.pad(y, [(0, 0)] * (x.ndim - 1) + [pad], constant_values=1) for y, pad in pads]


CASES = {
    "pads": lambda x: (lambda a, b, c: (a | b | c) if x.dtype == bool else a + b + c)(*shifted(x)),
    "rolls": lambda x: fnp.where(fnp.roll(x, 1, -1) == fnp.roll(x, -3, -1), x, fnp.roll(x, 5, -1)),
    "parts": lambda x: fnp.concatenate([x[..., :3], x, fnp.flip(x[..., 2:9], -1)], -1) != fnp.bool_(1),
    "equal parts": lambda x: fnp.concatenate([x, fnp.flip(x, 0), x[::-1], x], -1),
    "many parts": lambda x: fnp.concatenate([fnp.flip(x[..., k:], 0) for k in range(7)], -1),
    "edges": lambda x: fnp.where(
        fnp.pad(x, [(0, 0)] * (x.ndim - 1) + [(2, 1)], mode="edge")[..., 1:-2] == x, x, x[..., ::-1]
    ),
    "both axes": lambda x: fnp.pad(x[1:, 1:], ((1, 0), (1, 0))) == fnp.roll(x, (1, 1), (0, 1)),
    "two side by side": lambda x: fnp.stack([x, fnp.roll(x, 1, 0)], -1).reshape(7, -1),
    "three side by side": lambda x: (fnp.stack([x, x[::-1], x != x[:1]], -1), fnp.stack([x, x, x], -1) == x[..., None]),
    "four side by side": lambda x: fnp.stack([x, x[::-1], fnp.maximum(x.real, x[:1].real).astype(x.dtype), x], -1),
    "pads of pairs": lambda x: fnp.pad(x[..., None], ((0, 0), (0, 0), (1, 2))),
    "two results": lambda x: (fnp.roll(x, 1, -1), fnp.pad(x[..., :-1], [(0, 0)] * (x.ndim - 1) + [(1, 0)])),
}


@pytest.mark.parametrize("dtype", ["float32", "float64", "int8", "int64", "bool", "float16", "complex64"])
@pytest.mark.parametrize("case", CASES)
def test_interiors(case: str, dtype: str) -> None:
    for n in (100, 128, 257, 512, 1003):
        check(CASES[case], values((7, n), dtype))


@pytest.mark.parametrize("case", ["pads", "rolls", "parts", "edges"])
def test_shared_among_threads(case: str) -> None:
    check(CASES[case], values(200_003, "float32"))


@pytest.mark.parametrize("n", [96, 515, 40_001])
def test_sums(n: int) -> None:
    """Reductions over, along, and in memory, of what is guarded."""
    x = values((130, n), "float32")

    def f(x: Any) -> Any:
        y = fnp.pad(x[:, 2:], ((0, 0), (1, 1))) * fnp.roll(x, 1, 1)
        return y.sum(0), y.sum(1), y.max(1), y.sum(), fnp.exp(y / 1e4 - y.max(1, keepdims=True) / 1e4)

    for got, want in zip(fl.jit(f)(x), fl.jit(f, exact=True)(x), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5 * float(np.abs(np.asarray(want)).max()))


def test_what_rows_alone_decide_masks_no_lanes() -> None:
    """A row of a pad reads whole vectors or nothing; one of a roll reads from one place or another, once."""
    x = values((60, 700), "float32")
    pad = fl.jit(lambda x: fnp.pad(x, ((2, 1), (3, 4)))).lower(x).as_text("llvm")
    assert re.search(r"= load <\d+ x float>", pad)
    for roll in (lambda x: fnp.roll(x, 3, 0), lambda x: fnp.pad(x, ((3, 4), (0, 0)), mode="edge")):
        nest = fl.jit(roll).lower(x).as_text("loop nests")
        assert nest.count("f32 = b0[") == 1
        assert "f32 = select" not in nest
        check(roll, x)
        check(roll, values((60, 3), "float32"))
        check(lambda x, roll=roll: roll(x.T), values((70, 90), "complex64"))
        check(lambda x, roll=roll: (fnp.maximum(roll(x)[::2, ::-1], 0).max(1), roll(roll(x) * 2)), x)


@pytest.mark.parametrize("mode", ["edge", "reflect", "symmetric", "wrap"])
def test_borders_by_modes(mode: str) -> None:
    """Values are NumPy's, also of borders that are longer than the array; nothing is looked up in memory."""
    for shape, widths in {(5, 300): (3, 2), (4, 5): ((5, 0), (0, 17)), (3, 64): ((0, 1), (9, 1)), (1, 100): 7}.items():
        x = values(shape, "float32")
        pad = lambda x, widths=widths: fnp.pad(x, widths, mode=mode)  # noqa: E731
        np.testing.assert_array_equal(pad(x), np.pad(x, widths, mode=mode))  # type: ignore[call-overload]
        check(pad, x)
        weights = values(pad(x).shape, "float32").round()
        check(fl.grad(lambda x, pad=pad, w=weights: fnp.sum(pad(x) * w)), x)
        assert "gather" not in str(fl.make_program(pad)(x))
    short = values((2,), "float32")
    check(lambda x: fnp.pad(x, 99, mode=mode), short)
    np.testing.assert_array_equal(fnp.pad(short, 99, mode=mode), np.pad(short, 99, mode=mode))  # type: ignore[call-overload]


def test_in_place_in_loops() -> None:
    x = values((40, 300), "float32")
    step = lambda _, c: (fnp.roll(c[1], 1, 1) + c[0], fnp.pad(c[0][:, 1:], ((0, 0), (0, 1))) * 0.5)  # noqa: E731
    check(lambda x: lax.fori_loop(0, 9, step, (x, x + 1)), x)


@pytest.mark.parametrize("n", [2, 3, 4])
def test_few_elements_are_put_together_without_masks(n: int) -> None:
    """What a loop carries lies in registers then; a load by a mask would keep it in memory."""

    def f(x: Any) -> Any:
        return lax.fori_loop(0, 5, lambda i, x: x + fnp.concatenate([x[1:], -x[:1]]) * 0.1, x)

    assert "masked" not in fl.jit(f).lower(fnp.ones(n)).as_text("llvm")
    check(f, values((n,), "float32"))
