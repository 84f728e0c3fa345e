"""All words of the console come from the catalogues, and are looked up when they are shown."""

import ast
import gettext
from collections.abc import Iterator
from pathlib import Path

import pytest

import tokenq_tui.console
from tests.screens.console_driver import at_work
from tests.screens.console_seeds import busy_api
from tests.screens.reading import text_of, until_shown
from tokenq import locale
from tokenq_tui.console.actions import ACTIONS

FOLDER = Path(tokenq_tui.console.__file__).parent
COLLECTED = {"gettext", "ngettext", "N_"}


class Quoted(gettext.NullTranslations):
    """A language in which everything stands in angle quotes."""

    def gettext(self, message: str) -> str:
        return f"«{message}»"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"«{msgid1 if n == 1 else msgid2}»"


@pytest.fixture
def other_language(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(locale, "_catalogue", lambda _language="": Quoted())
    locale.texts.cache_clear()
    yield
    locale.texts.cache_clear()


@pytest.mark.usefixtures("other_language")
async def test_the_screen_its_dialogs_and_its_help_are_in_the_reader_s_language() -> None:
    async with at_work(busy_api(), counter="9", size=(200, 60), words="Ada Moore") as (_, app, pilot):
        screen = text_of(app)
        for words in (
            "WAITING",
            "COUNTER 9",
            "Nobody is at your counter.",
            "Press n to call",
            "Next",
            "Quit",
            "Number",
        ):
            assert f"«{words}»" in screen
        await pilot.press("slash")
        await until_shown(pilot, "«Next match»")
        await pilot.press("escape", "v")
        await until_shown(pilot, "«Nobody is at your counter.»")
        await pilot.press("n")
        await until_shown(pilot, "«CW-013 is called to counter 9.»")
        await pilot.press("x")
        await until_shown(pilot, "«Mark CW-013 as a no-show?»")
        await until_shown(pilot, "«Yes (y)»")
        await pilot.press("escape", "question_mark")
        await until_shown(pilot, "«Call the next customer to your counter.»")
        screen = text_of(app)
        assert [each.help for each in ACTIONS if f"«{each.help}»" not in screen] == []
        assert all(title.title.startswith("«") for title in app.get_system_commands(app.screen))


def test_no_sentence_in_the_console_s_code_is_outside_the_catalogues() -> None:
    found = [
        f"{path.relative_to(FOLDER)}: {text}" for path in sorted(FOLDER.rglob("*.py")) for text in uncollected(path)
    ]
    assert found == []


def uncollected(path: Path) -> Iterator[str]:
    """The texts with several words that begin with a capital and are neither collected nor documentation."""
    tree = ast.parse(path.read_text("utf-8"))
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in COLLECTED:
            skipped |= ids_in(node)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped |= ids_in(node)
        if isinstance(node, ast.Assign | ast.AnnAssign) and "CSS" in ast.unparse(node).split("=")[0]:
            skipped |= ids_in(node)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            words = [word for word in node.value.split() if word.strip(".,:?!'()…").isalpha()]
            if len(words) > 1 and node.value.lstrip()[0].isupper():
                yield node.value


def ids_in(node: ast.AST) -> set[int]:
    return {id(each) for each in ast.walk(node)}
