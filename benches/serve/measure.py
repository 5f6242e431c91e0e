"""Speed of `massay serve` beside services that give the same model's answers in Python.

    apt-get install wrk
    pip install -r benches/serve/requirements.txt
    python benches/serve/measure.py target/release/massay checkpoints/NAME

The servers take turns, one at a time, `--rounds` times. Each is asked for one row by 32 connections and by
one, then for 10,000 rows in one request. Prints a table of medians, and their ratios to those of massay. The
load comes from the same machine and shares its cores: processor time per request tells more than requests per
second.

    python benches/serve/measure.py target/release/massay checkpoints/NAME --endurance 1000000

asks massay alone for that many single rows, with new values each time and one in a thousand of them bad, and
prints how much memory it has after each tenth.
"""

import argparse
import csv
import json
import os
import pathlib
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

import psutil

HERE = pathlib.Path(__file__).parent
TABLE = HERE.parent.parent / "data" / "simulations.csv"
ROWS = 10_000
UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3}

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("massay")
parser.add_argument("checkpoint")
parser.add_argument("--table", default=TABLE, help="CSV whose rows are asked")
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--seconds", type=int, default=8, help="length of each load")
parser.add_argument("--only", help="names of servers, with commas between them")
parser.add_argument("--endurance", type=int, default=0, help="requests")
options = parser.parse_args()


def free_port():
    with socket.socket() as own:
        own.bind(("127.0.0.1", 0))
        return own.getsockname()[1]


def commands(folder):
    """How each server is started on a port, and how it wants rows."""
    python = [sys.executable, "-m"]
    gunicorn = [*python, "gunicorn", "--workers", "2", "--log-level", "error", "flask_peer:app"]
    uvicorn = [*python, "uvicorn", "--workers", "2", "--no-access-log", "--log-level", "error"]
    mlflow = [*python, "mlflow", "models", "serve", "--env-manager", "local", "--workers", "2"]

    def plain(rows):
        return rows[0] if len(rows) == 1 else rows

    def records(rows):
        return {"dataframe_records": rows}

    massay = [options.massay, "serve", "--checkpoint", options.checkpoint,
              "--address", "127.0.0.1:{port}", "--set"]
    return {
        "massay": ([*massay, f"log.url=sqlite://{folder}/log.sqlite"], "/predict", plain),
        "massay without a log": ([*massay, "log.url=none"], "/predict", plain),
        "Flask, gunicorn": ([*gunicorn, "--bind", "127.0.0.1:{port}"], "/predict", plain),
        "Flask, gunicorn, threads": (
            [*gunicorn, "--threads", "4", "--bind", "127.0.0.1:{port}"], "/predict", plain),
        "FastAPI, uvicorn": ([*uvicorn, "--port", "{port}", "fastapi_peer:app"], "/predict", plain),
        "MLflow": ([*mlflow, "--port", "{port}", "--model-uri", str(folder / "mlflow")],
                   "/invocations", records),
    }


