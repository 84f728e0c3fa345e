"""What is stored about a person, and what was erased of it, as the API shows it."""

from typing import Any

from typing_extensions import TypedDict

from tokenq.contract.views import UserView


class ErasureView(TypedDict):
    """How much was erased, or would be (``dryRun``).

    ``tokens`` with a name, an address or a user, ``entries`` of the log, ``letters`` of the queue, ``records`` that are
    dead letters, remembered ``answers``, and user ``accounts``.
    """

    tokens: int
    entries: int
    letters: int
    records: int
    answers: int
    accounts: int
    dryRun: bool


class PersonalTokenView(TypedDict):
    """A token of the person."""

    tokenId: int
    displayNumber: str
    departmentId: str
    businessDay: str
    state: str
    userId: int | None
    name: str | None
    email: str | None
    issuedAt: str
    servedAt: str | None


class PersonalLetterView(TypedDict):
    """A notification to the person."""

    departmentId: str
    seq: int
    kind: str
    channel: str
    recipient: str
    state: str
    createdAt: str
    sentAt: str | None
    error: str | None


class PersonalDataView(TypedDict):
    """What is stored about a person: the account, the tokens with their history, and the notifications."""

    account: UserView | None
    tokens: list[PersonalTokenView]
    events: list[dict[str, Any]]
    letters: list[PersonalLetterView]
