"""The service as one would write it with Flask."""

from flask import Flask, jsonify, request
from scorer import score

app = Flask(__name__)


@app.get("/ready")
def ready():
    return "ready"


@app.post("/predict")
def predict():
    body = request.get_json()
    if isinstance(body, list):
        return jsonify(predictions=score(body))
    return jsonify(score([body])[0])
