"""The scripts of ``deploy/debian``, without packages: each knows every unit."""

import re
import subprocess
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[2] / "deploy"
SCRIPTS = {name: (DEPLOY / "debian" / f"{name}.in").read_text("utf-8") for name in ("postinst", "prerm", "postrm")}
UNITS = {path.name: path.read_text("utf-8") for path in (DEPLOY / "systemd").iterdir()}
LASTING = {name.removesuffix(".service") for name in UNITS if name.endswith(".service")} - {"tokenq-backup"}


def looped_over(script: str, variable: str) -> list[str]:
    """The words of a script's loop."""
    found = re.search(rf"for {variable} in ([^;\n]+);? *(?:do)?$", SCRIPTS[script], re.MULTILINE)
    assert found
    return found[1].split()


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_can_be_read_by_a_shell(name: str) -> None:
    text = re.sub(r"@[A-Z]+@", "word", SCRIPTS[name])
    assert subprocess.run(["sh", "-n"], input=text, text=True, capture_output=True).stderr == ""
    assert text.startswith("#!/bin/sh\nset -e\n")


def test_an_upgrade_restarts_all_and_the_api_before_those_that_need_its_tables() -> None:
    restarted = looped_over("postinst", "unit")
    assert set(restarted) == LASTING
    assert restarted.index("tokenq-api") < min(map(restarted.index, ("tokenq-relay", "tokenq-notify")))


def test_a_removal_stops_all() -> None:
    assert set(looped_over("prerm", "unit")) == LASTING | {"tokenq-backup.timer"}


def test_a_purge_forgets_all_that_can_be_enabled() -> None:
    wanted = {
        target: {name for name, text in UNITS.items() if f"\nWantedBy={target}\n" in text}
        for target in ("multi-user.target", "timers.target")
    }
    removed = {f"tokenq-{name}.service" for name in looped_over("postrm", "unit")}
    assert removed == wanted["multi-user.target"]
    assert set(re.findall(r"timers\.target\.wants/(\S+)", SCRIPTS["postrm"])) == wanted["timers.target"]
