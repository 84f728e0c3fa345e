"""What growth costs: a patch of few files, applied to a copy, gives a plain verb or a kind of letter all it needs."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def apply(patch: str, copy: Path) -> list[str]:
    """Apply the patch of that name to a copy of the tree; answers the files it changes."""
    for name in ("tokenq", "tokenq_server", "tokenq_tui", "tests", "pyproject.toml"):
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, copy / name)
    path = ROOT / "tests" / "patches" / patch
    subprocess.run(["git", "apply", str(path)], cwd=copy, check=True)
    return re.findall(r"^\+\+\+ b/(.+)$", path.read_text(), re.MULTILINE)


def python(copy: Path, *arguments: str) -> str:
    """Run Python in the copy; answers what it prints."""
    done = subprocess.run([sys.executable, *arguments], cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def tokenq(copy: Path, *typed: str) -> str:
    """The copy's command line."""
    return python(copy, "-c", "from tokenq.cli.main import main; main()", *typed)


def pytest(copy: Path, *arguments: str) -> None:
    """Run some of the copy's tests, all of which must pass."""
    python(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments)


def test_a_plain_verb_costs_four_files(tmp_path: Path) -> None:
    """Documents that are generated, such as the diagram in CONTRIBUTING, do not count."""
    changed = apply("plain_verb.patch", tmp_path)
    assert len(changed) <= 4, changed

    tests = ["tests/unit/test_checking_in.py", "tests/unit/test_verbs.py", "tests/unit/test_moving.py"]
    pytest(tmp_path, *tests, "-k", "not diagram")
    assert "Note that a person who waits has arrived." in tokenq(tmp_path, "check-in", "--help")


def test_a_kind_of_letter_costs_its_row_its_folder_and_its_test(tmp_path: Path) -> None:
    """The API, the command line, the department's setting, the queue and verification follow."""
    changed = apply("letter_kind.patch", tmp_path)
    folder = "tokenq_server/adapters/channels/templates/email/cancelled"
    templates = [f"{folder}/{name}" for name in ("body.html", "body.txt", "subject.txt")]
    assert sorted(changed) == ["tests/unit/test_cancelled_letter.py", "tokenq/contract/notifications.py", *templates]

    pytest(tmp_path, "tests/unit/test_cancelled_letter.py", "tests/unit/test_notification_rules.py")
    assert "missed, cancelled" in tokenq(tmp_path, "dept", "settings", "--json")
