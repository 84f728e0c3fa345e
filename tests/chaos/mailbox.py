"""What the mail server accepted, compared with the queue: M1, M2, M3 and M6."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenq_server.domain.invariants.tally import Tally


@dataclass(frozen=True)
class Delivery:
    """One completed DATA: ``reply`` is the server's, ``cut`` means that the sender never read it."""

    message_id: str
    rcpt: tuple[str, ...]
    reply: int
    cut: bool


def read_deliveries(path: Path) -> list[Delivery]:
    """The server's log, in order."""
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.endswith("}")]
    return [Delivery(line["messageId"], tuple(line["rcpt"]), line["reply"], line.get("cut", False)) for line in lines]


def check_mailbox(
    deliveries: Sequence[Delivery], jobs: Sequence[Mapping[str, Any]], tally: Tally, doubted: int = 0
) -> None:
    """``jobs`` are the rows of the queue.

    ``doubted`` is how many e-mails the harness itself may have duplicated, besides those that the server cut off.
    """
    by_id = {f"{job['department_id']}.{job['seq']}.{job['kind']}": job for job in jobs}
    taken = [delivery for delivery in deliveries if delivery.reply // 100 == 2]
    times, cuts = Counter(map(_name, taken)), Counter(_name(delivery) for delivery in taken if delivery.cut)
    for name, job in by_id.items():
        _check_job(name, job, times[name], cuts[name], tally)
    _check_repeats(times, cuts, doubted, tally)
    for delivery in taken:
        job = by_id.get(_name(delivery))
        where = job["department_id"] if job else ""
        tally.check("M2", where, job is not None, f"{delivery.message_id} was sent, and is in no queue.")
        if job is not None:
            is_right = delivery.rcpt == (job["recipient"],)
            tally.check("M6", where, is_right, f"{delivery.message_id} went to {', '.join(delivery.rcpt)}.")
    _check_order(taken, by_id, tally)


def _check_job(name: str, job: Mapping[str, Any], times: int, cuts: int, tally: Tally) -> None:
    if job["state"] == "sent":
        sentence = f"Letter {name} counts as sent, and the server never took it."
        tally.check("M1", job["department_id"], times > 0, sentence)
    allowed = 1 + max(job["ambiguous"], cuts)
    sentence = f"Letter {name} was taken {times} times, and notify knows of {allowed}."
    tally.check("M2", job["department_id"], times <= allowed, sentence)


def _check_repeats(times: Mapping[str, int], cuts: Mapping[str, int], doubted: int, tally: Tally) -> None:
    """Notify's own count explains nothing: a lease that is too short raises it too."""
    again = {name: over for name, count in times.items() if (over := count - 1 - cuts[name]) > 0}
    some = ", ".join(list(again)[:5])
    sentence = f"{sum(again.values())} letters came again, where the faults explain {doubted}: {some}."
    tally.check("M2", "", sum(again.values()) <= doubted, sentence)


def _check_order(taken: Sequence[Delivery], by_id: Mapping[str, Mapping[str, Any]], tally: Tally) -> None:
    first: dict[int, dict[str, int]] = defaultdict(dict)
    for index, delivery in enumerate(taken):
        if job := by_id.get(_name(delivery)):
            first[job["token_id"]].setdefault(job["kind"], index)
    for token_id, kinds in first.items():
        if "issued" in kinds and "served" in kinds:
            sentence = f"Token {token_id}: the letter 'served' came before 'issued'."
            tally.check("M3", "", kinds["issued"] < kinds["served"], sentence)


def _name(delivery: Delivery) -> str:
    return delivery.message_id.strip("<>").rpartition("@")[0]
