"""The examples of a manual, run as they are printed: its fenced ``console`` blocks, in order, in one bash.

A line that begins with ``$`` is typed, further ones that begin with ``>`` belong to it; what follows is what it prints
(stdout and stderr). ``…`` stands for anything, a line ``…`` for any lines.
"""

import re
import secrets
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_CONTINUED = re.compile("> |>$")
_INCLUDED = re.compile(r"^<!-- (examples/\S+) -->\n+```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Example:
    """A command and what the manual says that it prints."""

    command: str
    printed: str

    def fits(self, output: str) -> bool:
        """Whether a real output is what the manual says."""
        parts = (re.escape(part) for part in self.printed.strip().split("…"))
        return re.fullmatch(".*".join(parts), output.strip(), re.DOTALL) is not None


def examples_in(manual: Path) -> list[Example]:
    """Return the commands of a manual with their outputs."""
    found: list[Example] = []
    for block in _BLOCK.findall(manual.read_text("utf-8")):
        for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            first, *rest = step.splitlines()
            typed = next((number for number, line in enumerate(rest) if not _CONTINUED.match(line)), len(rest))
            command = "\n".join([first, *(line[2:] for line in rest[:typed])])
            found.append(Example(command, "\n".join(rest[typed:])))
    return found


def play(manual: Path, environment: Mapping[str, str], folder: Path) -> None:
    """Run all commands of a manual in this folder; what is printed must be what the manual says."""
    examples = examples_in(manual)
    mark = f"--{secrets.token_hex(8)}--"
    script = "".join(f"{example.command}\necho '{mark}'\n" for example in examples)
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
    for example, output in zip(examples, outputs, strict=True):
        says = f"is not what {manual.name} says:\n{example.printed}"
        assert example.fits(output), f"$ {example.command}\n{output}\n{says}"


def included_in(manual: Path) -> dict[str, str]:
    """Return the files of ``examples`` that a manual shows, by name, with the text that it shows."""
    return dict(_INCLUDED.findall(manual.read_text("utf-8")))
