"""The op table: what is checked of an operation, given one row that says how to call it and what it should give.

A row is any object with the attributes of `Case`; a table is a package whose modules have a list `ROWS`. Each check of
`CHECKS` takes a row, the dtype of its operands and a backend, and raises `AssertionError`, or `Unsupported` where the
backend lacks a dtype or the check does not apply.
"""

from __future__ import annotations

import importlib
import importlib.util
import itertools
import pkgutil
import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from .. import dtypes
from ..arrays import Array, from_host, type_of
from ..backend import Backend, use_backend
from ..checking import check
from ..primitive import NotLinear, Primitive, registry
from ..primitives.base import Elementwise
from ..program import Program, subprograms
from ..promotion import as_operand
from ..transforms.capture import make_program
from ..transforms.linear_maps import jvp, vjp
from .closeness import assert_close, assert_same_bits, tolerance, wide
from .derivatives import check_grads, check_transpose
from .equivalence import check_jit, check_vmap

__all__ = ["CHECKS", "Case", "Unsupported", "applies", "find_rows", "run_check"]


class Case(Protocol):
    """What a row of the op table says."""

    name: str
    """Of the row, unique."""
    primitive: str
    """The primitive's name in the registry."""
    call: Callable[..., Any]
    """Operands -> the result, or a list of results: binds the primitive with its params."""
    operands: Callable[[np.random.Generator, np.dtype], Sequence[np.ndarray]]
    """(rng, dtype) -> host arrays."""
    reference: Callable[..., Any] | None
    """Host arrays -> the expected result (or list of results)."""
    dtypes: Sequence[str]
    """Names of the dtypes of the operands to check with."""
    differentiable: Sequence[int] | None
    """Positions of the operands to differentiate by; None: all of floating or complex dtype."""
    tolerance: float
    """A factor on the tolerances that follow from the dtype."""
    order: int
    """Up to which order derivatives are checked."""
    vmap: bool
    """Whether batching is checked."""


class Unsupported(Exception):
    """A check does not apply: the backend lacks a dtype, or the row has nothing of the kind."""


TABLES = ("functorch_lite.testing.op_table", "tests.op_table")
"""Where the op table is, in an installed package and in a checkout."""


def find_rows(package: str | None = None) -> list[Any]:
    """The rows of a module, or of all modules of a package in the order of their names.

    Args:
      package: its name; by default the library's own table.

    Raises:
      ModuleNotFoundError: if there is none.
    """
    for name in TABLES if package is None else (package,):
        try:
            found = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if not name.startswith(str(error.name)):
                raise
            continue
        inner = pkgutil.iter_modules(getattr(found, "__path__", ()))
        modules = [found, *(importlib.import_module(f"{name}.{m.name}") for m in inner)]
        return list(itertools.chain.from_iterable(getattr(m, "ROWS", ()) for m in modules))
    looked = package or " and ".join(TABLES)
    raise ModuleNotFoundError(f"no op table is installed (looked for {looked}): name its package.")


