"""What the workload uses: departments, registered users, and counters that serve several departments."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.request import Request, urlopen

DEPARTMENTS = ("CW", "HR", "LAB", "XR")
ROVERS: Mapping[str, tuple[str, ...]] = {"all": ("XR", "LAB", "HR", "CW"), "two": ("CW", "XR")}
"""Counters with a work profile, and what they serve, in order."""
_KNOWN_PEOPLE = 40


def create_fixtures(url: str, token: str) -> list[int]:
    """Create departments and shared counters, which may exist, and some users; return the users' ids."""
    for name in DEPARTMENTS:
        _ask(url, token, "PUT", f"departments/{name}", {"name": f"Department {name}", "maxWaitMinutes": 1440})
    for counter, profile in ROVERS.items():
        _ask(url, token, "POST", "branches/main/counters/open", {"counterId": counter, "departments": list(profile)})
    # Without an address: only the workload's mail_share decides how many e-mails there are.
    people = [_ask(url, token, "POST", "users", {"name": f"Person {number}"}) for number in range(_KNOWN_PEOPLE)]
    return [int(person["userId"]) for person in people]


def _ask(url: str, token: str, method: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = Request(f"{url}/api/v1/{path}", json.dumps(body).encode(), headers, method=method)
    with urlopen(request, timeout=10) as answer:
        found: dict[str, Any] = json.load(answer)
        return found
