"""The way of a token by the command line alone, on the real server."""

import json
import re
import secrets
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tests.cli.conftest import Cli


def made(done) -> dict:
    assert done.code == 0, done
    return json.loads(done.out)


def test_a_token_goes_from_the_desk_to_served(tokenq: Cli, dept: str):
    token = made(tokenq("issue", dept.lower(), "--email", "ann@example.org", "--name", "Ann", "--json"))
    number = token["displayNumber"]
    assert (token["state"], token["position"], number) == ("WAITING", 1, f"{dept}-001")
    assert made(tokenq("next", dept, "--json"))["token"]["tokenId"] == token["tokenId"]
    called = made(tokenq("call", dept, "--counter", dept, "--json"))
    assert (called["tokenId"], called["state"], called["counterId"]) == (token["tokenId"], "CALLED", dept)
    assert made(tokenq("recall", number, "--json"))["calls"] == 2
    assert made(tokenq("start", "--id", str(token["tokenId"]), "--json"))["state"] == "SERVING"
    assert made(tokenq("serve", number.lower(), "--json"))["state"] == "SERVED"
    log = made(tokenq("log", number, "--json"))["items"]
    assert [event["eventType"] for event in log] == [
        "TOKEN_GENERATED",
        "TOKEN_CALLED",
        "TOKEN_RECALLED",
        "TOKEN_SERVICE_STARTED",
        "TOKEN_SERVED",
    ]


def test_serve_with_a_department_serves_the_next_one_in_one_step(tokenq: Cli, dept: str):
    first = made(tokenq("issue", dept, "--json"))
    done = made(tokenq("serve", dept, "--json", TOKENQ_COUNTER=dept))
    assert (done["tokenId"], done["state"], done["counterId"]) == (first["tokenId"], "SERVED", dept)


def test_a_token_can_be_cancelled_missed_and_put_back(tokenq: Cli, dept: str):
    for _ in range(3):
        tokenq("issue", dept)
    assert made(tokenq("cancel", f"{dept}-003", "--reason", "went home", "--json"))["state"] == "CANCELLED"
    tokenq("call", dept, "-c", dept)
    assert made(tokenq("requeue", f"{dept}-001", "--position", "last", "--json"))["state"] == "WAITING"
    assert made(tokenq("status", f"{dept}-001", "--json"))["position"] == 2
    tokenq("call", dept, "-c", dept)
    assert made(tokenq("no-show", f"{dept}-002", "--json"))["state"] == "NO_SHOW"


def test_calling_out_of_order_takes_a_reason(tokenq: Cli, dept: str):
    for _ in range(2):
        tokenq("issue", dept)
    assert tokenq("call", dept, "-c", dept, "--token", f"{dept}-002").code == 2
    called = made(tokenq("call", dept, "-c", dept, "--token", f"{dept}-002", "--reason", "in pain", "--json"))
    assert called["tokenNo"] == 2


def test_the_same_key_issues_the_same_token(tokenq: Cli, dept: str):
    """A kiosk that does not know whether it printed may simply ask again."""
    first, second = (made(tokenq("issue", dept, "--idempotency-key", f"k-{dept}", "--json")) for _ in range(2))
    assert first["tokenId"] == second["tokenId"]
    other = tokenq("issue", dept, "--idempotency-key", f"k-{dept}", "--name", "Bob", "--json")
    assert (other.code, json.loads(other.out)["error"]["code"]) == (4, "idempotency_mismatch")


def test_people_get_lines_and_tables(tokenq: Cli, dept: str):
    assert re.fullmatch(
        rf"{dept}-001  WAITING, position 1 in the queue(, about [0-9-]+ min)?  \(id:\d+\)\n",
        tokenq("issue", dept, "--name", "Ann").out,
    )
    queue = tokenq("queue", dept)
    assert queue.code == 0
    assert re.search(rf"1 +{dept}-001 +WAITING .*Ann", queue.out)
    assert "1 waiting, 0 served" in queue.out
    status = tokenq("status", f"{dept}-001").out
    assert re.search("^Name +Ann$", status, re.MULTILINE)
    assert re.search("^Possible now +.*cancel", status, re.MULTILINE)


