"""A client that openapi-python-client makes of /openapi.json, used as in docs/api.md; every failure is a Problem."""

import json
import os
import re
import subprocess
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.manual import DOCS
from tests.stack import Stack

GENERATOR = Path(os.environ["TOKENQ_TEST_GENERATOR"])


@pytest.fixture(scope="module")
def generated(running: Stack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the client's package."""
    folder = tmp_path_factory.mktemp("generated")
    with urlopen(f"{running.endpoints.api}/openapi.json", timeout=10) as answer:
        (folder / "openapi.json").write_bytes(answer.read())
    words = ["generate", "--path", folder / "openapi.json", "--output-path", folder / "client"]
    done = subprocess.run([GENERATOR, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_nothing_is_left_out(generated: Path) -> None:
    """The generator skips operations and answers that it cannot read, and goes on."""
    document = json.loads((generated / "openapi.json").read_text())
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]
    modules = [path for path in (generated / "client").glob("tokenq_client/api/*/*.py") if path.stem != "__init__"]
    assert len(modules) == len(operations)
    for module in modules:
        failures = set(re.findall(r"response_[45]\d\d = (.*)", module.read_text()))
        if "readyz" not in module.stem:  # whose 503 says what is down
            assert failures == {"Problem.from_dict(response.json())"}, module.name


def test_it_issues_calls_and_reads_a_refusal(running: Stack, generated: Path) -> None:
    assert running.ask("PUT", "/api/v1/departments/GEN", {"name": "Generated"})[0] == 200
    words = [GENERATOR.with_name("python"), DOCS / "examples" / "generated_client.py", "GEN"]
    environment = os.environ | running.environment | {"PYTHONPATH": str(generated / "client")}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "GEN-001 WAITING",
        "GEN-001 CALLED at counter 1",
        "queue_empty: Nobody is waiting in GEN.",
    ]
