"""Random numbers from explicit keys: the same key gives the same numbers, in eager mode, under `jit` and under `vmap`.

A key is made from a seed, and never used twice: `key, subkey = split(key)`. Integers, bits, permutations, booleans and
uniform floats are those of `jax.random` (threefry, partitionable) bit for bit; other floats agree within a few ulp.

>>> import functorch_lite as fl
>>> key = fl.random.key(0)
>>> fl.random.uniform(key, (2,))
Array([0.947667 , 0.9785799], dtype=float32)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import dtypes
from . import numpy as fnp
from .array_type import Shape
from .arrays import type_of
from .errors import DTypeError, ShapeError
from .primitives import elementwise as e
from .primitives.random_bits import random_bits, random_fold_in, random_split
from .promotion import as_operand, broadcast_shapes, cast
from .tracing import Tracer
from .transforms.custom import stop_gradient
from .tree import register_pytree_with_keys_class

__all__ = [
    "Key",
    "PRNGKey",
    "bernoulli",
    "bits",
    "categorical",
    "cauchy",
    "choice",
    "clone",
    "exponential",
    "fold_in",
    "gumbel",
    "key",
    "key_data",
    "laplace",
    "logistic",
    "normal",
    "permutation",
    "rademacher",
    "randint",
    "split",
    "truncated_normal",
    "uniform",
    "wrap_key_data",
]


@register_pytree_with_keys_class
class Key:
    """A key, or an array of keys: a pytree around u32[..., 2]. Iterating and indexing give single keys.

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
    def ndim(self) -> int:
        return len(self.shape)

    def __getitem__(self, index: Any) -> Key:
        if not self.shape:
            raise IndexError("this is a single key, it cannot be indexed: split it first.")
        return Key(self.data[index])

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("this is a single key, it has no length: split it first.")
        return self.shape[0]

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

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


def _seed_words(seed: Any) -> np.ndarray:
    """The high and low words of an integer seed."""
    if isinstance(seed, (int, np.integer)) and not isinstance(seed, bool):
        value = int(seed)
        if not -(1 << 63) <= value < (1 << 64):
            raise OverflowError(f"the seed {value} does not fit 64 bits.")
        high = (value >> 32) & 0xFFFFFFFF if not -(1 << 31) <= value < (1 << 31) else 0
        return np.array([high, value & 0xFFFFFFFF], np.uint32)
    raise DTypeError(f"a seed is an integer, got a {type(seed).__name__}.")


def PRNGKey(seed: Any, *, impl: str | None = None) -> Any:
    """A raw key: an array u32[2]. `key` makes one that cannot be taken for numbers.

    Args:
      seed: an integer.
      impl: "threefry2x32", the only one.
    """
    if impl not in (None, "threefry2x32"):
        raise ValueError(f"the generator {impl!r} is not available: only 'threefry2x32' is.")
    if hasattr(seed, "dtype") and not isinstance(seed, np.generic):
        word = as_operand(seed)
        if word.shape or not dtypes.is_integer(word.dtype):
            raise DTypeError(f"a seed is an integer scalar, got {type_of(word)}.")
        low = cast(word, dtypes.uint32)
        return fnp.stack([fnp.zeros_like(low), low])
    return as_operand(_seed_words(seed))


def key(seed: Any, *, impl: str | None = None) -> Key:
    """A key made from a seed.

    Args:
      seed: an integer.
      impl: "threefry2x32", the only one.
    """
    return Key(PRNGKey(seed, impl=impl))


def _data(k: Any, name: str) -> Any:
    """The words of a key; a batch of keys is an error."""
    words = as_operand(k.data if isinstance(k, Key) else k, f"the key of {name}")
    if words.dtype != dtypes.uint32 or words.shape[-1:] != (2,):
        raise DTypeError(
            f"{name} needs a key (an array u32[2], or what random.key gives), got {type_of(words)}: make one with "
            "random.key(seed)."
        )
    if words.ndim != 1:
        raise ShapeError(f"{name} takes a single key, got an array of keys of shape {words.shape[:-1]}: use vmap.")
    return words


def _like(k: Any, words: Any) -> Any:
    return Key(words) if isinstance(k, Key) else words


def key_data(keys: Any) -> Any:
    """The words u32[..., 2] of keys."""
    return keys.data if isinstance(keys, Key) else as_operand(keys)


