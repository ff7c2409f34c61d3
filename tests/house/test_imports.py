"""The contracts between the floors and rooms of the house hold."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_imports_only_go_where_the_contracts_allow():
    lint_imports = Path(sys.executable).with_name("lint-imports")

    run = subprocess.run([lint_imports, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stdout + run.stderr
    assert "0 broken" in run.stdout
