"""Out-of-fold predictions of other regressors on the tables of `tables.py`.

    pip install numpy pandas scikit-learn torch
    pip install pytabkit pytorch-lightning torchmetrics        # for realmlp and tabm
    python peers.py OUT [--tables NAME ..] [--peers NAME ..]

OUT/predictions/TABLE.PEER.csv   one column `prediction`, rows as in the table
OUT/predictions/TABLE.PEER.json  its seconds (all folds, one thread) and RMSE

What is there is not computed again, so a run can be stopped and started at will; delete a file to
have it anew. Every peer is set as a competent user would set it, with nothing tuned by hand. The
work goes from cheap to dear: scikit-learn takes minutes for all tables, RealMLP an hour or two,
TabM on a CPU many hours; both of these go from small tables to large ones.
"""
# ruff: noqa: E402  (the thread counts below must be set before numpy is loaded)

import argparse
import json
import logging
import os
import time
import warnings
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np
import pandas as pd
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    ExtraTreesRegressor,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
)
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)  # Lightning is chatty


def scaled(model):
    """Inputs and target in units of their standard deviation."""
    model = make_pipeline(StandardScaler(), model)
    return TransformedTargetRegressor(model, transformer=StandardScaler())


def svr_tuned(x, groups):
    inner = KFold(5, shuffle=True, random_state=0) if groups is None else GroupKFold(5)
    grid = {"svr__C": [1, 10, 100], "svr__gamma": [g / x.shape[1] for g in (0.03, 0.1, 0.3, 1)]}
    search = GridSearchCV(
        make_pipeline(StandardScaler(), SVR()),
        grid,
        scoring="neg_mean_squared_error",
        cv=list(inner.split(x, groups=groups)),
    )
    return TransformedTargetRegressor(search, transformer=StandardScaler())


def realmlp(x, groups):
    import torch
    from pytabkit import RealMLP_TD_Regressor

    torch.set_num_threads(1)
    return RealMLP_TD_Regressor(random_state=0, n_threads=1, device="cpu")


def tabm(x, groups):
    import torch
    from pytabkit import TabM_D_Regressor

    torch.set_num_threads(1)
    return TabM_D_Regressor(random_state=0, n_threads=1, device="cpu")


PEERS = {
    "ridge": lambda x, groups: make_pipeline(StandardScaler(), RidgeCV(np.logspace(-3, 4, 30))),
    "svr": lambda x, groups: scaled(SVR()),
    "svr_tuned": svr_tuned,
    "rf": lambda x, groups: RandomForestRegressor(random_state=0),
    "et": lambda x, groups: ExtraTreesRegressor(random_state=0),
    "hgb": lambda x, groups: HistGradientBoostingRegressor(random_state=0),
    "mlp": lambda x, groups: scaled(
        MLPRegressor(max_iter=500, early_stopping=len(x) > 1000, random_state=0)
    ),
    "realmlp": realmlp,
    "tabm": tabm,
}
CHEAP = [peer for peer in PEERS if peer not in ("svr_tuned", "realmlp", "tabm")]
PLAN = [  # peers and the most rows they are given, in the order of the work
    (CHEAP, 10**9),
    (["svr_tuned"], 2000),
    (["realmlp"], 4500),
    (["tabm"], 700),
    (["realmlp"], 10**9),
    (["tabm"], 4500),
]


def read(out, name):
    """Inputs, target, groups or None, and folds of a table."""
    data = pd.read_csv(out / f"{name}.csv")
    folds = pd.read_csv(out / f"{name}.folds.csv")["fold"].to_numpy()
    groups = data.pop("group").to_numpy() if "group" in data else None
    return data.drop(columns="y").to_numpy(float), data["y"].to_numpy(float), groups, folds


def cached(out, name, peer):
    return out / "predictions" / f"{name}.{peer}.csv"


def compute(out, name, peer):
    x, y, groups, folds = read(out, name)
    if peer in ("realmlp", "tabm"):
        x, y = x.astype(np.float32), y.astype(np.float32)
    prediction = np.empty(len(y))
    start = time.time()
    for fold in np.unique(folds):
        train = folds != fold
        model = PEERS[peer](x[train], None if groups is None else groups[train])
        prediction[~train] = np.ravel(model.fit(x[train], y[train]).predict(x[~train]))
    seconds = time.time() - start
    rmse = float(np.sqrt(np.mean((prediction - y) ** 2)))
    path = cached(out, name, peer)
    facts = {"seconds": round(seconds, 2), "rmse": rmse, "r2": 1 - rmse**2 / float(np.var(y))}
    path.with_suffix(".json").write_text(json.dumps(facts) + "\n")
    frame = pd.DataFrame({"prediction": prediction})
    frame.to_csv(path.with_suffix(".part"), index=False, float_format="%.9g")
    path.with_suffix(".part").rename(path)  # there only when it is whole
    print(f"{name:22} {peer:10} R2 {facts['r2']:7.4f} {seconds:8.1f} s", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Predictions of other regressors.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--tables", nargs="+", metavar="NAME", help="those in OUT, where not given")
    parser.add_argument("--peers", nargs="+", choices=PEERS, metavar="NAME")
    arguments = parser.parse_args()
    out = arguments.out
    (out / "predictions").mkdir(exist_ok=True)
    tables = arguments.tables or [p.name[: -len(".folds.csv")] for p in out.glob("*.folds.csv")]
    size = {name: read(out, name)[0].shape for name in tables}
    for peers, most in PLAN:
        for name in sorted(tables, key=lambda name: size[name]):
            for peer in peers:
                wanted = arguments.peers is None or peer in arguments.peers
                if wanted and size[name][0] <= most and not cached(out, name, peer).exists():
                    try:
                        compute(out, name, peer)
                    except Exception as error:  # one peer on one table must not end the run
                        print(f"{name:22} {peer:10} failed: {error!r}", flush=True)
