"""The gradient of each example of a batch, and its norm: vmap(grad(...)).

python examples/per_example_gradients.py
"""

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite import nn


def init(key):
    """A network of two layers for the classes of four features."""
    first, second = fl.random.split(key)
    return {
        "hidden": 0.5 * fl.random.normal(first, (4, 16)),
        "out": 0.5 * fl.random.normal(second, (16, 3)),
    }


def loss(params, x, label):
    """Cross-entropy of one example."""
    scores = fnp.tanh(x @ params["hidden"]) @ params["out"]
    return -nn.log_softmax(scores)[label]


key = fl.random.key(0)
params = init(key)
x = fl.random.normal(fl.random.fold_in(key, 1), (8, 4))
labels = fl.random.randint(fl.random.fold_in(key, 2), (8,), 0, 3)

gradients = fl.jit(fl.vmap(fl.grad(loss), in_axes=(None, 0, 0)))(params, x, labels)
print({name: g.shape for name, g in gradients.items()})

norms = fnp.sqrt(sum(fnp.sum(g * g, axis=(1, 2)) for g in gradients.values()))
print("norms:", norms)

mean = fl.grad(lambda p: fnp.mean(fl.vmap(loss, in_axes=(None, 0, 0))(p, x, labels)))(params)
for name in params:
    assert fnp.allclose(fnp.mean(gradients[name], axis=0), mean[name], atol=1e-6)
print("their mean is the gradient of the mean loss")
