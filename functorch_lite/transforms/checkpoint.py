"""`checkpoint`: trade time for memory. The backward pass computes again what the forward pass did not keep."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..array_type import ArrayType
from ..arrays import type_of
from ..errors import TransformationError, transparent
from ..primitive import Primitive
from ..program import Program, Var, dead_code
from ..promotion import as_operand
from ..staging import stage
from ..tree import flatten, unflatten
from .call import ProgramCall, as_call
from .edges import FlatCall
from .linearize import linearize_program
from .signature import StaticArguments, check_callable, function_name
from .tape import Linearization

__all__ = ["checkpoint", "checkpoint_name", "checkpoint_p", "policies"]


class Checkpoint(ProgramCall):
    """A call whose linear part takes the operands themselves as residuals, and computes the rest anew.

    It is never inlined: the second computation would be found equal to the first, and shared.
    """

    inlines = False

    def linearize(  # type: ignore[override]
        self,
        types: Sequence[ArrayType],
        nonzeros: tuple[bool, ...],
        *,
        split_body: Any = linearize_program,
        program: Program,
        policy: Any,
        **params: Any,
    ) -> Linearization:
        known, linear, has = split_body(program, nonzeros)
        n_out = len(has)
        residuals = known.outputs[n_out:]
        n_res = len(residuals)
        saved = _saved(known, policy)
        forward = dead_code(known.replace(outputs=[*known.outputs[:n_out], *saved, *known.inputs]))
        again = [e for e in known.equations if not (e.results and all(v in saved for v in e.results))]
        renamed = dict(zip(linear.inputs[:n_res], residuals, strict=True))
        linear_equations = [
            e.replace(operands=[renamed.get(a, a) if isinstance(a, Var) else a for a in e.operands])
            for e in linear.equations
        ]
        outputs = [renamed.get(a, a) if isinstance(a, Var) else a for a in linear.outputs]
        backward = dead_code(
            Program([*saved, *known.inputs, *linear.inputs[n_res:]], [*again, *linear_equations], outputs, program.name)
        )
        rest = {"policy": policy, **params}
        return Linearization(forward, as_call(self, _fresh(backward), rest), has, True)


def _fresh(program: Program) -> Program:
    """The program in variables of its own."""
    new: dict[Var, Var] = {}

    def var(v: Any) -> Any:
        return new.setdefault(v, Var(v.type)) if isinstance(v, Var) else v

    return Program(
        [var(v) for v in program.inputs],
        [
            e.replace(operands=[var(a) for a in e.operands], results=[var(v) for v in e.results])
            for e in program.equations
        ],
        [var(a) for a in program.outputs],
        program.name,
    )


def _saved(known: Program, policy: Callable[..., bool] | None) -> list[Var]:
    """Results that the policy keeps."""
    if policy is None:
        return []
    return [
        v for e in known.equations if policy(e.primitive, *(a.type for a in e.operands), **e.params) for v in e.results
    ]


checkpoint_p = Checkpoint("checkpoint")


class Name(Primitive):
    """The operand as it is, under a name by which policies know it."""

    may_alias = True

    def infer(self, x: ArrayType, *, name: str) -> ArrayType:
        return x

    def impl(self, xp: Any, x: Any, *, name: str) -> Any:
        return x

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], *, name: str) -> tuple[Any, Any]:
        return self(*primals, name=name), tangents[0]

    def transpose(self, cotangents: Any, operands: Sequence[Any], *, name: str) -> Sequence[Any]:
        return [cotangents]

    def batch(self, axis: Any, operands: Sequence[Any], dims: Sequence[Any], *, name: str) -> tuple[Any, Any]:
        return self(*operands, name=name), dims[0]

    def is_identity(self, types: Sequence[ArrayType], params: Mapping[str, Any]) -> bool:
        return True


name_p = Name("name")


def checkpoint_name(x: Any, name: str) -> Any:
    """`x`, named for policies of `checkpoint` such as `checkpoint_policies.save_only_these_names`.

    Args:
      x: a pytree of arrays.
      name: any text.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> f = lambda x: fnp.sin(fl.ad_checkpoint.checkpoint_name(fnp.sin(x), "inner"))
    >>> keep = fl.checkpoint_policies.save_only_these_names("inner")
    >>> float(fl.grad(fl.checkpoint(f, policy=keep))(0.0))
    1.0
    """
    leaves, tree = flatten(x)
    return unflatten(tree, [name_p(as_operand(v, "what checkpoint_name names"), name=name) for v in leaves])


class policies:
    """Which values `checkpoint` keeps: functions (primitive, *operand types, **params) -> whether to keep its results."""

    @staticmethod
    def everything_saveable(*_: Any, **__: Any) -> bool:
        """Keep all: no second computation."""
        return True

    @staticmethod
    def nothing_saveable(*_: Any, **__: Any) -> bool:
        """Keep nothing but the operands: the default."""
        return False

    @staticmethod
    def dots_saveable(primitive: Any, *_: Any, **__: Any) -> bool:
        """Keep the results of contractions."""
        return primitive.name in ("dot_general", "conv_general_dilated")

    checkpoint_dots = dots_saveable

    @staticmethod
    def dots_with_no_batch_dims_saveable(primitive: Any, *_: Any, **params: Any) -> bool:
        """Keep the results of contractions without batch axes."""
        return primitive.name == "dot_general" and not params["dimension_numbers"][1][0]

    checkpoint_dots_with_no_batch_dims = dots_with_no_batch_dims_saveable

    @staticmethod
    def save_only_these_names(*names: str) -> Callable[..., bool]:
        """Keep what `checkpoint_name` gave one of these names."""
        return lambda primitive, *_, **params: primitive is name_p and params["name"] in names

    @staticmethod
    def save_any_names_but_these(*names: str) -> Callable[..., bool]:
        """Keep what `checkpoint_name` gave another name."""
        return lambda primitive, *_, **params: primitive is name_p and params["name"] not in names

    @staticmethod
    def save_anything_except_these_names(*names: str) -> Callable[..., bool]:
        """Keep all but what `checkpoint_name` gave one of these names."""
        return lambda primitive, *_, **params: primitive is not name_p or params["name"] not in names

    @staticmethod
    def save_from_both_policies(first: Callable[..., bool], second: Callable[..., bool]) -> Callable[..., bool]:
        """Keep what either policy keeps."""
        return lambda *args, **params: first(*args, **params) or second(*args, **params)


def checkpoint(
    fun: Callable[..., Any] | None = None,
    *,
    prevent_cse: bool = True,
    policy: Callable[..., bool] | None = None,
    static_argnums: int | Sequence[int] = (),
    static_argnames: str | Sequence[str] = (),
) -> Any:
    """A function that keeps only its arguments for the backward pass, and is computed again there.

    A chain of n layers in blocks of sqrt(n) under `checkpoint` needs memory for about 2 sqrt(n) layers.

    Args:
      fun: takes and gives pytrees of arrays. Omitted: a decorator is returned.
      prevent_cse: accepted for compatibility; the second computation is never shared with the first.
      policy: which results to keep all the same, see `checkpoint_policies`.
      static_argnums: positions of arguments that are not arrays; hashable.
      static_argnames: names of such arguments.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> float(fl.grad(fl.checkpoint(lambda x: fnp.sin(fnp.sin(x))))(0.0))
    1.0
    """
    if fun is None:
        return functools.partial(
            checkpoint,
            prevent_cse=prevent_cse,
            policy=policy,
            static_argnums=static_argnums,
            static_argnames=static_argnames,
        )
    del prevent_cse
    check_callable("checkpoint", fun)
    if not (policy is None or callable(policy)):
        raise TransformationError(
            f"checkpoint: policy is {policy!r}, of type {type(policy).__name__}, needed is None or a function (primitive, "
            "*operand types, **params) -> bool: take one of checkpoint_policies, such as "
            f"checkpoint_policies.{policy if isinstance(policy, str) and hasattr(policies, policy) else 'dots_saveable'}."
        )
    static = StaticArguments.of(fun, static_argnums or None, static_argnames or None)

    @transparent
    @functools.wraps(fun)
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        statics: Any = None
        dynamic: Any = (args, kwargs)
        if static:
            statics, dynamic = static.split(args, kwargs)
        leaves, tree = flatten(dynamic)
        operands = [as_operand(x, f"an argument of {function_name(fun)}") for x in leaves]
        fill_in = functools.partial(static.join, statics) if static else None
        flat = FlatCall(fun, tree, f"a result of {function_name(fun)}", fill_in)
        program, hoisted = stage(flat, [type_of(x) for x in operands], name=function_name(fun))
        return unflatten(flat.out_tree, checkpoint_p(*hoisted, *operands, program=program, policy=policy))

    return checkpointed
