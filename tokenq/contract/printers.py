"""Addresses of ticket printers, and the widths of their paper."""

import re
from dataclasses import dataclass

COLUMNS = (32, 42, 48)
"""Characters per line that printers for tickets have."""

_PORT = 9100
_QUEUE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@:+-]{0,126}")
_HOST = re.compile(r"\[([0-9A-Fa-f:.%A-Za-z]+)\]|([A-Za-z0-9_.-]+)")
EXPECTED = "a printer is tcp://HOST:9100, a device such as /dev/usb/lp0, or lp:NAME"


@dataclass(frozen=True)
class PrinterAddress:
    """Where a printer is: exactly one of a ``host`` with a ``port``, a ``device``, or a ``queue`` of CUPS."""

    host: str = ""
    port: int = 0
    device: str = ""
    queue: str = ""

    def __str__(self) -> str:
        if self.host:
            return f"tcp://[{self.host}]:{self.port}" if ":" in self.host else f"tcp://{self.host}:{self.port}"
        return self.device or f"lp:{self.queue}"


def parse_printer(text: str) -> PrinterAddress:
    """Read a printer's address. Raises ValueError."""
    text = text.strip()
    if text.startswith("tcp://"):
        return _network(text.removeprefix("tcp://").rstrip("/"))
    if text.startswith("lp:") and _QUEUE_NAME.fullmatch(text[3:]):
        return PrinterAddress(queue=text[3:])
    if text.startswith("/") and text.isprintable():
        return PrinterAddress(device=text)
    raise ValueError(EXPECTED)


def _network(text: str) -> PrinterAddress:
    host, port = text, str(_PORT)
    if not text.endswith("]") and ":" in text:
        host, _, port = text.rpartition(":")
    found = _HOST.fullmatch(host)
    if not found or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(EXPECTED)
    return PrinterAddress(host=found[1] or found[2], port=int(port))
