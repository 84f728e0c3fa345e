"""``tokenq server``: the API and the upkeep of its stores."""

from tokenq.cli import launch
from tokenq.cli.tree import plain_app

app = plain_app(help="Run the API, migrate the database, rebuild the waiting lines.")


@app.command()
def start() -> int:
    """Run the HTTP API until it is told to stop. TOKENQ_HOST and TOKENQ_PORT say where."""
    return launch.program("api")


@app.command()
def migrate() -> int:
    """Bring the database's tables up to date."""
    return launch.program("migrate")


@app.command()
def rebuild() -> int:
    """Fill the waiting lines in Redis anew from the database."""
    return launch.program("rebuild")
