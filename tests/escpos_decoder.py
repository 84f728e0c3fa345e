"""A printer of paper, as Epson's command reference describes one: turns bytes into what stands on the ticket.

Written from the reference alone; it uses nothing of the product. An unknown command or a stray control character
fails.
"""

from dataclasses import dataclass, field
from typing import Any

from PIL import Image

TABLES = {0: "cp437", 2: "cp850", 16: "cp1252", 17: "cp866", 18: "cp852", 19: "cp858"}


@dataclass
class Paper:
    """What came out: texts with their attributes, images, the contents of QR codes, cuts; and answers asked for."""

    texts: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    images: list[Image.Image] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    parts: list[Any] = field(default_factory=list)
    cuts: int = 0
    asked: list[bytes] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "\n".join(text for text, _ in self.texts)


def decode(data: bytes) -> Paper:
    paper, at, line = Paper(), 0, b""
    initial: dict[str, Any] = {"page": 0, "align": 0, "bold": False, "width": 1, "height": 1}
    state = dict(initial)
    stored, module = b"", 3
    while at < len(data):
        two, rest = data[at : at + 2], data[at + 2 :]
        if data[at] >= 0x20 and data[at] != 0x7F:
            line += data[at : at + 1]
            at += 1
            continue
        if data[at] == 0x0A:
            if line:
                paper.texts.append((line.decode(TABLES[state["page"]]), dict(state)))
                paper.parts.append(paper.texts[-1])
            line, at = b"", at + 1
            continue
        assert not line, "a command within a line"
        if two == b"\x1b@":
            state, at = dict(initial), at + 2
        elif two == b"\x1c.":
            at += 2
        elif two in (b"\x1bt", b"\x1ba", b"\x1bE", b"\x1bd"):
            key = {b"t": "page", b"a": "align", b"E": "bold", b"d": "fed"}[two[1:]]
            state[key], at = rest[0], at + 3
        elif two == b"\x1d!":
            state |= {"width": (rest[0] >> 4) + 1, "height": (rest[0] & 15) + 1}
            at += 3
        elif two == b"\x1dV" and rest[0] in (65, 66):
            paper.cuts, at = paper.cuts + 1, at + 4
        elif two == b"\x1dv" and rest[0:1] == b"0":
            across, rows = int.from_bytes(rest[2:4], "little"), int.from_bytes(rest[4:6], "little")
            content = rest[6 : 6 + across * rows]
            assert len(content) == across * rows
            image = Image.frombytes("1", (across * 8, rows), bytes(255 - byte for byte in content))
            paper.images.append(image)
            paper.parts.append(image)
            at += 8 + across * rows
        elif two == b"\x1d(" and rest[0:1] == b"k":
            size = int.from_bytes(rest[1:3], "little")
            content = rest[3 : 3 + size]
            assert content[0] == 49
            match content[1]:
                case 67:
                    module = content[2]
                case 80:
                    stored = content[3:]
                case 81:
                    paper.codes.append(stored.decode())
                    paper.parts.append((stored.decode(), module))
            at += 5 + size
        elif two in (b"\x10\x04", b"\x1dr"):
            paper.asked.append(data[at : at + 3])
            at += 3
        else:
            raise AssertionError(f"no command: {data[at : at + 4]!r}")
    assert not line
    return paper
