"""`vectorize`: a function of numbers, vectors or matrices as one of arrays that broadcast."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Collection, Sequence
from typing import Any

from ..errors import ArgumentError, ArgumentTypeError, ShapeError
from ..promotion import as_operand, broadcast_shapes
from ..transforms.vmap import vmap
from ..tree import map as tree_map
from .shaping import expand_dims, squeeze

__all__ = ["vectorize"]

_GROUP = r"\(\s*(?:\w+(?:\s*,\s*\w+)*)?\s*\)"
_SIGNATURE = rf"\s*{_GROUP}(?:\s*,\s*{_GROUP})*\s*->\s*{_GROUP}(?:\s*,\s*{_GROUP})*\s*"

Names = tuple[str, ...]


def _parsed(signature: str) -> list[list[Names]]:
    """The names of the core axes, of the arguments and of the results."""
    if not re.fullmatch(_SIGNATURE, signature):
        raise ArgumentError(f"vectorize: {signature!r} is no signature: write it as in '(n,m),(m)->(n)'.")
    return [[tuple(re.findall(r"\w+", g)) for g in re.findall(_GROUP, side)] for side in signature.split("->")]


def _match(what: str, shape: Sequence[Any], names: Names, lengths: dict[str, Any]) -> None:
    if len(shape) < len(names):
        raise ShapeError(f"vectorize: {what} of shape {tuple(shape)} has no axes for {names}.")
    for name, n in zip(names, shape[len(shape) - len(names) :], strict=True):
        if lengths.setdefault(name, n) != n:
            raise ShapeError(f"vectorize: axis {name!r} of {what} is {n} long, but {lengths[name]} before.")


def vectorize(
    pyfunc: Callable[..., Any], *, excluded: Collection[int | str] = frozenset(), signature: str | None = None
) -> Callable[..., Any]:
    """A function over the last axes of its arguments, mapped over all others, which broadcast.

    Args:
      pyfunc: takes and gives arrays with core axes only; without a signature an argument may be None, and is passed as it is.
      excluded: positions and names of arguments that are passed as they are.
      signature: the core axes, "(n,m),(m)->(n)"; none, if omitted.

    >>> import functorch_lite.numpy as fnp
    >>> product = vectorize(lambda a, b: fnp.sum(a * b), signature="(n),(n)->()")
    >>> product(fnp.ones((2, 1, 3)), fnp.ones((4, 3))).shape
    (2, 4)
    """
    parsed = None if signature is None else _parsed(signature)
    positions = {i for i in excluded if isinstance(i, int)}
    if any(i < 0 for i in positions) or not all(isinstance(i, (int, str)) for i in excluded):
        raise ArgumentTypeError(f"vectorize: excluded holds positions from 0 on and names, got {excluded!r}.")

    @functools.wraps(pyfunc)
    def vectorized(*args: Any, **kwargs: Any) -> Any:
        mapped = [i for i, x in enumerate(args) if i not in positions and (x is not None or parsed is not None)]
        named = [k for k in kwargs if k not in excluded]
        arrays = [as_operand(x) for x in [*(args[i] for i in mapped), *(kwargs[k] for k in named)]]
        names = [()] * len(arrays) if parsed is None else parsed[0]
        if len(names) != len(arrays):
            raise ArgumentError(f"vectorize: {signature!r} is of {len(names)} arguments, but {len(arrays)} were given.")
        lengths: dict[str, Any] = {}
        for k, (x, core) in enumerate(zip(arrays, names, strict=True)):
            _match(f"argument {k}", x.shape, core, lengths)

        def of_core(*cores: Any) -> Any:
            given, options = list(args), dict(kwargs)
            for i, x in zip(mapped, cores, strict=False):
                given[i] = x
            options.update(zip(named, cores[len(mapped) :], strict=True))
            out = pyfunc(*given, **options)
            if parsed is not None:
                results = out if isinstance(out, tuple) else (out,)
                if len(results) != len(parsed[1]):
                    raise ArgumentError(f"vectorize: {signature!r} is of other results than the {len(results)} given.")
                for k, (x, core) in enumerate(zip(results, parsed[1], strict=True)):
                    shape = as_operand(x).shape
                    if len(shape) != len(core):
                        raise ShapeError(
                            f"vectorize: result {k} has shape {shape}, but the axes {core} in {signature!r}."
                        )
                    _match(f"result {k}", shape, core, dict(lengths))
            return out

        return _mapped(of_core, arrays, [x.shape[: x.ndim - len(c)] for x, c in zip(arrays, names, strict=True)])

    return vectorized


def _mapped(function: Callable[..., Any], arrays: Sequence[Any], leads: Sequence[tuple[Any, ...]]) -> Any:
    """The function mapped over the leading axes; those of length 1 are not copied."""
    full = broadcast_shapes("vectorize", leads)
    filled = [(1,) * (len(full) - len(lead)) + lead for lead in leads]
    expand = []
    for axis in reversed(range(len(full))):
        in_axes = tuple(None if lead[axis] == 1 else 0 for lead in filled)
        if any(a == 0 for a in in_axes):
            function = vmap(function, in_axes=in_axes)
        else:
            expand.append(axis)
    thin = [squeeze(x, tuple(i for i, n in enumerate(lead) if n == 1)) for x, lead in zip(arrays, leads, strict=True)]
    out = function(*thin)
    return tree_map(lambda x: expand_dims(x, tuple(expand)), out) if expand else out
