"""What growth costs: a patch of few files, applied to a copy, gives a verb, a setting or a letter all it needs."""

from pathlib import Path

from tests.patched import Patched


def test_a_plain_verb_costs_four_files(tmp_path: Path) -> None:
    """Documents that are generated, such as the diagram in CONTRIBUTING, do not count."""
    patched = Patched("plain_verb", tmp_path)
    assert len(patched.files) <= 4, patched.files

    tests = ["tests/unit/test_checking_in.py", "tests/unit/test_verbs.py", "tests/unit/test_moving.py"]
    patched.check(*tests, "-k", "not diagram")
    shown = patched.tokenq("check-in", "--help")
    assert "Mark a waiting customer as arrived." in shown.stdout, shown.stderr


def test_a_department_setting_costs_four_files(tmp_path: Path) -> None:
    """Its line in the contract, its field, the rule that reads it, and its test: API, views and commands follow."""
    patched = Patched("department_setting", tmp_path)
    assert len(patched.files) <= 4, patched.files

    patched.check("tests/unit/test_least_service.py", "tests/unit/test_wording.py", "tests/unit/test_moving.py")
    shown = patched.tokenq("dept", "settings")
    assert "least-service-seconds" in shown.stdout, shown.stderr


def test_a_kind_of_letter_costs_its_row_its_folder_and_its_test(tmp_path: Path) -> None:
    """The API, the command line, the department's setting, the queue and verification follow."""
    patched = Patched("letter_kind", tmp_path)
    folder = "tokenq_server/adapters/channels/templates/email/cancelled"
    templates = [f"{folder}/{name}" for name in ("body.html", "body.txt", "subject.txt")]
    assert sorted(patched.files) == [
        "tests/unit/test_cancelled_letter.py",
        "tokenq/contract/notifications.py",
        *templates,
    ]

    patched.check("tests/unit/test_cancelled_letter.py", "tests/unit/test_notification_rules.py")
    shown = patched.tokenq("dept", "settings", "--json")
    assert "expired, cancelled" in shown.stdout, shown.stderr
