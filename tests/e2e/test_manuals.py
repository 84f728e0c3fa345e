"""What the manuals of API and extensions show is run as printed, on a system of its own."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.manuals import DOCS, play
from tests.stack import Stack, start, up_folder


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """A new system, on which numbers begin with 1, with folders of its own for templates and catalogues."""
    with up_folder() as folder:
        monkeypatch.setenv("TOKENQ_TEMPLATES", str(folder / "own" / "templates"))
        monkeypatch.setenv("TOKENQ_LOCALE", str(folder / "own" / "locale"))
        yield start(folder)


def environment(stack: Stack, folder: Path) -> dict[str, str]:
    """What the manuals take for granted."""
    password = stack.data_dir / "secrets" / "admin.password"
    own = {
        "URL": stack.endpoints.api,
        "PASSWORD": password.read_text().strip(),
        "OUTBOX": stack.endpoints.mail_outbox,
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


def test_the_examples_of_extensions(stack: Stack, tmp_path: Path) -> None:
    shutil.copytree(DOCS / "examples", tmp_path / "examples")
    play(DOCS / "extending.md", environment(stack, tmp_path), tmp_path)


def test_curl_trusts_the_certificate_of_up(tmp_path: Path) -> None:
    (block,) = re.findall(r"## TLS.*?```bash\n(.*?)```", (DOCS / "api.md").read_text("utf-8"), re.DOTALL)
    with up_folder() as folder:
        endpoints = start(folder, own_certificate=True).endpoints
        script = block.replace("192.168.1.5:8080", endpoints.api.removeprefix("https://"))
        done = subprocess.run(
            ["bash", "-e"], input=script, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )
    assert done.stdout.splitlines() == [endpoints.fingerprint, '{"status":"alive"}']
