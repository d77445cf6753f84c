"""Makes every golden file again: `cargo xtask golden` runs this inside a virtual environment with the pinned versions."""

import runpy
import sys
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
for script in sorted(HERE.glob("make_*.py")):
    if script.name != "make_all.py":
        runpy.run_path(str(script), run_name="__main__")
