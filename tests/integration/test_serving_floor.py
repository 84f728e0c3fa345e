"""The serving floor through the API of a running system: automatic moves, permissions, estimates."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest

from tests.stack import Enter, Stack
from tests.waiting import until
from tokenq.client import Client
from tokenq.contract.problems import ProblemCode, Refused


def department(admin: Client, **settings: Any) -> str:
    name = "F" + secrets.token_hex(3).upper()
    admin.create_department({"departmentId": name, "name": f"Department {name}", **settings})
    return name


def refused(code: ProblemCode) -> Any:
    return pytest.raises(Refused, check=lambda error: error.problem.code is code)


def kinds(admin: Client, token_id: int) -> list[str]:
    return [event["eventType"] for event in admin.token_events(token_id)]


def test_parked_tokens_resume_on_time(admin: Client) -> None:
    """Automatically, even if no process runs all the time."""
    name = department(admin)
    admin.issue(name)
    until_then = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    parked = admin.move(admin.call(name, name), "park", until=until_then, reason="copies")
    assert (parked["state"], parked["parkedUntil"] is None) == ("PARKED", False)

    until(lambda: admin.token(parked["tokenId"])["state"] == "WAITING")
    assert kinds(admin, parked["tokenId"])[-1] == "TOKEN_RESUMED"
    assert admin.queue(name)["parked"] == []


def test_a_near_turn_is_recorded_once(admin: Client) -> None:
    name = department(admin, nearTurn=2)
    admin.issue(name), admin.issue(name)
    token = admin.issue(name, email="ada@example.org")
    other = admin.issue(name, email="bob@example.org", near_turn=1)
    admin.serve_next(name, name)

    until(lambda: "TOKEN_TURN_NEAR" in kinds(admin, token["tokenId"]))
    admin.serve_next(name, name)
    admin.serve_next(name, name)
    until(lambda: "TOKEN_TURN_NEAR" in kinds(admin, other["tokenId"]))
    assert kinds(admin, token["tokenId"]).count("TOKEN_TURN_NEAR") == 1


def test_waits_are_estimated_with_an_open_counter_and_compared_in_the_report(admin: Client) -> None:
    branch = f"b{secrets.token_hex(3)}"
    admin.create_branch({"branchId": branch, "name": "A branch whose counters serve nobody else"})
    name = department(admin, serviceMinutes=6, branchId=branch)
    assert admin.issue(name)["estimate"]["lowMinutes"] is None
    admin.call(name, name)
    until(lambda: (admin.queue(name)["estimate"] or {}).get("highMinutes"))
    promised = admin.issue(name)["estimate"]
    assert 0 <= promised["lowMinutes"] < promised["highMinutes"] <= 30
    admin.move(admin.queue(name)["called"][0], "serve")
    admin.serve_next(name, name)

    report = admin.report(name)
    assert (report["issued"], report["served"], report["estimates"]["count"]) == (2, 2, 1)
    assert admin.simulate(name, "1-3", ["2:1", "1:1"])["customers"] == 2


def test_the_wait_is_known_and_unknown_at_once_when_a_counter_opens_and_closes(admin: Client) -> None:
    """An estimate without an open counter would be wrong."""
    branch = f"b{secrets.token_hex(3)}"
    admin.create_branch({"branchId": branch, "name": "A branch of its own"})
    name = department(admin, branchId=branch)
    token = admin.issue(name)
    until(lambda: (admin.token(token["tokenId"])["estimate"] or {}).get("reason") == "no counter is open")

    admin.open_counter(branch, "1", [name])
    assert admin.token(token["tokenId"])["estimate"]["highMinutes"]
    admin.close_counter(branch, "1")
    assert admin.issue(name)["estimate"]["reason"] == "no counter is open"


def test_an_unattended_counter_stops_counting_after_a_while(admin: Client, running: Stack) -> None:
    branch = f"b{secrets.token_hex(3)}"
    admin.create_branch({"branchId": branch, "name": "A branch of its own"})
    name = department(admin, branchId=branch)
    admin.issue(name)
    admin.serve_next(name, "1")
    until(lambda: (admin.queue(name)["estimate"] or {}).get("highMinutes"))
    (counter,) = admin.counters(branch)
    assert counter["state"] == "OPEN"
    assert counter["unattendedSince"]

    with psycopg.connect(running.endpoints.postgres) as connection:
        back = "UPDATE token SET last_call_at = {0}, started_at = {0}, served_at = {0} WHERE branch_id = %s"
        connection.execute(back.format("now() - interval '6 minutes'"), [branch])
        connection.execute("UPDATE counter SET changed_at = now() - interval '1 hour' WHERE branch_id = %s", [branch])
    admin.issue(name)
    until(lambda: admin.queue(name)["estimate"]["reason"] == "no counter is open")
    (later,) = admin.counters(branch)
    assert later["unattendedSince"] < counter["unattendedSince"]


@pytest.mark.parametrize("state", ["CALLED", "SERVING"])
def test_a_token_forgotten_at_a_counter_is_said_by_the_server(admin: Client, running: Stack, state: str) -> None:
    """In lists of counters and in queues; it holds up no forecast unless somebody claims the counter."""
    branch = f"b{secrets.token_hex(3)}"
    admin.create_branch({"branchId": branch, "name": "A branch of its own"})
    name = department(admin, branchId=branch, forgottenMinutes=150)
    admin.issue(name)
    called = admin.call(name, "7")
    if state == "SERVING":
        admin.move(called, "start")

    def back(minutes: int) -> None:
        with psycopg.connect(running.endpoints.postgres) as connection:
            long_ago = f"now() - interval '{minutes} minutes'"
            times = f"called_at = {long_ago}, last_call_at = {long_ago}, started_at = {long_ago}"
            if state == "CALLED":
                times = times.rpartition(",")[0]
            connection.execute(f"UPDATE token SET {times} WHERE branch_id = %s", [branch])  # type: ignore[arg-type]

    def said() -> set[bool]:
        queue, (counter,) = admin.queue(name), admin.counters(branch)
        (token,) = queue[state.lower()]  # type: ignore[literal-required]
        (shown,) = (each["token"] for each in queue["counters"])
        return {token["isForgotten"], shown["isForgotten"], counter["token"]["isForgotten"]}  # type: ignore[index]

    back(140)
    assert said() == {False}
    back(160)
    assert said() == {True}
    admin.issue(name)
    until(lambda: (admin.queue(name)["estimate"] or {}).get("reason") == "no counter is open")
    admin.open_counter(branch, "7")
    assert (admin.queue(name)["estimate"] or {}).get("reason") != "no counter is open"
    admin.change_department(name, {"forgottenMinutes": 0})
    assert said() == {False}


def test_closing_the_last_counter_says_who_waits_for_nobody(admin: Client) -> None:
    """So do pausing and leaving; a counter that may not call for the department is no help."""
    branch = f"b{secrets.token_hex(3)}"
    admin.create_branch({"branchId": branch, "name": "A branch of its own"})
    here, there = department(admin, branchId=branch), department(admin, branchId=branch, counters=["1"])
    admin.issue(here), admin.issue(here), admin.issue(there)
    admin.open_counter(branch, "1")
    admin.open_counter(branch, "2")
    waiting = {"departmentId": here, "waiting": 2, "displayNumbers": [f"{here}-001", f"{here}-002"]}
    alone = {"departmentId": there, "waiting": 1, "displayNumbers": [f"{there}-001"]}

    assert admin.pause_counter(branch, "1")["unserved"] == [alone]
    last = admin.close_counter(branch, "2")
    assert last["unserved"] == [waiting], "only what this counter might have served"
    admin.open_counter(branch, "2")
    assert admin.close_counter(branch, "1")["unserved"] == [alone]
    assert admin.leave_counter(branch, "2")["unserved"] == [waiting]
    admin.open_counter(branch, "2")
    admin.open_counter(branch, "1")
    assert admin.close_counter(branch, "2")["unserved"] == []


def test_a_call_says_at_which_other_counter_its_customer_is(admin: Client, enter: Enter) -> None:
    """The counter to everybody who calls; the number there only to staff of that department."""
    here, there = department(admin), department(admin)
    user = admin.create_user({"name": "Ada Byron"})["userId"]
    for name in (here, there):
        admin.issue(name, user_id=user)
    first = admin.call(there, there)
    assert "alsoAt" not in first
    called = enter("staff", here).call(here, here)
    assert called["alsoAt"] == [{"branchId": "main", "counterId": there, "displayNumber": None, "departmentId": None}]
    (again,) = admin.call(here, here)["alsoAt"]
    assert (again["displayNumber"], again["departmentId"]) == (first["displayNumber"], there)
    admin.move(first, "serve")
    assert "alsoAt" not in admin.call_at_counter("main", here)


def test_an_issue_names_the_other_numbers_of_its_address(admin: Client, enter: Enter) -> None:
    """In either case, of the branch, and only where the caller issues; also after a correction and a reinstatement."""
    here, there, ada = department(admin), department(admin), f"ada.{secrets.token_hex(4)}@example.com"
    first = admin.issue(here, email=ada.title())
    desk = enter("desk", there).issue(there, email=ada)
    assert "alsoWaiting" not in first
    assert "alsoWaiting" not in desk, "who waits elsewhere is none of their business"
    assert admin.issue(there, email=ada.upper())["alsoWaiting"] == [f"{here}-001", f"{there}-001"]
    assert enter("desk", there).issue(there, email=ada)["alsoWaiting"] == [f"{there}-001", f"{there}-002"]
    assert "alsoWaiting" not in admin.issue(there)

    for token in admin.tokens(department=there, state="WAITING")["items"]:
        admin.move(token, "cancel")
    other = admin.issue(here)
    assert "alsoWaiting" not in admin.edit_token(other["tokenId"], name="Ada")
    assert admin.edit_token(other["tokenId"], email=ada)["alsoWaiting"] == [f"{here}-001"]
    gone = admin.move(first, "cancel")
    assert "alsoWaiting" not in gone
    assert admin.move(gone, "reinstate")["alsoWaiting"] == [f"{here}-002"]


def test_a_customer_and_another_branch_learn_of_no_other_number(admin: Client, running: Stack) -> None:
    """An address is no secret: whoever knows it must not find out who waits."""
    branch, username = f"b{secrets.token_hex(3)}", f"u{secrets.token_hex(3)}"
    admin.create_branch({"branchId": branch, "name": "Elsewhere"})
    here, there = department(admin), department(admin, branchId=branch)
    ada, password = f"{username}@example.com", secrets.token_hex(12)
    user = admin.create_user(
        {"name": "Ada", "username": username, "email": ada, "role": "customer", "password": password}
    )
    admin.issue(here, email=ada)
    assert "alsoWaiting" not in admin.issue(there, email=ada)
    with Client(running.endpoints.api) as anonymous:
        session = anonymous.login(username, password)["token"]
    with Client(running.endpoints.api, session) as customer:
        own = customer.issue(department(admin), user_id=user["userId"])
    assert "alsoWaiting" not in own


def test_waits_that_are_too_long_are_in_the_queue_and_in_the_metrics(admin: Client, running: Stack) -> None:
    name, quiet = department(admin, longestWaitMinutes=45), department(admin, longestWaitMinutes=45)
    admin.issue(name), admin.issue(name)
    assert (admin.queue(name)["alarms"], admin.queue(quiet)["alarms"]) == ([], [])
    with psycopg.connect(running.endpoints.postgres) as connection:
        late = "UPDATE token SET waiting_since = now() - interval '50 minutes' WHERE department_id = %s AND number = 1"
        connection.execute(late, [name])
    admin.issue(name)  # so that the branch is looked at again
    until(lambda: len(admin.queue(name)["alarms"]) == 2, seconds=90)  # forecasts are made seldom on a busy machine
    level, longest = admin.queue(name)["alarms"]
    assert level == {"name": "serviceLevel", "limitMinutes": 15, "late": 1, "longestMinutes": 50}
    assert (longest["name"], longest["limitMinutes"]) == ("longestWait", 45)

    lines = httpx.get(f"{running.endpoints.api}/metrics").text.splitlines()
    for alarm in ("serviceLevel", "longestWait"):
        assert f'tokenq_wait_alarm{{alarm="{alarm}",department="{name}"}} 1.0' in lines
        assert f'tokenq_wait_alarm{{alarm="{alarm}",department="{quiet}"}} 0.0' in lines
    assert f'tokenq_waiting{{class="normal",department="{name}"}} 3.0' in lines
    assert f'tokenq_waiting_over_service_level{{department="{name}"}} 1.0' in lines
    (seconds,) = [
        line.split()[1] for line in lines if line.startswith(f'tokenq_longest_wait_seconds{{department="{name}"')
    ]
    assert 3000 <= float(seconds) < 3300


def test_why_names_who_goes_before_and_the_rule(admin: Client) -> None:
    name = department(admin, classNames={"priority": "Eilig"})
    first = admin.issue(name)
    second = admin.issue(name, priority="priority")
    third = admin.issue(name)
    why = admin.why(third["tokenId"])

    assert why["position"] == third["position"] == 3
    assert [(token["tokenId"], "ratio" in token["rule"]) for token in why["ahead"]] == [
        (second["tokenId"], True),
        (first["tokenId"], False),
    ]
    assert "Eilig" in why["policy"]
    called = admin.call(name, name)
    assert admin.why(called["tokenId"])["rule"] == called["reason"]
    assert admin.next(name)["token"]["tokenId"] == first["tokenId"]


def test_staff_can_override_closing_and_the_daily_cap(admin: Client, enter: Enter) -> None:
    name = department(admin, hours={"weekly": {}, "exceptions": {}}, dailyCap=1)
    desk = enter("desk", name)
    with refused(ProblemCode.DEPARTMENT_CLOSED):
        desk.issue(name)
    with refused(ProblemCode.FORBIDDEN):
        desk.issue(name, force=True)
    assert admin.issue(name, force=True)["state"] == "WAITING"
    admin.change_department(name, {"hours": None})
    with refused(ProblemCode.DEPARTMENT_FULL):
        desk.issue(name)


def test_two_operators_do_not_share_a_counter(admin: Client, enter: Enter) -> None:
    name = department(admin)
    ann, ben = enter("staff", name), enter("staff", name)
    admin.issue(name), admin.issue(name)
    opened = ann.open_counter("main", name, [name])
    assert (opened["state"], opened["departments"]) == ("OPEN", [name])
    with refused(ProblemCode.COUNTER_CLAIMED):
        ben.open_counter("main", name)
    with refused(ProblemCode.COUNTER_CLAIMED):
        ben.call(name, name)
    held = ann.call_at_counter("main", name)
    with refused(ProblemCode.COUNTER_BUSY):
        ann.close_counter("main", name)
    ann.pause_counter("main", name, "lunch")
    ann.move(held, "serve")
    with refused(ProblemCode.COUNTER_PAUSED):
        ann.call(name, name)
    ben.open_counter("main", name, [name], take_over=True)
    with refused(ProblemCode.COUNTER_CLAIMED):
        ann.renew_counter("main", name)
    assert ben.call(name, name)["counterId"] == name
    types = [event["eventType"] for event in admin.day_log(name) if event["eventType"].startswith("COUNTER")]
    assert types == ["COUNTER_OPENED", "COUNTER_PAUSED", "COUNTER_OPENED"]


def test_a_counter_for_all_departments_stays_so_whoever_opens_it(admin: Client, enter: Enter) -> None:
    """An opener's departments do not narrow an existing counter; only a new counter begins with them."""
    branch = f"b{secrets.token_hex(3)}"
    admin.create_branch({"branchId": branch, "name": "A branch of its own"})
    first, other = department(admin, branchId=branch), department(admin, branchId=branch)
    clerk = enter("staff", first)
    assert clerk.open_counter(branch, "1")["departments"] == [first]
    assert admin.open_counter(branch, "2")["departments"] == []
    admin.close_counter(branch, "2")
    assert clerk.open_counter(branch, "2")["departments"] == []
    admin.issue(other), admin.issue(first)
    assert clerk.call_at_counter(branch, "2")["departmentId"] == first, "a clerk's rights bound what is called"


