"""Transformations, nested; control flow with derivatives; custom rules; trees."""

from __future__ import annotations

from functools import partial
from typing import Any

from .harness import FLOATS, INEXACT, Functions, calls, index, normal, positive, suite

CASES = Functions(
    calls(INEXACT, """
        jax.vjp(lambda v: np.sin(v) * v, x)[0]
        jax.vjp(lambda v: np.sin(v) * v, x)[1](x)
        jax.jvp(np.tanh, (x,), (x,))
        jax.linearize(lambda v: v * v, x)[1](x)
        jax.linear_transpose(lambda v: v * 3 + v[::-1], x)(x)
        jax.vmap(np.sum)(x)
        jax.vmap(np.dot, (0, None))(x, x[0])
        jax.vmap(np.dot, (None, 1), 0)(x[:, 0], x)
        jax.vmap(lambda v: v * 2, out_axes=1)(x)
        jax.vmap(jax.vmap(np.square))(x)
        jax.vmap(lambda v: v - lax.pmean(v, 'i'), axis_name='i')(x)
        jax.vmap(lambda v: lax.psum(v, 'i'), axis_name='i')(x)
        jax.vmap(lambda v: lax.all_gather(v, 'i'), axis_name='i')(x)
        jax.vmap(lambda v: lax.axis_index('i') + v, axis_name='i')(x)
        jax.vmap(lambda v: lax.ppermute(v, 'i', [(0, 1), (1, 2), (2, 0)]), axis_name='i')(x)
        jax.jit(lambda v: v + 1)(x)
        jax.jit(lambda v, n: v * n, static_argnums=1)(x, 3)
        jax.checkpoint(lambda v: np.sin(np.sin(v)))(x)
        lax.stop_gradient(x) * x
        jax.eval_shape(np.sum, x).shape
        lax.map(lambda v: v * 2, x)
        lax.map(lambda v: v * 2, x[:0], batch_size=2)
        jax.vjp(lambda v: v * x, 2.0)[1](x)
        lax.fori_loop(0, 3, lambda i, c: c * 0.5 + i, x)
        lax.scan(lambda c, v: (c + v, c * v), x[0], x)
        lax.scan(lambda c, v: (c * v, None), x[0], x, reverse=True)
        lax.scan(lambda c, v: (c + 1, c), x[0], None, length=4)
        lax.scan(lambda c, v: (c + v['a'], v['b']), x[0], {'a': x, 'b': x * 2}, unroll=2)
        lax.scan(lambda c, v: (c * 2, c * v), 1.0, x)
        lax.scan(lambda c, v: (c * v.astype('bfloat16'), c), 1.0, x[:, 0])
        lax.fori_loop(0, 3, lambda i, c: c * 2, 1.0) * x.astype('bfloat16')
        lax.while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 1, c[1] * 2), (0, x))
        lax.cond(True, lambda _: x, lambda _: x * 2, operand=None)
        lax.cond(True, np.sin, np.cos, x)
        lax.cond(x.real[0, 0] > 0, lambda v: v * 2, lambda v: v + 1, x)
        lax.cond(False, lambda v, w: v, lambda v, w: w * 2, x, x)
        lax.switch(1, [np.sin, np.cos, np.tanh], x)
        lax.switch(7, [np.sin, np.cos, np.tanh], x)
        lax.associative_scan(np.add, x)
        lax.associative_scan(np.multiply, x, reverse=True, axis=1)
        lax.associative_scan(lambda a, b: (a[0] * b[0], b[0] * a[1] + b[1]), (x, x))
    """, x=normal(3, 4), factor=4)
    + calls(FLOATS, """
        jax.grad(lambda v: np.sum(np.sin(v) * v))(x)
        jax.grad(lambda v: (np.sum(v ** 3), v), has_aux=True)(x)
        jax.grad(lambda a, b: np.sum(a * b), argnums=(0, 1))(x, x)
        jax.grad(lambda a, b: np.sum(a * b), argnums=1)(x, x * 2)
        jax.grad(lambda d: np.sum(d['a'] * d['b'][0]))({'a': x, 'b': [x * 3]})
        jax.value_and_grad(lambda v: np.mean(v * v))(x)
        jax.grad(lambda v: np.sum(jax.grad(lambda w: np.sum(w ** 3))(v)))(x)
        jax.jacfwd(lambda v: np.sin(v) * v[0])(x[0])
        jax.jacrev(lambda v: np.outer(v, v))(x[0])
        jax.jacfwd(jax.jacrev(lambda v: np.sum(v ** 3)))(x[0])
        jax.hessian(lambda v: np.sum(np.exp(v) * v[::-1]))(x[0])
        jax.hessian(lambda d: np.sum(d['a'] ** 2 * d['b']))({'a': x[0], 'b': x[1]})
        jax.jacrev(lambda v: {'s': np.sum(v), 'v': v * 2})(x[0])
        jax.vmap(jax.grad(lambda v: np.sum(np.tanh(v))))(x)
        jax.vmap(jax.hessian(lambda v: np.sum(v ** 3)))(x)
        jax.grad(lambda v: np.sum(jax.vmap(np.prod)(v)))(x)
        jax.jit(jax.grad(lambda v: np.sum(v * np.cos(v))))(x)
        jax.grad(jax.jit(lambda v: np.sum(v * np.cos(v))))(x)
        jax.grad(jax.checkpoint(lambda v: np.sum(np.sin(v) ** 2)))(x)
        jax.jvp(jax.grad(lambda v: np.sum(v ** 4)), (x,), (x,))
        jax.grad(lambda v: jax.jvp(lambda w: np.sum(w ** 3), (v,), (v,))[1])(x)
        jax.grad(lambda z: np.real(np.sum(z * z * 1j)))(x + 2j)
        jax.grad(lambda z: np.sum(z ** 3), holomorphic=True)(x + 2j)
        jax.jacfwd(lambda z: z ** 2, holomorphic=True)(x[0] + 2j)
        jax.grad(lambda v: np.sum(np.abs(v + 1j)))(x)
        jax.grad(lambda n, v: np.sum(v * n), argnums=1)(3, x)
        jax.grad(lambda v: lax.fori_loop(0, 4, lambda i, c: np.sin(c), v).sum())(x)
        jax.grad(lambda v: lax.scan(lambda c, w: (np.sin(c) * w, c), v[0], v)[1].sum())(x)
        jax.hessian(lambda v: lax.scan(lambda c, w: (c * w, c + w), v[0], v)[0])(x[0])
        jax.grad(lambda v: lax.cond(v[0, 0] > 0, np.sin, np.cos, v).sum())(x)
        jax.vmap(lambda v: lax.cond(v[0] > 0, np.sin, np.cos, v))(x)
        jax.vmap(lambda v, i: lax.switch(i, [np.sin, np.cos, np.tanh], v))(x, k)
        jax.vmap(lambda i: lax.fori_loop(0, i, lambda j, c: c * 2, np.float32(1)))(k)
        lax.while_loop(lambda c: c[0] < 5, lambda c: (c[0] + 1, c[1] * 1.5), (0, x))[1]
        jax.jvp(lambda v: lax.while_loop(lambda c: np.sum(c) < 50.0, lambda c: c * 2, v), (np.abs(x),), (x,))
        jax.vmap(lambda v: lax.while_loop(lambda c: np.sum(c) < 50.0, lambda c: c * 2, v))(np.abs(x))
        jax.grad(lambda v: lax.associative_scan(np.multiply, v)[-1].sum())(x)
        jax.grad(lambda v: lax.map(np.sin, v).sum())(x)
        [a.shape for a in jax.make_jaxpr(lambda v: (v.sum(), v.astype('int32')))(x).out_avals]
        [a.shape for a in jax.make_jaxpr(lambda v: v @ x.T)(x).in_avals]
        jax.tree.map(lambda a, b: a + b, {'a': x, 'b': (x, None)}, {'a': x, 'b': (x, None)})
        jax.tree.leaves([x, (x * 2, {'z': x, 'a': x + 1}), None])
        jax.tree.reduce(lambda a, b: a + b, [x, (x, x)])
        jax.tree.unflatten(jax.tree.structure({'a': 0, 'b': [0, 0]}), [x, x * 2, x * 3])
        jax.tree.transpose(jax.tree.structure([0, 0]), jax.tree.structure({'a': 0}), [{'a': x}, {'a': x * 2}])
        jax.tree.all([True, (True, 1)])
        jax.tree_util.tree_map_with_path(lambda p, v: v * len(p), {'a': x, 'b': (x, [x])})
        jax.grad(lambda v: v)(x)
        jax.grad(lambda v: v.sum())(x.astype('int32'))
        jax.grad(lambda v: np.sum(v + 1j))(x)
        jax.vmap(np.add)(x, x[:2])
        jax.vmap(np.sum)(1.0)
        jax.vmap(lambda a, b: a, in_axes=(0,))(x, x)
        jax.vmap(lambda a: a, in_axes=5)(x)
        jax.vmap(lambda a: a, in_axes=None)(x)
        jax.jvp(np.sin, (x,), (x[0],))
        jax.jvp(np.sin, (x,), (x.astype('int32'),))
        jax.vjp(np.sin, x)[1](x[0])
        jax.hessian(np.sin, argnums=3)(x)
        jax.jit(lambda v: 1 if v.sum() > 0 else 2)(x)
        jax.jit(lambda v: v[v > 0])(x)
        jax.jit(lambda v: np.zeros(v.sum().astype(int)))(x)
        jax.jit(lambda v: 'text')(x)
        lax.scan(lambda c, v: (c[0], None), x, x)
        lax.scan(lambda c, v: (c, None), x[0], {'a': x, 'b': x[:2]})
        lax.scan(lambda c, v: c, x[0], x)
        lax.cond(x, np.sin, np.cos, x)
        jax.jit(lambda w: lax.cond(w[0, 0] > 0, lambda v: v, lambda v: v[0], w))(x)
        lax.while_loop(lambda c: c, lambda c: c, x)
        lax.while_loop(lambda c: True, lambda c: c[0], x)
        lax.fori_loop(0, 3, lambda i, c: c[0], x)
        lax.switch(0, [], x)
        lax.switch(0.5, [np.sin, np.cos], x)
        lax.psum(x, 'nowhere')
        jax.tree.map(lambda a, b: a, [x], [x, x])
        jax.grad(lambda d: d['a'].sum())(x)
        jax.grad(3)(x)
        jax.value_and_grad(lambda v: (v.sum(), v))(x)
        jax.grad(lambda v: (v.sum(), v))(x)
    """, x=normal(3, 4), k=index(3, 3), factor=8)
    + calls(FLOATS, """
        str(jax.tree.structure({'a': 0, 'b': (0, None, [1])}))
        [jax.tree_util.keystr(p) for p, _ in jax.tree_util.tree_flatten_with_path({'a': x, 'b': (x, [x])})[0]]
        str(jax.tree.structure([0, {'z': 1, 'a': (2,)}]))
        jax.tree.structure({'a': x, 'b': (x, None)}).num_leaves
        jax.tree.flatten({'b': x, 'a': [x + 1]})[0]
    """, x=normal(3), concrete=True, derivatives=False)
)  # fmt: skip


