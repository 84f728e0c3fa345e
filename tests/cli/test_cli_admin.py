"""Setting up by the command line: departments, branches, users, keys, and signing in."""

import json
import secrets
import stat

import pytest

from tests.cli.conftest import Cli
from tests.programs import Api


def made(done) -> dict:
    assert done.code == 0, done
    return json.loads(done.out)


def test_a_department_is_made_listed_changed_closed_opened_and_deleted(tokenq: Cli):
    name = f"D{secrets.token_hex(3).upper()}"
    view = made(tokenq("dept", "create", "Cash window", "--id", name, "--ratio", "3:1", "--max-wait", "30", "--json"))
    assert (view["departmentId"], view["open"], view["ratio"], view["maxWaitMinutes"]) == (name, True, "3:1", 30)
    assert name in [one["departmentId"] for one in made(tokenq("dept", "list", "--json"))["items"]]
    assert made(tokenq("dept", "update", name, "--name", "Cash", "--json"))["name"] == "Cash"
    assert made(tokenq("dept", "close", name, "--json"))["open"] is False
    assert made(tokenq("dept", "open", name, "--json"))["open"] is True
    assert "Cash" in tokenq("dept", "show", name).out
    assert name in tokenq("dept", "list").out
    assert made(tokenq("dept", "delete", name, "--yes", "--json")) == {"deleted": {"department": name}}
    assert tokenq("dept", "show", name).code == 3


def test_a_branch_is_made_and_changed_in_part(tokenq: Cli):
    name = f"b{secrets.token_hex(3)}"
    made(tokenq("branch", "create", name, "--name", "North", "--timezone", "Europe/Berlin", "--json"))
    view = made(tokenq("branch", "update", name, "--rollover-hour", "2", "--json"))
    assert view == {
        "branchId": name,
        "name": "North",
        "timezone": "Europe/Berlin",
        "rolloverHour": 2,
        "hours": None,
        "languages": ["en"],
        "counterWords": {},
        "publicUrl": "",
    }
    assert "Europe/Berlin" in tokenq("branch", "list").out
    assert tokenq("branch", "show", name).code == 0


def test_a_branch_has_its_languages_words_and_address(tokenq: Cli):
    name = f"b{secrets.token_hex(3)}"
    made(tokenq("branch", "create", name, "--name", "North", "--timezone", "UTC", "--languages", "en", "--json"))
    words = ("--counter-word", "en:Room", "--public-url", "https://queue.example.org/")
    view = made(tokenq("branch", "update", name, *words, "--json"))
    assert (view["languages"], view["counterWords"]) == (["en"], {"en": "Room"})
    assert view["publicUrl"] == "https://queue.example.org"
    renamed = made(tokenq("branch", "update", name, "--name", "South", "--json"))
    assert renamed == {**view, "name": "South"}
    assert made(tokenq("branch", "update", name, "--counter-word", "none", "--json"))["counterWords"] == {}
    shown = tokenq("branch", "show", name).out
    assert "https://queue.example.org" in shown


@pytest.mark.parametrize(
    ("option", "value", "code", "said"),
    [
        ("--languages", "en,tlh", 1, "names tlh: choose from en"),
        ("--languages", "en,en", 1, "names en twice"),
        ("--counter-word", "Room", 2, "is written as de:Schalter,en:Desk"),
        ("--public-url", "ftp://queue", 1, "has the wrong format"),
        ("--public-url", "https://queue.example.org/?x=1", 1, "has the wrong format"),
    ],
)
def test_what_a_branch_cannot_say_is_refused(tokenq: Cli, option: str, value: str, code: int, said: str):
    done = tokenq("branch", "update", "main", option, value)
    assert done.code == code, done
    assert said in " ".join(done.err.split())


def test_a_user_signs_in_changes_the_password_and_signs_out(cli: Cli, tokenq: Cli, api: Api, home, dept: str):
    """The whole life of a login, without one password in argv."""
    name = f"u{secrets.token_hex(3)}"
    view = made(
        tokenq(
            *("user", "create", "Ann", "--username", name, "--role", "staff", "--dept", dept, "--password", "--json"),
            stdin="first-password\n",
        )
    )
    assert view["departments"] == [dept]
    done = cli("login", api.url, "--user", name, stdin="first-password\n")
    assert done.code == 0, done
    file = home / "tokenq" / "credentials.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    me = made(cli("whoami", "--json"))
    assert (me["url"], me["role"], me["departments"]) == (api.url, "staff", [dept])
    assert cli("queue", dept).code == 0
    assert cli("passwd", stdin="first-password\nsecond-password\n").code == 0
    assert cli("queue", dept).code == 0, "the password's own change must not sign out this machine"
    assert cli("login", "--user", name, TOKENQ_PASSWORD="first-password").code == 5
    assert cli("login", "--user", name, TOKENQ_PASSWORD="second-password").code == 0
    assert cli("logout").code == 0
    assert cli("whoami").code == 5
    assert json.loads(file.read_text())["servers"] == {}


def test_a_key_has_no_password_to_change(tokenq: Cli):
    """Nothing is asked: whoever is signed in by a key has no old password to give."""
    done = tokenq("passwd")
    assert (done.code, done.out) == (5, "")
    assert "You are signed in by the key '" in done.err
    assert "which has no password." in done.err
    assert "'tokenq login --user NAME'" in done.err
    assert "'tokenq user update NAME --password'" in done.err
    assert "Old password" not in done.err
    assert made(tokenq("whoami", "--json"))["kind"] == "key"


