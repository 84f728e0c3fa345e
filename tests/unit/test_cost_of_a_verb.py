"""What a plain new verb costs: a patch of four files, applied to a copy, gives it a route, a command and a key."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATCH = ROOT / "tests" / "patches" / "plain_verb.patch"


def test_a_plain_verb_costs_four_files(tmp_path: Path) -> None:
    """Documents that are generated, such as the diagram in CONTRIBUTING, do not count."""
    for name in ("tokenq", "tokenq_server", "tokenq_tui", "tests", "pyproject.toml"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    subprocess.run(["git", "apply", str(PATCH)], cwd=tmp_path, check=True)
    changed = re.findall(r"^\+\+\+ b/(.+)$", PATCH.read_text(), re.MULTILINE)
    assert len(changed) <= 4, changed

    tests = ["tests/unit/test_checking_in.py", "tests/unit/test_verbs.py", "tests/unit/test_moving.py"]
    run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests, "-k", "not diagram"]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    told = subprocess.run(
        [sys.executable, "-c", "from tokenq.cli.main import main; main()", "check-in", "--help"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Note that a person who waits has arrived." in told.stdout, told.stderr
