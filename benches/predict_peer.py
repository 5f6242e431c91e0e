"""A large table through `massay predict`, beside pandas and scikit-learn's MLP, in turns.

    pip install numpy pandas scikit-learn
    massay train --set model.kind=mlp --set model.members=1 --name one
    python benches/predict_peer.py target/release/massay checkpoints/one

Whole commands, from the start of the program to the last line written. massay predicts with one network for each fold,
with intervals and a check that the row is known; scikit-learn with one network of the same hidden layers, values alone.
Prints the seconds of each turn.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile
import time

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("massay")
parser.add_argument("checkpoint")
parser.add_argument("--rows", type=int, default=1_000_000)
parser.add_argument("--hidden", default="128,128,128")
parser.add_argument("--turns", type=int, default=3)
options = parser.parse_args()

PEER = """
import pickle, sys
import pandas
with open(sys.argv[1], "rb") as file:
    network = pickle.load(file)
table = pandas.read_csv(sys.argv[2])
pandas.DataFrame({"prediction": network.predict(table.values)}).to_csv(sys.argv[3], index=False)
"""


def write_inputs(folder):
    import pickle
    import warnings

    import numpy
    from sklearn.neural_network import MLPRegressor

    warnings.filterwarnings("ignore")
    random = numpy.random.default_rng(0)
    training = numpy.exp(random.normal(3, 1, (104, 15)))
    hidden = tuple(map(int, options.hidden.split(",")))
    network = MLPRegressor(hidden_layer_sizes=hidden, max_iter=50)
    (folder / "network").write_bytes(pickle.dumps(network.fit(training, training.sum(1))))
    columns = ",".join(f"det{number + 1}" for number in range(15))
    rows = numpy.exp(random.normal(3, 1, (options.rows, 15)))
    numpy.savetxt(folder / "table.csv", rows, "%.5g", ",", header=columns, comments="")


def seconds(command, output=None):
    began = time.perf_counter()
    with open(output or "/dev/null", "wb") as file:
        subprocess.run(command, stdout=file, stderr=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    write_inputs(folder)
    table = folder / "table.csv"
    massay = [options.massay, "predict", "--checkpoint", options.checkpoint, table]
    peer = [sys.executable, "-c", PEER, folder / "network", table, folder / "peer.csv"]
    for _ in range(options.turns):
        own, other = seconds(massay, folder / "own.csv"), seconds(peer)
        print(f"massay {own:.1f} s, pandas and scikit-learn {other:.1f} s")
