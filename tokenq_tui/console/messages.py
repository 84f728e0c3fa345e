"""Messages from the tail and the widgets to the console's screen."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from textual.message import Message

from tokenq.contract.views import QueueView, TokenView
from tokenq_tui.console.state import Department
from tokenq_tui.link_badge import Health


@dataclass
class DepartmentsLoaded(Message):
    """The departments to serve; ``all_departments`` are all that exist."""

    departments: Sequence[str]
    all_departments: Sequence[Department] = ()


@dataclass
class CounterTaken(Message):
    """Our counter is in use by another operator."""

    operator: str


@dataclass
class CounterRefused(Message):
    """This console cannot work at the counter, which it has not claimed."""

    counter: str
    sentence: str
    hint: str = ""


@dataclass
class QueueArrived(Message):
    """A queue was fetched; the times of request and arrival are those of the monotonic clock."""

    queue: QueueView
    requested_at: float
    received_at: float = field(default_factory=time.monotonic)


@dataclass
class LinkMoved(Message):
    """The state of the link to the server, and since when if it is not live."""

    health: Health
    since: datetime | None
    why: str = ""


@dataclass
class Trouble(Message):
    """Something was refused or failed: a sentence and a hint.

    An ``exit_code`` other than 0 ends the console. ``is_answer``: whether it completes the pending request;
    ``is_from_server``: whether the server responded.
    """

    sentence: str
    hint: str = ""
    exit_code: int = 0
    is_answer: bool = False
    is_from_server: bool = True


@dataclass
class Done(Message):
    """An action was carried out; ``token`` is the token after ``verb``. ``warnings`` are what to know about it."""

    sentence: str
    token: TokenView | None = None
    verb: str = ""
    warnings: Sequence[str] = ()


@dataclass
class ActionClicked(Message):
    """The user clicked an action."""

    name: str


@dataclass
class DepartmentChosen(Message):
    """The user clicked a department."""

    department_id: str