@CASES.case(x=normal(4))
def custom_jvp(m: Any, x: Any) -> Any:
    @m.jax.custom_jvp
    def f(v: Any) -> Any:
        return m.np.sin(v)

    @f.defjvp
    def rule(primals: Any, tangents: Any) -> Any:
        return f(*primals), 3 * tangents[0] * primals[0]

    g = m.jax.grad(lambda v: m.np.sum(f(v) ** 2))
    return f(x), g(x), m.jax.vmap(g)(m.np.stack([x, x])), m.jax.jacfwd(g)(x)


@CASES.case(x=normal(4), y=normal(4))
def custom_jvp_by_argument(m: Any, x: Any, y: Any) -> Any:
    f = m.jax.custom_jvp(lambda v, w: v * w)
    f.defjvps(lambda t, out, v, w: 2 * t * w, None)
    return m.jax.grad(lambda a, b: m.np.sum(f(a, b)), argnums=(0, 1))(x, y)


@CASES.case(x=normal(4))
def custom_jvp_with_static(m: Any, x: Any) -> Any:
    f = partial(m.jax.custom_jvp, nondiff_argnums=(0,))(lambda g, v: g(v))
    f.defjvp(lambda g, primals, tangents: (f(g, *primals), 5 * tangents[0]))
    return m.jax.jvp(lambda v: f(m.np.sin, v), (x,), (x,)), m.jax.grad(lambda v: m.np.sum(f(m.np.cos, v)))(x)


