"""`Primitive`: one class, every rule a method; and the registry.

An operation owes: `infer` (types in, types out), `impl` (the meaning, over any NumPy-like namespace), `jvp`,
`transpose` where it is linear, `batch`. It may give `scalar` (one instruction for code generators) and `expand` (the
same thing in simpler primitives). What an operation does not have it says by a named marker, `NotLinear` or
`NotDifferentiable`; nothing is left unsaid.

Primitives that carry programs (jit, cond, scan, while, checkpoint, custom rules) give `linearize` themselves, list
their `subprograms`, and have `lower` in place of `impl`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np

from .array_type import ArrayType
from .errors import ArgumentError, TransformationError, UnsupportedError
from .tracing import context

__all__ = ["LinearOperand", "Primitive", "Zero", "not_linear", "registry"]

registry: dict[str, Primitive] = {}
"""Every primitive by name."""


class Zero:
    """A tangent or cotangent that is known to be zero, of a given type, and is never computed with."""

    __slots__ = ("type",)

    def __init__(self, type: ArrayType):
        self.type = type

    @property
    def shape(self) -> Any:
        return self.type.shape

    @property
    def dtype(self) -> Any:
        return self.type.dtype

    def __repr__(self) -> str:
        return f"Zero({self.type})"


class LinearOperand:
    """Stands, in a transpose rule, for an operand in which the equation is linear."""

    __slots__ = ("type",)

    def __init__(self, type: ArrayType):
        self.type = type

    def __repr__(self) -> str:
        return f"LinearOperand({self.type})"


class Primitive:
    """One operation with all its rules; calling it binds it in the current trace.

    Args:
      name: the name under which programs print it and backends look it up.
    """

    multiple_results: ClassVar[bool] = False
    """Whether rules return lists of values."""
    effects: ClassVar[frozenset[str]] = frozenset()
    """What else happens than a result; dead code removal and sharing respect it."""
    may_alias: ClassVar[bool] = False
    """Whether `impl` may return a view of an operand."""
    locates: ClassVar[int | None] = None
    """The operand that says where others are read: one coordinate after the other, so it costs nothing to put them together."""
    subprograms: ClassVar[tuple[str, ...]] = ()
    """Names of the params that hold programs (or tuples of programs)."""
    inlines: ClassVar[bool] = False
    """Whether an equation may be replaced by the equations of its one subprogram."""
    splits: ClassVar[bool] = True
    """Whether partial evaluation may look into the programs that an equation carries; if not, it is linear as a whole."""
    opaque: ClassVar[bool] = False
    """Whether passes leave the programs that an equation carries as they are."""
    of_dtype: ClassVar[bool] = False
    """Whether the dtype says what is computed, and not only how precisely: bits drawn, bits read, the next number."""
    compiles: ClassVar[bool] = False
    """Whether the user asked for the program that an equation carries to be compiled."""
    elementwise: ClassVar[bool] = False
    """Whether the operation works element by element, with operands of equal shape or of rank 0."""
    scalar: str | None = None
    """The instruction of the code generators' closed set, for elementwise operations."""
    evaluate: Callable[..., Any] | None = None
    """For primitives that the eager trace should not look up a kernel for: the results from operands and params."""
    linearize: Callable[..., Any] | None = None
    """For primitives whose linearization is not found by way of `jvp`: (types, nonzeros, **params) -> Linearization."""
    own_linearize: Callable[..., Any] | None = None
    """For primitives whose params hold functions: (primals, nonzeros, **params) -> results, Linearization, residuals."""
    stage: Callable[..., Any] | None = None
    """For primitives whose params hold functions: the primitive, operands and params of the equation to record."""
    element: Callable[..., Any] | None = None
    """For code generators: (at, index, **params) -> the element of the result at `index`, from elements of the operands.

    `at` is a `passes.elements.Elements`. What has no such rule is computed as a whole, by a kernel.
    """
    combines: str | None = None
    """For reductions along `axes`: the instruction that combines two elements."""
    expand: Callable[..., Any] | None = None
    """The same results, from operands and params, by simpler primitives."""
    hoist: Callable[..., Any] | None = None
    """For loops: (is_dear, **params) -> a function from operands to the same results, which does before or after the loop
    what need not be done in each turn; None if there is nothing of that kind."""
    spare: Callable[..., Any] | None = None
    """For loops: (equation, equations that read its results, values that are to stay, is_dear) -> those equations, with less
    stored between them; None if there is nothing of that kind."""
    batch_sum: Callable[..., Any] | None = None
    """(axis, operands, dims, **params) -> the sum of a batch of results, where it can be had without them."""

    def __init__(self, name: str):
        if name in registry:
            raise ArgumentError(f"a primitive named {name!r} exists already: give this one another name.")
        self.name = name
        registry[name] = self

    def __call__(self, *operands: Any, **params: Any) -> Any:
        return context.trace.process(self, operands, params)

    def infer(self, *types: ArrayType, **params: Any) -> Any:
        """The type of the result (a list of types where `multiple_results`), or an error with the reason."""
        raise _no_rule(self, "infer")

    def impl(self, xp: Any, *buffers: Any, **params: Any) -> Any:
        """The result's buffer, computed with the functions of the namespace bundle `xp`."""
        raise _no_rule(self, "impl")

    def kernel(self, xp: Any, types: Sequence[ArrayType], params: Mapping[str, Any]) -> Callable[..., Any]:
        """`impl` for operands of the given types: a callable from buffers to the result's buffer."""
        return partial(self.impl, xp, **params)

    def implemented_over(self, xp: Any) -> bool:
        """Whether the namespace `xp` has what `impl` needs."""
        return type(self).impl is not Primitive.impl

    def lower(self, context: Any, equation: Any) -> Any:
        """For primitives that carry programs: a callable from operand buffers to a tuple of result buffers."""
        raise _no_rule(self, "lower")

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        """Result and its tangent. Some tangents may be `Zero`, not all are."""
        raise _no_rule(self, "jvp")

    def transpose(self, cotangents: Any, operands: Sequence[Any], **params: Any) -> Sequence[Any]:
        """Cotangents of the operands that are `LinearOperand`; None or `Zero` for the others."""
        raise _no_rule(self, "transpose")

    def batch(self, axis: Any, operands: Sequence[Any], dims: Sequence[int | None], **params: Any) -> tuple[Any, Any]:
        """Result and the position of its batch dimension, for operands of which some have a batch dimension."""
        raise _no_rule(self, "batch")

    def is_identity(self, types: Sequence[ArrayType], params: Mapping[str, Any]) -> bool:
        """Whether the result is the first operand as it is (the weak flag apart), so that the equation can go."""
        return False

    def flops(self, types: Sequence[ArrayType], results: Sequence[ArrayType], params: Mapping[str, Any]) -> float:
        """An estimate of the floating-point operations: one for each element of the largest operand or result."""
        if not self.elementwise and self.combines is None:
            return 0
        return max((t.size for t in (*types, *results) if all(type(n) is int for n in t.shape)), default=0)

    def closes_over(self, params: Mapping[str, Any]) -> bool:
        """Whether the params hold functions that have not been staged, and may close over tracers of any trace."""
        return False

    def axis_names(self, params: dict[str, Any]) -> frozenset[Any]:
        """The named axes that an equation with these params speaks of."""
        return frozenset()

    def effects_of(self, params: dict[str, Any]) -> frozenset[str]:
        """The effects of an equation with these params."""
        return self.effects

    def __repr__(self) -> str:
        return self.name

    def __reduce__(self) -> Any:
        return _lookup, (self.name,)


