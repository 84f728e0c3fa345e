"""What the tail and the widgets tell the console's screen."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from textual.message import Message

from tokenq.contract.views import QueueView, TokenView
from tokenq_tui.console.state import Department
from tokenq_tui.link_badge import Health


@dataclass
class DepartmentsKnown(Message):
    """These are the departments to serve; ``places`` are all that there are."""

    departments: Sequence[str]
    places: Sequence[Department] = ()


@dataclass
class CounterTaken(Message):
    """Somebody else works at our counter."""

    operator: str


@dataclass
class QueueArrived(Message):
    """A queue was fetched: asked for, and come, at these times of the monotonic clock."""

    queue: QueueView
    asked_at: float
    came_at: float = field(default_factory=time.monotonic)


@dataclass
class LinkMoved(Message):
    """How the console stands to the server, and since when if not live."""

    health: Health
    since: datetime | None
    why: str = ""


@dataclass
class Trouble(Message):
    """Something was refused or failed: a sentence and what to do.

    With an ``exit_code`` other than 0 it makes no sense to go on. ``is_answer`` tells that it ends what was asked for,
    and ``is_heard`` whether it was the server that said so.
    """

    sentence: str
    hint: str = ""
    exit_code: int = 0
    is_answer: bool = False
    is_heard: bool = True


@dataclass
class Done(Message):
    """An action was carried out; the sentence says what happened, ``token`` is what ``verb`` made of it."""

    sentence: str
    token: TokenView | None = None
    verb: str = ""


@dataclass
class Wanted(Message):
    """Somebody clicked on an action."""

    name: str


@dataclass
class DepartmentChosen(Message):
    """Somebody clicked on a department."""

    department_id: str
