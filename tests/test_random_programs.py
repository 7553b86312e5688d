"""Programs made by hypothesis: eager against jit against derivatives by finite differences against batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import numpy as np
from hypothesis import HealthCheck, given, settings

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite import lax
from functorch_lite.checking import check
from functorch_lite.passes import simplify

N = 3
"""All values in a program are vectors of this length: operations keep it."""

APART = fnp.asarray(np.array([0.0, 0.011, 0.023]))
"""Added to a vector, so that no two of its elements are the same: what orders them has no derivative there."""


@fl.custom_jvp
def ruled(x: Any) -> Any:
    return fnp.sin(x) * x


ruled.defjvp(
    lambda primals, tangents: (ruled(*primals), tangents[0] * (fnp.cos(*primals) * primals[0] + fnp.sin(*primals)))
)


def moved(x: Any) -> Any:
    """The two elements from the largest one on, twice as large, at the place of the smallest one."""
    largest, smallest = fnp.argmax(x + APART), fnp.argmin(x + APART)
    return lax.dynamic_update_slice(x, 2.0 * lax.dynamic_slice(x, (largest,), (2,)), (smallest,))


def turning(start: Any, x: Any) -> Any:
    """A loop whose number of turns depends on where it starts."""
    return lax.while_loop(lambda c: c[0] < 3.0, lambda c: (c[0] * 1.5 + 0.5, fnp.sin(c[1]) + x), (start, x))[1]


UNARY: dict[str, Callable[[Any], Any]] = {
    "sin": fnp.sin,
    "tanh": fnp.tanh,
    "square": lambda x: x * x,
    "soft": lambda x: fnp.log(1.0 + fnp.exp(-x * x)),
    "neg": lambda x: -x,
    "mean": lambda x: x - fnp.sum(x) / N,
    "root": lambda x: fnp.sqrt(1.0 + x * x),
    "chosen": lambda x: fnp.where(x > 0.1, x, 0.5 * x),
    "jitted": fl.jit(lambda x: fnp.cos(x) * x, exact=True),
    "kept": fl.checkpoint(lambda x: fnp.sin(x * 2.0)),
    "loop": lambda x: lax.fori_loop(0, 3, lambda i, y: fnp.tanh(y) + x, x),
    "turns": lambda x: turning(fnp.sum(x * x), x),
    "ragged": lambda x: lax.scan(lambda c, row: (turning(row * row, c), c), fnp.sum(x), x)[1],
    "branch": lambda x: lax.cond(fnp.sum(x) > 0.05, lambda x: x * 1.5, lambda x: fnp.sin(x), x),
    "rows": lambda x: lax.scan(lambda c, row: (fnp.tanh(c + row), c * row), fnp.sum(x), x)[1],
    "mapped": lambda x: fl.vmap(lambda v: v * fnp.sum(x))(x),
    "summed": lambda x: fnp.cumsum(x)[::-1] - x,
    "sorted": lambda x: fnp.sort(x + APART),
    "padded": lambda x: lax.pad(x, x.dtype.type(0.5), [(1, -1, 0)]) * x,
    "spread": lambda x: lax.pad(x, x.dtype.type(0), [(0, 0, 1)])[1:4],
    "joined": lambda x: fnp.concatenate([x[1:], x[:1] * 2.0]),
    "picked": lambda x: x[fnp.asarray([2, 0, 2])],
    "dealt": lambda x: fnp.zeros_like(x).at[fnp.asarray([1, 1, 0])].add(x),
    "moved": moved,
    "outer": lambda x: fnp.einsum("ij,j->i", fnp.outer(fnp.tanh(x), fnp.cos(x)), x),
    "solved": lambda x: fnp.linalg.solve(fnp.outer(fnp.tanh(x), fnp.sin(x)) + 3.0 * fnp.eye(N), x),
    "complex": lambda x: fnp.real(fnp.exp(1j * x) * (1.0 - 2.0j)),
    "spectrum": lambda x: fnp.real(fnp.fft.ifft(fnp.fft.fft(x) * (1.0 + 0.5j))),
    "counted": lambda x: x * fnp.sum(fnp.astype(x + APART > 0.0, np.int8)),
    "backwards": lambda x: lax.scan(lambda c, row: (c * 0.5 + row, (c, row * c)), x[0], x, reverse=True)[1][1],
    "prefixes": lambda x: lax.associative_scan(fnp.logaddexp, x),
    "switched": lambda x: lax.switch(fnp.argmax(x + APART), [fnp.sin, lambda x: x * 2.0, fnp.flip], x),
    "ruled": ruled,
    "pushed": lambda x: fl.jvp(fnp.sin, (x,), (x,))[1],
    "pulled": lambda x: fl.grad(lambda y: fnp.sum(fnp.sin(y) * x))(x),
}
BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / (2.0 + y * y),
    "max": lambda x, y: fnp.maximum(x, y + 0.01),
}

steps = st.one_of(
    st.tuples(st.sampled_from(sorted(UNARY)), st.integers(0, 3)),
    st.tuples(st.sampled_from(sorted(BINARY)), st.integers(0, 3), st.integers(0, 3)),
)
programs = st.lists(steps, min_size=1, max_size=6)
points = st.lists(st.integers(-20, 20), min_size=N, max_size=N).map(lambda v: np.array(v, np.float64) / 13 + 0.037)


def function(program: list[tuple[Any, ...]]) -> Callable[[Any], Any]:
    """The vector function that a list of steps describes; a step's operands are earlier values, counted from the last."""

    def run(x: Any) -> Any:
        values = [x]
        for name, *back in program:
            operands = [values[-1 - (i % len(values))] for i in back]
            values.append((UNARY.get(name) or BINARY[name])(*operands))
        return values[-1]

    return run


