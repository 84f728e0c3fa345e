"""What else the customer of a token holds, for whoever has just changed that token."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tokenq.contract.enums import AT_COUNTER
from tokenq.contract.notice_views import OtherCounterView
from tokenq.contract.views import TokenView
from tokenq_server.domain.permissions import departments_to_issue_in, sees_people_of
from tokenq_server.domain.principal import Principal
from tokenq_server.domain.token import Token
from tokenq_server.services.queries import TokenFilter
from tokenq_server.services.together import Together
from tokenq_server.services.views import other_counter_view

_MOST_AT_ONCE = 64


@dataclass(frozen=True)
class AddressQuestion:
    """Who else has the e-mail address of each of these tokens, in these departments (``None``: in all)."""

    token_ids: tuple[int, ...]
    departments: frozenset[str] | None


class SameCustomerStore(Protocol):
    """Read access to tokens by their customer."""

    async def tokens(self, token_filter: TokenFilter) -> list[Token]:
        """Return tokens by descending id."""

    async def others_with_address(self, questions: Sequence[AddressQuestion]) -> list[list[tuple[int, str]]]:
        """Return, for each question, ids of its tokens with other live numbers of their branch at their addresses.

        At most ten for each token, oldest first.
        """


class SameCustomer:
    """Finds a customer's other tokens, showing each reader only what they may see."""

    def __init__(self, store: SameCustomerStore) -> None:
        self._store = store
        self._others_with_address = Together(store.others_with_address, _MOST_AT_ONCE)

    async def at_other_counters(
        self, called: Sequence[TokenView], reader: Principal
    ) -> dict[int, list[OtherCounterView]]:
        """Return, by token id, the other counters at which the registered users of called tokens are now.

        Which number brought them there is for staff of that department only.
        """
        return {token["tokenId"]: await self._other_counters(token, reader) for token in called}

    async def other_numbers(self, tokens: Sequence[TokenView], reader: Principal) -> dict[int, list[str]]:
        """Return, by token id, the other live numbers of the branch with the e-mail addresses of these tokens.

        Only those of departments in which the reader issues: who waits elsewhere cannot be found out by an address.
        """
        departments = departments_to_issue_in(reader)
        found: dict[int, list[str]] = {}
        if departments is None or departments:
            question = AddressQuestion(tuple(token["tokenId"] for token in tokens), departments)
            for token_id, number in await self._others_with_address(question):
                found.setdefault(token_id, []).append(number)
        return found

    async def _other_counters(self, called: TokenView, reader: Principal) -> list[OtherCounterView]:
        if called["userId"] is None:
            return []
        seated = await self._store.tokens(TokenFilter(states=tuple(sorted(AT_COUNTER)), user_id=called["userId"]))
        others = [token for token in seated if token.token_id != called["tokenId"]]
        return [other_counter_view(token, shows=sees_people_of(reader, token.department_id)) for token in others]
