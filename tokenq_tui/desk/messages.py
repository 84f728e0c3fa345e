"""Messages from the threads and the widgets to the desk's screen."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual.message import Message

from tokenq.contract.views import BranchView, DepartmentView, QueueView, TokenView
from tokenq_tui.link_badge import Health


@dataclass
class DepartmentsLoaded(Message):
    """The departments to show, and the branch of the first."""

    departments: Sequence[DepartmentView]
    branch: BranchView


@dataclass
class NoSelfService(Message):
    """In no department of this kiosk may customers take numbers themselves."""


@dataclass
class QueueArrived(Message):
    """A queue was fetched."""

    queue: QueueView


@dataclass
class LinkMoved(Message):
    """The state of the link to the server; ``why`` it is not live."""

    health: Health
    why: str = ""


@dataclass
class Failed(Message):
    """Something was refused or failed. An ``exit_code`` other than 0 ends the desk."""

    sentence: str
    hint: str = ""
    exit_code: int = 0


@dataclass
class Issued(Message):
    """A number was issued. ``trouble`` is why its ticket is not printed; ``notes`` are what the printer says."""

    token: TokenView
    is_printed: bool = False
    trouble: str = ""
    notes: Sequence[str] = ()


@dataclass
class StillTrying(Message):
    """The server does not answer whether it has issued the number; the same request is repeated."""

    why: str


@dataclass
class Printed(Message):
    """A ticket was printed again, or not: ``trouble`` says why."""

    token: TokenView
    trouble: str = ""
    notes: Sequence[str] = ()


@dataclass
class TakenBack(Message):
    """The number was cancelled."""

    token: TokenView


@dataclass
class Found(Message):
    """A typed or scanned number was found."""

    token: TokenView


@dataclass
class DepartmentChosen(Message):
    """A department was clicked or touched."""

    department: str


@dataclass
class LanguageChosen(Message):
    """A language was clicked or touched."""

    language: str


@dataclass
class ActionChosen(Message):
    """An action was clicked or touched; ``key`` is its key."""

    key: str
