"""The previous release and this one, and floors on which they run together."""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.servers import Servers
from tests.skew.releases import Client, Floor, Release, open_floor

_NOT_NAMED = "TOKENQ_SKEW_OLD does not name the 'tokenq' of the previous release. Run: nox -s skew"


@dataclass(frozen=True)
class Pair:
    """The server's release and the client's."""

    server: Release
    client: Release


@pytest.fixture(scope="session")
def old() -> Release:
    """The previous release, installed by ``nox -s skew``."""
    program = Path(os.environ.get("TOKENQ_SKEW_OLD", ""))
    if not program.is_file():
        pytest.fail(_NOT_NAMED)
    _refuse_this_tree(program)
    return Release("old", program)


def _refuse_this_tree(program: Path) -> None:
    """The old one must not import the new one's code."""
    asked = [program.with_name("python"), "-P", "-c", "import tokenq; print(tokenq.__file__)"]
    found = subprocess.run(asked, cwd="/", capture_output=True, text=True, check=True, env={}).stdout.strip()
    assert Path(found).is_relative_to(program.parents[1]), f"{program} runs {found}"


@pytest.fixture(scope="session")
def new() -> Release:
    """This release."""
    return Release("new", Path(sys.executable).with_name("tokenq"))


DIRECTIONS = ["old_client_new_server", "new_client_old_server"]


def _grouped(directions: Iterable[str]) -> list[Any]:
    return [pytest.param(direction, marks=pytest.mark.xdist_group(direction)) for direction in directions]


def only(direction: str) -> pytest.MarkDecorator:
    """Run a test in one direction."""
    return pytest.mark.parametrize("pair", _grouped([direction]), indirect=True)


@pytest.fixture(scope="session", params=_grouped(DIRECTIONS))
def pair(request: pytest.FixtureRequest, old: Release, new: Release) -> Pair:
    """Both directions."""
    return Pair(server=new, client=old) if request.param == DIRECTIONS[0] else Pair(server=old, client=new)


@pytest.fixture(scope="session")
def floor(pair: Pair, servers: Servers) -> Iterator[Floor]:
    """Tables, API and relay of the server's release. Create your own departments on it."""
    with open_floor(servers) as opened:
        opened.open_api(pair.server)
        opened.launch(pair.server, "relay")
        yield opened


@pytest.fixture
def client(pair: Pair, floor: Floor, tmp_path: Path) -> Client:
    """The command line of the client's release, with its own home."""
    return Client(pair.client, floor, pair.server, tmp_path)


@pytest.fixture
def native(pair: Pair, client: Client) -> Client:
    """The command line of the server's own release."""
    return replace(client, release=pair.server)
