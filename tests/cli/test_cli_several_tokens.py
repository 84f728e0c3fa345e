"""One command for several tokens: each is tried and answered for itself."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time

import pytest

from tests.cli.conftest import ROOT, Cli
from tests.http_fake import TOKEN, fake_server, hangs_up, says
from tokenq.contract.verbs import VERBS, Verb

PLAIN = sorted(verb for verb, row in VERBS.items() if row.is_by_people and row.is_plain and verb is not Verb.SERVE)


def test_each_token_has_its_own_line_and_the_worst_exit_code_counts(tokenq: Cli, dept: str):
    for _ in range(3):
        tokenq("issue", dept)
    tokenq("call", dept, "--counter", dept), tokenq("start", f"{dept}-001")
    done = tokenq("cancel", f"{dept}-009", f"{dept}-001", f"{dept}-002", f"{dept.lower()}3", "--reason", "closing")
    assert [line.split()[:2] for line in done.out.splitlines()] == [
        [f"{dept}-002", "CANCELLED"],
        [f"{dept}-003", "CANCELLED"],
    ]
    refusals = [line for line in done.err.splitlines() if line.startswith("tokenq: ")]
    assert [f"{dept}-009" in refusals[0], f"{dept}-001 is SERVING" in refusals[1], len(refusals)] == [True, True, 2]
    assert done.code == 4
    assert tokenq("reinstate", f"{dept}-002", f"{dept}-003").code == 0


def test_json_lists_the_tokens_and_the_refusals_in_order(tokenq: Cli, dept: str):
    for _ in range(2):
        tokenq("issue", dept)
    done = tokenq("cancel", f"{dept}-001", f"{dept}-009", f"{dept}-002", "--json")
    first, missing, second = json.loads(done.out)["items"]
    assert (first["state"], second["state"], done.code) == ("CANCELLED", "CANCELLED", 3)
    assert (missing["token"], missing["error"]["code"]) == (f"{dept}-009", "unknown_token")
    assert json.loads(tokenq("cancel", f"{dept}-001", "--json").out)["displayNumber"] == f"{dept}-001"


def test_park_resume_and_transfer_take_several_too(tokenq: Cli, dept: str):
    tokenq("dept", "create", "Other", "--id", f"{dept}X")
    numbers = [f"{dept}-001", f"{dept}-002"]
    for counter in ("A", "B"):
        tokenq("issue", dept), tokenq("call", dept, "--counter", f"{dept}{counter}")
    for typed in (("park", *numbers), ("resume", *numbers), ("transfer", *numbers, "--to", f"{dept}X")):
        done = tokenq(*typed)
        assert (done.code, [line.split()[0] for line in done.out.splitlines()]) == (0, numbers), done
    assert tokenq("undo", *numbers).code == 0


def test_a_token_that_is_named_twice_is_moved_once(tokenq: Cli, dept: str):
    """A second undo would take back something else."""
    tokenq("issue", dept), tokenq("call", dept, "--counter", dept), tokenq("start", f"{dept}-001")
    done = tokenq("undo", f"{dept}-001", f"{dept.lower()}1")
    assert (done.code, len(done.out.splitlines())) == (0, 1)
    assert f"{dept}-001 was given twice; the second is ignored." in done.err


def test_each_argument_has_an_item_even_if_it_is_given_twice(tokenq: Cli, dept: str):
    tokenq("issue", dept)
    typed = (f"{dept}-001", f"{dept.lower()}1", f"{dept}-009", f"{dept}-001")
    first, again, missing, last = json.loads(tokenq("cancel", *typed, "--json").out)["items"]
    assert first["state"] == "CANCELLED"
    assert first == again == last
    assert missing["token"] == f"{dept}-009"
    refused = json.loads(tokenq("start", f"{dept}-001", f"{dept.lower()}1", "--json").out)["items"]
    assert [(item["token"], item["error"]["code"]) for item in refused] == [
        (f"{dept}-001", "wrong_state"),
        (f"{dept.lower()}1", "wrong_state"),
    ]


def test_an_earlier_refusal_does_not_hide_that_a_department_is_named(tokenq: Cli, dept: str):
    """'transfer cw2 --to General' worked, 'transfer cw99 cw2 --to General' did not."""
    other = f"{dept}X"
    tokenq("dept", "create", f"Room {other}", "--id", other)
    tokenq("issue", dept)
    done = tokenq("transfer", f"{dept}-099", f"{dept}-001", "--to", f"room {other}")
    assert done.code == 3
    assert f"{dept}-001  WAITING" in done.out
    assert done.err.count(f"{dept}-099") == 1
    nowhere = tokenq("transfer", f"{dept}-099", f"{dept}-001", "--to", "Zzyzx qqq")
    assert nowhere.code == 3
    assert "There is no department Zzyzx qqq." in nowhere.err


def test_ids_may_be_several_but_not_mixed_with_numbers(tokenq: Cli, dept: str):
    """``CW-001 --id 7`` may mean one customer or two."""
    first, second, _ = (json.loads(tokenq("issue", dept, "--json").out)["tokenId"] for _ in range(3))
    assert tokenq("cancel", f"{dept}-001", "--id", str(second)).code == 2
    assert json.loads(tokenq("queue", dept, "--json").out)["counts"]["waiting"] == 3
    assert tokenq("cancel", "--id", str(first), f"--id={second}").code == 0
    assert tokenq("cancel", f"{dept}-003", f"id:{first}").code == 0


@pytest.mark.parametrize("verb", PLAIN)
def test_every_plain_verb_takes_several(cli: Cli, verb: Verb):
    moved = says(200, {**TOKEN, "state": "CALLED"})
    found = says(200, {"items": [TOKEN], "nextCursor": None})
    other = says(200, {"items": [{**TOKEN, "tokenId": 102}], "nextCursor": None})
    with fake_server(found, moved, other, moved) as fake:
        done = cli(verb, "CW-012", "CW-013", "--json", TOKENQ_URL=fake.url, TOKENQ_TOKEN="t")
    assert (done.code, len(json.loads(done.out)["items"])) == (0, 2)
    assert [asked.path.split("/")[-2:] for asked in fake.asked if asked.method == "POST"] == [
        ["101", verb],
        ["102", verb],
    ]


def test_an_unknown_outcome_is_repeated_for_that_token_alone(cli: Cli):
    """The key belongs to one token's request."""
    found = says(200, {"items": [TOKEN], "nextCursor": None})
    missing = says(200, {"items": [], "nextCursor": None})
    with fake_server(missing, found, hangs_up) as fake:
        variables = {"TOKENQ_URL": fake.url, "TOKENQ_TOKEN": "t", "TOKENQ_TIMEOUT": "0.6"}
        done = cli("cancel", "CW-011", "CW-012", "--reason", "gone home", **variables)
        (line,) = [line for line in done.err.splitlines() if "To repeat it safely: tokenq " in line]
        typed = shlex.split(line.partition("To repeat it safely: tokenq ")[2])
        key = fake.asked[-1].headers["idempotency-key"]
    assert "tokenq: CW-012: " in done.err
    assert typed == ["cancel", "CW-012", "--reason=gone home", "--idempotency-key", key]
    assert done.code == 6
    assert cli("cancel", "CW-011", "CW-012", "--idempotency-key", key, **variables).code == 2


