"""What a department's new setting costs: a patch of four files, applied to a copy, and everybody knows it."""

from pathlib import Path

from tests.patched import Patched


def test_a_department_setting_costs_four_files(tmp_path: Path) -> None:
    """Its line in the contract, its field, the rule that reads it, and its test: API, views and commands follow."""
    patched = Patched("department_setting", tmp_path)
    assert len(patched.files) <= 4, patched.files

    patched.check("tests/unit/test_least_service.py", "tests/unit/test_wording.py", "tests/unit/test_moving.py")
    told = patched.tokenq("dept", "settings")
    assert "least-service-seconds" in told.stdout, told.stderr
