"""What the manuals of API and extensions show is run as printed, on a system of its own."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.manual import DOCS, play
from tests.stack import Stack, kill_part, start, up_folder
from tests.waiting import until
from tokenq_server.embedded.addresses import takes_tokens


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


@contextmanager
def followed(stack: Stack, position: str) -> Iterator[Iterator[str]]:
    """The lines that the example for browsers prints, run by Node."""
    words = ["node", str(DOCS / "examples" / "follow.mjs"), stack.endpoints.api, stack.token, "CW", position]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield (line.strip() for line in process.stdout)
        finally:
            process.kill()


def test_the_examples_of_the_api(stack: Stack, tmp_path: Path) -> None:
    play("docs/api.md", environment(stack, tmp_path), tmp_path)
    if not shutil.which("node"):
        pytest.skip("Node is not installed: the example for browsers, docs/examples/follow.mjs, was not run.")
    with followed(stack, "CW:1") as lines:
        assert [next(lines) for _ in range(3)] == [f"CW-00{number}: counter 1" for number in (1, 2, 3)]
        kill_part(stack.data_dir, "tokenq_server api")
        until(lambda: takes_tokens(stack.endpoints.api), lambda: "The API does not come back.")
        assert stack.ask("POST", "/api/v1/departments/CW/call", {"counterId": "1"})[0] == 200
        assert next(lines) == "CW-004: counter 1"


def test_the_examples_of_extensions(stack: Stack, tmp_path: Path) -> None:
    shutil.copytree(DOCS / "examples", tmp_path / "examples")
    play("docs/extending.md", environment(stack, tmp_path), tmp_path)


def test_curl_trusts_the_certificate_of_up(tmp_path: Path) -> None:
    (block,) = re.findall(r"## TLS.*?```bash\n(.*?)```", (DOCS / "api.md").read_text("utf-8"), re.DOTALL)
    with up_folder() as folder:
        endpoints = start(folder, own_certificate=True).endpoints
        script = block.replace("192.168.1.5:8080", endpoints.api.removeprefix("https://"))
        done = subprocess.run(
            ["bash", "-e"], input=script, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )
    assert done.stdout.splitlines() == [endpoints.fingerprint, '{"status":"alive"}']
