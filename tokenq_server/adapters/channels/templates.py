"""A channel's templates: a folder per kind of notification, with shared layouts beside them."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from tokenq.contract.waits import wait_sentence
from tokenq_server.services.notifications import Job


class Templates:
    """The templates of one folder: ``issued/subject.txt`` is the file ``subject.txt`` of the kind ``issued``."""

    def __init__(self, folder: Path) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(folder),
            autoescape=select_autoescape(("html",)),
            undefined=StrictUndefined,
            auto_reload=False,  # or each letter would ask the disk whether they have changed
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.clear()  # no template needs Jinja's, and each rendering would copy them

    def render(self, job: Job, *files: str) -> list[str]:
        """Render files for a job."""
        context = _context(job)
        return [self._environment.get_template(f"{job.kind}/{file}").render(context) for file in files]


def _context(job: Job) -> dict[str, Any]:
    event, data = job.event, job.event.get("data") or {}
    return {
        "name": job.name,
        "number": event["displayNumber"],
        "department": job.department_name,
        "counter": event.get("counterId"),
        "day": event["businessDay"],
        "position": data.get("position"),
        "wait": _wait(data.get("estimate")),
    }


def _wait(estimate: Any) -> str | None:
    """The promised wait as text."""
    if not isinstance(estimate, dict) or estimate.get("lowMinutes") is None:
        return None
    return wait_sentence(estimate["lowMinutes"], estimate["highMinutes"])
