"""Accuracy of massay next to the peers of `peers.py`, table by table.

    pip install numpy pandas
    python score.py OUT --massay target/release/massay --label NAME [--set KEY=VALUE ..]
                    [--tables NAME ..] [--jobs 1] [--force]
    python score.py OUT --show LABEL ..        compares labels that have been run

A table is trained on in an empty folder, so that no params.toml is read, with the folds that the
peers had. The out-of-fold predictions are kept as OUT/predictions/TABLE.massay-LABEL.csv, with the
seconds, the settings and the scores of metrics.json in a .json beside it; a label is run once, and
refused for another program or other settings unless --force. Costs what the training costs: tables
up to 12,000 rows, five folds each.

Printed are RMSE divided by that of the best peer, of the labels where no peer has been run. `se` is one standard error of this ratio for
massay, from the paired squared errors (of groups, where there are any); it is the delta method, and
takes the best peer as given, though the best of several is partly luck. `<` marks a ratio above
1.02 + se. Below the tables stand geometric means: `to best` of the ratios as printed, and
`massay to` of massay's RMSE to that of each peer over the tables that this peer has.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

PEERS = ["ridge", "svr", "svr_tuned", "rf", "et", "hgb", "mlp", "realmlp", "tabm"]


def cached(name, who):
    return arguments.out / "predictions" / f"{name}.{who}.csv"


def train(name):
    """Trains massay on a table, unless that has been done. Returns an error or None."""
    path = cached(name, f"massay-{arguments.label}")
    facts = {"program": program_hash, "set": sorted(arguments.set)}
    if path.exists() and not arguments.force:
        known = json.loads(path.with_suffix(".json").read_text())
        if any(known[key] != value for key, value in facts.items()):
            return "was run with another program or other settings under this label: --force?"
        return None
    table = (arguments.out / f"{name}.csv").resolve()
    header = table.open().readline().strip().split(",")
    command = [str(program), "train", "--data", str(table), "--target", "y", "--name", "run"]
    command += ["--fold-file", str(table.with_name(f"{name}.folds.csv")), "--quiet"]
    command += ["--backend", arguments.backend]
    command += ["--group", "group"] if "group" in header else []
    command += [part for pair in arguments.set for part in ("--set", pair)]
    with tempfile.TemporaryDirectory() as folder:
        start = time.time()
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        facts["seconds"] = round(time.time() - start, 2)
        if run.returncode != 0:
            said = [line for line in run.stderr.splitlines() if line.startswith("error: ")]
            return (said or [f"exit status {run.returncode}"])[-1]
        report = Path(folder) / "reports" / "run"
        rows = pd.read_csv(report / "predictions.csv").groupby("row")["prediction"].mean()
        metrics = json.loads((report / "metrics.json").read_text())
    if len(rows) != len(pd.read_csv(table)):
        return f"predicted {len(rows)} rows only"
    path.parent.mkdir(exist_ok=True)
    facts["metrics"] = {k: v for k, v in metrics.items() if k not in ("folds", "ranges")}
    path.with_suffix(".json").write_text(json.dumps(facts) + "\n")
    rows.sort_index().to_frame().to_csv(path, index=False, float_format="%.9g")
    print(f"{name:22} {facts['seconds']:8.1f} s", file=sys.stderr, flush=True)
    return None


def squared_errors(name, who, y):
    path = cached(name, who)
    return (pd.read_csv(path)["prediction"].to_numpy() - y) ** 2 if path.exists() else None


def standard_error(ours, best, groups):
    """Of the ratio of two RMSE on the same rows; rows of a group count together."""
    difference = ours - best
    centred = pd.Series(difference - difference.mean())
    sums = centred.groupby(groups).sum() if groups is not None else centred
    spread = np.sqrt((sums**2).sum() * len(sums) / (len(sums) - 1)) / len(difference)
    return spread / (2 * best.mean() * np.sqrt(ours.mean() / best.mean()))


def compare(name, labels):
    """RMSE of everyone on a table, and the standard error of each label's ratio to the best."""
    data = pd.read_csv(arguments.out / f"{name}.csv")
    y, groups = data["y"].to_numpy(), data["group"].to_numpy() if "group" in data else None
    errors = {who: squared_errors(name, who, y) for who in PEERS + labels}
    errors = {who: error for who, error in errors.items() if error is not None}
    peers = [who for who in PEERS if who in errors]
    best = min(peers or list(errors), key=lambda who: errors[who].mean())
    columns = len(data.columns) - 1 - (groups is not None)
    line = {"name": name, "rows": len(data), "columns": columns, "best": best}
    line["rmse"] = {who: float(np.sqrt(error.mean())) for who, error in errors.items()}
    line["se"] = {
        who: standard_error(errors[who], errors[best], groups) for who in labels if who in errors
    }
    line["seconds"] = {
        who: json.loads(cached(name, who).with_suffix(".json").read_text())["seconds"]
        for who in labels
        if who in errors
    }
    return line


