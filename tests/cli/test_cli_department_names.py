"""Departments by name: clerks know the sign on the door, not the id."""

import json
import os
import pty
import secrets
import subprocess
import sys

import pytest

from tests.cli.conftest import Cli
from tests.http_fake import TOKEN, fake_server, says
from tests.programs import Api


@pytest.fixture
def named(tokenq: Cli) -> tuple[str, str]:
    """A department with a name of its own: its id and its name."""
    dept, name = f"N{secrets.token_hex(3).upper()}", f"Prélèvements {secrets.token_hex(4)}"
    assert tokenq("dept", "create", name, "--id", dept).code == 0
    return dept, name


def test_a_department_is_found_by_its_name(tokenq: Cli, named: tuple[str, str]):
    dept, name = named
    for typed in (name, name.upper(), name.replace("é", "e").replace("è", "e"), f"  {name} "):
        assert json.loads(tokenq("issue", typed, "--json").out)["departmentId"] == dept
    called = tokenq("call", name, "--counter", dept, "--json")
    assert json.loads(called.out)["departmentId"] == dept
    tokenq("requeue", f"{dept}-001")
    served = tokenq("serve", name, "--counter", dept, "--json")
    assert json.loads(served.out)["displayNumber"] == f"{dept}-001"
    assert tokenq("queue", name).code == tokenq("dept", "show", name).code == tokenq("report", name).code == 0


def test_a_name_in_the_form_of_an_id_is_tried_as_an_id_first(tokenq: Cli):
    dept, name = f"N{secrets.token_hex(3).upper()}", f"D{secrets.token_hex(3)}"
    tokenq("dept", "create", name, "--id", dept)
    assert json.loads(tokenq("issue", name, "--json").out)["departmentId"] == dept
    user = ("user", "create", "Ann", "--username", dept.lower(), "--role", "staff", "--dept", name, "--password")
    assert json.loads(tokenq(*user, "--json", stdin="correct horse\n").out)["departments"] == [dept]
    tokenq("dept", "create", "Another", "--id", name.upper())
    assert json.loads(tokenq("issue", name, "--json").out)["departmentId"] == name.upper()


def test_options_take_names_too(tokenq: Cli, named: tuple[str, str], dept: str):
    there, name = named
    tokenq("issue", dept), tokenq("issue", dept)
    assert f"of {there}" in tokenq("transfer", f"{dept}-001", "--to", name).out
    assert tokenq("transfer", f"{dept}-001", f"{dept}-002", "--to", name).code == 4
    assert f"{dept}-002" in tokenq("queue", there).out
    opened = tokenq("counter", "open", dept, "--dept", name, "--dept", dept, "--json")
    assert json.loads(opened.out)["departments"] == [there, dept]
    tokenq("counter", "close", dept)


def test_a_wrong_name_is_answered_with_similar_ones(tokenq: Cli, named: tuple[str, str]):
    dept, name = named
    for typed in (name.replace("vements", "vement"), dept[:-1] + ("0" if dept[-1] != "0" else "1")):
        done = tokenq("issue", typed, "--json")
        error = json.loads(done.out)["error"]
        assert (done.code, error["code"]) == (3, "unknown_department")
        assert error["hint"].startswith("Did you mean ")
        assert f"{dept} ({name})" in error["hint"]


def test_a_name_that_resembles_nothing_is_refused_as_before(tokenq: Cli):
    done = tokenq("issue", "Zzyzx qqq")
    assert done.code == 3
    assert done.err == "tokenq: There is no department Zzyzx qqq.\n  List the departments with 'tokenq dept list'.\n"


def test_a_name_of_two_departments_is_refused_with_both(tokenq: Cli, named: tuple[str, str]):
    dept, name = named
    other = f"N{secrets.token_hex(3).upper()}"
    tokenq("dept", "create", name.upper(), "--id", other)
    done = tokenq("issue", name)
    assert done.code == 4
    assert all(f"{each} (" in done.err for each in (dept, other))


def test_whoever_gives_a_name_again_hears_whose_it_is(tokenq: Cli, named: tuple[str, str]):
    dept, name = named
    other = f"N{secrets.token_hex(3).upper()}"
    done = tokenq("dept", "create", name.upper(), "--id", other)
    assert done.code == 0
    assert f"{dept} has this name, too" in done.err
    assert tokenq("dept", "update", other, "--name", f"{other} alone").err == ""
    assert f"{dept} has this name, too" in tokenq("dept", "update", other, "--name", name, "--json").err


