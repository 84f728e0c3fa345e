"""Where a setting comes from, and that every one is explained."""

import inspect
import re
from dataclasses import fields
from pathlib import Path

import platformdirs
import pytest

from tokenq import settings
from tokenq.contract.problems import Refused
from tokenq.contract.server_settings import NAMES
from tokenq.settings import ENVIRONMENT_ONLY, Settings, load, unknown_variables
from tokenq_server.settings import ServerSettings
from tokenq_server.settings import load as load_of_server

ROOT = Path(__file__).parents[2]


def environment(tmp_path, toml="", **variables):
    file = tmp_path / "config.toml"
    file.write_text(toml, "utf-8")
    return {"TOKENQ_CONFIG": str(file), **variables}


def test_a_flag_wins_over_the_environment_and_that_over_the_file(tmp_path):
    environ = environment(tmp_path, 'url = "http://file"\ncounter = "file"\ntimeout = 3', TOKENQ_URL="http://env")
    found = load(environ, counter="flag")
    assert (found.url, found.counter, found.timeout) == ("http://env", "flag", 3.0)


def test_without_anything_there_are_defaults(tmp_path):
    assert load(environment(tmp_path)) == Settings()


def test_an_empty_variable_is_no_setting(tmp_path):
    assert load(environment(tmp_path, TOKENQ_URL="", TOKENQ_TIMEOUT="")) == Settings()


def test_no_secret_is_shown(tmp_path):
    secrets = {"TOKENQ_TOKEN": "canary-token", "TOKENQ_KAFKA_SASL_PASSWORD": "canary-password"}
    shown = repr(load(environment(tmp_path, **secrets)))
    assert "kafka_sasl_username" in shown
    assert "canary" not in shown


def test_keys_of_the_server_in_the_same_file_are_left_alone(tmp_path):
    assert load(environment(tmp_path, 'database_url = "postgresql://x"')) == Settings()


@pytest.mark.parametrize(
    ("toml", "variables", "named"),
    [
        ("", {"TOKENQ_TIMEOUT": "soon"}, "TOKENQ_TIMEOUT"),
        ("", {"TOKENQ_TIMEOUT": "nan"}, "TOKENQ_TIMEOUT"),
        ("", {"TOKENQ_TIMEOUT": "-1"}, "TOKENQ_TIMEOUT"),
        ("", {"TOKENQ_INSECURE": "perhaps"}, "TOKENQ_INSECURE"),
        ("url = 3", {}, "'url' in"),
        ("url = [", {}, "is not TOML"),
        ('token = "tq_x"', {}, "secrets do not belong"),
    ],
)
def test_a_wrong_setting_is_one_sentence_that_names_it(tmp_path, toml, variables, named):
    with pytest.raises(Refused) as caught:
        load(environment(tmp_path, toml, **variables))
    assert named in caught.value.problem.detail
    assert caught.value.problem.hint


def test_a_settings_file_that_cannot_be_read_is_a_clear_sentence(tmp_path):
    with pytest.raises(Refused, match="cannot be read"):
        load({"TOKENQ_CONFIG": str(tmp_path)})


def test_the_config_folder_is_the_platform_s(monkeypatch, tmp_path):
    """The short way on Linux must not drift from what platformdirs says."""
    for value in ("", str(tmp_path)):
        monkeypatch.setenv("XDG_CONFIG_HOME", value)
        expected = platformdirs.user_config_path("tokenq", appauthor=False)
        assert settings.config_folder() == expected
        monkeypatch.setattr(settings, "_PLATFORM", "elsewhere")
        assert settings.config_folder() == expected
        monkeypatch.undo()


def test_every_setting_has_its_sentence():
    source = inspect.getsource(Settings)
    for field in fields(Settings):
        after = source.split(f"    {field.name}: ", 1)[1].split("\n", 2)[1]
        assert after.strip().startswith('"""'), field.name


def test_every_setting_is_in_the_manual():
    manual = (ROOT / "docs" / "settings.md").read_text("utf-8")
    names = [f"TOKENQ_{field.name.upper()}" for field in fields(Settings)] + list(ENVIRONMENT_ONLY)
    assert [name for name in names if name not in manual] == []


@pytest.mark.parametrize(
    ("line", "sentence", "hint"),
    [
        ('ulr = "https://queue.example.org"', "'ulr' in", "Did you mean 'url'?"),
        ('smpt_url = "smtp://mail"', "'smpt_url' in", "Did you mean 'smtp_url'?"),
        ("colour = 3", "'colour' in", "Correct or remove it."),
    ],
)
def test_a_misspelt_setting_in_the_file_is_refused(tmp_path, line, sentence, hint):
    file = tmp_path / "config.toml"
    file.write_text(line)
    with pytest.raises(Refused, match=sentence) as refused:
        load({"TOKENQ_CONFIG": str(file)})
    assert refused.value.problem.hint == hint


def test_a_variable_that_is_no_setting_is_named_with_what_it_may_mean():
    environ = {"TOKENQ_SMPT_URL": "x", "TOKENQ_URL": "x", "TOKENQ_DEBUG": "1", "TOKENQ_XYZ": "", "PATH": "/bin"}
    assert unknown_variables(environ) == {"TOKENQ_SMPT_URL": "TOKENQ_SMTP_URL", "TOKENQ_XYZ": ""}


def test_the_names_of_the_server_s_settings_are_known_here():
    assert set(ServerSettings.model_fields) == NAMES


def test_a_named_file_that_is_missing_is_refused(tmp_path, monkeypatch):
    """A mistyped TOKENQ_CONFIG would run everything on the defaults; only the default file may be missing."""
    file = str(tmp_path / "confg.toml")
    monkeypatch.setenv("TOKENQ_CONFIG", file)
    for read in (lambda: load({"TOKENQ_CONFIG": file}), load_of_server):
        with pytest.raises(Refused) as caught:
            read()
        assert caught.value.problem.detail == f"TOKENQ_CONFIG names {file}, which does not exist."
    assert load({"XDG_CONFIG_HOME": str(tmp_path)}) == Settings()


def test_the_defaults_in_the_manual_are_those_of_the_code():
    """Where a row of one setting says a number."""
    defaults = {field.name: field.default for field in fields(Settings)}
    defaults |= {name: field.default for name, field in ServerSettings.model_fields.items()}
    manual = (ROOT / "docs" / "settings.md").read_text("utf-8")
    rows = re.findall(r"^\| `TOKENQ_([A-Z_]+)` \|.*; default `?(\d+)\b", manual, re.MULTILINE)
    said = {name.lower(): default for name, default in rows if name.lower() in defaults}
    assert len(said) > 15
    assert {name: (said[name], defaults[name]) for name in said if float(said[name]) != float(defaults[name])} == {}


@pytest.mark.parametrize("name", ["TOKENQ_TLS_CERT", "TOKENQ_TLS_KEY", "TOKENQ_ADMIN_TOKEN_FILE"])
def test_an_empty_file_name_is_none(name: str):
    """It would be the current folder."""
    assert getattr(load_of_server(**{name: ""}), name.removeprefix("TOKENQ_").lower()) is None