@CASES.case(derivatives=False, x=normal(4), y=normal(4))
def custom_vjp(m: Any, x: Any, y: Any) -> Any:
    @m.jax.custom_vjp
    def f(v: Any, w: Any) -> Any:
        return m.np.sin(v) * w

    f.defvjp(lambda v, w: (f(v, w), (v, w)), lambda kept, ct: (ct * kept[1] * 2, ct * kept[0]))
    g = m.jax.grad(lambda a, b: m.np.sum(f(a, b) ** 2), argnums=(0, 1))
    rows = m.np.stack([x, y])
    return f(x, y), g(x, y), m.jax.vmap(g)(rows, rows[::-1]), m.jax.jit(g)(x, y)


@CASES.case(derivatives=False, x=normal(4))
def custom_vjp_with_static(m: Any, x: Any) -> Any:
    f = partial(m.jax.custom_vjp, nondiff_argnums=(0,))(lambda n, v: v * n)
    f.defvjp(lambda n, v: (f(n, v), None), lambda n, kept, ct: (ct * n * 10,))
    return m.jax.grad(lambda v: m.np.sum(f(3.0, v)))(x)


@CASES.case(x=positive(3))
def newton(m: Any, x: Any) -> Any:
    f = lambda v: m.np.sum(v**4 - v) + v[0] * v[1]  # noqa: E731
    step = lambda _, v: v - 0.1 * m.jax.grad(f)(v) / m.np.diag(m.jax.hessian(f)(v))  # noqa: E731
    return m.lax.fori_loop(0, 3, step, x)


