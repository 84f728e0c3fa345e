"""Server programs of one release on the other's tables, newly started and running; no e-mail is lost."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import Servers
from tests.skew.conftest import Pair
from tests.skew.promises import NEW_ON_OLD_TABLES, OLD_GOES_ON_WHILE_MIGRATED, OLD_ON_NEW_TABLES, Meeting
from tests.skew.releases import Client, Done, Floor, Program, Release, open_floor
from tests.waiting import until

pytestmark = pytest.mark.skew


@pytest.fixture
def bare_floor(servers: Servers) -> Iterator[Floor]:
    """A floor without programs and tables."""
    with open_floor(servers) as opened:
        yield opened


def promised(pair: Pair) -> Meeting:
    """What the client's release must do on the server's tables."""
    return OLD_ON_NEW_TABLES if pair.client.name == "old" else NEW_ON_OLD_TABLES


def test_the_promises_match_the_schemas(old: Release, new: Release, servers: Servers) -> None:
    """They refuse if, and only if, the tables differ."""
    revisions = []
    for release in (old, new):
        with open_floor(servers) as floor:
            revisions.append(floor.migrate(release))
    is_same = revisions[0] == revisions[1]
    holds = (Meeting.WORKS, Meeting.WORKS) if is_same else (Meeting.AHEAD, Meeting.BEHIND)
    said = f"the old tables are {revisions[0]}, the new ones {revisions[1]}: put that right in tests/skew/promises.py"
    assert holds == (OLD_ON_NEW_TABLES, NEW_ON_OLD_TABLES), said


class Visit:
    """One visit; each step causes an e-mail, and the next step waits for it."""

    def __init__(self, client: Client, department: str, person: str) -> None:
        self.address = f"{person}@example.com"
        self.number = client.ask(f"issue {department} --email {self.address}")["displayNumber"]
        self._letters = 1
        self._floor, self._department = client.floor, department

    def go_on(self, client: Client, *programs: Program) -> None:
        """Call and serve it, while these programs send the e-mails."""
        self.await_letters(*programs)
        for words in (f"call {self._department} --counter 1", f"serve {self.number}"):
            client.ask(words)
            self._letters += 1
            self.await_letters(*programs)

    def await_letters(self, *programs: Program) -> None:
        """Wait for the e-mails of the steps so far."""

        def is_over() -> bool:
            return len(self.subjects) >= self._letters or any(program.ended() for program in programs)

        def explain() -> str:
            logs = "\n".join(f"{program.title}: {program.said()}" for program in programs)
            return f"{self.address} got {self.subjects}, not {self._letters} letters\n{logs}"

        until(is_over, explain, 60)
        assert len(self.subjects) == self._letters, explain()

    def check(self) -> None:
        """Assert that no one got an e-mail twice, or another person's."""
        assert len(set(self.subjects)) == len(self.subjects) == self._letters, self.subjects
        assert all(self.number in subject for subject in self.subjects), self.subjects

    @property
    def subjects(self) -> list[str]:
        """The subjects received."""
        return list(self._floor.mailbox.subjects[self.address])


def refused(meeting: Meeting, done: Done) -> None:
    """Assert exit code 1, a sentence and a hint, and with ``--json`` the code."""
    assert done.code == 1, done
    if done.out:
        assert json.loads(done.out)["error"]["code"] == meeting, done
    sentence, hint = done.err.splitlines()[-2:]
    assert re.fullmatch(r"tokenq: \S.+", sentence), done
    assert re.fullmatch(r"  \S.+", hint), done
    assert ("newer release" if meeting is Meeting.AHEAD else "server migrate") in sentence + hint, done


def start_or_be_refused(meeting: Meeting, program: Program) -> None:
    """Assert the promised behaviour: a refused program ends by itself."""
    if meeting is not Meeting.WORKS:
        until(program.ended, lambda: f"{program.title} should refuse, and does not: {program.said()}", 60)
        refused(meeting, Done(program.title, program.process.wait(), "", program.said()))


def open_with(
    floor: Floor, server: Release, program: str, client: Release, tmp_path: Path
) -> tuple[Client, str, Visit]:
    """A server with one of its programs; a client, a department and a visit."""
    floor.open_api(server)
    floor.launch(server, program)
    desk = Client(client, floor, server, tmp_path)
    name = desk.new_department()
    return desk, name, Visit(desk, name, "ada")


