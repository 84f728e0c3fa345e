"""Counters on the command line: what survives a break, what is refused, and what a typing mistake does."""

import json
import secrets

import pytest

from tests.cli.conftest import Cli


def test_a_break_keeps_what_a_counter_serves_until_it_is_told_otherwise(tokenq: Cli, dept: str):
    tokenq("counter", "open", dept, "--dept", dept)
    for away in ("pause", "close"):
        assert tokenq("counter", away, dept).code == 0
        assert f"Serves         {dept}\n" in tokenq("counter", "open", dept).out
    assert "all departments of the branch" in tokenq("counter", "open", dept, "--all").out
    assert tokenq("counter", "open", dept, "--all", "--dept", dept).code == 2


def test_a_declared_counter_names_the_way_to_change_it(tokenq: Cli, dept: str):
    tokenq("dept", "create", "Other", "--id", f"{dept}X")
    tokenq("counter", "declare", dept, "--dept", dept)
    done = tokenq("counter", "open", dept, "--dept", f"{dept}X")

    assert (done.code, done.out) == (4, "")
    assert f"tokenq counter declare {dept}" in done.err
    assert f"Serves         {dept}\n" in tokenq("counter", "open", dept).out
    assert tokenq("counter", "delete", dept, "--yes").code == 0, "the branch is for all tests"


def test_a_closed_counter_calls_nobody(tokenq: Cli, dept: str):
    tokenq("issue", dept)
    tokenq("counter", "open", dept)
    tokenq("counter", "close", dept)
    done = tokenq("call", dept, "--counter", dept)

    assert (done.code, done.out) == (4, "")
    assert f"tokenq counter open {dept}" in done.err


def test_a_typing_mistake_makes_no_counter(tokenq: Cli, dept: str):
    for verb in ("close", "pause"):
        assert tokenq("counter", verb, f"{dept} 9").code == 3
    assert f"{dept} 9" not in tokenq("counter", "list").out


def test_a_call_says_when_it_makes_a_counter(tokenq: Cli, dept: str):
    """People are sent there: whoever typed it must see it."""
    for _ in range(3):
        tokenq("issue", dept)
    first, second = (tokenq("call", dept, "--counter", f"{dept} b") for _ in range(2))
    assert (first.err, second.err) == (f"Counter '{dept} b' is new.\n", "")
    served = tokenq("serve", dept, "--counter", f"{dept} c", "--json")
    assert (served.err, json.loads(served.out)["isNewCounter"]) == (f"Counter '{dept} c' is new.\n", True)


def test_where_counters_are_declared_a_typing_mistake_is_refused_with_the_likely_one(tokenq: Cli):
    name = f"T{secrets.token_hex(3).upper()}"
    branch = name.lower()
    tokenq("branch", "create", branch, "--name", "A branch of its own", "--timezone", "UTC")
    tokenq("dept", "create", "Test desk", "--id", name, "--branch", branch)
    tokenq("counter", "declare", "13", "--branch", branch)
    for _ in range(3):
        tokenq("issue", name)
    ways = (
        ("call", name, "--counter", "14"),
        ("serve", name, "--counter", "14"),
        ("call", "--counter", "14", "--branch", branch),
        ("counter", "open", "14", "--branch", branch),
    )
    for way in ways:
        done = tokenq(*way)
        assert (done.code, done.out) == (3, "")
        assert "There is no counter 14." in done.err
        assert "Did you mean 13?" in done.err
        assert f"tokenq counter open 14 --branch {branch} --new" in done.err
    for way in ways:
        assert tokenq(*way, "--new").code == 0
    assert tokenq("serve", f"{name}-002", "--new").code == 2


def test_a_hint_about_a_counter_names_its_branch(tokenq: Cli):
    """Copied without it, the command would open a new counter in the main branch."""
    name = f"T{secrets.token_hex(3).upper()}"
    branch = name.lower()
    tokenq("branch", "create", branch, "--name", "A branch of its own", "--timezone", "UTC")
    tokenq("dept", "create", "Test desk", "--id", name, "--branch", branch)
    tokenq("issue", name)
    tokenq("counter", "open", "A1", "--branch", branch)
    closed = tokenq("counter", "close", "A1", "--branch", branch)
    assert f"Open it again with 'tokenq counter open A1 --branch {branch}', or another counter." in closed.err
    for way in (("call", name), ("serve", name), ("call", "--branch", branch)):
        assert f"Open it with 'tokenq counter open A1 --branch {branch}'." in tokenq(*way, "--counter", "A1").err
    unknown = tokenq("counter", "pause", "zzz", "--branch", branch)
    assert f"List the counters with 'tokenq counter list --branch {branch}'." in unknown.err


def test_where_counters_are_declared_a_department_lists_no_mistyped_one(tokenq: Cli):
    name = f"T{secrets.token_hex(3).upper()}"
    branch = name.lower()
    tokenq("branch", "create", branch, "--name", "A branch of its own", "--timezone", "UTC")
    tokenq("dept", "create", "Test desk", "--id", name, "--branch", branch, "--set", "counters=1,20")
    for counter in ("1", "2"):
        tokenq("counter", "declare", counter, "--branch", branch)

    done = tokenq("dept", "update", name, "--set", "counters=1,20,22")
    assert (done.code, done.out) == (3, "")
    assert "There is no counter 22." in done.err
    assert "Did you mean" in done.err
    another = tokenq("dept", "create", "Another", "--id", f"{name}B", "--branch", branch, "--set", "counters=22")
    assert (another.code, another.out) == (3, "")
    assert tokenq("dept", "update", name, "--set", "counters=1,2,20").code == 0, "20 stood there before"
    assert tokenq("counter", "open", "22", "--branch", branch, "--new").code == 0
    assert tokenq("dept", "update", name, "--set", "counters=1,22").code == 0


