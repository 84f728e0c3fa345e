"""What the manual computes is what the code computes: waits, alarms, letters, verbs, steps and shares of a core."""

import re
from pathlib import Path

import pytest

from tokenq.contract.notifications import LetterKind
from tokenq.contract.settings import SETTINGS
from tokenq.contract.verbs import VERBS
from tokenq_server.domain.estimate import RUNS, useful
from tokenq_server.domain.rules import Rules
from tokenq_server.domain.service_time import ENOUGH, learned
from tokenq_server.domain.wait_alarms import WaitFigures, wait_alarms
from tokenq_server.failpoints import STEPS

DOCS = Path(__file__).parents[2] / "docs"
MANAGER = (DOCS / "manager.md").read_text("utf-8")
RUNNING = (DOCS / "running.md").read_text("utf-8")
INSIDE = (DOCS / "how-it-works.md").read_text("utf-8")
POST_MS = 0.13


def test_how_fast_today_s_pace_is_learned() -> None:
    after = [learned([4 * 60] * services, prior_minutes=10).mean / 60 for services in (5, ENOUGH)]
    assert "After five of them tokenq reckons with {:.1f} minutes, after ten with {:.1f}.".format(*after) in MANAGER


def test_how_an_estimate_is_made() -> None:
    assert RUNS == 12
    assert "tokenq plays the rest of the queue twelve times" in MANAGER
    assert [useful(10, high).reason is None for high in (50, 55)] == [True, False]
    assert "more than twice its lower end plus half an hour, it is not told" in MANAGER


def test_the_advice_names_settings_that_exist() -> None:
    table = MANAGER.partition("What to look at first:")[2].partition("\n#")[0]
    named = re.findall(r"`([a-z-]+)=[^`]*`", table)
    assert len(named) > 5
    assert {re.sub(r"-(\w)", lambda found: found[1].upper(), name) for name in named} <= set(SETTINGS)


def test_when_the_alarm_of_the_service_level_is_on() -> None:
    rules = Rules(service_level_minutes=15, service_level_percent=80)
    assert [bool(wait_alarms(WaitFigures(10, late), rules)) for late in (2, 3)] == [False, True]
    assert "If two of them have waited longer than 15 minutes, 80 % can still be called in time: no alarm." in MANAGER


def test_the_letters_are_those_of_the_code() -> None:
    table = MANAGER.partition("## Letters")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(LetterKind)


def test_the_verbs_lead_from_and_to_the_states_of_the_code() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \| ((?:`[A-Z_]+`(?:, )?)+) \| `([A-Z_]+)` \|$", INSIDE, re.MULTILINE)
    said = {verb: (set(re.findall(r"[A-Z_]+", sources)), target) for verb, sources, target in rows}
    assert said == {
        str(verb): ({str(state) for state in row.sources}, str(row.target))
        for verb, row in VERBS.items()
        if row.target is not None
    }


def test_a_batch_has_the_points_of_the_code() -> None:
    assert ", ".join(f"`{step}`" for step in STEPS["issue"]) in INSIDE


def test_the_shares_of_a_core_follow_from_the_measured_figures() -> None:
    letter, call = (
        float(re.findall(rf"^\| {row}.*\| ([\d.]+) \|$", RUNNING, re.MULTILINE)[0])
        for row in ("a number and its letter", "a call, or a service")
    )
    cost = letter + 2 * call
    assert f"{letter} + {call} + {call} = {cost:.1f} empty POSTs, or {cost * POST_MS:.1f} ms" in RUNNING
    rows = re.findall(r"^\| .* a day \| ([\d,]+) \| ([\d.]+) %", RUNNING, re.MULTILINE)
    assert len(rows) == 4
    for customers, share in rows:
        seconds = int(customers.replace(",", "")) * cost * POST_MS / 1000
        assert float(share) == pytest.approx(100 * seconds / 3600, rel=0.35 if float(share) < 0.01 else 0.02)
