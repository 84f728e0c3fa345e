"""Failpoints: what may be armed, when, and what happens there."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tokenq.contract.problems import Refused
from tokenq_server import failpoints
from tokenq_server.failpoints import NAMES, InjectedFault, arm, parse, reach
from tokenq_server.settings import load

PACKAGE = Path(failpoints.__file__).parent


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    arm("")


def test_nothing_happens_where_nothing_is_armed() -> None:
    reach(*NAMES)
    arm("relay.read=raise")
    reach("relay.published")
    with pytest.raises(InjectedFault, match=r"relay\.read"):
        reach("relay.published", "relay.read")


def test_arming_replaces_what_was_armed() -> None:
    arm("relay.read=raise")
    arm("relay.published=raise")
    reach("relay.read")


def test_a_chance_of_nothing_never_comes_and_one_of_one_always_does() -> None:
    arm("issue.locked=raise:0, call.locked=raise:1")
    for _ in range(100):
        reach("issue.locked")
        with pytest.raises(InjectedFault):
            reach("call.locked")


@pytest.mark.parametrize("text", ["issue.locked", "issue.locked=die", "nowhere=kill", "issue.locked=sleep", "=kill"])
def test_what_is_not_a_rule_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="known point"):
        parse(text)


def test_a_process_is_killed_at_once_and_says_where() -> None:
    code = (
        "from tokenq_server import failpoints as f; f.arm('issue.locked=kill'); f.reach('issue.locked'); print('alive')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == -9
    assert '"point": "issue.locked", "action": "kill"' in done.stderr
    assert done.stdout == ""


def test_production_refuses_to_arm_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKENQ_FAILPOINTS", "issue.locked=kill")
    with pytest.raises(Refused, match="TOKENQ_FAILPOINTS is for tests only"):
        load()
    monkeypatch.setenv("TOKENQ_ENV", "development")
    assert load().failpoints == "issue.locked=kill"
    monkeypatch.setenv("TOKENQ_FAILPOINTS", "nowhere=kill")
    with pytest.raises(Refused, match=r"TOKENQ_FAILPOINTS is wrong: .*nowhere"):
        load()


def test_every_point_is_somewhere_in_the_code() -> None:
    """A name that nothing reaches would be a fault that no test ever sees."""
    code = "".join(path.read_text() for path in PACKAGE.rglob("*.py") if path.name != "failpoints.py")
    for way, steps in failpoints.STEPS.items():
        prefix = "" if way in ("issue", "call") else f"{way}."
        assert [
            step for step in steps if f'"{prefix}{step}", requests' not in code and f'"{way}.{step}"' not in code
        ] == []
