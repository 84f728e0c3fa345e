"""A ticket as commands for a printer: text where a code page has it, else as a picture."""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from tokenq.installed import command_to_add
from tokenq.paper import escpos
from tokenq.paper.bitmap import Bitmap, bitmap_of
from tokenq.paper.code_pages import encoded
from tokenq.paper.codes import modules_of
from tokenq.paper.layout import Code, Design, Line, Logo, Number, Part
from tokenq.printable import cells, printable, wrapped

_DOTS_PER_COLUMN = 12
_HEIGHT = 26
"""The size in dots of text in pictures."""
_LARGEST_NUMBER = 6
_LARGEST_MODULE = 6
_BYTES_BY_VERSION = (14, 26, 42, 62, 84, 106, 122, 152, 180, 213)
"""How much the versions of QR codes take with redundancy M; the first has 21 modules a side, each next 4 more."""
_QUIET_ZONE = 4
_NO_PILLOW = f"Some letters are missing on the ticket; to print any script: {command_to_add('print')}"


def as_commands(parts: Iterable[Part], design: Design, language: str, note: Callable[[str], object]) -> bytes:
    """Encode a ticket in ESC/POS; ``note`` gets a sentence about what could not be printed as it is."""
    printer = _Encoder(design, language, note)
    return escpos.START + b"".join(map(printer.part, parts)) + escpos.feed(1) + escpos.END


class _Encoder:
    """Encodes parts one after the other, and remembers the code page that the printer is in."""

    def __init__(self, design: Design, language: str, note: Callable[[str], object]) -> None:
        self._design, self._language = design, language
        self._dots = design.columns * _DOTS_PER_COLUMN
        self._page: int | None = None
        self._note = note

    def part(self, part: Part) -> bytes:
        """Return the commands for one part."""
        match part:
            case Line(text, is_bold):
                return self._paragraph(text, is_bold)
            case Number(text):
                return self._number(_shown(text))
            case Code():
                return self._code(part)
            case Logo(path):
                return self._logo(path)

    def _paragraph(self, text: str, is_bold: bool) -> bytes:
        lines = wrapped(_shown(text), self._design.columns)
        if (written := self._written("\n".join(lines))) is not None:
            return escpos.bold(True) + written + escpos.bold(False) if is_bold else written
        return b"".join(self._drawn(line, _HEIGHT, is_bold) for line in lines)

    def _number(self, number: str) -> bytes:
        times = max(1, min(_LARGEST_NUMBER, self._design.columns // max(cells(number), 1)))
        written = self._written("\n".join(wrapped(number, self._design.columns)))
        if written is None:
            return self._drawn(number, _HEIGHT * times, is_bold=True)
        return escpos.bold(True) + escpos.size(times) + written + escpos.size(1) + escpos.bold(False)

    def _written(self, text: str) -> bytes | None:
        """Return lines as characters; ``None`` if no code page has them."""
        found = [encoded(line) for line in text.split("\n")]
        pages = {each[0] for each in found if each}
        if None in found or len(pages) > 1 or (self._design.pictures and not text.isascii()):
            return None
        page = pages.pop()
        select = b"" if page == self._page else escpos.code_page(page)
        self._page = page
        return select + b"".join(content + escpos.LINE for _, content in filter(None, found))

    def _drawn(self, text: str, height: int, is_bold: bool) -> bytes:
        """Return a line as a picture; without Pillow, with question marks."""
        try:
            from tokenq.paper.pictures import text_bitmap
        except ModuleNotFoundError:
            self._note(_NO_PILLOW)
            return self._written(text.encode("ascii", "replace").decode()) or b""
        draw = partial(text_bitmap, font=self._design.font, language=self._language, is_bold=is_bold)
        bitmap, missing = draw(text, height, self._dots)
        if missing:
            self._note(f"No font on this machine has {missing}: install one, or name it by the setting printer_font.")
        return escpos.image(bitmap)

    def _code(self, code: Code) -> bytes:
        modules = modules_of(code.content, self._dots // 3 - 2 * _QUIET_ZONE) if self._design.pictures else None
        if modules:
            return escpos.image(_bordered(modules, self._module(len(modules))))
        size = len(code.content.encode())
        version = next((number for number, most in enumerate(_BYTES_BY_VERSION) if size <= most), None)
        if version is None:
            return self._code(Code(code.short, "")) if code.short else b""
        return escpos.qr(code.content, self._module(21 + 4 * version)) + escpos.LINE

    def _module(self, side: int) -> int:
        return max(1, min(_LARGEST_MODULE, self._dots // (side + 2 * _QUIET_ZONE)))

    def _logo(self, path: Path) -> bytes:
        try:
            from tokenq.paper.pictures import logo_bitmap
        except ModuleNotFoundError:
            self._note(f"The ticket has no logo; to add it: {command_to_add('print')}")
            return b""
        bitmap = logo_bitmap(path, self._dots)
        if bitmap is None:
            self._note(f"The ticket has no logo: {printable(path)} cannot be read as a picture.")
            return b""
        return escpos.image(bitmap)


def _bordered(modules: list[list[bool]], times: int) -> Bitmap:
    empty = [[False] * len(modules[0])] * _QUIET_ZONE
    return bitmap_of([*empty, *modules, *empty], times)


def _shown(text: str) -> str:
    """The text without what a printer could take for a command."""
    return printable(text).replace("\ufffd", "?")
