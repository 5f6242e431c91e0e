"""Write the development tables of the accuracy benchmark: measured ones and synthetic ones.

    pip install numpy pandas scikit-learn && pip install --no-deps ISLP plotnine statsmodels
    python tables.py OUT [--seed 0] [--massay target/release/massay] [--tables NAME ..]

OUT/NAME.csv        numeric columns, the target `y`, in some tables the column `group`
OUT/NAME.folds.csv  one column `fold`, a line per row: 5 shuffled folds that keep groups together

Everything follows from the seed, which also shuffles the folds and draws the samples of large
tables. The drums come from `massay simulate` and are left out without --massay. Takes seconds.

The measured tables are read from files inside of the packages, which need not be imported: ISLP,
scikit-learn and statsmodels are BSD-licensed, plotnine is MIT-licensed; of statsmodels only data in
the public domain are taken. Columns that give the target away are dropped.
Text of two values becomes 0 and 1, an ordered text its rank, other text is left out.
"""

import argparse
import importlib.util
import subprocess
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.model_selection import GroupKFold, KFold

FOLDS = 5
TABLES = {}


def table(function):
    TABLES[function.__name__] = function
    return function


def package(name, file):
    """A data file of an installed package, without importing the package."""
    return Path(importlib.util.find_spec(name).origin).parent / file


def read(name, file, **options):
    return pd.read_csv(package(name, file), **options)


def tidy(frame, target, drop=(), group=None, ranks=None, rows=None, rng=None):
    """Numeric columns, then `y`, then `group`; rows with a gap are left out."""
    frame = frame.drop(columns=list(drop)).dropna()
    if rows:
        frame = frame.iloc[np.sort(rng.choice(len(frame), rows, replace=False))]
    out = {}
    for name in frame.columns.drop([target] + ([group] if group else [])):
        column = frame[name]
        if ranks and name in ranks:
            out[name] = column.map({text: rank for rank, text in enumerate(ranks[name])})
        elif pd.api.types.is_numeric_dtype(column):
            out[name] = column
        elif column.nunique() == 2:
            out[name] = (column == sorted(column.unique())[1]).astype(int)
    out["y"] = frame[target]
    if group:
        out["group"] = frame[group]
    return pd.DataFrame(out)


def frame(x, y):
    return pd.DataFrame(x, columns=[f"x{i + 1}" for i in range(x.shape[1])]).assign(y=y)


# ---- measured ----------------------------------------------------------------------------------


@table
def diabetes(rng):
    return datasets.load_diabetes(as_frame=True, scaled=False).frame.rename(columns={"target": "y"})


@table
def iris_sepal(rng):
    return tidy(datasets.load_iris(as_frame=True).frame, "sepal length (cm)", drop=["target"])


@table
def wine_alcohol(rng):
    return tidy(datasets.load_wine(as_frame=True).frame, "alcohol", drop=["target"])


@table
def boston(rng):
    return tidy(read("ISLP", "data/Boston.csv"), "medv")


@table
def autompg(rng):
    return tidy(read("ISLP", "data/Auto.csv", na_values="?"), "mpg", drop=["name"])


@table
def hitters(rng):
    return tidy(read("ISLP", "data/Hitters.csv"), "Salary")


@table
def carseats(rng):
    ranks = {"ShelveLoc": ["Bad", "Medium", "Good"]}
    return tidy(read("ISLP", "data/Carseats.csv"), "Sales", ranks=ranks)


@table
def credit(rng):
    return tidy(read("ISLP", "data/Credit.csv"), "Balance", drop=["ID"])


@table
def college_apps(rng):
    return tidy(read("ISLP", "data/College.csv"), "Apps")


@table
def college_grad(rng):
    return tidy(read("ISLP", "data/College.csv"), "Grad.Rate")


@table
def wage(rng):
    data = read("ISLP", "data/Wage.csv")
    ranks = {"education": sorted(data["education"].unique())}
    return tidy(data, "wage", drop=["logwage"], ranks=ranks)


