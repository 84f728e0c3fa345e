"""Writes the template of all message catalogues from the rows of refusals and the sentences of actions.

    python deploy/locale/template.py [FILE]

A new language begins as ``pybabel init -i tokenq/locale/tokenq.pot -d tokenq/locale -D tokenq -l de``.
"""

import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

from tokenq.cli import reasons as _cli  # noqa: F401 - its rows count once they are imported
from tokenq.contract.advice import Action
from tokenq.contract.problems import reasons
from tokenq.locale import DOMAIN, FOLDER
from tokenq_server.embedded import reasons as _embedded  # noqa: F401


def template() -> Catalog:
    """Every sentence, with the place that it is said in."""
    catalogue = Catalog(project=DOMAIN, header_comment="# The sentences of tokenq. Made by: nox -s locale")
    for reason in reasons():
        for sentence in reason.templates:
            catalogue.add(sentence, auto_comments=[reason.id])
    for action in Action:
        catalogue.add(action.sentence, auto_comments=[f"action {action}; {{how}} is a command or a key"])
    return catalogue


def write(path: Path) -> None:
    """Write it without anything that changes from day to day."""
    with path.open("wb") as file:
        write_po(file, template(), width=100, omit_header=True, sort_output=False)


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER / f"{DOMAIN}.pot")
