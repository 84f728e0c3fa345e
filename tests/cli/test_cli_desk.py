"""What the front desk needs: corrections, families, tickets that did not print, and taking back its own mistakes."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Cli
from tests.programs import Api


def document(done):
    assert done.code == 0, done
    return json.loads(done.out)


def test_a_corrected_token_shows_the_new_and_logs_only_the_fields(tokenq: Cli, dept: str):
    tokenq("issue", dept, "--name", "Aad", "--email", "aad@example.com")
    done = tokenq("edit", f"{dept}-001", "--name", "Ada", "--email", "ada@example.com")
    assert (done.code, done.out.split()[:2]) == (0, [f"{dept}-001", "WAITING,"])
    view = document(tokenq("status", f"{dept}-001", "--json"))
    assert (view["name"], view["email"], view["position"]) == ("Ada", "ada@example.com", 1)
    log = document(tokenq("log", f"{dept}-001", "--json"))["items"]
    assert (log[-1]["eventType"], log[-1]["data"]["fields"]) == ("TOKEN_EDITED", ["name", "email"])
    assert "Aad" not in json.dumps(log)
    assert document(tokenq("edit", f"{dept}-001", "--email", "", "--json"))["email"] is None


@pytest.mark.parametrize(
    ("typed", "code"),
    [((), 2), (("--email", "nobody"), 1), (("--name", "\x1b[31mRed"), 1), (("--name", "x" * 500), 1)],
)
def test_a_correction_is_checked_like_an_issue(tokenq: Cli, dept: str, typed: tuple[str, ...], code: int):
    tokenq("issue", dept, "--email", "ada@example.com")
    assert tokenq("edit", f"{dept}-001", *typed).code == code
    assert document(tokenq("status", f"{dept}-001", "--json"))["email"] == "ada@example.com"


def test_a_second_number_for_an_address_is_named_on_stderr(tokenq: Cli, dept: str):
    """The number is issued all the same: a family shares an address."""
    address = f"{dept}@example.com"
    assert tokenq("issue", dept, "--email", address).err == ""
    again = tokenq("issue", dept, "--email", address.lower())
    assert (again.code, again.out.split()[0]) == (0, f"{dept}-002")
    said = f"{dept}-001 has the same e-mail address. If it is the same visit: 'tokenq cancel {dept}-002'.\n"
    assert again.err == said
    third = document(tokenq("issue", dept, "--email", address, "--json"))
    assert third["alsoWaiting"] == [f"{dept}-001", f"{dept}-002"]
    tokenq("cancel", f"{dept}-002", "--reason", "twice")
    assert f"{dept}-001, {dept}-003 have the same e-mail address." in tokenq("reinstate", f"{dept}-002").err
    tokenq("issue", dept)
    assert "have the same e-mail address" in tokenq("edit", f"{dept}-004", "--email", address).err


def test_a_group_names_the_numbers_that_its_address_had_before(tokenq: Cli, dept: str):
    """Once for all of it; its own numbers are no surprise."""
    address = f"{dept}@example.com"
    assert tokenq("issue", dept, "--count", "2", "--email", address).err == ""
    again = tokenq("issue", dept, "--count", "2", "--email", address)
    assert again.err == (
        f"{dept}-001, {dept}-002 have the same e-mail address. If it is the same visit:"
        f" 'tokenq cancel {dept}-003 {dept}-004'.\n"
    )
    items = document(tokenq("issue", dept, "--count", "2", "--email", address, "--json"))["items"]
    assert [item["alsoWaiting"] for item in items] == [[f"{dept}-00{number}" for number in (1, 2, 3, 4)]] * 2


def test_a_family_gets_its_numbers_together_or_none(tokenq: Cli, dept: str):
    done = tokenq("issue", dept, "--count", "3", "--name", "Ada")
    assert [line.split()[0] for line in done.out.splitlines()] == [f"{dept}-00{number}" for number in (1, 2, 3)]
    assert [token["position"] for token in document(tokenq("issue", dept, "--count", "1", "--json"))["items"]] == [4]
    tokenq("dept", "update", dept, "--set", "daily-cap=6")
    full = tokenq("issue", dept, "--count", "3", "--json")
    assert (full.code, json.loads(full.out)["error"]["code"]) == (4, "department_full")
    assert document(tokenq("queue", dept, "--json"))["counts"]["waiting"] == 4
    assert document(tokenq("issue", dept, "--count", "2", "--json"))["items"][-1]["displayNumber"] == f"{dept}-006"
    assert tokenq("issue", dept, "--count", "21").code == tokenq("issue", dept, "--count", "0").code == 2
    assert tokenq("issue", dept, "--count", "2", "--user", "1").code == 2


def test_an_id_that_is_in_use_is_answered_with_whose_it_is(tokenq: Cli, dept: str):
    tokenq("dept", "update", dept, "--name", "Cash window")
    done = tokenq("dept", "create", "Other", "--id", dept)
    assert done.code != 0
    assert f"The id {dept} is in use: department Cash window." in done.err
    assert "Choose another id, or change that department." in done.err


def test_a_desk_takes_back_its_own_and_leaves_staff_s_alone(tokenq: Cli, cli: Cli, dept: str, api: Api):
    tokenq("dept", "create", "Other", "--id", f"{dept}X")
    key = document(tokenq("key", "create", "desk", "--role", "desk", "--dept", dept, "--json"))["key"]

    def desk(*typed: str):
        return cli(*typed, TOKENQ_URL=api.url, TOKENQ_TOKEN=key)

    for _ in range(2):
        assert desk("issue", dept).code == 0
    assert desk("transfer", f"{dept}-001", "--to", f"{dept}X").code == 0
    assert desk("undo", f"{dept}-001").code == 0
    assert desk("edit", f"{dept}-001", "--name", "Ada").code == 0
    assert desk("cancel", f"{dept}-001").code == 0
    assert desk("undo", f"{dept}-001").code == 0
    tokenq("cancel", f"{dept}-002")
    refused = desk("undo", f"{dept}-002")
    assert (refused.code, "only your own moves" in refused.err) == (5, True)
    tokenq("call", dept, "--counter", dept)
    assert desk("edit", f"{dept}-001", "--name", "Eve").code == desk("undo", f"{dept}-001").code == 5


def printing(api: Api, home: Path, *typed: str, full: bool) -> tuple[int, str]:
    """Runs a command whose printer is full, or absent."""
    variables = {**os.environ, "TOKENQ_URL": api.url, "TOKENQ_TOKEN": api.token, "XDG_CONFIG_HOME": str(home)}
    redirected = 'exec "$@" ' + (">/dev/full" if full else ">&-")
    command = ["sh", "-c", redirected, "sh", sys.executable, "-m", "tokenq", *typed]
    done = subprocess.run(command, cwd=ROOT, env=variables, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    return done.returncode, done.stderr


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("option", [["--print"], ["--json"], [], ["--count", "1", "--print"]])
def test_a_number_that_nobody_has_seen_is_named(
    tokenq: Cli, dept: str, api: Api, home: Path, option: list[str], full: bool
):
    """A ghost in the line is worse than no ticket: say who waits, and how to print it."""
    code, err = printing(api, home, "issue", dept, *option, full=full)
    assert code == 1
    assert f"{dept}-001 is issued and stays valid." in err
    assert f"'tokenq status {dept}-001{' --print' if '--print' in option else ''}'" in err
    assert document(tokenq("status", f"{dept}-001", "--json"))["state"] == "WAITING"


def test_a_reader_that_is_gone_does_not_swallow_a_number(dept: str, api: Api, home: Path):
    variables = {**os.environ, "TOKENQ_URL": api.url, "TOKENQ_TOKEN": api.token, "XDG_CONFIG_HOME": str(home)}
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "tokenq", "issue", dept, "--print"]
    done = subprocess.run(
        command, cwd=ROOT, env=variables, stdout=write, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(write)
    assert (done.returncode, f"{dept}-001 is issued" in done.stderr) == (1, True)


@pytest.mark.parametrize("command", [["queue"], ["queue", "--json"], ["status", "--print"]])
def test_output_that_cannot_be_written_is_one_sentence(
    tokenq: Cli, dept: str, api: Api, home: Path, command: list[str]
):
    tokenq("issue", dept)
    name, *options = command
    code, err = printing(api, home, name, dept if name == "queue" else f"{dept}-001", *options, full=True)
    assert (code, err) == (1, "tokenq: The output could not be written: No space left on device.\n")


def lasting(ticket: str) -> list[str]:
    """A ticket without its estimate, which another test's counter may change; it may take several lines."""
    lines = ticket.splitlines()
    position = next(index for index, line in enumerate(lines) if "position" in line)
    day = next(index for index, line in enumerate(lines) if re.search(r"\d{4}-\d\d-\d\d", line))
    return lines[: position + 1] + lines[day:]


def test_a_ticket_is_printed_again_while_its_number_is_valid(tokenq: Cli, dept: str):
    first = tokenq("issue", dept, "--print")
    again = tokenq("status", f"{dept}-001", "--print")
    assert (again.code, lasting(again.out)) == (0, lasting(first.out))
    assert "id:" not in again.out
    tokenq("cancel", f"{dept}-001")
    assert tokenq("status", f"{dept}-001", "--print").code == 4
    assert tokenq("status", f"{dept}-001", "--print", "--json").code == 2
