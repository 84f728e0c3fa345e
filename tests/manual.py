"""The examples of README and manual: commands behind ``$``, further lines of them behind ``>``, and what they print.

A line ``…`` stands for any lines, and ``…`` within a line for any text. Blanks at a line's end do not count, and of
times, process ids, milliseconds and estimated waits only the form does.
"""

import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from types import MappingProxyType

from tests.waiting import until

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
_CONTINUED = re.compile("> |>$")
_INCLUDED = re.compile(r"^<!-- (examples/\S+) -->\n+```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_LOOSE = (
    (r"\b\d\d:\d\d(:\d\d)?\b", "TIME"),
    (r"\b\d{4}-\d\d-\d\d\b", "DAY"),
    (r"\(process \d+\)", "(process N)"),
    (r"\b\d+ ms\b", "N ms"),
    (r"\b[\d.]+-[\d.]+ (min|h)\b", "WAIT"),
)

_READ = ("tokenq why", "tokenq queue", "tokenq next", "tokenq status")
_ESTIMATE_SECONDS = 10.0
"""How long the manual's reader may look again until an estimate is as of now."""
_TYPING_SECONDS = 3.0
"""Nobody types as fast as this test; estimates follow the counters within a second or two."""


@dataclass(frozen=True)
class Example:
    """A command as printed, and the lines that follow it."""

    command: str
    shown: str

    def is_met_by(self, said: str) -> bool:
        """Whether the command has printed this."""
        lines = [r"(?:.*\n)*" if line == "…" else _line(line) for line in _loosely(self.shown).splitlines()]
        return re.fullmatch("".join(lines), _loosely(said)) is not None

    def is_exactly(self, said: str) -> bool:
        """Whether it has printed this to the letter; ``…`` stands for anything, also for several lines."""
        parts = (re.escape(part) for part in self.shown.strip().split("…"))
        return re.fullmatch(".*".join(parts), said.strip(), re.DOTALL) is not None


def examples(page: str) -> list[Example]:
    """All examples of a page, in order."""
    found = []
    text = (ROOT / page).read_text("utf-8")
    for block in re.findall(r"^```console\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        assert block.startswith("$ "), block
        for part in block.removeprefix("$ ").split("\n$ "):
            first, *rest = part.splitlines()
            typed_too = list(takewhile(_CONTINUED.match, rest))
            command = "\n".join([first, *(line[2:] for line in typed_too)])
            found.append(Example(command.strip(), "\n".join(rest[len(typed_too) :])))
    return found


def follow(
    page: str, folder: Path, settings: Mapping[str, str], names: Mapping[str, str] = MappingProxyType({})
) -> Iterator[str]:
    """Type all commands of a page, and yield a complaint about each that prints something else.

    ``names`` are what the manual calls a place or an address, and what it is here.
    """
    for example in examples(page):
        command = example.command
        for called, real in names.items():
            command = command.replace(called, real)
        if "WAIT" in _loosely(example.shown) and not command.startswith(_READ):
            time.sleep(_TYPING_SECONDS)
        said = typed(Example(command, example.shown), folder, settings)
        deadline = time.monotonic() + _ESTIMATE_SECONDS
        while command.startswith(_READ) and not example.is_met_by(said) and time.monotonic() < deadline:
            said = typed(Example(command, example.shown), folder, settings)
        for called, real in names.items():
            said = said.replace(real, called)
        if not example.is_met_by(said):
            yield f"$ {example.command}\n--- in {page}\n{example.shown}\n--- printed\n{said}"


def typed(example: Example, folder: Path, settings: Mapping[str, str]) -> str:
    """What a shell in that folder prints; what runs until Ctrl-C gets one when it has printed all of it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TOKENQ_", "XDG_"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    own = {"NO_COLOR": "1", "COLUMNS": "240", "HOME": str(folder), "PATH": path}
    printed = folder / "printed"
    with printed.open("wb") as output:
        shell = subprocess.Popen(
            ["bash", "-c", example.command],
            cwd=folder,
            env=kept | own | settings,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            process_group=0,
        )
    if "Ctrl-C" in example.shown:
        until(lambda: example.is_met_by(printed.read_text("utf-8")), lambda: printed.read_text("utf-8"))
        os.killpg(shell.pid, signal.SIGINT)
    shell.wait(100)
    return printed.read_text("utf-8")


def _loosely(text: str) -> str:
    for pattern, word in _LOOSE:
        text = re.sub(pattern, word, text)
    return "".join(re.sub(r"  +", "  ", line.rstrip()) + "\n" for line in text.strip().splitlines())


def _line(shown: str) -> str:
    return ".*".join(map(re.escape, shown.split("…"))) + "\n"


def play(page: str, environment: Mapping[str, str], folder: Path) -> None:
    """Run all commands of a page in one bash, which keeps its variables; what is printed must be exactly the page's."""
    mark = f"--{secrets.token_hex(8)}--"
    script = "".join(f"{example.command}\necho '{mark}'\n" for example in examples(page))
    done = subprocess.run(
        ["bash"],
        input=script,
        cwd=folder,
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=100,
        check=False,
    )
    outputs = done.stdout.split(f"{mark}\n")[:-1]
    for example, output in zip(examples(page), outputs, strict=True):
        says = f"is not what {page} says:\n{example.shown}"
        assert example.is_exactly(output), f"$ {example.command}\n{output}\n{says}"


def included_in(page: Path) -> dict[str, str]:
    """Return the files of ``examples`` that a page shows, by name, with the text that it shows."""
    return dict(_INCLUDED.findall(page.read_text("utf-8")))
