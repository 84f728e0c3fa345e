"""Server-Sent Events as bytes come in: a pure parser that knows no network."""

from dataclasses import dataclass

from tokenq.errors import BadReply
from tokenq.locale import N_

MAX_MESSAGE_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Message:
    """One message of the stream; ``last_id`` is the newest id seen so far, by this message or an earlier one."""

    event: str
    data: str
    last_id: str


class Parser:
    """Collects chunks into messages.

    Only line feeds end a line (with an optional carriage return before): a text inside ``data`` may hold
    any other character that some libraries split lines at.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._event = ""
        self._data: list[str] = []
        self._size = 0
        self._last_id = ""

    def feed(self, chunk: bytes) -> list[Message]:
        """The messages that ``chunk`` completes.

        Raises:
            BadReply: a message is larger than 1 MiB.
        """
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        self._grow(len(self._rest), 0)
        messages: list[Message] = []
        for line in lines:
            message = self._line(line.removesuffix(b"\r"))
            if message is not None:
                messages.append(message)
        return messages

    def _line(self, line: bytes) -> Message | None:
        if not line:
            return self._finish()
        name, _, value = line.decode("utf-8", "replace").partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._grow(len(line), len(line))
            self._data.append(value)
        elif name == "event":
            self._event = value
        elif name == "id" and value.isascii() and value.isprintable():
            # It goes back as a header, which takes no other characters.
            self._last_id = value
        return None

    def _grow(self, more: int, kept: int) -> None:
        if self._size + more > MAX_MESSAGE_BYTES:
            raise BadReply(N_("The event stream sent a message without end."))
        self._size += kept

    def _finish(self) -> Message | None:
        message = Message(self._event or "message", "\n".join(self._data), self._last_id) if self._data else None
        self._event, self._data, self._size = "", [], 0
        return message
