"""Nothing is deleted, and no day ended, that nobody agreed to: at a terminal it is asked, elsewhere it needs --yes."""

import json
import os
import pty
import re
import secrets
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from tests.cli.conftest import ROOT, Cli, Done
from tests.programs import Api
from tokenq.cli.tree import root

SECONDS = 30.0
GRAVE = {"delete", "erase", "rewind"}
"""What a command that takes something away for good is called; `restore` only makes a new folder."""

Made = tuple[tuple[str, ...], tuple[str, ...]]
"""How one thing is deleted, and how it is shown while it is there."""


def a_department(tokenq: Cli) -> Made:
    name = f"D{secrets.token_hex(3).upper()}"
    tokenq("dept", "create", "Cash", "--id", name)
    return ("dept", "delete", name), ("dept", "show", name)


def a_branch(tokenq: Cli) -> Made:
    name = f"b{secrets.token_hex(3)}"
    tokenq("branch", "create", name, "--name", "North", "--timezone", "UTC")
    return ("branch", "delete", name), ("branch", "show", name)


def a_user(tokenq: Cli) -> Made:
    name = f"u{secrets.token_hex(3)}"
    tokenq("user", "create", "Bob", "--username", name)
    return ("user", "delete", name), ("user", "show", name)


def a_key(tokenq: Cli) -> Made:
    number = str(json.loads(tokenq("key", "create", "kiosk", "--json").out)["keyId"])
    return ("key", "delete", number), ("key", "show", number)


def a_counter(tokenq: Cli) -> Made:
    branch, name = a_branch(tokenq)[0][2], "7"
    tokenq("counter", "declare", name, "--branch", branch)
    # Closing one that is not there ends with 3.
    return ("counter", "delete", name, "--branch", branch), ("counter", "close", name, "--branch", branch)


def a_person(tokenq: Cli) -> Made:
    (_, _, name), show = a_user(tokenq)
    return ("erase", "--user", name), show


THINGS: dict[str, Callable[[Cli], Made]] = {
    "dept delete": a_department,
    "branch delete": a_branch,
    "user delete": a_user,
    "key delete": a_key,
    "counter delete": a_counter,
    "erase": a_person,
}
ELSEWHERE = {"server rewind": "tests/integration/test_rewind_command.py: it needs a database that was set back"}


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every command of the tree with the words that are typed for it."""
    for name in group.commands:
        command = group.get_command(None, name)
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


def test_every_command_that_takes_away_for_good_is_tried_here_and_takes_yes() -> None:
    found = {typed: command for typed, command in commands(root()) if GRAVE & set(typed.split())}
    assert set(found) == THINGS.keys() | ELSEWHERE.keys(), "a new one belongs into THINGS"
    for typed, command in found.items():
        assert "--yes" in {option for each in command.params for option in each.opts}, typed


@pytest.mark.parametrize("typed", THINGS)
def test_without_a_terminal_nothing_is_deleted_unasked(tokenq: Cli, typed: str) -> None:
    """An answer on stdin is none, and --json is no consent."""
    delete, show = THINGS[typed](tokenq)
    for more in ((), ("--json",)):
        done = tokenq(*delete, *more, stdin="y\n")
        assert done.code == 2, done
        assert re.search("There is no terminal to ask on: (Delete the|Erase) ", done.err)
        assert "add --yes" in done.err
        assert not more or json.loads(done.out)["error"]["code"] == "usage"
    assert tokenq(*show).code == 0

    assert tokenq(*delete, "--yes").code == 0
    assert tokenq(*show).code == 3


def at_a_terminal(api: Api, keys: bytes, *typed: str) -> Done:
    """Run a command with a person before it, who answers its question with these keys."""
    ours, theirs = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TOKENQ_")}
    environment |= {"TOKENQ_URL": api.url, "TOKENQ_TOKEN": api.token, "TERM": "xterm"}
    # The terminal is the child's own, so that Ctrl-C reaches it.
    command = [sys.executable, "-m", "tokenq", *typed]
    child = subprocess.Popen(command, cwd=ROOT, env=environment, preexec_fn=partial(os.login_tty, theirs))
    os.close(theirs)
    said, deadline, is_answered = b"", time.monotonic() + SECONDS, False
    try:
        while (chunk := _next(ours)) is not None:
            assert time.monotonic() < deadline, said
            said += chunk
            if b"[y/N]" in said and not is_answered:
                # The prompt comes before the program reads; a signal in between is only seen with the next key.
                time.sleep(0.3)
                os.write(ours, keys)
                is_answered = True
        code = child.wait(SECONDS)
    finally:
        child.kill()
        child.wait()
        os.close(ours)
    assert is_answered, said
    assert b"Traceback" not in said
    return Done(code, "", said.decode())


def _next(terminal: int) -> bytes | None:
    """What was written; ``None`` when the other side has closed."""
    if not select.select([terminal], [], [], 0.1)[0]:
        return b""
    try:
        return os.read(terminal, 4096) or None
    except OSError:
        return None


@pytest.mark.parametrize(("keys", "code"), [(b"\r", 1), (b"n\r", 1), (b"\x04", 130), (b"\x03", 130)])
def test_at_a_terminal_only_yes_is_yes(tokenq: Cli, api: Api, keys: bytes, code: int) -> None:
    """Enter alone, no, the end of the input and Ctrl-C are none."""
    delete, show = a_department(tokenq)
    done = at_a_terminal(api, keys, *delete)

    assert done.code == code, done
    assert f"Delete the department {delete[2]}? [y/N]" in done.err
    assert ("Nothing was changed." if code == 1 else "Interrupted.") in done.err
    assert tokenq(*show).code == 0


@pytest.mark.parametrize("typed", THINGS)
def test_at_a_terminal_yes_deletes(tokenq: Cli, api: Api, typed: str) -> None:
    delete, show = THINGS[typed](tokenq)
    assert at_a_terminal(api, b"y\r", *delete).code == 0
    assert tokenq(*show).code == 3


@pytest.fixture
def site(tokenq: Cli) -> tuple[str, str]:
    """A branch furthest west, where more than a day's change is to be had, and its department with two who wait."""
    branch, dept = f"b{secrets.token_hex(3)}", f"D{secrets.token_hex(3).upper()}"
    zone = ("--timezone", "Pacific/Pago_Pago", "--rollover-hour", "0")
    assert tokenq("branch", "create", branch, "--name", "West", *zone).code == 0
    assert tokenq("dept", "create", "Cash", "--id", dept, "--branch", branch).code == 0
    for _ in range(3):
        assert tokenq("issue", dept).code == 0
    assert tokenq("call", dept, "--counter", "1").code == 0
    assert tokenq("park", f"{dept}-001").code == 0
    return branch, dept


