"""Asks the service with the client that MLflow ships for its own scoring server.

Arguments: address, table, file for the answers.
"""

import sys

import pandas as pd
from mlflow.pyfunc.scoring_server.client import ScoringServerClient

address, table, out = sys.argv[1:]
host, port = address.split(":")
rows = pd.read_csv(table).filter(like="det")
client = ScoringServerClient(host, int(port))
client.ping()
answers = client.invoke(rows[rows.columns[::-1]]).get_predictions()
answers[["prediction", "lower", "upper"]].to_csv(out, index=False)