def close(got: Any, wanted: Any, tolerance: float = 1e-9) -> None:
    np.testing.assert_allclose(np.asarray(got), np.asarray(wanted), rtol=tolerance, atol=tolerance)


modest = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


@modest
@given(programs, points)
def test_compiled_is_eager(program, x):
    f, x = function(program), fnp.asarray(x)
    np.testing.assert_array_equal(np.asarray(fl.jit(f, exact=True)(x)), np.asarray(f(x)))
    close(fl.jit(f)(x), f(x))
    closed = fl.make_program(f)(x)
    check(closed.program)
    check(simplify(closed.program))
    close(closed(x), f(x))


@modest
@given(programs, points)
def test_derivatives(program, x):
    f = function(program)

    def total(x: Any) -> Any:
        return fnp.sum(f(x) * fnp.asarray(np.array([1.0, -2.0, 0.5])))

    eps = 1e-6
    direction = np.array([0.3, -0.7, 0.65])
    slope = (float(total(fnp.asarray(x + eps * direction))) - float(total(fnp.asarray(x - eps * direction)))) / (
        2 * eps
    )
    x = fnp.asarray(x)
    gradient = np.asarray(fl.grad(total)(x))
    if abs(gradient @ direction - slope) > 1e-4 * (1 + abs(slope)):
        # A kink or another number of turns between the two points: halve the distance twice before complaining.
        eps = 1e-8
        at = np.asarray(x)
        slope = (float(total(fnp.asarray(at + eps * direction))) - float(total(fnp.asarray(at - eps * direction)))) / (
            2 * eps
        )
    assert abs(gradient @ direction - slope) <= 1e-3 * (1 + abs(slope) + np.abs(gradient).max())
    close(fl.jit(fl.grad(total))(x), gradient)
    close(fl.grad(fl.jit(total))(x), gradient)
    close(fl.jvp(total, (x,), (fnp.asarray(direction),))[1], gradient @ direction)
    close(fl.linearize(total, x)[1](fnp.asarray(direction)), gradient @ direction)


@modest
@given(programs, points, points)
def test_batches(program, x, y):
    f = function(program)
    batch = fnp.asarray(np.stack([x, y]))
    rows = [np.asarray(f(fnp.asarray(v))) for v in (x, y)]
    close(fl.vmap(f)(batch), rows)
    close(fl.jit(fl.vmap(f))(batch), rows)
    close(fl.vmap(fl.jit(f), in_axes=1, out_axes=1)(batch.T), np.stack(rows, axis=1))

    def total(x: Any) -> Any:
        return fnp.sum(f(x) ** 2)

    gradients = [np.asarray(fl.grad(total)(fnp.asarray(v))) for v in (x, y)]
    close(fl.vmap(fl.grad(total))(batch), gradients)
    close(fl.jit(fl.vmap(fl.grad(total)))(batch), gradients)
    close(fl.grad(lambda b: fnp.sum(fl.vmap(total)(b)))(batch), gradients)


@settings(modest, max_examples=20)
@given(programs, points)
def test_second_order(program, x):
    f = function(program)

    def total(x: Any) -> Any:
        return fnp.sum(fnp.sin(f(x)))

    x = fnp.asarray(x)
    h = np.asarray(fl.jacfwd(fl.grad(total))(x))
    close(fl.jacrev(fl.grad(total))(x), h, 1e-7)
    close(fl.jit(fl.jacfwd(fl.jacfwd(total)))(x), h, 1e-7)
    close(fl.jit(fl.jacrev(fl.jacfwd(total)))(x), h, 1e-7)
    close(h, h.T, 1e-7)
