"""What a clerk reads off paper and types: that token, or a refusal that names the candidates."""

import json
import re
import secrets

import pytest

from tests.cli.conftest import Cli


def made(done) -> dict:
    assert done.code == 0, done
    return json.loads(done.out)


@pytest.fixture
def plain(tokenq: Cli) -> tuple[str, str]:
    """Two departments that print plain numbers, beginning somewhere of their own."""
    names = tuple(f"N{secrets.token_hex(3).upper()}" for _ in range(2))
    for name in names:
        made(tokenq("dept", "create", name, "--id", name, "--number-format", "{number:03d}", "--json"))
    return names


def test_a_typed_number_never_reaches_a_token_id(tokenq: Cli, dept: str, plain: tuple[str, str]):
    """``cancel 062`` once cancelled the customer of another department whose id is 62."""
    victim = made(tokenq("issue", dept, "--json"))
    start = str(victim["tokenId"])
    made(tokenq("dept", "update", plain[0], "--set", f"number-start={start}", "--json"))

    nobody = tokenq("cancel", start, "--json")
    assert (nobody.code, json.loads(nobody.out)["error"]["code"]) == (3, "unknown_token")
    assert f"id:{start}" in nobody.err
    mine = made(tokenq("issue", plain[0], "--json"))
    assert made(tokenq("cancel", mine["displayNumber"], "--json"))["tokenId"] == mine["tokenId"]
    assert made(tokenq("status", "--id", start, "--json"))["state"] == "WAITING"
    assert made(tokenq("status", f"id:{start}", "--json"))["tokenId"] == victim["tokenId"]


def test_two_departments_with_the_same_plain_number_are_refused_with_both(tokenq: Cli, plain: tuple[str, str]):
    number = secrets.randbelow(400_000) + 100_000
    for name in plain:
        tokenq("dept", "update", name, "--set", f"number-start={number}")
    ids = [made(tokenq("issue", name, "--json"))["tokenId"] for name in plain]

    refusal = tokenq("cancel", str(number), "--json")
    assert (refusal.code, json.loads(refusal.out)["error"]["code"]) == (4, "ambiguous")
    for name, token_id in zip(plain, ids, strict=True):
        assert f"{number} ({name}, WAITING)" in refusal.err
        assert f"id:{token_id}" in refusal.err
        assert made(tokenq("status", "--id", str(token_id), "--json"))["state"] == "WAITING"


def test_a_number_with_two_readings_is_refused_with_both(tokenq: Cli):
    """P-012 and P1-002 are both ``p12``; in one branch two such prefixes are refused from the start."""
    short, branch = f"Q{secrets.choice('ABCDEF')}{secrets.token_hex(1).upper()}X", f"b{secrets.token_hex(3)}"
    made(tokenq("dept", "create", "Short", "--id", short, "--set", "number-start=12", "--json"))
    misread = tokenq("dept", "create", "Long", "--id", f"{short}1", "--json")
    assert (misread.code, json.loads(misread.out)["error"]["code"]) == (4, "exists")
    assert "could be read as" in misread.err
    made(tokenq("branch", "create", branch, "--name", "Another", "--timezone", "UTC", "--json"))
    made(tokenq("dept", "create", "Long", "--id", f"{short}1", "--branch", branch, "--set", "number-start=2", "--json"))
    first, second = made(tokenq("issue", short, "--json")), made(tokenq("issue", f"{short}1", "--json"))

    refusal = tokenq("cancel", f"{short}12".lower())
    assert refusal.code == 4
    assert f"{short}-012 ({short}, WAITING)" in refusal.err
    assert f"{short}1-002 ({short}1, WAITING)" in refusal.err
    assert made(tokenq("cancel", first["displayNumber"], "--json"))["tokenId"] == first["tokenId"]
    assert made(tokenq("cancel", second["displayNumber"], "--json"))["tokenId"] == second["tokenId"]


def test_a_made_up_id_is_no_other_prefix_with_digits(tokenq: Cli):
    name = f"{secrets.choice('GHJKMNQR')}x{secrets.token_hex(2)} desk"
    first = made(tokenq("dept", "create", name, "--json"))["departmentId"]
    second = made(tokenq("dept", "create", name, "--json"))["departmentId"]
    assert first != second
    assert not re.fullmatch(rf"{first}\d+|{second}\d+", max(first, second, key=len))
    assert tokenq("dept", "create", "验血").code == 1


def test_a_department_that_could_be_a_token_is_refused(tokenq: Cli):
    """``serve A1`` where a department A1 and a token A-001 are."""
    stem, branch = f"R{secrets.token_hex(2).upper()}X", f"b{secrets.token_hex(3)}"
    made(tokenq("branch", "create", branch, "--name", "Another", "--timezone", "UTC", "--json"))
    made(tokenq("dept", "create", "Stem", "--id", stem, "--json"))
    made(tokenq("dept", "create", "Other", "--id", f"{stem}1", "--branch", branch, "--json"))
    made(tokenq("issue", stem, "--json"))
    made(tokenq("issue", f"{stem}1", "--json"))

    refusal = tokenq("serve", f"{stem}1", "--counter", "1")
    assert (refusal.code, f"{stem}-001" in refusal.err) == (4, True)


@pytest.mark.parametrize("typed", [["--id"], ["--id", "x"], ["--id=", "CW-1"], ["CW-001", "--id", "3"], ["what?"], []])
def test_what_names_no_token_is_a_usage_error(tokenq: Cli, typed: list[str]):
    assert tokenq("cancel", *typed).code == 2