def _lookup(name: str) -> Primitive:
    return registry[name]


def _no_rule(primitive: Any, rule: str) -> UnsupportedError:
    return UnsupportedError(
        f"the primitive {primitive.name} has no {rule} rule: write the method {type(primitive).__name__}.{rule}, or let the class "
        "inherit from a marker that says what holds (extend: NotLinear, ZeroDerivative, NotDifferentiable)."
    )


def not_linear(primitive: Any) -> TransformationError:
    """The error for a value that is to be transposed through an operation that is not linear in it."""
    return TransformationError(
        f"only linear functions can be transposed, but this one takes {primitive} of a value that depends on its arguments: use "
        "vjp, or linearize first. (In a rule of custom_jvp, the tangent of the result must be linear in the tangents.)"
    )


class NotLinear:
    """Marks a primitive that is linear in no operand, and so is never transposed."""

    def transpose(self, cotangents: Any, operands: Sequence[Any], **params: Any) -> Sequence[Any]:
        raise not_linear(self)


class ZeroDerivative(NotLinear):
    """Marks a primitive whose derivative is zero wherever it exists, or whose result has no tangents."""

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        out = self(*primals, **params)  # type: ignore[operator]
        if self.multiple_results:  # type: ignore[attr-defined]
            return out, [Zero(o.type.tangent()) for o in out]
        return out, Zero(out.type.tangent())


class NotDifferentiable(NotLinear):
    """Marks a primitive that raises when differentiated: there is no derivative to give."""

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        name, types = self.name, ", ".join(str(x.type) for x in primals if not isinstance(x, np.generic))  # type: ignore[attr-defined]
        raise UnsupportedError(
            f"{name} of {types} is not differentiable: keep the derivative out with lax.stop_gradient on its operands, or "
            "give a function around it one with custom_jvp or custom_vjp."
        )