def mean(ratios):
    ratios = list(ratios)
    return f"{np.exp(np.mean(np.log(ratios))):9.3f}" if ratios else f"{'-':>9}"


def show(labels):
    lines = [compare(name, labels) for name in tables]
    lines.sort(key=lambda line: (line["rows"], line["columns"]))
    shown = {label: label.removeprefix("massay-") for label in labels}
    wide = {label: max(19, len(shown[label]) + 1) for label in labels}
    head = f"{'table':22}{'rows':>6}{'cols':>5}" + "".join(f"{who:>10}" for who in PEERS)
    for label in labels:
        head += f"{shown[label]:>{wide[label] - 10}}{'se':>8}  " + f"{'s':>7}"
    print(head)
    for line in lines:
        best = line["rmse"][line["best"]]
        text = f"{line['name']:22}{line['rows']:6}{line['columns']:5}"
        for who in PEERS:
            text += f"{line['rmse'][who] / best:10.3f}" if who in line["rmse"] else f"{'-':>10}"
        for label in labels:
            if label not in line["rmse"]:
                text += f"{'-':>{wide[label] - 10}}{'-':>8}  {'-':>7}"
                continue
            ratio, se = line["rmse"][label] / best, line["se"][label]
            mark = " <" if ratio > 1.02 + se else "  "
            text += f"{ratio:{wide[label] - 10}.3f}{se:8.3f}{mark}{line['seconds'][label]:7.1f}"
        print(text)
    text = f"{'to best':33}"
    for who in PEERS + labels:
        have = [line for line in lines if who in line["rmse"]]
        value = mean(line["rmse"][who] / line["rmse"][line["best"]] for line in have)
        if who in labels:
            marks = sum(x["rmse"][who] / x["rmse"][x["best"]] > 1.02 + x["se"][who] for x in have)
            seconds = sum(line["seconds"][who] for line in have)
            text += f"{value:>{wide[who] - 10}}{marks:8} <{seconds:7.0f}"
        else:
            text += f"{value:>10}"
    print(text)
    for label in labels:
        text = f"{(shown[label] + ' to')[:32]:33}"
        for who in PEERS:
            have = [x["rmse"] for x in lines if who in x["rmse"] and label in x["rmse"]]
            text += f"{mean(rmse[label] / rmse[who] for rmse in have):>10}"
        print(text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Accuracy of massay next to its peers.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--massay", type=Path, help="the program to score")
    parser.add_argument("--label", default="default", help="name under which the result is kept")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--backend", default="cpu", help="the backend of massay")
    parser.add_argument("--tables", nargs="+", metavar="NAME", help="those in OUT, if not given")
    parser.add_argument("--peers", nargs="+", metavar="NAME", help="compare with these only")
    parser.add_argument("--jobs", type=int, default=1, help="tables at a time")
    parser.add_argument("--force", action="store_true", help="run what has been run")
    parser.add_argument("--show", nargs="+", metavar="LABEL", help="run nothing")
    arguments = parser.parse_args()
    PEERS = arguments.peers or PEERS
    tables = arguments.tables or [
        path.name[: -len(".folds.csv")] for path in arguments.out.glob("*.folds.csv")
    ]
    tables.sort(key=lambda name: (arguments.out / f"{name}.csv").stat().st_size)
    if arguments.show:
        show([f"massay-{label}" for label in arguments.show])
    elif arguments.massay:
        program = arguments.massay.resolve()
        program_hash = hashlib.sha256(program.read_bytes()).hexdigest()[:16]
        with ThreadPoolExecutor(arguments.jobs) as pool:
            errors = dict(zip(tables, pool.map(train, tables), strict=True))
        show([f"massay-{arguments.label}"])
        for name, error in errors.items():
            if error:
                print(f"{name}: {error}")
    else:
        parser.error("give --massay to run, or --show to compare")