def test_staff_transfer_and_undo_but_move_no_token_elsewhere(admin: Client, enter: Enter) -> None:
    here, there = department(admin), department(admin)
    ann = enter("staff", here)
    token = ann.issue(here, name="Ada")
    sent = ann.move(token, "transfer", to=there)
    assert (sent["departmentId"], sent["displayNumber"], sent["name"]) == (there, token["displayNumber"], None)
    with refused(ProblemCode.FORBIDDEN):
        ann.move(sent, "cancel")
    back = ann.move(sent, "undo")
    assert (back["departmentId"], back["state"]) == (here, "WAITING")
    assert [row["tokenId"] for row in ann.queue(here)["waiting"]] == [token["tokenId"]]
    assert admin.queue(there)["waiting"] == []


def test_the_day_log_is_for_staff_of_the_department(admin: Client, enter: Enter) -> None:
    here, there = department(admin), department(admin)
    admin.issue(here, email="ada@example.org")
    ann, desk = enter("staff", there), enter("desk", here)
    for look in (lambda: ann.report(here), lambda: ann.simulate(here, "2"), lambda: desk.report(here)):
        with refused(ProblemCode.FORBIDDEN):
            look()
    assert [event["email"] for event in desk.day_log(here) if event["tokenId"]] == [None]


