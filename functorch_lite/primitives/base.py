"""`Elementwise`: the machinery that elementwise primitives share.

A row says which kinds of dtype it accepts, what it gives, the namespace's function that computes it, and, per operand,
how a tangent of that operand contributes to the tangent of the result. The machinery does the rest: symbolic zeros,
operands of rank 0 beside larger ones ("splat"), batching, 16-bit floats that are computed in 32 bits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from operator import attrgetter
from typing import Any

from .. import dtypes
from ..array_type import ArrayType
from ..arrays import type_of
from ..errors import ArgumentTypeError, DTypeError, ShapeError
from ..primitive import LinearOperand, Primitive, Zero, not_linear
from .structural import batch_place, broadcast_in_dim, broadcast_to, place_batch, reduce_sum

__all__ = ["Elementwise", "add", "align_batch", "const", "either", "kind", "linear", "same", "unsplat"]

_KINDS = {"b": "boolean", "i": "integer", "u": "unsigned integer", "f": "floating", "c": "complex"}


def kind(dtype: Any) -> str:
    """b, i, u, f or c."""
    return "f" if dtype.kind == "V" and dtypes.is_floating(dtype) else dtype.kind


Contribution = Callable[..., Any]
"""(tangent, result, *operands, **params) -> its contribution to the result's tangent, which may be `Zero`."""


