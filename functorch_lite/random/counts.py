"""Counts: Poisson's, the binomial and the multinomial distribution.

Small means are counted out, one event after the other; large ones use the transformed rejection of W. Hörmann ("The
transformed rejection method for generating Poisson random variables", 1993; "The generation of binomial random
variates", 1993). The keys are used as `jax.random` uses them.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import dtypes
from .. import numpy as fnp
from ..array_type import Shape
from ..arrays import type_of
from ..control.scan import scan
from ..control.while_loop import while_loop
from ..errors import ShapeError
from ..primitives import elementwise as e
from ..primitives.random_bits import random_split
from ..primitives.random_floats import random_uniform
from ..primitives.structural import broadcast_in_dim
from ..promotion import as_operand
from . import rounded
from .keys import two_words, words_of
from .parameters import cast, checked_shape, float_dtype, integer_dtype, operands, result_shape, stretched

__all__ = ["binomial", "multinomial", "poisson"]


def _full(like: Any, value: float) -> Any:
    """A value in the shape and dtype of an array."""
    return broadcast_in_dim(as_operand(like.dtype.type(value)), shape=like.shape, dims=())


def _until_all(done: Any, step: Any, state: Any) -> Any:
    """`state` after as many steps as it takes until `done` (state) holds everywhere."""
    return while_loop(lambda s: fnp.logical_not(fnp.all(done(s))), step, state)


def _for_all(needless: Any) -> Any:
    """Whether rejection is needless for all: it need not begin then. Else all take part, as draws depend on the number of steps."""
    return broadcast_in_dim(fnp.all(needless), shape=needless.shape, dims=())


def poisson(key: Any, lam: Any, shape: Any = None, dtype: Any = None) -> Any:
    """The number of events where `lam` are expected; -1 where `lam` is NaN or negative.

    Args:
      key: a single key.
      lam: the mean; stretches to `shape`. It is taken in float32.
      shape: of the result; the shape of `lam` if omitted.
      dtype: an integer dtype; the default one if omitted.

    >>> import functorch_lite as fl
    >>> fl.random.poisson(fl.random.key(0), 100.0, (2,)).shape
    (2,)
    """
    words, found = words_of(key, "poisson"), integer_dtype(dtype, "poisson")
    (mean,) = operands("poisson", lam=lam)
    full = result_shape(shape, "poisson", mean)
    mean = stretched(mean, full, dtypes.float32)
    few = e.not_(e.ge(mean, np.float32(10)))  # NaN counts as few
    counted = _poisson_by_counting(words, e.select(few, _full(mean, 0.0), mean), full)
    rejected = _poisson_by_rejection(words, e.select(few, mean, _full(mean, 1e5)), few, full)
    out = e.select(few, rejected, counted)
    return cast(e.select(e.eq(mean, np.float32(0)), out, _full(mean, 0.0)), found)


def _poisson_by_counting(words: Any, mean: Any, shape: Shape) -> Any:
    """How many uniform numbers can be multiplied until the product falls below exp(-mean); less one (D. Knuth)."""

    def step(state: Any) -> Any:
        words, count, log_product = state
        words, subwords = two_words(words)
        count = fnp.where(log_product > -mean, count + 1.0, count)
        u = random_uniform(subwords, shape=shape, dtype=dtypes.float32)
        return words, count, log_product + rounded.log(u)

    zeros = _full(mean, 0.0)
    state = _until_all(lambda s: fnp.logical_not(s[2] > -mean), step, (words, zeros, zeros))
    return state[1] - 1.0


def _poisson_by_rejection(words: Any, mean: Any, needless: Any, shape: Shape) -> Any:
    log_mean = rounded.log(mean)
    b = 0.931 + 2.53 * e.sqrt(mean)
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    v_below = 0.9277 - 3.6224 / (b - 2.0)

    def step(state: Any) -> Any:
        words, out, accepted = state
        three = random_split(words, shape=(3,))
        u = random_uniform(three[1], shape=shape, dtype=mean.dtype) - 0.5
        v = random_uniform(three[2], shape=shape, dtype=mean.dtype)
        away = 0.5 - abs(u)
        k = e.floor((2.0 * a / away + b) * u + mean + 0.43)
        density = k * log_mean - mean - rounded.lgamma(k + 1.0)
        at_once = (away >= 0.07) & (v <= v_below)
        out_of_question = (k < 0.0) | ((away < 0.013) & (v > away))
        fits = rounded.log(v * inverse_alpha / (a / (away * away) + b)) <= density
        taken = at_once | (fits & ~out_of_question)
        return three[0], fnp.where(taken, k, out), accepted | taken

    return _until_all(lambda s: s[2], step, (words, _full(mean, -1.0), _for_all(needless)))[1]


def binomial(key: Any, n: Any, p: Any, shape: Any = None, dtype: Any = None) -> Any:
    """The number of successes among `n` trials, as a float; NaN where `n` or `p` is NaN or out of range.

    Args:
      key: a single key.
      n: trials, not negative; stretches to `shape`.
      p: the probability of success in [0, 1]; likewise.
      shape: of the result; the shape of the parameters if omitted.
      dtype: a floating dtype; the default one if omitted.

    >>> import functorch_lite as fl
    >>> fl.random.binomial(fl.random.key(0), 10, 0.5, (2,)).shape
    (2,)
    """
    words, found = words_of(key, "binomial"), float_dtype(dtype, "binomial")
    trials, chance = operands("binomial", n=n, p=p)
    full = result_shape(shape, "binomial", trials, chance)
    wide = chance.dtype if chance.dtype == dtypes.float64 else dtypes.float32
    return cast(_binomials(words, stretched(trials, full, wide), stretched(chance, full, wide), full), found)


def _binomials(words: Any, n: Any, p: Any, shape: Shape) -> Any:
    """Of the rarer outcome, counted out where few are expected, by rejection elsewhere."""
    rare = p < 0.5
    q = fnp.where(rare, p, 1.0 - p)
    bad_n = fnp.isnan(n) | (n < 0.0)
    bad_q = fnp.isnan(q) | (q < 0.0)
    q = fnp.where(bad_q, _full(q, 0.01), q)
    endless = fnp.isinf(n)
    few = bad_n | (n * q <= 10.0)
    n = e.floor(n)
    counted = _binomial_by_counting(words, fnp.where(few & ~bad_n, n, _full(n, -1.0)), q, shape)
    needless = few | endless
    rejected = _binomial_by_rejection(
        words, fnp.where(needless, _full(n, 1e4), n), fnp.where(needless, _full(q, 0.5), q), needless, shape
    )
    out = fnp.where(few, counted, rejected)
    out = fnp.where(endless, n, out)
    out = fnp.where(rare | endless, out, n - out)
    return fnp.where(bad_n | bad_q, _full(out, np.nan), out)


def _binomial_by_counting(words: Any, n: Any, q: Any, shape: Shape) -> Any:
    """How many waiting times (geometric variates) fit into n trials."""
    log_failure = rounded.log1p(-q)

    def step(state: Any) -> Any:
        words, count, waited = state
        subwords, words = two_words(words)
        count = fnp.where(waited <= n, count + 1.0, count)
        u = random_uniform(subwords, shape=shape, dtype=q.dtype)
        return words, count, waited + e.ceil(rounded.log(u) / log_failure)

    zeros = _full(q, 0.0)
    return _until_all(lambda s: fnp.logical_not(s[2] <= n), step, (words, zeros, zeros))[1] - 1.0


_STIRLING_TAILS = [
    math.lgamma(k + 1) - (math.log(2 * math.pi) / 2 + (k + 0.5) * math.log(k + 1) - (k + 1)) for k in range(10)
]


def _stirling_tail(k: Any) -> Any:
    """log(k!) less Stirling's formula for it, log(sqrt(2 pi)) + (k + 1/2) log(k + 1) - (k + 1), where k is whole."""
    x = k + 1.0
    square = x * x
    tail = (1 / 12 - (1 / 360 - 1 / 1260 / square) / square) / x
    for i, exact in enumerate(_STIRLING_TAILS):
        tail = fnp.where(k == i, _full(k, exact), tail)
    return tail