def test_a_printed_ticket_has_number_and_code(tokenq: Cli, dept: str):
    done = tokenq("issue", dept, "--print")
    assert done.code == 0
    assert " ".join(f"{dept}-001") in done.out
    assert "Test desk" in done.out
    assert "█" in done.out
    assert tokenq("issue", dept, "--print", "--json").code == 2


def test_hostile_names_cannot_act_on_the_terminal(tokenq: Cli, dept: str):
    done = tokenq("issue", dept, "--name", "\x1b[2Jx")
    assert "\x1b" not in done.out + done.err


@pytest.mark.parametrize("command", ["queue", "next"])
def test_an_empty_queue_is_nothing_wrong(tokenq: Cli, dept: str, command: str):
    assert tokenq(command, dept).code == 0
    assert tokenq(command, dept, "--json").code == 0


def test_a_move_tells_the_place_and_another_department(tokenq: Cli, dept: str):
    there = f"{dept}X"
    tokenq("dept", "create", "Other", "--id", there)
    for _ in range(2):
        tokenq("issue", dept)
    tokenq("call", dept, "-c", dept)
    assert "WAITING, position 1 in the queue" in tokenq("requeue", f"{dept}-001").out
    assert f"WAITING, position 1 in the queue of {there}" in tokenq("transfer", f"{dept}-001", "--to", there).out
    assert f"in the queue of {dept}" in tokenq("undo", f"{dept}-001").out
    log = tokenq("log", f"{dept}-001").out
    assert log.count("TOKEN_TRANSFERRED") == log.count("TOKEN_REVERTED") == 1
    assert f"{dept} and {there}" in log or f"{there} and {dept}" in log


def test_who_is_parked_is_not_parked_once_more(tokenq: Cli, dept: str):
    """The second time would silently be that of the first."""
    tokenq("issue", dept)
    tokenq("call", dept, "-c", dept)
    assert tokenq("park", f"{dept}-001", "--for", "10").code == 0
    again = tokenq("park", f"{dept}-001", "--for", "30")
    assert (again.code, again.out) == (4, "")
    assert "already parked until" in again.err


def test_calling_a_number_tells_how_that_is_done(tokenq: Cli, dept: str):
    done = tokenq("call", "cw1", "--counter", "3")
    assert done.code == 3
    assert "tokenq call --token CW1 --counter 3 --reason" in done.err


def test_why_says_first_in_line_of_the_first_alone(tokenq: Cli, dept: str):
    """The others come after somebody, and the rule says whom."""
    tokenq("issue", dept), tokenq("issue", dept), tokenq("issue", dept)
    assert "Because: first in line." in tokenq("why", f"{dept}-001").out
    second, third = tokenq("why", f"{dept}-002").out, tokenq("why", f"{dept}-003").out
    assert f"Because: next in line after {dept}-001." in second
    assert f"Because: next in line after {dept}-002." in third
    assert third.count("first in line") == 1


def test_classes_are_called_as_the_department_calls_them(tokenq: Cli, dept: str):
    tokenq("dept", "update", dept, "--set", "class-names=urgent:Emergency,normal:Walk-in")
    tokenq("issue", dept, "--priority", "urgent"), tokenq("issue", dept)
    assert "Because: Emergency goes first." in tokenq("next", dept).out
    assert "Because: Emergency goes first." in tokenq("why", f"{dept}-001").out
    queue = tokenq("queue", dept).out
    assert "Emergency" in queue
    assert "Walk-in" in queue


def test_a_report_tells_calls_from_people(tokenq: Cli, dept: str):
    for _ in range(2):
        tokenq("issue", dept)
    tokenq("call", dept, "-c", dept), tokenq("requeue", f"{dept}-001"), tokenq("call", dept, "-c", dept)
    report = tokenq("report", dept).out
    assert re.search(r"^Called +1$", report, re.MULTILINE)
    assert re.search(r"^Further calls +1$", report, re.MULTILINE)
    assert re.search(r"^Wait to first call +mean .*\(1 visit\)$", report, re.MULTILINE)
    assert re.search(r"^  waiting again +mean .*\(1 call\)$", report, re.MULTILINE)
    simulated = tokenq("simulate", dept, "--counters", "2").out
    assert next(line for line in simulated.splitlines() if "actual" in line).count("100.0 %") == 1


