"""What the manuals of API and extensions show is run as printed, on a system of its own."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.manuals import DOCS, included_in, play
from tests.stack import Stack, start, up_folder
from tokenq.contract.problems import ProblemCode

CODE = re.compile(r"^\| `(\w+)` \| (\d+) \| (\d+) \| \S", re.MULTILINE)


@pytest.fixture
def stack() -> Iterator[Stack]:
    """A new system: the manuals' numbers begin with 1."""
    with up_folder() as folder:
        yield start(folder)


def environment(stack: Stack, folder: Path) -> dict[str, str]:
    """What the manuals take for granted."""
    password = stack.data_dir / "secrets" / "admin.password"
    own = {
        "URL": stack.endpoints.api,
        "PASSWORD": password.read_text().strip(),
        "XDG_CONFIG_HOME": str(folder),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    return os.environ | stack.environment | own


def follow(stack: Stack, position: str) -> str:
    """The first line that the example for browsers prints, run by Node."""
    words = ["node", str(DOCS / "examples" / "follow.mjs"), stack.endpoints.api, stack.token, "CW", position]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            return process.stdout.readline().strip()
        finally:
            process.kill()


def test_the_examples_of_the_api(stack: Stack, tmp_path: Path) -> None:
    play(DOCS / "api.md", environment(stack, tmp_path), tmp_path)
    if not shutil.which("node"):
        pytest.skip("Node is not installed: the example for browsers, docs/examples/follow.mjs, was not run.")
    assert follow(stack, "CW:1") == "CW-001: counter 1"


def test_every_problem_is_in_the_table() -> None:
    rows = CODE.findall((DOCS / "api.md").read_text("utf-8"))
    assert rows == [(str(code), str(code.status), str(code.exit_code.value)) for code in ProblemCode]


@pytest.mark.parametrize("manual", ["api.md"])
def test_a_manual_shows_its_examples_as_they_are(manual: str) -> None:
    shown = included_in(DOCS / manual)
    assert shown
    for name, text in shown.items():
        assert (DOCS / name).read_text("utf-8") == text, name