def test_a_reader_that_leaves_does_not_leave_tokens_unmoved(tokenq: Cli, dept: str, api, home):
    for _ in range(3):
        tokenq("issue", dept)
    variables = {**os.environ, "TOKENQ_URL": api.url, "TOKENQ_TOKEN": api.token, "XDG_CONFIG_HOME": str(home)}
    command = [sys.executable, "-m", "tokenq", "cancel", *(f"{dept}-00{number}" for number in (1, 2, 3))]
    read, write = os.pipe()
    os.close(read)
    subprocess.run(command, cwd=ROOT, env=variables, stdout=write, stderr=subprocess.PIPE, check=False, timeout=60)
    os.close(write)
    assert json.loads(tokenq("queue", dept, "--json").out)["counts"]["waiting"] == 0


def test_ctrl_c_names_the_tokens_that_were_not_tried():
    with fake_server(says(200, {"items": [TOKEN], "nextCursor": None})) as fake:
        fake.steps.append(fake.is_silent)
        variables = {**os.environ, "TOKENQ_URL": fake.url, "TOKENQ_TOKEN": "t", "TOKENQ_TIMEOUT": "30"}
        command = [sys.executable, "-m", "tokenq", "cancel", "CW-012", "CW-013", "CW-014"]
        with subprocess.Popen(command, cwd=ROOT, env=variables, stderr=subprocess.PIPE, text=True) as process:
            deadline = time.monotonic() + 20
            while len(fake.asked) < 2 and time.monotonic() < deadline:
                time.sleep(0.02)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "tokenq cancel CW-012 --idempotency-key" in err
    assert "Not tried: CW-013, CW-014." in err