def test_watching_what_is_not_there_is_refused(tokenq: Cli, dept: str):
    assert tokenq("watch", "NOPE").code == 3


def desk_in(tokenq: Cli, zone: str) -> str:
    branch, dept = f"b{secrets.token_hex(3)}", f"K{secrets.token_hex(3).upper()}"
    made(tokenq("branch", "create", branch, "--name", "East", "--timezone", zone, "--json"))
    made(tokenq("dept", "create", "East desk", "--id", dept, "--branch", branch, "--json"))
    return dept


def in_kolkata(instant: str, form: str) -> str:
    return f"{datetime.fromisoformat(instant).astimezone(ZoneInfo('Asia/Kolkata')):{form}}"


def test_times_are_those_of_the_branch_and_json_stays_utc(tokenq: Cli):
    """A server keeps UTC; the people in the building do not."""
    dept = desk_in(tokenq, "Asia/Kolkata")
    number = f"{dept}-001"
    ticket = tokenq("issue", dept, "--print", TZ="UTC").out
    issued = made(tokenq("status", number, "--json"))["issuedAt"]
    assert issued.endswith("Z")
    whole = in_kolkata(issued, "%Y-%m-%d %H:%M:%S")
    assert whole[:-3] in ticket
    assert re.search(rf"Issued +{whole}$", tokenq("status", number).out, re.MULTILINE)
    assert re.search("Times of +Asia/Kolkata$", tokenq("status", number, TZ="UTC").out, re.MULTILINE)
    assert "Times of" not in tokenq("status", number, TZ="Asia/Kolkata").out
    queue = tokenq("queue", dept, TZ="UTC").out
    assert whole[11:] in queue
    assert queue.endswith("Times of Asia/Kolkata.\n")
    assert whole in tokenq("log", number, TZ="UTC").out
    tokenq("call", dept, "-c", dept)
    assert "PARKED until 23:59" in tokenq("park", number, "--until", "23:59", TZ="UTC").out
    assert in_kolkata(made(tokenq("status", number, "--json"))["parkedUntil"], "%H:%M") == "23:59"


def test_replay_begins_at_a_time_of_the_branchs_clock(tokenq: Cli):
    dept = desk_in(tokenq, "Pacific/Kiritimati")
    made(tokenq("issue", dept, "--json"))
    done = tokenq("replay", dept, "--from", "04:00", "--speed", "10000", "--json", TZ="UTC")
    assert "TOKEN_GENERATED" in done.out, "on the clock of UTC it would begin fourteen hours later"


def test_the_history_says_what_was_corrected_and_how_often_was_called(tokenq: Cli, dept: str):
    tokenq("issue", dept, "--force")
    tokenq("edit", f"{dept}-001", "--name", "Ada", "--email", "ada@example.org")
    tokenq("call", dept, "--counter", dept), tokenq("recall", f"{dept}-001"), tokenq("undo", f"{dept}-001")
    tokenq("cancel", f"{dept}-001")
    details = {line.split()[2]: line for line in tokenq("log", f"{dept}-001").out.splitlines()[2:]}
    assert "corrected: name and e-mail address" in details["TOKEN_EDITED"]
    assert "ada@" not in details["TOKEN_EDITED"]
    assert "position 1" in details["TOKEN_GENERATED"]
    assert "outside the hours or limits" in details["TOKEN_GENERATED"]
    assert "call 2" in details["TOKEN_RECALLED"]
    assert "undone: call, now WAITING" in details["TOKEN_REVERTED"]
    assert "was WAITING" in details["TOKEN_CANCELLED"]


def test_a_wrong_correction_names_the_field_as_an_issue_does(tokenq: Cli, dept: str):
    """It said "email.constrained-str has the wrong format"."""
    tokenq("issue", dept)
    for typed in (("issue", dept), ("edit", f"{dept}-001")):
        assert "tokenq: The e-mail address has the wrong format." in tokenq(*typed, "--email", "a@b").err
        assert "tokenq: The name must not be longer than 120 characters." in tokenq(*typed, "--name", "x" * 200).err