def bikes(rng, rows=None):
    ranks = {
        "mnth": "Jan Feb March April May June July Aug Sept Oct Nov Dec".split(),
        "weathersit": ["clear", "cloudy/misty", "light rain/snow", "heavy rain/snow"],
    }
    data = read("ISLP", "data/Bikeshare.csv")
    return tidy(data, "bikers", drop=["casual", "registered"], ranks=ranks, rows=rows, rng=rng)


@table
def bikeshare_1500(rng):
    return bikes(rng, 1500)


@table
def bikeshare(rng):
    return bikes(rng)


DIAMOND_GRADES = {
    "cut": ["Fair", "Good", "Very Good", "Premium", "Ideal"],
    "color": list("JIHGFED"),
    "clarity": ["I1", "SI2", "SI1", "VS2", "VS1", "VVS2", "VVS1", "IF"],
}


def diamonds(rng, rows, grades):
    ranks = DIAMOND_GRADES if grades else None
    drop = [] if grades else list(DIAMOND_GRADES)
    data = read("plotnine", "data/diamonds.csv")
    data = data.rename(columns={"x": "length", "y": "width", "z": "height"})
    return tidy(data, "price", drop=drop, ranks=ranks, rows=rows, rng=rng)


@table
def diamonds_2000(rng):
    return diamonds(rng, 2000, grades=False)


@table
def diamonds_12000(rng):
    return diamonds(rng, 12000, grades=False)


@table
def diamonds_graded_2000(rng):
    return diamonds(rng, 2000, grades=True)


@table
def penguins(rng):
    return tidy(read("plotnine", "data/penguins.csv"), "body_mass_g")


@table
def midwest_poverty(rng):
    data = read("plotnine", "data/midwest.csv")
    leaky = ["percchildbelowpovert", "percadultpoverty", "percelderlypoverty", "PID"]
    return tidy(data, "percbelowpoverty", drop=leaky)


@table
def txhousing(rng):
    data = read("plotnine", "data/txhousing.csv")
    drop = ["volume", "date"]
    return tidy(data, "median", drop=drop, group="city", rows=2000, rng=rng)


@table
def engel(rng):
    return tidy(read("statsmodels", "datasets/engel/engel.csv"), "foodexp")


@table
def anes96_income(rng):
    data = read("statsmodels", "datasets/anes96/anes96.csv", sep="\t", quotechar="'")
    return tidy(data, "income")


@table
def randhie_3000(rng):
    return tidy(read("statsmodels", "datasets/randhie/randhie.csv"), "mdvis", rows=3000, rng=rng)


# ---- synthetic ---------------------------------------------------------------------------------


@table
def linear_60(rng):
    x = rng.normal(size=(60, 20))
    return frame(x, x @ rng.normal(size=20) + rng.normal(size=60))


@table
def spectra(rng):
    """Sums of Gaussian peaks of five substances on a sloping baseline; y is one concentration."""
    channel = np.arange(300)
    amounts = rng.gamma(2.0, size=(120, 5))
    spectrum = np.zeros((5, 300))
    for substance in spectrum:
        for centre, width in zip(rng.uniform(20, 280, 4), rng.uniform(5, 20, 4), strict=True):
            substance += rng.uniform(0.3, 1) * np.exp(-(((channel - centre) / width) ** 2) / 2)
    baseline = rng.normal(size=(120, 1)) + rng.normal(size=(120, 1)) * channel / 300
    x = amounts @ spectrum + baseline + 0.1 * rng.normal(size=(120, 300))
    return frame(x, amounts[:, 0] + 0.05 * rng.normal(size=120))


def friedman(kind, rows):
    make, noise = {
        1: (datasets.make_friedman1, 1.0),
        2: (datasets.make_friedman2, 125.0),
        3: (datasets.make_friedman3, 0.1),
    }[kind]
    return lambda rng: frame(
        *make(n_samples=rows, noise=noise, random_state=int(rng.integers(2**31)))
    )


for _kind in (1, 2, 3):
    for _rows in (100, 500, 3000):
        TABLES[f"friedman{_kind}_{_rows}"] = friedman(_kind, _rows)