class _Setting:
    """A row with operands of one dtype on one backend."""

    def __init__(self, row: Case, dtype: str, backend: Backend):
        self.row = row
        self.dtype = dtypes.as_dtype(dtype)
        self.backend = backend
        self.rng = np.random.default_rng(zlib.crc32(f"{row.name} {dtype}".encode()))
        self.hosts = self.draw()
        self.operands = self.on_backend(self.hosts)

    def draw(self) -> list[np.ndarray]:
        """Host operands."""
        hosts = [np.asarray(x) for x in self.row.operands(self.rng, self.dtype)]
        self.require(x.dtype for x in hosts)
        return hosts

    def columns(self) -> list[tuple[np.ndarray, ...]]:
        """For each operand, values for a batch; its size is one that hardly any row has along an axis."""
        return list(zip(self.hosts, *(self.draw() for _ in range(6)), strict=True))

    def on_backend(self, hosts: Sequence[np.ndarray]) -> list[Array]:
        """Arrays of the backend."""
        return [from_host(x, self.backend) for x in hosts]

    def require(self, wanted: Iterator[np.dtype]) -> None:
        """Raise `Unsupported` unless the backend has all these dtypes."""
        supported = self.backend.supported_dtypes
        for dtype in wanted:
            if supported is not None and dtype.name not in supported:
                raise Unsupported(f"{self.backend.name} has no {dtype.name}")

    def call(self, *operands: Any) -> list[Any]:
        """The results; rows may give one, or several in a list or tuple."""
        out = self.row.call(*operands)
        results = out if isinstance(out, (list, tuple)) else [out]
        return [as_operand(y, f"a result of {self.row.name}") for y in results]

    def program(self) -> Program:
        """The program of the call, of dtypes that the backend has."""
        program = make_program(self.call)(*self.operands).program
        self.require(v.type.dtype for e in program.equations for v in e.results)
        return program

    def differentiable(self) -> list[int]:
        """Positions of the operands to differentiate by."""
        named = self.row.differentiable
        return [i for i, x in enumerate(self.operands) if dtypes.is_inexact(x.dtype) and (named is None or i in named)]

    def partial(self, positions: Sequence[int]) -> Callable[..., list[Any]]:
        """The call as a function of the operands at `positions` only; it gives the results that have derivatives."""

        def function(*moving: Any) -> list[Any]:
            given = list(self.operands)
            for i, x in zip(positions, moving, strict=True):
                given[i] = x
            return [y for y in self.call(*given) if dtypes.is_inexact(y.dtype)]

        return function

    def assert_close(self, found: Any, expected: Any, what: str) -> None:
        """Within what rounding in the dtypes of the result and of the operands explains, times the row's factor."""
        inexact = dtypes.is_inexact(found.dtype)
        bound = self.row.tolerance * (max(tolerance(found.dtype), tolerance(self.dtype)) if inexact else 0.0)
        assert_close(found, expected, atol=bound, rtol=bound, what=what)

    def at(self, positions: Sequence[int]) -> list[Array]:
        return [self.operands[i] for i in positions]


def _primitives(program: Program) -> set[str]:
    inner = (b for e in program.equations for b in subprograms(e))
    return {e.primitive.name for e in program.equations}.union(*map(_primitives, inner))


def _reference(row: Case, hosts: Sequence[np.ndarray]) -> list[Any]:
    """What the row expects. Where NumPy has no loop for 16-bit floats, it computes in 32 bits."""
    assert row.reference is not None
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        try:
            out = row.reference(*hosts)
        except TypeError:
            raised = [x.astype(np.float32) if wide(x) is not x else x for x in hosts]
            if all(a is b for a, b in zip(raised, hosts, strict=True)):
                raise
            out = row.reference(*raised)
    return list(out) if isinstance(out, (list, tuple)) else [out]


def check_value(s: _Setting) -> None:
    """The value against the reference; the result's type against the type rule; the program against the grammar."""
    program = s.program()
    check(program)
    found = _primitives(program)
    collective = type(registry[s.row.primitive]).axis_names is not Primitive.axis_names  # gone with the vmap in the row
    if s.row.primitive not in found and not collective:
        raise AssertionError(f"the row of {s.row.primitive} does not use it, but {sorted(found)}")
    results = s.call(*s.operands)
    for i, (y, t) in enumerate(zip(results, program.out_types, strict=True)):
        if (y.shape, y.dtype, y.weak_type) != (t.shape, t.dtype, t.weak):
            raise AssertionError(f"result {i} has type {y.type}, the type rule says {t}")
        host = np.asarray(y)
        if (host.shape, host.dtype) != (t.shape, t.dtype):
            raise AssertionError(f"on the host, result {i} is {host.dtype}{list(host.shape)}, the type rule says {t}")
    if s.row.reference is not None:
        expected = _reference(s.row, s.hosts)
        for i, (y, e) in enumerate(zip(results, expected, strict=True)):
            s.assert_close(y, e, f"result {i} of {s.row.name}")
    _check_memory(s, program, results)


