"""What is looked up for an answer after the change has been made."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from tests.people import DESK
from tokenq.contract.problems import refuse
from tokenq.contract.reasons.queue import DepartmentReason
from tokenq_server.api.auth import Repeat
from tokenq_server.api.dispatch import dispatch_all, dispatch_call, dispatch_with_same_address
from tokenq_server.domain.commands import Issue
from tokenq_server.services.requests import Answer


async def test_what_is_refused_of_a_batch_under_the_lock_is_audited_as_far_as_it_is_a_security_event() -> None:
    outcomes = iter(
        [
            refuse(DepartmentReason.MAY_NOT_FORCE),
            refuse(DepartmentReason.CLOSED, name="Cash", department="CW"),
            Answer({"tokenId": 1}, is_new=True),  # type: ignore[arg-type]
        ]
    )

    async def submit(_: object) -> Answer:
        outcome = next(outcomes)
        if isinstance(outcome, Answer):
            return outcome
        raise outcome

    noted: list[Any] = []
    services: Any = SimpleNamespace(issuing=SimpleNamespace(submit=submit), refusals=SimpleNamespace(note=noted.append))
    app = SimpleNamespace(state=SimpleNamespace(services=services))
    scope = {"app": app, "method": "POST", "headers": [], "path_params": {"department_id": "CW"}}
    items = await dispatch_all(services, DESK, [Issue("CW", DESK)] * 3, Repeat(None, b""), scope)

    assert [item.get("problem", {}).get("code") for item in items] == ["forbidden", "department_closed", None]
    assert [(event.kind, event.code, event.target) for event in noted] == [("access", "forbidden", "department:CW")]


async def fails(*_: object) -> None:
    raise RuntimeError("the driver has a fault")


@pytest.mark.parametrize("send", [dispatch_call, dispatch_with_same_address])
async def test_a_change_is_answered_whatever_happens_to_the_look_up(
    send: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """It is committed: an error would make the caller do it again."""

    async def submit(_: object) -> Answer:
        return Answer({"tokenId": 1}, is_new=True)  # type: ignore[arg-type]

    services = SimpleNamespace(
        issuing=SimpleNamespace(submit=submit),
        same_customer=SimpleNamespace(other_numbers=fails, at_other_counters=fails),
    )
    answer = await send(services, DESK, Issue("CW", DESK), Repeat(None, b""))

    assert (answer.status_code, json.loads(answer.body)) == (201, {"tokenId": 1})
    assert "the driver has a fault" in caplog.text
