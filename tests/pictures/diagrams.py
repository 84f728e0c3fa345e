"""The diagrams of the manual, from the code's own tables: ``nox -s diagrams`` (needs Debian's graphviz).

Each file says from which source it was drawn, so that a test finds one that is older than the code.
"""

import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path

from tokenq.contract.enums import TokenState
from tokenq.contract.verbs import VERBS

ROOT = Path(__file__).parents[2]
_LOOK = """
bgcolor="#ffffff" pad=0.25 fontname="DejaVu Sans" fontsize=13
node [shape=box style="rounded,filled" fillcolor="#e6edf9" color="#3d5a8f" fontname="DejaVu Sans" fontsize=13]
edge [color="#3d5a8f" fontname="DejaVu Sans" fontsize=11]
"""
_LAYERS = "Server layers"
_ADAPTERS = ROOT / "tokenq_server" / "adapters"
_OUTSIDE = {
    "postgres": "PostgreSQL",
    "redis": "Redis or Valkey",
    "kafka": "Kafka",
    "channels": "mail server, webhooks",
}


def states() -> str:
    """What may become of a token: the table of verbs; one arrow has all verbs that lead the same way."""
    ways: dict[tuple[str, str], list[str]] = {}
    for verb, row in VERBS.items():
        for source in TokenState:
            if source in row.sources and row.target is not None:
                ways.setdefault((str(source), str(row.target)), []).append(str(verb))
    arrows = [f'{source} -> {target} [label=" {", ".join(verbs)} "]' for (source, target), verbs in ways.items()]
    begin = 'begin [shape=point width=0.15]\nbegin -> WAITING [label=" issue "]'
    return _graph("states", ['rankdir=TB nodesep=0.7 ranksep="0.55"', begin, *map(str, TokenState), *arrows])


def layers() -> str:
    """Which part of the server imports which: the contract that import-linter checks, and what adapters speak to."""
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    (contract,) = [each for each in linter["contracts"] if each["name"] == _LAYERS]
    rows = [row.split(" | ") for row in contract["layers"]]
    lines = ["rankdir=TB ranksep=0.3 nodesep=0.25"]
    for number, row in enumerate(rows):
        lines.append(f'layer{number} [label="{"   |   ".join(row)}" width=4.5]')
    lines += [f"layer{number} -> layer{number + 1}" for number in range(len(rows) - 1)]
    (at,) = [number for number, row in enumerate(rows) if "adapters" in row]
    spoken = [what for name, what in _OUTSIDE.items() if (_ADAPTERS / name).is_dir()]
    outside = "\\n".join(spoken)
    lines.append(f'outside [label="{outside}" style=filled fillcolor="#fdf3d8"]')
    lines.append(f'layer{at} -> outside [label=" adapters speak to " style=dashed constraint=false minlen=3]')
    lines.append(f"{{rank=same; layer{at}; outside}}")
    return _graph("layers", lines)


def _graph(name: str, lines: list[str]) -> str:
    return "\n".join([f"digraph {name} {{{_LOOK}", *lines, "}", ""])


DIAGRAMS: Mapping[str, Callable[[], str]] = {"states.svg": states, "layers.svg": layers}
"""Their files, and the source of each, for graphviz."""


def mark(source: str) -> str:
    """What a file says of its source."""
    return f"<!-- drawn from {sha256(source.encode()).hexdigest()} -->"


def _draw(source: str) -> str:
    dot = shutil.which("dot")
    assert dot, "Install Debian's graphviz."
    drawn = subprocess.run([dot, "-Tsvg"], input=source, capture_output=True, text=True, check=True).stdout
    without_comments = re.sub(r"<!--.*?-->\n?", "", drawn[drawn.index("<svg") :], flags=re.DOTALL)
    return f"{without_comments.rstrip()}\n{mark(source)}\n"


if __name__ == "__main__":
    for name, source in DIAGRAMS.items():
        (ROOT / "docs" / "pictures" / name).write_text(_draw(source()), "utf-8")
