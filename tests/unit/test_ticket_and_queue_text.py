"""What goes onto paper and onto a small terminal."""

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.screens.console_seeds import FakeApi, token
from tests.scripts import LINES_OF_TEXT
from tokenq.cli.commands import counter, queue
from tokenq.cli.commands.simulate import _customers
from tokenq.cli.ticket import WIDTH, half_blocks, ticket_text
from tokenq.contract.views import QueueView, TokenView

CORNER = ["0000", "0110", "0100"]
"""A quiet zone and the corner of a finder pattern: 1 is dark."""


def test_dark_modules_are_ink_on_paper_and_holes_on_a_dark_terminal() -> None:
    """A printer prints dark on white; a scanner reads no negative."""
    modules = [[module == "1" for module in row] for row in CORNER]
    assert half_blocks(modules, on_paper=True) == " ▄▄ \n ▀  \n"
    assert half_blocks(modules, on_paper=False) == "█▀▀█\n▀ ▀▀\n"


@given(LINES_OF_TEXT, st.text("ABC0-号", min_size=1, max_size=40))
def test_no_line_of_a_ticket_is_wider_than_the_paper(name: str, number: str) -> None:
    view = token("CW", 12) | {"displayNumber": number}
    lines = ticket_text(cast(TokenView, view), name, "UTC").split("\n")
    assert [line for line in lines if cell_len(line) > WIDTH] == []
    assert number in "".join(lines).replace(" ", "")


def test_a_long_department_name_is_wrapped_and_never_cut() -> None:
    view = token("CW", 12)
    name = "Einwohnermeldeamt und Standesamt Charlottenburg-Wilmersdorf"
    lines = ticket_text(view, name, "UTC").split("\n")
    assert lines[1:5] == [name[:32], " " * 3 + name[33:], "", "C W - 0 1 2".center(WIDTH).rstrip()]
    japanese = "市民課住民票写し等証明書発行窓口係"
    lines = ticket_text(view, japanese, "UTC").split("\n")
    assert lines[1:3] == [japanese[:16], " " * 15 + japanese[16:]]


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
