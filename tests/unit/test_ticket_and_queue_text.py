"""What goes onto paper and onto a small terminal."""

from typing import Any, cast

import pytest

from tests.screens.console_seeds import FakeApi, token
from tokenq.cli.commands import counter, queue
from tokenq.cli.ticket import half_blocks
from tokenq.contract.views import QueueView

CORNER = ["0000", "0110", "0100"]
"""A quiet zone and the corner of a finder pattern: 1 is dark."""


def test_dark_modules_are_ink_on_paper_and_holes_on_a_dark_terminal() -> None:
    """A printer prints dark on white; a scanner reads no negative."""
    modules = [[module == "1" for module in row] for row in CORNER]
    assert half_blocks(modules, on_paper=True) == " ▄▄ \n ▀  \n"
    assert half_blocks(modules, on_paper=False) == "█▀▀█\n▀ ▀▀\n"


def test_a_queue_that_is_watched_shows_its_head_and_fits_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    desk = FakeApi([token("LAB", number, name="Ann") for number in range(1, 38)], ["LAB"])
    desk.no_estimate = "no counter is open"
    view = cast(dict[str, Any], desk.queue("LAB"))
    view["counts"]["noShow"] = 0
    desk.pause_counter("main", "1", "lunch")
    view["timezone"], view["counters"] = "Asia/Kolkata", list(desk.counters.values())
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
