"""A paper ticket as text: wide enough for an 80 mm printer, with a QR code if ``segno`` is installed."""

import sys
from typing import TYPE_CHECKING

from tokenq.cli.branch_time import zone_of
from tokenq.cli.exits import echo
from tokenq.cli.tokens import clock, waits
from tokenq.client import Client
from tokenq.contract.problems import Refused
from tokenq.errors import TokenqError
from tokenq.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenq.contract.views import TokenView

WIDTH = 32
_BLOCKS = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}


def draw(client: Client, token: "TokenView") -> str:
    """The ticket. The QR code holds the number, which a scanner types as if it were a keyboard. An id would be read
    as a number, so there is none on paper.
    """
    lines = [
        _department_name(client, token["departmentId"]),
        "",
        " ".join(token["displayNumber"]),
        "",
        f"number {token['position']} in line" if token["position"] else "",
        f"wait about {wait}" if (wait := waits(token["estimate"])) else "",
        clock(token["issuedAt"], zone_of(client, token["branchId"]), with_day=True),
    ]
    rule = "-" * WIDTH
    text = "\n".join(printable(line, WIDTH).center(WIDTH).rstrip() for line in lines)
    return f"{rule}\n{text}\n{_qr(token['displayNumber'])}{rule}"


def _department_name(client: Client, department: str) -> str:
    """The token exists already: a ticket without the long name beats no ticket."""
    try:
        return client.department(department)["name"]
    except (Refused, TokenqError):
        return department


def _qr(content: str) -> str:
    try:
        import segno
    except ModuleNotFoundError:
        echo("The ticket has no QR code: pip install 'tokenq[print]' adds it.")
        return ""
    modules = [
        [bool(dark) for dark in row] for row in segno.make(content, error="m", micro=False).matrix_iter(border=2)
    ]
    return half_blocks(modules, on_paper=not sys.stdout.isatty())


def half_blocks(modules: "Sequence[Sequence[bool]]", *, on_paper: bool) -> str:
    """Two rows of dark and light modules to a line of text.

    Ink is dark on paper, and light on a terminal, which is mostly dark.
    """
    inked = [[dark is on_paper for dark in row] for row in modules]
    if len(inked) % 2:
        inked.append([False] * len(inked[0]))
    return "".join(
        "".join(_BLOCKS[over, under] for over, under in zip(inked[at], inked[at + 1], strict=True)) + "\n"
        for at in range(0, len(inked), 2)
    )
