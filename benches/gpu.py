"""Everything that there is to measure on a graphics adapter, in one command: prints tables in Markdown.

    cargo bench --bench stack --no-run      # names the benchmark's program
    pip install torch
    python benches/gpu.py target/release/deps/stack-HASH [--peer-device cuda] [--quick]

Small networks: 104 rows, 15-128-128-1, batches of 32, Adam; microseconds for a step of the whole stack, the start
taken off by a second, shorter run. Large ones: 10^6 rows of 100 features, 512-512-512, batches of 4096; thousand rows
a second, with the share of the card's own rate of products. PyTorch trains the same stack: eager, compiled, and with
the whole step as a CUDA graph, where the device knows them. Medians of three.
"""

import argparse
import json
import statistics
import subprocess
import time

import torch

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("program", help="the built benchmark `stack`")
parser.add_argument("--peer-device", default="cuda" if torch.cuda.is_available() else "cpu")
parser.add_argument("--quick", action="store_true", help="small sizes, to see whether all of it runs")
options = parser.parse_args()
device = torch.device(options.peer_device)
EPOCHS = (2, 6) if options.quick else (20, 820)
REPEATS = 1 if options.quick else 3


def bench(backend, **arguments):
    """What one run of the benchmark says."""
    words = [word for name, value in arguments.items() for word in (f"--{name}", str(value))]
    command = [options.program, "--backend", backend, "--bench", *words]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def massay_step(backend, folds, members):
    """Microseconds of a step of all networks."""
    steps = -(-104 * (folds - 1) // folds // 32)

    def wall(epochs):
        return bench(backend, folds=folds, members=members, epochs=epochs, stacked=1)["wall"]

    runs = [(wall(EPOCHS[1]) - wall(EPOCHS[0])) / (EPOCHS[1] - EPOCHS[0]) for _ in range(REPEATS)]
    return statistics.median(runs) / steps * 1e6


class Stack:
    """Networks of one shape and their optimiser, as one batched product for each layer."""

    def __init__(self, networks, widths, rows, batch):
        random = lambda *size: torch.randn(*size, device=device)
        self.layers = [
            [torch.nn.Parameter(random(networks, *size) / size[0] ** 0.5) for size in [(a, b), (1, b)]]
            for a, b in zip(widths, widths[1:])
        ]
        parameters = [parameter for layer in self.layers for parameter in layer]
        on_gpu = device.type == "cuda"
        self.optimiser = torch.optim.Adam(parameters, lr=1e-3, fused=True, capturable=on_gpu)
        self.inputs, self.targets = random(rows, widths[0]), random(rows, 1)
        self.batch = torch.zeros(networks, batch, dtype=torch.long, device=device)
        self.losses = self.plain_losses

    def plain_losses(self, values, wanted):
        for index, (weight, bias) in enumerate(self.layers):
            values = torch.baddbmm(bias, values, weight)
            if index + 1 < len(self.layers):
                values = torch.relu(values)
        return (values - wanted).square().mean(1).sum()

    def step(self):
        self.optimiser.zero_grad(set_to_none=False)
        self.losses(self.inputs[self.batch], self.targets[self.batch]).backward()
        self.optimiser.step()

    def draw(self):
        self.batch.copy_(torch.randint(len(self.inputs), self.batch.shape, device=device))

    def seconds(self, step, count):
        """Of a step, the median of three runs."""
        for _ in range(3):
            self.draw()
            step()
        runs = []
        for _ in range(REPEATS):
            synchronise()
            began = time.perf_counter()
            for _ in range(count):
                self.draw()
                step()
            synchronise()
            runs.append((time.perf_counter() - began) / count)
        return statistics.median(runs)


def synchronise():
    if device.type == "cuda":
        torch.cuda.synchronize()


def peers(networks, widths, rows, batch, count):
    """Seconds of a step: eager, compiled, as a CUDA graph (None where there is none)."""
    eager = Stack(networks, widths, rows, batch)
    times = [eager.seconds(eager.step, count)]
    compiled = Stack(networks, widths, rows, batch)
    compiled.losses = torch.compile(compiled.plain_losses, mode="reduce-overhead")
    times.append(compiled.seconds(compiled.step, count))
    if device.type != "cuda":
        return [*times, None]
    own = Stack(networks, widths, rows, batch)
    side = torch.cuda.Stream()
    with torch.cuda.stream(side):
        for _ in range(3):
            own.step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        own.step()
    return [*times, own.seconds(graph.replay, count)]


def matrix_rate(size):
    """Floating-point operations a second in products of square matrices, single precision."""
    a, b = (torch.randn(size, size, device=device) for _ in range(2))
    a @ b
    synchronise()
    began = time.perf_counter()
    for _ in range(10):
        a @ b
    synchronise()
    return 20 * size**3 / (time.perf_counter() - began)


def row(*cells):
    print("| " + " | ".join("" if cell is None else cell if isinstance(cell, str) else f"{cell:.4g}" for cell in cells) + " |")


def small():
    row("networks", "massay wgpu, µs", "massay cpu, µs", "eager", "compiled", "CUDA graph")
    row(*["---"] * 6)
    for folds, members in [(2, 1)] if options.quick else [(2, 1), (10, 1), (10, 16), (10, 64)]:
        times = peers(folds * members, [15, 128, 128, 1], 104, 32, 5 if options.quick else 500)
        own = [massay_step(backend, folds, members) for backend in ("wgpu", "cpu")]
        row(str(folds * members), *own, *[None if own is None else own * 1e6 for own in times])


def large():
    rows, hidden = (20_000, "64,64") if options.quick else (1_000_000, "512,512,512")
    widths = [100, *map(int, hidden.split(",")), 1]
    operations = 6 * sum(a * b for a, b in zip(widths, widths[1:]))
    rate = matrix_rate(512 if options.quick else 8192)
    print(f"\nProducts of square matrices: {rate / 1e12:.3g} TFLOP/s\n")
    row("large network", "thousand rows a second", "share of that rate")
    row(*["---"] * 3)
    sizes = dict(rows=rows, features=100, hidden=hidden, batch=4096, folds=2, epochs=1)
    for backend in ("wgpu", "cpu"):
        speed = bench(backend, **sizes)["krows_per_wall_s"]
        row(f"massay {backend}", speed, speed * 1e3 * operations / rate)
    names = ("PyTorch eager, two networks", "compiled", "CUDA graph")
    for name, own in zip(names, peers(2, widths, rows, 4096, 2 if options.quick else 100)):
        if own is not None:
            row(name, 2 * 4096 / own / 1e3, 2 * 4096 / own * operations / rate)


torch.backends.cuda.matmul.allow_tf32 = False
small()
large()
