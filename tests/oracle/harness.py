"""A table of calls, each written once, run with JAX and with functorch_lite, and compared.

A call is text such as `np.sum(x, axis=1)`, in which `np`, `lax`, `nn` and `jax` are the library's namespaces and the
other names are operands; or a function of the namespaces and the operands. What is compared: values, shapes, dtypes,
weak types, the printed type, tangents, cotangents; all of these again under `vmap`; and whether the call is refused.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import types
import warnings
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import functorch_lite
from functorch_lite import dtypes
from functorch_lite.testing.closeness import tolerance, wide

# JAX compiles every call of the tables: let it do so quickly, and round 16-bit floats where the program says so.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_allow_excess_precision=false")

INTS = "int32"
FLOATS = "float32"
REALS = "int32 float32"
NUMBERS = "int32 float32 complex64"
INEXACT = "float32 complex64"
KINDS = "bool int32 float32 complex64"
NARROW = "int8 uint8 uint32 float16 bfloat16"
WIDE = "int64 float64 complex128"
ALL = f"{KINDS} {NARROW}"

Draw = Callable[[np.random.Generator, np.dtype], np.ndarray]
"""How an operand is made, in the dtype of the case."""


def cast(x: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Real numbers in any dtype: integers are rounded, unsigned ones lose their sign; booleans say what is positive."""
    if dtypes.is_bool(dtype):
        return x > 0
    if dtypes.is_integer(dtype):
        x = np.round(x)
        return (abs(x) if dtype.kind == "u" else x).astype(dtype)
    return x.astype(dtype)


def normal(*shape: int, scale: float = 1.0, shift: float = 0.0) -> Draw:
    """Numbers of either sign: normally distributed, or integers of one digit."""

    def draw(rng: np.random.Generator, dtype: np.dtype) -> np.ndarray:
        if dtypes.is_integer(dtype):
            return cast(rng.integers(-9, 10, shape), dtype)
        x = shift + scale * rng.normal(size=shape)
        return (x + 1j * scale * rng.normal(size=shape)).astype(dtype) if dtypes.is_complex(dtype) else cast(x, dtype)

    return draw


def uniform(low: float, high: float, *shape: int) -> Draw:
    """Numbers between two bounds; complex ones have both parts there."""

    def draw(rng: np.random.Generator, dtype: np.dtype) -> np.ndarray:
        x = rng.uniform(low, high, shape)
        return (x + 1j * rng.uniform(low, high, shape)).astype(dtype) if dtypes.is_complex(dtype) else cast(x, dtype)

    return draw


def positive(*shape: int) -> Draw:
    """Numbers from 1/2 to 3; integers from 1 to 9."""

    def draw(rng: np.random.Generator, dtype: np.dtype) -> np.ndarray:
        bounds = (1, 9) if dtypes.is_integer(dtype) else (0.5, 3)
        return uniform(*bounds, *shape)(rng, dtype)

    return draw