def _binomial_by_rejection(words: Any, n: Any, p: Any, needless: Any, shape: Shape) -> Any:
    deviation = e.sqrt(n * p * (1.0 - p))
    b = 1.15 + 2.53 * deviation
    a = -0.0873 + 0.0248 * b + 0.01 * p
    c = n * p + 0.5
    v_below = 0.92 - 4.2 / b
    odds = p / (1.0 - p)
    alpha = (2.83 + 5.1 / b) * deviation
    m = e.floor((n + 1.0) * p)
    at_mode = (m + 0.5) * rounded.log((m + 1.0) / (odds * (n - m + 1.0))) + _stirling_tail(m) + _stirling_tail(n - m)

    def step(state: Any) -> Any:
        words, out, accepted = state
        three = random_split(words, shape=(3,))
        u = random_uniform(three[1], shape=shape, dtype=p.dtype) - 0.5
        v = random_uniform(three[2], shape=shape, dtype=p.dtype)
        away = 0.5 - abs(u)
        k = e.floor((2.0 * a / away + b) * u + c)
        at_once = (away >= 0.07) & (v <= v_below)
        possible = (k >= 0.0) & (k <= n)
        bound = (
            at_mode
            + (n + 1.0) * rounded.log((n - m + 1.0) / (n - k + 1.0))
            + (k + 0.5) * rounded.log(odds * (n - k + 1.0) / (k + 1.0))
            - _stirling_tail(k)
            - _stirling_tail(n - k)
        )
        taken = at_once | (possible & (rounded.log(v * alpha / (a / (away * away) + b)) <= bound))
        return three[0], fnp.where(taken, k, out), accepted | taken

    return _until_all(lambda s: s[2], step, (words, _full(p, -1.0), _for_all(needless)))[1]


