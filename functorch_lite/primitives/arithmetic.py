"""Arithmetic, comparison and selection: elementwise, a statement each.

A derivative that is singular where the cotangent may be zero multiplies by `mul_strong`, whose product is zero wherever
its first operand is zero, whatever the second is. This keeps `grad(lambda x: where(x > 0, log(x), 0))(0.)` at 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import dtypes
from ..array_type import ArrayType
from ..arrays import type_of
from ..errors import ArgumentTypeError, DTypeError
from ..primitive import Zero
from .base import Elementwise, add, const, kind, linear, same

__all__ = [
    "add",
    "clamp",
    "const",
    "div",
    "div_strong",
    "eq",
    "ge",
    "gt",
    "integer_pow",
    "is_finite",
    "le",
    "lt",
    "max_",
    "min_",
    "mul",
    "mul_strong",
    "ne",
    "neg",
    "select",
    "select_n",
    "square",
    "sub",
]

# Sums, products, quotients.

neg = Elementwise(
    "neg",
    accepts="iufc",
    namespace="negative",
    derivatives=(lambda t, y, x: neg(t),),
    transposes=(lambda ct, x: neg(ct),),
)
sub = Elementwise(
    "sub",
    accepts="iufc",
    operands="x y",
    namespace="subtract",
    derivatives=(linear, lambda t, z, x, y: neg(t)),
    transposes=(same, lambda ct, x, y: neg(ct)),
)
mul = Elementwise(
    "mul",
    accepts="iufc",
    operands="x y",
    namespace="multiply",
    derivatives=(lambda t, z, x, y: mul(t, y), lambda t, z, x, y: mul(x, t)),
    transposes=(lambda ct, x, y: mul(ct, y), lambda ct, x, y: mul(x, ct)),
)
mul_strong = Elementwise(
    "mul_strong",
    accepts="fc",
    operands="x y",
    impl=lambda xp, x, y: xp.where(x == 0, xp.zeros_like(x), xp.multiply(x, y)),
    derivatives=(lambda t, z, x, y: mul_strong(t, y), lambda t, z, x, y: mul_strong(x, t)),
    transposes=(lambda ct, x, y: mul_strong(ct, y), lambda ct, x, y: mul_strong(x, ct)),
)


def truncated_quotient(xp: Any, x: Any, y: Any) -> Any:
    """Division of integers, rounded towards zero; x / 0 has all bits set (-1), and INT_MIN / -1 wraps."""
    zero = y == 0
    safe = xp.where(zero, xp.ones_like(y), y)
    quotient = xp.floor_divide(x, safe)
    if kind(x.dtype) == "i":
        rest = xp.subtract(x, xp.multiply(quotient, safe))
        wrong = (rest != 0) & ((x < 0) != (safe < 0))  # rounded down, not towards zero
        quotient = xp.add(quotient, xp.astype(wrong, x.dtype))
    return xp.where(zero, xp.bitwise_invert(xp.zeros_like(quotient)), quotient)


class _Div(Elementwise):
    def kernel(self, xp: Any, types: Any, params: Any) -> Any:
        return xp.divide if dtypes.is_inexact(types[0].dtype) else super().kernel(xp, types, params)


div = _Div(
    "div",
    accepts="iufc",
    operands="x y",
    impl=truncated_quotient,
    derivatives=(
        lambda t, z, x, y: div_strong(t, y),
        lambda t, z, x, y: neg(mul_strong(t, div(z, y))),
    ),
    transposes=(lambda ct, x, y: div(ct, y), None),
)
div_strong = Elementwise(
    "div_strong",
    accepts="fc",
    operands="x y",
    impl=lambda xp, x, y: xp.where(x == 0, xp.zeros_like(x), xp.divide(x, y)),
    derivatives=(
        lambda t, z, x, y: div_strong(t, y),
        lambda t, z, x, y: neg(mul_strong(t, div_strong(z, y))),
    ),
    transposes=(lambda ct, x, y: div_strong(ct, y), None),
)
square = Elementwise(
    "square",
    accepts="iufc",
    namespace="square",
    derivatives=(lambda t, y, x: mul(t, mul(const(x, 2), x)),),
)


class _IntegerPow(Elementwise):
    """x^y for an integer y that is known, by repeated squaring."""

    def infer(self, x: ArrayType, *, y: int) -> ArrayType:  # type: ignore[override]
        if y < 0 and dtypes.is_integer(x.dtype):
            raise DTypeError(f"integer_pow of {x} to the power {y}: integers have no negative powers, cast to a float.")
        return super().infer(x, y=y)


def _by_squaring(xp: Any, x: Any, *, y: int) -> Any:
    out, factor, n = None, x, abs(y)
    while n:
        if n & 1:
            out = factor if out is None else xp.multiply(out, factor)
        n >>= 1
        if n:
            factor = xp.multiply(factor, factor)
    if out is None:
        return xp.ones_like(x)
    if y == 1:
        return xp.asarray(x, copy=True)
    return xp.divide(xp.ones_like(x), out) if y < 0 else out


def _integer_pow_tangent(t: Any, z: Any, x: Any, *, y: int) -> Any:
    if y == 0:
        return Zero(type_of(z).tangent())
    factor = mul(const(x, y), integer_pow(x, y=y - 1)) if y != 1 else const(x, 1)
    return mul_strong(t, factor) if y < 0 else mul(t, factor)


integer_pow = _IntegerPow(
    "integer_pow",
    accepts="iufc",
    params=("y",),
    impl=_by_squaring,
    widens=True,
    derivatives=(_integer_pow_tangent,),
)

# Comparisons: the result is boolean, and has no derivative.


def _bool(dtype: Any) -> Any:
    return dtypes.bool_


def _comparison(name: str, namespace: str, accepts: str, of_booleans: Callable[..., Any] | None = None) -> Elementwise:
    """A comparison of two operands; `of_booleans` serves namespaces that have it for numbers only."""
    if of_booleans is None:
        return Elementwise(name, accepts=accepts, operands="x y", namespace=namespace, result=_bool)

    def impl(xp: Any, x: Any, y: Any) -> Any:
        return of_booleans(xp, x, y) if dtypes.is_bool(x.dtype) else getattr(xp, namespace)(x, y)

    return Elementwise(name, accepts=accepts, operands="x y", impl=impl, result=_bool)


eq = _comparison("eq", "equal", "biufc")
ne = _comparison("ne", "not_equal", "biufc")
lt = _comparison("lt", "less", "biuf", lambda xp, x, y: xp.logical_and(xp.logical_not(x), y))
le = _comparison("le", "less_equal", "biuf", lambda xp, x, y: xp.logical_or(xp.logical_not(x), y))
gt = _comparison("gt", "greater", "biuf", lambda xp, x, y: xp.logical_and(x, xp.logical_not(y)))
ge = _comparison("ge", "greater_equal", "biuf", lambda xp, x, y: xp.logical_or(x, xp.logical_not(y)))
is_finite = Elementwise("is_finite", accepts="f", namespace="isfinite", result=_bool)

# Selection.


class _Select(Elementwise):
    """`on_true` where `which` holds, else `on_false`."""

    def infer(self, *types: ArrayType) -> ArrayType:  # type: ignore[override]
        which, on_false, on_true = types
        if not dtypes.is_bool(which.dtype):
            raise DTypeError(f"select needs a boolean `which`, got {which}: compare, or cast with astype(bool).")
        if on_false.dtype != on_true.dtype:
            raise DTypeError(f"select needs cases of one dtype, got {on_false} and {on_true}: cast one with astype.")
        return self.shaped(types, on_false.dtype).update(weak=on_false.weak and on_true.weak)


select = _Select(
    "select",
    accepts="biufc",
    operands="which on_false on_true",
    impl=lambda xp, which, on_false, on_true: xp.where(which, on_true, on_false),
    derivatives=(
        None,
        lambda t, z, w, x, y: select(w, t, const(t, 0)),
        lambda t, z, w, x, y: select(w, const(t, 0), t),
    ),
    transposes=(
        None,
        lambda ct, w, x, y: select(w, ct, const(ct, 0)),
        lambda ct, w, x, y: select(w, const(ct, 0), ct),
    ),
)


def select_n(which: Any, *cases: Any) -> Any:
    """`cases[which]`, elementwise, by nested `select`.

    Args:
      which: booleans for two cases, or integers for any number: of the shape of the cases, or of rank 0. Integers below
        the first case mean the first, those beyond the last the last.
      *cases: arrays of one shape and dtype.

    Raises:
      DTypeError: if `which` is neither boolean nor integer.
      TypeError: if there is no case, or boolean `which` has other than two.
    """
    type = type_of(which)
    if dtypes.is_bool(type.dtype):
        if len(cases) != 2:
            raise ArgumentTypeError(
                f"select_n with boolean `which` needs 2 cases, got {len(cases)}: number them by integers."
            )
        return select(which, *cases)
    if not dtypes.is_integer(type.dtype):
        raise DTypeError(f"select_n needs a boolean or integer `which`, got {type}: cast with astype.")
    return _select_among(which, cases, 0)


def _select_among(which: Any, cases: Sequence[Any], first: int) -> Any:
    """`cases[which - first]`, by bisection."""
    if not cases:
        raise ArgumentTypeError("select_n needs at least one case.")
    if len(cases) == 1:
        return cases[0]
    half = len(cases) // 2
    low, high = _select_among(which, cases[:half], first), _select_among(which, cases[half:], first + half)
    return select(lt(which, const(which, first + half)), high, low)


def _share(x: Any, y: Any, z: Any) -> Any:
    """1 where `x` is the result `z`, 1/2 where both are, else 0: the derivative of max and min by `x`."""
    half, one, zero = const(x, 0.5), const(x, 1), const(x, 0)
    return select(eq(x, z), zero, select(eq(y, z), one, half))


def _before(xp: Any, x: Any, y: Any) -> Any:
    """Whether the complex number x comes before y, by real, then by imaginary part; NaN never does."""
    a, b = xp.real(x), xp.real(y)
    return (a < b) | ((a == b) & (xp.imag(x) < xp.imag(y)))


def _extremum(name: str, namespace: str, of_booleans: str, first: bool) -> Elementwise:
    """Max or min of two operands: NaN if one is; complex numbers are ordered by real, then by imaginary part."""

    def impl(xp: Any, x: Any, y: Any) -> Any:
        if dtypes.is_bool(x.dtype):
            return getattr(xp, of_booleans)(x, y)
        if not dtypes.is_complex(x.dtype):
            return getattr(xp, namespace)(x, y)
        ordered = _before(xp, x, y) if first else _before(xp, y, x)
        return xp.where((ordered & (y == y)) | (x != x), x, y)

    return Elementwise(
        name,
        accepts="biufc",
        operands="x y",
        impl=impl,
        derivatives=(
            lambda t, z, x, y: mul(t, _share(x, y, z)),
            lambda t, z, x, y: mul(t, _share(y, x, z)),
        ),
    )


max_ = _extremum("max", "maximum", "logical_or", first=False)
min_ = _extremum("min", "minimum", "logical_and", first=True)


def _within(low: Any, x: Any, high: Any) -> Any:
    """1 where low < x < high, else 0."""
    zero, one = const(x, 0), const(x, 1)
    return select(gt(x, low), zero, select(lt(x, high), zero, one))


def _clamp(xp: Any, low: Any, x: Any, high: Any) -> Any:
    if dtypes.is_bool(x.dtype):
        return xp.logical_and(xp.logical_or(x, low), high)
    return xp.minimum(xp.maximum(x, low), high)


clamp = Elementwise(
    "clamp",
    accepts="biuf",
    operands="min x max",
    impl=_clamp,
    derivatives=(
        lambda t, z, low, x, high: mul(t, _within(x, low, high)),
        lambda t, z, low, x, high: mul(t, _within(low, x, high)),
        lambda t, z, low, x, high: select(lt(high, x), const(t, 0), t),
    ),
)