EAST = ("--timezone", "Pacific/Kiritimati")


def test_a_day_that_would_end_needs_somebody_who_means_it(tokenq: Cli, site: tuple[str, str]) -> None:
    """It says who would go, where; what ends no day goes through."""
    branch, dept = site
    for more in ((), ("--json",)):
        done = tokenq("branch", "update", branch, *EAST, *more, stdin="y\n")
        assert done.code == 2, done
        assert f"lose their place: in {dept} 2 waiting, 1 parked. Change it?" in done.err
        assert "add --yes" in done.err
    assert json.loads(tokenq("branch", "show", branch, "--json").out)["timezone"] == "Pacific/Pago_Pago"
    assert tokenq("branch", "update", branch, "--name", "Far west", "--rollover-hour", "23").code == 0
    assert tokenq("branch", "update", branch, "--rollover-hour", "0").code == 0, "the day it is does not end by that"
    assert "WAITING" in tokenq("status", f"{dept}-002").out

    assert tokenq("branch", "update", branch, *EAST, "--yes").code == 0
    assert tokenq("issue", dept).out.startswith(f"{dept}-001")


def test_a_day_with_nobody_in_it_ends_unasked(tokenq: Cli, site: tuple[str, str]) -> None:
    branch, dept = site
    for number in (1, 2, 3):
        assert tokenq("cancel", f"{dept}-{number:03d}").code == 0
    assert tokenq("branch", "update", branch, *EAST).code == 0


@pytest.mark.parametrize(("keys", "zone"), [(b"\r", "Pacific/Pago_Pago"), (b"y\r", "Pacific/Kiritimati")])
def test_at_a_terminal_it_is_asked_whether_the_day_shall_end(
    tokenq: Cli, api: Api, site: tuple[str, str], keys: bytes, zone: str
) -> None:
    branch, _ = site
    done = at_a_terminal(api, keys, "branch", "update", branch, *EAST)

    assert "would end the business day now" in done.err
    assert json.loads(tokenq("branch", "show", branch, "--json").out)["timezone"] == zone


def test_a_file_that_would_end_a_day_is_applied_by_somebody_who_means_it(tokenq: Cli, site: tuple[str, str]) -> None:
    branch, dept = site
    floor = f"""
[branches.{branch}]
name = "East"
timezone = "Pacific/Kiritimati"
rollover-hour = 0
"""
    for compare in (("diff",), ("apply", "--dry-run")):
        done = tokenq(*compare, "-f", "-", stdin=floor)
        assert f"customers would lose their place: in {dept} 2 waiting, 1 parked." in done.err
    refused = tokenq("apply", "-f", "-", stdin=floor)
    assert refused.code == 2, refused
    assert "Nothing was changed. If you are sure, add --yes." in refused.err
    assert json.loads(tokenq("branch", "show", branch, "--json").out)["name"] == "West"
    assert "WAITING" in tokenq("status", f"{dept}-002").out

    assert tokenq("apply", "-f", "-", "--yes", stdin=floor).code == 0
    assert json.loads(tokenq("branch", "show", branch, "--json").out)["name"] == "East"
