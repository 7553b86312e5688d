"""`optim`: trajectories against their formulas and against Optax's, dtypes, states, schedules."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite import optim
from functorch_lite.testing import check_grads

START = {"b": np.array(0.3), "w": np.array([1.0, -2.0, 0.5])}


def loss(p):
    return fnp.sum((p["w"] * fnp.asarray([1.0, 3.0, 0.2], dtype=p["w"].dtype) - 1) ** 2) + 2 * fnp.cos(p["b"]) ** 2


def flat(p):
    return np.concatenate([np.ravel(np.asarray(x)).astype(np.float64) for x in (p["b"], p["w"])])


def run(optimizer, steps=10, dtype=np.float64, wrap=lambda f: f):
    """The parameters after each step, and the state at the end."""
    params = fl.tree.map(lambda x: fnp.asarray(x.astype(dtype)), START)
    state = optimizer.init(params)

    @wrap
    def step(params, state):
        updates, state = optimizer.update(fl.grad(loss)(params), state, params)
        return optim.apply_updates(params, updates), state

    path = []
    for _ in range(steps):
        params, state = step(params, state)
        path.append(flat(params))
    return np.array(path), params, state


def reference(rule, steps=10):
    """The path of a rule (gradient, parameters, number of the step from 1, memory) -> step, in float64."""
    p, memory, path = flat(START), {}, []
    for t in range(1, steps + 1):
        b, w = p[0], p[1:]
        a = np.array([1, 3, 0.2])
        g = np.concatenate([[-4 * np.cos(b) * np.sin(b)], 2 * a * (w * a - 1)])
        p = p + rule(g, p, t, memory)
        path.append(p)
    return np.array(path)


def momentum(rate, decay, nesterov=False):
    def rule(g, p, t, memory):
        memory["t"] = g + decay * memory.get("t", 0)
        return -rate * (g + decay * memory["t"] if nesterov else memory["t"])

    return rule


def adam(rate, b1=0.9, b2=0.999, eps=1e-8, root=0.0, nesterov=False, decay=0.0):
    def rule(g, p, t, memory):
        m = memory["m"] = b1 * memory.get("m", 0) + (1 - b1) * g
        v = memory["v"] = b2 * memory.get("v", 0) + (1 - b2) * g * g
        m_hat = m / (1 - b1**t)
        if nesterov:
            m_hat = b1 * m / (1 - b1 ** (t + 1)) + (1 - b1) * g / (1 - b1**t)
        return -rate * (m_hat / (np.sqrt(v / (1 - b2**t) + root) + eps) + decay * p)

    return rule


def rms(rate, decay=0.9, eps=1e-8, start=0.0, centred=False, corrected=False, inside=True, last=0.0):
    def rule(g, p, t, memory):
        m = memory["m"] = decay * memory.get("m", 0) + (1 - decay) * g
        v = memory["v"] = decay * memory.get("v", start) + (1 - decay) * g * g
        if corrected:
            m, v = m / (1 - decay**t), v / (1 - decay**t)
        v = v - m * m if centred else v
        memory["t"] = -rate * g / (np.sqrt(v + eps) if inside else np.sqrt(v) + eps) + last * memory.get("t", 0)
        return memory["t"]

    return rule


def adagrad(g, p, t, memory):
    memory["s"] = memory.get("s", 0.1) + g * g
    return -0.3 * g / np.sqrt(memory["s"] + 1e-7)


RULES = {
    "sgd": (optim.sgd(0.05), lambda g, p, t, m: -0.05 * g),
    "momentum": (optim.sgd(0.02, 0.9), momentum(0.02, 0.9)),
    "nesterov": (optim.sgd(0.02, 0.9, nesterov=True), momentum(0.02, 0.9, True)),
    "adam": (optim.adam(0.1), adam(0.1)),
    "adam, all": (optim.adam(0.1, 0.8, 0.9, 1e-3, 1e-4), adam(0.1, 0.8, 0.9, 1e-3, 1e-4)),
    "adam without memory": (optim.adam(0.1, 0.0, 0.0), adam(0.1, 0.0, 0.0)),
    "nadam": (optim.adam(0.1, nesterov=True), adam(0.1, nesterov=True)),
    "adamw": (optim.adamw(0.1, weight_decay=0.2), adam(0.1, decay=0.2)),
    "adamw, list": (
        optim.adamw(0.1, weight_decay=0.2, mask={"b": False, "w": True}),
        adam(0.1, decay=0.2 * np.array([0, 1, 1, 1])),
    ),
    "adamw, function": (
        optim.adamw(0.1, weight_decay=0.2, mask=lambda p: {"b": p["b"].ndim == 0, "w": False}),
        adam(0.1, decay=0.2 * np.array([1, 0, 0, 0])),
    ),
    "rmsprop": (optim.rmsprop(0.05), rms(0.05)),
    "rmsprop, momentum": (
        optim.rmsprop(0.05, 0.8, initial_scale=0.1, momentum=0.5),
        rms(0.05, 0.8, start=0.1, last=0.5),
    ),
    "rmsprop, centred": (optim.rmsprop(0.05, centered=True, initial_scale=0.5), rms(0.05, start=0.5, centred=True)),
    "rmsprop, corrected": (
        optim.rmsprop(0.05, eps=1e-3, eps_in_sqrt=False, bias_correction=True),
        rms(0.05, eps=1e-3, corrected=True, inside=False),
    ),
    "adagrad": (optim.adagrad(0.3), adagrad),
    "clip": (optim.chain(optim.clip(0.5), optim.sgd(0.1)), lambda g, p, t, m: -0.1 * np.clip(g, -0.5, 0.5)),
    "clip, norm": (
        optim.chain(optim.clip_by_global_norm(1.0), optim.scale(-0.1)),
        lambda g, p, t, m: -0.1 * g / max(1, np.linalg.norm(g)),
    ),
    "decay": (
        optim.chain(optim.add_decayed_weights(0.1), optim.scale(-0.1)),
        lambda g, p, t, m: -0.1 * (g + 0.1 * p),
    ),
    "nothing": (optim.set_to_zero(), lambda g, p, t, m: 0 * g),
    "identity": (optim.chain(optim.identity(), optim.scale(-0.05)), lambda g, p, t, m: -0.05 * g),
}


@pytest.mark.parametrize("name", RULES)
def test_path_is_that_of_the_formula(name):
    optimizer, rule = RULES[name]
    np.testing.assert_allclose(run(optimizer)[0], reference(rule), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(run(optimizer, dtype=np.float32, wrap=fl.jit)[0], reference(rule), rtol=2e-4, atol=2e-4)


@pytest.mark.parametrize(
    "dtype", [np.float16, ml_dtypes.bfloat16, np.float32, np.float64], ids=lambda d: np.dtype(d).name
)
@pytest.mark.parametrize("name", ["nesterov", "adam, all", "rmsprop, corrected", "adagrad", "clip, norm"])
def test_parameters_and_states_keep_their_dtypes(name, dtype):
    optimizer, rule = RULES[name]
    before = optimizer.init(fl.tree.map(lambda x: fnp.asarray(x.astype(dtype)), START))
    path, params, state = run(optimizer, 3, dtype, fl.jit)
    assert all(x.dtype == dtype for x in fl.tree.leaves(params))
    assert fl.tree.map(lambda x: x.dtype, before) == fl.tree.map(lambda x: x.dtype, state)
    eps = float(ml_dtypes.finfo(dtype).eps)
    np.testing.assert_allclose(path, reference(rule, 3), rtol=64 * eps, atol=64 * eps)


def test_a_schedule_does_not_widen_parameters():
    schedule = optim.linear_schedule(0.1, 0.01, 5)
    for dtype in (ml_dtypes.bfloat16, np.float16, np.float32):
        params = {"w": fnp.ones(3, dtype)}
        optimizer = optim.sgd(schedule, momentum=0.9)
        updates, _ = optimizer.update(params, optimizer.init(params), params)
        assert updates["w"].dtype == dtype
        assert optim.apply_updates(params, updates)["w"].dtype == dtype
        assert optim.apply_updates(params, {"w": np.ones(3)})["w"].dtype == dtype


def test_accumulators_in_another_dtype():
    params = {"w": fnp.ones(3, "bfloat16")}
    for optimizer in (optim.sgd(0.1, 0.9, accumulator_dtype="float32"), optim.adam(0.1, mu_dtype="float32")):
        state = optimizer.init(params)
        _, after = optimizer.update(params, state, params)
        for found in (state, after):
            kept = found[0].trace if hasattr(found[0], "trace") else found[0].mu
            assert kept["w"].dtype == np.float32


def test_jit_traces_a_step_once():
    """States are strong from the start: the second step finds the first's program."""
    optimizer = optim.adam(optim.cosine_decay_schedule(0.1, 10))
    params = {"w": fnp.ones(2)}
    state = optimizer.init(params)
    traced = []

    @fl.jit
    def step(params, state):
        traced.append(None)
        updates, state = optimizer.update(params, state, params)
        return optim.apply_updates(params, updates), state

    for _ in range(3):
        params, state = step(params, state)
    assert len(traced) == 1


