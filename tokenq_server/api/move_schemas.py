"""Request schemas for calls, moves and counters."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, ConfigDict, Field

from tokenq.contract.enums import RequeuePosition
from tokenq.contract.verbs import Verb
from tokenq_server.api.schemas import (
    AnyPriority,
    Body,
    CounterId,
    DepartmentId,
    Departments,
    Email,
    Id,
    Minutes,
    PersonName,
    Reason,
)

Console = Annotated[str, Field(pattern=r"^[A-Za-z0-9]{0,64}$")]


class Call(Body):
    """A counter; with a token and a reason, the call is out of order.

    With ``mayCreate``, the counter may be a new one even where the branch's counters are declared.
    """

    counter_id: CounterId
    may_create: bool = False
    token_id: Id | None = None
    reason: Reason | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"counterId": "3"}]})


class Serve(Body):
    """A counter; ``mayCreate`` as for a call."""

    counter_id: CounterId
    may_create: bool = False


class Move(Body):
    """The claim version that the sender last saw."""

    claim_version: Annotated[int, Field(ge=0)]

    model_config = ConfigDict(json_schema_extra={"examples": [{"claimVersion": 1}]})


class Requeue(Move):
    """The position at which the token returns to the queue."""

    position: Annotated[RequeuePosition, Field(strict=False)] = RequeuePosition.ORIGINAL


class NoShow(Move):
    """An optional reason."""

    reason: Reason | None = None


class Park(Move):
    """When to resume: at a time, or after some minutes; without either, when someone resumes it."""

    until: Annotated[AwareDatetime, Field(strict=False)] | None = None
    until_minutes: Minutes | None = None
    reason: Reason | None = None


class Transfer(Move):
    """The department to transfer to, and the position in its queue."""

    to: DepartmentId
    position: Annotated[RequeuePosition, Field(strict=False)] = RequeuePosition.LAST
    reason: Reason | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"claimVersion": 1, "to": "HR"}]})


class Reinstate(Move):
    """The position at which the token returns to the queue."""

    position: Annotated[RequeuePosition, Field(strict=False)] = RequeuePosition.ORIGINAL
    reason: Reason | None = None


class Cancel(Body):
    """An optional reason, and the claim version that the sender last saw, if any."""

    claim_version: Annotated[int, Field(ge=0)] | None = None
    reason: Reason | None = None


class Edit(Body):
    """The corrected name or address; an empty text removes it, and what is left out stays as it is."""

    name: PersonName | Literal[""] | None = None
    email: Email | Literal[""] | None = None
    claim_version: Annotated[int, Field(ge=0)] | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"email": "user@example.com"}]})


BODIES: dict[Verb, type[Move | Cancel]] = {
    Verb.NO_SHOW: NoShow,
    Verb.REQUEUE: Requeue,
    Verb.REINSTATE: Reinstate,
    Verb.CANCEL: Cancel,
}
"""Schemas of plain verbs that take more than the claim version."""


class ChangePriority(Move):
    """The new class."""

    priority: AnyPriority
    reason: Reason | None = None


class CounterBody(Body):
    """A counter; ``console`` is a random name of the screen, to distinguish two screens of one person."""

    counter_id: CounterId
    console: Console = ""


class CallAtCounter(CounterBody):
    """A counter; ``mayCreate`` as for a call of a department."""

    may_create: bool = False


class OpenCounter(CallAtCounter):
    """A counter to open; ``departments`` is what it serves, in order: an empty list for all, null for the current ones.

    With ``asItIs``, a counter that exists is claimed unchanged: it stays paused, and ``departments`` are for a new one.
    """

    departments: Departments | None = None
    take_over: bool = False
    as_it_is: bool = False

    model_config = ConfigDict(json_schema_extra={"examples": [{"counterId": "3", "departments": ["CW", "HR"]}]})


class PauseCounter(CounterBody):
    """A counter and why it pauses."""

    reason: Reason | None = None


class DeclareCounter(CounterBody):
    """A counter's work profile: the departments it serves, in order; empty means every department of the branch."""

    departments: Departments = Field(default=[])
