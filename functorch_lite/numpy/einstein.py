"""Einstein's notation: `einsum`, the order in which it contracts, and products of stacked vectors and matrices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..arrays import Array
from ..errors import ArgumentError, ShapeError
from ..primitives import elementwise as e
from ..primitives.structural import reduce_sum, reshape
from ..promotion import as_operand, cast, promote_dtypes
from ..tracing import Tracer
from .contraction import contract, pair
from .diagonals import diagonal
from .operands import like, no_out
from .parts import conj
from .shaping import moveaxis, transpose

__all__ = [
    "einsum",
    "einsum_path",
    "matvec",
    "vecdot",
    "vecmat",
]


def matvec(x1: Any, x2: Any, /) -> Any:
    """Matrices [..., n, k] times vectors [..., k]."""
    return einsum("...nk,...k->...n", x1, x2)


def vecmat(x1: Any, x2: Any, /) -> Any:
    """Vectors [..., k], conjugated, times matrices [..., k, m]."""
    return einsum("...k,...km->...m", conj(x1), x2)


def vecdot(x1: Any, x2: Any, /, *, axis: int = -1, precision: Any = None, preferred_element_type: Any = None) -> Any:
    """The sum of products along an axis, the elements of `x1` conjugated; other axes broadcast."""
    x, y = (moveaxis(v, axis, -1) for v in pair("vecdot", x1, x2))
    return einsum("...k,...k->...", conj(x), y, preferred_element_type=preferred_element_type)


_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _notation(subscripts: Any, operands: Sequence[Any]) -> tuple[str, list[Any]]:
    """Subscripts as a string, and the operands, from either of NumPy's two forms."""
    if isinstance(subscripts, str):
        return subscripts.replace(" ", ""), list(operands)
    items = [subscripts, *operands]
    out = None
    if len(items) % 2:
        out = items.pop()

    def spelled(labels: Any) -> str:
        return "".join("..." if i is Ellipsis else _LETTERS[i] for i in labels)

    text = ",".join(spelled(labels) for labels in items[1::2])
    return text if out is None else f"{text}->{spelled(out)}", items[::2]


def _labels(subscripts: str, shapes: Sequence[Any]) -> tuple[list[str], str]:
    """Each operand's labels and the result's, with letters in place of ellipses."""
    before, arrow, result = subscripts.partition("->")
    terms = before.split(",")
    if len(terms) != len(shapes):
        raise ArgumentError(f"einsum {subscripts!r} speaks of {len(terms)} operands, but {len(shapes)} were given.")
    free = [c for c in _LETTERS if c not in subscripts]
    longest = 0
    spelled = []
    for term, shape in zip(terms, shapes, strict=True):
        if "..." in term:
            hidden = len(shape) - len(term) + 3
            if hidden < 0:
                raise ArgumentError(
                    f"einsum {subscripts!r}: {term!r} has more labels than the shape {tuple(shape)} has axes."
                )
            longest = max(longest, hidden)
            term = term.replace("...", "\0" * hidden)
        if len(term) != len(shape):
            raise ArgumentError(
                f"einsum {subscripts!r}: {term!r} needs as many labels as the shape {tuple(shape)} has axes."
            )
        spelled.append(term)
    dots = "".join(free[:longest])
    terms = []
    for term in spelled:
        hidden = term.count("\0")
        terms.append(term.replace("\0" * hidden, dots[longest - hidden :], 1) if hidden else term)
    if arrow:
        result = result.replace("...", dots)
    else:
        seen = before.replace("...", "").replace(",", "")
        result = dots + "".join(sorted(c for c in set(seen) if seen.count(c) == 1))
    unknown = [c for c in result if not any(c in term for term in terms)]
    if unknown or len(set(result)) != len(result):
        raise ArgumentError(
            f"einsum {subscripts!r}: labels of the result must each stand there once, and in some operand."
        )
    return terms, result


def _lengths(subscripts: str, terms: Sequence[str], operands: Sequence[Any]) -> dict[str, Any]:
    lengths: dict[str, Any] = {}
    for term, x in zip(terms, operands, strict=True):
        for label, n in zip(term, x.shape, strict=True):
            known = lengths.setdefault(label, n)
            if known != n:
                if known != 1 and n != 1:
                    raise ShapeError(
                        f"einsum {subscripts!r}: the label {label!r} stands for axes of lengths {known} and {n}."
                    )
                lengths[label] = n if known == 1 else known
    return lengths


def _on_diagonal(x: Any, term: str) -> tuple[Any, str]:
    """An operand in which no label stands twice."""
    for label in dict.fromkeys(term):
        while term.count(label) > 1:
            i, j = [p for p, c in enumerate(term) if c == label][:2]
            x = diagonal(x, 0, i, j)
            term = "".join(c for p, c in enumerate(term) if p not in (i, j)) + label
    return x, term


