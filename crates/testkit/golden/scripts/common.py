"""What every golden script shares: one area is one folder of small .npy files and an index `cases.json`.

A case is {name, operation, inputs, parameters, output}; `inputs` and `output` name .npy files of the same folder.
An output that is no array stands in the case itself as `value` (a number, a list or a text such as "nan").
Everything is written in a fixed order from fixed seeds, so making the files again changes nothing.
"""

import json
import math
import shutil
from pathlib import Path

import numpy as np

GOLDEN = Path(__file__).resolve().parents[1]
DATA = Path(__file__).resolve().parents[4] / "examples" / "data"


def plain(value):
    """A value as JSON can hold it: numpy scalars become Python's, NaN and infinities become texts."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else ("inf" if value > 0 else "-inf")
    return value


class Area:
    """Collects the arrays and cases of one area and writes them at the end."""

    def __init__(self, name):
        self.name = name
        self.folder = GOLDEN / name
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.cases = []
        self.names = set()

    def array(self, name, value):
        """Saves an array as <name>.npy and returns the file name. Zero-dimensional outputs stay arrays of shape ()."""
        value = np.asarray(value)
        file = f"{name}.npy"
        np.save(self.folder / file, value, allow_pickle=False)
        return file

    def case(self, name, operation, inputs, output=None, value=None, **parameters):
        assert name not in self.names, name
        self.names.add(name)
        entry = {"name": name, "operation": operation, "inputs": list(inputs), "parameters": plain(parameters)}
        if output is None:
            entry["value"] = plain(value)
        else:
            entry["output"] = self.array(name, output)
        self.cases.append(entry)

    def json(self, name, value):
        """Writes a JSON file of its own, with a line for each entry of the outermost list or dictionary."""
        (self.folder / name).write_text(render(plain(value)))

    def finish(self):
        if self.cases:
            self.json("cases.json", self.cases)
        files = sorted(p for p in self.folder.iterdir())
        size = sum(p.stat().st_size for p in files)
        print(f"{self.name}: {len(self.cases)} cases, {len(files)} files, {size / 1024:.0f} KiB")


def render(value):
    if isinstance(value, list):
        return "[\n" + ",\n".join("  " + json.dumps(v) for v in value) + "\n]\n"
    return "{\n" + ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in value.items()) + "\n}\n"
