"""README and manual: what they tell people to type works as printed."""

from pathlib import Path

import pytest

from tests.manual import ROOT, Example, examples, follow, typed
from tests.programs import beside, running_api
from tests.servers import Servers
from tests.valkeys import OwnValkeys

TWO_DEPARTMENTS = ("tokenq dept create 'Customer window' --id CW", "tokenq dept create Laboratory --id LAB")
BEFORE: dict[str, tuple[str, ...]] = {
    "README.md": (),
    "docs/desk-and-counter.md": TWO_DEPARTMENTS,
    "docs/lobby.md": TWO_DEPARTMENTS,
    "docs/manager.md": (),
    "docs/settings.md": TWO_DEPARTMENTS,
}
"""Pages by what must be typed before."""
ON_A_WHOLE_SYSTEM = {"docs/running.md", "docs/watching.md"}
"""See tests/e2e/test_manual_of_up.py."""
NOT_HERE = {"docs/api.md", "docs/events.md", "docs/extending.md"}
"""For those who write programs; their examples have tests of their own."""


@pytest.mark.parametrize("page", list(BEFORE))
def test_what_a_page_tells_people_to_type_works_as_printed(
    page: str, servers: Servers, valkeys: OwnValkeys, tmp_path: Path
) -> None:
    """Each begins in a new place, with a Redis of its own: all of them have a department CW."""
    settings = beside(servers, servers.new_database()) | {"TOKENQ_REDIS_URL": valkeys.start().server.url}
    settings |= {"TOKENQ_MIGRATE": "1", "TOKENQ_ENV": "development"}
    with running_api(settings, tmp_path) as api:
        mine = {"TOKENQ_URL": api.url, "TOKENQ_TOKEN": api.token, "TOKENQ_PASSWORD": "a new and long password"}
        for command in BEFORE[page]:
            typed(Example(command, ""), tmp_path, mine)
        complaints = "\n\n".join(follow(page, tmp_path, mine))
    assert not complaints, complaints


def test_every_page_with_examples_is_tried() -> None:
    pages = ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
    tried = ON_A_WHOLE_SYSTEM | set(BEFORE)
    assert {page for page in pages if examples(page)} - NOT_HERE == tried


def test_another_output_is_noticed(tmp_path: Path) -> None:
    """The comparison itself: a word more or less is one too many."""
    examples_of = [Example("echo one two", "one …"), Example("echo one two", "one"), Example("echo a; echo b", "…\nc")]
    assert [example.is_met_by(typed(example, tmp_path, {})) for example in examples_of] == [True, False, False]
