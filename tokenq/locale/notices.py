"""Notices to the person who has just done something, or who looks at a queue: the sentences, for every screen.

They are made of what the server says; nothing is decided here.
"""

from datetime import datetime
from typing import TYPE_CHECKING

from tokenq.locale import Texts
from tokenq.locale.waits import duration

if TYPE_CHECKING:
    from tokenq.contract.notice_views import AlarmView, OtherCounterView, UnservedView
    from tokenq.contract.views import CounterView, QueueView, TokenView


def forgotten(state: str, since: str | None, now: datetime, texts: Texts) -> str:
    """Return for how long a token that was presumably forgotten has been at its counter."""
    is_serving = state == "SERVING"
    if not since:
        return texts.gettext("In service: forgotten?") if is_serving else texts.gettext("Called: forgotten?")
    time = duration((now - datetime.fromisoformat(since)).total_seconds() / 60, texts)
    if is_serving:
        return texts.gettext("In service for {time}: forgotten?", time=time)
    return texts.gettext("Called for {time}: forgotten?", time=time)


def unserved(counter: "CounterView", texts: Texts) -> list[str]:
    """Return who waits where no other open counter serves, after a counter was closed, paused or left."""
    return [_unserved(department, texts) for department in counter.get("unserved") or []]


def _unserved(department: "UnservedView", texts: Texts) -> str:
    waiting, numbers = department["waiting"], ", ".join(department["displayNumbers"])
    if (more := waiting - len(department["displayNumbers"])) > 0:
        numbers = texts.gettext("{numbers} and {more} more", numbers=numbers, more=more)
    return texts.ngettext(
        "{number} customer waits in {department} ({numbers}); no other open counter serves it.",
        "{number} customers wait in {department} ({numbers}); no other open counter serves it.",
        waiting,
        department=department["departmentId"],
        numbers=numbers,
    )


def alarms(queue: "QueueView", texts: Texts, *, is_short: bool = False) -> list[str]:
    """Return the alarms about a queue's waits, ``is_short`` for a title."""
    said = _short_alarm if is_short else _alarm
    return [said(alarm, texts) for alarm in queue.get("alarms") or []]


def _short_alarm(alarm: "AlarmView", texts: Texts) -> str:
    if alarm["name"] == "longestWait":
        return texts.gettext("longest {time}", time=duration(alarm["longestMinutes"], texts))
    limit = duration(alarm["limitMinutes"], texts)
    return texts.ngettext("{number} over {limit}", "{number} over {limit}", alarm["late"], limit=limit)


def _alarm(alarm: "AlarmView", texts: Texts) -> str:
    limit = duration(alarm["limitMinutes"], texts)
    if alarm["name"] == "longestWait":
        longest = duration(alarm["longestMinutes"], texts)
        return texts.gettext("A customer has waited {time} (limit: {limit}).", time=longest, limit=limit)
    return texts.ngettext(
        "{number} customer has waited longer than {limit}: below the service level.",
        "{number} customers have waited longer than {limit}: below the service level.",
        alarm["late"],
        limit=limit,
    )


def also_at(token: "TokenView", texts: Texts) -> list[str]:
    """Return at which other counters the customer of a called token is now."""
    return [_also_at(other, token["branchId"], texts) for other in token.get("alsoAt") or []]


def _also_at(other: "OtherCounterView", here: str, texts: Texts) -> str:
    counter, number, branch = other["counterId"], other["displayNumber"], other["branchId"]
    if branch != here:
        counter = texts.gettext("{counter} in branch {branch}", counter=counter, branch=branch)
    if number:
        return texts.gettext("This customer is also at counter {counter} ({number}).", counter=counter, number=number)
    return texts.gettext("This customer is also at counter {counter} of another department.", counter=counter)


def also_waiting(token: "TokenView", texts: Texts) -> list[str]:
    """Return which other live numbers have the e-mail address of a token."""
    numbers = token.get("alsoWaiting") or []
    if not numbers:
        return []
    sentence = texts.ngettext(
        "{numbers} has the same e-mail address.",
        "{numbers} have the same e-mail address.",
        len(numbers),
        numbers=", ".join(numbers),
    )
    return [sentence]