def wrap_key_data(key_bits_array: Any, *, impl: str | None = None) -> Key:
    """Keys from words u32[..., 2]."""
    return Key(as_operand(key_bits_array))


def clone(k: Any) -> Any:
    """The same key once more."""
    return Key(k.data) if isinstance(k, Key) else as_operand(k)


def split(key: Any, num: int | tuple[int, ...] = 2) -> Any:
    """New keys from one, which is used up by it.

    Args:
      key: a single key.
      num: how many, or the shape of the array of new keys.
    """
    shape = (num,) if isinstance(num, (int, np.integer)) else tuple(num)
    return _like(key, random_split(_data(key, "split"), shape=tuple(int(n) for n in shape)))


def fold_in(key: Any, data: Any) -> Any:
    """A new key from a key and an integer, such as the number of a step."""
    words = _data(key, "fold_in")
    if isinstance(data, (int, np.integer)):
        number: Any = np.uint32(int(data) & 0xFFFFFFFF)
    else:
        number = cast(as_operand(data), dtypes.uint32)
    return _like(key, random_fold_in(words, number))


def _unsigned(n_bits: int) -> np.dtype:
    return np.dtype(f"uint{n_bits}")


def _shape(shape: Any, name: str, *parts: Any) -> Shape:
    """The shape of the result, to which the shapes of the parameters must stretch."""
    if shape is None:
        return broadcast_shapes(name, [type_of(p).shape for p in parts])
    out = (int(shape),) if isinstance(shape, (int, np.integer)) else tuple(int(n) for n in shape)
    for p in parts:
        own = type_of(p).shape
        if broadcast_shapes(name, [out, own]) != out:
            raise ShapeError(f"{name}: a parameter of type {type_of(p)} does not stretch to the shape {out}.")
    return out


def _float_dtype(dtype: Any, name: str) -> np.dtype:
    found = dtypes.default_float() if dtype is None else dtypes.as_dtype(dtype)
    if not dtypes.is_floating(found):
        raise DTypeError(f"{name} gives floats, but the dtype asked for is {dtypes.short_name(found)}.")
    return found


def bits(key: Any, shape: Any = (), dtype: Any = None) -> Any:
    """Uniform random bits, as unsigned integers."""
    found = dtypes.uint32 if dtype is None else dtypes.as_dtype(dtype)
    return random_bits(_data(key, "bits"), shape=_shape(shape, "bits"), dtype=found)


def _uniform01(words: Any, shape: Shape, dtype: np.dtype) -> Any:
    """Floats in [0, 1): random mantissas under the exponent of 1, less 1."""
    info = dtypes.finfo(dtype)
    n_bits = 8 if info.nmant < 8 else info.bits
    whole = random_bits(words, shape=shape, dtype=_unsigned(n_bits))
    unsigned = _unsigned(info.bits)
    if n_bits != info.bits:
        whole = cast(whole, unsigned)
    one = np.ones((), dtype).view(unsigned)[()]
    mantissa = e.shift_right_logical(whole, unsigned.type(n_bits - info.nmant))
    return e.sub(e.bitcast_convert(e.bitwise_or(mantissa, one), dtype=dtype), dtype.type(1))


def _uniform(words: Any, shape: Shape, dtype: np.dtype, minval: Any, maxval: Any) -> Any:
    low, high = (cast(as_operand(v), dtype) for v in (minval, maxval))
    return fnp.maximum(low, _uniform01(words, shape, dtype) * (high - low) + low)


def uniform(key: Any, shape: Any = (), dtype: Any = None, minval: Any = 0.0, maxval: Any = 1.0) -> Any:
    """Floats uniform in [minval, maxval).

    Args:
      key: a single key.
      shape: of the result.
      dtype: a floating dtype; the default one if omitted.
      minval: arrays or numbers that stretch to `shape`.
      maxval: likewise.
    """
    words, found = _data(key, "uniform"), _float_dtype(dtype, "uniform")
    low, high = as_operand(minval), as_operand(maxval)
    full = _shape(shape, "uniform", low, high)
    if type(minval) is float and type(maxval) is float and (minval, maxval) == (0.0, 1.0):
        return _uniform01(words, full, found)
    return _uniform(words, full, found, low, high)


