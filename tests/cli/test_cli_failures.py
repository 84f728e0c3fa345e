"""Exit codes, and that failures echo on stderr while stdout stays for data."""

import json
import socket
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.http_fake import fake_server, says
from tests.programs import Api
from tests.refusals import refusal
from tokenq.cli.exits import explain
from tokenq.contract.problems import ExitCode, ProblemCode
from tokenq.errors import Missing, Unreachable
from tokenq_server.embedded.ports import free_port
from tokenq_server.services.group_commit import _unavailable


def fails(done, code: int, name: str) -> None:
    assert done.code == code, done
    error = json.loads(done.out)["error"]
    assert error["code"] == name
    assert set(error) == {"code", "detail", "hint"}
    assert done.err.startswith(f"tokenq: {error['detail']}\n")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (refusal(ProblemCode.QUEUE_EMPTY, "x"), 4),
        (refusal(ProblemCode.UNKNOWN_TOKEN, "x"), 3),
        (refusal(ProblemCode.UNAUTHENTICATED, "x"), 5),
        (refusal(ProblemCode.OVERLOADED, "x"), 6),
        (Unreachable(), 6),
        (Missing("x"), 1),
        (KeyboardInterrupt(), 130),
        (KeyError("x"), 1),
    ],
)
def test_the_exit_code_of(error, code):
    assert explain(error).exit_code == code


def test_a_bug_says_how_to_report_it_and_shows_no_traceback():
    failure = explain(RuntimeError("boom"))
    assert "bug" in failure.detail
    assert "TOKENQ_DEBUG=1" in failure.hint


def test_what_may_have_been_done_is_repeated_safely(cli: Cli):
    """The server's hint speaks of a key that nobody typed; the command to type is one with that key."""
    problem = _unavailable().problem
    body = problem.to_wire() | {"retryAfter": 0}
    with fake_server(says(503, body)) as fake:
        done = cli("call", "CW", "--counter", "1", TOKENQ_URL=fake.url, TOKENQ_TOKEN="t")

    assert done.code == ExitCode.UNREACHABLE
    assert "whether this request was carried out is not yet known" in done.err
    key = fake.asked[0].headers["idempotency-key"]
    assert f"To repeat it safely: tokenq call CW --counter 1 --idempotency-key {key}\n" in done.err
    assert "same idempotency key" not in done.err


def test_nothing_found_is_3(tokenq: Cli, dept: str):
    fails(tokenq("queue", "NOWHERE", "--json"), ExitCode.NOT_FOUND, "unknown_department")
    fails(tokenq("status", f"{dept}-099", "--json"), ExitCode.NOT_FOUND, "unknown_token")
    fails(tokenq("status", "999999999", "--json"), ExitCode.NOT_FOUND, "unknown_token")
    fails(tokenq("user", "show", "nobody-here", "--json"), ExitCode.NOT_FOUND, "unknown_user")
    fails(tokenq("key", "show", "999999", "--json"), ExitCode.NOT_FOUND, "unknown_key")
    fails(tokenq("branch", "show", "nowhere", "--json"), ExitCode.NOT_FOUND, "unknown_branch")


def test_conflicts_are_4(tokenq: Cli, dept: str):
    fails(tokenq("call", dept, "-c", dept, "--json"), ExitCode.CONFLICT, "queue_empty")
    tokenq("issue", dept)
    fails(tokenq("serve", f"{dept}-001", "--json"), ExitCode.CONFLICT, "wrong_state")
    fails(tokenq("dept", "create", "x", "--id", dept, "--json"), ExitCode.CONFLICT, "exists")
    tokenq("dept", "close", dept)
    fails(tokenq("issue", dept, "--json"), ExitCode.CONFLICT, "department_closed")


def test_what_is_there_already_or_serves_others_is_4(tokenq: Cli, dept: str):
    tokenq("issue", dept)
    fails(tokenq("transfer", f"{dept}-001", "--to", dept, "--json"), ExitCode.CONFLICT, "wrong_state")
    tokenq("dept", "create", "Other", "--id", f"{dept}X")
    tokenq("counter", "open", dept, "--dept", f"{dept}X")
    fails(tokenq("call", dept, "-c", dept, "--json"), ExitCode.CONFLICT, "counter_not_serving")


def test_a_refusal_names_what_was_typed(tokenq: Cli, dept: str):
    """Nobody has typed counterId or maxWaitMinutes."""
    for done, name in (
        (tokenq("call", dept, "--counter", "x" * 17), "The counter's name must"),
        (tokenq("dept", "update", dept, "--max-wait", "0"), "--max-wait must"),
        (tokenq("dept", "update", dept, "--set", "min-calls=0"), "min-calls must"),
    ):
        assert (done.code, done.out) == (1, "")
        assert done.err.startswith(f"tokenq: {name}"), done.err


