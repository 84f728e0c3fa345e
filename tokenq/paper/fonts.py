"""Finds fonts of this machine that have the letters of a text."""

import os
import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import groupby
from pathlib import Path

from PIL import ImageFont

_FOLDERS = (
    "~/.fonts",
    "~/.local/share/fonts",
    "/usr/local/share/fonts",
    "/usr/share/fonts",
    "/System/Library/Fonts",
    "/Library/Fonts",
)
_WESTERN = ("DejaVuSans.ttf", "NotoSans-Regular.ttf")
_CJK = ("NotoSansCJK-Regular.ttc", "NotoSansCJK-Medium.ttc")
_FACES = {"ja": 0, "ko": 1, "zh-TW": 3, "zh-HK": 4}
"""The faces in a collection for Chinese, Japanese and Korean, which draw the same character differently."""
_SIMPLIFIED = 2
_NO_CHARACTER = "\U000fffff"
"""No font has it, so each draws its sign for a missing one."""
_SHOWS_NOTHING = frozenset({"Zs", "Mn", "Me", "Cf"})
Run = tuple[str, "ImageFont.FreeTypeFont"]


def runs_of(text: str, size: int, own: Path | None, language: str) -> tuple[list[Run], str]:
    """Split a text into runs of one font, one run if possible; and return the letters that no font here has."""
    letters = {letter for letter in text if unicodedata.category(letter) not in _SHOWS_NOTHING}
    chosen: dict[str, _Font] = {}
    for font in _fonts(own, language):
        found = {letter for letter in letters if font.has(letter)}
        if found == letters:
            return [(text, font.at(size))], ""
        for letter in found:
            chosen.setdefault(letter, font)
        if chosen.keys() == letters:
            break
    missing = "".join(sorted(letters - chosen.keys()))
    return _split(text, chosen, size), missing


def _split(text: str, chosen: "dict[str, _Font]", size: int) -> list[Run]:
    if not chosen:
        return []
    last = next(iter(chosen.values()))
    fonts = [last := chosen.get(letter, last) for letter in text]
    groups = groupby(zip(text, fonts, strict=True), key=lambda pair: pair[1])
    return [("".join(letter for letter, _ in pairs), font.at(size)) for font, pairs in groups]


class _Font:
    """A font file."""

    def __init__(self, path: Path, face: int) -> None:
        self._path, self._face = path, face
        self._sample = ImageFont.truetype(str(path), 32, face, layout_engine=ImageFont.Layout.BASIC)
        self._missing = bytes(self._sample.getmask(_NO_CHARACTER))

    def has(self, letter: str) -> bool:
        """Whether it has a glyph for this letter."""
        return bytes(self._sample.getmask(letter)) != self._missing

    @cache  # noqa: B019 - fonts are kept as long as the program runs
    def at(self, size: int) -> "ImageFont.FreeTypeFont":
        """Return it in a size in dots."""
        return ImageFont.truetype(str(self._path), size, self._face)


def _fonts(own: Path | None, language: str) -> Iterator[_Font]:
    for path in _files(own, language.partition("-")[0] in ("zh", "ja", "ko")):
        face = _FACES.get(language, _FACES.get(language.partition("-")[0], _SIMPLIFIED)) if _is_cjk(path) else 0
        if font := _font(path, face):
            yield font


def _is_cjk(path: Path) -> bool:
    return "CJK" in path.name and path.suffix == ".ttc"


@cache
def _font(path: Path, face: int) -> _Font | None:
    try:
        return _Font(path, face)
    except OSError:
        return None


@cache
def _files(own: Path | None, is_cjk: bool) -> list[Path]:
    """Return font files, the best first; what the machine has is looked through once."""
    preferred = [*_CJK, *_WESTERN] if is_cjk else [*_WESTERN, *_CJK]
    found = {name: path for path in _installed() if (name := path.name) in preferred or _is_for_a_script(name)}
    others = sorted(set(found) - set(preferred))
    return [*filter(None, [own]), *(found[name] for name in [*preferred, *others] if name in found)]


def _is_for_a_script(name: str) -> bool:
    return name.startswith("NotoSans") and name.endswith(("-Regular.ttf", "-Regular.otf"))


@cache
def _installed() -> list[Path]:
    folders = [Path(folder).expanduser() for folder in _FOLDERS]
    if "WINDIR" in os.environ:
        folders.append(Path(os.environ["WINDIR"]) / "Fonts")
    return [path for folder in folders if folder.is_dir() for path in folder.rglob("*.[to]t[fc]")]
