"""Tables of the command line on a terminal."""

import pytest

from tokenq.cli import output


def test_a_long_word_in_a_table_is_folded_and_not_cut(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(output, "is_terminal", lambda: True)
    label = "kiosk-at-the-entrance-of-the-old-building"
    output.table(
        ["Time", "Event", "By", "From", "About"],
        [("11-27 08:22:10", "access refused x3", label, "127.0.0.1", "user:" + "x" * 64)],
    )
    shown = capsys.readouterr().out
    assert "…" not in shown
    assert shown.count("x") >= 64
    assert max(map(len, shown.splitlines())) <= 80