def prepare(folder):
    """Exports the model once as ONNX and once more as a model of MLflow's."""
    model = folder / "model.onnx"
    export = [options.massay, "export", "--checkpoint", options.checkpoint, "--out", str(model)]
    subprocess.run(export, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.environ["MODEL"] = str(model)
    if options.endurance:
        return []
    import mlflow.onnx
    import onnx
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    loaded = onnx.load(str(model))
    facts = {own.key: own.value for own in loaded.metadata_props}
    columns = json.loads(facts["massay.columns"])
    signature = ModelSignature(Schema([ColSpec("double", name) for name in columns]))
    mlflow.onnx.save_model(loaded, str(folder / "mlflow"), signature=signature)
    with open(options.table, newline="") as file:
        return [{name: float(row[name]) for name in columns} for row in csv.DictReader(file)]


class Server:
    def __init__(self, command):
        self.port = free_port()
        filled = [part.format(port=self.port) for part in command]
        # MLflow looks for uvicorn beside its interpreter only where that is on the path.
        bin = pathlib.Path(sys.executable).parent
        environment = {**os.environ, "PATH": f"{bin}:{os.environ['PATH']}"}
        began = time.monotonic()
        self.process = subprocess.Popen(
            filled, cwd=HERE if command[0] == sys.executable else None, start_new_session=True,
            env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        self.wait()
        self.start = time.monotonic() - began

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def wait(self):
        for _ in range(6000):
            for path in ("/ready", "/ping"):
                try:
                    if urllib.request.urlopen(self.url(path)).status == 200:
                        return
                except OSError:
                    pass
            assert self.process.poll() is None, f"{self.process.args} ended"
            time.sleep(0.01)
        raise TimeoutError(self.process.args)

    def family(self):
        root = psutil.Process(self.process.pid)
        return [root, *root.children(recursive=True)]

    def processor_seconds(self):
        times = [process.cpu_times() for process in self.family()]
        return sum(own.user + own.system for own in times)

    def resident_mb(self):
        return sum(process.memory_info().rss for process in self.family()) / 1e6

    def stop(self):
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def wrk(server, path, body, connections, seconds, script=None):
    """Requests, requests per second, and the latency in milliseconds that 99 % stay below."""
    with tempfile.TemporaryDirectory() as folder:
        if script is None:
            pathlib.Path(folder, "body").write_text(json.dumps(body))
            script = pathlib.Path(folder, "ask.lua")
            script.write_text(
                f'wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\n'
                f'wrk.body = io.open("{folder}/body"):read("*a")\n'
            )
        command = ["wrk", "--latency", f"-t{min(connections, 2)}", f"-c{connections}",
                   f"-d{seconds}s", "--timeout", "20s", "-s", str(script), server.url(path)]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "Non-2xx" not in said and "Socket errors" not in said or script.parent == HERE, said
    number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", said).groups()
    count = int(re.search(r"(\d+) requests in", said).group(1))
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", said).group(1))
    return {"count": count, "rate": rate, "p99": float(number) * UNITS[unit], "said": said}


def large(server, path, body):
    data = json.dumps(body).encode()
    request = urllib.request.Request(server.url(path), data, {"Content-Type": "application/json"})
    times = []
    for _ in range(5):
        began = time.perf_counter()
        answer = urllib.request.urlopen(request).read()
        times.append(1e3 * (time.perf_counter() - began))
    answer = json.loads(answer)
    assert len(answer if isinstance(answer, list) else answer["predictions"]) == ROWS
    return statistics.median(times)


def measure(command, path, shape, rows):
    server = Server(command)
    try:
        single, many = shape(rows[:1]), shape([rows[i % len(rows)] for i in range(ROWS)])
        wrk(server, path, single, 32, 2)
        before = server.processor_seconds()
        busy = wrk(server, path, single, 32, options.seconds)
        spent = server.processor_seconds() - before
        resident = server.resident_mb()
        return {
            "requests per second, 32 connections": busy["rate"],
            "processor ms per request": 1e3 * spent / busy["count"],
            "p99 at 1 connection, ms": wrk(server, path, single, 1, options.seconds)["p99"],
            "10,000 rows, ms": large(server, path, many),
            "MB resident after single rows": resident,
            "start to ready, s": server.start,
        }
    finally:
        server.stop()


def compare(folder):
    rows = prepare(folder)
    servers = commands(folder)
    chosen = options.only.split(",") if options.only else list(servers)
    found = {name: [] for name in chosen}
    for turn in range(options.rounds):
        for name in chosen:
            found[name].append(measure(*servers[name], rows))
            print(turn, name, {k: round(v, 3) for k, v in found[name][-1].items()},
                  file=sys.stderr, flush=True)
    report(found)


def report(found):
    kinds = list(next(iter(found.values()))[0])
    middle = {
        name: {kind: statistics.median(own[kind] for own in turns) for kind in kinds}
        for name, turns in found.items()
    }
    print("| | " + " | ".join(found) + " |\n|---|" + "---|" * len(found))
    for kind in kinds:
        cells = []
        for name in found:
            ratio = middle[name][kind] / middle[next(iter(found))][kind]
            ratio = "" if name == next(iter(found)) else f" ({ratio:.3g}x)"
            cells.append(f"{middle[name][kind]:.3g}{ratio}")
        print(f"| {kind} | " + " | ".join(cells) + " |")


def endurance(folder):
    prepare(folder)
    command, path, _ = commands(folder)["massay"]
    server = Server(command)
    part, done, failed = options.endurance // 10, 0, 0
    try:
        print(f"{0:>9} requests: {server.resident_mb():6.1f} MB")
        for _ in range(10):
            goal = done + part
            while done < goal:
                own = wrk(server, path, None, 64, 5, HERE / "varied.lua")
                done += own["count"]
                bad = re.search(r"Non-2xx or 3xx responses: (\d+)", own["said"])
                failed += int(bad.group(1)) if bad else 0
                assert "Socket errors" not in own["said"], own["said"]
            print(f"{done:>9} requests: {server.resident_mb():6.1f} MB, {failed} refused", flush=True)
    finally:
        server.stop()


with tempfile.TemporaryDirectory() as made:
    (endurance if options.endurance else compare)(pathlib.Path(made))
