"""Rows of reductions over windows, against loops."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from functorch_lite.primitives import pooling as p

from .row import NUMERIC, REALS, Row, normal
from .sorting import distinct

Axes = tuple[int, ...]
Window = dict[str, Any]


def _window(
    window: Axes, strides: Axes | None = None, padding: Any = None, base: Any = None, dilation: Any = None
) -> Window:
    once = (1,) * len(window)
    return {
        "window": window,
        "strides": strides or once,
        "padding": padding or ((0, 0),) * len(window),
        "base_dilation": base or once,
        "window_dilation": dilation or once,
    }


CASES: list[tuple[str, Axes, Window]] = [
    ("apart", (4, 6), _window((2, 3), (2, 3))),
    ("overlapping", (4, 4), _window((2, 3))),
    ("strided", (5, 4), _window((2, 2), (1, 2))),
    ("padded", (3, 4), _window((2, 3), (1, 2), ((0, 0), (1, 2)))),
    ("along a line", (5,), _window((3,), (2,))),
    ("in volumes", (2, 3, 3), _window((2, 2, 1), (1, 1, 2))),
    ("dilated windows", (5, 4), _window((2, 2), (1, 1), ((1, 0), (0, 1)), dilation=(3, 2))),
    ("dilated operand", (3, 3), _window((3, 2), (2, 1), ((1, 1), (0, 1)), base=(2, 2))),
    ("cut at the sides", (5, 4), _window((2, 2), (1, 1), ((-1, 0), (-1, 1)))),
    ("of one element", (3, 2), _window((1, 1), (2, 1))),
]
"""Windows that meet an element each: the extreme of none is infinite."""


def _windows(x: Any, w: Window) -> Iterator[tuple[Axes, Axes, list[Axes]]]:
    """The shape of the result; for each window, its place there, and the places of x that it meets, in order."""
    names = ("window", "strides", "padding", "base_dilation", "window_dilation")
    lengths = [
        (1 + bd * (n - 1) + a + b - (1 + wd * (k - 1))) // s + 1
        for n, k, s, (a, b), bd, wd in zip(x.shape, *(w[name] for name in names), strict=True)
    ]
    for at in np.ndindex(*lengths):
        places = []
        for k in np.ndindex(*w["window"]):
            terms = zip(at, w["strides"], k, w["window_dilation"], w["padding"], strict=True)
            spot = [i * s + j * d - low for i, s, j, d, (low, _) in terms]
            inside = zip(spot, w["base_dilation"], x.shape, strict=True)
            if all(v % d == 0 and 0 <= v // d < n for v, d, n in inside):
                places.append(tuple(v // d for v, d in zip(spot, w["base_dilation"], strict=True)))
        yield tuple(lengths), at, places


def _sum(values: Any) -> Any:
    return values.sum(dtype=np.float64 if values.dtype.kind in "fV" else None)


def _reduced(function: Callable[[Any], Any], w: Window) -> Callable[..., Any]:
    def reference(x: Any) -> Any:
        results = [(shape, function(np.array([x[i] for i in places]))) for shape, _, places in _windows(x, w)]
        return np.array([y for _, y in results]).reshape(results[0][0]).astype(x.dtype)

    return reference


def _number(w: Window, place: Axes, at: Axes) -> int:
    """The number, within the window at `at`, of the element of x at `place`."""
    terms = zip(place, w["base_dilation"], w["padding"], at, w["strides"], w["window_dilation"], strict=True)
    k = [(i * d + low - j * s) // wd for i, d, (low, _), j, s, wd in terms]
    return int(np.ravel_multi_index(k, w["window"]))


def _numbers(w: Window, largest: bool) -> Callable[..., Any]:
    """For each window, the number of its first extreme."""

    def reference(x: Any) -> Any:
        found = []
        shape: Axes = ()
        for shape, at, places in _windows(x, w):  # noqa: B007
            found.append(_number(w, (max if largest else min)(places, key=lambda i: x[i]), at))
        return np.array(found).reshape(shape).astype(np.uint8)

    return reference


def _picked(w: Window) -> Callable[..., Any]:
    def reference(t: Any, number: Any) -> Any:
        out = np.zeros(number.shape, t.dtype)
        for _, at, places in _windows(t, w):
            for i in places:
                if _number(w, i, at) == number[at]:
                    out[at] = t[i]
        return out

    return reference


def _put(w: Window, shape: Axes) -> Callable[..., Any]:
    def reference(t: Any, number: Any) -> Any:
        out = np.zeros(shape, t.dtype)
        for _, at, places in _windows(out, w):
            for i in places:
                if _number(w, i, at) == number[at]:
                    out[i] += t[at]
        return out

    return reference


def _with_jax(name: str, init: Callable[[Any, Any], Any], w: Window) -> Callable[..., Any]:
    args = [w[key] for key in ("window", "strides", "padding", "base_dilation", "window_dilation")]

    def theirs(jax: Any, jnp: Any, lax: Any) -> Callable[..., Any]:
        return lambda x: lax.reduce_window(x, init(jnp, x.dtype), getattr(lax, name), *args)

    return theirs


def _lowest(jnp: Any, dtype: Any) -> Any:
    return dtype.type(-np.inf) if jnp.issubdtype(dtype, jnp.floating) else dtype.type(np.iinfo(dtype).min)


def _highest(jnp: Any, dtype: Any) -> Any:
    return dtype.type(np.inf) if jnp.issubdtype(dtype, jnp.floating) else dtype.type(np.iinfo(dtype).max)


def _rows(what: str, shape: Axes, w: Window, among: Any, numbers: Any) -> list[Row]:
    def zero(jnp: Any, dtype: Any) -> Any:
        return dtype.type(0)

    def row(name: str, operands: Any, reference: Any, dtypes: Any, theirs: Any) -> Row:
        primitive = getattr(p, name)
        return Row(f"{name} {what}", name, lambda x: primitive(x, **w), operands, reference, dtypes, jax=theirs)

    return [
        row("reduce_window_sum", normal(shape), _reduced(_sum, w), numbers, _with_jax("add", zero, w)),
        row("reduce_window_max", distinct(shape), _reduced(np.max, w), among, _with_jax("max", _lowest, w)),
        row("reduce_window_min", distinct(shape), _reduced(np.min, w), among, _with_jax("min", _highest, w)),
    ]


def _moving(what: str, shape: Axes, w: Window) -> list[Row]:
    lengths = next(_windows(np.zeros(shape), w))[0]
    size = int(np.prod(w["window"]))
    among = ("bfloat16", "float32", "float64")

    def ties(rng: np.random.Generator, dtype: np.dtype) -> tuple[np.ndarray]:
        return (rng.integers(0, 3, shape).astype(dtype),)

    def numbered(of: Axes) -> Callable[..., Any]:
        def make(rng: np.random.Generator, dtype: np.dtype) -> tuple[np.ndarray, ...]:
            return (*normal(of)(rng, dtype), rng.integers(0, size, lengths).astype(np.uint8))

        return make

    def place(largest: bool) -> Callable[..., Any]:
        return lambda x: p.window_place(x, largest=largest, **w)

    def pick(t: Any, number: Any) -> Any:
        return p.window_pick(t, number, **w)

    def put(t: Any, number: Any) -> Any:
        return p.window_put(t, number, shape=shape, **w)

    return [
        Row(f"window_place {what}", "window_place", place(True), ties, _numbers(w, True), REALS),
        Row(f"window_place {what}, smallest", "window_place", place(False), ties, _numbers(w, False), among),
        Row(f"window_pick {what}", "window_pick", pick, numbered(shape), _picked(w), among, differentiable=(0,)),
        Row(f"window_put {what}", "window_put", put, numbered(lengths), _put(w, shape), among, differentiable=(0,)),
    ]


FLOAT = ("float32", "float64")

ROWS = [
    *_rows(*CASES[0], REALS, NUMERIC),
    *(row for case in CASES[1:] for row in _rows(*case, FLOAT, FLOAT)),
    *(row for case in CASES for row in _moving(*case)),
]
