"""Steps of random programs on values of any shape and of four kinds: booleans, integers, floats, complex numbers.

A step takes whatever values there are: it makes of them what it needs (`real`, `whole`, `true`, `unreal`, `fitted`). A step may
hold a program, which is the body of a loop or a branch, or is differentiated, batched or compiled by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import numpy as np

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite import lax

__all__ = ["Program", "function", "inputs", "programs"]

Program = list[tuple[Any, ...]]
"""Steps: a name; for each operand, how many values back it is; a program, if the step holds one."""

BOUND = 0.1037
"""No value that arises in another way is equal to it: rounding does not decide comparisons."""


def real(x: Any) -> Any:
    """Floats of moderate size."""
    x = fnp.real(x)
    return 2 * fnp.tanh(x / 2) if x.dtype.kind == "f" else fnp.clip(x, -8, 8).astype(np.float64) * 0.37


def whole(x: Any) -> Any:
    return x if x.dtype.kind == "i" else fnp.floor(real(x) * 3 + BOUND).astype(np.int32)


def true(x: Any) -> Any:
    return x if x.dtype.kind == "b" else real(x) > BOUND


def unreal(x: Any) -> Any:
    return x / (1 + fnp.abs(x)) if x.dtype.kind == "c" else real(x) * (0.6 - 0.8j)


def fitted(y: Any, like: Any) -> Any:
    """With the kind and shape of another value."""
    make = {"b": true, "i": whole, "f": real, "c": unreal}[like.dtype.kind]
    return fnp.resize(make(y).astype(like.dtype), like.shape)


def flat(x: Any) -> Any:
    """At least two numbers in a row."""
    x = fnp.ravel(x)
    return x if x.size > 1 else fnp.concatenate([x, x + x.dtype.type(1)])


def rows(x: Any) -> Any:
    """A matrix of at least two rows."""
    x = fnp.reshape(x, (x.shape[0], -1)) if x.ndim else fnp.reshape(x, (1, 1))
    return x if x.shape[0] > 1 else fnp.concatenate([x, x[::-1, ::-1]])


def apart(x: Any) -> Any:
    """Floats of which no two are equal: what puts them in order has derivatives."""
    x = real(x)
    return x + 0.0113 * fnp.arange(x.size, dtype=np.float64).reshape(x.shape) ** 1.5


def chosen(x: Any, n: int) -> Any:
    """Indices below a number, some of them from behind."""
    return whole(x) % (2 * n) - n


def shrunk(x: Any) -> Any:
    """Not too long a value."""
    return flat(x)[:24] if x.size > 24 else x


UNARY: dict[str, Callable[[Any], Any]] = {
    "real": lambda x: fnp.sin(real(x)) * 1.1,
    "whole": whole,
    "true": true,
    "unreal": unreal,
    "soft": lambda x: fnp.logaddexp(real(x), 0.3),
    "root": lambda x: fnp.sqrt(1 + real(x) ** 2),
    "square": lambda x: fnp.square(unreal(x)),
    "short": lambda x: real(x).astype(np.float32) * np.float32(0.5),
    "wave": lambda x: fnp.exp(1j * real(x)),
    "parts": lambda x: fnp.imag(unreal(x)) - fnp.abs(unreal(x) + 2),
    "conj": lambda x: fnp.conj(unreal(x)) * unreal(x),
    "spectrum": lambda x: fnp.fft.fft(unreal(shrunk(x)), axis=-1) if x.ndim else unreal(x),
    "divided": lambda x: (whole(x) // 3, whole(x) % 5)[whole(x).ndim % 2],
    "bits": lambda x: (whole(x) ^ 5) & ~(whole(x) << 1),
    "counted": lambda x: fnp.bitwise_count(whole(x)).astype(np.int32) - 3,
    "byte": lambda x: whole(x).astype(np.int8) * np.int8(77),
    "not": lambda x: ~true(x),
    "sum of all": lambda x: fnp.sum(real(x)),
    "sum of first and last": lambda x: fnp.sum(unreal(x), axis=(0, -1) if x.ndim > 1 else None),
    "sum of rows": lambda x: fnp.sum(x, axis=-1, keepdims=True) if x.ndim else x,
    "mean of columns": lambda x: real(x) - fnp.mean(real(x), axis=0) if x.ndim else real(x),
    "product": lambda x: fnp.prod(real(rows(x)) + 1.2, axis=0),
    "greatest": lambda x: fnp.max(apart(rows(x)), axis=1),
    "least": lambda x: fnp.min(whole(rows(x)), axis=0),
    "where greatest": lambda x: fnp.argmax(apart(rows(x)), axis=0),
    "any": lambda x: fnp.any(true(rows(x)), axis=0),
    "all": lambda x: fnp.all(true(x)),
    "spread": lambda x: fnp.std(real(flat(x)) + fnp.arange(flat(x).size)),
    "softmax": lambda x: fl.nn.softmax(real(rows(x)), axis=0),
    "running sum": lambda x: fnp.cumsum(whole(rows(x)), axis=0),
    "running product": lambda x: fnp.cumprod(unreal(rows(x)) + 1, axis=1),
    "running maximum": lambda x: lax.cummax(apart(rows(x)), axis=0, reverse=True),
    "prefixes": lambda x: lax.associative_scan(fnp.multiply, real(rows(x)), axis=0),
    "sorted": lambda x: fnp.sort(apart(rows(x)), axis=0),
    "sorted integers": lambda x: fnp.sort(whole(x), axis=-1, descending=True) if x.ndim else whole(x),
    "order": lambda x: fnp.argsort(whole(rows(x)), axis=1),
    "best": lambda x: lax.top_k(apart(flat(x)), 2)[0],
    "found": lambda x: fnp.searchsorted(fnp.sort(apart(flat(x))), real(x)),
    "flat": flat,
    "rows": rows,
    "turned": lambda x: x.T,
    "reversed": lambda x: fnp.flip(x, 0) if x.ndim else x,
    "new axis": lambda x: x[..., None] if x.ndim < 4 else x,
    "first": lambda x: x[0] if x.ndim else x,
    "every other": lambda x: x[..., ::-2] if x.ndim else x,
    "padded": lambda x: lax.pad(shrunk(x), x.dtype.type(1), [(1, -1, 1)] * shrunk(x).ndim),
    "bordered": lambda x: fnp.pad(shrunk(x), 1, mode="edge"),
    "tiled": lambda x: fnp.tile(shrunk(x), (2, 1)),
    "rolled": lambda x: fnp.roll(x, whole(fnp.sum(real(x)))),
    "window": lambda x: lax.dynamic_slice(flat(x), (chosen(fnp.sum(real(x)), 4),), (2,)),
    "moved": lambda x: lax.dynamic_update_slice(flat(x), flat(x)[:2], (whole(fnp.max(apart(x))),)),
    "picked": lambda x: flat(x)[chosen(x, flat(x).size)],
    "along": lambda x: fnp.take_along_axis(rows(x), fnp.argsort(apart(rows(x)), 1), 1),
    "dealt": lambda x: fnp.zeros(3).at[chosen(x, 3)].add(real(x)),
    "replaced": lambda x: flat(x).at[chosen(flat(x)[1:].sum(), 2)].set(flat(x)[0]),
    "raised": lambda x: fnp.zeros(3, np.int32).at[chosen(x, 3)].max(whole(x)),
    "product of matrices": lambda x: real(rows(x)) @ real(rows(x)).T / rows(x).shape[1],
    "complex product": lambda x: fnp.einsum("ij,kj->ki", unreal(rows(x)), unreal(rows(x)[::-1])),
    "integer product": lambda x: whole(rows(x)) @ whole(rows(x)).T,
    "solved": lambda x: fnp.linalg.solve(
        real(rows(x)) @ real(rows(x)).T + 2 * fnp.eye(rows(x).shape[0]), real(rows(x))
    ),
    "smoothed": lambda x: fnp.convolve(real(flat(x)), real(flat(x))[:2], mode="same"),
    "grown": lambda x: lax.reduce_window(real(flat(x)), -np.inf, lax.max, (2,), (1,), "SAME"),
    "draws": lambda x: fl.random.uniform(fl.random.fold_in(fl.random.key(1), whole(fnp.sum(real(x)))), (2, 3), np.float64),
}  # fmt: skip
BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda x, y: x + fitted(y, x),
    "multiply": lambda x, y: unreal(x) * fitted(y, unreal(x)),
    "difference": lambda x, y: real(x)[..., None] - real(flat(y))[:3],
    "divide": lambda x, y: real(x) / (1.5 + fitted(y, real(x)) ** 2),
    "floor divide": lambda x, y: whole(x) // fitted(y, whole(x)),
    "rest": lambda x, y: whole(x) % fitted(y, whole(x)),
    "shift": lambda x, y: whole(x) << (fitted(y, whole(x)) & 7),
    "greater": lambda x, y: fnp.maximum(apart(x), fitted(y, real(x)) + 0.0071),
    "less": lambda x, y: apart(x) < fitted(y, real(x)) + 0.0071,
    "xor": lambda x, y: true(x) ^ fitted(y, true(x)),
    "angle": lambda x, y: fnp.arctan2(real(x), 2.5 + fitted(y, real(x))),
    "choose": lambda x, y: fnp.where(true(x), fitted(y, real(x)), real(x) * 0.5),
    "select": lambda x, y: fnp.where(fitted(y, true(x)), x, x + x),
    "joined": lambda x, y: fnp.concatenate([flat(x), fitted(y, flat(x))]),
    "stacked": lambda x, y: fnp.stack([shrunk(x), fitted(y, shrunk(x))], axis=-1) if x.ndim < 4 else x,
    "gathered": lambda x, y: flat(x)[chosen(shrunk(y), flat(x).size)],
    "scattered": lambda x, y: flat(x).at[fnp.resize(chosen(y, flat(x).size), 3)].set(flat(x)[0], mode="drop"),
    "summed into": lambda x, y: flat(unreal(x)).at[fnp.resize(chosen(y, flat(x).size), 3)].add(0.5),
    "outer": lambda x, y: fnp.outer(real(flat(x)[:4]), unreal(flat(y)[:4])),
    "sorted by": lambda x, y: lax.sort((apart(flat(x)), fitted(y, flat(x))), num_keys=1)[1],
    "updated": lambda x, y: lax.dynamic_update_slice(rows(x), fitted(y, rows(x)[:1]), (whole(fnp.sum(real(y))), 0)),
}


def scanned(f: Callable[[Any], Any], x: Any) -> Any:
    """A body that carries one row, and gives rows."""
    carry, out = lax.scan(lambda c, row: (fitted(f(c), c), fitted(f(row), row)), rows(x)[0], rows(x)[:3])
    return fnp.concatenate([carry[None], out])


def repeated(f: Callable[[Any], Any], x: Any) -> Any:
    """A loop whose number of turns the values decide."""
    x = shrunk(x)
    start = (real(fnp.sum(real(x))), x)
    return lax.while_loop(lambda c: c[0] < 2.9, lambda c: (c[0] + 1 + 0.1 * fnp.tanh(c[0]), fitted(f(c[1]), x)), start)[
        1
    ]


def smooth(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """One number of all that a function gives."""
    return lambda x: fnp.sum(real(f(x)))


HOLDING: dict[str, Callable[[Callable[[Any], Any], Any], Any]] = {
    "scan": scanned,
    "while": repeated,
    "for": lambda f, x: lax.fori_loop(0, 2, lambda i, c: fitted(f(c), c), shrunk(x)),
    "cond": lambda f, x: lax.cond(fnp.sum(real(x)) > BOUND, lambda x: fitted(f(x), x), lambda x: x, x),
    "switch": lambda f, x: lax.switch(whole(fnp.sum(real(x))), [lambda x: x, lambda x: fitted(f(x), x), fnp.flip], x),
    "map": lambda f, x: lax.map(f, rows(x)[:3]),
    "vmap": lambda f, x: fl.vmap(f)(rows(x)),
    "vmap of columns": lambda f, x: fl.vmap(f, in_axes=1, out_axes=-1)(rows(x)),
    "jit": lambda f, x: fl.jit(f, exact=True)(x),
    "checkpoint": lambda f, x: fl.checkpoint(f)(x),
    "grad": lambda f, x: fl.grad(smooth(f))(real(x)),
    "jvp": lambda f, x: fl.jvp(smooth(f), (real(x),), (fnp.cos(real(x)),))[1],
    "jacobian": lambda f, x: fl.jacfwd(lambda x: real(flat(f(x)))[:2])(real(flat(x))[:3]),
}

back = st.integers(0, 4)
leaf = st.one_of(
    st.tuples(st.sampled_from(sorted(UNARY)), back),
    st.tuples(st.sampled_from(sorted(BINARY)), back, back),
)


def holding(step: Any) -> Any:
    return st.one_of(step, st.tuples(st.sampled_from(sorted(HOLDING)), back, st.lists(step, min_size=1, max_size=3)))


step = st.one_of(leaf, leaf, holding(holding(leaf)))
programs = st.lists(step, min_size=1, max_size=6)


def inputs(draw: int) -> list[np.ndarray]:
    """What a program starts from: one array of each kind."""
    rng = np.random.default_rng(draw)
    return [
        rng.normal(size=(2, 3)),
        rng.integers(-4, 5, 5).astype(np.int32),
        rng.normal(size=(2, 1, 3)) + 1j * rng.normal(size=(2, 1, 3)),
        rng.uniform(size=(3,)) < 0.5,
    ]


def function(program: Program) -> Callable[..., Any]:
    """The function that the steps describe: of some values, the last one that is made and one float of all the others."""

    def run(*given: Any) -> Any:
        values = list(given)
        for name, *rest in program:
            held = [function_of_one(rest.pop())] if isinstance(rest[-1], list) else []
            operands = [values[-1 - (i % len(values))] for i in rest]
            made = (UNARY.get(name) or BINARY.get(name) or HOLDING[name])(*held, *operands)
            values.append(made if made.size <= 200 else flat(made)[:24])
        return values[-1], sum(fnp.sum(real(v)) for v in values[len(given) :])

    return run


def function_of_one(program: Program) -> Callable[[Any], Any]:
    return lambda x: function(program)(x)[0]