def _check_memory(s: _Setting, program: Program, results: Sequence[Array]) -> None:
    """Operands are not changed, results are views only where the primitive says so, strides do not matter."""
    for i, (x, host) in enumerate(zip(s.operands, s.hosts, strict=True)):
        assert_same_bits(x, host, f"operand {i} after the call")
    may_alias = len(program.equations) != 1 or program.equations[0].primitive.may_alias
    if not may_alias and any(np.shares_memory(np.asarray(x), np.asarray(y)) for x in s.operands for y in results):
        raise AssertionError(f"a result shares memory with an operand, but {s.row.primitive} does not say `may_alias`")
    strided = s.call(*s.on_backend([np.array(x, order="F") for x in s.hosts]))
    for i, (y, z) in enumerate(zip(results, strided, strict=True)):
        s.assert_close(z, y, f"result {i}, of operands stored by columns,")


def check_jitted(s: _Setting) -> None:
    """Compiled against eager, and, where it is to be exact, bit for bit; the program after each pass."""
    bound = s.row.tolerance * max([tolerance(s.dtype), *(tolerance(t.dtype) for t in s.program().out_types)])
    check_jit(s.call, s.operands, rtol=bound)


def check_batched(s: _Setting) -> None:
    """Batching against a loop: each operand alone, along its last axis; all together, along different axes."""
    bound = s.row.tolerance * max([tolerance(s.dtype), *(tolerance(t.dtype) for t in s.program().out_types)])
    columns = s.columns()
    n = len(columns)
    settings: list[tuple[int | None, ...]] = []
    settings += [tuple(s.hosts[j].ndim if i == j else None for j in range(n)) for i in range(n)]
    settings += [tuple((j + 1) % (s.hosts[j].ndim + 1) for j in range(n)), (0,) * n]
    for axes in dict.fromkeys(settings):
        stacked = [
            columns[j][0] if axis is None else np.stack(columns[j], axis).astype(columns[j][0].dtype)
            for j, axis in enumerate(axes)
        ]
        check_vmap(s.call, s.on_backend(stacked), axes, atol=bound, rtol=bound)


def check_differentiated(s: _Setting) -> None:
    """Derivatives against finite differences in 64 bits up to the row's order; their types in all dtypes."""
    positions = s.differentiable()
    if not positions:
        raise Unsupported("nothing to differentiate by")
    smooth = [t for t in s.program().out_types if dtypes.is_inexact(t.dtype)]
    if not smooth:
        raise Unsupported("no result has a derivative")
    subsets = [positions] if len(positions) == 1 else [positions, *([i] for i in positions)]
    exact = all(dtypes.real_dtype(t.dtype) == dtypes.float64 for t in (*map(type_of, s.at(positions)), *smooth))
    for subset in subsets:
        f, xs = s.partial(subset), s.at(subset)
        if exact:
            bound = 1e-6 * s.row.tolerance
            check_grads(f, xs, s.row.order if subset is positions else 1, atol=bound, rtol=bound)
        else:
            _check_derivative_types(f, xs)
    if exact:
        _check_derivatives_transformed(s, positions)


def _ones(xs: Sequence[Any]) -> tuple[Array, ...]:
    return tuple(from_host(np.ones(x.shape, x.dtype), x.backend) for x in xs)


def _check_derivative_types(f: Callable[..., Any], xs: Sequence[Any]) -> None:
    """Tangents have the results' types, cotangents the operands'."""
    ys, dots = jvp(f, tuple(xs), _ones(xs))
    _, pull_back = vjp(f, *xs)
    for what, found, like in (("tangent", dots, ys), ("cotangent", pull_back(list(_ones(ys))), xs)):
        for i, (a, b) in enumerate(zip(found, like, strict=True)):
            if (a.shape, a.dtype) != (b.shape, b.dtype):
                raise AssertionError(f"{what} {i} has type {a.type}, expected is {b.type}")