def test_states_are_pytrees_that_begin_at_zero():
    optimizer = optim.chain(optim.clip(1.0), optim.adam(0.1))
    state = optimizer.init({"w": fnp.array([np.nan, np.inf])})
    leaves, tree = fl.tree.flatten(state)
    assert [x.dtype.name for x in leaves] == ["int32", "float32", "float32"]
    assert all((np.asarray(x) == 0).all() for x in leaves)
    assert fl.tree.unflatten(tree, leaves) == state or fl.tree.structure(state) == tree
    assert isinstance(optim.sgd(0.1).init(1.0)[0], optim.EmptyState)


def test_steps_in_a_scan_and_under_vmap():
    optimizer = optim.adam(0.1)
    params = fl.tree.map(fnp.asarray, START)

    def step(carry, _):
        params, state = carry
        updates, state = optimizer.update(fl.grad(loss)(params), state, params)
        return (optim.apply_updates(params, updates), state), loss(params)

    (found, _), losses = fl.lax.scan(step, (params, optimizer.init(params)), None, length=10)
    np.testing.assert_allclose(flat(found), run(optimizer)[0][-1], rtol=1e-9)
    assert losses[-1] < losses[0]
    batch = fl.tree.map(lambda x: fnp.stack([x, 2 * x]), params)

    def one(params):
        updates, _ = optimizer.update(fl.grad(loss)(params), optimizer.init(params), params)
        return updates["w"]

    np.testing.assert_allclose(fl.vmap(one)(batch)[1], one(fl.tree.map(lambda x: 2 * x, params)), rtol=1e-9)


