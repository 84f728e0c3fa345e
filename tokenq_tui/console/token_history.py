"""A token's events and notifications in words."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import MAXYEAR, UTC, datetime
from typing import Any

from tokenq.contract.events import EventType
from tokenq.contract.notifications import LetterKind
from tokenq.contract.views import LetterView
from tokenq.locale import N_, texts
from tokenq.zones import local
from tokenq_tui.console.details import Record

_WORDS = {
    EventType.TOKEN_GENERATED: N_("issued"),
    EventType.TOKEN_TURN_NEAR: N_("turn is near"),
    EventType.TOKEN_CALLED: N_("called"),
    EventType.TOKEN_RECALLED: N_("called again"),
    EventType.TOKEN_SERVICE_STARTED: N_("service started"),
    EventType.TOKEN_SERVED: N_("served"),
    EventType.TOKEN_NO_SHOW: N_("no-show"),
    EventType.TOKEN_REQUEUED: N_("back in the queue"),
    EventType.TOKEN_PARKED: N_("parked"),
    EventType.TOKEN_RESUMED: N_("resumed"),
    EventType.TOKEN_TRANSFERRED: N_("transferred"),
    EventType.TOKEN_CANCELLED: N_("cancelled"),
    EventType.TOKEN_PRIORITY_CHANGED: N_("class changed"),
    EventType.TOKEN_REINSTATED: N_("reinstated"),
    EventType.TOKEN_EDITED: N_("corrected"),
    EventType.TOKEN_REVERTED: N_("undone"),
    EventType.TOKEN_EXPIRED: N_("expired"),
}
_SAME = ("eventType", "timestamp", "data", "actor")


_LETTERS = {
    LetterKind.ISSUED: N_("letter about the number: {state}"),
    LetterKind.NEAR: N_("letter that the turn is near: {state}"),
    LetterKind.CALLED: N_("letter about the call: {state}"),
    LetterKind.SERVED: N_("letter about the service: {state}"),
    LetterKind.MISSED: N_("letter about the missed call: {state}"),
    LetterKind.EXPIRED: N_("letter about the end of the day: {state}"),
}
_LETTER_STATES = {
    "due": N_("not sent yet"),
    "sending": N_("not sent yet"),
    "sent": N_("sent"),
    "dead": N_("failed"),
    "dropped": N_("not sent"),
    "overtaken": N_("not sent, overtaken"),
}


def history_lines(record: Record, zone: str) -> Sequence[tuple[str, str]]:
    """Return time and words of each event and letter, oldest first.

    A transfer, which is in the logs of both departments, stands there once.
    """
    happened = [*_events(record.events), *((letter["at"], _letter_words(letter)) for letter in record.letters)]
    return [(_clock(at, zone), words) for at, words in sorted(happened, key=lambda each: _instant(each[0]))]


def _events(events: Sequence[Mapping[str, Any]]) -> Iterable[tuple[str, str]]:
    before: Mapping[str, Any] = {}
    for event in events:
        if not before or any(event.get(name) != before.get(name) for name in _SAME):
            yield str(event.get("timestamp")), _words(event)
        before = event


def _letter_words(letter: LetterView) -> str:
    said, kind = texts(), letter["kind"]
    sentence = _LETTERS[LetterKind(kind)] if kind in set(_LETTERS) else N_("letter: {state}")
    return said.gettext(sentence, state=said.gettext(_LETTER_STATES.get(letter["state"], letter["state"])))


def _words(event: Mapping[str, Any]) -> str:
    said, kind, data = texts(), str(event.get("eventType")), event.get("data") or {}
    words = said.gettext(_WORDS[EventType(kind)]) if kind in set(_WORDS) else kind
    target = data.get("to") if isinstance(data, Mapping) else None
    if kind == EventType.TOKEN_TRANSFERRED and target:
        words = said.gettext("transferred to {department}", department=target)
    if event.get("counterId") and kind == EventType.TOKEN_CALLED:
        words = said.gettext("called to counter {counter}", counter=event["counterId"])
    if event.get("actor"):
        words = said.gettext("{event}, by {user}", event=words, user=event["actor"])
    return words


def _instant(timestamp: str) -> datetime:
    """Return when it was; what has no time that can be read comes last."""
    try:
        moment = datetime.fromisoformat(timestamp)
    except ValueError:
        return datetime.max.replace(tzinfo=UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _clock(timestamp: str, zone: str) -> str:
    moment = _instant(timestamp)
    return "–" if moment.year == MAXYEAR else f"{local(moment, zone):%H:%M}"
