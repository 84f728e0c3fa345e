"""The floor as a file: apply, diff and export."""

import json
import secrets
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli
from tests.refusals import refusal
from tokenq.cli.floor_file import FloorFile, to_toml
from tokenq.cli.wording import setting_name
from tokenq.contract.hours import ALWAYS
from tokenq.contract.notifications import LetterKind
from tokenq.contract.problems import ProblemCode
from tokenq.contract.settings import SETTINGS


def names() -> tuple[str, str, str]:
    """A branch, a department and a user of a test's own: all tests share one server."""
    mark = secrets.token_hex(3)
    return f"b{mark}", f"F{mark.upper()}", f"u{mark}"


def floor(branch: str, dept: str, user: str) -> str:
    return f'''\
# Written by hand.
[branches.{branch}]
name = "Town hall"
timezone = "Europe/Berlin"
hours = "mon-fri 08:00-16:00; 2026-12-25 closed"

[departments.{dept}]
name = "Cash «window»"
branchId = "{branch}"
ratio = "3:1"
classNames = {{ urgent = "Emergency" }}

[counters.{branch}]
1 = {{ departments = ["{dept}"] }}
"2 b" = {{}}

[users.{user}]
name = "Ann"
role = "staff"
departments = ["{dept}"]
'''


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "floor.toml"


def test_a_file_is_tried_applied_and_then_there_is_nothing_left_to_do(tokenq: Cli, file: Path):
    branch, dept, user = names()
    file.write_text(floor(branch, dept, user), "utf-8")

    tried = tokenq("apply", "-f", str(file), "--dry-run")
    assert tried.code == 0
    assert f"+ department {dept}: name Cash «window», branch-id {branch}, ratio 3:1" in tried.out
    assert "dry run" in tried.out
    assert tokenq("dept", "show", dept).code == 3
    assert tokenq("diff", "-f", str(file)).code == 1

    done = json.loads(tokenq("apply", "-f", str(file), "--json").out)
    assert done["applied"] is True
    assert {(one["kind"], one["id"], one["action"]) for one in done["changes"]} == {
        ("branches", branch, "create"),
        ("departments", dept, "create"),
        ("counters", f"{branch}.1", "create"),
        ("counters", f"{branch}.2 b", "create"),
        ("users", user, "create"),
    }
    again = tokenq("diff", "-f", str(file))
    assert (again.code, again.out.strip()) == (0, "No changes.")
    assert json.loads(tokenq("apply", "-f", str(file), "--json").out)["changes"] == []


def test_everything_that_can_be_set_is_shown_with_all_and_applies_again(tokenq: Cli, file: Path):
    branch, dept, user = names()
    file.write_text(floor(branch, dept, user), "utf-8")
    assert tokenq("apply", "-f", str(file)).code == 0

    exported = tokenq("export", "--all")
    document = tomllib.loads(exported.out)
    assert set(map(setting_name, SETTINGS)) - set(document["departments"][dept]) == set()
    assert document["departments"][dept]["undo-minutes"] == 5
    assert document["branches"][branch]["rollover-hour"] == 4
    assert document["users"][user]["disabled"] is False
    again = tokenq("diff", "-f", "-", stdin=exported.out)
    assert (again.code, again.out.strip()) == (0, "No changes.")


def test_what_changed_is_shown_from_what_to_what(tokenq: Cli, file: Path):
    branch, dept, user = names()
    file.write_text(floor(branch, dept, user), "utf-8")
    assert tokenq("apply", "-f", str(file)).code == 0
    tokenq("dept", "update", dept, "--ratio", "1:1", "--hours", "sat 10:00-12:00")
    out = tokenq("diff", "-f", str(file)).out

    assert f"~ department {dept}: ratio 1:1 -> 3:1" in out
    assert f"~ department {dept}: hours 'sat 10:00-12:00' -> none" in out
    assert "2 changes" in out


def test_an_export_is_a_file_that_changes_nothing(tokenq: Cli, file: Path, tmp_path: Path):
    """Also through a pipe; and what is shown in it is short: defaults are left out."""
    branch, dept, user = names()
    file.write_text(floor(branch, dept, user), "utf-8")
    assert tokenq("apply", "-f", str(file)).code == 0
    exported = tokenq("export").out
    to = tmp_path / "export.toml"

    assert tokenq("export", "-o", str(to)).code == 0
    assert to.read_text("utf-8") == exported
    assert tokenq("export").out == exported
    assert tokenq("diff", "-f", str(to)).code == 0
    assert tokenq("diff", "-f", "-", "--prune", stdin=exported).code == 0
    assert 'hours = "mon-fri 08:00-16:00; 2026-12-25 closed"' in exported
    assert exported.startswith("# ")
    assert "undoMinutes" not in tomllib.loads(exported)["departments"][dept]
    assert "password" not in exported.replace("Passwords are not in it", "")