def _summed(x: Any, term: str, kept: Any) -> tuple[Any, str]:
    """An operand without the labels that are not kept: they are summed over."""
    axes = tuple(i for i, c in enumerate(term) if c not in kept)
    if axes:
        x, term = reduce_sum(x, axes=axes), "".join(c for c in term if c in kept)
    return x, term


def _product(x: Any, a: str, y: Any, b: str, kept: Any, preferred: Any) -> tuple[Any, str]:
    """The product of two operands, summed over labels that are not kept."""
    x, a = _summed(x, a, set(b) | set(kept))
    y, b = _summed(y, b, set(a) | set(kept))
    both = [c for c in a if c in b]
    batch, over = [c for c in both if c in kept], [c for c in both if c not in kept]
    axes = [[term.index(c) for c in chosen] for chosen in (over, batch) for term in (a, b)]
    out = contract(x, y, axes[:2], axes[2:], preferred)
    return out, "".join(batch) + "".join(c for c in a if c not in both) + "".join(c for c in b if c not in both)


def _path(subscripts: str, operands: Sequence[Any], optimize: Any) -> list[tuple[int, ...]]:
    """The order of contractions: positions in the list of operands, results go to its end."""
    if len(operands) <= 2 or optimize is False:
        return [(0, 1)] * (len(operands) - 1) if optimize is False else [tuple(range(len(operands)))]
    if isinstance(optimize, (list, tuple)):
        return [tuple(p) for p in optimize if not isinstance(p, str)]
    hollow = [np.broadcast_to(np.zeros((), np.float32), x.shape) for x in operands]
    wanted = optimize if optimize in ("optimal", "greedy") else "optimal" if len(operands) < 5 else "greedy"
    return list(np.einsum_path(subscripts, *hollow, optimize=wanted)[0][1:])


def einsum(
    subscripts: Any,
    /,
    *operands: Any,
    out: None = None,
    optimize: Any = "auto",
    precision: Any = None,
    preferred_element_type: Any = None,
    _dot_general: Callable[..., Any] | None = None,
) -> Any:
    """Sums of products in Einstein's notation: labels that are not in the result are summed over.

    Args:
      subscripts: as "ij,jk->ik", with "..." for axes that broadcast; without "->", labels that stand once make the result.
        Or operands and lists of numbered labels in turns.
      *operands: arrays.
      out: must be None, arrays do not change.
      optimize: the order of the products: "auto", "optimal", "greedy", False (from left to right), or a path from `einsum_path`.
      precision: taken for JAX's sake.
      preferred_element_type: the dtype in which to add up, and of the result.

    >>> einsum("ij,j->i", np.ones((2, 3), np.float32), np.arange(3, dtype=np.float32))
    Array([3., 3.], dtype=float32)
    """
    no_out("einsum", out)
    subscripts, given = _notation(subscripts, operands)
    xs = [as_operand(x, "an operand of einsum") for x in given]
    terms, result = _labels(subscripts, [x.shape for x in xs])
    lengths = _lengths(subscripts, terms, xs)
    xs = promote_dtypes(*xs)
    boolean = dtypes.is_bool(xs[0].dtype)
    xs = [cast(x, dtypes.default_int()) for x in xs] if boolean else xs
    todo = []
    for x, term in zip(xs, terms, strict=True):
        stretched = [i for i, c in enumerate(term) if x.shape[i] != lengths[c]]
        if stretched:  # length 1 beside another: the axis only stands for broadcasting
            x = reshape(x, shape=tuple(n for i, n in enumerate(x.shape) if i not in stretched))
            term = "".join(c for i, c in enumerate(term) if i not in stretched)
        todo.append(_on_diagonal(x, term))
    full = ",".join(term for _, term in todo) + "->" + result
    for positions in _path(full, [x for x, _ in todo], optimize):
        chosen = [todo.pop(i) for i in sorted(positions, reverse=True)][::-1]
        x, term = chosen[0]
        for i, (y, other) in enumerate(chosen[1:], 1):
            kept = set(result).union(*(t for _, t in todo), *(t for _, t in chosen[i + 1 :]))
            x, term = _product(x, term, y, other, kept, preferred_element_type)
        todo.append((x, term))
    x, term = todo[0]
    x, term = _summed(x, term, set(result))
    x = transpose(x, [term.index(c) for c in result])
    if boolean:
        x = e.ne(x, like(x, 0))
    return x if preferred_element_type is None else cast(x, dtypes.as_dtype(preferred_element_type))


def einsum_path(subscripts: Any, /, *operands: Any, optimize: Any = "auto") -> tuple[list[tuple[int, ...]], Any]:
    """The order of contractions that `einsum` takes, and a description of it."""
    text, given = _notation(subscripts, operands)
    hollow = [
        np.broadcast_to(np.zeros((), np.float32), x.shape if isinstance(x, (Array, Tracer)) else np.shape(x))
        for x in given
    ]
    path, description = np.einsum_path(text, *hollow, optimize="optimal" if optimize in ("auto", True) else optimize)
    return list(path[1:]), description
