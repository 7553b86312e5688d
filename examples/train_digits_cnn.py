"""The main job: a convolutional network learns to read 1,797 real handwritten digits.

The images (8x8, bundled with scikit-learn) are padded with zeros to 10x10. A fifth of them is held out. The network:
conv(1->32, 3x3), relu, conv(32->64, 3x3), relu, flatten, 64*6*6 -> 128, relu, 128 -> 10, log_softmax; cross-entropy; SGD
with learning rate 0.01 and momentum 0.9.

    python examples/train_digits_cnn.py [--epochs 12] [--output examples/output]
"""

from __future__ import annotations

import argparse
import pathlib
import time

import numpy as np
from safetensors.numpy import load_file, save_file
from sklearn.datasets import load_digits
from tqdm import tqdm

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite import nn, optim


def load_data(seed: int = 0):
    """Images (n, 1, 10, 10) in [0, 1] and labels, for training and held out."""
    digits = load_digits()
    images = np.pad(digits.images.astype(np.float32) / 16.0, ((0, 0), (1, 1), (1, 1)))[:, None]
    order = np.random.default_rng(seed).permutation(len(images))
    images, labels = images[order], digits.target[order].astype(np.int32)
    n = len(images) * 4 // 5
    return (images[:n], labels[:n]), (images[n:], labels[n:])


def init_params(key):
    """Weights and biases, as a pytree."""
    keys = fl.random.split(key, 4)
    conv = nn.initializers.he_normal(in_axis=1, out_axis=0)
    dense = nn.initializers.he_normal()
    return {
        "conv1": {"w": conv(keys[0], (32, 1, 3, 3)), "b": fnp.zeros(32)},
        "conv2": {"w": conv(keys[1], (64, 32, 3, 3)), "b": fnp.zeros(64)},
        "dense1": {"w": dense(keys[2], (64 * 6 * 6, 128)), "b": fnp.zeros(128)},
        "dense2": {"w": dense(keys[3], (128, 10)), "b": fnp.zeros(10)},
    }


def predict(params, images):
    """Log-probabilities (n, 10) of images (n, 1, 10, 10)."""
    x = nn.relu(nn.conv2d(images, params["conv1"]["w"], params["conv1"]["b"]))
    x = nn.relu(nn.conv2d(x, params["conv2"]["w"], params["conv2"]["b"]))
    x = x.reshape((x.shape[0], -1))
    x = nn.relu(nn.linear(x, params["dense1"]["w"], params["dense1"]["b"]))
    return nn.log_softmax(nn.linear(x, params["dense2"]["w"], params["dense2"]["b"]))


def loss_fn(params, images, labels):
    """Mean cross-entropy."""
    return nn.losses.nll_loss(predict(params, images), labels)


optimizer = optim.sgd(0.01, momentum=0.9)


@fl.jit
def train_step(params, state, images, labels):
    """One step of SGD on a mini-batch."""
    loss, gradients = fl.value_and_grad(loss_fn)(params, images, labels)
    updates, state = optimizer.update(gradients, state, params)
    return optim.apply_updates(params, updates), state, loss


def train(params, images, labels, epochs, batch_size=32, seed=1):
    """Parameters after `epochs` passes over the data; prints the running loss of each."""
    state = optimizer.init(params)
    rng = np.random.default_rng(seed)
    for epoch in range(epochs):
        order = rng.permutation(len(images))
        batches = [order[i : i + batch_size] for i in range(0, len(order) - batch_size + 1, batch_size)]
        total = 0.0
        start = time.perf_counter()
        with tqdm(batches, desc=f"epoch {epoch + 1:2d}/{epochs}", leave=False) as progress:
            for n, batch in enumerate(progress, 1):
                params, state, loss = train_step(params, state, images[batch], labels[batch])
                total += float(loss)
                progress.set_postfix(loss=f"{total / n:.4f}")
        print(
            f"epoch {epoch + 1:2d}: loss {total / len(batches):.4f}   ({time.perf_counter() - start:.1f} s)", flush=True
        )
    return params


def save_and_load(params, path):
    """Save parameters with safetensors, and read them again."""
    flat = {
        fl.tree_util.keystr(p, simple=True, separator="."): x for p, x in fl.tree_util.tree_leaves_with_path(params)
    }
    save_file({name: np.array(x) for name, x in flat.items()}, path)
    loaded = load_file(path)
    return fl.tree_util.tree_map_with_path(
        lambda p, _: fnp.asarray(loaded[fl.tree_util.keystr(p, simple=True, separator=".")]), params
    )


def save_confusion(labels, guesses, path):
    """A picture of how often each digit (rows) was taken for each (columns)."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    counts = np.zeros((10, 10), int)
    np.add.at(counts, (labels, guesses), 1)
    figure, axes = plt.subplots(figsize=(5, 5))
    axes.imshow(counts, cmap="Blues")
    for i, j in np.ndindex(10, 10):
        if counts[i, j]:
            axes.text(j, i, counts[i, j], ha="center", va="center", color="white" if counts[i, j] > 20 else "black")
    axes.set(xlabel="read as", ylabel="digit", xticks=range(10), yticks=range(10), title="held-out digits")
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main(argv=None):
    """Train, test, save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path(__file__).parent / "output")
    args = parser.parse_args(argv)
    args.output.mkdir(parents=True, exist_ok=True)

    (images, labels), (test_images, test_labels) = load_data()
    print(f"{len(images)} digits to learn from, {len(test_images)} held out")
    params = train(init_params(fl.random.key(0)), images, labels, args.epochs)
    params = save_and_load(params, args.output / "digits_cnn.safetensors")
    guesses = np.argmax(np.asarray(fl.jit(predict)(params, test_images)), axis=1)
    accuracy = float((guesses == test_labels).mean())
    save_confusion(test_labels, guesses, args.output / "confusion.png")
    print(f"held-out accuracy: {accuracy:.2%}; parameters and confusion.png are in {args.output}")
    return accuracy


if __name__ == "__main__":
    main()
