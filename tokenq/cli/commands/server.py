"""``tokenq server``: the API and the upkeep of its stores."""

from tokenq.cli import launch, output
from tokenq.cli.options import Json
from tokenq.cli.tree import plain_app

app = plain_app(help="Run the API, migrate the database, rebuild the waiting lines.")


@app.command()
def start() -> int:
    """Run the HTTP API until it is told to stop. TOKENQ_HOST and TOKENQ_PORT say where."""
    return launch.program("api")


@app.command()
def migrate(as_json: Json = False) -> int:
    """Bring the database's tables up to date."""
    return _once("migrate", as_json=as_json)


@app.command()
def rebuild(as_json: Json = False) -> int:
    """Fill the waiting lines in Redis anew from the database."""
    return _once("rebuild", as_json=as_json)


def _once(name: str, *, as_json: bool) -> int:
    code = launch.program(name)
    if as_json:
        output.document({"program": name, "done": code == 0})
    elif code == 0:
        output.line("Done.")
    return code
