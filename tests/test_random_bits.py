"""Every sampler gives the same bits eagerly and compiled, alone and over a batch of keys, in every dtype."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite import random

KEYS = {"Key", "PRNGKey", "clone", "fold_in", "key", "key_data", "key_impl", "split", "wrap_key_data"}
"""What is public and draws nothing."""

SAMPLERS: dict[str, Any] = {
    "ball": lambda k, d: random.ball(k, 30, 1.5, (40,), d),
    "bernoulli": lambda k, d: random.bernoulli(k, fnp.asarray(0.3, d), (500,)),
    "beta": lambda k, d: random.beta(k, 0.7, 2.0, (200,), d),
    "binomial": lambda k, d: random.binomial(k, 20, 0.3, (200,), d),
    "bits": lambda k, d: random.bits(k, (500,)),
    "categorical": lambda k, d: random.categorical(k, fnp.asarray([0.1, 0.2, 0.7], d), shape=(500,)),
    "cauchy": lambda k, d: random.cauchy(k, (500,), d),
    "chisquare": lambda k, d: random.chisquare(k, 3.0, shape=(200,), dtype=d),
    "choice": lambda k, d: random.choice(k, 100, (500,), p=fnp.arange(100, dtype=d) / 4950),
    "dirichlet": lambda k, d: random.dirichlet(k, fnp.linspace(0.5, 2, 40, dtype=d), (50,), d),
    "double_sided_maxwell": lambda k, d: random.double_sided_maxwell(k, 0.5, 1.5, (500,), d),
    "exponential": lambda k, d: random.exponential(k, (500,), d),
    "f": lambda k, d: random.f(k, 3.0, 4.0, (200,), d),
    "gamma": lambda k, d: random.gamma(k, 0.7, (200,), d),
    "generalized_normal": lambda k, d: random.generalized_normal(k, 1.3, (200,), d),
    "geometric": lambda k, d: random.geometric(k, fnp.asarray(0.3, d), (500,)),
    "gumbel": lambda k, d: random.gumbel(k, (500,), d),
    "laplace": lambda k, d: random.laplace(k, (500,), d),
    "loggamma": lambda k, d: random.loggamma(k, 0.3, (200,), d),
    "logistic": lambda k, d: random.logistic(k, (500,), d),
    "lognormal": lambda k, d: random.lognormal(k, 0.7, (500,), d),
    "maxwell": lambda k, d: random.maxwell(k, (500,), d),
    "multinomial": lambda k, d: random.multinomial(k, fnp.asarray(20, d), fnp.asarray([0.2, 0.3, 0.5], d)),
    "multivariate_normal": lambda k, d: random.multivariate_normal(
        k, fnp.zeros(20, d), fnp.eye(20, dtype=d) + fnp.asarray(0.3, d), (30,), d
    ),
    "normal": lambda k, d: random.normal(k, (500,), d),
    "orthogonal": lambda k, d: random.orthogonal(k, 5, (3,), d),
    "pareto": lambda k, d: random.pareto(k, 1.5, (500,), d),
    "permutation": lambda k, d: random.permutation(k, fnp.arange(100, dtype=d)),
    "poisson": lambda k, d: random.poisson(k, fnp.asarray([0.5, 3.7, 37.0], d), (200, 3)),
    "rademacher": lambda k, d: random.rademacher(k, (500,), d),
    "randint": lambda k, d: random.randint(k, (500,), 0, 17),
    "rayleigh": lambda k, d: random.rayleigh(k, 1.5, (500,), d),
    "t": lambda k, d: random.t(k, 3.0, (200,), d),
    "triangular": lambda k, d: random.triangular(k, 0.0, 0.3, 1.0, (500,), d),
    "truncated_normal": lambda k, d: random.truncated_normal(k, -1.0, 2.0, (500,), d),
    "uniform": lambda k, d: random.uniform(k, (500,), d, -1.3, 2.7),
    "wald": lambda k, d: random.wald(k, 1.5, (500,), d),
    "weibull_min": lambda k, d: random.weibull_min(k, 1.5, 0.7, (500,), d),
}


def test_every_sampler_is_in_the_table() -> None:
    assert set(random.__all__) - KEYS == set(SAMPLERS)


def same(x: Any, y: Any) -> bool:
    x, y = np.asarray(x), np.asarray(y)
    return x.dtype == y.dtype and x.shape == y.shape and x.tobytes() == y.tobytes()


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_the_same_bits_eagerly_compiled_and_batched(name: str, dtype: str) -> None:
    keys = random.split(random.key(5), 3)

    def draw(key: Any) -> Any:
        return SAMPLERS[name](key, fnp.dtype(dtype))

    alone = [draw(k) for k in keys]
    assert same(fl.jit(draw)(keys[1]), alone[1])
    assert same(fl.jit(lambda key: draw(key)[::-1])(keys[1]), alone[1][::-1])  # as a part of a larger program
    batched, both = fl.vmap(draw)(keys), fl.jit(fl.vmap(draw))(keys)
    assert same(both, batched)
    if name != "multivariate_normal":  # a product of a larger matrix, which BLAS may add up in another order
        assert same(batched[2], alone[2])
    drawn = fl.jit(lambda keys: fl.lax.map(draw, keys))(keys)
    assert same(drawn[2], alone[2])
