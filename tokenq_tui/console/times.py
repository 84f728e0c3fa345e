"""Times and waits as the console says them. Nothing is drawn here."""

from datetime import datetime, timedelta

from tokenq.contract import notices
from tokenq.contract.enums import TokenState
from tokenq.contract.views import EstimateView, QueueView, TokenView
from tokenq.contract.waits import duration
from tokenq.locale import N_, texts
from tokenq.locale.waits import estimated, wait_short
from tokenq.zones import local
from tokenq_tui.console.state import zone_of

_STATES = {
    "WAITING": N_("waiting"),
    "CALLED": N_("called"),
    "SERVING": N_("in service"),
    "PARKED": N_("parked"),
    "SERVED": N_("served"),
    "NO_SHOW": N_("no-show"),
    "CANCELLED": N_("cancelled"),
    "EXPIRED": N_("expired"),
}


def state_word(state: str) -> str:
    """Return a token's state as a word; a later server may have others."""
    return texts().gettext(_STATES.get(state, state.lower().replace("_", "-")))


def since(token: TokenView) -> datetime | None:
    """Return when the token entered its present state at the counter."""
    text = token["startedAt"] if token["state"] == TokenState.SERVING else token["calledAt"]
    return datetime.fromisoformat(text) if text else None


def here_for(token: TokenView, now: datetime) -> str:
    """Return how long the person has been here, in minutes or hours."""
    return duration((now - datetime.fromisoformat(token["issuedAt"])).total_seconds() / 60)


def forgotten(token: TokenView, now: datetime) -> str:
    """Return that the server takes the token for forgotten, and since when; empty if it does not."""
    began = since(token)
    if began is None or not token.get("isForgotten"):
        return ""
    sentence = notices.forgotten("", token["state"], began.isoformat(), now)
    return f"{sentence[0].upper()}{sentence[1:]}"


def stopwatch(passed: timedelta) -> str:
    """Format a duration as ``m:ss`` or ``h:mm:ss``; never negative."""
    seconds = max(0, int(passed.total_seconds()))
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


def parked_until(token: TokenView, zone: str) -> str:
    """Return the branch time at which a parked token resumes automatically; empty if none is set."""
    until = token["parkedUntil"]
    return f"{local(datetime.fromisoformat(until), zone):%H:%M}" if until else ""


def expected_wait(estimate: EstimateView | None) -> str:
    """Format an estimate as ``10-20 min`` or ``2-3 h``; empty if unknown."""
    return estimated(estimate, texts())


def expected_wait_short(estimate: EstimateView | None) -> str:
    """Format an estimate for a narrow column; empty if unknown."""
    return estimated(estimate, texts(), wait_short)


def why_no_estimate(estimate: EstimateView | None) -> str:
    """Return why the wait is unknown; empty if it is known or no reason is given."""
    return estimate["reason"] or "" if estimate and estimate["lowMinutes"] is None else ""


def change_of_hours(queue: QueueView) -> str:
    """Return when the department next opens or closes, in branch time."""
    opening = queue["opening"]
    moment = opening["closesAt"] if opening["isOpen"] else opening["opensAt"]
    if moment is None or (not opening["isOpen"] and not queue["open"]):
        return ""
    when = f"{local(datetime.fromisoformat(moment), zone_of(queue)):%a %H:%M}"
    if opening["isOpen"]:
        return texts().gettext("closes {when}", when=when)
    return texts().gettext("opens {when}", when=when)
