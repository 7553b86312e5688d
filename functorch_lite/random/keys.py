"""Keys: made from seeds, split, folded, wrapped; and the words u32[2] inside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .. import dtypes
from .. import numpy as fnp
from ..array_interface import ArrayInterface
from ..array_type import Shape
from ..arrays import Array, from_host, type_of
from ..errors import ArgumentError, DTypeError, NumberOverflowError, OutOfBoundsError, ProtocolError, ShapeError
from ..primitives import elementwise as e
from ..primitives.random_bits import random_fold_in, random_split
from ..promotion import as_operand, cast, is_arraylike
from ..tracing import Tracer
from ..tree import register_pytree_with_keys_class
from .parameters import checked_shape

__all__ = [
    "Key",
    "PRNGKey",
    "clone",
    "fold_in",
    "key",
    "key_data",
    "key_impl",
    "split",
    "wrap_key_data",
]

_IMPL = "threefry2x32"


@register_pytree_with_keys_class
class Key(ArrayInterface):
    """A key, or an array of keys: a pytree around u32[..., 2]. Iterating and indexing give single keys.

    It is an instance of `functorch_lite.Array`, but there is nothing to compute with.

    >>> import functorch_lite as fl
    >>> first, second = fl.random.split(fl.random.key(0))
    >>> first
    Key(1797259609, 2579123966)
    """

    __slots__ = ("data",)

    def __init__(self, data: Any):
        self.data = data

    @property
    def shape(self) -> Shape:
        return self.data.shape[:-1]

    @property
    def dtype(self) -> type[dtypes.prng_key]:
        return dtypes.prng_key

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return self.data.size // 2

    def __getitem__(self, index: Any) -> Key:
        if not self.shape:
            raise OutOfBoundsError("this is a single key, it cannot be indexed: split it first.")
        if type(index) is not int:
            parts = index if isinstance(index, tuple) else (index,)
            index = (*parts, slice(None)) if any(part is Ellipsis for part in parts) else index
        return Key(self.data[index])

    def __len__(self) -> int:
        if not self.shape:
            raise ProtocolError("this is a single key, it has no length: split it first.")
        return self.shape[0]

    def __iter__(self) -> Iterator[Key]:
        return (self[i] for i in range(len(self)))

    def __eq__(self, other: object) -> Any:
        """Whether the keys are the same: an array of booleans, as for arrays."""
        if not isinstance(other, Key):
            return NotImplemented
        if not (is_arraylike(self.data) and is_arraylike(other.data)):  # a key in which `tree.map` put something else
            return self.data == other.data
        return fnp.all(fnp.equal(self.data, other.data), axis=-1)

    __hash__ = None  # type: ignore[assignment]

    def reshape(self, *shape: Any) -> Key:
        """The same keys in another shape."""
        new = shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
        return Key(self.data.reshape((*new, 2)))

    def tree_flatten_with_keys(self) -> Any:
        return (("data", self.data),), None

    def tree_flatten(self) -> Any:
        return (self.data,), None

    @classmethod
    def tree_unflatten(cls, _: Any, children: Sequence[Any]) -> Key:
        return cls(children[0])

    def __repr__(self) -> str:
        if isinstance(self.data, Tracer) or self.shape:
            return f"Key(shape={self.shape})"
        return f"Key({', '.join(map(str, np.asarray(self.data).tolist()))})"


def _check_impl(impl: Any, dtype: Any = None) -> None:
    if impl is not None and dtype is not None:
        raise ArgumentError("give impl or dtype, not both: they mean the same.")
    for name in (impl, dtype):
        if name not in (None, _IMPL):
            raise ArgumentError(f"the generator {name!r} is not available: only {_IMPL!r} is.")


def _is_narrow(itemsize: int) -> bool:
    """Whether seeds of so many bytes are of 32 bits where they fit: a negative one then has the high word 0.

    As in JAX: all are without x64, and with it those of narrow dtypes.
    """
    return min(itemsize, dtypes.default_int().itemsize) <= 4


def _seed_words(seed: int, itemsize: int = 8) -> np.ndarray:
    """The high and low words of an integer seed."""
    if not -(1 << 63) <= seed < (1 << 64):
        raise NumberOverflowError(f"the seed {seed} does not fit 64 bits: take one from -2**63 to 2**64 - 1.")
    high = 0 if seed >= -(1 << 31) and seed < 0 and _is_narrow(itemsize) else (seed >> 32) & 0xFFFFFFFF
    return np.array([high, seed & 0xFFFFFFFF], np.uint32)


def _words_of_array(seed: Any) -> Any:
    """As `_seed_words`, for an array that may be traced."""
    word = as_operand(seed, "a seed")
    if word.shape or not dtypes.is_integer(word.dtype):
        raise DTypeError(f"a seed is an integer scalar, got {type_of(word)}: use vmap for many seeds.")
    low = cast(word, dtypes.uint32)
    if word.dtype.itemsize < 8:
        return fnp.stack([fnp.zeros_like(low), low])
    bits = cast(word, dtypes.uint64)
    high = cast(e.shift_right_logical(bits, np.uint64(32)), dtypes.uint32)
    if _is_narrow(8) and not dtypes.is_unsigned(word.dtype):
        fits = fnp.logical_and(fnp.greater_equal(word, -(2**31)), fnp.less(word, 0))
        high = e.select(fits, high, np.uint32(0))
    return fnp.stack([high, low])


def PRNGKey(seed: Any, *, impl: str | None = None) -> Any:
    """A raw key: an array u32[2]. `key` makes one that cannot be taken for numbers.

    Args:
      seed: an integer of at most 64 bits, or an integer array of rank 0.
      impl: "threefry2x32", the only one.

    >>> import functorch_lite as fl
    >>> fl.random.PRNGKey(7)
    Array([0, 7], dtype=uint32)
    """
    _check_impl(impl)
    if isinstance(seed, (int, np.integer)) and not isinstance(seed, bool):
        return from_host(_seed_words(int(seed), seed.dtype.itemsize if isinstance(seed, np.integer) else 8))
    if isinstance(seed, (Array, Tracer, np.ndarray)):
        return _words_of_array(seed)
    raise DTypeError(f"a seed is an integer, got a {type(seed).__name__}.")


def key(seed: Any, *, impl: str | None = None, dtype: str | None = None) -> Key:
    """A key made from a seed: the one that `jax.random.key` makes of it.

    With 64-bit default integers that is what JAX makes with x64 enabled, which matters for negative seeds. Seeds of more
    than 32 bits, whose high bits JAX drops without x64, keep them here.

    Args:
      seed: an integer of at most 64 bits, or an integer array of rank 0.
      impl: "threefry2x32", the only one.
      dtype: another name for `impl`.

    >>> import functorch_lite as fl
    >>> fl.random.key(7)
    Key(0, 7)
    """
    _check_impl(impl, dtype)
    return Key(PRNGKey(seed))


def words_of(k: Any, name: str) -> Any:
    """The words of a key; a batch of keys is an error."""
    words = k.data if type(k) is Key else as_operand(k, f"the key of {name}")
    dtype, shape = words.dtype, words.shape
    if shape == (2,) and dtype == dtypes.uint32:
        return words
    if dtype != dtypes.uint32 or shape[-1:] != (2,):
        raise DTypeError(
            f"{name} needs a key (an array u32[2], or what random.key gives), got {type_of(words)}: make one with "
            "random.key(seed)."
        )
    raise ShapeError(f"{name} takes a single key, got an array of keys of shape {shape[:-1]}: use vmap.")


def _keys(keys: Any, name: str) -> Any:
    """The words of keys in any shape."""
    words = keys.data if isinstance(keys, Key) else as_operand(keys, f"the keys of {name}")
    if words.dtype != dtypes.uint32 or words.shape[-1:] != (2,):
        raise DTypeError(f"{name} takes keys, or their words u32[..., 2], got {type_of(words)}.")
    return words


def key_data(keys: Any) -> Any:
    """The words u32[..., 2] of keys.

    >>> import functorch_lite as fl
    >>> fl.random.key_data(fl.random.key(7))
    Array([0, 7], dtype=uint32)
    """
    return _keys(keys, "key_data")


def wrap_key_data(key_bits_array: Any, *, impl: str | None = None, dtype: str | None = None) -> Key:
    """Keys from words u32[..., 2]: the inverse of `key_data`."""
    _check_impl(impl, dtype)
    return Key(_keys(key_bits_array, "wrap_key_data"))


def key_impl(keys: Any) -> str:
    """The name of the generator that keys are for: "threefry2x32"."""
    _keys(keys, "key_impl")
    return _IMPL


def clone(key: Any) -> Any:
    """The same key once more, to be used again on purpose."""
    words = _keys(key, "clone")
    return Key(words) if isinstance(key, Key) else words


def two_words(words: Any) -> tuple[Any, Any]:
    """The words of two new keys."""
    both = random_split(words, shape=(2,))
    return both[0], both[1]


def split(key: Any, num: int | tuple[int, ...] = 2) -> Any:
    """New keys from one, which is used up by it.

    Args:
      key: a single key.
      num: how many, or the shape of the array of new keys.

    Returns:
      an array of keys, which can be unpacked; raw words u32[*num, 2] for a raw key.

    >>> import functorch_lite as fl
    >>> key, subkey = fl.random.split(fl.random.key(0))
    >>> subkey
    Key(928981903, 3453687069)
    """
    words = random_split(words_of(key, "split"), shape=checked_shape(num, "split"))
    return Key(words) if isinstance(key, Key) else words


def fold_in(key: Any, data: Any) -> Any:
    """A new key from a key and an integer, such as the number of a step.

    Args:
      key: a single key.
      data: an integer scalar, of which 32 bits count.

    >>> import functorch_lite as fl
    >>> fl.random.fold_in(fl.random.key(0), 3)
    Key(2467461003, 3840466878)
    """
    words = words_of(key, "fold_in")
    if isinstance(data, (int, np.integer)):
        if not -(1 << 31) <= data < (1 << 32):
            raise NumberOverflowError(
                f"fold_in takes an integer of 32 bits, got {data}: fold in the halves one by one."
            )
        number: Any = np.uint32(int(data) & 0xFFFFFFFF)
    else:
        scalar = as_operand(data, "the data of fold_in")
        if scalar.shape or not dtypes.is_integer(scalar.dtype):
            raise DTypeError(f"fold_in takes an integer scalar, got {type_of(scalar)}: use vmap for many.")
        number = cast(scalar, dtypes.uint32)
    out = random_fold_in(words, number)
    return Key(out) if isinstance(key, Key) else out
