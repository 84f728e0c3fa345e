"""The manual pages, made of the same commands as the help."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

_ABOUT = "queues for places where people take a number and wait"


def pages(root: Any) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each page: ``tokenq.1``, ``tokenq-issue.1`` and so on, with their subcommands."""
    context = root.make_context("tokenq", [], resilient_parsing=True)
    names = list(root.list_commands(context))
    commands = {name: root.get_command(context, name) for name in names}
    yield "tokenq.1", _page("tokenq", _ABOUT, "tokenq COMMAND ...", _overview(commands))
    for name, command in commands.items():
        yield f"tokenq-{name}.1", _command_page(context, name, command)


def write(root: Any, folder: Path) -> list[Path]:
    """Write the pages into a folder and return them. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in pages(root):
        path = folder / name
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def _page(name: str, about: str, usage: str, *sections: str) -> str:
    title = name.replace(" ", "-")
    head = f'.TH "{_escaped(title.upper())}" 1 "" "tokenq" "tokenq"'
    what = f".SH NAME\n{_escaped(title)} \\- {_escaped(about)}"
    return f"{head}\n{what}\n.SH SYNOPSIS\n.B {_escaped(usage)}\n{''.join(sections)}"


def _overview(commands: dict[str, Any]) -> str:
    rows = "".join(_row(name, command.help or "") for name, command in commands.items())
    return f".SH COMMANDS\n{rows}.PP\nEach command has a page of its own, such as\n.BR tokenq-issue (1).\n"


def _command_page(parent: Any, name: str, command: Any) -> str:
    context = command.make_context(name, [], parent=parent, resilient_parsing=True)
    inner = getattr(command, "commands", None)
    usage = f"tokenq {name} COMMAND ..." if inner else _usage(f"tokenq {name}", command, context)
    parts = [_text(command.help), _parameters(command, context)]
    for child_name in inner or ():
        child = command.get_command(context, child_name)
        below = child.make_context(child_name, [], parent=context, resilient_parsing=True)
        title = _usage(f"tokenq {name} {child_name}", child, below)
        parts += [f".SH {_escaped(child_name.upper())}\n.B {_escaped(title)}\n", _text(child.help), _rows(child, below)]
    return _page(f"tokenq {name}", _first_sentence(command.help), usage, *parts)


def _usage(name: str, command: Any, context: Any) -> str:
    return f"{name} {' '.join(command.collect_usage_pieces(context))}"


def _text(text: str | None) -> str:
    paragraphs = (text or "").strip().split("\n\n")
    return "".join(f".PP\n{_escaped(' '.join(paragraph.split()))}\n" for paragraph in paragraphs)


def _parameters(command: Any, context: Any) -> str:
    rows = _rows(command, context)
    return f".SH OPTIONS\n{rows}" if rows else ""


def _rows(command: Any, context: Any) -> str:
    records = [parameter.get_help_record(context) for parameter in command.get_params(context)]
    return "".join(_row(*record) for record in records if record)


def _row(name: str, about: str) -> str:
    return f".TP\n.B {_escaped(name.strip())}\n{_escaped(' '.join(about.split()))}\n"


def _first_sentence(text: str | None) -> str:
    return " ".join((text or "").split()).partition(". ")[0].rstrip(".")


def _escaped(text: str) -> str:
    """Return text as roff shows it: backslashes, hyphens that can be copied, and no line that is a request."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped[:1] in (".", "'") else escaped
