"""Random programs on booleans, integers, floats and complex numbers, with loops and branches that hold programs.

They run eagerly, compiled, exactly compiled, in batches, by threads that share the least work, as drafts and final editions,
and by another backend; their derivatives, of either mode, agree with each other and with finite differences.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite import dtypes
from functorch_lite.checking import check
from functorch_lite.passes import simplify

from .native.conftest import fresh_code as fresh_code
from .program_steps import Program, function, inputs, programs

modest = settings(
    max_examples=8, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
seeds = st.integers(0, 99)


def agree(found: Any, expected: Any, tolerance: float = 1e-8) -> None:
    """Equal dtypes, shapes and exact numbers; others within what their dtype allows."""
    pairs = zip(fl.tree.leaves(found), fl.tree.leaves(expected), strict=True)
    for a, b in ((np.asarray(x), np.asarray(y)) for x, y in pairs):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        if dtypes.is_inexact(a.dtype):
            size = np.abs(b[np.isfinite(b)]).max(initial=1)
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * size)
        else:
            np.testing.assert_array_equal(a, b)


def same(found: Any, expected: Any) -> None:
    for a, b in zip(fl.tree.leaves(found), fl.tree.leaves(expected), strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


def arrays(seed: int) -> list[Any]:
    return [fnp.asarray(x) for x in inputs(seed)]


def digits(f: Callable[..., Any], xs: list[Any]) -> float:
    """How well results agree: less well where the program has 32-bit floats in it."""
    return 1e-4 if "f32" in str(fl.make_jaxpr(f)(*xs)) else 1e-8


def parts(tree: Any, i: int) -> Any:
    return fl.tree.map(lambda x: x[i], tree)


@modest
@given(programs, seeds)
def test_compiled_is_eager(program: Program, seed: int) -> None:
    f, xs = function(program), arrays(seed)
    eager = f(*xs)
    same(fl.jit(f, exact=True)(*xs), eager)
    agree(fl.jit(f)(*xs), eager, digits(f, xs))
    closed = fl.make_program(f)(*xs)
    check(closed.program)
    check(simplify(closed.program))


@modest
@given(programs, seeds)
def test_batches(program: Program, seed: int) -> None:
    f, draws = function(program), [arrays(seed), arrays(seed + 100)]
    tolerance = digits(f, draws[0])
    rows = [f(*xs) for xs in draws]
    stacked = [fnp.stack(pair) for pair in zip(*draws, strict=True)]
    together = fl.vmap(f)(*stacked)
    for i, row in enumerate(rows):
        agree(parts(together, i), row, tolerance)
    agree(fl.jit(fl.vmap(f))(*stacked), together, tolerance)
    last = [fnp.moveaxis(x, 0, -1) for x in stacked]
    alone = fl.vmap(f, in_axes=(-1, -1, -1, None))(*last[:3], draws[0][3])
    agree(parts(alone, 0), rows[0], tolerance)


class Derivative:
    """The inexact results of a program as a function of its inexact operands, at a point, along a direction."""

    def __init__(self, program: Program, seed: int):
        f, xs = function(program), arrays(seed)
        self.f: Callable[..., Any] = lambda a, z: [y for y in f(a, xs[1], z, xs[3]) if dtypes.is_inexact(y.dtype)]
        self.at = (xs[0], xs[2])
        self.tolerance = max(digits(f, xs), 1e-7)
        self.rng = np.random.default_rng(seed)
        self.along = tuple(map(self.like, self.at))
        self.results, self.tangents = fl.jvp(self.f, self.at, self.along)
        self.weights = [self.like(y) for y in self.results]
        self.bars = fl.vjp(self.f, *self.at)[1](self.weights)
        self.finite = all(np.isfinite(np.asarray(t)).all() for t in self.tangents)

    def like(self, x: Any) -> Any:
        out = self.rng.normal(size=x.shape)
        return fnp.asarray(out + 1j * self.rng.normal(size=x.shape) if dtypes.is_complex(x.dtype) else out).astype(
            x.dtype
        )

    def differences(self, step: float) -> list[np.ndarray]:
        there, back = (self.f(*(x + h * d for x, d in zip(self.at, self.along, strict=True))) for h in (step, -step))
        return [(np.asarray(a) - np.asarray(b)) / (2 * step) for a, b in zip(there, back, strict=True)]

    def is_steep(self, step: float) -> bool:
        """Whether finite differences of that step agree with the tangents."""
        pairs = [(a, np.asarray(b)) for a, b in zip(self.differences(step), self.tangents, strict=True)]
        return all(np.allclose(a, b, rtol=1e-4, atol=1e-4 * (1 + np.abs(b).max(initial=0))) for a, b in pairs)


def inner(xs: Any, ys: Any) -> np.ndarray:
    """The terms of an inner product, without conjugation."""
    return np.concatenate([np.real(np.asarray(x) * np.asarray(y)).ravel() for x, y in zip(xs, ys, strict=True)])


@modest
@given(programs, seeds)
def test_derivatives(program: Program, seed: int) -> None:
    d = Derivative(program, seed)
    if not d.finite:
        return
    f, at, along, weights = d.f, d.at, d.along, d.weights
    pushed, pulled = inner(weights, d.tangents), inner(d.bars, along)
    assert abs(pushed.sum() - pulled.sum()) <= d.tolerance * (1 + abs(pushed).sum() + abs(pulled).sum())
    if d.tolerance < 1e-6:  # a kink or a jump may lie between the points
        assert any(map(d.is_steep, (1e-6, 1e-7, 3e-8, 1e-5)))
    agree(fl.linearize(f, *at)[1](*along), d.tangents, d.tolerance)
    agree(fl.jit(lambda x, t: fl.jvp(f, x, t)[1])(at, along), d.tangents, d.tolerance)
    agree(fl.jit(lambda x, w: fl.vjp(f, *x)[1](w))(at, weights), d.bars, d.tolerance)
    for wrapped in (fl.jit(f), fl.checkpoint(f)):
        agree(fl.vjp(wrapped, *at)[1](weights), d.bars, d.tolerance)
    twice = [[fnp.stack([x, c * x]) for x in xs] for xs, c in ((at, 1), (weights, 2))]
    agree(parts(fl.vmap(lambda x, w: fl.vjp(f, *x)[1](w))(*twice), 0), list(d.bars), d.tolerance)


@settings(modest, max_examples=8)
@given(programs, seeds)
def test_second_derivatives(program: Program, seed: int) -> None:
    d = Derivative(program, seed)
    if not d.finite or d.tolerance > 1e-6:
        return
    total = lambda a: sum(fnp.sum(fnp.real(y)) for y in d.f(a, d.at[1]))  # noqa: E731
    hessian = np.asarray(fl.jacfwd(fl.grad(total))(d.at[0])).reshape(6, 6)
    if np.isfinite(hessian).all():
        agree(hessian, hessian.T, 1e-7)
        for again in (fl.jacrev(fl.grad(total)), fl.jit(fl.jacrev(fl.jacfwd(total)))):
            agree(np.asarray(again(d.at[0])).reshape(6, 6), hessian, 1e-6)


@settings(modest, max_examples=8)
@given(programs, seeds)
def test_another_backend(stranger: Any, program: Program, seed: int) -> None:
    f, xs = function(program), arrays(seed)
    eager = f(*xs)
    with fl.use_backend("strict"):
        there = [fl.device_put(x, "strict") for x in xs]
        agree(fl.jit(f)(*there), eager, digits(f, xs))


@pytest.fixture
def least_shared(fresh_code: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Threads share whatever takes longer than a nanosecond."""
    from functorch_lite_numpy import set_threads
    from functorch_lite_numpy.compiler import pieces

    monkeypatch.setattr(pieces.turns_of, "__defaults__", (1.0,))
    for name, module in list(sys.modules.items()):
        if name.startswith("functorch_lite_numpy.compiler."):
            for constant in {"WORTH_SHARING", "PIECE"} & vars(module).keys():
                monkeypatch.setattr(module, constant, 1.0)
    set_threads(3)
    yield
    set_threads(None)


@modest
@given(programs, seeds)
def test_threads_that_share_the_least_work(least_shared: None, program: Program, seed: int) -> None:
    f, xs = function(program), arrays(seed)
    agree(fl.jit(f)(*xs), f(*xs), digits(f, xs))


@modest
@given(programs, seeds)
def test_drafts_and_final_editions(fresh_code: None, program: Program, seed: int) -> None:
    """They give the same bits."""
    from functorch_lite_numpy.compiler import editions

    tasks: list[Callable[[], None]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FUNCTORCH_LITE_DRAFTS", "on")
        patch.setattr(editions, "afterwards", lambda task: tasks.append(task))
        jitted, xs = fl.jit(function(program)), arrays(seed)
        draft = jitted(*xs)
        while tasks:
            tasks.pop()()
        same(jitted(*xs), draft)
