"""When statements are prepared: a number or ``off``, and nothing that could mean two things."""

from pathlib import Path

import pytest

from tokenq.contract.problems import Refused
from tokenq_server.database_access import DatabaseAccess
from tokenq_server.settings import ServerSettings, load


@pytest.mark.parametrize(("text", "threshold"), [("1", 1), (" 20 ", 20), ("1000000", 1_000_000), ("off", None)])
def test_a_threshold_is_a_number_or_off(text: str, threshold: int | None) -> None:
    settings = load(TOKENQ_PREPARE_THRESHOLD=text, TOKENQ_OWNER_DATABASE_URL="postgresql://owner@h/d")
    assert settings.database.prepare_threshold == threshold
    assert settings.owner_database.prepare_threshold == threshold


@pytest.mark.parametrize("text", ["0", "-1", "none", "on", "false", "", "1.5", "1e3", "+5", "٣", "1000001", "9" * 5000])
def test_any_other_threshold_is_refused_in_one_sentence(text: str) -> None:
    """0 is at once for the driver, and elsewhere among our settings it switches something off."""
    with pytest.raises(Refused) as refused:
        load(TOKENQ_PREPARE_THRESHOLD=text)
    assert refused.value.problem.detail == (
        "The setting TOKENQ_PREPARE_THRESHOLD is wrong: it is neither off nor a whole number from 1 to 1000000."
    )


@pytest.mark.parametrize("value", ["0", "true", "false", "5.0", '"never"'])
def test_a_file_cannot_say_it_otherwise(value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "config.toml"
    file.write_text(f"prepare_threshold = {value}\n")
    monkeypatch.setenv("TOKENQ_CONFIG", str(file))
    with pytest.raises(Refused, match="neither off nor a whole number"):
        load()


def test_a_file_can_say_off_or_a_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "config.toml"
    monkeypatch.setenv("TOKENQ_CONFIG", str(file))
    for value, threshold in {'"off"': None, "7": 7, '"7"': 7}.items():
        file.write_text(f"prepare_threshold = {value}\n")
        assert load().prepare_threshold == threshold


def test_without_a_setting_it_is_the_usual_one() -> None:
    assert ServerSettings().database == DatabaseAccess.of("postgresql://tokenq@127.0.0.1:5432/tokenq")
    assert ServerSettings().database.prepare_threshold == 5


def test_the_owner_is_whoever_the_settings_name() -> None:
    """Without one it is the program's own user; a refusal names the setting that holds the address."""
    own = load(TOKENQ_DATABASE_URL="postgresql://api@h/d")
    assert own.owner_database == own.database
    two = load(TOKENQ_DATABASE_URL="postgresql://api@h/d", TOKENQ_OWNER_DATABASE_URL="postgresql://owner@h/d")
    assert two.owner_database.url == "postgresql://owner@h/d"
    assert (two.database.setting, two.owner_database.setting) == ("TOKENQ_DATABASE_URL", "TOKENQ_OWNER_DATABASE_URL")


def test_no_password_is_shown() -> None:
    assert "secret" not in repr(load(TOKENQ_DATABASE_URL="postgresql://u:secret@h/d").database)
