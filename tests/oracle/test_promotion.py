"""What mixed operands promote to: all pairs of dtypes and of Python's numbers, for each way of combining them."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from functorch_lite import dtypes

from .harness import OURS, theirs

pytestmark = pytest.mark.oracle

NARROW = ("bool", "int8", "int16", "int32", "uint8", "uint16", "uint32", "float16", "bfloat16", "float32", "complex64")
WIDE = ("int64", "uint64", "float64", "complex128")
SCALARS = {"True": True, "2": 2, "1.5": 1.5, "1j": 1j}
CALLS = {
    "add": lambda m, x, y: m.np.add(x, y),
    "x + y": lambda m, x, y: x + y,
    "x * y": lambda m, x, y: x * y,
    "x / y": lambda m, x, y: x / y,
    "maximum": lambda m, x, y: m.np.maximum(x, y),
    "where": lambda m, x, y: m.np.where(m.np.asarray(True), x, y),
    "x < y": lambda m, x, y: m.np.less(x, y),
    "logaddexp": lambda m, x, y: m.np.logaddexp(x, y),
    "arctan2": lambda m, x, y: m.np.arctan2(x, y),
    "concatenate": lambda m, x, y: m.np.concatenate([m.np.atleast_1d(x), m.np.atleast_1d(y)]),
    "power": lambda m, x, y: m.np.power(x, y),
    "floor_divide": lambda m, x, y: m.np.floor_divide(x, y),
    "matmul": lambda m, x, y: m.np.matmul(m.np.atleast_1d(x), m.np.atleast_1d(y)),
    "bitwise_and": lambda m, x, y: m.np.bitwise_and(x, y),
    "copysign": lambda m, x, y: m.np.copysign(x, y),
    "result_type": lambda m, x, y: m.np.zeros((), m.np.result_type(x, y)),
}
BEYOND = {frozenset({"uint32", d}) for d in ("int8", "int16", "int32")}
"""Pairs that 64-bit integers hold, which are always there here."""


def one(m: Any, dtype: str) -> Any:
    """An operand: an array of a dtype, a weak one for `weak`, or a Python number."""
    if dtype in SCALARS:
        return SCALARS[dtype]
    if dtype.startswith("weak "):
        return m.np.asarray(SCALARS[dtype.removeprefix("weak ")])
    return m.np.asarray(np.ones(2, m.np.dtype(dtype)))


def described(f: Any, m: Any, pair: tuple[str, str]) -> str:
    """What comes out: dtype and weak flag, or that it is refused."""
    try:
        y = f(m, *(one(m, d) for d in pair))
    except (TypeError, ValueError):
        return "refused"
    weak = y.weak_type and y.dtype != bool  # of booleans, JAX's flag means nothing
    return f"{y.dtype}{'*' if weak else ''}[{','.join(map(str, y.shape))}]"


WEAK = tuple(f"weak {s}" for s in SCALARS)


@pytest.mark.parametrize("name", CALLS)
def test_pairs(name: str, jax: Any) -> None:
    differ = []
    m, f = theirs(jax), CALLS[name]
    for pair in itertools.product((*NARROW, *SCALARS, *WEAK), repeat=2):
        if all(d in SCALARS for d in pair) and name.startswith("x "):
            continue
        if frozenset(pair) in BEYOND:
            continue
        if name == "logaddexp" and any("j" in d for d in pair):
            continue  # weak or not, by JAX's formula
        if name == "power" and "True" in pair:
            continue  # in JAX weak with a number, strong with an array
        if name == "arctan2" and any("complex" in d or "j" in d for d in pair):
            continue  # we follow NumPy: it is not defined for complex numbers
        with jax.enable_x64(False):
            expected = described(lambda m, *xs: jax.eval_shape(lambda: f(m, *xs)), m, pair)
        found = described(f, OURS, pair)
        if found != expected:
            differ.append(f"{pair}: {found} here, {expected} in JAX")
    assert not differ, f"{len(differ)} of {name}:\n" + "\n".join(differ)


@pytest.mark.parametrize("name", ["add", "where", "concatenate", "x / y"])
def test_wide_pairs(name: str, jax: Any) -> None:
    differ = []
    m, f = theirs(jax), CALLS[name]
    for pair in itertools.product((*NARROW, *WIDE), repeat=2):
        kinds = [dtypes.kind(dtypes.as_dtype(d)) for d in pair]
        unsigned_and_signed = "uint64" in pair and "i" in kinds
        divided_integers = name == "x / y" and set(kinds) <= set("biu")
        if not set(pair) & set(WIDE) or unsigned_and_signed or divided_integers:
            continue  # the default float is of 32 bits here
        with jax.enable_x64(True):
            expected = described(lambda m, *xs: jax.eval_shape(lambda: f(m, *xs)), m, pair)
        found = described(f, OURS, pair)
        if found != expected:
            differ.append(f"{pair}: {found} here, {expected} in JAX")
    assert not differ, f"{len(differ)} of {name}:\n" + "\n".join(differ)
