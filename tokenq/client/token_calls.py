"""The verbs on one token."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tokenq.client.calls import Calls, given, segment
from tokenq.contract.names import token_reference
from tokenq.contract.paths import TOKENS
from tokenq.contract.problems import ProblemCode, Refused, refuse

if TYPE_CHECKING:
    from tokenq.contract.views import TokenView, WhyView

_LONGEST_NUMBER = 24


class TokenCalls(Calls):
    """What can be asked of a token. Every method raises ``Refused`` or a ``TokenqError``."""

    def token(self, token_id: int) -> "TokenView":
        """The token with this id."""
        view: TokenView = self.get(f"{TOKENS}/{segment(token_id)}")
        return view

    def find_token(self, reference: str) -> "TokenView":
        """The token a person means by ``101``, ``CW-012`` or ``cw12`` (the last two: of the current business day).

        Raises:
            Refused: no such token, several of that number, or no such way to name a token.
        """
        parsed = token_reference(reference)
        if isinstance(parsed, int):
            return self.token(parsed)
        typed = reference.strip()
        usual = f"{parsed[0]}-{parsed[1]:03d}" if parsed else typed
        found = self._numbered(usual, typed.upper(), typed)
        if not found:
            raise _no_token(reference, usual if parsed else None)
        if len(found) > 1:
            choices = ", ".join(f"{view['tokenId']} ({view['departmentId']})" for view in found)
            raise refuse(
                ProblemCode.INVALID,
                f"Several tokens are called {found[0]['displayNumber']}.",
                f"Name one by its id: {choices}.",
            )
        return found[0]

    def _numbered(self, *numbers: str) -> "list[TokenView]":
        """The tokens with the first of ``numbers`` that any has: a department may write them in a way of its own."""
        for number in dict.fromkeys(numbers):
            if 0 < len(number) <= _LONGEST_NUMBER:
                found: list[TokenView] = self.tokens(display_number=number)["items"]
                if found:
                    return found
        return []

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


def _no_token(reference: str, number: str | None) -> Refused:
    if number is None:
        sentence, hint = f"'{reference}' names no token.", "Give its id, such as 101, or its number, such as CW-012."
        return refuse(ProblemCode.INVALID, sentence, hint)
    hint = "Name tokens of other days by id; 'tokenq queue DEPT' shows who waits."
    return refuse(ProblemCode.UNKNOWN_TOKEN, f"There is no token {number} today.", hint)
