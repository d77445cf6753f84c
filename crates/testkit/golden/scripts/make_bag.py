"""Golden files of the bag area, from dask.bag: word frequencies of the texts of the examples, and a folded JSON-lines file."""

import gzip
import json
import re

import dask.bag as db
import numpy as np

from common import DATA, Area

AREA = Area("bag")


def frequencies():
    lines = db.read_text(sorted(str(p) for p in (DATA / "text").glob("declaration-*.txt")))
    ways = {
        "split": ("text split at white space", lambda line: line.split()),
        "letters": ("runs of the letters a-z of the text in lower case", lambda line: re.findall("[a-z]+", line.lower())),
    }
    for name, (meaning, words) in ways.items():
        counted = dict(lines.map(words).flatten().frequencies().compute(scheduler="sync"))
        ranked = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
        AREA.json(f"frequencies_{name}.json", {
            "meaning": meaning, "lines": int(lines.count().compute(scheduler="sync")), "words": sum(counted.values()), "distinct": len(counted),
            "order": "count downwards, then the word upwards", "top": ranked[:20], "all": dict(ranked),
        })


def accounts():
    rng = np.random.Generator(np.random.Philox(31))
    names = ["Alice", "Bob", "Charlie", "Dan", "Edith", "Frank"]
    rows = [
        {"id": i, "name": names[rng.integers(6)], "amount": int(rng.integers(-500, 1000)), "tags": [f"t{v}" for v in rng.integers(0, 4, rng.integers(0, 4))]}
        for i in range(200)
    ]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (AREA.folder / "accounts.jsonl").write_text(text)
    (AREA.folder / "accounts.jsonl.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
    bag = db.from_sequence(rows, npartitions=7)
    AREA.json("accounts.json", {
        "count": len(rows), "sum": int(bag.pluck("amount").sum().compute(scheduler="sync")), "max": int(bag.pluck("amount").max().compute(scheduler="sync")),
        "names": dict(sorted(bag.pluck("name").frequencies().compute(scheduler="sync"))),
        "tags": dict(sorted(bag.pluck("tags").flatten().frequencies().compute(scheduler="sync"))),
        "min": int(bag.pluck("amount").min().compute(scheduler="sync")), "mean": float(np.mean([row["amount"] for row in rows])),
        "var": [float(np.var([row["amount"] for row in rows], ddof=ddof)) for ddof in (0, 1, 2.5)],
        "std": [float(np.std([row["amount"] for row in rows], ddof=ddof)) for ddof in (0, 1, 2.5)],
        "distinct_names": sorted(bag.pluck("name").distinct().compute(scheduler="sync")),
        "any_over_990": bool(bag.pluck("amount").map(lambda amount: amount > 990).any().compute(scheduler="sync")),
        "all_over_minus_490": bool(bag.pluck("amount").map(lambda amount: amount > -490).all().compute(scheduler="sync")),
        "positive": int(bag.filter(lambda row: row["amount"] > 0).count().compute(scheduler="sync")),
        "topk_amounts": list(bag.pluck("amount").topk(5).compute(scheduler="sync")),
        "amount_by_name": dict(sorted(bag.foldby("name", lambda total, row: total + row["amount"], 0, lambda a, b: a + b, 0).compute(scheduler="sync"))),
    })


frequencies()
accounts()
AREA.finish()