def _check_derivatives_transformed(s: _Setting, positions: Sequence[int]) -> None:
    """The derivatives' programs keep the grammar, and give under jit, and under vmap, what they give eagerly."""
    f = s.partial(positions)

    def forward(*xs: Any) -> Any:
        return jvp(f, xs, tuple(map(_one_like, xs)))[1]

    def reverse(*xs: Any) -> Any:
        ys, pull_back = vjp(f, *xs)
        return pull_back([_one_like(y) for y in ys])

    columns = s.columns()
    batch = s.on_backend([np.stack(columns[i]) for i in positions])
    for derivative in (forward, reverse):
        check_jit(derivative, s.at(positions), bits=False, rtol=1e-8 * s.row.tolerance)
        if s.row.vmap:
            check_vmap(derivative, batch, atol=1e-8 * s.row.tolerance, rtol=1e-8 * s.row.tolerance)


def _one_like(x: Any) -> Any:
    return from_host(np.ones(x.shape, x.dtype))


def check_transposed(s: _Setting) -> None:
    """Where the primitive is linear in some operands, and says so: its transpose, by inner products."""
    s.program()
    positions = s.differentiable()
    others = s.on_backend(s.draw())
    subsets = [[i] for i in positions] + ([positions] if len(positions) > 1 else [])
    linear = [p for p in subsets if _says_linear(s, p) and _is_linear(s.partial(p), s.at(p), [others[i] for i in p])]
    if not linear:
        raise Unsupported("the call is linear in no operand")
    for p in linear:
        check_transpose(s.partial(p), s.at(p))


def _says_linear(s: _Setting, positions: Sequence[int]) -> bool:
    """Whether the primitive has a transpose by the operands at `positions`: its derivative by them is itself."""
    primitive = registry[s.row.primitive]
    if isinstance(primitive, Elementwise) and primitive.transposes is not None:
        return all(i >= primitive.arity or primitive.transposes[i] is not None for i in positions)
    f, xs = s.partial(positions), tuple(s.at(positions))
    program = make_program(lambda *dots: jvp(f, xs, dots)[1])(*xs).program
    tangents = program.inputs[-len(xs) :]
    return any(
        [i for i, a in enumerate(e.operands) if a in tangents] == list(positions)
        for e in program.equations
        if e.primitive is primitive
    )


def _is_linear(f: Callable[..., Any], xs: Sequence[Any], ys: Sequence[Any]) -> bool:
    """Whether `f(2 x - 3 y) = 2 f(x) - 3 f(y)` at one pair of points, and not zero there."""
    pairs = zip(xs, ys, strict=True)
    mixed = [from_host(np.asarray(2 * wide(x) - 3 * wide(y)).astype(x.dtype), x.backend) for x, y in pairs]
    together, apart = f(*mixed), zip(f(*xs), f(*ys), strict=True)
    with np.errstate(all="ignore"):
        return any(np.any(wide(z)) for z in together) and all(
            np.allclose(wide(z), 2 * wide(a) - 3 * wide(b), rtol=1e-9, atol=1e-9)
            for z, (a, b) in zip(together, apart, strict=True)
        )


CHECKS: dict[str, Callable[[_Setting], None]] = {
    "value": check_value,
    "jit": check_jitted,
    "vmap": check_batched,
    "derivative": check_differentiated,
    "transpose": check_transposed,
}
"""What is checked of each row with each dtype."""


def applies(name: str, row: Case, dtype: str) -> bool:
    """Whether the check of that name has anything to do, as far as one can tell without running it."""
    if name == "vmap":
        return row.vmap
    if name == "derivative":
        return bool(row.order) and row.differentiable != () and dtypes.is_inexact(dtypes.as_dtype(dtype))
    if name == "transpose":
        wide_enough = dtypes.real_dtype(dtypes.as_dtype(dtype)) == dtypes.float64
        return wide_enough and row.differentiable != () and not isinstance(registry.get(row.primitive), NotLinear)
    return True


def run_check(name: str, row: Case, dtype: str, backend: Backend) -> None:
    """Run the check of that name.

    Raises:
      AssertionError: if it fails.
      Unsupported: if it does not apply, or the backend lacks a dtype.
    """
    if row.primitive not in registry:
        raise AssertionError(f"the row {row.name!r} speaks of a primitive {row.primitive!r}, which there is not")
    if not applies(name, row, dtype):
        raise Unsupported(f"{name} does not apply to {row.name} with {dtype}")
    with use_backend(backend):
        CHECKS[name](_Setting(row, dtype, backend))