def test_only_admins_declare_counters_and_read_the_floor(admin: Client, enter: Enter) -> None:
    name = department(admin)
    ann = enter("staff", name)
    for forbidden in (lambda: ann.declare_counter("main", name, [name]), ann.floor, lambda: ann.apply_floor({})):
        with refused(ProblemCode.FORBIDDEN):
            forbidden()
    assert admin.declare_counter("main", name, [name])["isDeclared"]
    assert ann.open_counter("main", name)["departments"] == [name]
    ann.close_counter("main", name)
    admin.delete_counter("main", name)
    with refused(ProblemCode.UNKNOWN_COUNTER):
        admin.delete_counter("main", name)


def test_leaving_a_counter_releases_the_claim_and_keeps_the_token(admin: Client, enter: Enter) -> None:
    name = department(admin)
    ann, ben = enter("staff", name), enter("staff", name)
    with refused(ProblemCode.UNKNOWN_COUNTER):
        ann.leave_counter("main", name)
    ann.open_counter("main", name, [name])
    admin.issue(name)
    token = ann.call(name, name)
    with refused(ProblemCode.COUNTER_CLAIMED):
        ben.leave_counter("main", name)
    seq = admin.queue(name)["seq"]
    left = ann.leave_counter("main", name)
    assert (left["state"], left["operator"], left["leaseUntil"]) == ("OPEN", None, None)
    assert left["token"] is not None
    assert admin.queue(name)["seq"] == seq, "the log has nothing to tell"
    assert ben.open_counter("main", name)["state"] == "OPEN"
    ben.move(token, "serve")
    assert ben.leave_counter("main", name)["state"] == "CLOSED"


