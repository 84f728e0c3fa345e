"""``tokenq erase``: what is asked, what is shown, and what is refused."""

import json
import secrets

import pytest

from tests.cli.conftest import Cli
from tests.cli.test_cli_asking import at_a_terminal
from tests.programs import Api

MEANT = "Give exactly one of --user, --email and --token."


@pytest.fixture
def address(tokenq: Cli, dept: str) -> str:
    """The address of somebody who was here, called Ann."""
    email = f"{secrets.token_hex(4)}@example.org"
    assert tokenq("issue", dept, "--name", "Ann", "--email", email).code == 0
    assert tokenq("cancel", f"{dept}-001", "--reason", "left angrily").code == 0
    return email


@pytest.mark.parametrize(
    "typed",
    [(), ("--yes",), ("--show",), ("--user", "5", "--email", "a@example.org"), ("--token", "id:1", "--user", "5")],
)
def test_exactly_one_person_must_be_named(tokenq: Cli, typed: tuple[str, ...]) -> None:
    done = tokenq("erase", *typed)
    assert (done.code, MEANT in done.err, done.out) == (2, True, "")


@pytest.mark.parametrize("typed", [("ann@example.org",), ("ann@example.org", "--yes"), ("--yes", "ann@example.org")])
def test_an_address_alone_is_answered_with_its_option(tokenq: Cli, typed: tuple[str, ...]) -> None:
    done = tokenq("erase", *typed)
    assert (done.code, done.out) == (2, "")
    assert done.err == "tokenq: ann@example.org needs an option before it.\n  Write --email ann@example.org.\n"
    assert "Try 'tokenq erase --help'." in tokenq("erase", "CW-012").err


def test_showing_needs_no_consent_and_takes_none(tokenq: Cli, address: str) -> None:
    done = tokenq("erase", "--email", address, "--show", "--yes")
    assert (done.code, "--show erases nothing" in done.err) == (2, True)
    assert address in tokenq("erase", "--email", address, "--show").out


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        (("--email", "nonsense"), 1),
        (("--email", ""), 1),
        (("--token", "nonsense!"), 2),
        (("--token", "ZZ-999"), 3),
        (("--token", "id:999999999"), 3),
        (("--user", "nobody-of-this-name"), 3),
        (("--user", ""), 3),
    ],
)
def test_who_is_not_there_is_named(tokenq: Cli, typed: tuple[str, str], code: int) -> None:
    done = tokenq("erase", *typed, "--yes")
    assert (done.code, done.out) == (code, ""), done
    assert done.err.count("\n") == 2, "a sentence and a hint"


def test_what_would_be_erased_is_shown_before_it_is_asked(tokenq: Cli, api: Api, address: str) -> None:
    question = f"Erase the address {address}: 1 token, 2 log entries"
    done = at_a_terminal(api, b"n\r", "erase", "--email", address)
    assert done.code == 1
    assert question in done.err
    assert "cannot be undone" in done.err
    shown = tokenq("erase", "--email", address, "--show")
    assert ("Ann" in shown.out, "2 log entries; --json shows everything." in shown.out) == (True, True)

    done = at_a_terminal(api, b"y\r", "erase", "--email", address)
    assert done.code == 0
    assert "Erased: 1 token, 2 log entries" in done.err
    assert "Kafka keeps its records" in done.err


def test_repeating_says_that_nothing_is_stored(tokenq: Cli, address: str) -> None:
    """Nothing is asked where nothing would be erased."""
    assert json.loads(tokenq("erase", "--email", address, "--yes", "--json").out)["tokens"] == 1
    done = tokenq("erase", "--email", address)
    assert (done.code, done.out.strip()) == (0, f"Nothing is stored about the address {address}.")
    assert tokenq("erase", "--email", address, "--show").out.strip() == done.out.strip()


def test_the_export_has_everything(tokenq: Cli, address: str) -> None:
    export = json.loads(tokenq("erase", "--email", address, "--show", "--json").out)
    assert [token["name"] for token in export["tokens"]] == ["Ann"]
    assert "left angrily" in json.dumps(export["events"])
    assert export["account"] is None


def test_a_number_still_in_use_is_named(tokenq: Cli, dept: str) -> None:
    assert tokenq("issue", dept, "--name", "Ann").code == 0
    done = tokenq("erase", "--token", f"{dept}-001", "--yes")
    assert done.code == 4
    assert f"still in use: {dept}-001." in done.err
    assert "Serve or cancel them first" in done.err


def test_staff_may_not(tokenq: Cli, api: Api, address: str) -> None:
    key = json.loads(tokenq("key", "create", "desk", "--role", "staff", "--json").out)["key"]
    for typed in (("--show",), ("--yes",)):
        done = tokenq("erase", "--email", address, *typed, TOKENQ_TOKEN=key)
        assert (done.code, done.out) == (5, "")
