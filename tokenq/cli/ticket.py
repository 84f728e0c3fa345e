"""A paper ticket as text: wide enough for an 80 mm printer, with a QR code if ``segno`` is installed."""

import io
from typing import TYPE_CHECKING

from tokenq.cli.branch_time import zone_of
from tokenq.cli.exits import talk
from tokenq.cli.tokens import clock, waits
from tokenq.client import Client
from tokenq.contract.problems import Refused
from tokenq.errors import TokenqError
from tokenq.printable import printable

if TYPE_CHECKING:
    from tokenq.contract.views import TokenView

WIDTH = 32


def draw(client: Client, token: "TokenView") -> str:
    """The ticket. The QR code holds the token's id, which a scanner types as if it were a keyboard."""
    lines = [
        _department_name(client, token["departmentId"]),
        "",
        " ".join(token["displayNumber"]),
        "",
        f"number {token['position']} in line" if token["position"] else "",
        f"wait about {wait}" if (wait := waits(token["estimate"])) else "",
        clock(token["issuedAt"], zone_of(client, token["branchId"]), with_day=True),
        f"token {token['tokenId']}",
    ]
    rule = "-" * WIDTH
    text = "\n".join(printable(line, WIDTH).center(WIDTH).rstrip() for line in lines)
    return f"{rule}\n{text}\n{_qr(str(token['tokenId']))}{rule}"


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
        talk("The ticket has no QR code: pip install 'tokenq[print]' adds it.")
        return ""
    drawing = io.StringIO()
    segno.make(content, error="m", micro=False).terminal(drawing, compact=True, border=2)
    return drawing.getvalue()
