"""The cost of a change: a kept patch, applied to a copy of the tree, and its tests."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
_CATALOGUE = "tokenq/contract/reasons/"


class Patched:
    """A copy of the tree with one of ``tests/patches`` applied."""

    def __init__(self, name: str, folder: Path) -> None:
        self.folder = folder
        for part in ("tokenq", "tokenq_server", "tokenq_tui", "tests", "pyproject.toml"):
            copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
            copy(ROOT / part, folder / part)
        patch = ROOT / "tests" / "patches" / f"{name}.patch"
        subprocess.run(["git", "apply", str(patch)], cwd=folder, check=True)
        changed = re.findall(r"^\+\+\+ b/(.+)$", patch.read_text(), re.MULTILINE)
        self.files = [name for name in changed if not name.startswith(_CATALOGUE)]
        """The files that it changes or adds; the catalogue of refusals does not count."""

    def check(self, *tests: str) -> None:
        """Run tests there. Raises AssertionError if they fail."""
        done = self.run("-m", "pytest", "-q", "-p", "no:cacheprovider", *tests)
        assert done.returncode == 0, done.stdout[-3000:]

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run Python there."""
        command = [sys.executable, *arguments]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)

    def tokenq(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run the command line there."""
        return self.run("-c", "from tokenq.cli.main import main; main()", *arguments)
