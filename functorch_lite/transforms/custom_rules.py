"""The primitives behind `custom_jvp` and `custom_vjp`: a function with the user's own derivative.

They carry Python functions, so that under eager `grad` the user's rule runs as it stands, on values. Only where they are
staged is the primal function staged with them, into the param `program`; compilation puts that program in their place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .. import dtypes
from ..array_type import ArrayType, rename_dims
from ..arrays import type_of
from ..errors import TransformationError
from ..primitive import LinearOperand, NotLinear, Primitive, Zero
from ..primitives.structural import instantiate, move_batch, move_to_front, reduce_sum
from ..program import Equation, Program
from ..staging import stage
from .batching import BatchAxis, batch_flat, batch_program
from .call import call, run_program
from .partial import linear_part
from .tape import Linearization

__all__ = ["Rule", "custom_jvp_p", "custom_vjp_p"]


class Rule:
    """A function of operands that gives a list, hashed by identity: what the params of these primitives hold."""

    __slots__ = ("function", "name")

    def __init__(self, function: Callable[..., Any], name: str):
        self.function = function
        self.name = name

    def __call__(self, *operands: Any) -> Any:
        return self.function(*operands)

    def __repr__(self) -> str:
        return self.name


class _Custom(NotLinear, Primitive):
    """What the two share. Params: `fun`, the rules, and once staged: `program`, and how many operands it closes over."""

    multiple_results = True
    subprograms = ("program",)
    inlines = True

    def infer(self, *types: ArrayType, program: Program, **params: Any) -> list[ArrayType]:
        return rename_dims(program.out_types, {})

    def evaluate(self, *operands: Any, fun: Rule, program: Program | None, **params: Any) -> list[Any]:  # type: ignore[override]
        return fun(*operands) if program is None else run_program(program, operands)

    def stage(self, operands: Sequence[Any], params: dict[str, Any]) -> Any:  # type: ignore[override]
        """Stage the primal function; what it closes over become the first operands."""
        if params["program"] is not None:
            return self, operands, params
        program, hoisted = stage(params["fun"], [type_of(x) for x in operands], name=str(params["fun"]))
        return self, (*hoisted, *operands), {**params, "program": program, "n_hoisted": len(hoisted)}

    def lower(self, context: Any, equation: Equation) -> Any:
        return context.compile(equation.params["program"])

    def own_operands(self, primals: Sequence[Any], nonzeros: Sequence[bool], n_hoisted: int) -> Sequence[Any]:
        """The operands without those closed over, which must have no tangent."""
        if any(nonzeros[:n_hoisted]):
            raise TransformationError(
                f"a function with {self.name} closes over a value that is being differentiated, for which its rule gives no "
                "derivative: pass the value as an argument."
            )
        return primals[n_hoisted:]

    def closes_over(self, params: Mapping[str, Any]) -> bool:
        return params["program"] is None

    def batched_primal(self, results: _Results, dims: Sequence[int | None], fun: Rule, program: Program | None) -> Any:
        """`fun` and `program` for a whole batch."""
        if program is not None:
            return fun, batch_program(program, results.axis, tuple(dims), True)[0]

        def batched_fun(*xs: Any) -> list[Any]:
            values, found = batch_flat(fun, results.axis, xs, dims)
            results.settle(found)
            return results.place(values, found)

        return Rule(batched_fun, fun.name), None

    def batch(  # type: ignore[override]
        self,
        axis: Any,
        operands: Sequence[Any],
        dims: Sequence[Any],
        *,
        fun: Rule,
        program: Any,
        n_hoisted: int,
        **rules: Rule,
    ) -> tuple[Any, Any]:
        results = _Results(axis, dims, fun.name)
        new_fun, new_program = self.batched_primal(results, dims, fun, program)
        new_rules = self.batched_rules(results, dims[n_hoisted:], **rules)
        out = self(*operands, fun=new_fun, program=new_program, n_hoisted=n_hoisted, **new_rules)
        return out, [results.dim] * len(out)

    def batched_rules(self, results: _Results, own_dims: Sequence[int | None], **rules: Rule) -> dict[str, Rule]:
        """The rules for a whole batch.

        Args:
          results: where the batch dimensions of the results are.
          own_dims: where those of the operands are, without those closed over.
        """
        raise NotImplementedError

    def axis_names(self, params: dict[str, Any]) -> frozenset[Any]:
        return frozenset() if params["program"] is None else params["program"].axis_names

    def effects_of(self, params: dict[str, Any]) -> frozenset[str]:
        return frozenset() if params["program"] is None else params["program"].effects


class _Results:
    """Whether the results of a batched function have a batch dimension; it is at the front then.

    They have, if an operand has one. Otherwise it depends on what the function closes over, which shows when it, or its
    rule, runs.
    """

    def __init__(self, axis: BatchAxis, dims: Sequence[int | None], name: str):
        self.axis = axis
        self.batched = True if any(d is not None for d in dims) else None
        self.name = name

    def settle(self, found: Sequence[int | None]) -> None:
        """Learn where the function or a rule left the batch dimensions of its results."""
        batched = any(d is not None for d in found)
        if self.batched is None:
            self.batched = batched
        elif batched and not self.batched:
            raise TransformationError(
                f"a derivative rule of {self.name} closes over a value that vmap maps over, but {self.name} itself does not "
                "depend on it: pass the value as an argument."
            )

    def place(self, values: Sequence[Any], found: Sequence[int | None]) -> list[Any]:
        """Values with their batch dimensions where they belong."""
        if not self.batched:
            return list(values)
        return [move_to_front(x, d, self.axis.size) for x, d in zip(values, found, strict=True)]

    @property
    def dim(self) -> int | None:
        """The position of the batch dimension."""
        return 0 if self.batched else None


class CustomJvp(_Custom):
    """`jvp`: (primals, tangents, which may be `Zero`) -> list of results, list of tangents."""

    def jvp(  # type: ignore[override]
        self, primals: Sequence[Any], tangents: Sequence[Any], *, jvp: Rule, n_hoisted: int, **params: Any
    ) -> Any:
        own = self.own_operands(primals, [not isinstance(t, Zero) for t in tangents], n_hoisted)
        return jvp(own, tangents[n_hoisted:])

    def own_linearize(  # type: ignore[override]
        self, primals: Sequence[Any], nonzeros: Sequence[bool], *, jvp: Rule, n_hoisted: int, **params: Any
    ) -> tuple[list[Any], Linearization, list[Any]]:
        own = self.own_operands(primals, nonzeros, n_hoisted)
        types = [type_of(x).tangent() for x in own]
        outs, linear, has, residuals = linear_part(lambda dots: jvp(own, dots), types, nonzeros[n_hoisted:])
        return outs, Linearization(None, linear, has, True, n_residuals=len(residuals)), residuals

    def transpose(self, cts: Any, operands: Sequence[Any], *, program: Program, **params: Any) -> Sequence[Any]:
        """A function that is linear in some operands (its own rule may call it on tangents) is transposed as it stands."""
        return call.transpose(cts, operands, program=program)

    def batched_rules(  # type: ignore[override]
        self, results: _Results, own_dims: Sequence[int | None], *, jvp: Rule
    ) -> dict[str, Rule]:
        def batched_jvp(primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[list[Any], list[Any]]:
            n = len(primals)
            given = [t for t in tangents if not isinstance(t, Zero)]
            given_dims = [d for t, d in zip(tangents, own_dims, strict=True) if not isinstance(t, Zero)]
            marks: list[bool] = []

            def function(*xs: Any) -> list[Any]:
                rest = iter(xs[n:])
                dots = [
                    Zero(type_of(x).tangent()) if isinstance(t, Zero) else next(rest)
                    for x, t in zip(xs[:n], tangents, strict=True)
                ]
                outs, out_dots = jvp(xs[:n], dots)
                marks.extend(not isinstance(t, Zero) for t in out_dots)
                return [*outs, *(t for t in out_dots if not isinstance(t, Zero))]

            values, found = batch_flat(function, results.axis, [*primals, *given], [*own_dims, *given_dims])
            results.settle(found)
            placed = results.place(values, found)
            outs, dots = placed[: len(marks)], iter(placed[len(marks) :])
            return outs, [next(dots) if m else Zero(x.type.tangent()) for x, m in zip(outs, marks, strict=True)]

        return {"jvp": Rule(batched_jvp, jvp.name)}


class CustomVjp(_Custom):
    """`fwd`: (operands, which have a tangent) -> (results, residuals); `bwd`: (residuals, cotangents, maybe `Zero`) ->
    cotangents of operands."""

    def jvp(  # type: ignore[override]
        self,
        primals: Sequence[Any],
        tangents: Sequence[Any],
        *,
        fwd: Rule,
        bwd: Rule,
        n_hoisted: int,
        **params: Any,
    ) -> Any:
        nonzeros = [not isinstance(t, Zero) for t in tangents]
        own = self.own_operands(primals, nonzeros, n_hoisted)
        outs, residuals = fwd(own, nonzeros[n_hoisted:])
        dots = [instantiate(t) for t in tangents[n_hoisted:] if dtypes.is_inexact(t.type.dtype)]
        return outs, _linear_part(outs, residuals, own, dots, bwd)

    def own_linearize(  # type: ignore[override]
        self,
        primals: Sequence[Any],
        nonzeros: Sequence[bool],
        *,
        fwd: Rule,
        bwd: Rule,
        n_hoisted: int,
        **params: Any,
    ) -> tuple[list[Any], Linearization, list[Any]]:
        own = self.own_operands(primals, nonzeros, n_hoisted)
        outs, residuals = fwd(own, nonzeros[n_hoisted:])

        def tangents_of_results(tangents: Sequence[Any]) -> tuple[list[Any], list[Any]]:
            dots = [instantiate(t) for t in tangents if dtypes.is_inexact(t.type.dtype)]
            return outs, _linear_part(outs, residuals, own, dots, bwd)

        types = [type_of(x).tangent() for x in own]
        _, linear, has, hoisted = linear_part(tangents_of_results, types, nonzeros[n_hoisted:])
        return outs, Linearization(None, linear, has, True, n_residuals=len(hoisted)), hoisted

    def batched_rules(  # type: ignore[override]
        self, results: _Results, own_dims: Sequence[int | None], *, fwd: Rule, bwd: Rule
    ) -> dict[str, Rule]:
        residual_dims: list[int | None] = []

        def batched_fwd(own: Sequence[Any], nonzeros: Sequence[bool]) -> tuple[list[Any], list[Any]]:
            n_out = 0

            def function(*xs: Any) -> list[Any]:
                nonlocal n_out
                outs, residuals = fwd(xs, nonzeros)
                n_out = len(outs)
                return [*outs, *residuals]

            values, found = batch_flat(function, results.axis, own, own_dims)
            residual_dims[:] = found[n_out:]
            results.settle(found[:n_out])
            return results.place(values[:n_out], found[:n_out]), values[n_out:]

        new_bwd = _batched_bwd(bwd, results, residual_dims, own_dims)
        return {"fwd": Rule(batched_fwd, fwd.name), "bwd": new_bwd}


def _batched_bwd(
    bwd: Rule, results: _Results, residual_dims: Sequence[int | None], own_dims: Sequence[int | None]
) -> Rule:
    """`bwd` for a whole batch: cotangents come as the results went, and go where the operands have the batch dimension."""

    def batched(residuals: Sequence[Any], cts: Sequence[Any]) -> list[Any]:
        n = len(residuals)
        given = [ct for ct in cts if not isinstance(ct, Zero)]
        marks: list[Any] = []

        def function(*xs: Any) -> list[Any]:
            rest = iter(xs[n:])
            inner = [(_element(ct) if results.batched else ct) if isinstance(ct, Zero) else next(rest) for ct in cts]
            found = bwd(xs[:n], inner)
            marks.extend(found)
            return [ct for ct in found if not isinstance(ct, Zero)]

        dims = [*residual_dims, *(results.dim for _ in given)]
        values, found = batch_flat(function, results.axis, [*residuals, *given], dims)
        results.settle(found)
        placed = iter(results.place(values, found))
        out = [ct if isinstance(ct, Zero) else next(placed) for ct in marks]
        return [to_operand(ct, d) for ct, d in zip(out, own_dims, strict=True)]

    def to_operand(ct: Any, d: int | None) -> Any:
        if isinstance(ct, Zero) or not results.batched:
            return ct
        return reduce_sum(ct, axes=(0,)) if d is None else move_batch(ct, 0, d)

    return Rule(batched, bwd.name)


def _element(ct: Zero) -> Zero:
    return Zero(ct.type.update(shape=ct.type.shape[1:]))


def _linear_part(outs: Any, residuals: Any, own: Sequence[Any], dots: Sequence[Any], bwd: Rule) -> list[Any]:
    """Tangents of the results, in a form that can only be transposed."""
    differentiable = tuple(dtypes.is_inexact(type_of(x).dtype) for x in own)
    out_types = tuple(type_of(x).tangent() for x in outs)
    found = iter(
        custom_linear(
            *residuals, *dots, n_residuals=len(residuals), bwd=bwd, out_types=out_types, differentiable=differentiable
        )
    )
    return [next(found) if dtypes.is_inexact(t.dtype) else Zero(t) for t in out_types]


class CustomLinear(Primitive):
    """The derivative of a function with `custom_vjp`: it has no forward form, only the user's transpose."""

    multiple_results = True

    def infer(self, *types: ArrayType, out_types: tuple[ArrayType, ...], **params: Any) -> list[ArrayType]:
        return [t for t in out_types if dtypes.is_inexact(t.dtype)]

    def evaluate(self, *operands: Any, bwd: Rule, **params: Any) -> list[Any]:  # type: ignore[override]
        raise TransformationError(
            f"forward-mode differentiation (jvp, jacfwd, hessian by it) reached {bwd}, a function with custom_vjp, which gives "
            "the reverse rule only: use custom_jvp, or reverse mode (grad, jacrev)."
        )

    def impl(self, xp: Any, *buffers: Any, **params: Any) -> Any:
        return self.evaluate(*buffers, **params)

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], *, n_residuals: int, **params: Any) -> Any:
        if any(not isinstance(t, Zero) for t in tangents[:n_residuals]):
            self.evaluate(*primals, **params)
        out = self(*primals, n_residuals=n_residuals, **params)
        dots = [instantiate(t) for t in tangents[n_residuals:]]
        return out, self(*primals[:n_residuals], *dots, n_residuals=n_residuals, **params)

    def transpose(
        self,
        cts: Any,
        operands: Sequence[Any],
        *,
        n_residuals: int,
        bwd: Rule,
        out_types: tuple[ArrayType, ...],
        **params: Any,
    ) -> Sequence[Any]:
        given = iter(cts)
        all_cts = [next(given) if dtypes.is_inexact(t.dtype) else Zero(t) for t in out_types]
        found = bwd(operands[:n_residuals], all_cts)
        differentiable = [ct for ct, m in zip(found, params["differentiable"], strict=True) if m]
        wanted = [isinstance(x, LinearOperand) for x in operands[n_residuals:]]
        return [*(None,) * n_residuals, *(ct if w else None for ct, w in zip(differentiable, wanted, strict=True))]

    def batch(
        self,
        axis: Any,
        operands: Sequence[Any],
        dims: Sequence[Any],
        *,
        n_residuals: int,
        bwd: Rule,
        out_types: tuple[ArrayType, ...],
        **params: Any,
    ) -> tuple[Any, Any]:
        marks = params["differentiable"]
        dots = [move_to_front(x, d, axis.size) for x, d in zip(operands[n_residuals:], dims[n_residuals:], strict=True)]
        results = _Results(axis, dims, bwd.name)
        new_bwd = _batched_bwd(bwd, results, dims[:n_residuals], [0 if m else None for m in marks])
        types = tuple(t.update(shape=(axis.size, *t.shape)) for t in out_types)
        rest = {"n_residuals": n_residuals, "out_types": types, "differentiable": marks}
        out = self(*operands[:n_residuals], *dots, bwd=new_bwd, **rest)
        return out, [0] * len(out)


custom_jvp_p = CustomJvp("custom_jvp")
custom_vjp_p = CustomVjp("custom_vjp")
custom_linear = CustomLinear("custom_vjp_linear")
