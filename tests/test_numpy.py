"""The functions of `functorch_lite.numpy` against NumPy's values; dtypes as JAX has them; gradients by finite differences."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType
from typing import Any

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite.errors import ConcretizationTypeError

from .numpy_calls import CALLS, CONCRETE, draw, expanded

rng = np.random.default_rng(0)
DRAWS = [draw(seed) for seed in range(2)]
NAMES = {"np": np, **DRAWS[0]}
A, B, C, INTS = (NAMES[name] for name in "ABCI")

UNARY = [
    "sin",
    "cos",
    "tan",
    "arcsin",
    "arccos",
    "arctan",
    "sinh",
    "cosh",
    "tanh",
    "arcsinh",
    "arccosh",
    "arctanh",
    "exp",
    "exp2",
    "expm1",
    "log",
    "log1p",
    "log2",
    "log10",
    "sqrt",
    "cbrt",
    "square",
    "abs",
    "fabs",
    "sign",
    "floor",
    "ceil",
    "trunc",
    "rint",
    "negative",
    "positive",
    "reciprocal",
    "deg2rad",
    "rad2deg",
    "sinc",
    "isnan",
    "isinf",
    "isfinite",
    "isposinf",
    "isneginf",
    "signbit",
    "real",
    "imag",
    "conj",
    "angle",
    "logical_not",
    "nan_to_num",
    "i0",
    "spacing",
    "isreal",
    "iscomplex",
    "round",
    "frexp",
    "modf",
    "bitwise_count",
    "invert",
]

BINARY = [
    "add",
    "subtract",
    "multiply",
    "divide",
    "floor_divide",
    "remainder",
    "fmod",
    "power",
    "float_power",
    "maximum",
    "minimum",
    "fmax",
    "fmin",
    "arctan2",
    "hypot",
    "logaddexp",
    "logaddexp2",
    "copysign",
    "nextafter",
    "heaviside",
    "equal",
    "not_equal",
    "less",
    "less_equal",
    "greater",
    "greater_equal",
    "logical_and",
    "logical_or",
    "logical_xor",
    "bitwise_and",
    "bitwise_or",
    "bitwise_xor",
    "left_shift",
    "right_shift",
    "gcd",
    "lcm",
    "divmod",
    "isclose",
    "ldexp",
]

OPERANDS = {"f32": A, "i32": INTS, "bool": B, "c64": C, "f64": A.astype(np.float64)}


def leaves(x: Any) -> list[Any]:
    return [leaf for item in x for leaf in leaves(item)] if isinstance(x, (tuple, list)) else [x]


def quietly(f: Any) -> Any:
    """The value of NumPy's function; the test is skipped where NumPy refuses."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return f(np)
        except (TypeError, ValueError, AttributeError):
            pytest.skip("NumPy has no such call")


def check(ours: Any, theirs: Any, tol: float = 2e-5, what: str = "") -> None:
    ours, theirs = leaves(ours), leaves(theirs)
    assert len(ours) == len(theirs), what
    for a, b in zip(ours, theirs, strict=True):
        assert np.shape(a) == np.shape(b), what
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=tol, atol=tol, err_msg=what)


@dataclass(frozen=True)
class Call:
    """A call as a function of its operands."""

    text: str

    @functools.cached_property
    def code(self) -> CodeType:
        return compile(self.text, self.text, "eval")

    @functools.cached_property
    def used(self) -> list[str]:
        """The names of the operands."""
        return sorted(_names(self.code) & DRAWS[0].keys())

    def __call__(self, m: Any, *operands: Any) -> Any:
        return eval(self.code, {"m": m, "np": np, **dict(zip(self.used, operands, strict=True))})

    def of(self, m: Any, draw: dict[str, Any]) -> Any:
        return self(m, *(draw[name] for name in self.used))

    def ours(self, *operands: Any) -> list[Any]:
        return [fnp.asarray(leaf) for leaf in leaves(self(fnp, *operands))]


def _names(code: CodeType) -> set[str]:
    return set(code.co_names).union(*(_names(c) for c in code.co_consts if isinstance(c, CodeType)))


