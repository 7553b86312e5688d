"""Rows of arithmetic, comparison, selection, rounding, casts and complex parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from functorch_lite import dtypes
from functorch_lite.primitives import elementwise as e
from functorch_lite.primitives.base import Elementwise

from .row import FLOATS, INEXACT, NUMERIC, REALS, Row, normal

__all__ = ["between", "elementwise"]

ALL = ("bool", *NUMERIC)
MATRIX = (2, 3)


def between(*ranges: tuple[float, float], shape: tuple[int, ...] = MATRIX) -> Callable[..., tuple[np.ndarray, ...]]:
    """An operand for each range, uniform in it; the imaginary parts of complex numbers likewise."""

    def make(rng: np.random.Generator, dtype: np.dtype) -> tuple[np.ndarray, ...]:
        out = []
        for low, high in ranges:
            x = rng.uniform(low, high, shape)
            if dtype.kind == "c":
                x = x + 1j * rng.uniform(low, high, shape)
            out.append(np.asarray(x).astype(dtype))
        return tuple(out)

    return make


def elementwise(
    primitive: Any,
    reference: Callable[..., Any],
    among: tuple[str, ...],
    operands: Callable[..., Any] | None = None,
    *,
    what: str = "",
    jax: str | None = "",
    arity: int = 1,
    **more: Any,
) -> Row:
    """A row of an elementwise primitive; `jax` is the name in `jax.lax` if it is another, None if there is none."""
    arity = primitive.arity if isinstance(primitive, Elementwise) else arity
    theirs = jax if jax is None else jax or primitive.name
    return Row(
        f"{primitive.name} {what}".strip(),
        primitive.name,
        primitive,
        operands or normal(*(MATRIX,) * arity),
        reference,
        among,
        jax=theirs and (lambda jax, jnp, lax: getattr(lax, theirs)),
        **more,
    )


def _mixed_ranks(make: Callable[..., Any], *ranks: int) -> Callable[..., Any]:
    """Operands of which those with 0 in `ranks` are scalars."""

    def made(rng: np.random.Generator, dtype: np.dtype) -> tuple[np.ndarray, ...]:
        return tuple(x if r else x[0, 0] for x, r in zip(make(rng, dtype), ranks, strict=True))

    return made


# Arithmetic.


def _divided(x: Any, y: Any) -> Any:
    if x.dtype.kind not in "iu":
        return x / y
    zero = y == 0
    quotient = np.trunc(x.astype(float) / np.where(zero, 1, y)).astype(x.dtype)
    return np.where(zero, ~np.zeros_like(x), quotient)


def _remainder(x: Any, y: Any) -> Any:
    if x.dtype.kind not in "iu":
        return np.fmod(x, y)
    return np.where(y == 0, x, np.fmod(x, np.where(y == 0, 1, y)))


def _strong(combine: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, y: np.where(x == 0, np.zeros_like(x), combine(x, y))


def _with_zeros(rng: np.random.Generator, dtype: np.dtype) -> tuple[np.ndarray, ...]:
    """Zeros in the first operand, beside infinity and NaN in the second."""
    x, y = normal(MATRIX, MATRIX)(rng, dtype)
    x[:, :2] = 0
    y[0, 0], y[0, 1], y[1, 0] = np.inf, np.nan, 0
    return x, y


POSITIVE = between((0.5, 3.0))


def _integer_pow(y: int, among: tuple[str, ...]) -> Row:
    return Row(
        f"integer_pow {y}",
        "integer_pow",
        lambda x: e.integer_pow(x, y=y),
        between((0.5, 1.5)) if y < 0 else normal(MATRIX),
        lambda x: x**y if y >= 0 or dtypes.is_complex(x.dtype) else 1 / x**-y,
        among,
        tolerance=4.0,
        jax=lambda jax, jnp, lax: lambda x: lax.integer_pow(x, y),
    )


ARITHMETIC = [
    elementwise(e.neg, np.negative, NUMERIC),
    elementwise(e.add, np.add, NUMERIC),
    elementwise(e.sub, np.subtract, NUMERIC),
    elementwise(e.mul, np.multiply, NUMERIC),
    elementwise(e.div, _divided, NUMERIC),
    elementwise(e.rem, _remainder, REALS),
    elementwise(e.square, np.square, NUMERIC),
    elementwise(e.mul_strong, _strong(np.multiply), INEXACT, jax=None),
    elementwise(e.div_strong, _strong(np.divide), INEXACT, between((-2.0, 2.0), (0.5, 2.0)), jax=None),
    elementwise(e.mul_strong, _strong(np.multiply), INEXACT, _with_zeros, what="at zero", jax=None, differentiable=()),
    elementwise(e.div_strong, _strong(np.divide), INEXACT, _with_zeros, what="at zero", jax=None, differentiable=()),
    *(
        elementwise(p, r, INEXACT, _mixed_ranks(normal(MATRIX, MATRIX), *ranks), what=f"ranks {ranks}", jax=None)
        for p, r in [
            (e.add, np.add),
            (e.mul, np.multiply),
            (e.div, np.divide),
            (e.mul_strong, _strong(np.multiply)),
            (e.div_strong, _strong(np.divide)),
        ]
        for ranks in [(0, 2), (2, 0), (0, 0)]
    ),
    *(_integer_pow(y, NUMERIC) for y in (0, 1, 2, 3, 6)),
    *(_integer_pow(y, INEXACT) for y in (-1, -3)),
]

# Comparisons and selection.

BOUNDED = between((-1.0, -0.5), (-2.0, 2.0), (0.5, 1.0))


def _small_integers(rng: np.random.Generator, dtype: np.dtype) -> tuple[np.ndarray, ...]:
    """So few that many are equal."""
    return tuple(rng.integers(0, 2, (3, 4)).astype(dtype) for _ in range(2))


def _select_n(n: int) -> Row:
    def operands(rng: np.random.Generator, dtype: np.dtype) -> tuple[np.ndarray, ...]:
        return rng.integers(0, n, MATRIX).astype(np.int32), *normal(*(MATRIX,) * n)(rng, dtype)

    return Row(
        f"select of {n} by integers",
        "select",
        lambda which, *cases: e.select_n(which, *cases),
        operands,
        lambda which, *cases: np.choose(which, np.stack(cases)).astype(cases[0].dtype),
        ("bool", "int8", "float32", "float64", "complex128"),
        jax=lambda jax, jnp, lax: lambda which, *cases: lax.select_n(which, *cases),
    )


def _cases(which: tuple[int, ...]) -> Callable[..., Any]:
    return lambda rng, dtype: (np.asarray(rng.integers(0, 2, which) > 0), *normal(MATRIX, MATRIX)(rng, dtype))


_COMPARISONS = [
    (e.eq, np.equal, ALL),
    (e.ne, np.not_equal, ALL),
    *zip(
        (e.lt, e.le, e.gt, e.ge),
        (np.less, np.less_equal, np.greater, np.greater_equal),
        (("bool", *REALS),) * 4,
        strict=True,
    ),
]
SELECTION = [
    *(elementwise(p, r, among, _small_integers) for p, r, among in _COMPARISONS),
    elementwise(e.is_finite, np.isfinite, FLOATS),
    elementwise(e.max_, np.maximum, ALL),
    elementwise(e.min_, np.minimum, ALL),
    *(
        elementwise(e.select, lambda w, x, y: np.where(w, y, x), ALL, _cases(which), what=f"{which}", jax="select_n")
        for which in (MATRIX, ())
    ),
    *(_select_n(n) for n in (2, 3, 5)),
    elementwise(e.clamp, lambda a, x, b: np.minimum(np.maximum(x, a), b), FLOATS, BOUNDED),
    elementwise(
        e.clamp,
        lambda a, x, b: np.minimum(np.maximum(x, a), b),
        ("bool", *REALS),
        lambda rng, dtype: (np.zeros((), dtype), *normal((4, 5), scale=2)(rng, dtype), np.ones((), dtype)),
        what="between scalars",
    ),
]

# Parts of numbers, rounding.


def _round_away(x: Any) -> Any:
    return np.sign(x) * np.floor(np.abs(x.astype(np.float64)) + 0.5)


def _halves(rng: np.random.Generator, dtype: np.dtype) -> tuple[np.ndarray, ...]:
    return ((rng.integers(-9, 9, (4, 5)) / 2).astype(dtype),)


COMPLEX = ("complex64", "complex128")
PARTS = [
    elementwise(e.abs_, np.abs, NUMERIC),
    elementwise(e.sign, np.sign, REALS),
    elementwise(e.sign, lambda x: x / np.abs(x), COMPLEX, what="of complex numbers", jax=None),
    elementwise(e.real, np.real, COMPLEX),
    elementwise(e.imag, np.imag, COMPLEX),
    elementwise(e.complex_, lambda x, y: x + 1j * y, ("float32", "float64")),
    elementwise(e.conj, np.conj, COMPLEX),
    *(
        elementwise(p, r, FLOATS, operands, what=what, jax=jax)
        for p, r, jax in [
            (e.floor, np.floor, "floor"),
            (e.ceil, np.ceil, "ceil"),
            (e.trunc, np.trunc, None),
        ]
        for what, operands in [("", normal(MATRIX, scale=3))]
    ),
    *(
        Row(
            f"{p.name} {what}".strip(),
            p.name,
            p,
            operands,
            r,
            FLOATS,
            order=0 if what else 2,
            jax=lambda jax, jnp, lax, away=p is e.round_away: (
                lambda x: lax.round(x, lax.RoundingMethod(0 if away else 1))
            ),
        )
        for p, r in [(e.round_, np.rint), (e.round_away, _round_away)]
        for what, operands in [("", normal(MATRIX, scale=3)), ("of halves", _halves)]
    ),
    elementwise(e.nextafter, np.nextafter, FLOATS, differentiable=()),
]

# Casts.


def _cast(x: Any, dtype: Any) -> Any:
    return (np.real(x) if x.dtype.kind == "c" and dtype.kind not in "bc" else x).astype(dtype)


def _warned_of(lax: Any, x: Any, dtype: Any) -> Any:
    """The operand, without the imaginary part that JAX warns of losing."""
    if x.dtype.kind != "c" or dtype.kind == "c":
        return x
    return x != 0 if dtype.kind == "b" else lax.real(x)


def _convert(name: str) -> Row:
    dtype = dtypes.as_dtype(name)
    return Row(
        f"convert to {name}",
        "convert",
        lambda x: e.convert(x, dtype=dtype, weak=False),
        normal(MATRIX),
        lambda x: _cast(np.maximum(x, 0) if dtype.kind == "u" and x.dtype.kind not in "iu" else x, dtype),
        [d for d in ALL if not (dtype.kind == "u" and d in COMPLEX) and not (name == "complex64" and d == "float64")],
        order=1,
        tolerance=8.0 if dtype.itemsize == 2 else 1.0,
        jax=lambda jax, jnp, lax: lambda x: lax.convert_element_type(_warned_of(lax, x, dtype), dtype),
    )


def _bitcast(source: str, target: str, shape: tuple[int, ...]) -> Row:
    dtype = dtypes.as_dtype(target)

    def reference(x: Any) -> Any:
        if x.dtype.itemsize > dtype.itemsize:
            return x[..., None].view(dtype)
        out = x.view(dtype)
        return out if x.dtype.itemsize == dtype.itemsize else out[..., 0]

    return Row(
        f"bitcast_convert {source} to {target}",
        "bitcast_convert",
        lambda x: e.bitcast_convert(x, dtype=dtype),
        normal(shape),
        reference,
        (source,),
        jax=lambda jax, jnp, lax: lambda x: lax.bitcast_convert_type(x, dtype),
    )


def _reduce_precision(exponent: int, mantissa: int, dtype: Any, among: tuple[str, ...]) -> Row:
    return Row(
        f"reduce_precision {exponent} {mantissa}",
        "reduce_precision",
        lambda x: e.reduce_precision(x, exponent_bits=exponent, mantissa_bits=mantissa),
        normal((4, 5), scale=100),
        dtype and (lambda x: x.astype(dtypes.as_dtype(dtype)).astype(x.dtype)),
        among,
        order=0,
        jax=lambda jax, jnp, lax: lambda x: lax.reduce_precision(x, exponent, mantissa),
    )


CASTS = [
    *map(_convert, ALL),
    elementwise(e.copy, np.copy, ALL, jax=None),
    _bitcast("float32", "int32", MATRIX),
    _bitcast("float32", "float32", MATRIX),
    _bitcast("bfloat16", "uint16", MATRIX),
    _bitcast("float16", "bfloat16", ()),
    _bitcast("float64", "uint64", MATRIX),
    _bitcast("complex64", "complex64", MATRIX),
    _bitcast("bool", "bool", MATRIX),
    _bitcast("float64", "uint8", MATRIX),
    _bitcast("int32", "bfloat16", ()),
    _bitcast("int8", "int32", (3, 4)),
    _bitcast("uint32", "float64", (2,)),
    _reduce_precision(5, 10, "float16", ("float32", "float64")),
    _reduce_precision(8, 7, "bfloat16", ("float32",)),
    _reduce_precision(8, 23, "float32", ("float32", "float64")),
    _reduce_precision(3, 2, None, FLOATS),
    _reduce_precision(11, 52, None, FLOATS),
]

ROWS = [*ARITHMETIC, *SELECTION, *PARTS, *CASTS]
