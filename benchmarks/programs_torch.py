"""The programs of `programs.py` as users of PyTorch write them: for eager mode and for torch.compile.

Each is a function of the same arguments, as tensors, with the same results. Loops over time are Python's.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from programs import ROWS, small_mlp
from torch.func import grad, hessian, jacfwd, jacrev, vmap

__all__ = ["TORCH"]

TORCH: dict[str, Callable[..., Any]] = {}


def row(part: str) -> Callable[[Any], Any]:
    """Enter a function under the row whose name starts like this."""
    (name,) = [name for name in ROWS if name.startswith(part)]

    def enter(function: Any) -> Any:
        TORCH[name] = function
        return function

    return enter


def value_and_grad(loss: Callable[[Any], Any], params: Any) -> tuple[Any, Any]:
    """The value, and the gradients by a flat list of tensors."""
    leaves = [p.detach().requires_grad_() for p in params]
    value = loss(leaves)
    return value.detach(), torch.autograd.grad(value, leaves)


def sgd(params: Any, velocity: Any, grads: Any) -> tuple[Any, Any]:
    velocity = [0.9 * v + g for v, g in zip(velocity, grads, strict=True)]
    return [p - 0.01 * v for p, v in zip(params, velocity, strict=True)], velocity


@row("Black-Scholes")
def black_scholes(s: Any, k: Any, t: Any, sigma: Any) -> Any:
    def price(leaves: Any) -> Any:
        s, sigma = leaves
        d1 = (torch.log(s / k) + (0.02 + 0.5 * sigma**2) * t) / (sigma * torch.sqrt(t))
        d2 = d1 - sigma * torch.sqrt(t)
        first, second = (0.5 * (1 + torch.erf(d / math.sqrt(2))) for d in (d1, d2))
        return s * first - k * torch.exp(-0.02 * t) * second

    leaves = [s.detach().requires_grad_(), sigma.detach().requires_grad_()]
    value = price(leaves)
    ds, dv = torch.autograd.grad(value, leaves, torch.ones_like(value))
    return value.detach(), ds, dv


@row("softmax cross-entropy")
def cross_entropy(x: Any, labels: Any) -> Any:
    value, (gradient,) = value_and_grad(lambda p: F.cross_entropy(p[0], labels.long()), [x])
    return value, gradient


@row("layernorm + gelu")
def layernorm_gelu(x: Any, scale: Any, bias: Any) -> Any:
    def loss(p: Any) -> Any:
        return F.gelu(F.layer_norm(p[0], (768,), p[1], p[2], 1e-5), approximate="tanh").sum()

    return value_and_grad(loss, [x, scale, bias])[1]


@row("all-pairs forces")
def forces(x: Any, mass: Any) -> Any:
    d = x[None, :, :] - x[:, None, :]
    r2 = (d * d).sum(-1) + 1e-3
    return (d * (mass[None, :] * r2**-1.5)[:, :, None]).sum(1)


@row("Mandelbrot")
def mandelbrot(cr: Any, ci: Any) -> Any:
    zr, zi, count = torch.zeros_like(cr), torch.zeros_like(cr), torch.zeros(cr.shape, dtype=torch.int32)
    for _ in range(50):
        inside = zr * zr + zi * zi < 4
        zr, zi = torch.where(inside, zr * zr - zi * zi + cr, zr), torch.where(inside, 2 * zr * zi + ci, zi)
        count = count + inside
    return count


@row("heat stencil")
def heat(u: Any) -> Any:
    for _ in range(50):
        around = torch.roll(u, 1, 0) + torch.roll(u, -1, 0) + torch.roll(u, 1, 1) + torch.roll(u, -1, 1)
        u = u + 0.1 * (around - 4 * u)
    return u


@row("sum and max")
def sums(x: Any) -> Any:
    return x.sum(0), x.sum(1), x.amax(0), x.amax(1), x.mean()


@row("cumsum, sort, argsort")
def sorts(x: Any) -> Any:
    return torch.cumsum(x, 0), torch.sort(x).values, torch.argsort(x)


@row("convolution 1024x1024 by rfft2")
def fft_convolution(x: Any, k: Any) -> Any:
    return torch.fft.irfft2(torch.fft.rfft2(x) * torch.fft.rfft2(k))


@row("logistic regression")
def logistic(w: Any, x: Any, y: Any) -> Any:
    _, (gradient,) = value_and_grad(lambda p: F.binary_cross_entropy_with_logits(x @ p[0], y), [w])
    return w - 0.1 * gradient


@row("MLP 784")
def mlp(params: Any, velocity: Any, x: Any, labels: Any) -> Any:
    def loss(p: Any) -> Any:
        h = x
        for w, b in zip(p[:-2:2], p[1:-2:2], strict=True):
            h = F.relu(h @ w + b)
        return F.cross_entropy(h @ p[-2] + p[-1], labels.long())

    flat, moving = ([t for pair in pairs for t in pair] for pairs in (params, velocity))
    value, grads = value_and_grad(loss, flat)
    return sgd(flat, moving, grads), value


def cnn_step(forward: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def step(params: Any, velocity: Any, x: Any, labels: Any) -> Any:
        names = sorted(params)

        def loss(leaves: Any) -> Any:
            return F.cross_entropy(forward(dict(zip(names, leaves, strict=True)), x), labels.long())

        value, grads = value_and_grad(loss, [params[n] for n in names])
        return sgd([params[n] for n in names], [velocity[n] for n in names], grads), value

    return step


@row("reference CNN")
@cnn_step
def reference_cnn(p: Any, x: Any) -> Any:
    x = F.relu(F.conv2d(F.relu(F.conv2d(x, p["c1"], p["b1"])), p["c2"], p["b2"]))
    return F.relu(x.flatten(1) @ p["w3"] + p["b3"]) @ p["w4"] + p["b4"]


@row("CNN 28x28")
@cnn_step
def pooled_cnn(p: Any, x: Any) -> Any:
    x = F.max_pool2d(F.relu(F.conv2d(x, p["c1"], p["b1"])), 2)
    x = F.max_pool2d(F.relu(F.conv2d(x, p["c2"], p["b2"])), 2)
    return x.flatten(1) @ p["w3"] + p["b3"]


LAYER = ("down", "o1", "o2", "out", "qkv", "s1", "s2", "up")


@row("transformer")
def transformer(params: Any, m: Any, v: Any, t: Any, tokens: Any) -> Any:
    def flattened(tree: Any) -> list[Any]:
        return [tree["embedding"], *(layer[n] for layer in tree["layers"] for n in LAYER), tree["position"]]

    flat, m, v, tokens = flattened(params), flattened(m), flattened(v), tokens.long()

    def loss(leaves: Any) -> Any:
        embedding, *layers, position = leaves
        x = embedding[tokens] + position
        for i in range(0, len(layers), len(LAYER)):
            q = dict(zip(LAYER, layers[i : i + len(LAYER)], strict=True))
            b, n, d = x.shape
            h = F.layer_norm(x, (d,), q["s1"], q["o1"]) @ q["qkv"]
            heads = [y.reshape(b, n, 8, d // 8).transpose(1, 2) for y in h.split(d, -1)]
            h = F.scaled_dot_product_attention(*heads, is_causal=True)
            x = x + h.transpose(1, 2).reshape(b, n, d) @ q["out"]
            x = x + F.gelu(F.layer_norm(x, (d,), q["s2"], q["o2"]) @ q["up"], approximate="tanh") @ q["down"]
        logits = x @ embedding.T
        return F.cross_entropy(logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())

    value, grads = value_and_grad(loss, flat)
    m = [0.9 * a + 0.1 * g for a, g in zip(m, grads, strict=True)]
    v = [0.999 * a + 0.001 * g * g for a, g in zip(v, grads, strict=True)]
    rate = 1e-3 * torch.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    flat = [p - rate * a / (torch.sqrt(b) + 1e-8) for p, a, b in zip(flat, m, v, strict=True)]
    return flat, m, v, t + 1, value


@row("LSTM")
def lstm(params: Any, velocity: Any, xs: Any, target: Any) -> Any:
    names = sorted(params)

    def loss(leaves: Any) -> Any:
        p = dict(zip(names, leaves, strict=True))
        zero = torch.zeros(1, 32, 128)
        weights = [p["wx"].T.contiguous(), p["wh"].T.contiguous(), p["b"], torch.zeros(512)]
        hs = torch._VF.lstm(xs, (zero, zero), weights, True, 1, 0.0, True, False, False)[0]
        return ((hs - target) ** 2).mean()

    value, grads = value_and_grad(loss, [params[n] for n in names])
    return sgd([params[n] for n in names], [velocity[n] for n in names], grads), value


@row("embedding")
def embedding(table: Any, tokens: Any, weights: Any) -> Any:
    return value_and_grad(lambda p: (F.embedding(tokens.long(), p[0]) * weights).sum(), [table])[1]


class _Torch:
    """What `programs.small_mlp` takes of a library."""

    numpy = torch


@row("vmap(grad)")
def per_example(params: Any, x: Any) -> Any:
    return vmap(grad(small_mlp(_Torch)), (None, 0))(params, x)


@row("Gaussian-process")
def gaussian_process(theta: Any, x: Any, y: Any) -> Any:
    def likelihood(p: Any) -> Any:
        d = (x[:, None] - x[None, :]) / torch.exp(p[0][0])
        k = torch.exp(p[0][1]) * torch.exp(-0.5 * d * d) + torch.exp(p[0][2]) * torch.eye(512)
        factor = torch.linalg.cholesky(k)
        a = torch.linalg.solve_triangular(factor, y[:, None], upper=False)
        return 0.5 * (a * a).sum() + torch.log(torch.diagonal(factor)).sum()

    return value_and_grad(likelihood, [theta])[1]


@row("HMC")
def hmc(q: Any, p: Any) -> Any:
    def slope(q: Any) -> Any:
        return value_and_grad(lambda leaves: 0.5 * (leaves[0] ** 2).sum() + 0.1 * (leaves[0] ** 4).sum(), [q])[1][0]

    for _ in range(1000):
        p = p - 0.005 * slope(q)
        q = q + 0.01 * p
        p = p - 0.005 * slope(q)
    return q, p


@row("gradient through 2,000 RK4")
def runge_kutta(y0: Any, theta: Any) -> Any:
    def loss(leaves: Any) -> Any:
        y, theta = leaves

        def f(y: Any) -> Any:
            return torch.stack(
                [theta[0] * (y[1] - y[0]), y[0] * (theta[1] - y[2]) - y[1], y[0] * y[1] - theta[2] * y[2]]
            )

        h = 0.002
        for _ in range(2000):
            k1 = f(y)
            k2 = f(y + h / 2 * k1)
            k3 = f(y + h / 2 * k2)
            k4 = f(y + h * k3)
            y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        return y.sum()

    return value_and_grad(loss, [y0, theta])[1]


@row("Kalman")
def kalman(ys: Any) -> Any:
    a, h = torch.eye(4), torch.eye(2, 4)
    a = a + torch.diag(torch.full((2,), 0.1), 2)
    q, r, x, p, out = 0.01 * torch.eye(4), 0.1 * torch.eye(2), torch.zeros(4), torch.eye(4), []
    for y in ys:
        x, p = a @ x, a @ p @ a.T + q
        s = h @ p @ h.T + r
        gain = p @ h.T @ torch.linalg.inv(s)
        x = x + gain @ (y - h @ x)
        p = p - gain @ h @ p
        out.append(x)
    return torch.stack(out)


@row("hessian")
def mlp_hessian(x: Any) -> Any:
    from programs import mlp_params

    params = [(torch.from_numpy(w), torch.from_numpy(b)) for w, b in mlp_params(50, 32, 32, 1)]
    net = small_mlp(_Torch)
    return hessian(lambda x: net(params, x))(x)


@row("jacfwd and jacrev")
def jacobians(x: Any) -> Any:
    from programs import normal

    w = torch.from_numpy(normal(100, 100, scale=0.1))

    def f(x: Any) -> Any:
        return torch.tanh(w @ torch.sin(w @ x))

    return jacfwd(f)(x), jacrev(f)(x)


@row("vmap of a Newton")
def newton(a: Any) -> Any:
    x = a
    while True:
        going = torch.abs(x * x - a) > 1e-4 * a
        if not going.any():
            return x
        x = torch.where(going, 0.5 * (x + a / x), x)


@row("call of jitted x+1")
def call_one(x: Any) -> Any:
    return x + 1


@row("call of a jitted function of a dict")
def call_dict(d: Any) -> Any:
    return {k: v + 1 for k, v in d.items()}
