"""The exported model as a peer's handlers ask it: a record in, prediction and bounds out."""

import json
import os

import numpy as np
import onnxruntime

options = onnxruntime.SessionOptions()
# One row has nothing to share among threads, and the workers already fill the cores.
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(
    os.environ["MODEL"], options, providers=["CPUExecutionProvider"]
)
columns = json.loads(session.get_modelmeta().custom_metadata_map["massay.columns"])
NAMES = ["prediction", "lower", "upper"]


def score(records):
    """Predictions of a list of records."""
    inputs = np.array([[record[name] for name in columns] for record in records], dtype=float)
    outputs = session.run(NAMES, {"inputs": inputs})
    return [dict(zip(NAMES, row)) for row in np.hstack(outputs).tolist()]