def distinct(*shape: int) -> Draw:
    """Numbers of which no two are equal or close, in any order."""

    def draw(rng: np.random.Generator, dtype: np.dtype) -> np.ndarray:
        n = int(np.prod(shape))
        steps = 1 if dtypes.is_integer(dtype) else 0.25
        x = (rng.permutation(n).reshape(shape) - (0 if dtype.kind == "u" else n // 2)) * steps + steps / 2
        if dtypes.is_integer(dtype):
            x = np.floor(x)
        return cast(x + 1j * rng.normal(size=shape), dtype) if dtypes.is_complex(dtype) else cast(x, dtype)

    return draw


def index(high: int, *shape: int, low: int = 0) -> Draw:
    """Integers of dtype int32 below a bound."""
    return lambda rng, dtype: rng.integers(low, high, shape).astype(np.int32)


def mask(*shape: int) -> Draw:
    """Booleans, most of them true; the first along each axis always is."""

    def draw(rng: np.random.Generator, dtype: np.dtype) -> np.ndarray:
        m = np.asarray(rng.uniform(size=shape) < 0.7)
        for axis in range(m.ndim):
            m[(slice(None),) * axis + (0,)] = True
        return m

    return draw


def given(value: Any, dtype: Any = None) -> Draw:
    """Always the same array; by default in the dtype of the case."""
    return lambda rng, mine: np.asarray(value).astype(dtype or mine)


def of(dtype: str, draw: Draw) -> Draw:
    """An operand of its own dtype."""
    return lambda rng, _: draw(rng, dtypes.as_dtype(dtype))


@dataclass(frozen=True)
class Case:
    """A call with operands of one dtype."""

    name: str
    function: Callable[..., Any]
    """(namespaces, operands...) -> result, a tree of arrays."""
    operands: tuple[Draw, ...]
    dtype: str
    factor: float = 1.0
    """On the tolerance that follows from the dtype."""
    derivatives: bool = True
    vmap: bool = True
    concrete: bool = False
    """The shape of the result depends on values: neither jit nor vmap."""

    def __str__(self) -> str:
        return f"{self.name} {self.dtype}"

    def draw(self, count: int) -> list[list[np.ndarray]]:
        """Operands, some times over."""
        rng = np.random.default_rng(zlib.crc32(str(self).encode()))
        dtype = dtypes.as_dtype(self.dtype)
        return [[np.asarray(draw(rng, dtype)) for draw in self.operands] for _ in range(count)]


def calls(dtypes_: str, text: str, *, factor: float = 1.0, derivatives: bool = True, vmap: bool = True,
          concrete: bool = False, **operands: Draw) -> list[Case]:  # fmt: skip
    """A case for each line of `text`, each with each of the dtypes. A line has operands by their names."""

    def function(line: str, names: list[str]) -> Callable[..., Any]:
        code = compile(f"lambda {', '.join(names)}: {line}", line, "eval")
        return lambda m, *xs: eval(code, vars(m))(*xs)

    found = []
    for line in filter(None, map(str.strip, text.splitlines())):
        used = compile(line, line, "eval")
        inner = _names(used)
        names = [n for n in operands if n in inner]
        f = function(line, names)
        draws = tuple(operands[n] for n in names)
        found += [Case(line, f, draws, d, factor, derivatives, vmap, concrete) for d in dtypes_.split()]
    return found


def _names(code: types.CodeType) -> set[str]:
    inner = (c for c in code.co_consts if isinstance(c, types.CodeType))
    return set(code.co_names).union(code.co_freevars, *map(_names, inner))


class Functions(list[Case]):
    """Cases that are functions: decorate them."""

    def case(
        self, dtypes_: str = FLOATS, *, factor: float = 1.0, derivatives: bool = True, **operands: Draw
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """The function takes the namespaces, then the operands in the order they are named here."""

        def add(f: Callable[..., Any]) -> Callable[..., Any]:
            draws = tuple(operands.values())
            self.extend(Case(f.__name__, f, draws, d, factor, derivatives) for d in dtypes_.split())
            return f

        return add


def suite(cases: list[Case]) -> Callable[..., None]:
    """The test of a table."""

    @pytest.mark.oracle
    @pytest.mark.parametrize("case", [pytest.param(c, id=str(c)) for c in cases])
    def test(case: Case, jax: Any) -> None:
        agree(case, jax)

    return test


# Running


OURS = types.SimpleNamespace(
    jax=functorch_lite,
    np=functorch_lite.numpy,
    lax=functorch_lite.lax,
    nn=functorch_lite.nn,
    random=functorch_lite.random,
    tree=functorch_lite.tree,
    losses=functorch_lite.nn.losses,
)


def theirs(jax: Any) -> types.SimpleNamespace:
    """JAX's namespaces, and Optax's where it is installed."""
    m = types.SimpleNamespace(jax=jax, np=jax.numpy, lax=jax.lax, nn=jax.nn, random=jax.random, tree=jax.tree)
    if importlib.util.find_spec("optax") is not None:
        m.losses = importlib.import_module("optax.losses")
    return m


REFUSALS = (TypeError, ValueError, IndexError, AssertionError, RuntimeError, NameError)


def same_numbers(shape: tuple[int, ...], dtype: Any, seed: int) -> np.ndarray:
    """Tangents and cotangents: they depend on nothing but the shape, the dtype and the seed."""
    return normal(*shape)(np.random.default_rng([seed, *shape]), np.dtype(dtype))


def bundle(m: Any, case: Case, derivatives: bool) -> Callable[..., Any]:
    """Operands -> (values, tangents, cotangents). Leaves without derivatives have none of these."""

    def f(*xs: Any) -> list[Any]:
        return m.jax.tree.leaves(case.function(m, *xs))

    if not derivatives:
        return lambda *xs: (f(*xs), [], [])

    def function(*xs: Any) -> Any:
        moving = [i for i, x in enumerate(xs) if inexact(x)]

        def smooth(*given: Any) -> Any:
            full = list(xs)
            for i, x in zip(moving, given, strict=True):
                full[i] = x
            ys = f(*full)
            return [y for y in ys if inexact(y)], ys

        at = tuple(xs[i] for i in moving)
        ys, pull_back, values = m.jax.vjp(smooth, *at, has_aux=True)
        if not ys or not moving:
            return values, [], []
        back = pull_back([m.np.asarray(same_numbers(y.shape, y.dtype, 1)) for y in ys])
        dots = tuple(m.np.asarray(same_numbers(x.shape, x.dtype, 2)) for x in at)
        tangents = m.jax.jvp(lambda *given: smooth(*given)[0], at, dots)[1]
        return values, tangents, list(back)

    return function


def inexact(x: Any) -> bool:
    dtype = x.dtype if hasattr(x, "dtype") else np.asarray(x).dtype
    return dtype != functorch_lite.float0 and dtypes.is_inexact(dtype)


def agree(case: Case, jax: Any) -> None:
    """Both libraries say the same of a case."""
    if case.dtype in WIDE.split():
        with jax.enable_x64(True):
            _agree(case, jax)
    else:
        _agree(case, jax)


def _agree(case: Case, jax: Any) -> None:
    hosts = case.draw(2)
    with warnings.catch_warnings(action="ignore"):
        expected, derivatives = run_theirs(case, jax, hosts)
    arrays = [list(map(functorch_lite.numpy.asarray, xs)) for xs in hosts]
    ours = bundle(OURS, case, derivatives)
    if isinstance(expected, Exception):
        refused(case, ours, arrays[0], expected)
        return
    with missing_names():
        found = ours(*arrays[0])
        compare(case, found, expected[0], "eager")
        check_printed(case, arrays[0], expected[0][0])
        if case.vmap and not case.concrete and case.operands:
            stacked = [functorch_lite.numpy.asarray(np.stack(column)) for column in zip(*hosts, strict=True)]
            batched = functorch_lite.vmap(ours)(*stacked)
            for i in range(2):
                row = functorch_lite.tree.map(lambda y: y[i], batched)
                compare(case, row, expected[i], f"row {i} under vmap", weak=False)


def run_theirs(case: Case, jax: Any, hosts: list[list[np.ndarray]]) -> tuple[Any, bool]:
    """JAX's results for each set of operands, and whether it has derivatives; or the exception it raises."""
    m = theirs(jax)
    wanted = case.derivatives and any(inexact(x) for x in hosts[0])
    for derivatives in [True, False] if wanted else [False]:
        f = bundle(m, case, derivatives)
        f = f if case.concrete else jax.jit(f)
        try:
            return [f(*map(jax.numpy.asarray, xs)) for xs in hosts], derivatives
        except REFUSALS as error:
            refusal = error
    return refusal, wanted


def refused(case: Case, ours: Callable[..., Any], arrays: list[Any], expected: Exception) -> None:
    """We raise too."""
    if isinstance(expected, NotImplementedError):
        pytest.skip(f"JAX has none of this: {expected}")
    with missing_names():
        try:
            found = ours(*arrays)
        except REFUSALS:
            return
    raise AssertionError(f"{case}: JAX raises {type(expected).__name__}: {expected}\nwe give {found[0]}")


class missing_names:
    """Skips a test that asks a namespace for a name which is not there yet."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, error: BaseException | None, where: Any) -> None:
        if isinstance(error, AttributeError) and isinstance(getattr(error, "obj", None), types.ModuleType):
            pytest.skip(f"not there yet: {error.obj.__name__}.{error.name}")
        if isinstance(error, NotImplementedError):
            pytest.skip(f"not there yet: {error}")


def flat(results: Any) -> Iterator[tuple[str, Any]]:
    """Results with what they are."""
    for what, leaves in zip(("value", "tangent", "cotangent"), results, strict=True):
        yield from ((f"{what} {i}", y) for i, y in enumerate(leaves))


def compare(case: Case, found: Any, expected: Any, how: str, weak: bool = True) -> None:
    """Raise unless two sets of results agree."""
    a, b = dict(flat(found)), dict(flat(expected))
    assert a.keys() == b.keys(), f"{case}, {how}: we give {list(a)}, JAX {list(b)}"
    for what, mine in a.items():
        other = b[what]
        where = f"{case}, {how}, {what}"
        if not (hasattr(mine, "weak_type") and hasattr(other, "weak_type")):  # what is no array: a length, a flag
            assert np.array_equal(mine, other), f"{where}: {mine} here, {other} in JAX"
            continue
        assert kind(mine) == kind(other) or defaulted(case, mine, other), (
            f"{where}: {kind(mine)} here, {kind(other)} in JAX"
        )
        if weak and what.startswith("value"):
            assert mine.weak_type == other.weak_type, f"{where}: weak_type {mine.weak_type} here"
        assert_close(np.asarray(mine), np.asarray(other), case, where)


def kind(x: Any) -> tuple[tuple[int, ...], str]:
    return tuple(x.shape), np.dtype(x.dtype).name


def defaulted(case: Case, mine: Any, other: Any) -> bool:
    """With 64-bit operands JAX's default dtypes have 64 bits; ours have 32 always."""
    pair = np.dtype(mine.dtype).name, np.dtype(other.dtype).name
    halves = {("int32", "int64"), ("uint32", "uint64"), ("float32", "float64"), ("complex64", "complex128")}
    return case.dtype in WIDE.split() and case.dtype != pair[1] and pair in halves and mine.shape == other.shape


def assert_close(a: np.ndarray, b: np.ndarray, case: Case, where: str) -> None:
    """Within a few units in the last place of the largest element; equal, where numbers are exact."""
    if not dtypes.is_inexact(a.dtype):
        np.testing.assert_array_equal(a, b, err_msg=where)
        return
    bound = 2 * case.factor * max(tolerance(a.dtype), tolerance(case.dtype))
    x, y = wide(a), wide(b)
    finite = abs(y[np.isfinite(y)])
    scale = min(1.0, float(finite.max())) if finite.size else 0.0
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(x, y, rtol=bound, atol=bound * scale, err_msg=where)


def check_printed(case: Case, arrays: list[Any], expected: list[Any]) -> None:
    """The types that staging gives are those of the results, and print as JAX prints them."""
    if case.concrete or not expected:
        return
    program = functorch_lite.make_jaxpr(lambda *xs: OURS.jax.tree.leaves(case.function(OURS, *xs)))(*arrays)
    printed = [str(t).removesuffix("*") for t in program.program.out_types]
    theirs = [y.aval.str_short(short_dtypes=True) for y in expected if hasattr(y, "aval")]
    if case.dtype not in WIDE.split():
        assert printed == theirs, f"{case}: staged, we print {printed}, JAX {theirs}"
