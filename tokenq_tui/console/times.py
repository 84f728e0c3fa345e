"""Times and waits as the console says them. Nothing is drawn here."""

from datetime import datetime, timedelta

from tokenq.contract.enums import TokenState
from tokenq.contract.views import EstimateView, QueueView, TokenView
from tokenq.locale import N_, notices, texts
from tokenq.locale.waits import duration, estimated, wait_short
from tokenq.locale.words import reason_words
from tokenq.zones import local
from tokenq_tui.console.state import zone_of

_WEEKDAYS = (N_("Mon"), N_("Tue"), N_("Wed"), N_("Thu"), N_("Fri"), N_("Sat"), N_("Sun"))


def since(token: TokenView) -> datetime | None:
    """Return when the token entered its present state at the counter."""
    text = token["startedAt"] if token["state"] == TokenState.SERVING else token["calledAt"]
    return datetime.fromisoformat(text) if text else None


def here_for(token: TokenView, now: datetime) -> str:
    """Return how long the person has been here, in minutes or hours."""
    return duration((now - datetime.fromisoformat(token["issuedAt"])).total_seconds() / 60, texts())


def forgotten(token: TokenView, now: datetime) -> str:
    """Return that the server takes the token for forgotten, and since when; empty if it does not."""
    began = since(token)
    if began is None or not token.get("isForgotten"):
        return ""
    return notices.forgotten(token["state"], began.isoformat(), now, texts())


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
    if estimate is None or estimate["lowMinutes"] is not None:
        return ""
    return reason_words(estimate["reason"] or "", texts())


def change_of_hours(queue: QueueView) -> str:
    """Return when the department next opens or closes, in branch time."""
    opening = queue["opening"]
    moment = opening["closesAt"] if opening["isOpen"] else opening["opensAt"]
    if moment is None or (not opening["isOpen"] and not queue["open"]):
        return ""
    at = local(datetime.fromisoformat(moment), zone_of(queue))
    when = f"{texts().gettext(_WEEKDAYS[at.weekday()])} {at:%H:%M}"
    if opening["isOpen"]:
        return texts().gettext("closes {when}", when=when)
    return texts().gettext("opens {when}", when=when)
