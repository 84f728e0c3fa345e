"""What a refusal advises, in the words of each edge."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.refusals import refusal
from tokenq.cli.menu import ENTRIES
from tokenq.cli.wording import COMMANDS, hint_of, in_commands
from tokenq.contract.advice import Action, Advice, from_wire
from tokenq.contract.problems import Problem, ProblemCode
from tokenq_tui.console import advice as keys
from tokenq_tui.console.keys import NO_KEYS

PARAMS = {
    "number": "CW-012",
    "department": "CW",
    "counter": "3",
    "when": "Mon 2026-11-23 at 08:00",
    "id": 7,
    "similar": "1, 4",
    "branch": "main",
}
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("action", Action)
def test_every_action_has_a_sentence_and_a_command_that_exists(action: Action) -> None:
    advice = Advice(action, PARAMS)
    assert "tokenq" not in advice.text()
    assert advice.text().endswith(".")
    command = COMMANDS.get(action)
    assert (command is None) == (action is Action.REPEAT_WITH_KEY)
    if command is not None:
        assert command.split()[0] in ENTRIES
        assert f"with 'tokenq {command.format(**PARAMS, in_branch='')}'" in in_commands(advice)


@pytest.mark.parametrize("action", [action for action in Action if action.startswith("counter.")])
def test_a_command_about_a_counter_names_its_branch_unless_it_is_the_main_one(action: Action) -> None:
    """Without it, another counter is opened: one of the main branch."""

    def command(**params: str) -> str:
        return in_commands(Advice(action, {**PARAMS, **params}))

    assert " --branch c3" in command(branch="c3")
    assert "--branch" not in command()
    unknown = {name: value for name, value in PARAMS.items() if name != "branch"}
    assert in_commands(Advice(action, unknown)) == command(), "a server of the release before does not say it"


def test_the_console_names_a_key_or_leaves_the_shell_out() -> None:
    def hint(action: Action) -> str:
        return keys.hint_of(refusal(ProblemCode.INVALID, "No.", Advice(action, PARAMS)).problem, NO_KEYS)

    assert hint(Action.OPEN_COUNTER) == "Open it (press o)."
    assert hint(Action.LIST_USERS) == ""
    assert hint(Action.CHOOSE_COUNTER) == "Did you mean 1, 4?"
    assert hint(Action.ADD_COUNTER) == "Type one of these, or ask an admin to declare it."
    assert hint(Action.CHOOSE_OR_ADD_COUNTER) == "Did you mean 1, 4? If not, ask an admin to declare 3."
    assert hint(Action.WAIT_FOR_SOMEBODY) == "Wait for the next customer, or check the queue."
    assert all("tokenq" not in hint(action) for action in Action)


def test_advice_goes_over_the_wire_and_an_unknown_one_leaves_the_sentence() -> None:
    problem = refusal(
        ProblemCode.QUEUE_EMPTY, "Nobody.", Advice(Action.WAIT_FOR_SOMEBODY, {"department": "CW"})
    ).problem
    read = Problem.from_wire(problem.to_wire(), 409)
    assert (read.advice, read.hint) == (problem.advice, "Wait for the next customer, or check the queue.")
    assert hint_of(read) == "Wait for the next customer, or check the queue with 'tokenq queue CW'."
    newer = {**problem.to_wire(), "action": {"name": "dance", "params": {}}}
    assert hint_of(Problem.from_wire(newer, 409)) == problem.hint


@pytest.mark.parametrize(
    "body", [None, 1, "x", [], {}, {"name": "recall"}, {"name": "token.show", "params": {}}, {"name": [], "params": {}}]
)
def test_odd_advice_is_none(body: object) -> None:
    assert from_wire(body) is None


def test_no_text_of_a_shell_command_is_in_domain_services_recovery_or_adapters() -> None:
    places = [f"tokenq_server/{name}" for name in ("domain", "services", "recovery", "adapters", "api")]
    found = subprocess.run(
        ["git", "grep", "-nE", "'tokenq [a-z]|`tokenq [a-z]", "--", *places],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.splitlines()
    assert [line for line in found if not re.search(r'""".*tokenq|^\S+:\s*#', line)] == []
