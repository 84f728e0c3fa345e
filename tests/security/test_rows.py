"""Each row that was asked for has a test, and each test that is named exists."""

import ast
from functools import lru_cache
from pathlib import Path

import pytest

from tests.security.rows import DECIDED_OTHERWISE, ROWS

TESTS = Path(__file__).parents[1]
ASKED_FOR = [*map(str, range(1, 81)), *(f"L{number}" for number in range(1, 19))]


@lru_cache
def names_of_tests(file: Path) -> frozenset[str]:
    """The tests in a file."""
    found = ast.walk(ast.parse(file.read_text()))
    names = (node.name for node in found if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(name for name in names if name.startswith("test_"))


@pytest.mark.parametrize("number", ASKED_FOR)
def test_a_row_has_a_test_or_a_reason(number: str) -> None:
    assert number in ROWS or number in DECIDED_OTHERWISE
    if number in ROWS:
        assert ROWS[number].tests
        for named in ROWS[number].tests:
            file, _, name = named.partition("::")
            assert (TESTS / file).is_file(), named
            assert name in names_of_tests(TESTS / file) if name else names_of_tests(TESTS / file), named


def test_no_row_was_made_up() -> None:
    assert ROWS.keys() | DECIDED_OTHERWISE.keys() == set(ASKED_FOR)


def test_all_security_tests_are_on_the_list() -> None:
    """A new file of this folder belongs to a row."""
    named = {test.partition("::")[0] for row in ROWS.values() for test in row.tests}
    alone = {"test_rows.py", "test_request_ids.py", "test_audit_in_transactions.py", "test_reading_the_audit.py"}
    for file in Path(__file__).parent.glob("test_*.py"):
        assert file.name in alone or f"security/{file.name}" in named, file.name
