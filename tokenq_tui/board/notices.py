"""What the board says of itself: whether it is up to date, and what stands where nobody is called."""

from datetime import datetime, timedelta

from tokenq.locale import N_, texts
from tokenq.locale.waits import wait_range
from tokenq.stream import Link
from tokenq_tui.board.tail import Update
from tokenq_tui.board.widgets.banner import Notice, name_of
from tokenq_tui.board.widgets.departments import few
from tokenq_tui.board.wording import Wording
from tokenq_tui.link_badge import Health

OFFLINE_AFTER = 60.0
"""Seconds without the broker or the server after which "stale" becomes "offline"."""

_CONNECTS_WITHIN = 5.0


def health_of(update: Update, now: float, running: float, clock: datetime, say: Wording) -> tuple[Health, str]:
    """Return whether the screen is up to date, and since when or for how long it is not."""
    if update.link is Link.LIVE:
        if update.is_complete and update.picture.doubtful:
            return Health.STALE, ""
        return Health.LIVE if update.is_complete else Health.CONNECTING, ""
    if update.link is not Link.LOST:
        return Health.CONNECTING, ""
    if update.heard_at is None:
        return Health.CONNECTING if running < _CONNECTS_WITHIN else Health.OFFLINE, ""
    silent = now - update.heard_at
    if silent < OFFLINE_AFTER:
        return Health.STALE, say.gettext("{seconds} s", seconds=round(silent))
    began = f"{clock - timedelta(seconds=silent):%H:%M}"
    return Health.OFFLINE, say.gettext("since {time}", time=began)


def warning(update: Update, health: Health, clock: datetime, now: float, say: Wording) -> str:
    """Return what people must know who look at what may be old; empty if it is not."""
    if health not in (Health.STALE, Health.OFFLINE) or update.heard_at is None:
        return ""
    if update.link is Link.LIVE:
        missing = few(update.picture.doubtful)
        return say.gettext(
            "Some calls of {departments} may be missing. Please ask at the front desk.", departments=missing
        )
    since = f"{clock - timedelta(seconds=now - update.heard_at):%H:%M}"
    sentence = (
        _out_of_order(say)
        if health is Health.OFFLINE
        else say.gettext("This display may be out of date. Please ask at the desk.")
    )
    return f"{sentence} {say.gettext('Last updated at {time}', time=since)}"


def notice(update: Update, health: Health, say: Wording) -> Notice:
    """Return what stands where nobody is called."""
    nobody = say.gettext("No number is being called. Called numbers appear here.")
    if health is Health.LIVE:
        return Notice(say.title("Welcome"), nobody, _waits(update, say), say.title("Expected wait"))
    if health is Health.CONNECTING:
        return Notice(say.title("Welcome"), say.data(update.why) or say.gettext("Reading today's numbers …"))
    # Before there was anything to show, whoever sets the screen up needs the reason.
    why = say.data(update.why) if update.heard_at is None else ""
    sentence = _out_of_order(say)
    return Notice(say.title(N_("Please wait")), f"{sentence} {why}" if why else sentence)


def _out_of_order(say: Wording) -> str:
    return say.gettext("The display is temporarily out of order. Please ask at the front desk.")


def _waits(update: Update, say: Wording) -> tuple[tuple[str, str], ...]:
    """The expected waits of the departments that are open."""
    language = texts(say.language)
    return tuple(
        (name_of(each, each.department_id, say), say.data(wait_range(*update.waits[each.department_id], language)))
        for each in update.picture.departments
        if each.department_id in update.waits and not each.is_closed
    )
