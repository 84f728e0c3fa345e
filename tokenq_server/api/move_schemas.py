"""What requests may say that call people, move tokens and staff counters."""

from typing import Annotated

from pydantic import AwareDatetime, ConfigDict, Field

from tokenq.contract.enums import RequeuePosition
from tokenq.contract.verbs import Verb
from tokenq_server.api.schemas import AnyPriority, Body, CounterId, DepartmentId, Departments, Id, Minutes, Reason

Console = Annotated[str, Field(pattern=r"^[A-Za-z0-9]{0,64}$")]


class Call(Body):
    """A counter; with a token and a reason, the call is out of order."""

    counter_id: CounterId
    token_id: Id | None = None
    reason: Reason | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"counterId": "3"}]})


class Serve(Body):
    """A counter."""

    counter_id: CounterId


class Move(Body):
    """The claim that the sender saw last."""

    claim_version: Annotated[int, Field(ge=0)]

    model_config = ConfigDict(json_schema_extra={"examples": [{"claimVersion": 1}]})


class Requeue(Move):
    """Where in the line the token goes back to."""

    position: Annotated[RequeuePosition, Field(strict=False)] = RequeuePosition.ORIGINAL


class NoShow(Move):
    """Why, if there is more to say."""

    reason: Reason | None = None


class Park(Move):
    """Until when: a moment, or so many minutes from now; without either until somebody resumes it."""

    until: Annotated[AwareDatetime, Field(strict=False)] | None = None
    until_minutes: Minutes | None = None
    reason: Reason | None = None


class Transfer(Move):
    """The department to go to."""

    to: DepartmentId
    reason: Reason | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"claimVersion": 1, "to": "HR"}]})


class Reinstate(Move):
    """Where in the line the token goes back to."""

    position: Annotated[RequeuePosition, Field(strict=False)] = RequeuePosition.ORIGINAL
    reason: Reason | None = None


class Cancel(Body):
    """Why, and the claim that the sender saw last, if any."""

    claim_version: Annotated[int, Field(ge=0)] | None = None
    reason: Reason | None = None


BODIES: dict[Verb, type[Move | Cancel]] = {
    Verb.NO_SHOW: NoShow,
    Verb.REQUEUE: Requeue,
    Verb.REINSTATE: Reinstate,
    Verb.CANCEL: Cancel,
}
"""What plain verbs say beyond the claim; the others say nothing."""


class ChangePriority(Move):
    """The class to be in."""

    priority: AnyPriority
    reason: Reason | None = None


class CounterBody(Body):
    """A counter; ``console`` is a random name of the screen that speaks, so that two of one person differ."""

    counter_id: CounterId
    console: Console = ""


class OpenCounter(CounterBody):
    """A counter to work at; ``departments`` is what it serves, in order: none named for all, null for those of before.

    ``asItIs`` claims a counter that is paused, or declared to serve others, without changing that.
    """

    departments: Departments | None = None
    take_over: bool = False
    as_it_is: bool = False

    model_config = ConfigDict(json_schema_extra={"examples": [{"counterId": "3", "departments": ["CW", "HR"]}]})


class PauseCounter(CounterBody):
    """A counter and why it pauses."""

    reason: Reason | None = None


class DeclareCounter(CounterBody):
    """A counter as it shall be: what it serves, in order; empty means every department of the branch."""

    departments: Departments = Field(default=[])
