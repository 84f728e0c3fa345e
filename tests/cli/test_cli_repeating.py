"""A change whose outcome is unknown: the message is the very command that repeats it, and it happens once."""

import json
import os
import secrets
import shlex
import signal
import subprocess
import sys
import time

import pytest

from tests.cli.conftest import ROOT, Cli, Done
from tests.http_fake import FakeServer, fake_server, hangs_up, says
from tests.programs import Api
from tokenq.contract.verbs import VERBS

TOKEN = {"tokenId": 7, "displayNumber": "CW-001", "departmentId": "CW", "claimVersion": 4, "state": "SERVING"}
SHOWN = {**TOKEN, "counterId": "1", "position": None, "estimate": None, "parkedUntil": None}
FOUND = says(200, {"items": [SHOWN], "nextCursor": None})


def repeat(done: Done) -> list[str]:
    """The command to type, without the program's name."""
    (line,) = [line for line in done.err.splitlines() if "To repeat it safely: tokenq " in line]
    return shlex.split(line.partition("To repeat it safely: tokenq ")[2])


def lost(cli: Cli, *typed: str, fake: FakeServer) -> Done:
    return cli(*typed, TOKENQ_URL=fake.url, TOKENQ_TOKEN="t", TOKENQ_TIMEOUT="0.6")


@pytest.mark.parametrize(
    "typed",
    [
        ("issue", "CW", "--name", "Ada B"),
        ("issue", "CW", "--count", "2"),
        ("call", "CW", "--counter", "1"),
        ("serve", "CW", "--counter", "1"),
    ],
)
def test_who_hears_nothing_is_told_how_to_repeat_it(cli: Cli, typed: tuple[str, ...]):
    with fake_server(hangs_up) as fake:
        done = lost(cli, *typed, fake=fake)
        again = lost(cli, *repeat(done), fake=fake)
    assert done.code == again.code == 6
    assert "Whether the command was carried out is unknown." in done.err
    assert len({asked.headers["idempotency-key"] for asked in fake.asked}) == 1
    assert repeat(again) == repeat(done)


def test_a_link_that_dies_and_a_server_that_is_gone_leave_it_open(cli: Cli):
    """The last attempt reached nobody, but the first one may have been carried out."""
    with fake_server(hangs_up) as fake:
        fake.steps.insert(0, hangs_up)

        def ends(asked):
            asked.hang_up()
            fake.steps[:] = [says(503, {"code": "overloaded", "detail": "Too much.", "hint": "", "retryAfter": 0})]

        fake.steps[:] = [ends]
        done = lost(cli, "issue", "CW", fake=fake)
    assert repeat(done)[:2] == ["issue", "CW"]


@pytest.mark.parametrize("verb", ["serve", "requeue", "undo", "cancel"])
def test_a_repeated_move_is_the_same_request_whatever_has_happened_since(cli: Cli, verb: str):
    """An undo, or somebody's call, has changed the claim meanwhile: the key names the claim that was meant."""
    with fake_server(FOUND, hangs_up) as fake:
        done = lost(cli, verb, "CW-001", fake=fake)
        first = fake.asked[-1]
        moved = {**SHOWN, "claimVersion": 9, "state": "PARKED", "counterId": "2"}
        fake.steps[:] = [says(200, {"items": [moved], "nextCursor": None}), says(200, moved)]
        again = lost(cli, *repeat(done), "--json", fake=fake)
    assert again.code == 0, again
    assert fake.asked[-1].body == first.body
    assert fake.asked[-1].headers["idempotency-key"] == first.headers["idempotency-key"]


def test_a_plain_command_never_uses_a_key_again(cli: Cli):
    with fake_server(says(201, SHOWN)) as fake:
        for _ in range(2):
            lost(cli, "issue", "CW", fake=fake)
    assert len({asked.headers["idempotency-key"] for asked in fake.asked}) == 2


def test_what_never_reached_a_server_has_nothing_to_repeat(cli: Cli):
    done = cli("issue", "CW", TOKENQ_URL="http://127.0.0.1:9", TOKENQ_TOKEN="t", TOKENQ_TIMEOUT="0.3")
    assert done.code == 6
    assert "idempotency" not in done.err


def test_ctrl_c_during_a_change_tells_how_to_repeat_it():
    """Who loses patience first must not be left with a ghost in the line either."""
    with fake_server(hangs_up) as fake:
        fake.steps[:] = [fake.is_silent]
        variables = {**os.environ, "TOKENQ_URL": fake.url, "TOKENQ_TOKEN": "t", "TOKENQ_TIMEOUT": "30"}
        command = [sys.executable, "-m", "tokenq", "issue", "CW"]
        with subprocess.Popen(command, cwd=ROOT, env=variables, stderr=subprocess.PIPE, text=True) as process:
            deadline = time.monotonic() + 20
            while not fake.asked and time.monotonic() < deadline:
                time.sleep(0.02)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert f"tokenq issue CW --idempotency-key {fake.asked[0].headers['idempotency-key']}" in err


def test_the_repeat_gives_the_same_number_on_a_real_server(tokenq: Cli, dept: str, api: Api):
    first = tokenq("issue", dept, "--count", "2", "--idempotency-key", f"{dept}-key", "--json")
    again = tokenq("issue", dept, "--count", "2", "--idempotency-key", f"{dept}-key", "--json")
    assert json.loads(first.out) == json.loads(again.out)
    undo = ("undo", f"{dept}-001", "--idempotency-key", f"tq-{secrets.token_hex(16)}.c0")
    assert tokenq("cancel", f"{dept}-001", "--idempotency-key", f"{dept}-c").code == 0
    assert tokenq(*undo).code == 0
    assert tokenq(*undo).code == 0
    tokenq("call", dept, "--counter", dept)
    for _ in range(2):
        assert tokenq("park", f"{dept}-001", "--for", "5", "--idempotency-key", f"{dept}-p").code == 0


def test_a_key_of_ones_own_is_no_claim(cli: Cli):
    """'build.c7' was read as claim version 7, and the move refused as outdated."""
    with fake_server(FOUND, says(200, SHOWN)) as fake:
        done = lost(cli, "cancel", "CW-001", "--idempotency-key", "build.c7", "--json", fake=fake)
    assert done.code == 0
    assert (fake.asked[-1].headers["idempotency-key"], fake.asked[-1].body["claimVersion"]) == ("build.c7", 4)


@pytest.mark.parametrize("verb", ["issue", *(verb for verb, row in VERBS.items() if row.is_by_people)])
def test_every_command_that_changes_a_token_explains_its_key(cli: Cli, verb: str):
    assert "--idempotency-key KEY" in cli(verb, "--help").out