def normal(key: Any, shape: Any = (), dtype: Any = None) -> Any:
    """Standard normal floats, or complex numbers of variance 1.

    Computed as sqrt(2) erf_inv(u), u uniform in (-1, 1).
    """
    words = _data(key, "normal")
    found = dtypes.default_float() if dtype is None else dtypes.as_dtype(dtype)
    full = _shape(shape, "normal")
    if dtypes.is_complex(found):
        first, second = (random_split(words, shape=(2,))[i] for i in range(2))
        part = dtypes.real_dtype(found)
        root = found.type(math.sqrt(2))
        return e.div(e.complex_(_normal(first, full, part), _normal(second, full, part)), root)
    return _normal(words, full, _float_dtype(dtype, "normal"))


def _normal(words: Any, shape: Shape, dtype: np.dtype) -> Any:
    low = np.nextafter(dtype.type(-1), dtype.type(0))
    u = _uniform(words, shape, dtype, as_operand(low), as_operand(dtype.type(1)))
    return e.mul(dtype.type(math.sqrt(2)), e.erf_inv(u))


def truncated_normal(key: Any, lower: Any, upper: Any, shape: Any = None, dtype: Any = None) -> Any:
    """Standard normal floats, given that they lie between `lower` and `upper`."""
    words, found = _data(key, "truncated_normal"), _float_dtype(dtype, "truncated_normal")
    low, high = as_operand(lower), as_operand(upper)
    full = _shape(shape, "truncated_normal", low, high)
    low, high = cast(low, found), cast(high, found)
    root = found.type(math.sqrt(2))
    u = _uniform(words, full, found, e.erf(e.div(low, root)), e.erf(e.div(high, root)))
    out = e.mul(root, e.erf_inv(u))
    inner_low = fnp.nextafter(stop_gradient(low), found.type(np.inf))
    inner_high = fnp.nextafter(stop_gradient(high), found.type(-np.inf))
    return fnp.minimum(fnp.maximum(out, inner_low), inner_high)


def _integers(x: Any) -> Any:
    return x if dtypes.is_integer(x.dtype) else cast(x, dtypes.default_int())


