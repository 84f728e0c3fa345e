"""The catalogue of refusals: rows, the places that raise them, and the words in which each edge shows them."""

import ast
import importlib.util
import json
import os
import string
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from tests.refusals import refusal
from tokenq import locale
from tokenq.cli import reasons as cli_reasons
from tokenq.cli.exits import explain
from tokenq.contract.problems import Problem, ProblemCode, Reason, reasons, refuse
from tokenq.contract.reasons.queue import CounterReason, DepartmentReason, TokenReason
from tokenq.contract.reasons.setup import SetupReason
from tokenq.contract.reasons.system import StoreReason
from tokenq_server.embedded import reasons as embedded_reasons
from tokenq_tui.console.errors import failure

ROOT = Path(__file__).parents[2]
ROWS = {f"{type(row).__name__}.{row.name}": row for row in reasons()}
LOCAL = (cli_reasons.CommandReason, embedded_reasons.EmbeddedReason)


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Every place that refuses, and where it is."""
    for package in ("tokenq", "tokenq_server", "tokenq_tui"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "refuse":
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def test_who_refuses_gives_every_parameter_of_the_row() -> None:
    seen = 0
    for place, call in calls():
        names = {word.arg for word in call.keywords}
        row = ROWS.get(ast.unparse(call.args[0]))
        if row is None or None in names:  # chosen at run time, or given as a mapping
            continue
        needed = set().union(*map(placeholders, row.templates))
        assert needed <= names, f"{place} gives {names}, {row.id} needs {needed}"
        seen += 1
    assert seen > 100


def test_every_row_is_raised_somewhere() -> None:
    text = "\n".join(
        path.read_text("utf-8")
        for package in ("tokenq", "tokenq_server", "tokenq_tui")
        for path in (ROOT / package).rglob("*.py")
        if path.parent.name != "reasons" and path.name != "reasons.py"
    )
    assert [name for name in ROWS if name not in text] == []


@pytest.mark.parametrize("row", ROWS.values(), ids=lambda row: row.id)
def test_a_row_is_written_as_all_are(row: Reason) -> None:
    assert all(name.isalpha() for template in row.templates for name in placeholders(template))
    assert row.sentence[-1] in ".}"
    if not isinstance(row, LOCAL):
        assert not any(
            "tokenq " in template.replace("of tokenq (", "") or "--" in template for template in row.templates
        )


def test_rows_of_one_code_and_sentence_are_told_apart_by_their_hint() -> None:
    assert len({(row.code, row.sentence, str(row.hint)) for row in ROWS.values()}) == len(ROWS)
    assert len({row.id for row in ROWS.values()}) == len(ROWS)


def test_every_code_has_a_status_and_an_exit_code() -> None:
    assert all(code.status >= 400 and code.exit_code for code in ProblemCode)


def test_a_row_and_its_parameters_go_over_the_wire() -> None:
    problem = refuse(CounterReason.BUSY, {"tokenId": 7}, counter="3", number="CW-012").problem
    body = problem.to_wire()
    assert (body["reason"], body["params"]) == ("counter.busy", {"counter": "3", "number": "CW-012"})
    assert (body["detail"], body["tokenId"], body["status"]) == ("Counter 3 still holds CW-012.", 7, 409)
    assert Problem.from_wire(body, 409) == problem


def test_a_row_stays_once_it_has_gone_over_the_wire() -> None:
    """Clients of other releases know rows by id and fill them in with these parameters.

    TOKENQ_NEW_GOLDENS=1 adds new rows; a line that is in the file is never edited or removed.
    """
    golden = Path(__file__).parent / "goldens" / "reasons.json"
    known = json.loads(golden.read_text())
    sent = {
        row.id: {"code": row.code, "params": sorted(set().union(*map(placeholders, row.templates)))}
        for row in ROWS.values()
        if not isinstance(row, LOCAL)
    }
    if os.environ.get("TOKENQ_NEW_GOLDENS"):
        known = sent | known
        golden.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")

    assert sent.keys() == known.keys()
    for name, row in sent.items():
        assert row["code"] == known[name]["code"]
        assert set(row["params"]) >= set(known[name]["params"]), name


def test_the_rows_of_every_subject_can_be_translated() -> None:
    """What the client does not import, it shows in English only."""
    subjects = {path.stem for path in (ROOT / "tokenq" / "contract" / "reasons").glob("[a-z]*.py")}
    assert {module.__name__.rpartition(".")[2] for module in locale.SUBJECTS} == subjects


def test_braces_that_somebody_typed_are_no_placeholders() -> None:
    assert refuse(SetupReason.NO_ZONE, zone="'{name}'").problem.detail == "'{name}' is not a time zone."


@pytest.fixture
def other_language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A catalogue that says everything in angle quotes, chosen by the environment; made as translators make one."""
    template = load("template")
    template.write(tmp_path / "tokenq.pot")
    with (tmp_path / "tokenq.pot").open("rb") as file:
        made = read_po(file)
    catalogue = Catalog(locale="de")
    for message in made:
        if message.id:
            forms = message.id if isinstance(message.id, tuple) else (message.id,)
            quoted = tuple(f"«{form}»" for form in forms)
            catalogue.add(message.id, quoted if message.pluralizable else quoted[0])
    folder = tmp_path / "tokenq" / "locale" / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with (folder / "tokenq.po").open("wb") as file:
        write_po(file, catalogue)
    build_data: dict[str, list[str]] = {"artifacts": []}
    hook = load("compile").CompileCatalogues(str(tmp_path), {}, None, None, "", "")
    hook.initialize("standard", build_data)
    assert build_data == {"artifacts": ["tokenq/locale/de/LC_MESSAGES/tokenq.mo"]}
    monkeypatch.setattr(locale, "FOLDER", tmp_path / "tokenq" / "locale")
    monkeypatch.setenv("LANGUAGE", "de")
    locale._catalogue.cache_clear()
    locale.texts.cache_clear()
    yield
    locale._catalogue.cache_clear()
    locale.texts.cache_clear()


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"deploy_locale_{name}", ROOT / "deploy" / "locale" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.usefixtures("other_language")
def test_a_language_is_added_without_touching_code() -> None:
    empty = refuse(DepartmentReason.EMPTY, departments=["CW"], department="CW")
    shown = explain(empty)
    assert shown.detail == "«Nobody is waiting in CW.»"
    assert shown.hint == "«Wait for the next customer, or check the queue« with 'tokenq queue CW'».»"
    trouble = failure("Call", refuse(TokenReason.MOVED_ON, number="CW-012"), changes=True, keys={})
    assert (trouble.sentence, trouble.hint) == ("«CW-012 has changed in the meantime.»", "«Check the queue again.»")
    assert empty.problem.to_wire()["detail"] == "Nobody is waiting in CW."


@pytest.mark.usefixtures("other_language")
def test_what_a_catalogue_does_not_know_is_shown_as_it_came() -> None:
    newer = {"code": "wrong_state", "detail": "It is dancing.", "hint": "Wait.", "reason": "token.dances", "params": {}}
    shown = explain(refusal(ProblemCode.WRONG_STATE, "x"))
    assert shown.detail == "x"
    problem = Problem.from_wire(newer, 409)
    assert (locale.sentence(problem), locale.hint(problem)) == ("It is dancing.", "Wait.")
    # The same row with other parameters than this release has for it.
    other = Problem.from_wire(newer | {"reason": StoreReason.SCHEMA_AHEAD.id}, 409)
    assert locale.sentence(other) == "It is dancing."