def test_limits_and_reasons_are_told(tokenq: Cli, dept: str):
    assert "64" in tokenq("simulate", dept, "--counters", "1..500").err
    assert "without other letters" in tokenq("dept", "update", dept, "--number-format", "W{number:03d}").err
    for _ in range(2):
        tokenq("issue", dept)
    tokenq("dept", "update", dept, "--set", "daily-cap=1")
    assert "issues at most 1 numbers a day and has issued 2 today" in tokenq("issue", dept).err
    tokenq("dept", "update", dept, "--hours", "closed")
    assert "is closed today" in tokenq("issue", dept).err


def test_who_reads_no_further_is_no_failure(api: Api, dept: str, home):
    """tokenq queue CW | head -1"""
    import subprocess
    import sys

    from tests.cli.conftest import ROOT

    for typed in (["dept", "list"], ["dept", "list", "--json"]):
        with subprocess.Popen(
            [sys.executable, "-m", "tokenq", *typed],
            cwd=ROOT,
            env={"XDG_CONFIG_HOME": str(home), "TOKENQ_URL": api.url, "TOKENQ_TOKEN": api.token},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            assert process.stdout
            assert process.stderr
            process.stdout.close()
            assert (process.wait(30), process.stderr.read()) == (0, b"")


def test_not_allowed_is_5(tokenq: Cli, dept: str):
    fails(tokenq("queue", dept, "--json", TOKENQ_TOKEN="tq_wrong"), ExitCode.NOT_ALLOWED, "unauthenticated")
    secret = tokenq("key", "create", "kiosk", "--role", "desk", "--dept", dept).out.strip()
    fails(tokenq("user", "list", "--json", TOKENQ_TOKEN=secret), ExitCode.NOT_ALLOWED, "forbidden")
    assert tokenq("issue", dept, TOKENQ_TOKEN=secret).code == 0


def test_a_token_that_is_set_and_wrong_is_named(tokenq: Cli, cli: Cli, api: Api, dept: str):
    """A login would not help: the variable wins over it. At the login itself it plays no part."""
    assert "TOKENQ_TOKEN is not valid" in tokenq("queue", dept, TOKENQ_TOKEN="tq_wrong").err
    assert "tokenq login" in cli("queue", dept, TOKENQ_URL=api.url).err
    assert "TOKENQ_TOKEN" not in tokenq("login", "--user", "admin", stdin="wrong\n").err


def test_what_the_server_finds_invalid_is_1(tokenq: Cli, dept: str):
    fails(tokenq("issue", dept, "--email", "nonsense", "--json"), ExitCode.FAILED, "invalid")
    fails(tokenq("dept", "update", dept, "--prefix", "c-", "--json"), ExitCode.FAILED, "invalid")


@pytest.mark.parametrize("command", ["whoami", "watch"])
def test_of_a_server_on_this_machine_that_is_down_the_hint_starts_it(cli: Cli, command: str):
    said = cli(command, TOKENQ_URL=f"http://127.0.0.1:{free_port()}", TOKENQ_TOKEN="tq_x").err
    assert "Start it here: 'tokenq up'. Is it running? 'tokenq up --status'. Wrong address? Correct TOKENQ_URL." in said
    assert "On its machine" not in said


def test_without_an_address_of_its_own_the_hint_names_the_login(cli: Cli, home: Path):
    file = home / "tokenq" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text(f'url = "http://127.0.0.1:{free_port()}"\n')
    assert "Wrong address? 'tokenq login URL'." in cli("whoami", TOKENQ_TOKEN="tq_x").err


def test_of_another_machine_s_server_that_is_down_the_hint_says_what_to_type_where(cli: Cli):
    address = {"TOKENQ_URL": "https://nowhere.invalid", "TOKENQ_TOKEN": "tq_x"}
    said = cli("whoami", **address).err
    assert "On its machine: 'tokenq up --status'. Check the way to it: 'tokenq doctor'." in said
    assert "Start it here" not in said
    assert "On its machine: 'tokenq up --status'" in cli("doctor", **address).out


def test_an_unreachable_server_is_6(cli: Cli):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    fails(cli("whoami", "--json", TOKENQ_URL=f"http://127.0.0.1:{port}"), ExitCode.UNREACHABLE, "unreachable")
    fails(cli("watch", "--json", TOKENQ_URL=f"http://127.0.0.1:{port}"), ExitCode.UNREACHABLE, "unreachable")


def test_another_kind_of_server_is_1(cli: Cli):
    with fake_server(says(200, b"<html>")) as fake:
        fails(cli("whoami", "--json", TOKENQ_URL=fake.url), ExitCode.FAILED, "bad_reply")


@pytest.mark.parametrize(
    "arguments",
    [
        ["isue", "CW"],
        ["issue"],
        ["issue", "CW", "--prioritee", "x"],
        ["issue", "CW", "--priority", "king"],
        ["issue", "CW", "extra"],
        ["call", "CW"],
        ["serve", "CW"],
        ["requeue", "101", "--position", "middle"],
        ["dept"],
        ["dept", "lst"],
        ["dept", "update", "CW"],
        ["key", "delete", "abc"],
        ["status", "foo bar"],
        ["dept", "update", "CW", "--hours", "xyz"],
        ["dept", "update", "CW", "--closed-on", "25.12.2026"],
        ["dept", "update", "CW", "--ratio", "foo"],
        ["dept", "update", "CW", "--prefix", ""],
        ["dept", "update", "CW", "--set", "daily-cap=abc"],
        ["dept", "update", "CW", "--set", "daily-cap=" + "9" * 5000],
        ["simulate", "CW", "--counters", "abc"],
        ["simulate", "CW", "--counters", "1-" + "9" * 5000],
        ["simulate", "CW", "--counters", "1..500"],
        ["simulate", "CW", "--counters", "3", "--ratio", "foo"],
        ["report", "--day", "2026-13-45"],
        ["report", "--day", "tomorrow"],
        ["report", "--day", "20261123"],
        ["report", "--day", "today", "--from", "yesterday"],
        ["report", "--to", "yesterday"],
        ["report", "--by", "month"],
        ["report", "CW", "--branch", "main"],
        ["replay", "--day", "last-week"],
        ["simulate", "CW", "--counters", "2", "--day", "last-week"],
        ["replay", "--from", "25:00"],
        ["watch", "--since", "foo"],
        ["diff", "-f", "/nowhere/at all"],
        ["login"],
        ["login", "--user", "ann"],
        ["board"],
        ["board", "--server"],
        ["board", "--server", "CW"],
        ["board", "--server", "queue.example.org:8080"],
        ["board", "--server", "http://127.0.0.1:1", "--bootstrap", "127.0.0.1:9092"],
        ["board", "--branch", "main", "--bootstrap", "127.0.0.1:9092"],
        ["console"],
        ["up", "--status", "--demo"],
        ["up", "--port", "70000"],
        ["notify", "dlq", "retry"],
        ["notify", "dlq", "retry", "3", "--all"],
        ["call", "CW", "--counter", "1", "--branch", "mian"],
        ["call", "--token", "CW-001", "--reason", "x", "--counter", "1", "--branch", "mian"],
        ["call", "CW", "--counter", "1", "--reason", "in pain"],
        ["issue", "CW", "--idempotency-key", ""],
        ["up", "--status", "--port", "9"],
        ["up", "--status", "--host", "::1"],
    ],
)
def test_wrong_use_is_2_and_says_how(cli: Cli, arguments: list[str]):
    """An option that would be ignored is wrong use, too: a typing mistake in it would go unnoticed."""
    with fake_server(says(404, {"code": "unknown_department", "detail": "No."})) as fake:
        done = cli(*arguments, TOKENQ_URL=fake.url)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("tokenq: ")
    assert len(done.err.splitlines()) >= 2


def test_a_mistyped_command_is_answered_with_the_right_one(cli: Cli):
    assert "Did you mean 'issue'" in cli("isue", "CW").err


def test_wrong_use_with_json_is_one_document_too(cli: Cli):
    fails(cli("issue", "--json"), ExitCode.USAGE, "usage")
    fails(cli("isue", "--json"), ExitCode.USAGE, "usage")


def test_a_wrong_setting_is_one_sentence(cli: Cli):
    fails(cli("whoami", "--json", TOKENQ_TIMEOUT="soon"), ExitCode.FAILED, "invalid")
    fails(cli("whoami", "--json", TOKENQ_URL="http://queue.example.org"), ExitCode.FAILED, "bad_settings")


def test_an_unsafe_credentials_file_is_refused_with_the_way_to_mend_it(cli: Cli, home):
    file = home / "tokenq" / "credentials.json"
    file.parent.mkdir(parents=True)
    file.write_text('{"current": null, "servers": {}}')
    file.chmod(0o644)
    done = cli("whoami")
    assert done.code == 1
    assert f"chmod 600 {file}" in done.err


def test_debug_shows_where_it_went_wrong(home):
    import subprocess
    import sys

    from tests.cli.conftest import ROOT

    done = subprocess.run(
        [sys.executable, "-m", "tokenq", "isue"],
        cwd=ROOT,
        env={"XDG_CONFIG_HOME": str(home), "TOKENQ_DEBUG": "1"},
        capture_output=True,
        text=True,
    )
    assert "Traceback" in done.stderr


def test_help_is_a_menu_for_each_kind_of_user(cli: Cli):
    for arguments in ([], ["--help"], ["-h"]):
        done = cli(*arguments)
        assert done.code == 0
        for section in ("Front desk:", "Staff:", "Lobby:", "Admin:", "Operations:"):
            assert section in done.out
    assert cli("issue", "-h").out.startswith("Usage: tokenq issue")


def test_the_shell_gets_words_to_complete(tokenq: Cli, dept: str):
    done = tokenq(_TOKENQ_COMPLETE="complete_bash", COMP_WORDS="tokenq iss", COMP_CWORD="1")
    assert done.out.split() == ["issue"]
    done = tokenq(_TOKENQ_COMPLETE="complete_bash", COMP_WORDS=f"tokenq issue {dept[:3]}", COMP_CWORD="2")
    assert dept in done.out.split()
    done = tokenq(_TOKENQ_COMPLETE="complete_bash", COMP_WORDS=f"tokenq issue {dept[:3].lower()}", COMP_CWORD="2")
    assert dept in done.out.upper().split()


def test_without_a_server_the_shell_gets_no_words_and_no_noise(cli: Cli):
    done = cli(_TOKENQ_COMPLETE="complete_bash", COMP_WORDS="tokenq issue C", COMP_CWORD="2", TOKENQ_URL="http://x")
    assert (done.out.strip(), done.err) == ("", "")


def test_json_goes_to_no_other_place(cli: Cli, tmp_path):
    """The file was not written, and nothing said so."""
    for typed in (("export", "--output", str(tmp_path / "floor.toml")), ("replay", "--light")):
        assert cli(*typed, "--json").code == 2
    assert not (tmp_path / "floor.toml").exists()


def test_a_settings_file_that_is_missing_stops_every_command(cli: Cli, tmp_path):
    file = str(tmp_path / "none.toml")
    for typed in (("whoami",), ("relay",), ("doctor",)):
        done = cli(*typed, TOKENQ_CONFIG=file)
        assert done.code == 1
        assert f"TOKENQ_CONFIG names {file}, which does not exist." in done.out + done.err


def test_a_variable_that_is_no_setting_is_a_warning(tokenq: Cli):
    """It read "ok environment TOKENQ_TIMOUT is not a setting"."""
    done = tokenq("doctor", TOKENQ_TIMOUT="3")
    (line,) = [line for line in done.out.splitlines() if "TOKENQ_TIMOUT" in line]
    assert line.startswith("WARN environment ")
    assert "Did you mean TOKENQ_TIMEOUT?" in done.out
    assert done.code == tokenq("doctor").code
    checks = json.loads(tokenq("doctor", "--json", TOKENQ_TIMOUT="3").out)["checks"]
    assert [(check["name"], check["ok"]) for check in checks if check["warning"]] == [("environment", True)]


def test_doctor_checks_no_store_that_was_never_configured(cli: Cli):
    done = cli("doctor", "--json", TOKENQ_URL="http://127.0.0.1:1", TOKENQ_SMTP_URL="smtp://127.0.0.1:1")
    names = {check["name"] for check in json.loads(done.out)["checks"]}
    assert "mail" in names
    assert not names & {"postgres", "redis", "kafka", "log"}


@pytest.mark.parametrize("typed", [("notify", "dlq", "list"), ("verify",), ("server", "rebuild")])
def test_where_no_database_is_configured_it_says_so(cli: Cli, home, typed: tuple[str, ...]):
    """'up' on another folder is not found by itself; trying again would not help."""
    done = cli(*typed)
    assert done.code == 6
    assert f"No database is configured here, and no 'tokenq up' runs on {home / 'data'}." in done.err
    assert "TOKENQ_DATA_DIR" in done.err


def test_the_version_is_that_of_all_parts_if_asked(tokenq: Cli) -> None:
    assert tokenq("--version").out.startswith("tokenq 0.")
    for words in (["--version", "--json"], ["--json", "--version"]):
        told = json.loads(tokenq(*words).out)
        assert told["tokenq"] == tokenq("--version").out.split()[1]
        assert {"typer", "rich", "textual", "fastapi"} <= set(told["parts"])
    fails(tokenq("--json", "whoami"), 2, "usage")
