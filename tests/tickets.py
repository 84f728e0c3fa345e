"""A ticket as the server gives it."""

from typing import Any, cast

from tokenq.contract.ticket_views import TicketView

LINK = "https://queue.example.org/t/abcdefghijklmnopqrstuv"


def ticket(**fields: Any) -> TicketView:
    view = {
        "displayNumber": "CW-012",
        "state": "WAITING",
        "departmentName": "Chest ward",
        "branchName": "St. Mary",
        "timezone": "Asia/Kolkata",
        "language": "en",
        "issuedAt": "2026-11-27T13:03:11Z",
        "position": 4,
        "estimate": {"lowMinutes": 10, "highMinutes": 20, "reason": None},
        "url": LINK,
    }
    return cast(TicketView, {**view, **fields})
