"""The command tree: names and help texts come from the menu, a command's module is loaded when it runs."""

import importlib
import re
from difflib import get_close_matches
from itertools import pairwise
from typing import Any, cast

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption
from typer.main import get_command

from tokenq.cli.completion import completer_of
from tokenq.cli.context import remember_options, use_key
from tokenq.cli.exits import IDEMPOTENCY_KEY, WrongUse
from tokenq.cli.menu import ENTRIES, SECTIONS, Entry
from tokenq.contract.names import DEPARTMENT_ID
from tokenq.contract.numbers import readings, typed_id
from tokenq.contract.problems import Problem, ProblemCode, Refused
from tokenq.contract.reasons.queue import DepartmentReason
from tokenq.contract.verbs import VERBS, Verb

_STYLE: dict[str, Any] = {
    "add_completion": False,
    "rich_markup_mode": None,
    "pretty_exceptions_enable": False,
}


class Command(TyperCommand):
    """A command of the menu. Commands with a TOKEN argument accept ``--id 101`` for ``id:101``.

    Commands that change tokens take ``--idempotency-key``, which the message after a lost connection tells to add.
    Where a department's id belongs, its name is accepted: the id is looked up once it is clear that the text is no id.
    """

    def __init__(self, name: str | None, *, params: list[Any] | None = None, **settings: Any) -> None:
        changes_tokens = name in _CHANGES_TOKENS
        super().__init__(name, params=[*(params or ()), *([_key_option()] if changes_tokens else [])], **settings)
        for param in self.params:
            _complete(param)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments. Raises WrongUse."""
        use_key(None)
        if option := _MAY_BE_EMPTY.get(self.name or ""):
            args = _with_empty_values(args, option)
        id_options = [word for word in args if word.partition("=")[0] == "--id"]
        if any("TOKEN" in (param.metavar or "") for param in self.params if param.param_type_name == "argument"):
            args = _ids_as_arguments(args)
        option_of_address = _OPTION_OF_ADDRESS.get(self.name or "")
        ctx.allow_extra_args = bool(option_of_address)
        rest = super().parse_args(ctx, args)
        if option_of_address and rest:
            hint = f"Write {option_of_address} {rest[0]}." if "@" in rest[0] else _help_of(ctx)
            raise WrongUse(f"{rest[0]} needs an option before it.", hint)
        if 0 < len(id_options) < len(ctx.params.get("tokens") or ()):
            raise WrongUse("--id cannot be combined with a number.", "Type id:101 instead.")
        return rest

    def invoke(self, ctx: Any) -> Any:
        """Run the command; if it was refused because a department was given by its name, run it again with the id.

        Raises:
            Refused: among others, ``unknown_department`` and ``ambiguous`` if the name means none or several.
        """
        remember_options(_typed_options(ctx, self.params))
        departments = [param for param in self.params if "DEPT" in (param.metavar or "")]
        typed = {str(param.name): ctx.params[param.name] for param in departments}
        if any(_is_name(param, ctx.params[param.name]) for param in departments):
            from tokenq.cli.department_names import ids_of

            ctx.params.update(ids_of(typed))
            return super().invoke(ctx)
        try:
            return super().invoke(ctx)
        except Refused as refusal:
            if not departments or not _may_be_a_name(refusal.problem):
                raise
            from tokenq.cli.department_names import ids_after

            ctx.params.update(ids_after(refusal, typed))
        return super().invoke(ctx)


class _App(typer.Typer):
    """A group of commands of the menu."""

    def command(self, name: str | None = None, **settings: Any) -> Any:
        """Add a command, as in Typer."""
        return super().command(name, **{"cls": Command, **settings})


def _complete(param: Any) -> None:
    """Let the shell complete a parameter whose values the server knows."""
    if completer := completer_of(param.metavar):
        from typer.core import CompletionItem  # type: ignore[attr-defined]

        param._custom_shell_complete = lambda _context, _param, typed: [
            CompletionItem(word, help=about) for word, about in completer(typed)
        ]


def plain_app(**settings: Any) -> typer.Typer:
    """Return a Typer app without rich: plain text starts up in a third of the time."""
    return _App(**{**_STYLE, **settings})


def _may_be_a_name(problem: Problem) -> bool:
    """Whether nothing was done because of a department. Staff of some departments may not try unknown ones."""
    is_not_theirs = problem.reason in (DepartmentReason.NOT_YOURS.id, DepartmentReason.MAY_NOT_ISSUE.id)
    return is_not_theirs or problem.code is ProblemCode.UNKNOWN_DEPARTMENT


def _typed_options(ctx: Any, params: list[Any]) -> list[str]:
    """The options that were typed, with their values."""
    words: list[str] = []
    for param in params:
        source = ctx.get_parameter_source(param.name)
        if not param.expose_value or param.param_type_name != "option" or not source or source.name != "COMMANDLINE":
            continue
        value = ctx.params.get(param.name)
        if isinstance(value, bool):
            words.append(param.opts[0])
        else:
            words.extend(f"{param.opts[0]}={each}" for each in (value if isinstance(value, list) else [value]))
    return words


def _is_name(param: Any, value: Any) -> bool:
    """Whether a department, or one of several, cannot be an id: the server need not be asked for it."""
    for typed in filter(None, value if isinstance(value, list) else [value]):
        is_token = "TOKEN" in param.metavar and (readings(typed) or typed_id(typed) is not None)
        if not is_token and not re.match(DEPARTMENT_ID, typed.strip().upper()):
            return True
    return False


_MAY_BE_EMPTY = {"board": "--server"}
"""Options, by command, that may stand without their value: at the end, or before another option."""


_OPTION_OF_ADDRESS = {"erase": "--email"}
"""Commands to which an e-mail address may be given without the option that it needs; the answer names it."""


def _help_of(ctx: Any) -> str:
    return f"Try '{ctx.command_path} --help'."


def _with_empty_values(args: list[str], option: str) -> list[str]:
    """Give an option that stands without its value an empty one."""
    return [f"{word}=" if word == option and then[:1] == "-" else word for word, then in pairwise([*args, "-"])]


_CHANGES_TOKENS = frozenset({"issue", *Verb})


def _key_option() -> TyperOption:
    return TyperOption(
        param_decls=[IDEMPOTENCY_KEY],
        metavar="KEY",
        help="Makes it safe to repeat: with the same key it takes effect only once.",
        expose_value=False,
        callback=lambda _context, _option, typed: use_key(_checked_key(typed)),
    )


def _checked_key(typed: str | None) -> str | None:
    """Return the idempotency key. Raises WrongUse."""
    if typed is not None and not typed.strip():
        raise WrongUse(f"{IDEMPOTENCY_KEY} needs a key.", "Leave it out for a new command.")
    return typed


def _ids_as_arguments(args: list[str]) -> list[str]:
    read: list[str] = []
    rest = iter(args)
    for word in rest:
        name, _, value = word.partition("=")
        if name != "--id":
            read.append(word)
        elif (token_id := value or next(rest, "")).isascii() and token_id.isdigit():
            read.append(f"id:{token_id}")
        else:
            raise WrongUse(
                f"'{token_id}' is not a token id." if token_id else "--id needs a token id.", "Type --id 101."
            )
    return read


class Menu(TyperGroup):
    """The top of the tree; knows every name, but loads only the command that runs."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for entry in ENTRIES.values():
            self.commands[entry.name] = TyperCommand(entry.name, help=entry.help, rich_markup_mode=None)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - the base class passes it
        """Load and return the command; ``None`` if the menu has no such name."""
        entry = ENTRIES.get(cmd_name)
        if entry is None:
            return None
        command = get_command(_app_of(entry))
        command.name = entry.name
        return command

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that ``args`` begin with.

        Raises:
            WrongUse: there is no such command; the hint suggests similar names.
        """
        if args and args[0] not in ENTRIES and not args[0].startswith("-"):
            similar = get_close_matches(args[0], ENTRIES, n=3)
            hint = f"Did you mean {' or '.join(repr(name) for name in similar)}?" if similar else "Try 'tokenq --help'."
            raise WrongUse(f"There is no command '{args[0]}'.", hint)
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Show the menu if there are no arguments."""
        return super().parse_args(ctx, args or ["--help"])

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the menu, one section per kind of user."""
        formatter.write_usage("tokenq", "COMMAND ...")
        formatter.write_paragraph()
        formatter.write_text("Queues for places where people take a number and wait.")
        width = max(map(len, ENTRIES))
        for title, entries in SECTIONS:
            with formatter.section(title):
                formatter.write_dl([(entry.name.ljust(width), entry.help) for entry in entries])
        with formatter.section("Options"):
            formatter.write_dl(
                [record for parameter in self.get_params(ctx) if (record := parameter.get_help_record(ctx))]
            )
        formatter.write_paragraph()
        formatter.write_text("See 'tokenq COMMAND --help' for details. To try it out, run 'tokenq up --demo'.")


def _app_of(entry: Entry) -> typer.Typer:
    """Return a command's app: from its module or, for a plain verb, from the table of verbs."""
    if entry.name in set(Verb) and VERBS[Verb(entry.name)].is_plain and entry.name != Verb.SERVE:
        from tokenq.cli.verb_command import command_of

        run = command_of(Verb(entry.name))
    else:
        module = importlib.import_module(f"tokenq.cli.commands.{entry.module}")
        if app := getattr(module, "app", None):
            return cast(typer.Typer, app)
        run = module.command
    app = plain_app()
    app.command(entry.name)(run)
    return app


def root() -> TyperGroup:
    """Return the whole command tree."""
    app = typer.Typer(
        **{**_STYLE, "add_completion": True},
        cls=Menu,
        name="tokenq",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    command = get_command(app)
    assert isinstance(command, TyperGroup)
    return command


_JSON = "tokenq.version_as_json"


def _note_json(context: typer.Context, is_given: bool) -> None:
    context.meta[_JSON] = is_given


def _show_version(context: typer.Context, is_given: bool) -> None:
    as_json = bool(context.meta.get(_JSON))
    if is_given:
        from tokenq.cli import versions

        versions.show(as_json=as_json)
        raise typer.Exit
    if as_json:
        raise WrongUse("--json comes after the command.", "For example: tokenq queue CW --json")


def _root(
    _version: bool = typer.Option(
        False,
        "--version",
        help="Show the version; with --json, of all parts.",
        callback=_show_version,
        expose_value=False,
    ),
    _json: bool = typer.Option(False, "--json", hidden=True, is_eager=True, callback=_note_json, expose_value=False),
) -> None:
    """Queues for places where people take a number and wait."""