@table
def piecewise_constant(rng):
    """A sum of boxes: steps at random places along the axes, where trees are at home."""
    x = rng.uniform(size=(800, 8))
    y = 0.2 * rng.normal(size=800)
    for _ in range(12):
        box = np.ones(800, dtype=bool)
        for axis in rng.choice(5, 2, replace=False):
            box &= (x[:, axis] > rng.uniform(0.2, 0.8)) == rng.choice([True, False])
        y += rng.normal() * box
    return frame(x, y)


@table
def waves_1d(rng):
    x = rng.uniform(-1, 1, size=(400, 1))
    return frame(x, np.sin(12 * x[:, 0]) + 0.5 * np.cos(31 * x[:, 0]) + 0.1 * rng.normal(size=400))


@table
def waves_3d(rng):
    x = rng.uniform(-1, 1, size=(400, 3))
    y = np.sin(5 * x[:, 0] * x[:, 1]) + np.cos(7 * x[:, 2]) + np.sin(3 * x.sum(axis=1))
    return frame(x, y + 0.1 * rng.normal(size=400))


@table
def outliers(rng):
    """Noise that grows with the first column, and one row in 25 far off."""
    x = rng.normal(size=(500, 6))
    y = 2 * x[:, 0] + x[:, 1] ** 2 + np.abs(x[:, 2]) * x[:, 3]
    y += 0.5 * np.exp(0.7 * x[:, 0]) * rng.normal(size=500)
    return frame(x, y + 15 * rng.standard_t(2, size=500) * (rng.uniform(size=500) < 0.04))


@table
def products(rng):
    """A law of powers over decades with relative errors: right-skewed inputs and target."""
    x = np.exp(rng.normal(size=(600, 6)))
    y = x[:, 0] * x[:, 1] ** 0.5 / x[:, 2] + 0.2 * x[:, 3]
    return frame(x, y * np.exp(0.1 * rng.normal(size=600)))


@table
def irrelevant(rng):
    x = rng.normal(size=(200, 50))
    y = 2 * x[:, 0] + np.sin(2 * x[:, 1]) + x[:, 2] * x[:, 3]
    return frame(x, y + 0.5 * rng.normal(size=200))


@table
def noise(rng):
    return frame(rng.normal(size=(150, 8)), rng.normal(size=150))


def drums(*options):
    """Simulated drums by `massay simulate`; grouped by container."""

    def make(rng):
        if not arguments.massay:
            return None
        command = [arguments.massay, "simulate", "--seed", str(rng.integers(1000, 2**31)), *options]
        command += ["--force", "--out", str(arguments.out / "drums.tmp")]
        subprocess.run(command, check=True, capture_output=True)
        data = pd.read_csv(arguments.out / "drums.tmp")
        (arguments.out / "drums.tmp").unlink()
        return tidy(data, "mass", group="container")

    return make


TABLES["drums_104"] = drums()
TABLES["drums_600"] = drums(*"--containers 600 --remeasured 60 --positions 3 --repeats 1".split())
TABLES["drums_4000"] = drums(
    *"--containers 4000 --remeasured 200 --positions 2 --repeats 1".split()
)


def write(name):
    rng = np.random.default_rng([arguments.seed, zlib.crc32(name.encode())])
    data = TABLES[name](rng)
    if data is None:
        return print(f"{name:22} left out: needs --massay")
    data = data.reset_index(drop=True)
    groups = data.get("group")
    kfold = KFold if groups is None else GroupKFold
    splits = kfold(FOLDS, shuffle=True, random_state=arguments.seed).split(data, groups=groups)
    folds = np.empty(len(data), dtype=int)
    for fold, (_, held_out) in enumerate(splits):
        folds[held_out] = fold
    data.to_csv(arguments.out / f"{name}.csv", index=False, float_format="%.9g")
    pd.DataFrame({"fold": folds}).to_csv(arguments.out / f"{name}.folds.csv", index=False)
    columns = data.shape[1] - 1 - (groups is not None)
    note = "" if groups is None else f"  {groups.nunique()} groups"
    print(f"{name:22} {len(data):6} x {columns:3}{note}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write the tables of the accuracy benchmark.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--massay", help="the program, for the simulated drums")
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES), metavar="NAME")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name in arguments.tables:
        write(name)