def test_one_differentiates_through_an_optimiser():
    """The derivative of the loss after three steps by the learning rate, and by a decay."""

    def after(rate, b1):
        optimizer = optim.adam(rate, b1=b1, eps_root=1e-8)
        params = fl.tree.map(fnp.asarray, START)
        state = optimizer.init(params)
        for _ in range(3):
            updates, state = optimizer.update(fl.grad(loss)(params), state, params)
            params = optim.apply_updates(params, updates)
        return loss(params)

    rate, b1 = fnp.asarray(0.1, dtype="float64"), fnp.asarray(0.8, dtype="float64")
    check_grads(after, (rate, b1), order=1, modes="rev", atol=1e-3, rtol=1e-3)


def test_complex_parameters():
    target = np.array([1 + 2j, -1j])
    params = fnp.zeros(2, "complex128")
    for optimizer in (optim.sgd(0.2), optim.adam(0.1), optim.rmsprop(0.05), optim.adagrad(0.5)):
        p, state = params, optimizer.init(params)
        for _ in range(200):
            g = fl.grad(lambda p: fnp.sum(fnp.abs(p - target) ** 2))(p)
            updates, state = optimizer.update(fnp.conj(g), state, p)
            p = optim.apply_updates(p, updates)
        np.testing.assert_allclose(p, target, atol=0.05)


def test_global_norm_and_clipping():
    tree = {"a": np.array([3.0, 0.0]), "b": [np.array(4.0)]}
    assert float(optim.global_norm(tree)) == 5
    clipped, _ = optim.clip_by_global_norm(1.0).update(tree, optim.EmptyState())
    np.testing.assert_allclose(clipped["a"], [0.6, 0], rtol=1e-6)
    kept, _ = optim.clip_by_global_norm(10.0).update(tree, optim.EmptyState())
    np.testing.assert_array_equal(kept["b"][0], 4)
    zero, _ = optim.clip_by_global_norm(0.5).update({"a": np.zeros(3)}, optim.EmptyState())
    np.testing.assert_array_equal(zero["a"], np.zeros(3))


def test_apply_updates_leaves_what_has_none():
    found = optim.apply_updates({"a": fnp.arange(2), "b": 1.0}, {"a": None, "b": -0.5})
    assert found["a"].tolist() == [0, 1]
    assert float(found["b"]) == 0.5


