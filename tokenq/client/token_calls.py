"""The verbs on one token."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tokenq.client.calls import Calls, given, segment
from tokenq.contract.numbers import readings, typed_id
from tokenq.contract.paths import TOKENS
from tokenq.contract.problems import ProblemCode, Refused, refuse

if TYPE_CHECKING:
    from tokenq.contract.views import TokenView, WhyView


class TokenCalls(Calls):
    """What can be asked of a token. Every method raises ``Refused`` or a ``TokenqError``."""

    def token(self, token_id: int) -> "TokenView":
        """The token with this id."""
        view: TokenView = self.get(f"{TOKENS}/{segment(token_id)}")
        return view

    def find_token(self, reference: str) -> "TokenView":
        """The token that a person means by the number on the paper (``CW-012``, ``cw12``) or by ``id:101``.

        Raises:
            Refused: ``unknown_token``; ``ambiguous``, with the candidates, if the number may mean several;
                ``invalid`` if nothing can be called so.
        """
        token_id = typed_id(reference)
        if token_id is not None:
            return self.token(token_id)
        if not readings(reference):
            hint = "Type the number on the ticket (CW-012), or an id (id:101)."
            raise refuse(ProblemCode.INVALID, f"'{reference}' is not a token number.", hint)
        found = self._numbered(reference)
        if not found:
            raise _no_token(reference)
        if len(found) > 1:
            raise _ambiguous(reference, found)
        return found[0]

    def _numbered(self, typed: str) -> "list[TokenView]":
        """The tokens that a number may mean."""
        found: list[TokenView] = self.tokens(display_number=typed.strip().upper())["items"]
        if found:
            return found
        # A server of the release before knows a number only as it is printed.
        usual = {f"{prefix}-{number:03d}" for prefix, number in readings(typed) if prefix} - {typed.strip().upper()}
        return [one for number in sorted(usual) for one in self.tokens(display_number=number)["items"]]

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
        """Why the token is where it is."""
        view: WhyView = self.get(f"{TOKENS}/{segment(token_id)}/why")
        return view

    def token_events(self, token_id: int) -> list[dict[str, Any]]:
        """Everything that happened to the token, oldest first, as events on the wire."""
        items: list[dict[str, Any]] = self.get(f"{TOKENS}/{segment(token_id)}/events")["items"]
        return items

    def move(
        self, token: "TokenView | Mapping[str, Any]", verb: str, *, key: str | None = None, **body: Any
    ) -> "TokenView":
        """Do ``verb`` (as in the URL: ``recall``, ``no-show`` …) to the token as the caller last saw it.

        The token's ``claimVersion`` goes along: if somebody moved it since, the server refuses with ``stale_claim``.
        """
        content = {"claimVersion": token["claimVersion"], **given(**body)}
        view: TokenView = self.post_once(f"{TOKENS}/{segment(token['tokenId'])}/{segment(verb)}", content, key)
        return view


def _no_token(typed: str) -> Refused:
    if not typed.strip().isdigit():
        hint = "'tokenq queue DEPT' shows who waits; name a token of another day by its id, such as id:101."
        return refuse(ProblemCode.UNKNOWN_TOKEN, f"Nobody has number {typed.strip().upper()} today.", hint)
    hint = f"Type the number as it is printed, such as CW-012. For the token with that id, type id:{int(typed)}."
    return refuse(ProblemCode.UNKNOWN_TOKEN, f"No department has given out a plain number {typed.strip()} today.", hint)


def _ambiguous(typed: str, found: "Sequence[TokenView]") -> Refused:
    told = ", ".join(f"{one['displayNumber']} ({one['departmentId']}, {one['state']})" for one in found)
    ids = ", ".join(f"id:{one['tokenId']} for {one['displayNumber']} in {one['departmentId']}" for one in found)
    is_same = len({one["displayNumber"] for one in found}) < len(found)
    return refuse(
        ProblemCode.AMBIGUOUS,
        f"'{typed.strip()}' can mean {len(found)} tokens: {told}.",
        f"Name the one you mean by its id: {ids}." if is_same else f"Type it as it is printed, or by its id: {ids}.",
        candidates=[{key: one[key] for key in ("tokenId", "displayNumber", "departmentId", "state")} for one in found],
    )
