"""Streams: one JSON object per line, live, until interrupted."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tests.cli.conftest import ROOT, Cli
from tests.programs import Api


@contextmanager
def running(api: Api, *arguments: str, **variables: str) -> Iterator[subprocess.Popen]:
    """A command that does not end by itself."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tokenq", *arguments],
        cwd=ROOT,
        env={**os.environ, "TOKENQ_URL": api.url, "TOKENQ_TOKEN": api.token, "PYTHONUNBUFFERED": "1", **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.timeout(60)
def test_watch_prints_events_as_they_happen_and_ends_on_ctrl_c(api: Api, tokenq: Cli, dept: str):
    with running(api, "watch", dept, "--json") as process:
        assert "Live" in process.stderr.readline()
        tokenq("issue", dept)
        event = json.loads(process.stdout.readline())
        assert (event["eventType"], event["departmentId"], event["tokenNo"]) == ("TOKEN_GENERATED", dept, 1)
        tokenq("call", dept, "-c", dept)
        following = json.loads(process.stdout.readline())
        assert (following["eventType"], following["counterId"]) == ("TOKEN_CALLED", dept)
        assert event["position"] != following["position"]
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
        assert "Traceback" not in process.stderr.read()


@pytest.mark.timeout(60)
def test_watch_goes_on_after_a_given_position(api: Api, tokenq: Cli, dept: str):
    for _ in range(3):
        tokenq("issue", dept)
    with running(api, "watch", dept, "--since", f"{dept}:1", "--json") as process:
        seqs = [json.loads(process.stdout.readline())["seq"] for _ in range(2)]
    assert seqs == [2, 3]


@pytest.mark.timeout(60)
def test_queue_watch_shows_the_queue_anew_after_each_change(api: Api, tokenq: Cli, dept: str):
    with running(api, "queue", dept, "--watch", "--json") as process:
        assert json.loads(process.stdout.readline())["counts"]["waiting"] == 0
        tokenq("issue", dept)
        assert json.loads(process.stdout.readline())["counts"]["waiting"] == 1


@pytest.mark.timeout(60)
def test_watch_tells_times_of_the_branch_and_names_its_zone_once(api: Api, tokenq: Cli, dept: str):
    """UTC is the machine's, Kathmandu the branch's: 5:45 apart, so that no hour fits by chance."""
    branch, other = f"k{dept.lower()}", f"{dept}K"
    tokenq("branch", "create", branch, "--name", "East", "--timezone", "Asia/Kathmandu")
    tokenq("dept", "create", "East", "--id", other, "--branch", branch)
    with running(api, "watch", other, TZ="UTC") as process:
        assert "Live" in process.stderr.readline()
        tokenq("issue", other)
        tokenq("issue", other)
        first, _second = process.stdout.readline(), process.stdout.readline()
        at = json.loads(tokenq("status", f"{other}-001", "--json").out)["issuedAt"]
        local = datetime.fromisoformat(at).astimezone(ZoneInfo("Asia/Kathmandu"))
        assert first.split()[0] == f"{local:%H:%M:%S}"
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
        assert process.stderr.read().count("Times of Asia/Kathmandu.") == 1


def test_a_position_of_an_unknown_department_is_refused(tokenq: Cli, dept: str):
    """The stream would just stay silent about it."""
    done = tokenq("watch", "--since", f"{dept}:1,NOWHERE:7")
    assert done.code == 3
    assert "There is no department NOWHERE." in done.err
    other = tokenq("watch", dept, "--since", f"{dept}:1,NOWHERE:7")
    assert other.code == 2
    assert "--since names NOWHERE, which is not watched." in other.err


@pytest.mark.timeout(60)
def test_an_event_of_a_department_shows_no_number(api: Api, tokenq: Cli, dept: str):
    """'CW-000' looked like somebody's."""
    tokenq("counter", "open", dept, "--dept", dept)
    with running(api, "watch", dept, "--since", f"{dept}:0") as process:
        lines = [process.stdout.readline().split()[1:3] for _ in range(2)]
    assert lines == [[dept, "DEPARTMENT_CHANGED"], [dept, "COUNTER_OPENED"]]
    with running(api, "watch", dept, "--since", f"{dept}:0", "--json") as process:
        assert json.loads(process.stdout.readline())["displayNumber"] == ""
