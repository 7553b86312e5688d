"""Programs of operands of all dtypes, made by hypothesis: each step has JAX's dtype, weak flag, shape and values.

After each step both libraries go on from the same values, so that no error grows.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import functorch_lite as fl
from functorch_lite import dtypes
from functorch_lite.testing.closeness import tolerance, wide

from .harness import OURS, REFUSALS, cast, kind, theirs

pytestmark = pytest.mark.oracle

NARROW = ["bool", "int8", "uint8", "int16", "int32", "float16", "bfloat16", "float32", "complex64"]
WIDE = ["int64", "uint32", "float64", "complex128"]
NARROW_DEFAULTS = [(np.float64, np.float32), (np.int64, np.int32)]
"""What booleans and narrow integers become here, and in JAX whatever the default is."""
SHAPES = [(), (3,), (2, 3), (2, 1), (3, 3)]
NUMBERS = [True, 2, -3, 0.5, -1.25, 2j]

UNARY: dict[str, Callable[[Any, Any], Any]] = {
    "neg": lambda m, x: -x,
    "abs": lambda m, x: abs(x),
    "invert": lambda m, x: ~x,
    "sin": lambda m, x: m.np.sin(x),
    "tanh": lambda m, x: m.np.tanh(x),
    "exp": lambda m, x: m.np.exp(m.np.tanh(x)),
    "sqrt": lambda m, x: m.np.sqrt(m.np.abs(x)),
    "square": lambda m, x: m.np.square(x),
    "sign": lambda m, x: m.np.sign(x),
    "real": lambda m, x: m.np.real(x),
    "imag": lambda m, x: m.np.imag(x),
    "conj": lambda m, x: m.np.conj(x),
    "floor": lambda m, x: m.np.floor(x),
    "isfinite": lambda m, x: m.np.isfinite(x),
    "logical_not": lambda m, x: m.np.logical_not(x),
    "sum": lambda m, x: m.np.sum(x),
    "sum of rows": lambda m, x: m.np.sum(x, axis=-1, keepdims=True),
    "mean": lambda m, x: m.np.mean(x),
    "prod": lambda m, x: m.np.prod(x),
    "max": lambda m, x: m.np.max(x),
    "std": lambda m, x: m.np.std(x),
    "any": lambda m, x: m.np.any(x),
    "count": lambda m, x: m.np.count_nonzero(x),
    "argmax": lambda m, x: m.np.argmax(x),
    "cumsum": lambda m, x: m.np.cumsum(x),
    "sort": lambda m, x: m.np.sort(x, axis=None),
    "ravel": lambda m, x: x.ravel(),
    "transposed": lambda m, x: x.T,
    "first": lambda m, x: x[..., :1],
    "new axis": lambda m, x: x[None],
    "clip": lambda m, x: m.np.clip(x, -2, 3),
    "half": lambda m, x: x * 0.5,
    "and 2": lambda m, x: x & 2,
    "shift": lambda m, x: x << 1,
    "where": lambda m, x: m.np.where(x, 1, 0.5),
    "filled": lambda m, x: m.np.full_like(x, 1),
    "added at": lambda m, x: m.np.ravel(x * 1).at[0].add(1),
    "jitted": lambda m, x: m.jax.jit(lambda x: (x + 1) * x)(x),
    "narrowed": lambda m, x: m.np.real(x).astype("bfloat16"),
    "int8": lambda m, x: m.np.clip(m.np.real(x), -100, 100).astype("int8"),
    "mapped": lambda m, x: m.jax.vmap(lambda r: r + m.np.sum(r))(m.np.atleast_1d(x)),
    "looped": lambda m, x: m.lax.fori_loop(0, 2, lambda i, y: y * y.dtype.type(2), x),
    "scanned": lambda m, x: m.lax.scan(lambda c, r: (c, r + 1), 0, m.np.ravel(x))[1],
    "branch": lambda m, x: m.lax.cond(m.np.sum(x) == 0, lambda x: x, lambda x: x + x, x),
}
BINARY: dict[str, Callable[[Any, Any, Any], Any]] = {
    "add": lambda m, x, y: x + y,
    "sub": lambda m, x, y: x - y,
    "mul": lambda m, x, y: x * y,
    "div": lambda m, x, y: x / y,
    "maximum": lambda m, x, y: m.np.maximum(x, y),
    "minimum": lambda m, x, y: m.np.minimum(x, y),
    "less": lambda m, x, y: m.np.less(x, y),
    "equal": lambda m, x, y: x == y,
    "and": lambda m, x, y: x & y,
    "logical_or": lambda m, x, y: m.np.logical_or(x, y),
    "chosen": lambda m, x, y: m.np.where(m.np.equal(x, y), x, y),
    "copysign": lambda m, x, y: m.np.copysign(x, y),
    "logaddexp": lambda m, x, y: m.np.logaddexp(m.np.real(x), m.np.real(y)),
}
OF_ARRAYS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "matmul": lambda m, x, y: m.np.matmul(m.np.atleast_1d(x), m.np.atleast_1d(y)),
    "outer": lambda m, x, y: m.np.outer(m.np.ravel(x)[:3], m.np.ravel(y)[:3]),
    "joined": lambda m, x, y: m.np.concatenate([m.np.ravel(x)[:5], m.np.ravel(y)[:5]]),
    "dot": lambda m, x, y: m.np.vdot(m.np.ravel(x)[:2], m.np.ravel(y)[:2]),
}

operands = st.tuples(st.sampled_from(NARROW), st.sampled_from(SHAPES), st.integers(0, 9))
wide_operands = st.tuples(st.sampled_from(NARROW + WIDE), st.sampled_from(SHAPES), st.integers(0, 9))
places = st.integers(0, 11)
steps = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(sorted(UNARY)), places),
        st.tuples(st.sampled_from(sorted(BINARY | OF_ARRAYS)), places, places),
        st.tuples(st.sampled_from(sorted(BINARY)), places, st.sampled_from(NUMBERS).map(lambda x: [x])),
    ),
    min_size=2,
    max_size=6,
)
modest = settings(
    max_examples=30, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


def drawn(dtype: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Multiples of a quarter, of either sign."""
    rng = np.random.default_rng([seed, *shape])
    x = rng.integers(-12, 13, shape) / 4
    kind = dtypes.as_dtype(dtype)
    if dtypes.is_complex(kind):
        return np.asarray(x + 1j * rng.integers(-4, 5, shape)).astype(kind)
    return cast(np.asarray(x), kind)