def test_a_second_console_of_the_same_sign_in_is_another_claimant(running: Stack, admin: Client, enter: Enter) -> None:
    name = department(admin)
    left = enter("staff", name)
    with left.clone() as right, left.clone() as command:
        left.console, right.console = "left", "right"
        left.open_counter("main", name, [name])
        with refused(ProblemCode.COUNTER_CLAIMED):
            right.open_counter("main", name, [name])
        assert command.open_counter("main", name, [name])["state"] == "OPEN"
        assert left.renew_counter("main", name)["counterId"] == name, (
            "a command at the same counter ends nobody's claim"
        )
        with refused(ProblemCode.COUNTER_CLAIMED):
            right.open_counter("main", name, [name])
        right.open_counter("main", name, [name], take_over=True)
        for late in (left.renew_counter, left.close_counter, left.leave_counter):
            with refused(ProblemCode.COUNTER_CLAIMED):
                late("main", name)
        assert command.renew_counter("main", name)["counterId"] == name
        assert right.close_counter("main", name)["state"] == "CLOSED"


def test_where_counters_are_declared_a_new_one_is_made_on_purpose(admin: Client, enter: Enter) -> None:
    """A typing mistake sends nobody to a desk that does not exist."""
    branch = f"b{secrets.token_hex(3)}"
    admin.create_branch({"branchId": branch, "name": "A branch whose counters are declared"})
    name = department(admin, branchId=branch)
    ann = enter("staff", name)
    tokens = [ann.issue(name) for _ in range(5)]
    ann.call(name, "used before")
    for counter in ("1", "13"):
        admin.declare_counter(branch, counter, [name])

    def unknown() -> Any:
        def fits(error: Refused) -> bool:
            code, hint = error.problem.code, error.problem.hint
            return code is ProblemCode.UNKNOWN_COUNTER and "Did you mean 1, 13?" in hint

        return pytest.raises(Refused, check=fits)

    for at_unknown in (
        lambda: ann.call(name, "14"),
        lambda: ann.call(name, "14", token_id=tokens[3]["tokenId"], reason="in pain"),
        lambda: ann.serve_next(name, "14"),
        lambda: ann.call_at_counter(branch, "14"),
        lambda: ann.open_counter(branch, "14"),
        lambda: ann.open_counter(branch, "14", as_it_is=True, take_over=True),
        lambda: ann.pause_counter(branch, "14"),
        lambda: ann.close_counter(branch, "14"),
        lambda: ann.renew_counter(branch, "14"),
        lambda: admin.delete_counter(branch, "14"),
    ):
        with unknown():
            at_unknown()
    assert {view["counterId"] for view in admin.counters(branch)} == {"1", "13", "used before"}
    assert ann.queue(name)["counts"]["waiting"] == 4

    for counter, make in (
        ("14", lambda: ann.call(name, "14", may_create=True)),
        ("15", lambda: ann.serve_next(name, "15", may_create=True)),
        ("16", lambda: ann.call_at_counter(branch, "16", may_create=True)),
        ("17", lambda: ann.open_counter(branch, "17", may_create=True)),
    ):
        assert make()["counterId"] == counter
    assert ann.call(name, "17")["counterId"] == "17", "it exists now"
    admin.declare_counter(branch, "18", [name])
    assert ann.open_counter(branch, "18")["state"] == "OPEN"
