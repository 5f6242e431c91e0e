"""What an MLflow server knows of a run, as its own client sees it, as JSON.

Arguments: URI of the server, name of the run.
"""

import json
import sys
from collections import Counter

import mlflow

uri, name = sys.argv[1:]
mlflow.set_tracking_uri(uri)
client = mlflow.MlflowClient()
experiment = client.get_experiment_by_name("massay")
runs = client.search_runs([experiment.experiment_id], max_results=1000)
parents = [run for run in runs if run.info.run_name == name]
parent = parents[0]
folds = client.search_runs(
    [experiment.experiment_id], f"tags.mlflow.parentRunId = '{parent.info.run_id}'"
)


def files(run_id, path=None):
    found = []
    for entry in client.list_artifacts(run_id, path):
        found += files(run_id, entry.path) if entry.is_dir else [entry.path]
    return found


def steps(run):
    """How often each step of each metric is there, the largest of all: 1 unless something came twice."""
    counts = [
        max(Counter(point.step for point in client.get_metric_history(run.info.run_id, key)).values())
        for key in run.data.metrics
    ]
    return max(counts, default=1)


def curve(run, key):
    return [point.value for point in client.get_metric_history(run.info.run_id, key)]


models = parent.outputs.model_outputs if parent.outputs else []
versions = client.search_model_versions("name='massay-mass'")
dataset = parent.inputs.dataset_inputs
print(
    json.dumps(
        {
            "parents": len(parents),
            "folds": sorted(run.info.run_name for run in folds),
            "statuses": sorted({run.info.status for run in runs}),
            "params": parent.data.params,
            "tags": parent.data.tags,
            "metrics": parent.data.metrics,
            "fold_metrics": [run.data.metrics for run in folds],
            "fold_curve": curve(folds[0], "loss/train"),
            "repeated": max(steps(run) for run in [parent, *folds]),
            "dataset": dataset[0].dataset.digest if dataset else None,
            "files": files(parent.info.run_id),
            "models": [client.get_logged_model(model.model_id).status.value for model in models],
            "versions": [[own.version, own.run_id == parent.info.run_id] for own in versions],
            "aliases": dict(client.get_registered_model("massay-mass").aliases) if versions else {},
        }
    )
)
