"""Predicts the rows of a table with onnxruntime: predict_onnx.py MODEL TABLE > PREDICTIONS.

The columns are found by the names that the model carries; empty cells become NaN.
"""

import csv
import json
import sys

import numpy as np
import onnxruntime

model, table = sys.argv[1:3]
session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
columns = json.loads(session.get_modelmeta().custom_metadata_map["massay.columns"])
with open(table, newline="") as file:
    rows = list(csv.DictReader(file))
inputs = np.array([[float(row[name] or "nan") for name in columns] for row in rows])
names = [output.name for output in session.get_outputs()]
outputs = session.run(names, {session.get_inputs()[0].name: inputs})
writer = csv.writer(sys.stdout)
writer.writerow(names)
writer.writerows(zip(*(output[:, 0].tolist() for output in outputs)))
