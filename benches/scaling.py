"""How the time of training grows with rows, folds and networks: measures, prints and draws it.

    pip install matplotlib
    python benches/scaling.py target/release/massay docs/scaling.svg
"""

import argparse
import os
import pathlib
import re
import subprocess
import tempfile

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plot

# One plain network, no other model and no second training, so that what grows is what is measured.
PLAIN = {
    "model.kind": "mlp",
    "model.members": 1,
    "model.hidden": "[64, 64]",
    "cv.folds": 5,
    "cv.leakage_check": "false",
    "train.epochs": 20,
    "train.batch_size": 256,
}


def seconds(program, table, repeats, **changes):
    """How long `massay train` trains, in seconds, without reading and report: the shortest of some runs."""
    settings = PLAIN | {name.replace("__", "."): value for name, value in changes.items()}
    best = float("inf")
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            sets = [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]
            command = [program, "train", "--data", table, "--name", "run", "--quiet", "--backend", "cpu", *sets]
            log = subprocess.run(
                command, cwd=folder, check=True, capture_output=True, text=True, env=os.environ | {"MASSAY_LOG": "info"}
            ).stderr
            best = min(best, float(re.search(r"trained in ([0-9.]+) s", log).group(1)))
    return best


def simulated(program, folder, rows):
    """A table of so many containers."""
    path = pathlib.Path(folder, f"{rows}.csv").resolve()
    command = [program, "simulate", "--containers", str(rows), "--out", path]
    subprocess.run(command, check=True, capture_output=True)
    return path


def draw(curves, path):
    """Seconds by each count, beside a line in proportion to it that ends where they do."""
    figure, panels = plot.subplots(1, len(curves), figsize=(10, 3.4), sharey=True, layout="constrained")
    for panel, (name, points) in zip(panels, curves.items()):
        counts, times = zip(*points)
        panel.loglog(counts, times, "o-", color="#1f5fa8", label="measured")
        last = [times[-1] * count / counts[-1] for count in counts]
        panel.loglog(counts, last, "--", color="#999999", label="in proportion")
        panel.set_xlabel(name)
        panel.set_xticks(counts, [f"{count:,}" for count in counts])
        panel.minorticks_off()
        panel.grid(True, which="major", color="#dddddd")
    panels[0].set_ylabel("seconds")
    panels[0].legend()
    figure.savefig(path, metadata={"Date": None})


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("figure", type=pathlib.Path)
    parser.add_argument("--repeats", type=int, default=2)
    options = parser.parse_args()
    program = options.program.resolve()
    with tempfile.TemporaryDirectory() as folder:
        tables = {rows: simulated(program, folder, rows) for rows in (1000, 10_000, 100_000, 1_000_000)}
        measure = lambda rows, **changes: seconds(program, tables[rows], options.repeats, **changes)
        curves = {
            "rows": [(rows, measure(rows)) for rows in tables],
            "folds": [(folds, measure(10_000, cv__folds=folds)) for folds in (2, 5, 10, 20, 40)],
            "networks per fold": [(count, measure(10_000, model__members=count)) for count in (1, 4, 16, 64)],
        }
    for name, points in curves.items():
        for count, own in points:
            print(f"{name} {count}: {own:.2f} s")
    draw(curves, options.figure)


if __name__ == "__main__":
    main()
