"""Golden files of the frame area, from pandas: the flights grouped, counted and described, and a small table with holes.

Floats are written by repr, so that reading them gives the same bits; a missing value is an empty field.
"""

import numpy as np
import pandas as pd

from common import DATA, Area

AREA = Area("frame")
flights = pd.concat([pd.read_parquet(DATA / "flights" / f"flights-{m:02}.parquet", dtype_backend="numpy_nullable") for m in range(1, 13)], ignore_index=True)
airlines = pd.read_csv(DATA / "airlines.csv")


def write(name, table):
    table.to_csv(AREA.folder / f"{name}.csv", index=False, lineterminator="\n")


def carrier_month():
    grouped = flights.groupby(["carrier", "month"])
    delay = grouped["dep_delay"]
    write("carrier_month", grouped.agg(
        flights=("flight", "size"), departed=("dep_delay", "count"), mean_dep_delay=("dep_delay", "mean"), sum_dep_delay=("dep_delay", "sum"),
        min_dep_delay=("dep_delay", "min"), max_dep_delay=("dep_delay", "max"),
    ).assign(std_dep_delay=delay.std()).reset_index())


def carrier_name():
    table = flights.groupby("carrier").agg(flights=("flight", "size"), mean_dep_delay=("dep_delay", "mean"), mean_arr_delay=("arr_delay", "mean")).reset_index()
    write("carrier_name", table.merge(airlines, on="carrier", how="left").sort_values("mean_dep_delay", ascending=False))


