"""Tickets as bytes for a printer, read back by a decoder that knows only the printer's manual."""

from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from tests.escpos_decoder import Paper, decode
from tests.scripts import LINES_OF_TEXT
from tests.tickets import LINK, ticket
from tokenq.paper import code_pages, fonts
from tokenq.paper.commands import as_commands
from tokenq.paper.layout import Design, ticket_parts
from tokenq.paper.pictures import text_bitmap

pytestmark = pytest.mark.skipif(
    not {"DejaVuSans.ttf", "NotoSansCJK-Regular.ttc", "NotoSansThai-Regular.ttf"}
    <= {path.name for path in fonts._installed()},
    reason="needs Debian's fonts-dejavu-core, fonts-noto-core and fonts-noto-cjk",
)


def printed(design: Design | None = None, notes: list[str] | None = None, **fields: Any) -> Paper:
    design, view = design or Design(), ticket(**fields)
    sink: list[str] = [] if notes is None else notes
    return decode(as_commands(ticket_parts(view, design), design, view["language"], sink.append))


def test_a_ticket_says_where_what_and_when_and_is_cut() -> None:
    paper = printed(Design(48, header="Welcome", footer="Thank you\nwww.example.org"))
    assert [text for text, _ in paper.texts] == [
        "Welcome",
        "St. Mary",
        "Chest ward",
        "CW-012",
        "Your position in the queue: 4",
        "Expected wait: 10-20 min",
        "2026-11-27 18:33",
        "Scan the code to follow the queue on your phone.",
        "Thank you",
        "www.example.org",
    ]
    assert paper.codes == [LINK]
    assert paper.cuts == 1
    assert {state["align"] for _, state in paper.texts} == {1}


@pytest.mark.parametrize(("columns", "times"), [(32, 5), (42, 6), (48, 6)])
def test_the_number_is_as_large_as_the_paper_allows_and_bold_and_nothing_else_is(columns: int, times: int) -> None:
    looks = {text: (state["width"], state["height"], state["bold"]) for text, state in printed(Design(columns)).texts}
    assert looks.pop("CW-012") == (times, times, 1)
    assert looks.pop("Chest ward") == (1, 1, 1)
    assert set(looks.values()) == {(1, 1, 0)}


def test_without_a_link_the_code_is_the_number_as_scanners_type_it() -> None:
    paper = printed(url=None)
    assert paper.codes == ["CW-012"]
    assert "phone" not in paper.text


@pytest.mark.parametrize(
    ("name", "page"),
    [("Chest ward", 0), ("Prélèvements & Überprüfung", 0), ("Saúde, 10 € à pagar — já", 16), ("Õhtu 5 €", 19)],
)
def test_western_text_is_printed_as_characters_of_a_code_page(name: str, page: int) -> None:
    paper = printed(departmentName=name)
    assert (name, page) in [(text, state["page"]) for text, state in paper.texts]
    assert paper.images == []


@pytest.mark.parametrize("name", ["市民课", "قسم المختبر", "Łódź", "ห้องตรวจ", "Kardiologie 验血 قسم"])
@pytest.mark.parametrize("columns", [32, 48])
def test_other_scripts_are_printed_as_pictures_that_fit(name: str, columns: int) -> None:
    notes: list[str] = []
    paper = printed(Design(columns), notes, departmentName=name)
    assert notes == []
    (image,) = paper.images
    assert image.width <= columns * 12
    assert 10 <= ImageChops.invert(image.convert("L")).getbbox()[3] <= 60  # type: ignore[index]
    assert name not in paper.text


def test_a_number_in_another_script_is_large_too() -> None:
    paper = printed(displayNumber="号-012", url=None)
    (image,) = paper.images
    assert image.height > 100
    assert image.width <= 32 * 12
    assert paper.codes == ["号-012"]


def test_arabic_is_joined_and_runs_from_right_to_left() -> None:
    """Shaping makes two joined letters narrower than two lone ones; the first letter stands on the right."""
    joined, _ = text_bitmap("سس", 26, 400, font=None, language="ar")
    alone, _ = text_bitmap("س س", 26, 400, font=None, language="ar")
    assert ink_columns(joined.rows) < ink_columns(alone.rows)
    number_last, _ = text_bitmap("س 1", 40, 400, font=None, language="ar")
    letter, digit = (text_bitmap(each, 40, 400, font=None, language="ar")[0] for each in ("س", "1"))
    assert ink_of_half(number_last.rows, 1) > ink_of_half(number_last.rows, 0)
    assert ink_columns(letter.rows) > ink_columns(digit.rows)


