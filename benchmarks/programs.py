"""The programs that compiled speed is measured with: each written once, for any library with JAX's interface.

A row is a function of the library `fl` (attributes numpy, lax, nn, jit, grad, vmap, ...) that gives a function to be jitted and
its arguments, as NumPy arrays or trees of them.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

ROWS: dict[str, Callable[[Any], tuple[Callable[..., Any], tuple[Any, ...]]]] = {}


def row(name: str) -> Callable[[Any], Any]:
    def enter(make: Any) -> Any:
        ROWS[name] = make
        return make

    return enter


def normal(*shape: int, scale: float = 1.0, seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal(shape) * scale).astype(np.float32)


def sgd(fl: Any, params: Any, velocity: Any, grads: Any, rate: float = 0.01, momentum: float = 0.9) -> Any:
    velocity = fl.tree.map(lambda v, g: momentum * v + g, velocity, grads)
    return fl.tree.map(lambda p, v: p - rate * v, params, velocity), velocity


@row("Black-Scholes price, delta, vega, 1M options")
def black_scholes(fl: Any) -> Any:
    n, lax = fl.numpy, fl.lax

    def cdf(x: Any) -> Any:
        return 0.5 * (1 + lax.erf(x / np.float32(np.sqrt(2))))

    def price(s: Any, k: Any, t: Any, sigma: Any) -> Any:
        d1 = (n.log(s / k) + (0.02 + 0.5 * sigma**2) * t) / (sigma * n.sqrt(t))
        d2 = d1 - sigma * n.sqrt(t)
        return s * cdf(d1) - k * n.exp(-0.02 * t) * cdf(d2)

    def all_three(s: Any, k: Any, t: Any, sigma: Any) -> Any:
        value, pull = fl.vjp(price, s, k, t, sigma)
        ds, _, _, dv = pull(n.ones_like(value))
        return value, ds, dv

    rng = np.random.default_rng(0)
    args = [rng.uniform(a, b, 1_000_000).astype(np.float32) for a, b in ((80, 120), (80, 120), (0.1, 2), (0.1, 0.5))]
    return all_three, tuple(args)


@row("softmax cross-entropy 4096x1000, value and gradient")
def cross_entropy(fl: Any) -> Any:
    n = fl.numpy

    def loss(x: Any, labels: Any) -> Any:
        logp = fl.nn.log_softmax(x)
        return -n.mean(n.sum(logp * fl.nn.one_hot(labels, 1000), axis=1))

    labels = np.random.default_rng(1).integers(0, 1000, 4096).astype(np.int32)
    return fl.value_and_grad(loss), (normal(4096, 1000), labels)


@row("layernorm + gelu 8192x768, gradients of x, scale, bias")
def layernorm_gelu(fl: Any) -> Any:
    n = fl.numpy

    def f(x: Any, scale: Any, bias: Any) -> Any:
        mean = x.mean(-1, keepdims=True)
        variance = ((x - mean) ** 2).mean(-1, keepdims=True)
        return n.sum(fl.nn.gelu((x - mean) / n.sqrt(variance + 1e-5) * scale + bias))

    return fl.grad(f, (0, 1, 2)), (normal(8192, 768), np.ones(768, np.float32), np.zeros(768, np.float32))


@row("all-pairs forces of 2048 bodies")
def forces(fl: Any) -> Any:
    n = fl.numpy

    def f(x: Any, mass: Any) -> Any:
        d = x[None, :, :] - x[:, None, :]
        r2 = n.sum(d * d, -1) + 1e-3
        return n.sum(d * (mass[None, :] * r2**-1.5)[:, :, None], axis=1)

    return f, (normal(2048, 3), np.abs(normal(2048)))


@row("Mandelbrot 512x512, 50 steps of fori_loop")
def mandelbrot(fl: Any) -> Any:
    n, lax = fl.numpy, fl.lax

    def f(cr: Any, ci: Any) -> Any:
        def step(_: Any, state: Any) -> Any:
            zr, zi, count = state
            inside = zr * zr + zi * zi < 4
            zr, zi = n.where(inside, zr * zr - zi * zi + cr, zr), n.where(inside, 2 * zr * zi + ci, zi)
            return zr, zi, count + inside

        zero = n.zeros_like(cr)
        return lax.fori_loop(0, 50, step, (zero, zero, n.zeros(cr.shape, n.int32)))[2]

    re, im = np.meshgrid(np.linspace(-2, 1, 512, dtype=np.float32), np.linspace(-1.5, 1.5, 512, dtype=np.float32))
    return f, (re, im)


@row("heat stencil 512x512 by roll, 50 steps of fori_loop")
def heat(fl: Any) -> Any:
    n, lax = fl.numpy, fl.lax

    def step(_: Any, u: Any) -> Any:
        around = n.roll(u, 1, 0) + n.roll(u, -1, 0) + n.roll(u, 1, 1) + n.roll(u, -1, 1)
        return u + 0.1 * (around - 4 * u)

    return lambda u: lax.fori_loop(0, 50, step, u), (normal(512, 512),)


@row("sum and max over each axis, mean, of 4096x4096")
def sums(fl: Any) -> Any:
    return lambda x: (x.sum(0), x.sum(1), x.max(0), x.max(1), x.mean()), (normal(4096, 4096),)


@row("cumsum, sort, argsort of 1M")
def sorts(fl: Any) -> Any:
    n = fl.numpy
    return lambda x: (n.cumsum(x), n.sort(x), n.argsort(x)), (normal(1_000_000),)


@row("convolution 1024x1024 by rfft2")
def fft_convolution(fl: Any) -> Any:
    n = fl.numpy
    return lambda x, k: n.fft.irfft2(n.fft.rfft2(x) * n.fft.rfft2(k)), (normal(1024, 1024), normal(1024, 1024))


@row("logistic regression step 100x10")
def logistic(fl: Any) -> Any:
    n = fl.numpy

    def loss(w: Any, x: Any, y: Any) -> Any:
        z = x @ w
        return n.mean(n.logaddexp(0.0, z) - y * z)

    y = (normal(100, seed=3) > 0).astype(np.float32)
    return lambda w, x, y: w - 0.1 * fl.grad(loss)(w, x, y), (normal(10), normal(100, 10), y)


def mlp_params(*sizes: int) -> list[tuple[np.ndarray, np.ndarray]]:
    return [(normal(a, b, scale=a**-0.5, seed=a), np.zeros(b, np.float32)) for a, b in pairwise(sizes)]


@row("MLP 784-512-512-10 step, batch 128, momentum")
def mlp(fl: Any) -> Any:
    n = fl.numpy

    def loss(params: Any, x: Any, labels: Any) -> Any:
        for w, b in params[:-1]:
            x = fl.nn.relu(x @ w + b)
        w, b = params[-1]
        logp = fl.nn.log_softmax(x @ w + b)
        return -n.mean(n.sum(logp * fl.nn.one_hot(labels, 10), axis=1))

    def step(params: Any, velocity: Any, x: Any, labels: Any) -> Any:
        value, grads = fl.value_and_grad(loss)(params, x, labels)
        return sgd(fl, params, velocity, grads), value

    params = mlp_params(784, 512, 512, 10)
    zeros = [(np.zeros_like(w), np.zeros_like(b)) for w, b in params]
    return step, (params, zeros, normal(128, 784), np.arange(128, dtype=np.int32) % 10)


def conv(fl: Any, x: Any, w: Any) -> Any:
    return fl.lax.conv_general_dilated(x, w, (1, 1), "VALID", dimension_numbers=("NCHW", "OIHW", "NCHW"))


@row("reference CNN's step, batch 64")
def reference_cnn(fl: Any) -> Any:
    n = fl.numpy

    def loss(p: Any, x: Any, labels: Any) -> Any:
        x = fl.nn.relu(conv(fl, x, p["c1"]) + p["b1"][:, None, None])
        x = fl.nn.relu(conv(fl, x, p["c2"]) + p["b2"][:, None, None])
        x = x.reshape(x.shape[0], -1)
        x = fl.nn.relu(x @ p["w3"] + p["b3"])
        logp = fl.nn.log_softmax(x @ p["w4"] + p["b4"])
        return -n.mean(n.sum(logp * fl.nn.one_hot(labels, 10), axis=1))

    def step(params: Any, velocity: Any, x: Any, labels: Any) -> Any:
        value, grads = fl.value_and_grad(loss)(params, x, labels)
        return sgd(fl, params, velocity, grads), value

    params = {
        "c1": normal(32, 1, 3, 3, scale=0.3), "b1": np.zeros(32, np.float32),
        "c2": normal(64, 32, 3, 3, scale=0.06), "b2": np.zeros(64, np.float32),
        "w3": normal(2304, 128, scale=0.02), "b3": np.zeros(128, np.float32),
        "w4": normal(128, 10, scale=0.1), "b4": np.zeros(10, np.float32),
    }  # fmt: skip
    zeros = {k: np.zeros_like(v) for k, v in params.items()}
    return step, (params, zeros, normal(64, 1, 10, 10), np.arange(64, dtype=np.int32) % 10)


@row("CNN 28x28, two convolutions with max-pooling, step, batch 64")
def pooled_cnn(fl: Any) -> Any:
    n, lax = fl.numpy, fl.lax

    def pool(x: Any) -> Any:
        return lax.reduce_window(x, -np.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")

    def loss(p: Any, x: Any, labels: Any) -> Any:
        x = pool(fl.nn.relu(conv(fl, x, p["c1"]) + p["b1"][:, None, None]))
        x = pool(fl.nn.relu(conv(fl, x, p["c2"]) + p["b2"][:, None, None]))
        x = x.reshape(x.shape[0], -1)
        logp = fl.nn.log_softmax(x @ p["w3"] + p["b3"])
        return -n.mean(n.sum(logp * fl.nn.one_hot(labels, 10), axis=1))

    def step(params: Any, velocity: Any, x: Any, labels: Any) -> Any:
        value, grads = fl.value_and_grad(loss)(params, x, labels)
        return sgd(fl, params, velocity, grads), value

    params = {
        "c1": normal(32, 1, 3, 3, scale=0.3), "b1": np.zeros(32, np.float32),
        "c2": normal(64, 32, 3, 3, scale=0.06), "b2": np.zeros(64, np.float32),
        "w3": normal(1600, 10, scale=0.02), "b3": np.zeros(10, np.float32),
    }  # fmt: skip
    zeros = {k: np.zeros_like(v) for k, v in params.items()}
    return step, (params, zeros, normal(64, 1, 28, 28), np.arange(64, dtype=np.int32) % 10)


@row("transformer step, 2 layers, d 256, 8x128 tokens, Adam")
def transformer(fl: Any) -> Any:
    n = fl.numpy
    d, heads, vocabulary = 256, 8, 1000

    def norm(x: Any, scale: Any, bias: Any) -> Any:
        mean = x.mean(-1, keepdims=True)
        variance = ((x - mean) ** 2).mean(-1, keepdims=True)
        return (x - mean) / n.sqrt(variance + 1e-5) * scale + bias

    def attention(p: Any, x: Any) -> Any:
        b, t, _ = x.shape
        q, k, v = (y.reshape(b, t, heads, d // heads).transpose(0, 2, 1, 3) for y in n.split(x @ p["qkv"], 3, -1))
        scores = q @ k.transpose(0, 1, 3, 2) / np.float32(np.sqrt(d // heads))
        mask = n.tril(n.ones((t, t), bool))
        weights = fl.nn.softmax(n.where(mask, scores, -1e9))
        return (weights @ v).transpose(0, 2, 1, 3).reshape(b, t, d) @ p["out"]

    def loss(params: Any, tokens: Any) -> Any:
        x = params["embedding"][tokens] + params["position"]
        for p in params["layers"]:
            x = x + attention(p, norm(x, p["s1"], p["o1"]))
            x = x + fl.nn.gelu(norm(x, p["s2"], p["o2"]) @ p["up"]) @ p["down"]
        logp = fl.nn.log_softmax(x @ params["embedding"].T)
        picked = n.take_along_axis(logp[:, :-1], tokens[:, 1:, None], axis=-1)
        return -n.mean(picked)

    def step(params: Any, m: Any, v: Any, t: Any, tokens: Any) -> Any:
        value, grads = fl.value_and_grad(loss)(params, tokens)
        m = fl.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, grads)
        v = fl.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, grads)
        rate = 1e-3 * n.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        params = fl.tree.map(lambda p, m, v: p - rate * m / (n.sqrt(v) + 1e-8), params, m, v)
        return params, m, v, t + 1, value

    def one_layer(seed: int) -> dict[str, np.ndarray]:
        ones, zeros = np.ones(d, np.float32), np.zeros(d, np.float32)
        return {
            "qkv": normal(d, 3 * d, scale=d**-0.5, seed=seed), "out": normal(d, d, scale=d**-0.5, seed=seed + 1),
            "up": normal(d, 4 * d, scale=d**-0.5, seed=seed + 2), "down": normal(4 * d, d, scale=d**-0.5, seed=seed + 3),
            "s1": ones, "o1": zeros, "s2": ones, "o2": zeros,
        }  # fmt: skip

    params = {
        "embedding": normal(vocabulary, d, scale=0.02),
        "position": normal(128, d, scale=0.02),
        "layers": [one_layer(10), one_layer(20)],
    }
    zeros = fl.tree.map(np.zeros_like, params)
    tokens = np.random.default_rng(0).integers(0, vocabulary, (8, 128)).astype(np.int32)
    return step, (params, zeros, zeros, np.float32(1), tokens)


@row("LSTM step by scan, 64 steps, batch 32, hidden 128")
def lstm(fl: Any) -> Any:
    n, lax = fl.numpy, fl.lax

    def loss(params: Any, xs: Any, target: Any) -> Any:
        def cell(state: Any, x: Any) -> Any:
            h, c = state
            gates = x @ params["wx"] + h @ params["wh"] + params["b"]
            i, f, g, o = n.split(gates, 4, -1)
            c = fl.nn.sigmoid(f) * c + fl.nn.sigmoid(i) * n.tanh(g)
            h = fl.nn.sigmoid(o) * n.tanh(c)
            return (h, c), h

        zero = n.zeros((32, 128), n.float32)
        _, hs = lax.scan(cell, (zero, zero), xs)
        return n.mean((hs - target) ** 2)

    def step(params: Any, velocity: Any, xs: Any, target: Any) -> Any:
        value, grads = fl.value_and_grad(loss)(params, xs, target)
        return sgd(fl, params, velocity, grads), value

    params = {"wx": normal(64, 512, scale=0.1), "wh": normal(128, 512, scale=0.1), "b": np.zeros(512, np.float32)}
    zeros = {k: np.zeros_like(v) for k, v in params.items()}
    return step, (params, zeros, normal(64, 32, 64), normal(64, 32, 128, seed=5))


@row("embedding 10,000x128, 8,192 tokens, gradient")
def embedding(fl: Any) -> Any:
    n = fl.numpy

    def loss(table: Any, tokens: Any, weights: Any) -> Any:
        return n.sum(table[tokens] * weights)

    tokens = np.random.default_rng(0).integers(0, 10_000, 8192).astype(np.int32)
    return fl.grad(loss), (normal(10_000, 128), tokens, normal(8192, 128))


def small_mlp(fl: Any) -> Any:
    n = fl.numpy

    def net(params: Any, x: Any) -> Any:
        for w, b in params[:-1]:
            x = n.tanh(x @ w + b)
        w, b = params[-1]
        return (x @ w + b)[0]

    return net


@row("vmap(grad) of an MLP 64-64-64-1, 256 examples")
def per_example(fl: Any) -> Any:
    net = small_mlp(fl)
    return fl.vmap(fl.grad(net), (None, 0)), (mlp_params(64, 64, 64, 1), normal(256, 64))


@row("Gaussian-process likelihood gradient, 512 points")
def gaussian_process(fl: Any) -> Any:
    n, lax = fl.numpy, fl.lax

    def likelihood(theta: Any, x: Any, y: Any) -> Any:
        d = (x[:, None] - x[None, :]) / n.exp(theta[0])
        k = n.exp(theta[1]) * n.exp(-0.5 * d * d) + n.exp(theta[2]) * n.eye(512, dtype=n.float32)
        factor = n.linalg.cholesky(k)
        a = lax.linalg.triangular_solve(factor, y[:, None], left_side=True, lower=True)
        return 0.5 * n.sum(a * a) + n.sum(n.log(n.diagonal(factor)))

    x = np.linspace(-3, 3, 512, dtype=np.float32)
    return fl.grad(likelihood), (np.asarray([0.0, 0.0, -2.0], np.float32), x, np.sin(x))


@row("HMC, 100 chains x 1,000 leapfrogs by scan")
def hmc(fl: Any) -> Any:
    n, lax = fl.numpy, fl.lax

    def energy(q: Any) -> Any:
        return 0.5 * n.sum(q * q) + 0.1 * n.sum(q**4)

    def trajectory(q: Any, p: Any) -> Any:
        slope = fl.grad(energy)

        def leap(state: Any, _: Any) -> Any:
            q, p = state
            p = p - 0.005 * slope(q)
            q = q + 0.01 * p
            return (q, p - 0.005 * slope(q)), None

        return lax.scan(leap, (q, p), None, length=1000)[0]

    return fl.vmap(trajectory), (normal(100, 10), normal(100, 10, seed=2))


@row("gradient through 2,000 RK4 steps by scan")
def runge_kutta(fl: Any) -> Any:
    n, lax = fl.numpy, fl.lax

    def end(y0: Any, theta: Any) -> Any:
        def f(y: Any) -> Any:
            return n.stack([theta[0] * (y[1] - y[0]), y[0] * (theta[1] - y[2]) - y[1], y[0] * y[1] - theta[2] * y[2]])

        def step(y: Any, _: Any) -> Any:
            h = 0.002
            k1 = f(y)
            k2 = f(y + h / 2 * k1)
            k3 = f(y + h / 2 * k2)
            k4 = f(y + h * k3)
            return y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4), None

        return n.sum(lax.scan(step, y0, None, length=2000)[0])

    return fl.grad(end, (0, 1)), (np.ones(3, np.float32), np.asarray([10, 28, 8 / 3], np.float32))


@row("Kalman filter, 1,000 steps of 4x4 by scan")
def kalman(fl: Any) -> Any:
    n, lax = fl.numpy, fl.lax
    a = np.eye(4, dtype=np.float32) + np.eye(4, k=2, dtype=np.float32) * 0.1
    h = np.eye(2, 4, dtype=np.float32)

    def filter_(ys: Any) -> Any:
        q, r = 0.01 * n.eye(4, dtype=n.float32), 0.1 * n.eye(2, dtype=n.float32)

        def step(state: Any, y: Any) -> Any:
            x, p = state
            x, p = a @ x, a @ p @ a.T + q
            s = h @ p @ h.T + r
            determinant = s[0, 0] * s[1, 1] - s[0, 1] * s[1, 0]
            inverse = n.stack([n.stack([s[1, 1], -s[0, 1]]), n.stack([-s[1, 0], s[0, 0]])]) / determinant
            gain = p @ h.T @ inverse
            x = x + gain @ (y - h @ x)
            return (x, p - gain @ h @ p), x

        return lax.scan(step, (n.zeros(4, n.float32), n.eye(4, dtype=n.float32)), ys)[1]

    return filter_, (normal(1000, 2),)


@row("hessian of an MLP, 50 inputs")
def mlp_hessian(fl: Any) -> Any:
    net, params = small_mlp(fl), mlp_params(50, 32, 32, 1)
    return lambda x: fl.hessian(lambda x: net(params, x))(x), (normal(50),)


@row("jacfwd and jacrev, 100 to 100")
def jacobians(fl: Any) -> Any:
    n = fl.numpy
    w = normal(100, 100, scale=0.1)

    def f(x: Any) -> Any:
        return n.tanh(n.asarray(w) @ n.sin(n.asarray(w) @ x))

    return lambda x: (fl.jacfwd(f)(x), fl.jacrev(f)(x)), (normal(100),)


@row("vmap of a Newton while_loop, 10,000 problems")
def newton(fl: Any) -> Any:
    n, lax = fl.numpy, fl.lax

    def root(a: Any) -> Any:
        return lax.while_loop(lambda x: n.abs(x * x - a) > 1e-4 * a, lambda x: 0.5 * (x + a / x), a)

    return fl.vmap(root), (np.random.default_rng(0).uniform(1, 4, 10_000).astype(np.float32),)


@row("call of jitted x+1")
def call_one(fl: Any) -> Any:
    return lambda x: x + 1, (normal(10),)


@row("call of a jitted function of a dict of 20 arrays")
def call_dict(fl: Any) -> Any:
    return lambda d: {k: v + 1 for k, v in d.items()}, ({f"k{i}": normal(10) for i in range(20)},)
