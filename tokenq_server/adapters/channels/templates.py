"""A channel's templates: a folder per kind of notification, with shared layouts beside them.

Their sentences are collected for translators (``nox -s locale``). A folder of one's own comes before ours, file by
file; in it, a folder named by a language comes before the others.
"""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined, select_autoescape

from tokenq.locale import texts
from tokenq.locale.counters import counter_in
from tokenq.locale.waits import wait_sentence
from tokenq_server.services.notifications import Job


class Templates:
    """The templates of one folder: ``issued/subject.txt`` is the file ``subject.txt`` of the kind ``issued``."""

    def __init__(self, folder: Path, own: Path | None = None) -> None:
        """``own`` is the folder that comes first, which need not exist."""
        self._folder, self._own = folder, own
        self._environment = cache(self._made_for)

    def render(self, job: Job, *files: str) -> list[str]:
        """Render files for a job, in its language."""
        environment, context = self._environment(job.language), _context(job)
        return [environment.get_template(f"{job.kind}/{file}").render(context) for file in files]

    def _made_for(self, language: str) -> Environment:
        own = [self._own / language, self._own] if self._own else []
        environment = Environment(
            loader=ChoiceLoader([FileSystemLoader(folder) for folder in (*own, self._folder)]),
            autoescape=select_autoescape(("html",)),
            undefined=StrictUndefined,
            auto_reload=False,  # or each letter would ask the disk whether they have changed
            trim_blocks=True,
            lstrip_blocks=True,
        )
        spoken = texts(language)
        environment.globals |= {
            "gettext": spoken.gettext,
            "ngettext": spoken.ngettext,
            "language": language,
            "direction": "rtl" if spoken.is_right_to_left else "ltr",
        }
        return environment


def _context(job: Job) -> dict[str, Any]:
    event, data = job.event, job.event.get("data") or {}
    return {
        "name": job.name,
        "number": event["displayNumber"],
        "department": job.department_name,
        "counter": counter_in(job.language, event.get("counterId") or "", job.counter_words),
        "day": event["businessDay"],
        "position": data.get("position"),
        "wait": _wait(data.get("estimate"), job.language),
    }


def _wait(estimate: Any, language: str) -> str | None:
    """The promised wait as text."""
    if not isinstance(estimate, dict) or estimate.get("lowMinutes") is None:
        return None
    return wait_sentence(estimate["lowMinutes"], estimate["highMinutes"], texts(language))
