"""What a lobby hears: real commands, which write down what they were given."""

import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.screens.board_seeds import NOON
from tests.waiting import until
from tokenq.board.picture import Call
from tokenq.locale.spoken import spelled, spoken
from tokenq_tui.board import sound as sound_module
from tokenq_tui.board.sound import Sound, SoundSettings

NOTE = """
import os, sys, time
out = open(sys.argv[1], "a")
out.write("begin %s\\n" % sys.argv[-1]); out.flush()
time.sleep(float(sys.argv[2]))
names = "TOKENQ_NUMBER", "TOKENQ_COUNTER", "TOKENQ_LANGUAGE", "TOKENQ_DEPARTMENT", "TOKENQ_TOKEN"
out.write("end %s\\n" % [os.environ.get(name) for name in names])
"""

Speaker = Callable[..., Sound]


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return tmp_path / "notes"


@pytest.fixture
def speaker(notes: Path) -> Iterator[Speaker]:
    made: list[Sound] = []

    def make(*command: str, seconds: float = 0.0, chime: tuple[str, ...] = ()) -> Sound:
        command = command or (sys.executable, "-c", NOTE, str(notes), str(seconds))
        made.append(Sound(SoundSettings(command, chime)))
        return made[-1]

    yield make
    for sound in made:
        sound.stop()


def call(number: str = "CW-012", counter: str = "3") -> Call:
    return Call("e", "CW", 1, 1, number, counter, NOON)


def lines(notes: Path) -> list[str]:
    return notes.read_text().splitlines() if notes.exists() else []


@pytest.mark.parametrize(
    ("number", "said"),
    [("CW-012", "C W 12"), ("A7", "A 7"), ("LAB 100", "L A B 100"), ("012", "12"), ("X-000", "X 0"), ("ك-7", "ك 7")],
)
def test_a_number_is_spelled(number: str, said: str) -> None:
    assert spelled(number) == said


def test_the_sentence_has_the_branch_s_word_and_a_room_as_it_is() -> None:
    assert spoken("CW-012", "3", "en", {}) == "Number C W 12, Counter 3"
    assert spoken("CW-012", "3", "en", {"en": "Desk"}) == "Number C W 12, Desk 3"
    assert spoken("CW-012", "Room 4", "en", {"en": "Desk"}) == "Number C W 12, Room 4"
    assert spoken("CW-012", "", "en", {}) == "Number C W 12"


def test_each_language_is_said_once_one_after_the_other(
    speaker: Speaker, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKENQ_TOKEN", "tq_secret")
    sound = speaker(seconds=0.05)
    sound.say(call(), ["en", "de"], {"de": "Schalter"})
    sound.say(call("CW-013", "4"), ["en"], {})
    until(lambda: len(lines(notes)) == 6)
    first, second, third = (lines(notes)[place : place + 2] for place in (0, 2, 4))
    assert first == ["begin Number C W 12, Counter 3", "end ['CW-012', '3', 'en', 'CW', None]"]
    assert second[0].endswith("Schalter 3")
    assert "'de'" in second[1]
    assert third[0] == "begin Number C W 13, Counter 4"
    assert not sound.problem


@pytest.mark.parametrize("text", ["$(touch pwned)", "`touch pwned`", "; touch pwned", "\x00\x1b[2J", "-v", "\ud800"])
def test_hostile_texts_are_one_argument_and_run_nothing(
    speaker: Speaker, notes: Path, tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    speaker().say(call(text, text), ["en"], {})
    until(lambda: len(lines(notes)) == 2)
    assert not (tmp_path / "pwned").exists()
    assert lines(notes)[0].startswith("begin Number")


def test_a_chime_comes_first(speaker: Speaker, notes: Path) -> None:
    chime = (sys.executable, "-c", NOTE, str(notes), "0", "ding.wav")
    speaker(chime=chime).say(call(), ["en"], {})
    until(lambda: len(lines(notes)) == 4)
    assert [line for line in lines(notes) if "begin" in line] == ["begin ding.wav", "begin Number C W 12, Counter 3"]


def test_a_command_that_fails_is_told_and_the_next_call_is_tried(speaker: Speaker) -> None:
    sound = speaker("/bin/sh", "-c", 'test -e "$0.yes"', str(Path("/nowhere")))
    sound.say(call(), ["en"], {})
    until(lambda: sound.problem)
    assert sound.problem == "The sound command /bin/sh failed with code 1."
    missing = speaker("/no/such/program")
    missing.say(call(), ["en"], {})
    until(lambda: missing.problem)
    assert missing.problem == "The sound command /no/such/program cannot run: No such file or directory."


def test_a_command_that_hangs_is_ended_with_its_children(
    speaker: Speaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sound_module, "TIMEOUT", 0.3)
    child = tmp_path / "child"
    sound = speaker("/bin/sh", "-c", f"sleep 600 & echo $! > {child}; wait")
    sound.say(call(), ["en"], {})
    until(lambda: sound.problem)
    assert "did not end" in sound.problem
    until(lambda: not is_alive(int(child.read_text())))


def is_alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().split(")")[1][:3]
    except FileNotFoundError:
        return False


def test_what_waited_too_long_is_not_said(speaker: Speaker, notes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = speaker(seconds=0.2)
    sound.say(call("OLD-001"), ["en"], {})
    until(lambda: len(lines(notes)) == 1)
    monkeypatch.setattr(sound_module, "SAID_WITHIN", 0.0)
    sound.say(call("OLD-002"), ["en"], {})
    until(lambda: sound._calls.empty())
    time.sleep(0.1)
    assert [line for line in lines(notes) if "begin" in line] == ["begin Number O L D 1, Counter 3"]


@pytest.mark.parametrize(
    ("quiet", "at", "is_quiet"),
    [
        ("22:00-06:00", "23:30", True),
        ("22:00-06:00", "05:59", True),
        ("22:00-06:00", "06:00", False),
        ("12:00-13:00", "12:30", True),
        ("12:00-13:00", "13:00", False),
        ("", "03:00", False),
    ],
)
def test_quiet_hours_are_on_the_branch_s_clock(quiet: str, at: str, is_quiet: bool) -> None:
    zone = "Asia/Kolkata"
    now = datetime.fromisoformat(f"2026-08-07T{at}").replace(tzinfo=ZoneInfo(zone))
    assert SoundSettings(quiet=quiet).is_quiet(now, zone) is is_quiet


def test_nothing_is_run_where_nothing_is_set() -> None:
    sound = Sound(SoundSettings())
    sound.say(call(), ["en"], {})
    assert sound._thread is None
