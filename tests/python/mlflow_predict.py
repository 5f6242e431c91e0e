"""Predicts with the champion as MLflow loads it, as MLflow serves it, or as Spark scores it.

Arguments: URI of the server, `pyfunc`, `serve` or `spark`, table, file for the answers.
"""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request

import mlflow
import pandas as pd

uri, way, table, out = sys.argv[1:]
os.environ["MLFLOW_TRACKING_URI"] = uri
mlflow.set_tracking_uri(uri)
model = "models:/massay-mass@champion"
columns = mlflow.models.get_model_info(model).signature.inputs.input_names()
# Another order than the model's: names count.
rows = pd.read_csv(table)[columns[::-1]].astype(float)


def served():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["-m", "mlflow", "models", "serve", "--model-uri", model, "--env-manager", "local"]
    place = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    path = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]
    server = subprocess.Popen(
        [sys.executable, *command, *place],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PATH": path},
        start_new_session=True,
    )
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(240):
            try:
                urllib.request.urlopen(address + "/ping")
                break
            except OSError:
                time.sleep(0.5)
        body = json.dumps({"dataframe_split": json.loads(rows.to_json(orient="split", index=False))})
        request = urllib.request.Request(
            address + "/invocations", body.encode(), {"Content-Type": "application/json"}
        )
        return pd.DataFrame(json.load(urllib.request.urlopen(request))["predictions"])
    finally:
        os.killpg(server.pid, 15)


def spark():
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    session = SparkSession.builder.master("local[1]").config("spark.ui.enabled", False).getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    score = mlflow.pyfunc.spark_udf(
        session, model, "prediction double, lower double, upper double", env_manager="local"
    )
    frame = session.createDataFrame(rows.reset_index())
    scored = frame.select("index", score(*columns).alias("answer")).select("index", "answer.*")
    return scored.toPandas().sort_values("index").drop(columns="index")


def loaded():
    return mlflow.pyfunc.load_model(model).predict(rows)


answers = {"pyfunc": loaded, "serve": served, "spark": spark}[way]()
answers[["prediction", "lower", "upper"]].to_csv(out, index=False)
