"""The pages about a whole system: what they tell administrators to type works as printed."""

import shutil
from pathlib import Path

import httpx
import pytest

from tests.manual import follow
from tests.stack import start, up_folder
from tests.waiting import until
from tokenq_server.embedded import Endpoints
from tokenq_server.embedded.ports import free_port


def test_the_first_commands_of_an_administrator() -> None:
    with up_folder() as folder:
        port = str(free_port())
        names = {"/var/lib/tokenq": str(folder / "data"), "http://127.0.0.1:8080": f"http://127.0.0.1:{port}"}
        names |= {"~/.config": str(folder / ".config")}
        settings = {"TOKENQ_DATA_DIR": str(folder / "data"), "TOKENQ_PORT": port}
        complaints = "\n\n".join(follow("docs/running.md", folder, settings, names))
    assert not complaints, complaints


@pytest.mark.skipif(shutil.which("curl") is None, reason="the page uses curl")
def test_what_a_monitor_asks(tmp_path: Path) -> None:
    with up_folder() as folder:
        places = start(folder).endpoints
        names = {"http://127.0.0.1:8080": places.api, "http://127.0.0.1:9101": places.relay}
        until(lambda: _is_heard(places))  # relay and notify may begin a moment after `up` is ready
        complaints = "\n\n".join(follow("docs/watching.md", tmp_path, {}, names))
    assert not complaints, complaints


def _is_heard(places: Endpoints) -> bool:
    try:
        parts = httpx.get(f"{places.api}/readyz").json()["parts"]
        return parts["notify"] == "up" and httpx.get(f"{places.relay}/readyz").status_code == 200
    except httpx.HTTPError:
        return False