@CASES.case(x=normal(5, 3), w=normal(4, 4), u=normal(4, 3))
def recurrent_network(m: Any, x: Any, w: Any, u: Any) -> Any:
    def loss(w: Any, u: Any, x: Any) -> Any:
        def step(h: Any, v: Any) -> Any:
            h = m.np.tanh(w @ h + u @ v)
            return h, h.sum()

        h, sums = m.lax.scan(step, m.np.zeros(4), x)
        return (h**2).sum() + sums.mean()

    return m.jax.value_and_grad(loss, (0, 1))(w, u, x), m.jax.vmap(m.jax.grad(loss), (None, None, 0))(w, u, x[:, None])


@CASES.case(x=normal())
def perturbations_are_not_confused(m: Any, x: Any) -> Any:
    inner = lambda a: m.jax.grad(lambda b: a * b)(1.0)  # noqa: E731
    return m.jax.grad(lambda a: a * inner(a))(x), m.jax.jvp(lambda a: a * inner(a), (x,), (1.0,))


@CASES.case(x=normal(3, 2), y=normal(3))
def closure_under_vmap_of_grad(m: Any, x: Any, y: Any) -> Any:
    return m.jax.vmap(lambda v, s: m.jax.grad(lambda t: m.np.sum(v * t) * t)(s))(x, y)


test_transforms = suite(CASES)
