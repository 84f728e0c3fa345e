"""The verbs on one token."""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tokenq.client.calls import Calls, given, new_key, segment
from tokenq.contract.numbers import readings, ticket_secret, typed_id
from tokenq.contract.paths import BRANCHES, DEPARTMENTS, TICKETS, TOKENS
from tokenq.contract.problems import Refused, refuse
from tokenq.contract.reasons.queue import TokenReason
from tokenq.errors import TokenqError, Unreachable

if TYPE_CHECKING:
    from tokenq.contract.ticket_views import TicketView
    from tokenq.contract.views import TokenView, WhyView


_KEY_OF_A_MOVE = re.compile(r"tq-[0-9a-f]{32}\.c([0-9]{1,9})")


class TokenCalls(Calls):
    """Operations on a token. Every method raises ``Refused`` or a ``TokenqError``."""

    def token(self, token_id: int) -> "TokenView":
        """The token with this id."""
        view: TokenView = self.get(f"{TOKENS}/{segment(token_id)}")
        return view

    def ticket(self, token: "TokenView") -> "TicketView":
        """Return what is printed on a token's ticket.

        The token already exists, so a ticket without its link, or with the id instead of the name, is better than none:
        a server of the previous release has no tickets, and staff who may not issue get no link.
        """
        try:
            view: TicketView = self.get(f"{TOKENS}/{segment(token['tokenId'])}/ticket")
        except Unreachable:
            view = _plain_ticket(token, token["departmentId"], {})
        except (Refused, TokenqError):
            view = self._ticket_of_parts(token)
        return view

    def _ticket_of_parts(self, token: "TokenView") -> "TicketView":
        department, branch = token["departmentId"], token["branchId"]
        try:
            place: Any = self.get(f"{BRANCHES}/{segment(branch)}")
            name = self.get(f"{DEPARTMENTS}/{segment(department)}")["name"]
        except (Refused, TokenqError):
            name, place = department, {}
        return _plain_ticket(token, name, place)

    def find_token(self, reference: str) -> "TokenView":
        """Find a token by its printed number (``CW-012``, ``cw12``), a ticket's link as scanned, or ``id:101``.

        Raises:
            Refused: ``unknown_token``; ``ambiguous``, with the candidates, if the number may mean several tokens;
                ``invalid`` if it is none of these.
        """
        if secret := ticket_secret(reference):
            return self._scanned(secret)
        token_id = typed_id(reference)
        if token_id is not None:
            return self.token(token_id)
        if not readings(reference):
            raise refuse(TokenReason.NO_NUMBER, reference=reference)
        found = self._tokens_with_number(reference)
        if not found:
            raise _no_token(reference)
        if len(found) > 1:
            raise _ambiguous(reference, found)
        return found[0]

    def _scanned(self, secret: str) -> "TokenView":
        view: TokenView = self.get(f"{TICKETS}/{segment(secret)}")
        return view

    def _tokens_with_number(self, typed: str) -> "list[TokenView]":
        """Return the tokens that a number may mean."""
        found: list[TokenView] = self.tokens(display_number=typed.strip().upper())["items"]
        if found:
            return found
        # A server of the previous release finds a number only as printed.
        usual = {f"{prefix}-{number:03d}" for prefix, number in readings(typed) if prefix} - {typed.strip().upper()}
        return [token for number in sorted(usual) for token in self.tokens(display_number=number)["items"]]

    def tokens(
        self,
        *,
        department: str | None = None,
        state: str | None = None,
        user_id: int | None = None,
        business_day: str | None = None,
        display_number: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Any:
        """One page of tokens: ``items`` and ``nextCursor`` (null on the last page)."""
        return self.get(
            TOKENS,
            departmentId=department,
            state=state,
            userId=user_id,
            businessDay=business_day,
            displayNumber=display_number,
            cursor=cursor,
            limit=limit,
        )

    def why(self, token_id: int) -> "WhyView":
        """Explain a token's position."""
        view: WhyView = self.get(f"{TOKENS}/{segment(token_id)}/why")
        return view

    def token_history(self, token_id: int) -> tuple[list[dict[str, Any]], str | None]:
        """Return a token's events, oldest first, in wire format; and before which day some may be deleted, if any."""
        record = self.token_record(token_id)
        return record["items"], record.get("keptFrom")

    def token_record(self, token_id: int) -> dict[str, Any]:
        """Return a token's events (``items``) and ``letters``, which older servers omit, oldest first."""
        record: dict[str, Any] = self.get(f"{TOKENS}/{segment(token_id)}/events")
        return record

    def token_events(self, token_id: int) -> list[dict[str, Any]]:
        """Return a token's events that are kept, oldest first, in wire format."""
        return self.token_history(token_id)[0]

    def move(
        self, token: "TokenView | Mapping[str, Any]", verb: str, *, key: str | None = None, **body: Any
    ) -> "TokenView":
        """Apply ``verb`` (as in the URL: ``recall``, ``no-show`` …) to the token as the caller last saw it.

        The token's ``claimVersion`` is sent: if it was moved since, the server refuses with ``stale_claim``. A key made
        here names that version, so that a repeat with the key is the same request, whatever has happened since; a key
        that somebody chose names none.
        """
        key = key or f"tq-{new_key()}.c{token['claimVersion']}"
        claim = _KEY_OF_A_MOVE.fullmatch(key)
        content = {"claimVersion": int(claim[1]) if claim else token["claimVersion"], **given(**body)}
        view: TokenView = self.post_once(f"{TOKENS}/{segment(token['tokenId'])}/{segment(verb)}", content, key)
        return view

    def edit_token(
        self, token_id: int, *, name: str | None = None, email: str | None = None, key: str | None = None
    ) -> "TokenView":
        """Correct a token's name or address; an empty text removes it."""
        view: TokenView = self.patch_once(f"{TOKENS}/{segment(token_id)}", given(name=name, email=email), key)
        return view


def _plain_ticket(token: "TokenView", department: str, place: "Mapping[str, Any]") -> "TicketView":
    return {
        "displayNumber": token["displayNumber"],
        "state": token["state"],
        "departmentName": department,
        "branchName": place.get("name", token["branchId"]),
        "timezone": place.get("timezone", ""),
        "language": token.get("language") or next(iter(place.get("languages", [])), ""),
        "issuedAt": token["issuedAt"],
        "position": token["position"],
        "estimate": token["estimate"],
        "url": None,
    }


def _no_token(typed: str) -> Refused:
    number = typed.strip().upper()
    if number.isdecimal():
        return refuse(TokenReason.NOT_PLAIN, number=number, id=int(number))
    return refuse(TokenReason.NOT_TODAY, number=number)


def _ambiguous(typed: str, found: "Sequence[TokenView]") -> Refused:
    is_same = len({each["displayNumber"] for each in found}) < len(found)
    return refuse(
        TokenReason.SAME_NUMBER if is_same else TokenReason.AMBIGUOUS,
        {
            "candidates": [
                {key: each[key] for key in ("tokenId", "displayNumber", "departmentId", "state")} for each in found
            ]
        },
        number=typed.strip(),
        count=len(found),
        candidates=[f"{each['displayNumber']} ({each['departmentId']}, {each['state']})" for each in found],
        ids=[f"id:{each['tokenId']} for {each['displayNumber']} in {each['departmentId']}" for each in found],
    )
