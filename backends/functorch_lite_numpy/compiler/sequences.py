"""Sequences: arrays of a length that only the run decides, as machine code holds them; and how they come from and go to NumPy.

What a `while_loop` stacks is one. In its place code holds a *header*, which says where the rows are, and how many. So it has a
place in the memory plan as any other value. An axis in front of the unknown one means an array of headers, and rows may be
sequences again, each of its own length, where the type speaks of a rectangle (loops in loops):

    f32[n]        a header -> n numbers
    f32[10,n]     10 headers -> the numbers of each
    f32[m,n,2]    a header -> m headers -> 2n numbers each

The rows belong to who has the header. Code frees those of a value that it made when that was read for the last time;
`sequence_code.py` writes this. The headers of what it gives to Python stand in memory of a `Grown` from before the call on. When
that goes, with the array that uses it or by an exception, it frees whatever they refer to: so nothing is lost.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from functorch_lite.extend import ArrayType, Dim, has_dim

from .row_memory import give

__all__ = ["HEADER", "WORD", "byte_count", "first_unknown", "held", "with_sequences"]

HEADER = ("address", "length", "bytes")
"""The words of a header: where the rows are, how many there are, and how much memory they have (`row_memory.py`)."""
WORD = np.dtype(np.int64)


def first_unknown(shape: tuple[Any, ...]) -> int:
    """The first axis of a length that only the run decides; the rank if there is none."""
    return next((k for k, n in enumerate(shape) if type(n) is Dim), len(shape))


def held(t: ArrayType) -> ArrayType:
    """What is held in place of an array of this type: itself, or headers."""
    if not has_dim(t.shape):
        return t
    return ArrayType((*t.shape[: first_unknown(t.shape)], len(HEADER)), WORD)


def byte_count(t: ArrayType) -> int:
    """The bytes of what is held in place of an array."""
    kept = held(t)
    return kept.size * kept.dtype.itemsize


def with_sequences(
    run: Callable[..., tuple[Any, ...]], operands: Sequence[ArrayType], results: Sequence[ArrayType]
) -> Callable[..., tuple[Any, ...]]:
    """A callable over NumPy's arrays, of one that takes headers in place of sequences.

    Args:
      run: takes headers of operands, and behind all operands memory for those of results, which it does not return.
      operands, results: the types, unknown lengths included.
    """
    taken = [(k, t) for k, t in enumerate(operands) if has_dim(t.shape)]
    made = {k: t for k, t in enumerate(results) if has_dim(t.shape)}
    if not taken and not made:
        return run

    def call(*operands: Any) -> tuple[Any, ...]:
        given, alive = list(operands), []
        for k, t in taken:
            given[k] = _headers(np.ascontiguousarray(operands[k]), t.shape, alive)
        grown = {k: Grown(t) for k, t in made.items()}
        others = iter(run(*given, *(g.headers for g in grown.values())))
        return tuple(grown[k].array() if k in grown else next(others) for k in range(len(results)))

    return call


def _headers(x: np.ndarray, shape: tuple[Any, ...], alive: list[np.ndarray]) -> np.ndarray:
    """The headers of an array, all rows of which have one length; what they refer to is entered into `alive`."""
    k = first_unknown(shape)
    if has_dim(shape[k + 1 :]):
        x = _headers(x, (*x.shape[: k + 1], *shape[k + 1 :]), alive)
    alive.append(x)
    out = np.empty((*x.shape[:k], len(HEADER)), WORD)
    n = math.prod(x.shape[:k])
    starts = x.__array_interface__["data"][0] + np.arange(n) * (x.nbytes // max(n, 1))
    out[..., 0], out[..., 1], out[..., 2] = starts.reshape(x.shape[:k]), x.shape[k], x.nbytes // max(n, 1)
    return out


class Grown:
    """A sequence that code makes: its headers, and what they refer to."""

    def __init__(self, t: ArrayType):
        self.type, self.headers = t, np.zeros(held(t).shape, WORD)

    def array(self) -> np.ndarray:
        """As NumPy's: the very memory, or where rows have lengths of their own, a copy filled up with zeros."""
        shape, dtype = self.type.shape, self.type.dtype
        if first_unknown(shape) or has_dim(shape[1:]):
            return _filled(self.headers, shape, dtype)
        return _memory(int(self.headers[0]), int(self.headers[1]), ArrayType(shape[1:], dtype), self)

    def __del__(self) -> None:
        _release(self.headers, self.type.shape)


class _Memory:
    """Bytes, for NumPy to make an array of; keeps their owner."""

    def __init__(self, address: int, size: int, owner: Any):
        self.owner = owner
        self.__array_interface__ = {"shape": (size,), "typestr": "|u1", "data": (address, False), "version": 3}


def _memory(address: int, length: int, row: ArrayType, owner: Any) -> np.ndarray:
    """The rows that a header refers to; these are headers themselves where their type has an unknown length."""
    row = held(row)
    shape = (length, *row.shape)
    if not address:
        return np.zeros((0, *row.shape), row.dtype)
    return np.asarray(_Memory(address, math.prod(shape) * row.dtype.itemsize, owner)).view(row.dtype).reshape(shape)


def _filled(headers: np.ndarray, shape: tuple[Any, ...], dtype: np.dtype) -> np.ndarray:
    """Rectangular: the rows that are too short filled up with zeros."""
    k = first_unknown(shape)
    row = ArrayType(shape[k + 1 :], dtype)
    parts = [_memory(address, length, row, None) for address, length, _ in headers.reshape(-1, len(HEADER)).tolist()]
    if has_dim(row.shape):
        parts = [_filled(p, (len(p), *row.shape), dtype) for p in parts]
    least = tuple(n if type(n) is int else 0 for n in shape[k:])
    longest = [max(ns) for ns in zip(least, *(p.shape for p in parts), strict=True)]
    out = np.zeros((len(parts), *longest), dtype)
    for whole, part in zip(out, parts, strict=True):
        whole[tuple(map(slice, part.shape))] = part
    return out.reshape(*headers.shape[:-1], *longest)


def _release(headers: np.ndarray, shape: tuple[Any, ...]) -> None:
    """Give back what headers refer to."""
    row = ArrayType(shape[first_unknown(shape) + 1 :], WORD)
    for address, length, size in headers.reshape(-1, len(HEADER)).tolist():
        if has_dim(row.shape):
            _release(_memory(address, length, row, None), row.shape)
        if address:
            give(address, size)