def ink_columns(rows: tuple[bytes, ...]) -> int:
    columns = [any(row[at // 8] >> (7 - at % 8) & 1 for row in rows) for at in range(len(rows[0]) * 8)]
    return len(columns) - columns[::-1].index(True) - columns.index(True)


def ink_of_half(rows: tuple[bytes, ...], half: int) -> int:
    middle = len(rows[0]) // 2
    return sum(byte.bit_count() for row in rows for byte in (row[middle:] if half else row[:middle]))


def test_letters_that_no_font_has_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    western = [path for path in fonts._files(None, False) if path.name == "DejaVuSans.ttf"]
    monkeypatch.setattr(fonts, "_files", lambda *_: western)
    notes: list[str] = []
    printed(None, notes, departmentName="验 血 Ж")
    assert notes == ["No font on this machine has 血验: install one, or name it by the setting printer_font."]


def test_without_pillow_a_ticket_is_still_printed_and_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "tokenq.paper.pictures", None)
    notes: list[str] = []
    paper = printed(Design(logo=Path("logo.png")), notes, departmentName="验血 A")
    assert "?? A" in paper.text
    assert "CW-012" in paper.text
    assert all("pip install 'tokenq[print]'" in note for note in notes)
    assert len(notes) == 2


@pytest.mark.parametrize("content", [LINK, LINK * 3, None])
def test_a_printer_without_qr_codes_gets_them_as_pictures_that_can_be_read(content: str | None) -> None:
    paper = printed(Design(32, pictures=True), url=content, departmentName="Überprüfung")
    assert paper.codes == []
    assert "Überprüfung" not in paper.text
    sheet, top = Image.new("L", (400, 500), 255), 0
    for image in paper.images[1:]:  # a tall picture comes in several strips
        assert image.width <= 32 * 12
        sheet.paste(image.convert("L"), (0, top))
        top += image.height
    assert [found.text for found in zxingcpp.read_barcodes(sheet)] == [content or "CW-012"]


def test_a_code_that_no_paper_holds_becomes_the_number() -> None:
    assert printed(url="https://queue.example.org/" + "x" * 300).codes == ["CW-012"]


def test_a_logo_is_scaled_to_the_paper(tmp_path: Path) -> None:
    logo = tmp_path / "logo.png"
    Image.new("RGBA", (1200, 300), (0, 0, 0, 0)).save(logo)
    empty = printed(Design(32, logo=logo)).images[0]
    assert ImageChops.invert(empty.convert("L")).getbbox() is None
    Image.new("RGB", (1200, 300), "black").save(logo)
    image = printed(Design(32, logo=logo)).images[0]
    assert image.size == (384, 96)
    assert ImageChops.invert(image.convert("L")).getbbox() == (0, 0, 384, 96)


def test_a_logo_that_is_no_picture_is_left_out_and_said(tmp_path: Path) -> None:
    logo = tmp_path / "logo.png"
    logo.write_bytes(b"\x89PNG\r\n\x1a\nnonsense")
    notes: list[str] = []
    paper = printed(Design(logo=logo), notes)
    assert paper.images == []
    assert "cannot be read as a picture" in notes[0]


HOSTILE = "\x1b@\x1d\x56\x00\x10\x04\x01\x1cq\x00\x7fA\nB\r\t\x1b=\x00"


@pytest.mark.parametrize("field", ["departmentName", "branchName", "displayNumber", "issuedAt"])
def test_no_name_becomes_a_command(field: str) -> None:
    paper = printed(**{field: HOSTILE}, url=None)
    assert paper.cuts == 1
    assert paper.asked == []


@settings(max_examples=60, deadline=None)
@given(LINES_OF_TEXT, LINES_OF_TEXT, st.sampled_from([32, 42, 48]), st.booleans())
def test_whatever_stands_on_a_ticket_the_printer_is_told_only_to_print(
    name: str, footer: str, columns: int, pictures: bool
) -> None:
    """The decoder fails at any byte that is neither a known command nor a character."""
    paper = printed(Design(columns, footer=footer, pictures=pictures), departmentName=name)
    assert paper.cuts == 1
    assert all(image.width <= columns * 12 for image in paper.images)
    assert all(len(text) * state["width"] <= columns for text, state in paper.texts)


@settings(deadline=None)
@given(st.text(max_size=20))
def test_no_code_page_makes_a_command_of_a_letter(text: str) -> None:
    found = code_pages.encoded(text)
    assert found is None or not set(found[1]) & {*range(0x20), 0x7F}


def test_an_own_font_is_tried_first(tmp_path: Path) -> None:
    own = next(path for path in fonts._files(None, False) if path.name == "DejaVuSans.ttf")
    copy = tmp_path / "Own.ttf"
    copy.write_bytes(own.read_bytes())
    (run,), missing = fonts.runs_of("Ж", 20, copy, "ru")
    assert (run[1].path, missing) == (str(copy), "")
