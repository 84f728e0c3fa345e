"""What else the customer of a token holds, for whoever has just changed that token."""

from collections.abc import Sequence
from typing import Protocol

from tokenq.contract.enums import AT_COUNTER
from tokenq.contract.notice_views import OtherCounterView
from tokenq.contract.views import TokenView
from tokenq_server.domain.permissions import issues_in, sees_people_of
from tokenq_server.domain.principal import Principal
from tokenq_server.domain.token import Token
from tokenq_server.services.queries import TokenFilter
from tokenq_server.services.views import other_counter_view


class SameCustomerStore(Protocol):
    """Read access to tokens by their customer."""

    async def tokens(self, token_filter: TokenFilter) -> list[Token]:
        """Return tokens by descending id."""

    async def others_with_address(self, token_id: int) -> list[Token]:
        """Return the other live tokens of a token's branch with its e-mail address, in either case, by ascending id."""


class SameCustomer:
    """Finds a customer's other tokens, showing each reader only what they may see."""

    def __init__(self, store: SameCustomerStore) -> None:
        self._store = store

    async def at_other_counters(self, called: TokenView, reader: Principal) -> list[OtherCounterView]:
        """Return the other counters at which a called token's registered user is now.

        Which number brought them there is for staff of that department only.
        """
        if called["userId"] is None:
            return []
        seated = await self._store.tokens(TokenFilter(states=tuple(sorted(AT_COUNTER)), user_id=called["userId"]))
        others = [token for token in seated if token.token_id != called["tokenId"]]
        return [other_counter_view(token, shows=sees_people_of(reader, token.department_id)) for token in others]

    async def other_numbers(self, token: TokenView, reader: Principal) -> Sequence[str]:
        """Return the other live numbers of the branch with a token's e-mail address, oldest first.

        Only those of departments in which the reader issues: who waits elsewhere cannot be found out by an address.
        """
        others = await self._store.others_with_address(token["tokenId"])
        return [other.display for other in others if issues_in(reader, other.department_id)]
