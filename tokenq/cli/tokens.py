"""How a token is told to people, and the one way the verbs on a token share."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tokenq.cli import output
from tokenq.cli.branch_time import zone_of
from tokenq.cli.context import connect
from tokenq.cli.exits import echo
from tokenq.cli.reasons import CommandReason
from tokenq.client import Client
from tokenq.contract.problems import refuse
from tokenq.zones import local

if TYPE_CHECKING:
    from tokenq.contract.views import EstimateView, TokenView


def move_token(reference: str, verb: str, *, as_json: bool, at: str | None = None, **body: Any) -> None:
    """Find the token a person means, do ``verb`` to it as it is now, and show what became of it.

    Raises:
        Refused: among others, if it is not at the counter that was named.
    """
    client = connect()
    found = client.find_token(reference)
    check_at(found, at)
    move_found(client, found, verb, as_json=as_json, **body)


def check_at(found: "TokenView", counter: str | None) -> None:
    """Refuse a token that is at another counter than the person named, if one was named.

    One that is at no counter is left to the server, which says why the verb is not possible.

    Raises:
        Refused: ``wrong_state``.
    """
    here = found["counterId"] if found["state"] in ("CALLED", "SERVING") else None
    if counter and here and here != counter.strip():
        raise refuse(CommandReason.OTHER_COUNTER, number=found["displayNumber"], here=here, counter=counter)


def move_found(client: Client, found: "TokenView", verb: str, *, as_json: bool, **body: Any) -> None:
    """Do ``verb`` to a token as it was found, and show what became of it."""
    after = client.move(found, verb, **body)
    if as_json:
        output.document(after)
        return
    if after["state"] == "WAITING" and after["position"] is None:
        after = client.token(after["tokenId"])  # the answer to a move does not say the place in line
    zone = zone_of(client, after["branchId"]) if after.get("parkedUntil") else ""
    elsewhere = found["departmentId"] != after["departmentId"]
    output.line(sentence(after, zone, more=f" of {after['departmentId']}" if elsewhere else ""))


def show_token(token: "TokenView", *, as_json: bool, zone: str = "") -> None:
    """The token as one JSON document, or in one line."""
    if as_json:
        output.document(token)
    else:
        output.line(sentence(token, zone))


def tell_new_counter(token: "TokenView") -> None:
    """Say that a call has made a counter: it may be a typing mistake, and people are sent there."""
    if token.get("isNewCounter"):
        echo(f"Counter '{token['counterId']}' is new.")


def sentence(token: "TokenView | Mapping[str, Any]", zone: str = "", *, more: str = "") -> str:
    """``CW-012  CALLED at counter 3  (id:101)``, or ``CW-013  WAITING, number 4 in line, about 10-20 min  (…)``.

    ``zone`` is that of the branch, on whose clock the times are; ``more`` is to be said beside, after the place.
    """
    where = ""
    if token["counterId"] and token["state"] in ("CALLED", "SERVING", "SERVED"):
        where = f" at counter {token['counterId']}"
    elif token["state"] == "WAITING" and token["position"]:
        wait = waits(token.get("estimate"))
        where, more = f", number {token['position']} in line{more}" + (f", about {wait}" if wait else ""), ""
    elif token["state"] == "PARKED" and token.get("parkedUntil"):
        where = f" until {clock(token['parkedUntil'], zone)[:5]}"
    return f"{token['displayNumber']}  {token['state']}{where}{more}  (id:{token['tokenId']})"


def waits(estimate: "EstimateView | None", *, with_reason: bool = False) -> str:
    """An estimated wait as people say it: ``10-20 min``; nothing, or ``unknown: …``, if it is not known."""
    if not estimate or estimate["lowMinutes"] is None or estimate["highMinutes"] is None:
        return f"unknown: {estimate['reason']}" if with_reason and estimate and estimate["reason"] else ""
    return f"{estimate['lowMinutes']}-{estimate['highMinutes']} min"


def is_ahead(instant: str | None) -> bool:
    """Whether a server's time is yet to come."""
    return bool(instant) and datetime.fromisoformat(str(instant)) > datetime.now(UTC)


def clock(instant: str | None, zone: str = "", *, with_day: bool = False) -> str:
    """A server's time on the clock of a zone (nothing: this machine's)."""
    if not instant:
        return ""
    try:
        moment = local(datetime.fromisoformat(instant), zone)
    except ValueError:
        return instant
    return moment.strftime("%Y-%m-%d %H:%M:%S" if with_day else "%H:%M:%S")
