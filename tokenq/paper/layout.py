"""What stands on a ticket, from top to bottom; how it gets onto paper is for an encoder."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokenq.locale import SOURCE, Texts, texts
from tokenq.locale.waits import estimated
from tokenq.zones import local

if TYPE_CHECKING:
    from tokenq.contract.ticket_views import TicketView


@dataclass(frozen=True)
class Design:
    """How a place's tickets look. ``logo`` and ``font`` are for printers."""

    columns: int = 32
    logo: Path | None = None
    header: str = ""
    footer: str = ""
    font: Path | None = None
    pictures: bool = False

    @classmethod
    def of(cls, settings: Any) -> "Design":
        """Return the design that the settings of this machine say."""
        return cls(
            settings.printer_columns,
            settings.printer_logo,
            settings.printer_header,
            settings.printer_footer,
            settings.printer_font,
            settings.printer_pictures,
        )


@dataclass(frozen=True)
class Line:
    """A paragraph, centred; not yet printable, and of any length. ``""`` is an empty line."""

    text: str
    is_bold: bool = False


@dataclass(frozen=True)
class Number:
    """The display number, as large as the paper allows."""

    text: str


@dataclass(frozen=True)
class Code:
    """A QR code; if ``content`` is too long for the paper, ``short``."""

    content: str
    short: str


@dataclass(frozen=True)
class Logo:
    """A picture."""

    path: Path


Part = Line | Number | Code | Logo


def ticket_parts(ticket: "TicketView", design: Design) -> Iterator[Part]:
    """Yield what stands on a ticket, in its language.

    The id is left out, since it could be mistaken for a number.
    """
    own = texts(ticket["language"] or SOURCE)
    if design.logo:
        yield Logo(design.logo)
    yield from _lines(design.header)
    yield Line(ticket["branchName"])
    yield Line(ticket["departmentName"], is_bold=True)
    yield Line("")
    yield Number(ticket["displayNumber"])
    yield Line("")
    yield from map(Line, _expectations(ticket, own))
    yield Line(_issued(ticket))
    yield Code(ticket["url"] or ticket["displayNumber"], ticket["displayNumber"])
    if ticket["url"]:
        yield Line(own.gettext("Scan the code to follow the queue on your phone."))
    yield from _lines(design.footer)


def _lines(text: str) -> Iterator[Line]:
    yield from map(Line, text.splitlines())


def _expectations(ticket: "TicketView", own: Texts) -> Iterator[str]:
    if ticket["position"]:
        yield own.gettext("Your position in the queue: {position}", position=ticket["position"])
    if wait := estimated(ticket["estimate"], own):
        yield own.gettext("Expected wait: {wait}", wait=wait)


def _issued(ticket: "TicketView") -> str:
    try:
        return local(datetime.fromisoformat(ticket["issuedAt"]), ticket["timezone"]).strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return ticket["issuedAt"]
