"""How tokens are shown to people, and the code shared by the verbs on a token."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tokenq.cli import output
from tokenq.cli.branch_time import zone_of
from tokenq.cli.context import is_repeated, typed_key
from tokenq.cli.exits import echo
from tokenq.cli.reasons import CommandReason
from tokenq.client import Client
from tokenq.contract.problems import refuse
from tokenq.contract.verbs import Verb
from tokenq.locale import SOURCE, notices, texts
from tokenq.locale.waits import estimated
from tokenq.zones import local

if TYPE_CHECKING:
    from tokenq.contract.views import CounterView, EstimateView, TokenView

ENGLISH = texts(SOURCE)
"""The language of what commands print, other than refusals."""


def moved(client: Client, token: "TokenView", verb: Verb, *, at: str | None = None, **body: Any) -> "TokenView":
    """Apply ``verb`` to a token as last seen; return the token after it.

    Raises:
        Refused: among others, if the token is not at the counter ``at``.
    """
    check_counter(token, at)
    return client.move(token, str(verb), key=typed_key(), **body)


def check_counter(token: "TokenView", counter: str | None) -> None:
    """Refuse a token that is at another counter than ``counter``, if given.

    A token at no counter is left to the server, which says why the verb is not possible. So is a repeated command,
    after which the token may be elsewhere.

    Raises:
        Refused: ``wrong_state``.
    """
    actual = token["counterId"] if token["state"] in ("CALLED", "SERVING") and not is_repeated() else None
    if counter and actual and actual != counter.strip():
        raise refuse(CommandReason.OTHER_COUNTER, number=token["displayNumber"], actual=actual, counter=counter)


def show_after(client: Client, token: "TokenView", after: "TokenView", *, as_json: bool) -> None:
    """Show a token after a change; ``token`` is how it was before."""
    report_same_address([after])
    if as_json:
        output.document(after)
        return
    if after["state"] == "WAITING" and after["position"] is None:
        after = client.token(after["tokenId"])  # the response to a move does not include the position
    zone = zone_of(client, after["branchId"]) if after.get("parkedUntil") else ""
    is_elsewhere = token["departmentId"] != after["departmentId"]
    output.line(sentence(after, zone, suffix=f" of {after['departmentId']}" if is_elsewhere else ""))


def show_token(token: "TokenView", *, as_json: bool, zone: str = "") -> None:
    """Print the token as a JSON document or as one line."""
    if as_json:
        output.document(token)
    else:
        output.line(sentence(token, zone))


def report_call(token: "TokenView") -> None:
    """Report what the caller should know about a call.

    That it created its counter, since the name may be a typing mistake; and where else the customer is.
    """
    if token.get("isNewCounter"):
        echo(f"Counter '{token['counterId']}' is new.")
    hint = f" To let that counter finish first: 'tokenq requeue {token['displayNumber']}'."
    for sentence_ in notices.also_at(token, ENGLISH):
        echo(sentence_ + (hint if token["state"] == "CALLED" else ""))


def report_same_address(tokens: "Sequence[TokenView]") -> None:
    """Report which other numbers of the branch have the e-mail address of these tokens; one may be a mistake."""
    numbers = " ".join(token["displayNumber"] for token in tokens)
    for sentence_ in notices.also_waiting(tokens[0], ENGLISH):
        echo(f"{sentence_} If it is the same visit: 'tokenq cancel {numbers}'.")


def sentence(token: "TokenView | Mapping[str, Any]", zone: str = "", *, suffix: str = "") -> str:
    """``CW-012  CALLED at counter 3  (id:101)`` or ``CW-013  WAITING, position 4 in the queue, about 10-20 min  (…)``.

    ``zone`` is the branch's time zone; ``suffix`` follows the counter or the position.
    """
    where = ""
    if token["counterId"] and token["state"] in ("CALLED", "SERVING", "SERVED"):
        where = f" at counter {token['counterId']}"
    elif token["state"] == "WAITING" and token["position"]:
        wait = waits(token.get("estimate"))
        where = f", position {token['position']} in the queue{suffix}" + (f", about {wait}" if wait else "")
        suffix = ""
    elif token["state"] == "PARKED" and token.get("parkedUntil"):
        where = f" until {clock(token['parkedUntil'], zone)[:5]}"
    return f"{token['displayNumber']}  {token['state']}{where}{suffix}  (id:{token['tokenId']})"


def waits(estimate: "EstimateView | None", *, with_reason: bool = False) -> str:
    """Format an estimated wait: ``10-20 min`` or ``2-3 h``; if unknown, empty or (``with_reason``) ``unknown: …``."""
    if wait := estimated(estimate, texts()):
        return wait
    return f"unknown: {estimate['reason']}" if with_reason and estimate and estimate["reason"] else ""


def wait_of_newcomer(estimate: "EstimateView | None") -> str:
    """Return the sentence about the wait of somebody who would come now; empty if there is nothing to say.

    A wait that is not known has no estimate beside it: the sentence says which of the two there is.
    """
    wait = waits(estimate)
    if wait:
        return f"Estimated wait for a new customer: {wait}."
    reason = estimate["reason"] if estimate else ""
    return f"There is no estimate for a new customer: {reason}." if reason else ""


FORGOTTEN_HINT = (
    "Forgotten? 'tokenq serve NUMBER' ends a service that is over, 'tokenq no-show NUMBER' a call that nobody "
    "answered, 'tokenq requeue NUMBER' puts the customer back in the queue."
)


def forgotten_at(counters: "Sequence[CounterView]") -> dict[str, str]:
    """Return, by counter, the tokens that the server takes for forgotten: ``CW-001 in service for 3 h: forgotten?``"""
    sentences = {}
    for view in counters:
        held = view["token"]
        if held and held.get("isForgotten"):
            said = notices.forgotten(held["state"], held.get("since"), datetime.now(UTC), ENGLISH)
            sentences[view["counterId"]] = f"{held['displayNumber']} {said[0].lower()}{said[1:]}"
    return sentences


def is_ahead(instant: str | None) -> bool:
    """Return whether a server's timestamp is in the future."""
    return bool(instant) and datetime.fromisoformat(str(instant)) > datetime.now(UTC)


def clock(instant: str | None, zone: str = "", *, with_day: bool = False) -> str:
    """Format a server's timestamp in a time zone (empty: this machine's)."""
    if not instant:
        return ""
    try:
        moment = local(datetime.fromisoformat(instant), zone)
    except ValueError:
        return instant
    return moment.strftime("%Y-%m-%d %H:%M:%S" if with_day else "%H:%M:%S")
