"""What a plain new verb costs: a patch of four files, applied to a copy, gives it a route, a command and a key."""

from pathlib import Path

from tests.patched import Patched


def test_a_plain_verb_costs_four_files(tmp_path: Path) -> None:
    """Documents that are generated, such as the diagram in CONTRIBUTING, do not count."""
    patched = Patched("plain_verb", tmp_path)
    assert len(patched.files) <= 4, patched.files

    tests = ["tests/unit/test_checking_in.py", "tests/unit/test_verbs.py", "tests/unit/test_moving.py"]
    patched.check(*tests, "-k", "not diagram")
    told = patched.tokenq("check-in", "--help")
    assert "Note that a person who waits has arrived." in told.stdout, told.stderr
