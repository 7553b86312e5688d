"""Objects that are indexed to make arrays: `mgrid`, `ogrid`, `r_`, `c_`; and slices written as an index is, `s_`."""

from __future__ import annotations

from typing import Any

from ..errors import ArgumentError
from ..promotion import promote_dtypes
from .creation import array
from .grids import meshgrid
from .joining import concatenate, stack
from .ranges import arange, linspace
from .shaping import expand_dims, transpose

__all__ = ["c_", "index_exp", "mgrid", "ogrid", "r_", "s_"]


def _line(s: slice) -> Any:
    """The numbers that a slice goes through; an imaginary step says how many there are, the end included."""
    start = 0 if s.start is None else s.start
    if isinstance(s.step, complex):
        return linspace(start, s.stop, int(abs(s.step)))
    return arange(start, s.stop, 1 if s.step is None else s.step)


class _Grid:
    def __init__(self, sparse: bool, doc: str):
        self.sparse = sparse
        self.__doc__ = doc

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return _line(key)
        lines = promote_dtypes(*map(_line, key)) if key else []
        grids = meshgrid(*lines, indexing="ij", sparse=self.sparse)
        if self.sparse:
            return grids
        return stack(grids) if grids else arange(0)


mgrid = _Grid(
    False,
    """Coordinates of all points of a grid, stacked: `mgrid[0:2, 0:1:5j]`.

    A slice for each axis; an imaginary step says how many numbers there are, and includes the end.

    >>> mgrid[0:2, 0:3].tolist()
    [[[0, 0, 0], [1, 1, 1]], [[0, 1, 2], [0, 1, 2]]]
    """,
)
ogrid = _Grid(
    True,
    """Coordinates of a grid that broadcast against each other: as `mgrid`, with axes that do not vary of length 1.

    >>> [x.tolist() for x in ogrid[0:2, 0:3]]
    [[[0], [1]], [[0, 1, 2]]]
    """,
)


class _Joined:
    def __init__(self, axis: int, ndmin: int, trans1d: int, doc: str):
        self.defaults = (axis, ndmin, trans1d)
        self.__doc__ = doc

    def __getitem__(self, key: Any) -> Any:
        items = list(key) if isinstance(key, tuple) else [key]
        (axis, ndmin, trans1d), matrix = self.defaults, None
        if isinstance(items[0], str):
            directive = items.pop(0)
            if directive in ("r", "c"):
                matrix = directive
            else:
                given = [int(n) for n in directive.split(",")]
                axis, ndmin, trans1d = (*given, *self.defaults[len(given) :])
        out = concatenate([self._piece(item, ndmin, trans1d) for item in items], axis)
        return expand_dims(out, 0 if matrix == "r" else 1) if matrix and out.ndim == 1 else out

    def _piece(self, item: Any, ndmin: int, trans1d: int) -> Any:
        if isinstance(item, str):
            raise ArgumentError(f"{item!r} stands among the pieces: a string says how to join them, and comes first.")
        piece = array(_line(item) if isinstance(item, slice) else item)
        missing = ndmin - piece.ndim
        if missing <= 0:
            return piece
        piece = expand_dims(piece, tuple(range(missing)))
        if trans1d == -1:
            return piece
        shift = ndmin - abs(ndmin + trans1d + 1) % ndmin
        order = tuple(range(ndmin))
        return transpose(piece, (*order[shift:], *order[:shift]))


r_ = _Joined(
    0,
    1,
    -1,
    """Pieces joined along the first axis: `r_[1:4, 0, [5, 6]]`; a slice is the numbers it goes through, as in `mgrid`.

    A string in front, "axis", "axis,ndmin" or "axis,ndmin,place of a vector's axis", says how; "r" and "c" make a row or
    a column of the result.

    >>> r_[1:4, 0, [5, 6]].tolist()
    [1, 2, 3, 0, 5, 6]
    """,
)
c_ = _Joined(
    -1,
    2,
    0,
    """Vectors joined as columns: `r_` with "-1,2,0".

    >>> c_[[1, 2], [3, 4]].tolist()
    [[1, 3], [2, 4]]
    """,
)


class _Index:
    def __init__(self, tuples: bool, doc: str):
        self.tuples = tuples
        self.__doc__ = doc

    def __getitem__(self, key: Any) -> Any:
        return (key,) if self.tuples and not isinstance(key, tuple) else key


s_ = _Index(
    False,
    """The index that stands in the brackets: `s_[2::2]`.

    >>> s_[2::2]
    slice(2, None, 2)
    """,
)
index_exp = _Index(
    True,
    """The index that stands in the brackets, as a tuple: `index_exp[2::2]`.

    >>> index_exp[2::2]
    (slice(2, None, 2),)
    """,
)
