"""The texts of the pages, by language; a browser gets those that it needs and fills them in."""

from collections.abc import Mapping, Sequence
from typing import Any

from tokenq.locale import N_, NAMES, SOURCE, languages, texts

_BOARD = {
    "nowCalling": N_("Now calling"),
    "lastCalls": N_("Last calls"),
    "welcome": N_("Welcome"),
    "nobody": N_("No number is being called. Called numbers appear here."),
    "waiting": N_("Waiting"),
    "expectedWait": N_("Expected wait"),
    "closed": N_("Closed"),
    "paused": N_("Paused: {counters}"),
    "old": N_("This display may be out of date. Please ask at the desk."),
    "since": N_("Last updated at {time}"),
    "soundOn": N_("Turn sound on"),
    "soundOff": N_("Turn sound off"),
    "fullScreen": N_("Full screen"),
    "again": N_("Called again"),
}

_TICKET = {
    "yourNumber": N_("Your number"),
    "before": N_("Before you"),
    "expectedWait": N_("Expected wait"),
    "nowCalled": N_("Now called"),
    "nobodyCalled": N_("Nobody at the moment"),
    "WAITING": N_("Please wait. This page tells you when it is your turn."),
    "next": N_("You are next."),
    "CALLED": N_("It is your turn: {counter}"),
    "SERVING": N_("You are being served: {counter}"),
    "PARKED": N_("Your number is on hold. The staff will call you later."),
    "SERVED": N_("Done. Thank you for your visit."),
    "NO_SHOW": N_("Your number was called, and nobody came. Please ask at the desk."),
    "CANCELLED": N_("You have left the queue."),
    "EXPIRED": N_("The day has ended, and this number with it. Please ask at the desk."),
    "ended": N_("This link has ended. Please ask at the desk."),
    "old": N_("No connection. What you see may be out of date."),
    "leave": N_("Leave the queue"),
    "sure": N_("Give up your number? This cannot be undone."),
    "yes": N_("Yes, leave"),
    "no": N_("No, stay"),
    "notify": N_("Ring when it is my turn"),
    "notifying": N_("This phone will ring. Keep this page open."),
}
_TAKE = {
    "take": N_("Take a number"),
    "choose": N_("What brings you here?"),
    "waiting": N_("Waiting"),
    "expectedWait": N_("Expected wait"),
    "closed": N_("Closed"),
    "nothing": N_("Numbers are given out at the desk."),
    "mine": N_("Show my number"),
    "failed": N_("That did not work. Please try again, or ask at the desk."),
}


def ticket_texts(language: str) -> dict[str, Any]:
    """Return the texts of a ticket's page."""
    return _in(language, _TICKET)


def ended_texts(language: str) -> dict[str, Any]:
    """Return what a ticket's page says where its link leads nowhere."""
    return _in(language, {"ended": _TICKET["ended"]})


def take_texts(language: str) -> dict[str, Any]:
    """Return the texts of the page where people take numbers."""
    return _in(language, _TAKE)


def language_for(wanted: str | None, accepted: str, otherwise: Sequence[str]) -> str:
    """Return the best language that there is: the one chosen, one that the browser accepts, or the first other one."""
    accepts = (part.partition(";")[0].strip() for part in accepted.split(",")[:20])
    found = (_nearest(choice.casefold()) for choice in (wanted or "", *accepts, *otherwise) if choice)
    return next(filter(None, found), SOURCE)


def _nearest(wanted: str) -> str | None:
    """Return a language itself, or else one that differs only in its region or script."""
    known = {tag.casefold(): tag for tag in languages()}
    related = (tag for folded, tag in known.items() if folded.partition("-")[0] == wanted.partition("-")[0])
    return known.get(wanted) or next(related, None)


def choices() -> list[dict[str, str]]:
    """Return all languages, each with what it calls itself."""
    return [{"language": tag, "name": NAMES.get(tag, tag)} for tag in languages()]


def _in(language: str, sources: Mapping[str, str]) -> dict[str, Any]:
    own = texts(language)
    return {
        "language": language,
        "direction": "rtl" if own.is_right_to_left else "ltr",
        **{name: own.gettext(source) for name, source in sources.items()},
    }


def board_texts(of: Sequence[str]) -> list[dict[str, Any]]:
    """Return the texts of a board, one object per language."""
    return [_in(language, _BOARD) for language in of]