def result(f: Callable[..., Any], *args: Any) -> Any:
    """A value, or that it is refused."""
    try:
        return f(*args)
    except (*REFUSALS, OverflowError) as error:
        return error


def check_programs(made: Any, program: Any, jax: Any, wide_defaults: bool = False) -> None:
    other = theirs(jax)
    mine = [fl.numpy.asarray(drawn(*x)) for x in made]
    yours = [jax.numpy.asarray(drawn(*x)) for x in made]
    for name, *chosen in program:
        f = (UNARY if len(chosen) == 1 else BINARY | OF_ARRAYS)[name]

        xs, ys = ([v[p % len(v)] if type(p) is int else p[0] for p in chosen] for v in (mine, yours))
        found, expected = result(f, OURS, *xs), result(f, other, *ys)
        if isinstance(found, OverflowError):
            return  # a number that does not fit the integers beside it
        where = f"{name} of {', '.join(map(repr, xs))}"
        if isinstance(expected, Exception):
            assert isinstance(found, Exception), f"{where}: {found!r} here, refused by JAX: {expected}"
            continue
        assert not isinstance(found, Exception), f"{where}: {expected!r} in JAX, refused here: {found}"
        if wide_defaults and (found.dtype, expected.dtype) in NARROW_DEFAULTS:
            return
        assert kind(found) == kind(expected), f"{where}: {kind(found)} here, {kind(expected)} in JAX"
        if found.dtype != bool:  # of booleans, JAX's flag means nothing
            assert found.weak_type == expected.weak_type, f"{where}: weak_type is {found.weak_type} here"
        a, b = np.asarray(found), np.asarray(expected)
        if dtypes.is_inexact(a.dtype):
            bound = 4 * tolerance(a.dtype)
            np.testing.assert_allclose(wide(a), wide(b), rtol=bound, atol=bound, err_msg=where)
        else:
            np.testing.assert_array_equal(a, b, err_msg=where)
        mine.append(found)
        yours.append(expected if expected.weak_type else jax.numpy.asarray(a))


@modest
@given(made=st.lists(operands, min_size=2, max_size=4), program=steps)
def test_narrow(made: Any, program: Any, jax: Any) -> None:
    with warnings.catch_warnings(action="ignore"), jax.enable_x64(False):
        check_programs(made, program, jax)


@modest
@given(made=st.lists(wide_operands, min_size=2, max_size=4), program=steps)
def test_wide(made: Any, program: Any, jax: Any) -> None:
    with (
        warnings.catch_warnings(action="ignore"),
        jax.enable_x64(True),
        fl.config.default_dtypes(float="float64", int="int64"),
    ):
        check_programs(made, program, jax, wide_defaults=True)