def test_staff_and_desk_of_a_department_may_name_it(tokenq: Cli, cli: Cli, api: Api, named: tuple[str, str]):
    """The server says that another department is not theirs before it says that there is none."""
    dept, name = f"N{secrets.token_hex(3).upper()}", f"D{secrets.token_hex(3)}"
    tokenq("dept", "create", name, "--id", dept)
    for role, typed in (("desk", ("issue", name)), ("staff", ("call", name, "--counter", dept))):
        key = json.loads(tokenq("key", "create", role, "--role", role, "--dept", dept, "--json").out)["key"]
        mine = {"TOKENQ_URL": api.url, "TOKENQ_TOKEN": key}
        assert cli(*typed, **mine).code == 0
        assert cli(typed[0], named[0], *typed[2:], **mine).code == 5
        assert cli(typed[0], "NOPE", *typed[2:], **mine).code == 5


def test_a_number_in_the_place_of_a_department_keeps_its_hint(tokenq: Cli):
    done = tokenq("call", "cw1", "--counter", "3")
    assert (done.code, "tokenq call --token CW1" in done.err) == (3, True)


def test_the_usual_way_asks_nothing_more(cli: Cli):
    with fake_server(says(201, TOKEN)) as fake:
        assert cli("issue", "cw", TOKENQ_URL=fake.url, TOKENQ_TOKEN="t").code == 0
    assert [asked.path for asked in fake.asked] == ["/api/v1/departments/CW/tokens"]


def test_another_refusal_is_no_reason_to_look_for_names(cli: Cli):
    with fake_server(says(403, {"code": "forbidden", "detail": "No.", "hint": ""})) as fake:
        assert cli("issue", "CW", TOKENQ_URL=fake.url, TOKENQ_TOKEN="t").code == 5
    assert len(fake.asked) == 1


def test_without_a_list_of_departments_the_first_refusal_stands(cli: Cli):
    unknown = {"code": "unknown_department", "detail": "There is no department X.", "hint": ""}
    with fake_server(says(404, unknown), says(403, {"code": "forbidden", "detail": "No.", "hint": ""})) as fake:
        done = cli("issue", "X", TOKENQ_URL=fake.url, TOKENQ_TOKEN="t")
    assert (done.code, done.err) == (3, "tokenq: There is no department X.\n")


def test_a_name_cannot_be_looked_up_without_a_server(cli: Cli):
    """That there is no such department would be a lie."""
    done = cli("issue", "Customer window", TOKENQ_URL="http://127.0.0.1:9", TOKENQ_TOKEN="t", TOKENQ_TIMEOUT="0.3")
    assert (done.code, "Cannot reach" in done.err) == (6, True)


@pytest.mark.parametrize("typed", ["", "  "])
def test_a_blank_is_no_department(tokenq: Cli, api: Api, typed: str):
    assert tokenq("issue", typed).code == 2


def test_the_console_takes_names_and_answers_a_mistyped_department_before_it_starts(api: Api, named: tuple[str, str]):
    """It needs a terminal, so it gets one."""
    dept, name = named
    for typed, words in ((f"{dept}X", f"Did you mean {dept} ({name})"), ("Zzzzzzzzzzzz", "with 'tokenq dept list'")):
        code, shown = on_a_terminal(api, "console", typed, "--counter", dept)
        assert code == 3
        assert words in " ".join(shown.split())


def on_a_terminal(api: Api, *arguments: str) -> tuple[int, str]:
    """Run ``tokenq`` on a terminal; return its exit code and all that it showed."""
    ours, theirs = pty.openpty()
    settings = {"TOKENQ_URL": api.url, "TOKENQ_TOKEN": api.token, "TERM": "xterm", "COLUMNS": "200", "LINES": "40"}
    command = [sys.executable, "-m", "tokenq", *arguments]
    with subprocess.Popen(command, env=os.environ | settings, stdin=theirs, stdout=theirs, stderr=theirs) as child:
        os.close(theirs)
        shown = b""
        try:
            while chunk := os.read(ours, 65536):
                shown += chunk
        except OSError:  # the child has closed its side
            pass
        finally:
            os.close(ours)
        return child.wait(30), shown.decode()
