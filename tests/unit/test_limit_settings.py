"""Every limit can be set and switched off, is shown by the doctor, and is explained."""

from pathlib import Path

import pytest

from tokenq.contract.problems import Refused
from tokenq_server.services.limit_findings import NAMES as GROUPED
from tokenq_server.services.limit_findings import limit_findings
from tokenq_server.settings import ServerSettings, load

ROOT = Path(__file__).parents[2]
NAMES = [name for name in ServerSettings.model_fields if name.startswith("limit_")]


@pytest.mark.parametrize(("text", "limit"), [("7", 7), ("0", 0), ("off", 0), (" OFF ", 0)])
def test_a_limit_is_a_number_or_off(text: str, limit: int) -> None:
    assert load(TOKENQ_LIMIT_LETTERS=text).limit_letters == limit


@pytest.mark.parametrize("text", ["-1", "many", "1.5", "1e3", "2000000"])
def test_a_wrong_limit_is_named(text: str) -> None:
    with pytest.raises(Refused, match="TOKENQ_LIMIT_LETTERS is wrong"):
        load(TOKENQ_LIMIT_LETTERS=text)


def test_a_limit_in_the_file_may_be_off_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "config.toml"
    file.write_text('limit_letters = "off"\nlimit_logins = 3\n')
    monkeypatch.setenv("TOKENQ_CONFIG", str(file))
    assert (load().limit_letters, load().limit_logins) == (0, 3)


def test_the_doctor_shows_every_limit_with_its_setting_and_warns_of_what_is_off() -> None:
    assert sorted(GROUPED) == sorted(NAMES) == sorted(ServerSettings().limits)
    usual = limit_findings(ServerSettings().limits)
    assert [(finding.ok, finding.warning, finding.hint) for finding in usual] == [(True, False, "")] * 4
    assert usual[0].detail == (
        "10 wrong passwords per account and address (TOKENQ_LIMIT_LOGINS), "
        "50 per address (TOKENQ_LIMIT_LOGINS_PER_SOURCE), "
        "100 per account from new addresses (TOKENQ_LIMIT_LOGINS_PER_ACCOUNT)"
    )
    off = ServerSettings(limit_logins=0, limit_logins_per_account=0, limit_letters=0)
    findings = {finding.name: finding for finding in limit_findings(off.limits)}
    assert [name for name, finding in findings.items() if finding.warning] == ["limit of logins", "limit of e-mails"]
    assert findings["limit of logins"].hint == (
        "Set TOKENQ_LIMIT_LOGINS and TOKENQ_LIMIT_LOGINS_PER_ACCOUNT, unless something in front of tokenq limits this."
    )
    assert findings["limit of e-mails"].detail == "unlimited an hour to one address (TOKENQ_LIMIT_LETTERS)"


def test_of_limits_that_nobody_knows_nothing_is_shown() -> None:
    """An ``up`` of an older release does not say them."""
    assert limit_findings({}) == []
    assert [finding.name for finding in limit_findings({"limit_letters": 3})] == ["limit of e-mails"]


@pytest.mark.parametrize("file", ["docs/settings.md", "deploy/env.example"])
def test_every_limit_is_explained_with_its_default(file: str) -> None:
    lines = (ROOT / file).read_text("utf-8").translate({ord(mark): " " for mark in "=`#|"}).splitlines()
    explained = {words[0]: words for words in map(str.split, lines) if words}
    for name in NAMES:
        assert str(ServerSettings.model_fields[name].default) in explained[f"TOKENQ_{name.upper()}"], name