def strided(x: np.ndarray) -> np.ndarray:
    """The same array, read-only, its elements apart from each other, stored by columns and backwards."""
    room = np.zeros((*x.shape[::-1], 2), x.dtype)[..., :1].T[(..., *(slice(None, None, -1),) * x.ndim)]
    room[...] = x
    room.flags.writeable = False
    return room[0]


def mapped(call: Call, expected: list[Any]) -> Iterator[tuple[str, Any, Any]]:
    """What the call gives under `vmap`, and without: all operands along one axis, then each of them alone."""
    pairs = [[values[name] for values in DRAWS] for name in call.used]
    for axis in (0, 1, -1):
        axes = [axis if axis <= pair[0].ndim else 0 for pair in pairs]
        stacked = [np.stack(pair, at) for pair, at in zip(pairs, axes, strict=True)]
        rows = fl.vmap(call.ours, tuple(axes))(*stacked)
        for i, wanted in enumerate(expected):
            yield f"row {i} of {call.text} along {axes}", [row[i] for row in rows], wanted
    for j in range(len(pairs) if len(pairs) > 1 else 0):
        args = [stacked[i] if i == j else pair[0] for i, pair in enumerate(pairs)]
        rows = fl.vmap(call.ours, tuple(-1 if i == j else None for i in range(len(pairs))))(*args)
        yield f"{call.text}, where {call.used[j]} is mapped", [row[0] for row in rows], expected[0]


@pytest.mark.parametrize("row", CALLS + CONCRETE)
def test_as_numpy(row: str) -> None:
    for text in expanded(row):
        call = Call(text)
        operands = [strided(DRAWS[0][name]) for name in call.used]
        with warnings.catch_warnings(action="ignore"):
            try:
                expected = [call.of(np, values) for values in DRAWS]
            except AttributeError:
                pytest.skip("this NumPy has no such call")
            except (TypeError, ValueError):
                expected = []
        if not expected:
            with pytest.raises((TypeError, ValueError)):
                call(fnp, *operands)
            continue
        half = any(np.asarray(x).dtype == np.float16 for x in leaves(expected))
        close = functools.partial(check, tol=3e-3 if half else 3e-5)
        close(call(fnp, *operands), expected[0], what=text)
        if row in CONCRETE:
            continue
        close(fl.jit(call.ours, exact=True)(*operands), expected[0], what=f"jit of {text}")
        with warnings.catch_warnings(action="ignore"):
            for what, ours, wanted in mapped(call, expected) if call.used else ():
                close(ours, wanted, what=what)


@pytest.mark.parametrize("name", UNARY)
@pytest.mark.parametrize("dtype", OPERANDS)
def test_unary(name: str, dtype: str) -> None:
    if name == "reciprocal" and dtype in ("i32", "bool"):
        pytest.skip("NumPy divides integers, we make floats of them")
    theirs = quietly(lambda m: getattr(m, name)(OPERANDS[dtype]))
    tol = 5e-3 if leaves(theirs)[0].dtype == np.float16 else 2e-5  # NumPy computes functions of booleans in 16 bits
    check(getattr(fnp, name)(OPERANDS[dtype]), theirs, tol)


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("dtype", ["f32", "i32", "f64", "c64"])
def test_binary(name: str, dtype: str) -> None:
    x = OPERANDS[dtype]
    y = np.abs(x[::-1]) + np.ones((), x.dtype) if dtype == "i32" else x[::-1].copy()
    theirs = quietly(lambda m: getattr(m, name)(x, y))
    check(getattr(fnp, name)(x, y), theirs, 1e-4)


@pytest.mark.parametrize(
    "call, dtype",
    [("m.sum(I)", "int32"), ("m.sum(B)", "int32"), ("m.sum(I.astype(np.int8))", "int32"), ("m.sum(I.astype(np.uint8))", "uint32"),
     ("m.mean(I)", "float32"), ("m.mean(A.astype(np.float16))", "float16"), ("m.cumsum(B)", "int32"), ("m.argmax(A)", "int32"),
     ("m.arange(3)", "int32"), ("m.arange(3.0)", "float32"), ("m.zeros(3)", "float32"), ("m.asarray([1, 2])", "int32"),
     ("m.asarray([1.0])", "float32"), ("m.true_divide(I, I)", "float32"), ("m.add(I, A)", "float32"), ("m.sin(I)", "float32"),
     ("m.abs(C)", "float32"), ("m.dot(B, B.T)", "bool"), ("m.add(B, B)", "bool"), ("m.linspace(0, 1, 3)", "float32"),
     ("m.floor(I)", "int32"), ("m.power(B, 2)", "int32"), ("m.sort(I)", "int32"), ("m.histogram(I)[0]", "float32")],
)  # fmt: skip
def test_dtypes(call: str, dtype: str) -> None:
    assert eval(call, {**NAMES, "m": fnp}).dtype == dtype


