"""The alert rules, by Prometheus' own tool: whether they can be read, and when they fire."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.watching.prometheus import RULES

pytestmark = pytest.mark.watching


def promtool(*words: str) -> str:
    done = subprocess.run(["promtool", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_rules_can_be_read() -> None:
    assert "SUCCESS" in promtool("check", "rules", str(RULES))


def test_they_fire_when_they_should_and_not_before() -> None:
    assert "SUCCESS" in promtool("test", "rules", str(Path(__file__).parent / "alerts_test.yml"))


def test_each_rule_is_tried() -> None:
    rules = RULES.read_text().split("- alert: ")[1:]
    tried = set(re.findall(r"alertname: (\w+)", (Path(__file__).parent / "alerts_test.yml").read_text()))
    assert {rule.split()[0] for rule in rules} == tried
    for rule in rules:
        assert re.search("severity: (page|ticket|floor)}", rule)
        assert re.search("annotations:\n +summary: .*\n +hint: ", rule)
