"""Grafana's dashboards: what each panel asks is asked of a real Prometheus that has watched a short day."""

import importlib.util
import json
import math
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.stack import Stack
from tests.watching.prometheus import DEPLOY, Prometheus, prometheus
from tokenq.client import Client
from tokenq.contract.problems import Refused

pytestmark = pytest.mark.watching
FOLDER = DEPLOY / "grafana"


def written() -> dict[str, str]:
    """What the dashboards' source says now, by file."""
    source = importlib.util.spec_from_file_location("make_dashboards", FOLDER / "make_dashboards.py")
    assert source
    assert source.loader
    module: Any = importlib.util.module_from_spec(source)
    source.loader.exec_module(module)
    found: dict[str, str] = module.dashboards()
    return found


def panels() -> Iterator[tuple[str, str, str]]:
    """Dashboard, title and query of each panel."""
    for path in sorted(FOLDER.glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel.get("targets", ()):
                yield path.stem, panel["title"], target["expr"].replace("$department", ".*")


def day(stack: Stack) -> None:
    """Everything that a panel shows, once more."""
    with Client(stack.endpoints.api, stack.token) as admin:
        for _ in range(6):
            admin.issue("CW", email="ada@example.org")
        admin.serve_next("CW", "1")
        admin.move(admin.call("CW", "1"), "no-show")
        admin.move(admin.issue("CW"), "cancel")
    for _ in range(12):
        with Client(stack.endpoints.api) as stranger, pytest.raises(Refused):
            stranger.login("ada", "wrong")


@pytest.fixture(scope="module")
def watched(running: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with Client(running.endpoints.api, running.token) as admin:
        admin.create_department({"departmentId": "CW", "name": "Customer window"})
    day(running)
    with prometheus(running, tmp_path_factory.mktemp("prometheus")) as server:
        time.sleep(3)  # so that the counters are known before they grow
        day(running)
        time.sleep(4)
        yield server


def test_the_files_are_what_their_source_says() -> None:
    assert {path.name: path.read_text() for path in FOLDER.glob("*.json")} == written()


@pytest.mark.parametrize(("dashboard", "title", "query"), list(panels()))
def test_a_panel_shows_something(watched: Prometheus, dashboard: str, title: str, query: str) -> None:
    series = watched.query(query)
    assert series, f"{dashboard}: {title} is empty"
    assert any(not math.isnan(float(each["value"][1])) for each in series), f"{dashboard}: {title} has no number"


def test_no_panel_lies_over_another_one() -> None:
    for path in FOLDER.glob("*.json"):
        places = [panel["gridPos"] for panel in json.loads(path.read_text())["panels"]]
        taken = [(x, y) for p in places for x in range(p["x"], p["x"] + p["w"]) for y in range(p["y"], p["y"] + p["h"])]
        assert len(taken) == len(set(taken))
        assert max(x for x, _ in taken) < 24


def test_what_the_dashboards_ask_for_exists(watched: Prometheus) -> None:
    """The variable's values are departments."""
    labels = httpx.get(f"{watched.url}/api/v1/label/department/values").json()["data"]
    assert "CW" in labels