def randint(key: Any, shape: Any, minval: Any, maxval: Any, dtype: Any = None) -> Any:
    """Integers uniform in [minval, maxval).

    Twice the bits of the dtype are drawn, so that the remainder is hardly biased.

    Args:
      key: a single key.
      shape: of the result.
      minval: integers that stretch to `shape`, one less than the smallest is never drawn.
      maxval: likewise; one past the largest.
      dtype: an integer dtype; the default one if omitted.
    """
    words = _data(key, "randint")
    found = dtypes.default_int() if dtype is None else dtypes.as_dtype(dtype)
    if not dtypes.is_integer(found):
        raise DTypeError(f"randint gives integers, but the dtype asked for is {dtypes.short_name(found)}.")
    low, high = (_bound(v) for v in (minval, maxval))
    full = _shape(shape, "randint", low, high)
    info = np.iinfo(found)
    beyond = fnp.greater(high, np.asarray(min(info.max, np.iinfo(high.dtype).max), high.dtype))
    low, high = (_clipped(v, found) for v in (low, high))
    unsigned = _unsigned(info.bits)
    first, second = (random_split(words, shape=(2,))[i] for i in range(2))
    upper = random_bits(first, shape=full, dtype=unsigned)
    lower = random_bits(second, shape=full, dtype=unsigned)
    one = unsigned.type(1)
    span = cast(fnp.subtract(high, low), unsigned)
    span = fnp.where(fnp.less_equal(high, low), one, span)
    span = fnp.where(fnp.logical_and(beyond, fnp.greater(high, low)), fnp.add(span, one), span)
    half = unsigned.type(1 << (info.bits // 2))
    multiplier = _rem(fnp.full_like(span, half), span)
    multiplier = _rem(fnp.multiply(multiplier, multiplier), span)
    offset = fnp.add(fnp.multiply(_rem(upper, span), multiplier), _rem(lower, span))
    return fnp.add(low, cast(_rem(offset, span), found))


def _bound(v: Any) -> Any:
    if isinstance(v, int) and not isinstance(v, bool) and not -(1 << 31) <= v < (1 << 31):
        return as_operand(np.asarray(v, np.int64 if v < (1 << 63) else np.uint64))
    return _integers(as_operand(v))


def _rem(x: Any, y: Any) -> Any:
    shape = broadcast_shapes("randint", [type_of(x).shape, type_of(y).shape])
    return e.rem(fnp.broadcast_to(x, shape), fnp.broadcast_to(y, shape))


def _clipped(x: Any, dtype: np.dtype) -> Any:
    """An integer array in another integer dtype; what does not fit becomes the nearest that does."""
    own, info = np.iinfo(x.dtype), np.iinfo(dtype)
    low, high = max(own.min, info.min), min(own.max, info.max)
    return cast(fnp.clip(x, np.asarray(low, x.dtype), np.asarray(high, x.dtype)), dtype)


def _shuffle(words: Any, x: Any, axis: int) -> Any:
    """Sort by random keys, often enough that all keys differ in some round."""
    rounds = math.ceil(3 * math.log(max(1, x.size)) / math.log(0xFFFFFFFF))
    for _ in range(rounds):
        both = random_split(words, shape=(2,))
        words = both[0]
        order = fnp.argsort(random_bits(both[1], shape=x.shape, dtype=dtypes.uint32), axis=axis, stable=True)
        x = fnp.take_along_axis(x, order, axis=axis)
    return x


def permutation(key: Any, x: Any, axis: int = 0, independent: bool = False) -> Any:
    """A random permutation of range(x), or of an array along an axis.

    Args:
      key: a single key.
      x: an integer, or an array.
      axis: along which to permute.
      independent: whether each line along the axis is permuted on its own.
    """
    words = _data(key, "permutation")
    if isinstance(x, (int, np.integer)):
        return _shuffle(words, fnp.arange(int(x)), 0)
    array = as_operand(x)
    if not array.shape:
        if not dtypes.is_integer(array.dtype):
            raise DTypeError(f"permutation takes an integer or an array with axes, got {type_of(array)}.")
        return _shuffle(words, fnp.arange(int(array)), 0)
    axis = axis % array.ndim
    if independent or array.ndim == 1:
        return _shuffle(words, array, axis)
    return fnp.take(array, _shuffle(words, fnp.arange(array.shape[axis]), 0), axis=axis)


def bernoulli(key: Any, p: Any = 0.5, shape: Any = None) -> Any:
    """Booleans that are true with probability `p`."""
    words = _data(key, "bernoulli")
    probability = as_operand(p)
    if not dtypes.is_floating(probability.dtype):
        probability = cast(probability, dtypes.default_float())
    full = _shape(shape, "bernoulli", probability)
    return fnp.less(_uniform01(words, full, probability.dtype), probability)


def gumbel(key: Any, shape: Any = (), dtype: Any = None) -> Any:
    """Gumbel floats: -log(-log u), u uniform in (0, 1)."""
    words, found = _data(key, "gumbel"), _float_dtype(dtype, "gumbel")
    tiny = dtypes.finfo(found).tiny
    u = _uniform(words, _shape(shape, "gumbel"), found, as_operand(found.type(tiny)), as_operand(found.type(1)))
    return e.neg(e.log(e.neg(e.log(u))))


def exponential(key: Any, shape: Any = (), dtype: Any = None) -> Any:
    """Exponential floats of rate 1: -log(1 - u)."""
    words, found = _data(key, "exponential"), _float_dtype(dtype, "exponential")
    return e.neg(e.log1p(e.neg(_uniform01(words, _shape(shape, "exponential"), found))))


def laplace(key: Any, shape: Any = (), dtype: Any = None) -> Any:
    """Laplace floats of scale 1."""
    words, found = _data(key, "laplace"), _float_dtype(dtype, "laplace")
    low = found.type(-1.0 + float(dtypes.finfo(found).epsneg))
    u = _uniform(words, _shape(shape, "laplace"), found, as_operand(low), as_operand(found.type(1)))
    return e.mul(e.sign(u), e.log1p(e.neg(e.abs_(u))))


def logistic(key: Any, shape: Any = (), dtype: Any = None) -> Any:
    """Logistic floats of scale 1: log(u / (1 - u))."""
    words, found = _data(key, "logistic"), _float_dtype(dtype, "logistic")
    tiny = found.type(dtypes.finfo(found).tiny)
    u = _uniform(words, _shape(shape, "logistic"), found, as_operand(tiny), as_operand(found.type(1)))
    return e.sub(e.log(u), e.log1p(e.neg(u)))


def cauchy(key: Any, shape: Any = (), dtype: Any = None) -> Any:
    """Cauchy floats of scale 1: tan(pi (u - 1/2))."""
    words, found = _data(key, "cauchy"), _float_dtype(dtype, "cauchy")
    eps = found.type(dtypes.finfo(found).eps)
    u = _uniform(words, _shape(shape, "cauchy"), found, as_operand(eps), as_operand(found.type(1)))
    return e.tan(e.mul(found.type(math.pi), e.sub(u, found.type(0.5))))


def rademacher(key: Any, shape: Any = (), dtype: Any = None) -> Any:
    """-1 or 1, each with probability 1/2."""
    found = dtypes.default_int() if dtype is None else dtypes.as_dtype(dtype)
    heads = cast(bernoulli(key, 0.5, _shape(shape, "rademacher")), found)
    return e.sub(e.mul(found.type(2), heads), found.type(1))


def categorical(key: Any, logits: Any, axis: int = -1, shape: Any = None, replace: bool = True) -> Any:
    """Indices drawn with probabilities softmax(logits) along an axis: the largest of logits + gumbel.

    Args:
      key: a single key.
      logits: unnormalised log-probabilities.
      axis: the axis of the categories.
      shape: of the result; ends with the shape of `logits` without `axis`.
      replace: whether an index may be drawn more than once.
    """
    scores = as_operand(logits)
    axis = axis % scores.ndim - scores.ndim
    batch = tuple(n for i, n in enumerate(scores.shape) if i != axis % scores.ndim)
    full = batch if shape is None else _shape(shape, "categorical")
    if full[len(full) - len(batch) :] != batch:
        raise ShapeError(
            f"categorical: shape {full} must end with {batch}, the shape of the logits without their axis."
        )
    prefix = full[: len(full) - len(batch)]
    if replace:
        noise = list(full[len(prefix) :])
        noise.insert(axis % scores.ndim, scores.shape[axis])
        return fnp.argmax(fnp.add(gumbel(key, (*prefix, *noise), scores.dtype), scores), axis=axis)
    k = math.prod(prefix)
    if k > scores.shape[axis]:
        raise ValueError(f"categorical without replacement: {k} draws of {scores.shape[axis]} categories.")
    noisy = fnp.moveaxis(fnp.add(scores, gumbel(key, scores.shape, scores.dtype)), axis, -1)
    order = fnp.flip(fnp.argsort(noisy, axis=-1), axis=-1)[..., :k]
    return fnp.moveaxis(order, -1, 0).reshape(full)


def choice(key: Any, a: Any, shape: Any = (), replace: bool = True, p: Any = None, axis: int = 0) -> Any:
    """Random elements of range(a), or of an array along an axis.

    Args:
      key: a single key.
      a: an integer, or an array.
      shape: of the draws.
      replace: whether an element may be drawn more than once.
      p: probabilities; all equal if omitted.
      axis: along which to choose.
    """
    array = None if isinstance(a, (int, np.integer)) else as_operand(a)
    if array is not None and not array.shape:
        a, array = int(array), None
    n = int(a) if array is None else array.shape[axis]
    full = _shape(shape, "choice")
    k = math.prod(full)
    if k and n <= 0:
        raise ValueError("choice: there is nothing to choose from (a is empty or not positive).")
    if not replace and k > n:
        raise ValueError(f"choice without replacement: {k} draws of {n} elements.")
    if p is None and not replace:
        if array is None:
            return permutation(key, n)[:k].reshape(full)
        axis = axis % array.ndim
        drawn = fnp.take(permutation(key, array, axis), np.arange(k), axis=axis)
        return drawn.reshape((*array.shape[:axis], *full, *array.shape[axis + 1 :]))
    indices = _chosen(key, n, full, replace, p)
    return indices if array is None else fnp.take(array, indices, axis=axis)


def _chosen(key: Any, n: int, shape: Shape, replace: bool, p: Any) -> Any:
    if p is None:
        return randint(key, shape, 0, n)
    weights = as_operand(p)
    if not dtypes.is_floating(weights.dtype):
        weights = cast(weights, dtypes.default_float())
    if weights.shape != (n,):
        raise ShapeError(f"choice: p needs a probability for each of the {n} elements, got {type_of(weights)}.")
    if replace:
        cumulative = fnp.cumsum(weights)
        drawn = cumulative[-1] * (1 - uniform(key, shape, cumulative.dtype))
        return fnp.searchsorted(cumulative, drawn)
    scores = fnp.add(gumbel(key, (n,), weights.dtype), fnp.log(weights))
    return fnp.flip(fnp.argsort(scores))[: math.prod(shape)].reshape(shape)
