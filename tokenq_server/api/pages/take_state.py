"""What the page shows where people take numbers."""

from typing import Any

from tokenq.contract.enums import SelfService
from tokenq.contract.views import QueueView
from tokenq.locale import texts
from tokenq.locale.waits import estimated
from tokenq_server.api.pages.texts import choices, language_for, take_texts
from tokenq_server.bootstrap import Services
from tokenq_server.domain.principal import visitor


async def take_state(services: Services, branch_id: str, wanted: str | None, accepted: str) -> dict[str, Any]:
    """Return the departments of a branch that give numbers to visitors, in the best language. Raises Refused."""
    branch = await services.setup.branch(branch_id)
    language = language_for(wanted, accepted, branch["languages"])
    reader = visitor("")
    departments = [
        _department(await services.reading.queue(each["departmentId"], reader, 1), language)
        for each in await services.setup.departments()
        if each["branchId"] == branch_id and each["selfService"] == SelfService.ON
    ]
    return {
        "branch": branch["name"],
        "departments": departments,
        "languages": choices(),
        "texts": take_texts(language),
    }


def _department(queue: QueueView, language: str) -> dict[str, Any]:
    return {
        "id": queue["departmentId"],
        "name": queue["name"],
        "isOpen": queue["opening"]["isOpen"],
        "waiting": queue["counts"]["waiting"],
        "wait": estimated(queue["estimate"], texts(language)),
    }
