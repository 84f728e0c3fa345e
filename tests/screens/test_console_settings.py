"""Keys, theme and bell are settings of the person who sits there."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.screens.console_driver import done
from tests.screens.console_seeds import NOON, FakeApi, busy_api, event, token
from tests.screens.reading import text_of, until, until_shown
from tokenq.client.events import EventArrived
from tokenq.contract.problems import Refused
from tokenq.settings import Settings, load, store
from tokenq_tui.console.app import ConsoleApp
from tokenq_tui.console.keys import read_keys
from tokenq_tui.console.preferences import Preferences, preferences_of
from tokenq_tui.theme import DARK, LIGHT


def app_with(api: FakeApi, counter: str = "9", **preferences: Any) -> ConsoleApp:
    return ConsoleApp(api, api, api.feed, (), counter, preferences=Preferences(**preferences), clock=lambda: NOON)


async def test_another_key_acts_is_shown_everywhere_and_the_usual_one_is_free() -> None:
    api = busy_api()
    app = app_with(api, keys=read_keys({"call": "space", "mark": "M", "recall": "F2"}))
    async with app.run_test(size=(80, 24)) as pilot:
        for words in ("Press space to call", "Next (space)", "space Next", "Recall (f2)"):
            await until_shown(pilot, words)
        await pilot.press("n")
        await pilot.pause()
        assert api.requests == []
        await pilot.press("space")
        await until_shown(pilot, "CW-013 is called to counter 9.")
        assert done(api) == [("call", "CW", "9", None, None)]
        await pilot.press("f2")
        await until_shown(pilot, "is called again.")
        await pilot.press("question_mark")
        await until_shown(pilot, "space  Call the next customer to your counter.")


async def test_the_key_of_the_palette_can_be_changed_too() -> None:
    app = app_with(busy_api(), keys=read_keys({"palette": "P", "undo": "ctrl+p"}))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "P Actions")
        await pilot.press("ctrl+p")
        await until_shown(pilot, "There is nothing to undo.")
        await pilot.press("escape", "P")
        await until_shown(pilot, "Search for commands")


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        ({"cal": "x"}, "there is no action 'cal' (did you mean 'call'?)"),
        ({"dance": "x"}, "there is no action 'dance'"),
        ({"call": "v"}, "v is the key of both 'call' and 'serve'"),
        ({"call": "f1"}, "f1 is the key of both 'call' and 'help'"),
        ({"call": "f13"}, "'f13' of 'call' is no key"),
        ({"call": "escape"}, "'escape' of 'call' is no key"),
        ({"call": "ctrl+c"}, "'ctrl+c' of 'call' is no key"),
        ({"call": " "}, "' ' of 'call' is no key"),
    ],
)
def test_a_wrong_key_is_refused_with_what_is_wrong(keys: dict[str, str], fault: str) -> None:
    with pytest.raises(Refused) as refused:
        read_keys(keys)
    assert fault in str(refused.value)
    assert "console_keys" in str(refused.value)


def test_two_actions_can_exchange_their_keys() -> None:
    assert read_keys({"call": "s", "start": "n"}) == {"call": "s", "start": "n"}


def test_the_settings_are_read_from_file_and_environment(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('console_keys = {call = "space", mark = "M"}\nconsole_theme = "light"\nconsole_bell = false\n')
    read = preferences_of(load({"TOKENQ_CONFIG": str(file)}))
    assert (read.keys, read.is_light, read.has_bell) == ({"call": "space", "mark": "M"}, True, False)
    environ = {"TOKENQ_CONSOLE_KEYS": "call=c cancel=C", "TOKENQ_CONSOLE_THEME": "dark", "TOKENQ_CONSOLE_BELL": "1"}
    read = preferences_of(load({"TOKENQ_CONFIG": str(file), **environ}))
    assert (read.keys, read.is_light, read.has_bell) == ({"call": "c", "cancel": "C"}, False, True)


@pytest.mark.parametrize("line", ['console_theme = "blue"', 'console_keys = "call"', "console_keys = {call = 1}"])
def test_a_setting_of_the_wrong_kind_is_refused(line: str, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(line)
    with pytest.raises(Refused) as refused:
        load({"TOKENQ_CONFIG": str(file)})
    assert line.partition(" ")[0] in str(refused.value)


def test_storing_the_theme_changes_nothing_else_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    environ = {"TOKENQ_CONFIG": str(file)}
    for before, after in (
        ("# mine\nurl = 'https://q'\n", "console_theme = \"light\"\n# mine\nurl = 'https://q'\n"),
        (
            'a = 1\nconsole_theme="dark"\n[console_keys]\nx = "y"\n',
            'a = 1\nconsole_theme = "light"\n[console_keys]\nx = "y"\n',
        ),
        ('[console_keys]\nconsole_theme = "x"\n', 'console_theme = "light"\n[console_keys]\nconsole_theme = "x"\n'),
    ):
        file.write_text(before)
        store("console_theme", "light", environ)
        assert file.read_text() == after
        assert tomllib.loads(after)["console_theme"] == "light"
    assert [each.name for each in tmp_path.iterdir()] == ["config.toml"]


def test_storing_the_theme_keeps_a_link_and_shows_nobody_the_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as that of whoever keeps their settings in a repository; drafts are readable to nobody else, either."""
    file, link = tmp_path / "kept.toml", tmp_path / "config.toml"
    file.write_text('token = "tq_secret"\n')
    file.chmod(0o640)
    link.symlink_to(file)
    drafts: list[int] = []
    chmod = Path.chmod

    def noted(draft: Path, mode: int) -> None:
        drafts.append(draft.stat().st_mode & 0o777)
        chmod(draft, mode)

    monkeypatch.setattr(Path, "chmod", noted)
    store("console_theme", "light", {"TOKENQ_CONFIG": str(link)})
    assert link.is_symlink()
    assert file.read_text() == 'console_theme = "light"\ntoken = "tq_secret"\n'
    assert (file.stat().st_mode & 0o777, drafts) == (0o640, [0o600])


