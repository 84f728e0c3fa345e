"""What a new column of the tokens costs: a field, a migration, and two lines of a view if it is shown."""

from pathlib import Path

from tests.patched import Patched


def test_a_token_column_costs_a_field_and_a_migration(tmp_path: Path) -> None:
    """Statements, rows and the undo document follow. Documents that are generated, such as the schema, do not count."""
    patched = Patched("token_column", tmp_path)
    assert set(patched.files) == {
        "tokenq_server/domain/token.py",
        "tokenq_server/adapters/postgres/migrations/versions/0014_seats.py",
        "tokenq/contract/views.py",
        "tokenq_server/services/views.py",
        "tests/integration/test_seats.py",
    }

    tests = ["tests/integration/test_seats.py", "tests/integration/test_migrations.py"]
    patched.check(*tests, "-k", "not written_down")