def hand_over(pair: Pair, floor: Floor, program: str, client: Client, ada: Visit, bob: Visit) -> None:
    """The server's own program continues where the other release's stopped; nothing is lost."""
    own = floor.launch(pair.server, program)
    for visit in (bob,) if promised(pair) is Meeting.WORKS else (ada, bob):
        visit.go_on(client, own)
    is_right(floor, pair.server, ada, bob)


def test_notify_on_the_tables_of_the_other_release(pair: Pair, bare_floor: Floor, tmp_path: Path) -> None:
    """It sends each e-mail once, or refuses in one sentence; then the server's own continues. None is lost."""
    floor, meeting = bare_floor, promised(pair)
    client, name, ada = open_with(floor, pair.server, "relay", pair.client, tmp_path)
    other = floor.launch(pair.client, "notify")
    start_or_be_refused(meeting, other)
    if meeting is Meeting.WORKS:
        ada.go_on(client, other)
    bob = Visit(client, name, "bob")
    other.stop()
    hand_over(pair, floor, "notify", client, ada, bob)


def test_api_and_relay_on_the_tables_of_the_other_release(pair: Pair, bare_floor: Floor, tmp_path: Path) -> None:
    """Both serve the same department as those of the server's release, or refuse in one sentence."""
    floor, meeting = bare_floor, promised(pair)
    own, name, ada = open_with(floor, pair.server, "notify", pair.server, tmp_path)
    api, relay = floor.launch_api(pair.client), floor.launch(pair.client, "relay")
    for program in (api, relay):
        start_or_be_refused(meeting, program)
    if meeting is Meeting.WORKS:
        floor.await_api(pair.client, api)
        ada.go_on(Client(pair.client, floor, pair.client, tmp_path), relay)
    bob = Visit(own, name, "bob")
    for program in (api, relay):
        program.stop()
    hand_over(pair, floor, "relay", own, ada, bob)


_AT_THE_SERVER = {"server rebuild --json": True, "verify --json": False, "notify dlq list --json": False}
"""Commands on the server, and whether each checks the schema first."""


def test_commands_at_the_server_on_the_tables_of_the_other_release(pair: Pair, bare_floor: Floor) -> None:
    """They work, or refuse in one sentence."""
    meeting = promised(pair)
    bare_floor.migrate(pair.server)
    for words, looks_at_schema in _AT_THE_SERVER.items():
        done = bare_floor.beside(pair.client, words)
        if meeting is Meeting.WORKS:
            assert done.code == 0, done
        elif looks_at_schema or done.code != 0:
            refused(meeting, done)


def test_an_upgrade_while_people_are_served(old: Release, new: Release, bare_floor: Floor, tmp_path: Path) -> None:
    """The old programs run during the migration and are then replaced: no number twice, no e-mail lost.

    A person who is erased while they still run disturbs neither.
    """
    if not OLD_GOES_ON_WHILE_MIGRATED:
        pytest.skip("this release says that the old programs must be stopped before the upgrade")
    floor = bare_floor
    running = [floor.open_api(old), floor.launch(old, "relay"), floor.launch(old, "notify")]
    before = Client(old, floor, old, tmp_path)
    name = before.new_department()
    ada = Visit(before, name, "ada")
    ada.await_letters(*running)

    floor.migrate(new)
    ada.go_on(before, *running)
    bob = Visit(before, name, "bob")
    fresh = [floor.launch_api(new), floor.launch(new, "relay"), floor.launch(new, "notify")]
    floor.await_api(new, fresh[0])
    after = Client(new, floor, new, tmp_path)
    assert after.ask(f"erase --email {ada.address} --yes")["tokens"] == 1
    bob.go_on(after, *running, *fresh)
    cleo, dan = Visit(before, name, "cleo"), Visit(after, name, "dan")
    cleo.go_on(before, *running, *fresh)
    for program in running:
        program.stop()
    dan.go_on(after, *fresh)
    is_right(floor, new, ada, bob, cleo, dan)


def is_right(floor: Floor, release: Release, *visits: Visit) -> None:
    """Assert that each e-mail came once, and every rule holds."""
    done = floor.beside(release, "verify --json")
    assert done.code == 0, done
    for visit in visits:
        visit.check()
