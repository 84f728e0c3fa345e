"""Each kind of letter is one row and one folder, and whatever lists them follows."""

from pathlib import Path

import pytest

from tests.unit.test_events_wire import event
from tokenq.cli.department_settings import read_setting
from tokenq.contract.events import EventType
from tokenq.contract.notifications import RULES, LetterKind
from tokenq_server.adapters.channels import email
from tokenq_server.api.schemas import DepartmentFields
from tokenq_server.domain.notification_rules import kind_for

FOLDER = Path(email.__file__).with_name("templates") / "email"


def test_each_kind_has_a_rule_and_a_folder() -> None:
    """One without the other would be a letter that is never sent, or always dead."""
    folders = {path.name: {file.name for file in path.iterdir()} for path in FOLDER.iterdir() if path.is_dir()}

    assert set(RULES) == set(LetterKind)
    assert folders == {str(kind): {"subject.txt", "body.txt", "body.html"} for kind in LetterKind}


@pytest.mark.parametrize("event_type", EventType)
def test_an_event_calls_for_the_kind_of_its_row(event_type: EventType) -> None:
    """For none, where there is no row or its mark says that nobody needs it."""
    kinds = [kind for kind, rule in RULES.items() if rule.event is event_type]
    plain = event(event_type)

    assert [kind_for(plain)] == (kinds or [None])
    for rule in (RULES[kind] for kind in kinds):
        if rule.unless:
            plain.data[rule.unless] = True
            assert kind_for(plain) is None


def test_a_department_can_have_every_kind_switched_on() -> None:
    """By the API and by the command line."""
    kinds = [str(kind) for kind in LetterKind]

    assert DepartmentFields.model_validate({"letters": kinds}).letters == kinds
    assert read_setting("letters", "all") == kinds