async def test_the_theme_that_is_chosen_is_there_the_next_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "folder" / "config.toml"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    monkeypatch.setattr("tokenq.settings.config_file", lambda _environ=None: file)
    api = busy_api()
    app = ConsoleApp(api, api, api.feed, (), "9", preferences=preferences_of(Settings()), clock=lambda: NOON)
    async with app.run_test(size=(80, 24)):
        assert app.theme == DARK.name
        app.action_other_theme()
        assert app.theme == LIGHT.name
    assert load({"TOKENQ_CONFIG": str(file)}).console_theme == "light"


async def test_a_theme_that_cannot_be_stored_is_used_all_the_same() -> None:
    def full(_theme: str) -> None:
        raise OSError("no space left")

    app = app_with(busy_api(), keep_theme=full)
    async with app.run_test(size=(200, 60)) as pilot:
        await until_shown(pilot, "LIVE")
        app.action_other_theme()
        await until_shown(pilot, "could not be stored for the next time: no space left")
        assert app.theme == LIGHT.name


def arrival(api: FakeApi, department: str, number: int) -> None:
    new = token(department, number, name="New One")
    api.known[new["tokenId"]] = new
    api.seq += 1
    api.feed.put(EventArrived(event(department, api.seq), f"{department}:{api.seq}"))


@pytest.mark.parametrize("has_bell", [True, False])
async def test_the_first_customer_in_an_empty_line_rings_once(has_bell: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    rings: list[bool] = []
    monkeypatch.setattr(ConsoleApp, "bell", lambda _self: rings.append(True))
    api = FakeApi((token("LAB", 1, name="Ann"),), ("CW", "LAB"))
    app = app_with(api, has_bell=has_bell)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: len(app.main.state.queues) == 2)
        assert not rings, "nothing has arrived since the console was opened"
        for number, waiting in ((1, 1), (2, 2)):
            arrival(api, "CW", number)
            await until(pilot, lambda waiting=waiting: app.main.state.waiting_in("CW") == waiting)  # type: ignore[misc]
        arrival(api, "LAB", 2)
        await until(pilot, lambda: app.main.state.waiting_in("LAB") == 2)
    assert rings == [True] * has_bell


async def test_who_is_put_back_from_here_does_not_ring(monkeypatch: pytest.MonkeyPatch) -> None:
    rings: list[bool] = []
    monkeypatch.setattr(ConsoleApp, "bell", lambda _self: rings.append(True))
    api = FakeApi((token("CW", 1, name="Ann"),), ("CW",))
    app = app_with(api)
    async with app.run_test(size=(100, 30)) as pilot:
        await until_shown(pilot, "Press n to call")
        await pilot.press("n")
        await until(pilot, lambda: app.main.state.waiting_in("CW") == 0)
        await pilot.press("b")
        await until(pilot, lambda: app.main.state.waiting_in("CW") == 1)
        assert "has arrived" not in text_of(app)
    assert rings == []
