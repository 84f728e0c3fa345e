"""``tokenq server``: the API and the maintenance of its stores."""

from typing import Any

from tokenq.cli import launch, output
from tokenq.cli.exits import echo
from tokenq.cli.options import Json, Yes
from tokenq.cli.progress import StatusLine
from tokenq.cli.prompts import confirm
from tokenq.cli.tree import plain_app

_PROGRAMS = "tokenq_server.programs"

app = plain_app(help="Run the API, migrate the database, rebuild queues, recover after a restore.")


@app.command()
def start() -> int:
    """Run the HTTP API until stopped. TOKENQ_HOST and TOKENQ_PORT set its address."""
    return launch.program("api")


@app.command()
def migrate(as_json: Json = False) -> None:
    """Migrate the database to this release."""
    with launch.server(_PROGRAMS) as programs:
        revision = programs.migrate()
    if as_json:
        output.document({"program": "migrate", "done": True, "revision": revision})
    else:
        output.line(f"The database is up to date: revision {revision}.")


@app.command()
def rebuild(as_json: Json = False) -> None:
    """Rebuild the queues in Redis from the database."""
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
    return f"{number} waiting"


@app.command()
def rewind(yes: Yes = False, as_json: Json = False) -> int:
    """Recover after restoring an older database: show what it lacks, ask, and reconcile it."""
    with launch.server(_PROGRAMS) as programs:
        with StatusLine() as working:
            working.show("comparing the database with the topic and Redis")
            behind = programs.rewind_look()
        if behind and not as_json:
            _show_behind(behind)
        if behind:
            confirm("Continue the log after these gaps?", yes=yes)
        done = programs.rewind_carry_out() if behind else programs.rewind_lines_only()
    if as_json:
        output.document(done)
    elif behind:
        _show_done(done)
    else:
        output.line("Nothing is missing: neither the topic nor Redis is ahead of the log.")
    if not done["linesRebuilt"]:
        echo("Not all queues were rebuilt: run 'tokenq server rebuild' when Redis is available.")
    return 0


def _show_behind(behind: list[dict[str, Any]]) -> None:
    rows = [
        (row["departmentId"], row["logAt"], row["topicAt"] or None, row["redisAt"] or None, _missing(row))
        for row in behind
    ]
    output.table(("Department", "Log at", "Topic at", "Redis at", "The database lacks"), rows)
    echo("Placeholder entries replace what is missing, and no number is issued twice.")
    echo("Waiting customers are put back in the queue as far as the topic shows them.")
    echo("Notifications that were due go to the dead-letter queue: they may have been sent already.")


def _missing(row: dict[str, Any]) -> str:
    if row["isForked"]:
        return "the topic's events; it has continued differently"
    return f"{max(row['topicAt'], row['redisAt']) - row['logAt']} events"


def _show_done(done: dict[str, Any]) -> None:
    labels = {
        "waitingAgain": "Waiting again",
        "ended": "Ended, according to the topic",
        "toldAgain": "Kept as in the database and published again",
        "notRestored": "Not enough is known: issue new numbers to these customers",
    }
    for name, label in labels.items():
        if done[name]:
            output.line(f"{label}: {', '.join(done[name])}")
    if done["lettersHeld"]:
        output.line(f"Notifications held back: {done['lettersHeld']}; see 'tokenq notify dlq list'.")
    output.line("Done. Start the API, the relay and notify.")
