"""``tokenq audit``: what an admin sees of security events."""

import fcntl
import json
import os
import pty
import re
import secrets
import struct
import subprocess
import sys
import termios
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace

import pytest

from tests.cli.conftest import Cli
from tests.programs import Api
from tests.waiting import until
from tokenq.cli.commands import audit
from tokenq.contract.problems import ExitCode


@pytest.fixture
def user(tokenq: Cli, dept: str) -> str:
    """A user who may not do what they try; both are in the audit."""
    name = f"u{secrets.token_hex(3)}"
    tokenq("user", "create", "Ann", "--username", name, "--role", "staff", "--dept", dept)
    tokenq("user", "update", name, "--role", "desk")
    return name


def kinds(tokenq: Cli, name: str, *options: str, **variables: str) -> list[str]:
    done = tokenq("audit", "--json", "--limit", "1000", *options, **variables)
    assert done.code == 0, done
    return [event["kind"] for event in json.loads(done.out)["items"] if event["object"] == f"user:{name}"]


def test_events_are_listed_newest_first(tokenq: Cli, user: str):
    done = tokenq("audit")
    assert done.code == 0
    lines = [line for line in done.out.splitlines() if f"user:{user}" in line]
    assert re.match(r"\d\d-\d\d \d\d:\d\d:\d\d +user\.role +this machine +127\.0\.0\.1 +", lines[0])
    assert re.search(rf"user:{user} staff \w+ -> desk \w+$", lines[0].rstrip())
    assert "user.create" in lines[1]


def test_filters_and_times_on_this_machine_s_clock(tokenq: Cli, user: str):
    soon = (datetime.now(UTC) + timedelta(minutes=1)).isoformat(timespec="seconds")
    assert kinds(tokenq, user) == ["user.role", "user.create"]
    assert kinds(tokenq, user, "--kind", "user.role") == ["user.role"]
    assert kinds(tokenq, user, "--from", "today", "--to", "today") == ["user.role", "user.create"]
    assert kinds(tokenq, user, "--to", "yesterday") == []
    assert kinds(tokenq, user, "--from", soon) == []
    assert kinds(tokenq, user, "--to", soon, "--from", "2020-01-01") == ["user.role", "user.create"]
    assert kinds(tokenq, user, "--actor", "nobody-of-this-name") == []
    assert kinds(tokenq, user, "--actor", "this machine", "--result", "done") == ["user.role", "user.create"]
    assert kinds(tokenq, user, "--result", "refused") == []


def test_a_day_is_the_reader_s_day(tokenq: Cli, user: str):
    """A time without a zone is this machine's: two minutes ago here is long ago or yet to come elsewhere."""
    elsewhere = datetime.now(timezone(timedelta(hours=9))) - timedelta(minutes=2)
    typed = elsewhere.strftime("%Y-%m-%dT%H:%M")
    assert kinds(tokenq, user, "--from", typed, TZ="Asia/Tokyo") == ["user.role", "user.create"]
    assert kinds(tokenq, user, "--from", typed, TZ="Asia/Kolkata") == []
    assert kinds(tokenq, user, "--to", typed, TZ="Asia/Tokyo") == []


def test_older_ones_are_mentioned(tokenq: Cli, user: str):
    done = tokenq("audit", "--limit", "1")
    assert len(done.out.splitlines()) == 2, "a heading and an event"
    assert done.err == "There are older ones: --limit 10 shows more.\n"
    assert len(json.loads(tokenq("audit", "--limit", "1", "--json").out)["items"]) == 1


@pytest.mark.parametrize(
    ("limit", "advice"),
    [
        (50, "--limit 500 shows more"),
        (20_000, "--limit 100000 shows more"),
        (100_000, "--to with an earlier time shows them"),
    ],
)
def test_no_more_is_advised_than_the_option_takes(limit: int, advice: str, monkeypatch, capsys):
    client = SimpleNamespace(audit=lambda *_, **__: ([], True))
    monkeypatch.setattr(audit, "connect", lambda: client)
    audit.command(limit=limit)
    assert capsys.readouterr().err == f"There are older ones: {advice}.\n"


def test_no_event_is_nothing_wrong(tokenq: Cli):
    assert tokenq("audit", "--to", "2020-01-01").out == "There are no such events.\n"
    assert json.loads(tokenq("audit", "--to", "2020-01-01", "--json").out) == {"items": []}


@pytest.mark.parametrize(
    "options",
    [
        ("--from", "soon"),
        ("--from", "2026-02-30"),
        ("--to", ""),
        ("--to", "9999-12-31"),
        ("--kind", "nothing"),
        ("--result", "perhaps"),
        ("--limit", "0"),
        ("--limit", "many"),
        ("extra",),
    ],
    ids=" ".join,
)
def test_a_mistyped_option_is_a_usage_error(tokenq: Cli, options: tuple[str, ...]):
    done = tokenq("audit", *options)
    assert done.code == ExitCode.USAGE, done
    assert done.out == ""
    assert len(done.err.splitlines()) == 2, "a sentence and a hint"


def test_staff_may_not_read_it_and_that_is_in_it(tokenq: Cli, dept: str):
    key = json.loads(tokenq("key", "create", f"desk {dept}", "--role", "staff", "--dept", dept, "--json").out)["key"]
    assert tokenq("audit", TOKENQ_TOKEN=key).code == ExitCode.NOT_ALLOWED

    def refused() -> list[str]:
        done = tokenq("audit", "--actor", f"desk {dept}", "--json")
        return [event["object"] for event in json.loads(done.out)["items"]]

    until(lambda: refused() == ["route:GET /api/v1/audit"])
    assert "access refused" in tokenq("audit", "--actor", f"desk {dept}").out


def test_the_table_fits_into_eighty_columns(api: Api, user: str):
    """Nothing is cut off and no line is wrapped by the terminal."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    command = [sys.executable, "-m", "tokenq", "audit", "--limit", "20"]
    environment = {**os.environ, "TOKENQ_URL": api.url, "TOKENQ_TOKEN": api.token, "TERM": "xterm", "NO_COLOR": "1"}
    environment |= {"COLUMNS": "80"}
    with subprocess.Popen(command, stdout=theirs, stderr=subprocess.DEVNULL, env=environment):
        os.close(theirs)
        shown = b""
        while True:
            try:
                shown += os.read(ours, 65536)
            except OSError:
                break
    os.close(ours)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", shown.decode()).splitlines()
    assert lines
    assert max(len(line.rstrip()) for line in lines) <= 80
    text = "".join(lines)
    assert "…" not in text
    assert re.search(r"user\.role +this machine +127\.0\.0\.1", text)
