"""``tokenq server``: the API and the upkeep of its stores."""

from typing import Any

from tokenq.cli import launch, output
from tokenq.cli.exits import echo
from tokenq.cli.options import Json, Yes
from tokenq.cli.progress import Working
from tokenq.cli.prompts import confirm
from tokenq.cli.tree import plain_app

_PROGRAMS = "tokenq_server.programs"

app = plain_app(help="Run the API, migrate the database, rebuild the waiting lines, mend a restored database.")


@app.command()
def start() -> int:
    """Run the HTTP API until it is told to stop. TOKENQ_HOST and TOKENQ_PORT say where."""
    return launch.program("api")


@app.command()
def migrate(as_json: Json = False) -> None:
    """Bring the database's tables up to date."""
    with launch.server(_PROGRAMS) as programs:
        revision = programs.migrate()
    if as_json:
        output.document({"program": "migrate", "done": True, "revision": revision})
    else:
        output.line(f"The tables are up to date: revision {revision}.")


@app.command()
def rebuild(as_json: Json = False) -> None:
    """Fill the waiting lines in Redis anew from the database."""
    with launch.server(_PROGRAMS) as programs:
        waiting: dict[str, int] = programs.rebuild()
    if as_json:
        departments = [{"departmentId": name, "waiting": number} for name, number in waiting.items()]
        output.document({"program": "rebuild", "done": True, "departments": departments})
    elif waiting:
        output.line("; ".join(f"{name}: {_wait(number)}" for name, number in waiting.items()) + ".")
    else:
        output.line("There is no department yet.")


def _wait(number: int) -> str:
    return {0: "nobody waits", 1: "1 waits"}.get(number, f"{number} wait")


@app.command()
def rewind(yes: Yes = False, as_json: Json = False) -> int:
    """After a restore of an older database: show what others know beyond it, ask, and mend it."""
    with launch.server(_PROGRAMS) as programs:
        with Working() as working:
            working.tell("what the topic and Redis know")
            found = programs.rewind_look()
        if found and not as_json:
            _show_behind(found)
        if found:
            confirm("Let the database go on past all of this?", yes=yes)
        done = programs.rewind_carry_out() if found else programs.rewind_lines_only()
    if as_json:
        output.document(done)
    elif found:
        _show_done(done)
    else:
        output.line("Nothing is missing: neither the topic nor Redis is ahead of the log.")
    if not done["linesRebuilt"]:
        echo("The waiting lines were not all filled anew: run 'tokenq server rebuild' when Redis answers.")
    return 0


def _show_behind(found: list[dict[str, Any]]) -> None:
    rows = [
        (one["departmentId"], one["logAt"], one["topicAt"] or None, one["redisAt"] or None, _lack(one)) for one in found
    ]
    output.table(("Department", "Log at", "Topic at", "Redis at", "The database lacks"), rows)
    echo("Entries take the place of what is missing, and no number is given twice.")
    echo("Who waited is put back in line as far as the topic tells.")
    echo("Letters that were due wait in the dead-letter queue: they may have been sent already.")


def _lack(one: dict[str, Any]) -> str:
    if one["isForked"]:
        return "what the topic tells; it went on otherwise"
    return f"{max(one['topicAt'], one['redisAt']) - one['logAt']} events"


def _show_done(done: dict[str, Any]) -> None:
    said = {
        "waitingAgain": "Waiting again",
        "ended": "Over, as the topic tells",
        "toldAgain": "As the database has it; readers are told",
        "notRestored": "Not known well enough: give these people new numbers",
    }
    for name, words in said.items():
        if done[name]:
            output.line(f"{words}: {', '.join(done[name])}")
    if done["lettersHeld"]:
        output.line(f"Letters held: {done['lettersHeld']}; see 'tokenq notify dlq list'.")
    output.line("Done. Start the API, the relay and notify.")