COUNTS = np.array([0, 1, 4, 7, 12, 30])
SCHEDULES = {
    "constant": (optim.constant_schedule(0.3), [0.3] * 6),
    "linear": (optim.linear_schedule(1.0, 0.1, 10, 3), [1, 1, 0.91, 0.64, 0.19, 0.1]),
    "exponential": (
        optim.exponential_decay(1.0, 4, 0.5, 1, False, 0.2),
        [max(0.2, 0.5 ** (max(c - 1, 0) / 4)) for c in COUNTS],
    ),
    "staircase": (optim.exponential_decay(1.0, 4, 2.0, staircase=True, end_value=5.0), [1, 1, 2, 2, 5, 5]),
    "cosine": (
        optim.cosine_decay_schedule(2.0, 10, 0.1, 2.0),
        [2 * (0.9 * (0.5 * (1 + np.cos(np.pi * min(c, 10) / 10))) ** 2 + 0.1) for c in COUNTS],
    ),
    "warm-up": (
        optim.warmup_cosine_decay_schedule(0.2, 1.0, 4, 12, 0.1),
        [0.2, 0.4, 1, 0.1 + 0.9 * (0.5 * (1 + np.cos(np.pi * 3 / 8))), 0.1, 0.1],
    ),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedule(name):
    schedule, expected = SCHEDULES[name]
    np.testing.assert_allclose([float(schedule(int(c))) for c in COUNTS], expected, rtol=1e-5)
    np.testing.assert_allclose([float(fl.jit(schedule)(c)) for c in COUNTS], expected, rtol=1e-5)
    steps = optim.chain(optim.scale_by_schedule(schedule))
    state = steps.init(1.0)
    for count in range(5):
        update, state = steps.update(1.0, state)
        if count in COUNTS:
            assert float(update) == pytest.approx(expected[list(COUNTS).index(count)], rel=1e-5)


def test_learning_rate_may_keep_its_sign():
    up = optim.scale_by_learning_rate(0.5, flip_sign=False)
    assert float(up.update(2.0, up.init(0.0))[0]) == 1
    scheduled = optim.scale_by_learning_rate(lambda count: 0.5, flip_sign=False)
    assert float(scheduled.update(2.0, scheduled.init(0.0))[0]) == 1


def test_optimisers_converge():
    target = np.linspace(-1, 1, 5)
    for optimizer in (optim.sgd(0.1, 0.9), optim.adam(0.1), optim.adamw(0.1, weight_decay=0.0), optim.adagrad(1.0)):
        params = fnp.zeros(5)
        state = optimizer.init(params)

        @fl.jit
        def step(params, state):
            g = fl.grad(lambda p: fnp.sum((p - target) ** 2))(params)
            updates, state = optimizer.update(g, state, params)
            return optim.apply_updates(params, updates), state

        for _ in range(300):
            params, state = step(params, state)
        np.testing.assert_allclose(params, target, atol=1e-2)


def test_mistakes_are_explained():
    with pytest.raises(ValueError, match="the state has 1 parts, but there are 2 transformations"):
        optim.sgd(0.1).update(1.0, (optim.EmptyState(),))
    decayed = optim.add_decayed_weights(0.1)
    with pytest.raises(ValueError, match="needs the parameters"):
        decayed.update(1.0, decayed.init(1.0))


def test_paths_are_optax_s():
    """Literals: what Optax 0.2 gives after 1, 5 and 10 steps, in float32."""
    for name, expected in OPTAX.items():
        path = run(RULES[name][0], dtype=np.float32)[0]
        np.testing.assert_allclose(path[[0, 4, 9]], expected, rtol=2e-4, atol=2e-5, err_msg=name)


OPTAX = {
    "nesterov": [[0.34291, 1.0, -0.404, 0.51368], [0.77347, 1.0, 0.89441, 0.62039], [1.68766, 1.0, 0.19934, 0.8335]],
    "adam": [[0.4, 1.0, -1.9, 0.6], [0.80136, 1.0, -1.50243, 0.99889], [1.30577, 1.0, -1.01981, 1.49139]],
    "nadam": [[0.44737, 1.0, -1.85263, 0.64737], [0.90311, 1.0, -1.43263, 1.07316], [1.3982, 1.0, -0.95897, 1.56504]],
    "adamw": [[0.394, 0.98, -1.86, 0.59], [0.75308, 0.97805, -1.33105, 0.93141], [1.16862, 0.98022, -0.74802, 1.31637]],
    "rmsprop, momentum": [
        [0.39755, 1.0, -1.88821, 0.55531],
        [0.97541, 1.0, -1.36736, 0.92459],
        [1.47498, 1.0, -0.87538, 1.40456],
    ],
    "adagrad": [
        [0.58889, 1.0, -1.70001, 0.72539],
        [1.30674, 1.0, -1.11334, 1.28727],
        [1.52695, 1.0, -0.71685, 1.73748],
    ],
    "clip, norm": [
        [0.30269, 1.0, -1.90004, 0.50086],
        [0.31502, 1.0, -1.50025, 0.5047],
        [0.33563, 1.0, -1.00072, 0.51086],
    ],
}
