"""A paper ticket as text: fits an 80 mm printer, with a QR code if ``segno`` is installed."""

from typing import TYPE_CHECKING

from tokenq.cli import output
from tokenq.cli.branch_time import zone_of
from tokenq.cli.exits import echo
from tokenq.cli.tokens import clock, waits
from tokenq.client import Client
from tokenq.contract.problems import Refused
from tokenq.errors import TokenqError
from tokenq.printable import cells, printable, spaced, wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenq.contract.views import TokenView

WIDTH = 32
"""Cells per line of the paper."""
_QUIET_ZONE = 2
_BLOCKS = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}


def draw(client: Client, token: "TokenView") -> str:
    """Draw the ticket of a live token: just issued, or printed again."""
    return ticket_text(token, _department_name(client, token["departmentId"]), zone_of(client, token["branchId"]))


def ticket_text(token: "TokenView", department: str, zone: str) -> str:
    """Draw the ticket with the name of its department, which may take several lines, and the time in ``zone``.

    The QR code contains the number, which a scanner types like a keyboard. The id is left out, since it could be
    mistaken for a number.
    """
    texts = [
        department,
        "",
        _large(printable(token["displayNumber"])),
        "",
        f"position {token['position']} in the queue" if token["position"] else "",
        f"about {wait} wait" if (wait := waits(token["estimate"])) else "",
        clock(token["issuedAt"], zone, with_day=True),
    ]
    rule = "-" * WIDTH
    text = "\n".join(_centred(line) for text in texts for line in wrapped(text, WIDTH))
    return f"{rule}\n{text}\n{_qr(token['displayNumber'])}{rule}"


def _large(number: str) -> str:
    """The number with spaces between its letters, if that fits on a line."""
    return large if cells(large := spaced(number)) <= WIDTH else number


def _centred(line: str) -> str:
    return (" " * ((WIDTH - cells(line)) // 2) + line).rstrip()


def _department_name(client: Client, department: str) -> str:
    """The token already exists, so a ticket without the long name is better than none."""
    try:
        return client.department(department)["name"]
    except (Refused, TokenqError):
        return department


def _qr(content: str) -> str:
    try:
        import segno
    except ModuleNotFoundError:
        echo("The ticket has no QR code; to add it: pip install 'tokenq[print]'")
        return ""
    symbol = segno.make(content, error="m", micro=False)
    border = min((WIDTH - int(symbol.symbol_size(border=0)[0])) // 2, _QUIET_ZONE)
    if border < 0:
        echo("The ticket has no QR code: its number is too long for the paper.")
        return ""
    modules = [[bool(dark) for dark in row] for row in symbol.matrix_iter(border=border)]
    return half_blocks(modules, on_paper=not output.is_terminal())


def half_blocks(modules: "Sequence[Sequence[bool]]", *, on_paper: bool) -> str:
    """Draw two rows of modules per line of text; ink is dark on paper and light on a (dark) terminal."""
    inked = [[dark is on_paper for dark in row] for row in modules]
    if len(inked) % 2:
        inked.append([False] * len(inked[0]))
    return "".join(
        "".join(_BLOCKS[over, under] for over, under in zip(inked[at], inked[at + 1], strict=True)) + "\n"
        for at in range(0, len(inked), 2)
    )
