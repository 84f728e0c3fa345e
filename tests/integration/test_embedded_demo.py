"""The demo on a real API, faster than real time."""

import random
from pathlib import Path

import pytest

from tests.stack import Stack, start, up_folder
from tokenq.contract.problems import Refused
from tokenq_server.embedded.demo import SCENES, play
from tokenq_server.embedded.demo_api import DemoApi
from tokenq_server.embedded.folder import DataFolder


def test_the_demo_runs_three_departments_and_keeps_them_bounded(running: Stack) -> None:
    """Tokens wait, are called, served and missed; no queue grows without limit; an admin's changes stay."""
    running.ask("PUT", "/api/v1/departments/DOC", {"name": "Papers"})
    demo = play(
        DemoApi(running.endpoints.api, Path(running.endpoints.admin_token_file)),
        random.Random(7),
        sleep=lambda seconds: None,
    )
    for _ in range(600):
        next(demo)
    for scene in SCENES:
        _, queue = running.ask("GET", f"/api/v1/departments/{scene.department_id}/queue")
        assert queue["counts"]["served"] > 10
        assert queue["counts"]["waiting"] <= 12
    assert running.ask("GET", "/api/v1/departments/DOC")[1]["name"] == "Papers"
    _, missed = running.ask("GET", "/api/v1/tokens?departmentId=CW&state=NO_SHOW")
    _, served = running.ask("GET", "/api/v1/tokens?departmentId=CW&state=SERVED")
    assert missed["items"]
    assert {token["priority"] for token in served["items"]} == {"normal", "priority"}


def test_the_demo_waits_for_the_api_and_its_key(running: Stack, tmp_path: Path) -> None:
    """It survives a restart of the API: each actor retries a little later."""
    key = tmp_path / "admin.token"
    pauses: list[float] = []
    demo = play(DemoApi(running.endpoints.api, key), random.Random(7), sleep=pauses.append)
    before = _issued(running)
    for _ in range(30):
        next(demo)
    assert _issued(running) == before
    assert sum(pauses) < 10
    key.write_text(running.token)
    for _ in range(200):
        next(demo)
    assert _issued(running) > before


def test_the_demo_refuses_a_folder_not_created_by_a_demo() -> None:
    """Its staff would serve real customers. A folder of an earlier demo is reused."""
    with up_folder() as path:
        folder, cluster = DataFolder(path), path / "postgres" / "cluster"
        cluster.mkdir(parents=True)
        with pytest.raises(Refused, match="was not created by the demo") as refusal:
            start(path, demo=True)
        assert "--data-dir" in refusal.value.problem.hint
        cluster.rmdir()
        folder.claim_for_demo()
        cluster.mkdir()
        folder.claim_for_demo()


def _issued(running: Stack) -> int:
    views = (running.ask("GET", f"/api/v1/departments/{scene.department_id}/queue")[1] for scene in SCENES)
    return sum(sum(view["counts"].values()) for view in views if "counts" in view)
