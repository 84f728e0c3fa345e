"""A small place to take pictures of: a real ``tokenq up``, with a morning that is played on it.

Times are moved back in its database between two steps, so that people have waited for minutes, not for milliseconds.
The branch is where it is about ten o'clock now.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from tests.stack import Stack, start, up_folder
from tests.waiting import until
from tokenq.client import Client
from tokenq.contract.verbs import Verb

PUBLIC_URL = "https://queue.example.org"
"""Where customers reach it, as its tickets and letters say."""
DEPARTMENTS = {"CW": "Customer window", "LAB": "Laboratory", "XR": "X-ray"}
_TEN = 10
_TIMES = {
    "token": ("issued_at", "waiting_since", "called_at", "started_at", "served_at", "last_call_at"),
    "outbox": ("at",),
    "mail_job": ("created_at", "due_at", "sent_at"),
}
_UNWRITTEN = """
SELECT 1 FROM outbox o LEFT JOIN mail_job m USING (department_id, seq)
WHERE o.event_type = 'TOKEN_GENERATED' AND m.sent_at IS NULL
"""
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*Z")
_MORNING = (
    ("CW", "Ada Lovelace"),
    ("LAB", "Alan Turing"),
    ("CW", "Grace Hopper"),
    ("XR", "Katherine Johnson"),
    ("CW", "Emmy Noether"),
    ("LAB", "Lise Meitner"),
    ("CW", "Mary Somerville"),
    ("CW", "Sofia Kovalevskaya"),
    ("LAB", "Rosalind Franklin"),
    ("CW", "Hedy Lamarr"),
    ("XR", "Marie Curie"),
    ("CW", "Chien-Shiung Wu"),
)


@dataclass
class Place:
    """The running system, its admin, and the tokens by their numbers."""

    stack: Stack
    admin: Client
    tokens: dict[str, Any]
    timezone: str

    def pass_time(self, minutes: float) -> None:
        """Let everything so far have happened earlier, once its letters are sent."""
        earlier = timedelta(minutes=minutes)
        with psycopg.connect(self.stack.endpoints.postgres, autocommit=True) as database:
            until(lambda: not database.execute(_UNWRITTEN).fetchall())
            for table, columns in _TIMES.items():
                moved = ", ".join(f"{column} = {column} - %(earlier)s" for column in columns)
                database.execute(f"UPDATE {table} SET {moved}".encode(), {"earlier": earlier})
            for department, seq, payload in database.execute("SELECT department_id, seq, payload FROM outbox"):
                said = _INSTANT.sub(lambda found: _moved(found[0], earlier), payload)
                where = (said, department, seq)
                database.execute("UPDATE outbox SET payload = %s WHERE department_id = %s AND seq = %s", where)

    def issue(self, department: str, name: str, **details: Any) -> None:
        """Somebody takes a number."""
        token = self.admin.issue(department, name=name, **details)
        self.tokens[token["displayNumber"]] = token

    def speak(self, *languages: str) -> None:
        """Set the languages of the branch, and what else is known of it."""
        about = {"name": "St. Mary", "publicUrl": PUBLIC_URL, "timezone": self.timezone, "languages": list(languages)}
        self.admin.replace_branch("main", about)

    def key(self, role: str) -> str:
        """A new key for a board or a desk."""
        return str(self.admin.create_key({"label": role, "role": role, "departments": list(DEPARTMENTS)})["key"])

    def here(self, url: str) -> str:
        """A public address as this machine reaches it."""
        return url.replace(PUBLIC_URL, self.stack.endpoints.api)


def timezone_at_ten(now: datetime) -> str:
    """A time zone, without the name of a town, in which it is about ten o'clock."""
    west = min(now.hour - _TEN, 12)
    return f"Etc/GMT{west:+d}" if west else "Etc/GMT"


def _moved(instant: str, earlier: timedelta) -> str:
    return (datetime.fromisoformat(instant) - earlier).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@contextmanager
def open_place() -> Iterator[Place]:
    """Start it, play the morning, and stop it at the end."""
    with up_folder() as folder:
        stack = start(folder)
        with Client(stack.endpoints.api, stack.token) as admin:
            place = Place(stack, admin, {}, timezone_at_ten(datetime.now(UTC)))
            _furnish(place)
            _play(place)
            yield place


def _furnish(place: Place) -> None:
    place.speak("en")
    for department, name in DEPARTMENTS.items():
        place.admin.create_department({"departmentId": department, "name": name, "selfService": "on"})


def _play(place: Place) -> None:
    for number, (department, name) in enumerate(_MORNING):
        urgency = {"priority": "priority"} if number == 7 else {}
        place.issue(department, name, email=f"{name.split()[0].lower()}@example.org", **urgency)
        place.pass_time(2.4)
    for department, counter, minutes in (("CW", "1", 4.0), ("LAB", "2", 2.0), ("XR", "5", 1.5)):
        token = place.admin.call(department, counter, may_create=True)
        place.pass_time(minutes)
        place.admin.move(token, Verb.SERVE)
    for department, counter in (("LAB", "2"), ("CW", "1"), ("CW", "3")):
        place.admin.call(department, counter, may_create=True)
        place.pass_time(0.7)