def whole():
    columns = ["dep_delay", "arr_delay", "air_time", "distance", "dep_time"]
    write("describe", flights[columns].astype("float64").describe().rename_axis("statistic").reset_index())
    write("head", flights.head(10).assign(time_hour=lambda t: t["time_hour"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")))
    months = flights.groupby("month").size()
    AREA.json("flights.json", {
        "rows": len(flights), "columns": list(flights.columns), "rows_by_month": [int(v) for v in months],
        "nulls": {c: int(flights[c].isna().sum()) for c in flights.columns if flights[c].isna().any()},
        "distinct": {c: int(flights[c].nunique()) for c in ["carrier", "origin", "dest", "tailnum"]},
        "late": int((flights["dep_delay"] > 60).sum()), "mean_dep_delay": float(flights["dep_delay"].mean()),
        "busiest": [[k, int(v)] for k, v in flights["dest"].value_counts().head(5).items()],
    })


def small():
    """Twelve rows with a hole in the key, holes in the values, a NaN-free group, a group of holes only and one row alone."""
    table = pd.DataFrame({
        "key": ["b", "a", None, "b", "c", "a", "d", "c", "b", None, "e", "a"],
        "whole": pd.array([5, 3, 9, None, None, 7, -4, None, 2**53, 1, 0, -3], "Int64"),
        "real": [1.5, np.nan, 2.0, -0.5, np.nan, 4.0, 8.25, np.nan, 1e9, 3.0, -0.0, 0.125],
        "text": ["x", "yy", "", None, "z,z", 'quo"te', "ä", "x", "x", "line", "", None],
    })
    AREA.json("small.json", {c: [None if pd.isna(v) else v for v in table[c]] for c in table.columns})
    grouped = table.groupby("key", dropna=False)
    answer = grouped.agg(
        rows=("key", "size"), count=("whole", "count"), sum=("whole", "sum"), min=("whole", "min"), max=("whole", "max"), mean=("real", "mean"),
        first=("whole", "first"), last=("whole", "last"), distinct=("text", "nunique"),
    )
    answer["rows"] = grouped.size()
    answer["std"] = grouped["real"].std()
    write("small_grouped", answer.reset_index())
    numbers = table[["whole", "real"]].astype("float64")
    write("small_moments", pd.DataFrame(
        {"ddof": ddof, "column": c, "var": numbers[c].var(ddof=ddof), "std": numbers[c].std(ddof=ddof), "mean": numbers[c].mean(), "sum": numbers[c].sum(),
         "min": numbers[c].min(), "max": numbers[c].max(), "count": numbers[c].count(), "missing": numbers[c].isna().sum(), "distinct": numbers[c].nunique()}
        for ddof in (0, 1, 8, 9, 20) for c in numbers
    ))
    ordered = table.sort_values(["key", "whole"], ascending=[True, True], kind="stable", na_position="last")
    write("small_sorted", ordered[["key", "whole", "text"]])
    write("small_unique", table.drop_duplicates("key")[["key", "whole"]])
    write("small_top", table.nlargest(3, "whole")[["key", "whole"]])
    write("small_counts", table["text"].value_counts(dropna=False).rename("count").reset_index().sort_values(["count", "text"], ascending=[False, True]))
    names = pd.DataFrame({"key": ["a", "b", "b", "z"], "name": ["Ada", "Bob", "Ben", "Zoe"]})
    beside, numbers = [], table[["whole", "real"]]
    for n in (1, 2, -1, -3, 0, 11, 12, -40):
        beside.append(pd.concat([table.shift(n).add_prefix("shift_"), numbers.diff(n).add_prefix("diff_")], axis=1).assign(n=n))
    write("small_beside", pd.concat(beside))
    # Products of the whole numbers leave 64 bits where pandas wraps around.
    running = {"sum": numbers.cumsum(), "prod": numbers[["real"]].cumprod(), "min": numbers.cummin(), "max": numbers.cummax(), "count": table.notna().cumsum()}
    running["prod"]["whole"] = numbers["whole"].head(8).cumprod()
    write("small_running", pd.concat([answer.add_prefix(f"{name}_") for name, answer in running.items()], axis=1))
    for how in ["inner", "left"]:
        write(f"small_{how}", table[["key", "whole"]].dropna(subset=["key"]).merge(names, on="key", how=how))
    more(table, names)


def more(table, names):
    """Statistics, groups beside their rows, fills and other shapes of the small table."""
    whole, real = table["whole"].astype("float64"), table["real"]
    numbers = pd.DataFrame({"whole": whole, "real": real})
    # Without the extremes, beside which all else vanishes.
    numbers = numbers.where(numbers.abs() < 1e6)
    statistics = {"median": numbers.median(), "quantile": numbers.quantile(0.3), "skew": numbers.skew(), "kurt": numbers.kurt(), "prod": numbers.head(5).prod()}
    write("small_statistics", pd.DataFrame(statistics).rename_axis("column").reset_index())
    for name, matrix in {"corr": numbers.corr(), "cov": numbers.cov()}.items():
        write(f"small_{name}", matrix.rename_axis("column").reset_index())
    AREA.json("small_mode.json", {c: sorted(table[c].mode().tolist()) for c in ["key", "text"]})
    grouped = table.assign(whole=whole).groupby("key", dropna=False)
    write("small_over", pd.DataFrame({
        "mean": grouped["real"].transform("mean"), "size": grouped["key"].transform("size"), "running": grouped["whole"].cumsum(),
        "before": grouped["whole"].shift(1), "rank": grouped["whole"].rank(method="min"), "filled": grouped["whole"].ffill(),
        "forward": whole.ffill(), "backward": whole.bfill(), "limited": whole.ffill(limit=1), "z": (real - real.mean()) / real.std(),
        "rolling": whole.rolling(3, min_periods=1).max(),
    }))
    keyed = table[["key", "whole"]].dropna(subset=["key"])
    for how in ["right", "outer"]:
        joined = keyed.merge(names, on="key", how=how)
        write(f"small_{how}", joined.sort_values(["key", "whole", "name"], na_position="last"))
    melted = table.reset_index().melt(id_vars=["index", "key"], value_vars=["whole", "real"])
    write("small_melt", melted.sort_values(["index", "variable"], ascending=[True, False], kind="stable").drop(columns="index"))
    write("small_dummies", pd.get_dummies(table["key"], prefix="key", dtype="int64")[["key_a", "key_b", "key_c"]])
    write("small_pivot", keyed.assign(sign=(keyed["whole"].astype("float64") > 1).map({True: "large", False: "small"}))
          .pivot_table(index="key", columns="sign", values="whole", aggfunc="count", fill_value=0, dropna=False).reset_index())


for part in [carrier_month, carrier_name, whole, small]:
    part()
AREA.finish()
