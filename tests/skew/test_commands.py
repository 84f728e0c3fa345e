"""The command line of one release on the server of the other."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.skew.conftest import Pair, only
from tests.skew.releases import Client, Floor
from tests.skew.steps import Step
from tests.skew.table import NEW_ON_OLD_SERVER, OLD_ON_NEW_SERVER, STORIES
from tests.waiting import until

pytestmark = pytest.mark.skew


def run_story(steps: list[Step], client: Client, tmp_path: Path) -> None:
    """Run the steps with departments of their own."""
    used = [name for name in "DE" if f"{{{name}}}" in repr(steps)]
    names = {name: client.new_department() for name in used} | {"folder": str(tmp_path)}
    names["d"] = names.get("D", "").lower()
    for step in steps:
        step.run(client, names)


@pytest.mark.parametrize("story", STORIES)
def test_a_story_of_the_table(story: str, client: Client, tmp_path: Path) -> None:
    """Each command succeeds or is refused as within one release."""
    run_story(STORIES[story], client, tmp_path)


@only("new_client_old_server")
@pytest.mark.parametrize("story", NEW_ON_OLD_SERVER)
def test_what_the_previous_server_does_not_know_is_refused(story: str, client: Client, tmp_path: Path) -> None:
    """One sentence, and a hint that the server is older."""
    run_story(NEW_ON_OLD_SERVER[story], client, tmp_path)


@only("old_client_new_server")
@pytest.mark.parametrize("story", OLD_ON_NEW_SERVER)
def test_what_is_new_on_the_server_disturbs_no_previous_client(story: str, client: Client, tmp_path: Path) -> None:
    """It shows what it knows."""
    run_story(OLD_ON_NEW_SERVER[story], client, tmp_path)


def test_watch_prints_what_happens(client: Client, tmp_path: Path) -> None:
    """The event stream over HTTP: each event once, in order, and readable."""
    name, out, err = client.new_department(), tmp_path / "out", tmp_path / "err"
    typed = [client.release.tokenq, "watch", name, "--since", f"{name}:1", "--json"]
    with out.open("wb") as events, err.open("wb") as talk:
        following = subprocess.Popen(typed, cwd="/", env=client.environment(), stdout=events, stderr=talk)
    try:
        for words in (f"issue {name}", f"call {name} --counter {name}", f"start {name}-001", f"serve {name}-001"):
            client.ask(words)
        expected = ["TOKEN_GENERATED", "TOKEN_CALLED", "TOKEN_SERVICE_STARTED", "TOKEN_SERVED"]
        until(lambda: out.read_text().count(name + "-001") >= len(expected), lambda: out.read_text() + err.read_text())
    finally:
        following.terminate()
        following.wait()
    seen = [json.loads(line) for line in out.read_text().splitlines()]
    tokens = [event for event in seen if event["tokenId"]]
    assert [event["eventType"] for event in tokens] == expected
    assert {(event["departmentId"], event["displayNumber"]) for event in tokens} == {(name, f"{name}-001")}
    assert [event["counterId"] for event in tokens] == [None, name, name, name]
    assert [event["seq"] for event in seen] == list(range(2, 2 + len(seen)))


def test_verify_finds_nothing_wrong_in_all_of_this(pair: Pair, floor: Floor) -> None:
    """Every rule holds after the other release's commands."""
    done = floor.beside(pair.server, "verify --json")
    assert done.code == 0, done
    assert json.loads(done.out)["violations"] == [], done
