"""Random programs of whole arrays: compiled against eager mode's very kernels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite import lax

pytest.importorskip("llvmlite", reason="the compiler needs llvmlite")

SHAPES = [(), (1,), (5,), (17,), (64,), (130,), (3, 4), (4, 1), (1, 7), (8, 33), (2, 3, 5), (4, 4, 4), (3, 1, 18)]
UNARY = [
    fnp.negative, fnp.abs, fnp.sin, fnp.tanh, lambda x: x * 0.5 + 1, fnp.sign, lambda x: fnp.exp(-x * x), fnp.square,
    lambda x: fnp.where(x > 0.2, x, 0.1), lambda x: fnp.sqrt(fnp.abs(x) + 0.1), lambda x: (x > 0).astype(x.dtype), fl.nn.relu,
    lambda x: x.astype(fnp.int32).astype(x.dtype), fnp.floor,
]  # fmt: skip
BINARY = [fnp.add, fnp.subtract, fnp.multiply, fnp.maximum, fnp.minimum, lambda x, y: fnp.where(x < y, x, y * 0.5)]
REDUCE = [fnp.sum, fnp.max, fnp.min, fnp.mean]


def move(x, kind, k):
    """Something that moves elements about."""
    axis = k % max(1, x.ndim)
    if not x.ndim:
        return fnp.broadcast_to(x, (3,)) if kind % 2 else x
    moves = [
        lambda: fnp.flip(x, axis),
        lambda: fnp.roll(x, k + 1, axis),
        lambda: fnp.transpose(x),
        lambda: fnp.pad(x, [(1, 2) if i == axis else (0, 0) for i in range(x.ndim)]),
        lambda: lax.slice_in_dim(x, x.shape[axis] // 3, x.shape[axis], 1 + k % 2, axis),
        lambda: fnp.concatenate([x, x * 2], axis),
        lambda: x.reshape(-1),
        lambda: x[..., None],
        lambda: fnp.expand_dims(x, 0),
        lambda: fnp.cumsum(x, axis),
        lambda: lax.dynamic_slice_in_dim(x, k - 1, max(1, x.shape[axis] // 2), axis),
        lambda: lax.pad(
            x, np.float32(0.5).astype(x.dtype), [(1, -1, 1) if i == axis else (0, 0, 0) for i in range(x.ndim)]
        ),
    ]
    return moves[kind % len(moves)]()


def apply(steps, values):
    """Run the steps on a growing list of values; gives the last few."""
    values = list(values)
    for kind, which, i, j, k in steps:
        x, y = values[i % len(values)], values[j % len(values)]
        if kind == "unary":
            out = UNARY[which % len(UNARY)](x)
        elif kind == "binary":
            try:
                fnp.broadcast_shapes(x.shape, y.shape)
            except ValueError:
                continue
            out = BINARY[which % len(BINARY)](x, y)
        elif kind == "reduce":
            axis = None if k % 3 == 0 or not x.ndim else k % x.ndim
            out = REDUCE[which % len(REDUCE)](x, axis=axis, keepdims=bool(which % 2))
        elif kind == "dot" and x.ndim == y.ndim == 2 and x.shape[1] == y.shape[0]:
            out = (x @ y) * 0.1
        else:
            out = move(x, which, k)
        if out.size <= 20_000:
            values.append(out)
    return values[-4:]


small = st.integers(0, 20)
steps = st.lists(
    st.tuples(st.sampled_from(["unary", "binary", "binary", "reduce", "move", "dot"]), small, small, small, small),
    min_size=2,
    max_size=14,
)
shapes = st.lists(st.sampled_from(SHAPES), min_size=2, max_size=3)
careful = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


def operands(shapes, dtype):
    rng = np.random.default_rng(0)
    return [fnp.asarray(np.round(rng.standard_normal(s) * 64).astype(dtype) / dtype(64)) for s in shapes]


def compare(f, xs, rtol):
    found, exact = fl.jit(f)(*xs), fl.jit(lambda *xs: f(*xs), exact=True)(*xs)
    for a, b in zip(found, exact, strict=True):
        a, b = np.asarray(a), np.asarray(b)
        assert a.dtype == b.dtype
        scale = np.max(np.abs(b[np.isfinite(b)]), initial=1.0)
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * scale)


@careful
@given(steps, shapes)
def test_forward(steps, shapes):
    compare(lambda *xs: apply(steps, xs), operands(shapes, np.float64), 1e-9)


@careful
@given(steps, shapes)
def test_forward_in_single_precision(steps, shapes):
    compare(lambda *xs: apply(steps, xs), operands(shapes, np.float32), 3e-4)


@careful
@given(steps, shapes)
def test_gradients(steps, shapes):
    def loss(*xs):
        return sum(fnp.sum(y * 0.1) for y in apply(steps, xs))

    compare(lambda *xs: fl.grad(loss, tuple(range(len(xs))))(*xs), operands(shapes, np.float64), 1e-8)


@careful
@given(steps, st.sampled_from(SHAPES[1:]))
def test_batches_and_loops(steps, shape):
    x, y = operands([(3, *shape), (3, *shape)], np.float64)

    def total(a, b):
        return sum(fnp.sum(y) for y in apply(steps, (a, b)))

    def scanned(x, y):
        return [fl.vmap(total)(x, y), lax.scan(lambda c, ab: (c * 0.5 + total(*ab), c), 0.0 * x.sum(), (x, y))[1]]

    compare(scanned, [x, y], 1e-8)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: fnp.broadcast_to(x, (1 << 45,)) * 2,
        lambda x: (fnp.broadcast_to(x, (1 << 20, 1 << 22)) @ fnp.broadcast_to(x, (1 << 22, 3))).sum(),
    ],
    ids=["result", "between"],
)
def test_too_little_memory(f) -> None:
    """What cannot be allocated is an exception, as in NumPy."""
    with pytest.raises(MemoryError):
        fl.jit(f)(1.0)


def test_a_backward_pass_keeps_what_it_cannot_make_itself():
    def loss(x, w):
        t = fnp.tanh(x)
        return fnp.square(((1 + t) * (1 - t * t)) @ w).sum()

    x, w = (np.random.default_rng(k).normal(size=(64, 64)).astype(np.float32) for k in range(2))
    step = fl.jit(fl.value_and_grad(loss))
    fused = step.lower(x, w).as_text("fused")
    after_tanh = fused[fused.index("tanh") :]
    assert after_tanh[after_tanh.index("in (") :].startswith("in ( b h )"), "tanh(x), and what is multiplied by w"
    for ours, expected in zip(step(x, w), fl.jit(fl.value_and_grad(loss), exact=True)(x, w), strict=True):
        np.testing.assert_allclose(np.asarray(ours), np.asarray(expected), rtol=2e-4, atol=1e-4)