def test_a_user_is_found_by_name_changed_and_deleted(tokenq: Cli, dept: str):
    name = f"u{secrets.token_hex(3)}"
    view = made(tokenq("user", "create", "Bob", "--username", name, "--role", "desk", "--json"))
    assert made(tokenq("user", "show", name, "--json"))["userId"] == view["userId"]
    changed = made(tokenq("user", "update", name, "--role", "staff", "--dept", dept, "--disable", "--json"))
    assert (changed["role"], changed["departments"], changed["disabled"]) == ("staff", [dept], True)
    assert name in tokenq("user", "list").out
    assert tokenq("user", "delete", name, "--yes").code == 0
    assert tokenq("user", "show", name).code == 3
    assert {one["role"] for one in made(tokenq("user", "roles", "--json"))["items"]} == {
        "admin",
        "staff",
        "desk",
        "board",
        "customer",
    }


def test_a_key_is_shown_once_used_and_revoked(tokenq: Cli, dept: str):
    done = tokenq("key", "create", "kiosk", "--dept", dept)
    secret = done.out.strip()
    assert secret.startswith("tq_")
    assert "one time" in done.err
    assert tokenq("issue", dept, TOKENQ_TOKEN=secret).code == 0
    keys = made(tokenq("key", "list", "--json"))["items"]
    number = next(one["keyId"] for one in keys if one["label"] == "kiosk" and one["departments"] == [dept])
    assert secret not in tokenq("key", "list", "--json").out
    assert "desk" in tokenq("key", "show", str(number)).out
    assert tokenq("key", "delete", str(number), "--yes").code == 0
    assert tokenq("issue", dept, TOKENQ_TOKEN=secret).code == 5


def test_doctor_names_what_is_wrong_and_how_to_mend_it(tokenq: Cli, cli: Cli):
    healthy = made_or_degraded(tokenq("doctor", "--json"))
    assert {"settings", "credentials", "server", "clock", "readiness", "login", "terminal"} <= set(healthy)
    assert healthy["server"]["ok"]
    assert healthy["login"]["ok"]
    sick = cli("doctor", TOKENQ_URL="http://127.0.0.1:1")
    assert sick.code == 1
    assert "FAIL server" in sick.out
    assert "tokenq login" in sick.out


def made_or_degraded(done) -> dict:
    assert done.code in (0, 1), done
    return {check["name"]: check for check in json.loads(done.out)["checks"]}


def test_nothing_runs_on_an_empty_folder(cli: Cli, tmp_path):
    done = cli("up", "--status", "--json", "--data-dir", str(tmp_path / "nothing"))
    assert (done.code, json.loads(done.out)["running"]) == (1, False)
    assert json.loads(cli("down", "--json", "--data-dir", str(tmp_path / "nothing")).out)["stopped"] is False


def test_a_branch_goes_when_no_department_is_in_it(tokenq: Cli):
    """What is in use stays, and 'main' always does."""
    branch, name = f"b{secrets.token_hex(3)}", f"D{secrets.token_hex(3).upper()}"
    made(tokenq("branch", "create", branch, "--name", "North", "--timezone", "UTC", "--json"))
    made(tokenq("dept", "create", "Cash", "--id", name, "--branch", branch, "--json"))
    refused = tokenq("branch", "delete", branch, "--yes")
    assert refused.code == 4
    assert f"Branch {branch} still has departments: {name}." in refused.err
    assert tokenq("branch", "delete", "main", "--yes").code == 4

    made(tokenq("dept", "update", name, "--branch", "main", "--json"))

    assert made(tokenq("branch", "delete", branch, "--yes", "--json")) == {"deleted": {"branch": branch}}
    assert tokenq("branch", "show", branch).code == 3


def test_a_deleted_department_does_not_hold_its_branch(tokenq: Cli):
    """Nothing that anybody could see or change was in the way."""
    branch, name = f"b{secrets.token_hex(3)}", f"D{secrets.token_hex(3).upper()}"
    made(tokenq("branch", "create", branch, "--name", "North", "--timezone", "UTC", "--json"))
    made(tokenq("dept", "create", "Cash", "--id", name, "--branch", branch, "--json"))
    tokenq("issue", name), tokenq("serve", name, "-c", name)
    made(tokenq("dept", "delete", name, "--yes", "--json"))
    assert tokenq("branch", "delete", branch, "--yes").code == 0
    assert made(tokenq("report", name, "--json"))["items"][0]["served"] == 1


def test_a_key_changes_and_keeps_its_secret(cli: Cli, tokenq: Cli, api: Api, dept: str):
    """A kiosk that moves to another department need not be given a new key."""
    key = made(tokenq("key", "create", "kiosk", "--role", "desk", "--dept", dept, "--json"))
    changed = made(tokenq("key", "update", str(key["keyId"]), "--label", "entrance", "--role", "staff", "--json"))
    assert (changed["label"], changed["role"], changed["departments"]) == ("entrance", "staff", [dept])
    me = made(cli("whoami", "--json", TOKENQ_URL=api.url, TOKENQ_TOKEN=key["key"]))
    assert (me["name"], me["role"]) == ("entrance", "staff")
    assert tokenq("key", "update", "999999", "--label", "x").code == 3
