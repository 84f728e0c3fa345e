"""What goes onto paper and onto a small terminal."""

from typing import Any, cast

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from rich.cells import cell_len

from tests.screens.console_seeds import FakeApi, token
from tests.scripts import LINES_OF_TEXT
from tests.tickets import LINK, ticket
from tokenq.cli.commands import counter, queue
from tokenq.cli.commands.simulate import _customers
from tokenq.contract.views import QueueView
from tokenq.paper.layout import Design, ticket_parts
from tokenq.paper.plain import as_text, half_blocks

CORNER = ["0000", "0110", "0100"]
"""A quiet zone and the corner of a finder pattern: 1 is dark."""


def test_dark_modules_are_ink_on_paper_and_holes_on_a_dark_terminal() -> None:
    """A printer prints dark on white; a scanner reads no negative."""
    modules = [[module == "1" for module in row] for row in CORNER]
    assert half_blocks(modules, on_paper=True) == [" ▄▄ ", " ▀  "]
    assert half_blocks(modules, on_paper=False) == ["█▀▀█", "▀ ▀▀"]


def text_of(columns: int = 32, notes: list[str] | None = None, **fields: Any) -> str:
    parts = ticket_parts(ticket(**fields), Design(columns))
    return as_text(parts, columns, on_paper=True, note=(notes if notes is not None else []).append)


@settings(deadline=None)  # the first one loads the library that draws codes
@given(LINES_OF_TEXT, st.text("ABC0-号", min_size=1, max_size=40))
def test_no_line_of_a_ticket_is_wider_than_the_paper(name: str, number: str) -> None:
    lines = text_of(departmentName=name, displayNumber=number).split("\n")
    assert [line for line in lines if cell_len(line) > 32] == []
    assert number in "".join(lines).replace(" ", "")


def test_a_long_department_name_is_wrapped_and_never_cut() -> None:
    name = "Einwohnermeldeamt und Standesamt Charlottenburg-Wilmersdorf"
    lines = text_of(departmentName=name, branchName="").split("\n")
    assert lines[2:6] == [name[:32], " " * 3 + name[33:], "", "C W - 0 1 2".center(32).rstrip()]
    japanese = "市民課住民票写し等証明書発行窓口係"
    lines = text_of(departmentName=japanese, branchName="").split("\n")
    assert lines[2:4] == [japanese[:16], " " * 15 + japanese[16:]]


@pytest.mark.parametrize(("columns", "content"), [(32, LINK), (48, LINK), (32, "https://example.org/" + "x" * 90)])
def test_the_code_of_a_ticket_on_stdout_can_be_read(columns: int, content: str) -> None:
    """The same as a printer's: the link, or the number if the paper is too narrow for it."""
    lines = text_of(columns, url=content).split("\n")
    sheet = Image.new("L", (60 * 4, len(lines) * 8), 255)
    for row, line in enumerate(lines):
        for column, block in enumerate(line):
            upper, lower = {"▀": (1, 0), "▄": (0, 1), "█": (1, 1)}.get(block, (0, 0))
            sheet.paste(0 if upper else 255, (column * 4 + 20, row * 8, column * 4 + 24, row * 8 + 4))
            sheet.paste(0 if lower else 255, (column * 4 + 20, row * 8 + 4, column * 4 + 24, row * 8 + 8))
    assert [found.text for found in zxingcpp.read_barcodes(sheet)] == [content if content == LINK else "CW-012"]


def test_a_number_that_no_paper_holds_as_a_code_is_said() -> None:
    notes: list[str] = []
    text_of(notes=notes, url=None, displayNumber="号" * 60)
    assert notes == ["The ticket has no QR code: its number is too long for the paper."]


def test_a_queue_that_is_watched_shows_its_head_and_fits_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    desk = FakeApi([token("LAB", number, name="Ann") for number in range(1, 38)], ["LAB"])
    desk.no_estimate = "no counter is open"
    view = cast(dict[str, Any], desk.queue("LAB"))
    view["counts"]["noShow"] = 0
    desk.pause_counter("main", "1", "lunch")
    view["timezone"], view["counters"] = "Asia/Kolkata", list(desk.desks.values())
    queue._show(cast(QueueView, view), 24)
    lines = capsys.readouterr().out.split("\n")
    assert len(lines) <= 24
    shown = [line.split()[1] for line in lines if "WAITING" in line]
    assert shown == [f"LAB-{number:03d}" for number in range(1, len(shown) + 1)]
    assert f"… and {37 - len(shown)} more waiting." in lines


def test_a_counter_that_serves_many_departments_keeps_the_table_narrow() -> None:
    assert counter._serves([]) == "all"
    assert counter._serves(["CW", "LAB"]) == "CW LAB"
    assert counter._serves([f"D{number:02d}" for number in range(1, 44)]) == "D01 D02 D03 D04 … 39 more"


def test_a_simulation_says_nothing_of_service_levels_about_those_who_were_never_called() -> None:
    """Whoever left within the target was not missed."""
    said = _customers({"customers": 5, "neverCalled": 4})
    assert said == "5 customers came. Never called: 4; they are simulated with service times drawn from the others'."
