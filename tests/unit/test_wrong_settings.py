"""A wrong setting of the server is refused in our words: its name, what it takes, an example; several at once."""

from pathlib import Path

import pytest

from tokenq.contract.problems import Problem, Refused
from tokenq_server.settings import ServerSettings, load


def problem_of(**environment: str) -> Problem:
    with pytest.raises(Refused) as refused:
        load(**environment)
    return refused.value.problem


@pytest.mark.parametrize(
    ("name", "text", "takes", "example"),
    [
        ("PORT", "abc", "it takes a whole number from 0 to 65535", "8080"),
        ("PORT", "99999", "it takes a whole number from 0 to 65535", "8080"),
        ("KAFKA_FETCH_WAIT_MS", "1s", "it takes a whole number of milliseconds from 1 to 5000", "300"),
        ("KEEP_AUDIT_DAYS", "0", "it takes a whole number of days from 1 to 36500", "365"),
        ("KEEP_PERSONAL_DAYS", "abc", "it takes a whole number of days from 0 to 36500, or off", "30"),
        ("MAX_BODY_BYTES", "256K", "it takes a whole number of bytes from 1024 on", "262144"),
        ("LIMIT_LOGINS", "many", "it takes a whole number from 0 to 1000000, or off", "10"),
        ("STRICT", "maybe", "it takes 1 or 0", "1"),
        ("ENV", "prod", "it takes production or development", "production"),
        ("LOG_FORMAT", "xml", "it takes json or text", "json"),
        ("LOG_LEVEL", "loud", "it takes debug, info, warning or error", "info"),
        ("RELAY_LISTEN", "9101", "it is not HOST:PORT", "127.0.0.1:9101"),
        ("PREPARE_THRESHOLD", "soon", "it is neither off nor a whole number from 1 to 1000000", "5"),
    ],
)
def test_a_wrong_setting_is_refused_with_what_it_takes_and_an_example(
    name: str, text: str, takes: str, example: str
) -> None:
    problem = problem_of(**{f"TOKENQ_{name}": text})

    assert problem.detail == f"The setting TOKENQ_{name} is wrong: {takes}."
    assert problem.hint == f"For example TOKENQ_{name}={example}."
    assert load(**{f"TOKENQ_{name}": example})


@pytest.mark.parametrize("name", sorted(ServerSettings.model_fields))
def test_no_setting_is_refused_in_the_words_of_the_library(name: str) -> None:
    """Whatever its kind; a list, or an object, can stand only in the file."""
    for text in ("abc", "-1", "1e3", ""):
        try:
            load(**{f"TOKENQ_{name.upper()}": text})
        except Refused as refused:
            problem = refused.problem
            assert f"TOKENQ_{name.upper()}" in problem.detail or name.startswith("kafka"), problem.detail
            assert "Input should" not in problem.detail
            assert "valid" not in problem.detail
            assert problem.hint


@pytest.mark.parametrize(("line", "named"), [("host = 3", "TOKENQ_HOST"), ("data_dir = []", "TOKENQ_DATA_DIR")])
def test_what_is_no_text_in_the_file_is_refused(
    line: str, named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(line)
    monkeypatch.setenv("TOKENQ_CONFIG", str(file))
    assert problem_of().detail == f"The setting {named} is wrong: it takes a text."


def test_all_wrong_settings_are_named_at_once_and_no_password() -> None:
    """Also a contradiction of those that are right one by one."""
    problem = problem_of(
        TOKENQ_PORT="abc",
        TOKENQ_STRICT="maybe",
        TOKENQ_DATABASE_URL="mysql://tokenq:canary@db",
        TOKENQ_TRUSTED_PROXIES="proxy",
        TOKENQ_KAFKA_SASL_USERNAME="relay",
    )

    assert problem.detail.startswith("5 settings are wrong: ")
    for part in (
        "TOKENQ_PORT: it takes a whole number from 0 to 65535 (for example TOKENQ_PORT=8080)",
        "TOKENQ_STRICT: it takes 1 or 0",
        "TOKENQ_DATABASE_URL: it does not begin with postgresql:// or postgres:// (write postgresql://user:password@",
        "TOKENQ_TRUSTED_PROXIES: 'proxy' is not an address or a network (list only",
        "TOKENQ_KAFKA_SECURITY_PROTOCOL: with a user name it is SASL_SSL or SASL_PLAINTEXT",
    ):
        assert part in problem.detail
    assert "canary" not in problem.detail + str(problem.params)
    assert problem.hint == "Correct them and start again."