@rounded.exactly
def _sums_of_rest(rows: Any) -> Any:
    """For each row the sum of it and those after it."""
    return fnp.flip(fnp.cumsum(fnp.flip(rows, 0), axis=0), 0)


def multinomial(key: Any, n: Any, p: Any, *, shape: Any = None, dtype: Any = None, unroll: int | bool = 1) -> Any:
    """How often each of k outcomes came up in `n` trials, as floats.

    Args:
      key: a single key.
      n: trials; stretches to `shape[:-1]`.
      p: the outcomes' probabilities, along the last axis; stretches to `shape`.
      shape: of the result, whose last axis is that of the outcomes; the shape of `p` if omitted.
      dtype: of the result; the default floating one if omitted.
      unroll: how many outcomes a turn of the loop over them takes.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> float(fl.random.multinomial(fl.random.key(0), 10, fnp.asarray([0.2, 0.3, 0.5])).sum())
    10.0
    """
    words = words_of(key, "multinomial")
    found = dtypes.default_float() if dtype is None else dtypes.as_dtype(dtype)
    trials, chances = operands("multinomial", n=n, p=p)
    if not chances.ndim:
        raise ShapeError(f"multinomial: p needs an axis of outcomes, got {type_of(chances)}.")
    full = result_shape(chances.shape if shape is None else checked_shape(shape, "multinomial"), "multinomial", chances)
    wide = dtypes.float64 if dtypes.float64 in (chances.dtype, trials.dtype) else dtypes.float32
    result_shape(full[:-1], "multinomial", trials)
    left = stretched(trials, full[:-1], wide)
    rows = fnp.moveaxis(stretched(chances, full, wide), -1, 0)
    rest = _sums_of_rest(rows)
    ratios = fnp.clip(rows / fnp.where(rest == 0.0, _full(rest, 1.0), rest), 0.0, 1.0)

    def step(left: Any, row: Any) -> tuple[Any, Any]:
        ratio, words = row
        count = _binomials(words, left, ratio, full[:-1])
        return left - count, count

    keys = random_split(words, shape=(full[-1],))
    counts = scan(step, left, (ratios, keys), unroll=unroll)[1]
    return cast(fnp.moveaxis(counts, 0, -1), found)