DIFFERENTIABLE = """
m.sin(x) * m.exp(x)
m.var(x)
m.std(x, 0)
m.max(x, 1)
m.prod(x, 0)
m.cumsum(x, 1)
m.cumprod(x, 0)
m.sort(x, 1)
m.median(x, 1)
m.quantile(x, 0.3)
x @ x.T
m.einsum('ij,kj,kl->il', x, x, x)
m.concatenate([x, 2 * x])
m.pad(x, 2, mode='reflect')
m.roll(x, 1, 0)
m.tril(x)
m.diagonal(x, 1)
m.hypot(x, 2.0)
m.logaddexp(x, 1.0)
m.sinc(x)
m.clip(x, -0.5, 0.5)
m.take_along_axis(x, m.asarray([[1], [2], [0]]), 1)
m.where(x > 0, x**2, 0)
m.kron(x, x)
m.linspace(x, 1, 3)
m.remainder(x, 0.7)
m.average(x, weights=m.abs(x))
m.cov(x)
m.convolve(x[0], x[1])
m.power(m.abs(x), 1.7)
m.ldexp(x, 2)
""".strip().splitlines()


@pytest.mark.parametrize("call", DIFFERENTIABLE)
def test_gradients(call: str) -> None:
    weights = rng.normal(size=1000)

    def function(x: Any) -> Any:
        out = fnp.ravel(eval(call, {**NAMES, "m": fnp, "x": x}))
        return fnp.sum(out * weights[: out.shape[0]])

    x, v, h = A.astype(np.float64), rng.normal(size=A.shape), 1e-6
    slope = (float(function(fnp.asarray(x + h * v))) - float(function(fnp.asarray(x - h * v)))) / (2 * h)
    for f in (function, fl.jit(function)):
        np.testing.assert_allclose(np.sum(np.asarray(fl.grad(f)(fnp.asarray(x))) * v), slope, rtol=1e-5, atol=1e-6)


METHODS = (
    """
x.sum(0); x.mean(); x.T; x.reshape(4, 3); x.reshape((2, 6)); x.ravel(); x.max(1); x.argmax(); x.clip(0, 1); x.round(1)
x.astype(np.int32)
x.swapaxes(0, 1); x.transpose(1, 0); x.std(ddof=1); x % 0.3; x // 0.3; x @ x.T; abs(x); x > 0; (x > 0) & (x < 1)
~(x > 0); 2**x; x**2
divmod(x, 2); x.cumsum(1); x.flatten(); x.dot(x.T); x.view(np.int32); x.itemsize; x.nbytes; x.trace(); x.tolist()
""".replace("\n", ";")
    .strip(";")
    .split(";")
)


@pytest.mark.parametrize("call", [c.strip() for c in METHODS])
def test_methods(call: str) -> None:
    check(eval(call, {"x": fnp.asarray(A), "np": np}), quietly(lambda m: eval(call, {"x": A, "np": np})))


def test_size_makes_the_shape_known() -> None:
    @fl.jit
    def f(x: Any) -> Any:
        return fnp.nonzero(x > 0, size=4, fill_value=-1)[0], fnp.unique(x, size=3), fnp.bincount(x, length=3)

    places, values, counts = f(fnp.asarray([0, 2, 2, 1, 0]))
    assert (places.tolist(), values.tolist(), counts.tolist()) == ([1, 2, 3, -1], [0, 1, 2], [2, 1, 2])
    with pytest.raises(ConcretizationTypeError, match="size"):
        fl.jit(fnp.nonzero)(fnp.arange(3))