def test_a_floor_file_lists_no_mistyped_counter(tokenq: Cli):
    name = f"T{secrets.token_hex(3).upper()}"
    branch = name.lower()
    floor = f"""
[branches.{branch}]
name = "A branch of its own"
timezone = "UTC"
[departments.{name}]
name = "Test desk"
branch-id = "{branch}"
counters = ["1", "21"]
[counters.{branch}]
1 = {{}}
2 = {{}}
"""
    refused = tokenq("apply", "-f", "-", stdin=floor)
    assert (refused.code, refused.out) == (3, "")
    assert "line 8: There is no counter 21" in refused.err
    assert tokenq("apply", "-f", "-", stdin=floor.replace('"21"', '"2"')).code == 0


def test_somebody_elses_customer_is_no_answer(tokenq: Cli, dept: str):
    tokenq("issue", dept)
    tokenq("counter", "open", dept)
    tokenq("call", dept, "--counter", dept)
    key = json.loads(tokenq("key", "create", "maria", "--role", "staff", "--json").out)["key"]
    done = tokenq("call", dept, "--counter", dept, TOKENQ_TOKEN=key)

    assert (done.code, done.out) == (4, "")
    assert "in use by" in done.err


def test_one_step_says_that_it_called_too(tokenq: Cli, dept: str):
    tokenq("issue", dept), tokenq("issue", dept)
    tokenq("call", dept, "--counter", dept)

    assert "called and served in one step" not in tokenq("serve", dept, "--counter", dept).out
    assert tokenq("serve", dept, "--counter", dept).out.startswith(
        f"{dept}-002  SERVED at counter {dept}; called and served in one step  (id:"
    )


@pytest.mark.parametrize("verb", ["start", "recall", "no-show", "requeue", "park", "serve"])
def test_a_verb_at_a_named_counter_takes_nobody_from_another(tokenq: Cli, dept: str, verb: str):
    """Only what is typed counts: TOKENQ_COUNTER is where this machine stands, not whom it may help."""
    tokenq("issue", dept)
    tokenq("call", dept, "--counter", dept)
    done = tokenq(verb, f"{dept}-001", "--counter", "elsewhere")

    assert (done.code, done.out) == (4, "")
    assert f"{dept}-001 is at counter {dept}, not at elsewhere." in done.err
    assert "CALLED" in tokenq("status", f"{dept}-001").out
    assert tokenq(verb, f"{dept}-001", "-c", dept, TOKENQ_COUNTER="elsewhere").code == 0


def test_a_counter_that_is_named_for_who_still_waits_does_not_hide_why_not(tokenq: Cli, dept: str):
    tokenq("issue", dept)
    assert "is WAITING: 'start' is not possible" in tokenq("start", f"{dept}-001", "--counter", dept).err


def test_whoever_closes_the_last_counter_hears_who_still_waits(tokenq: Cli, dept: str):
    assert tokenq("branch", "create", dept.lower(), "--name", "Hall", "--timezone", "UTC").code == 0
    tokenq("dept", "create", "Hall", "--id", f"{dept}H", "--branch", dept.lower())
    at = ("--branch", dept.lower())
    for _ in range(12):
        tokenq("issue", f"{dept}H")
    tokenq("counter", "open", "1", *at)
    tokenq("counter", "open", "2 b", *at)
    assert tokenq("counter", "close", "1", *at).err == ""
    for verb in ("pause", "close"):
        done = tokenq("counter", verb, "2 b", *at)
        assert done.code == 0
        assert f"12 customers wait in {dept}H ({dept}H-001, " in done.err
        assert f"{dept}H-010 and 2 more); no other open counter serves it." in done.err
        assert f"'tokenq counter open '2 b' --branch {dept.lower()}'" in done.err
    assert len(json.loads(tokenq("counter", "close", "2 b", *at, "--json").out)["unserved"][0]["displayNumbers"]) == 10


def test_a_customer_called_at_two_counters_is_said_to_who_calls(tokenq: Cli, dept: str):
    tokenq("dept", "create", "Other", "--id", f"{dept}X")
    user = json.loads(tokenq("user", "create", "Ada", "--role", "customer", "--json").out)["userId"]
    for name in (dept, f"{dept}X"):
        assert tokenq("issue", name, "--user", str(user)).code == 0
    assert tokenq("call", dept, "--counter", f"{dept}1").err == f"Counter '{dept}1' is new.\n"
    done = tokenq("call", f"{dept}X", "--counter", f"{dept}2")
    assert done.code == 0
    assert f"This customer is also at counter {dept}1 ({dept}-001)." in done.err
    assert f"To let that counter finish first: 'tokenq requeue {dept}X-001'." in done.err


def test_a_customer_who_is_served_already_is_not_put_back(tokenq: Cli, dept: str):
    """The hint named a command that a served token refuses."""
    tokenq("dept", "create", "Other", "--id", f"{dept}X")
    user = json.loads(tokenq("user", "create", "Ada", "--role", "customer", "--json").out)["userId"]
    for name in (dept, f"{dept}X"):
        assert tokenq("issue", name, "--user", str(user)).code == 0
    tokenq("call", dept, "--counter", f"{dept}1")
    done = tokenq("serve", f"{dept}X", "--counter", f"{dept}2")
    assert f"This customer is also at counter {dept}1 ({dept}-001)." in done.err
    assert "requeue" not in done.err
