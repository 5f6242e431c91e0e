"""Speed of scikit-learn and PyTorch on the work of `benches/stack.rs`.

    pip install numpy scikit-learn torch
    python benches/peers.py sklearn --folds 5 --batch 32 --epochs 200 --threads 1
    python benches/peers.py torch   --folds 5 --batch 32 --epochs 200 --threads 1
    python benches/peers.py torch-stacked [--compile]

Prints one line of JSON with the same keys. One network per fold, trained one after the other, as
these libraries are commonly used; PyTorch with its fused Adam, eager mode. `torch-stacked` is the
best that PyTorch does here: the networks of all folds as one batched product per layer.
"""

import argparse
import json
import os
import resource
import time

parser = argparse.ArgumentParser()
parser.add_argument("peer", choices=["sklearn", "torch", "torch-stacked"])
for name, default in dict(folds=5, batch=32, epochs=200, rows=104, features=15, threads=1).items():
    parser.add_argument(f"--{name}", type=int, default=default)
parser.add_argument("--hidden", default="128,128")
parser.add_argument("--compile", action="store_true", help="torch.compile the stacked step")
options = parser.parse_args()
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = str(options.threads)

import numpy as np  # noqa: E402  (the thread counts above must be set before it is loaded)

random = np.random.default_rng(7)
x = random.standard_normal((options.rows, options.features), dtype=np.float32)
y = np.sin(x[:, 0] + 0.5 * x[:, 1]) + 0.3 * x[:, 2] * x[:, 3] + 0.1 * x[:, 4]
held_out = np.array_split(random.permutation(options.rows), options.folds)
training = [np.setdiff1d(np.arange(options.rows), rows) for rows in held_out]
hidden = [int(width) for width in options.hidden.split(",")]


def with_sklearn(rows):
    import warnings

    from sklearn.neural_network import MLPRegressor

    warnings.filterwarnings("ignore")
    network = MLPRegressor(
        hidden_layer_sizes=tuple(hidden), alpha=0.0, batch_size=min(options.batch, len(rows)),
        max_iter=options.epochs, tol=0.0, n_iter_no_change=10**9,
    )
    network.fit(x[rows], y[rows])


def with_torch(rows):
    import torch

    torch.set_num_threads(options.threads)
    widths = [options.features, *hidden, 1]
    layers = []
    for fan_in, fan_out in zip(widths, widths[1:]):
        layers += [torch.nn.Linear(fan_in, fan_out), torch.nn.ReLU()]
    network = torch.nn.Sequential(*layers[:-1])
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True)
    inputs, targets = torch.from_numpy(x[rows]), torch.from_numpy(y[rows])[:, None]
    for _ in range(options.epochs):
        for batch in torch.randperm(len(rows)).split(options.batch):
            optimiser.zero_grad(set_to_none=True)
            loss = torch.nn.functional.mse_loss(network(inputs[batch]), targets[batch])
            loss.backward()
            optimiser.step()


def stacked():
    """All folds at once; returns what trains them for some epochs."""
    import torch

    torch.set_num_threads(options.threads)
    widths, count = [options.features, *hidden, 1], min(map(len, training))
    own = [torch.from_numpy(rows[:count]) for rows in training]
    layers = [
        [torch.nn.Parameter(torch.randn(len(own), *size) / size[0] ** 0.5) for size in [(a, b), (1, b)]]
        for a, b in zip(widths, widths[1:])
    ]
    parameters = [parameter for layer in layers for parameter in layer]
    optimiser = torch.optim.Adam(parameters, lr=1e-3, fused=True)
    inputs, targets = torch.from_numpy(x), torch.from_numpy(y)[:, None]

    def losses(values, wanted):
        for index, (weight, bias) in enumerate(layers):
            values = torch.baddbmm(bias, values, weight)
            if index + 1 < len(layers):
                values = torch.relu(values)
        return (values - wanted).square().mean(1).sum()

    losses = torch.compile(losses) if options.compile else losses

    def train(epochs):
        for _ in range(epochs):
            order = torch.stack([rows[torch.randperm(count)] for rows in own])
            for batch in order.split(options.batch, dim=1):
                optimiser.zero_grad(set_to_none=True)
                losses(inputs[batch], targets[batch]).backward()
                optimiser.step()

    return train


# Imports, compilation and warm-up are not measured.
if options.peer == "torch-stacked":
    train = stacked()
    train(5)
else:
    train = {"sklearn": with_sklearn, "torch": with_torch}[options.peer]
    epochs, options.epochs = options.epochs, 1
    train(training[0][:200])
    options.epochs = epochs
wall, cpu = time.perf_counter(), time.process_time()
if options.peer == "torch-stacked":
    train(options.epochs)
else:
    for rows in training:
        train(rows)
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
steps = sum(options.epochs * -(-len(rows) // options.batch) for rows in training)
print(json.dumps({
    "peer": options.peer,
    "threads": options.threads,
    "wall": round(wall, 3),
    "cpu": round(cpu, 3),
    "cpu_us_per_model_step": round(cpu * 1e6 / steps, 1),
    "wall_us_per_model_step": round(wall * 1e6 / steps, 1),
    "krows_per_wall_s": round(sum(map(len, training)) * options.epochs / wall / 1e3, 1),
    "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
}))