class Elementwise(Primitive):
    """An operation on each element.

    Args:
      name: of the primitive.
      accepts: kinds of dtype of the operands: any of `biufc`.
      operands: their names, in one string; by these the functions of `lax` take them.
      params: the names of the params; rules get them by keyword.
      derivatives: per operand, a `Contribution`; None where the derivative is zero. Omitted: zero in all operands.
      transposes: per operand, (cotangent, *operands, **params) -> cotangent of that operand, where the operation is
        linear in it.
      namespace: the namespace's function that computes it for all accepted dtypes; dotted for `special.erf`.
      impl: (xp, *buffers, **params) -> buffer, where no single function does.
      widens: whether 16-bit floats are computed in float32, and rounded once: where the namespace has no 16-bit loops,
        or several steps would each round.
      result: the result's dtype from the operands' (default: the same).
      scalar: the instruction of the code generators, by default the name.
      expand: (*operands) -> the same by simpler primitives.
    """

    elementwise = True

    def __init__(
        self,
        name: str,
        *,
        accepts: str,
        operands: str = "x",
        params: Sequence[str] = (),
        derivatives: Sequence[Contribution | None] | None = None,
        transposes: Sequence[Callable[..., Any] | None] | None = None,
        namespace: str | None = None,
        impl: Callable[..., Any] | None = None,
        widens: bool = False,
        result: Callable[[Any], Any] | None = None,
        scalar: str | None = None,
        expand: Callable[..., Any] | None = None,
    ):
        super().__init__(name)
        self.accepts = accepts
        self.operands = tuple(operands.split())
        self.arity = len(self.operands)
        self.params = frozenset(params)
        self.derivatives = derivatives
        self.transposes = transposes
        self.namespace = namespace
        self.own_impl = impl
        self.widens = widens
        self.result = result
        self.scalar = scalar or name
        self.expand = expand

    def infer(self, *types: ArrayType, **params: Any) -> ArrayType:
        if len(types) != self.arity:
            raise ArgumentTypeError(f"{self.name} takes {self.arity} operands, not {len(types)}")
        if params.keys() != self.params:
            raise ArgumentTypeError(f"{self.name} takes the params {sorted(self.params)}, not {sorted(params)}")
        dtype = types[0].dtype
        if any(t.dtype != dtype for t in types):
            raise DTypeError(
                f"{self.name} needs operands of one dtype, got {_and(types)}: cast with astype, or use the functions "
                "of functorch_lite.numpy, which promote."
            )
        if kind(dtype) not in self.accepts:
            wanted = " or ".join(_KINDS[k] for k in self.accepts)
            raise DTypeError(f"{self.name} needs operands of {wanted} dtype, got {_and(types)}: cast with astype.")
        return self.shaped(types, self.result(dtype) if self.result else dtype)

    def shaped(self, types: Sequence[ArrayType], dtype: Any) -> ArrayType:
        """The type of the result: the operands' shape (those of rank 0 are splat) and `dtype`."""
        shape = ()
        for t in types:
            if t.shape:
                if shape and t.shape != shape:
                    raise ShapeError(
                        f"{self.name} needs operands of equal shape (or rank 0), got {_and(types)}: reshape them, or "
                        "use the functions of functorch_lite.numpy, which broadcast."
                    )
                shape = t.shape
        return ArrayType(shape, dtype, not dtypes.is_bool(dtype) and all(t.weak for t in types))

    def impl(self, xp: Any, *buffers: Any, **params: Any) -> Any:
        function = attrgetter(self.namespace)(xp) if self.namespace else partial(self.own_impl, xp)  # type: ignore[arg-type]
        return function(*buffers, **params)

    def kernel(self, xp: Any, types: Sequence[ArrayType], params: Mapping[str, Any]) -> Callable[..., Any]:
        function = (
            attrgetter(self.namespace)(xp) if self.namespace else partial(self.own_impl or self.impl, xp, **params)
        )
        dtype = types[0].dtype
        return _widened(xp, function, dtype) if self.widens and dtypes.accumulator_dtype(dtype) != dtype else function

    def element(self, at: Any, index: Any, **params: Any) -> Any:  # type: ignore[override]
        operands = [at.operand(i, index if t.shape else ()) for i, t in enumerate(at.types)]
        return at.instruction(self.scalar, *operands, **params)

    def implemented_over(self, xp: Any) -> bool:
        if self.namespace is None:
            return self.own_impl is not None or type(self).impl is not Elementwise.impl
        try:
            return bool(attrgetter(self.namespace)(xp))
        except AttributeError:
            return False

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        out = self(*primals, **params)
        type = type_of(out)
        total = None
        for t, contribution in zip(tangents, self.derivatives or (), strict=bool(self.derivatives)):
            if contribution is not None and not isinstance(t, Zero):
                term = contribution(t, out, *primals, **params)
                if not isinstance(term, Zero):
                    term = broadcast_to(term, type.shape)
                    total = term if total is None else add(total, term)
        return out, Zero(type.tangent()) if total is None else total

    def transpose(self, cotangents: Any, operands: Sequence[Any], **params: Any) -> Sequence[Any]:
        ct, rules = cotangents, self.transposes or (None,) * len(operands)
        cts: list[Any] = [None] * len(operands)
        for i, (x, rule) in enumerate(zip(operands, rules, strict=True)):
            if isinstance(x, LinearOperand):
                if rule is None:
                    raise not_linear(self)
                cts[i] = ct if isinstance(ct, Zero) else unsplat(rule(ct, *operands, **params), x.type)
        return cts

    def batch(self, axis: Any, operands: Sequence[Any], dims: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        moved, out = align_batch(operands, dims)
        return self(*moved, **params), out


def _widened(xp: Any, function: Callable[..., Any], dtype: Any) -> Callable[..., Any]:
    """`function` of operands of a 16-bit dtype, computed in 32 bits; of a floating result, rounded back."""

    def run(*buffers: Any) -> Any:
        out = function(*(xp.astype(x, dtypes.float32) if x.dtype == dtype else x for x in buffers))
        return xp.astype(out, dtype) if out.dtype == dtypes.float32 else out

    return run


def align_batch(operands: Sequence[Any], dims: Sequence[int | None]) -> tuple[list[Any], int]:
    """Operands with batch dimensions in one place, of equal shape or (unbatched) of rank 0; and that place."""
    ranks = [x.ndim - (d is not None) for x, d in zip(operands, dims, strict=True)]
    rank = max(ranks)
    batched = {d for d, r in zip(dims, ranks, strict=True) if d is not None and r == rank}
    if len(batched) == 1 and all(r == 0 if d is None else r == rank for d, r in zip(dims, ranks, strict=True)):
        return list(operands), batched.pop()  # type: ignore[return-value]
    size = next(x.shape[d] for x, d in zip(operands, dims, strict=True) if d is not None)
    inner = next(
        tuple(n for i, n in enumerate(x.shape) if i != d)
        for x, d, r in zip(operands, dims, ranks, strict=True)
        if r == rank
    )
    moved, place = [], batch_place(inner)
    for x, d, r in zip(operands, dims, ranks, strict=True):
        if d is None and r == 0:
            moved.append(x)
        elif d is not None and r < rank:
            moved.append(broadcast_in_dim(x, shape=(*inner[:place], size, *inner[place:]), dims=(place,)))
        else:
            moved.append(place_batch(x, d, place, size))
    return moved, place


def unsplat(ct: Any, type: ArrayType) -> Any:
    """The cotangent of an operand of rank 0 that was used beside larger ones: the sum."""
    return ct if ct.shape == type.shape else reduce_sum(ct, axes=tuple(range(ct.ndim)))


def _and(types: Sequence[ArrayType]) -> str:
    return " and ".join(map(str, types))


def either(name: str, otherwise: Callable[..., Any]) -> Callable[..., Any]:
    """An `impl` by the namespace's function `name`, or, in a namespace that has none, by `otherwise` (xp, *buffers)."""

    def impl(xp: Any, *buffers: Any) -> Any:
        function = getattr(xp, name, None)
        return otherwise(xp, *buffers) if function is None else function(*buffers)

    return impl


def const(like: Any, value: Any) -> Any:
    """A constant of the dtype of `like`."""
    return like.dtype.type(value)


def linear(t: Any, out: Any, *operands: Any) -> Any:
    """The contribution of an operand in which the operation is the identity."""
    return t


def same(ct: Any, *operands: Any) -> Any:
    """The cotangent of such an operand."""
    return ct


add = Elementwise(
    "add",
    accepts="iufc",
    operands="x y",
    namespace="add",
    derivatives=(linear, linear),
    transposes=(same, same),
)