@pytest.mark.parametrize(
    ("good", "bad", "line", "says"),
    [
        ('ratio = "3:1"', 'ratio = "3-1"', 10, "not a ratio"),
        ('ratio = "3:1"', "ratio = 3", 10, "must be a string"),
        ('ratio = "3:1"', 'ratioo = "3:1"', 10, "not a known field"),
        ('ratio = "3:1"', 'ratio = "3:1', 10, "not valid TOML"),
        ('ratio = "3:1"', "ratio = 2026-12-25", 10, "2026-12-25"),
        ('ratio = "3:1"', "ratio = nan", 10, "nan"),
        ('name = "Town hall"', "", 2, "missing"),
        ('timezone = "Europe/Berlin"', 'timezone = "Berlin"', 4, "time zone"),
        ("mon-fri 08:00-16:00;", "mon-fri 08:00-16:00; fri 17:00-18:00;", 5, "names fri twice"),
        ("mon-fri 08:00-16:00;", "mon-fri 08:00-16:00, 15:00-17:00;", 5, "overlap"),
        ('urgent = "Emergency"', 'vip = "Very"', 11, "not one of the allowed values"),
        ('"2 b" = {}', '"2 b" = { departments = ["NOWHERE"] }', 15, "NOWHERE"),
        ('role = "staff"', 'role = "king"', 19, "not one of the allowed values"),
        ("[departments.{dept}]", '[departments."c w"]', 7, "'c w' in departments"),
        ("[users.", "[people.", 17, "not a known field"),
    ],
)
def test_a_wrong_file_is_told_with_its_line_and_changes_nothing(
    tokenq: Cli, file: Path, good: str, bad: str, line: int, says: str
):
    branch, dept, user = names()
    text, good = floor(branch, dept, user), good.format(dept=dept) if "{dept}" in good else good
    assert good in text
    file.write_text(text.replace(good, bad), "utf-8")
    for command, code in (("diff", 2), ("apply", 1)):
        done = tokenq(command, "-f", str(file))
        assert done.code == (3 if "NOWHERE" in bad else code)
        assert f"{file}, line {line}: " in done.err, done
        assert says in done.err
        assert command == "diff" or "othing was changed" in done.err
    assert tokenq("branch", "show", branch).code == 3


def test_what_cannot_be_read_is_said(tokenq: Cli, tmp_path: Path):
    latin = tmp_path / "latin.toml"
    latin.write_bytes('name = "Bücherei"'.encode("latin-1"))

    assert "not UTF-8" in tokenq("apply", "-f", str(latin)).err
    assert tokenq("diff", "-f", str(latin)).code == 2
    assert "cannot be read" in tokenq("apply", "-f", str(tmp_path / "nothing.toml")).err
    assert tokenq("apply").code == 2


def test_only_an_admin_may(tokenq: Cli, dept: str, file: Path):
    key = json.loads(tokenq("key", "create", "clerk", "--role", "staff", "--json").out)["key"]
    file.write_text("", "utf-8")

    assert tokenq("export", TOKENQ_TOKEN=key).code == 5
    assert tokenq("apply", "-f", str(file), TOKENQ_TOKEN=key).code == 5


def test_a_file_from_another_editor_is_read_too(tmp_path: Path):
    """With a byte order mark, and with the line ends of Windows."""
    path = tmp_path / "windows.toml"
    path.write_bytes(b"\xef\xbb\xbf[users.ann]\r\nname = 'Ann'\r\nrole = 3\r\n")
    file = FloorFile(str(path))
    located = file.located(refusal(ProblemCode.INVALID, "Wrong.", path="users.ann.role"))

    assert file.document == {"users": {"ann": {"name": "Ann", "role": 3}}}
    assert located.problem.extra["line"] == 3


def test_hostile_names_stay_text_in_an_export(tmp_path: Path):
    """Quotes, brackets and line breaks in a name do not become TOML."""
    hostile = 'a"]\n[users.root]\nrole = "admin'
    said: dict[str, Any] = {"departments": {"CW": {"name": hostile}}, "counters": {"main": {'1"]\n[x]': {}}}}
    path = tmp_path / "hostile.toml"
    path.write_text(to_toml(said), "utf-8")

    assert FloorFile(str(path)).document == said


def test_a_setting_is_spelt_in_the_file_as_on_the_command_line(tokenq: Cli, file: Path) -> None:
    branch, dept, user = names()
    file.write_text(floor(branch, dept, user).replace("ratio =", 'daily-cap = 80\nday-end = "keep"\nratio ='))
    tokenq("apply", "-f", str(file))
    exported = tomllib.loads(tokenq("export").out)

    assert exported["departments"][dept]["daily-cap"] == 80
    assert exported["departments"][dept]["day-end"] == "keep"
    assert exported["departments"][dept]["branch-id"] == branch
    assert tokenq("diff", "-f", str(file)).code == 0


