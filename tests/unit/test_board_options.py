from pathlib import Path

import pytest

from tokenq.cli.board_options import hearing, known_languages
from tokenq.cli.exits import WrongUse


def test_commands_are_words_and_no_shell_reads_them(tmp_path: Path) -> None:
    chime = tmp_path / "ding dong.wav"
    chime.touch()
    heard = hearing("env 'a b' $HOME", chime, "env -q", "22:00-06:00")
    assert heard["on_call"] == ["env", "a b", "$HOME"]
    assert heard["chime"] == ["env", "-q", str(chime)]
    assert heard["quiet_hours"] == "22:00-06:00"
    assert hearing(None, None, "no such player", None) == {"on_call": [], "chime": [], "quiet_hours": ""}


@pytest.mark.parametrize(
    ("on_call", "chime", "player", "quiet", "words"),
    [
        ("'open", None, "env", None, "is not a command"),
        ("", None, "env", None, "is not a command"),
        ("no-such-program x", None, "env", None, "there is no program 'no-such-program'"),
        (None, Path("/no/such/file"), "env", None, "There is no sound file"),
        (None, None, "env", "22-6", "is not a time span"),
        (None, None, "env", "22:00-24:00", "is not a time span"),
    ],
)
def test_what_cannot_work_is_refused_before_the_screen_is_there(
    on_call: str | None, chime: Path | None, player: str, quiet: str | None, words: str
) -> None:
    with pytest.raises(WrongUse, match=words):
        hearing(on_call, chime, player, quiet)


def test_languages_are_those_that_there_are() -> None:
    assert known_languages(["EN", "en"]) == ["en"]
    with pytest.raises(WrongUse, match="no texts in the language 'tlh'"):
        known_languages(["tlh"])