@pytest.mark.parametrize(
    ("written", "key", "value"),
    [
        ('hours = "always"', "hours", ALWAYS),
        ('hours = "Branch"', "hours", None),
        ('hours = "mon 08:00-12:00"', "hours", "mon 08:00-12:00"),
        ('letters = "none"', "letters", []),
        ('letters = "all"', "letters", list(LetterKind)),
        ('letters = "issued, near"', "letters", ["issued", "near"]),
        ('counters = "1,2"', "counters", ["1", "2"]),
        ('counters = "any"', "counters", []),
        ('class-names = "urgent:Emergency"', "classNames", {"urgent": "Emergency"}),
        ('day-end = "Keep"', "dayEnd", "keep"),
        ('name = "all"', "name", "all"),
    ],
)
def test_a_file_takes_the_texts_that_the_command_line_takes(file: Path, written: str, key: str, value: object) -> None:
    file.write_text(f"[departments.CW]\n{written}\n")
    assert FloorFile(str(file)).document == {"departments": {"CW": {key: value}}}


def test_a_branch_is_always_open_in_a_file_as_on_the_command_line(file: Path) -> None:
    file.write_text('[branches.main]\nhours = "always"\nname = "none"\n')
    assert FloorFile(str(file)).document == {"branches": {"main": {"hours": None, "name": "none"}}}


def test_texts_of_a_file_are_applied_and_duplicates_refused(tokenq: Cli, file: Path) -> None:
    branch, dept, user = names()
    texts = 'hours = "branch"\nletters = "none"\ncounters = "1, 2 b"\nratio ='
    file.write_text(floor(branch, dept, user).replace("ratio =", texts))
    assert tokenq("apply", "-f", str(file)).code == 0
    exported = tomllib.loads(tokenq("export").out)["departments"][dept]
    assert (exported["letters"], exported["counters"], exported.get("hours")) == ([], ["1", "2 b"], None)
    assert tokenq("diff", "-f", str(file)).code == 0

    for doubled, fault in (
        ('["issued", "issued"]', "issued twice"),
        ('["a", "A"]', "a and A"),
        ('["a", " a "]', "a twice"),
    ):
        field = "letters" if "issued" in doubled else "counters"
        file.write_text(floor(branch, dept, user).replace("ratio =", f"{field} = {doubled}\nratio ="))
        refused = tokenq("apply", "-f", str(file))
        assert refused.code == 1
        assert f"line 10: departments.{dept}.{field} names {fault}." in refused.err


@pytest.mark.parametrize(
    ("written", "sentence", "hint"),
    [
        ("dayly-cap = 80", "line 10: departments.F.dayly-cap is not a known field", "Did you mean daily-cap?"),
        ("max-wait = 80", "line 10: departments.F.max-wait is not a known field", "Did you mean max-wait-minutes?"),
        ("dailyCap = 80\ndaily-cap = 80", "line 11: departments.F.daily-cap is given twice", "Keep one of them."),
        ("letters = 'issued,post'", "line 10: departments.F.letters takes any of", "Correct it"),
        ("day-end = 'never'", "line 10: departments.F.day-end takes expire or keep", "Correct it"),
        ("daily-cap = 'many'", "line 10: departments.F.daily-cap must be a whole number", "Correct it"),
    ],
)
def test_a_misspelt_setting_in_the_file_is_refused(
    tokenq: Cli, file: Path, written: str, sentence: str, hint: str
) -> None:
    file.write_text(f"{floor('main', 'F', 'u')}".replace("ratio =", f"{written}\nratio ="))
    refused = tokenq("diff", "-f", str(file))

    assert refused.code == 2
    assert sentence in refused.err
    assert hint in refused.err


@pytest.mark.parametrize(
    ("written", "sentence", "hint"),
    [
        ("[branches.main]\nnmae = 'x'", "line 2: branches.main.nmae is not a known field", "Did you mean name?"),
        ("[departmens.B]\nname = 'x'", "line 1: departmens is not a known field", "Did you mean departments?"),
        ("[users.ann]\nname = 'x'\nrol = 'desk'", "line 3: users.ann.rol is not a known field", "Did you mean role?"),
        ("[counters.main]\n3 = { departmnts = [] }", "is not a known field", "Did you mean departments?"),
    ],
)
def test_every_misspelt_name_in_the_file_is_answered_with_the_right_one(
    tokenq: Cli, file: Path, written: str, sentence: str, hint: str
) -> None:
    """A misspelt field that is required was reported as missing."""
    file.write_text(written)
    refused = tokenq("diff", "-f", str(file))
    assert (refused.code, sentence in refused.err, hint in refused.err) == (2, True, True), refused


def test_a_difference_is_spelt_as_in_the_file(tokenq: Cli, file: Path) -> None:
    branch, dept, _ = names()
    assert tokenq("branch", "create", branch, "--name", "Hall", "--timezone", "UTC").code == 0
    file.write_text(
        f"[branches.{branch}]\nname = 'Hall'\nrollover-hour = 3\n"
        f"[departments.{dept}]\nname = 'x'\nbranch-id = '{branch}'\ndaily-cap = 3\n"
    )
    out = tokenq("diff", "-f", str(file)).out
    assert f"~ branch {branch}: rollover-hour 4 -> 3" in out
    assert "daily-cap 3" in out
    assert json.loads(tokenq("diff", "-f", str(file), "--json").out)["changes"][0]["field"] == "rolloverHour"
