"""What clients saw, compared with the stores: N4 to N7, S1, S2 and S6."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.chaos.history import Operation
from tokenq_server.domain.invariants.tally import Tally

RULES = {
    "N4": "Whoever was answered before another one asked has the lower number.",
    "N5": "What was acknowledged is there.",
    "N6": "Nobody is there who did not ask, and nobody twice.",
    "N7": "A key gives one token and one answer, to the byte; with another body it is refused.",
    "S1": "No two counters are told that they have the same person.",
    "S2": "Nobody is handed out to be served twice; whoever is told to be served is.",
    "S6": "Who acts on an old view of a token is refused.",
}

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Dump:
    """The ledger at the end: tokens by id, stored responses by key, and the tokens that were ever served."""

    tokens: Mapping[int, Row]
    remembered: Mapping[str, Mapping[str, Any]]
    served: frozenset[int]


def check_clients(history: Sequence[Operation], dump: Dump, tally: Tally) -> None:
    """Check everything, for the departments in the history."""
    done = [op for op in history if op.outcome == "ok"]
    _order_in_time(history, tally)
    _acknowledged(done, dump, tally)
    _no_phantoms(history, dump, tally)
    _one_answer(history, tally)
    _one_counter(done, tally)
    _served_once(done, dump, tally)
    _fenced(history, tally)


def _order_in_time(history: Sequence[Operation], tally: Tally) -> None:
    """N4. A repeated key began with its first attempt and ended with its first response."""
    began: dict[object, int] = {}
    issued: dict[tuple[str, str], dict[object, tuple[int, int, int]]] = defaultdict(dict)
    for op in history:
        if op.f != "issue":
            continue
        name = op.key or id(op)
        began.setdefault(name, op.invoked)
        if op.outcome == "ok" and op.ended is not None and "tokenNo" in op.answer:
            group = issued[op.dept, op.answer["businessDay"]]
            group.setdefault(name, (began[name], op.ended, op.answer["tokenNo"]))
    for (dept, day), found in issued.items():
        by_end = sorted((ended, number) for _, ended, number in found.values())
        ends, highest, top = [end for end, _ in by_end], [], 0
        for _, number in by_end:
            highest.append(top := max(top, number))
        for start, _, number in found.values():
            index = bisect_left(ends, start)
            before = highest[index - 1] if index else 0
            sentence = f"Number {number} of {day} was asked for after number {before} had been answered."
            tally.check("N4", dept, before < number, sentence)


def _acknowledged(done: Sequence[Operation], dump: Dump, tally: Tally) -> None:
    """N5: tokens are as they were issued, and no claim is lost."""
    for op in done:
        answer = op.answer
        if "tokenId" not in answer:
            continue
        row = dump.tokens.get(answer["tokenId"])
        if row is None:
            tally.check("N5", op.dept, False, f"Token {answer['tokenId']} was acknowledged ({op.f}), and is not there.")
            continue
        forgotten = answer["claimVersion"] > row["claim_version"]
        sentence = f"Token {answer['tokenId']} was acknowledged at claim {answer['claimVersion']}, which is not there."
        tally.check("N5", op.dept, not forgotten, sentence)
        if op.f == "issue":
            held = (row["issued_in"], str(row["day"]), row["number"], row["display"])
            asked = (op.dept, answer["businessDay"], answer["tokenNo"], answer["displayNumber"])
            tally.check("N5", op.dept, held == asked, f"Token {answer['tokenId']} was told as {asked} and is {held}.")


def _no_phantoms(history: Sequence[Operation], dump: Dump, tally: Tally) -> None:
    """N6."""
    issues = [op for op in history if op.f == "issue"]
    here = {op.dept for op in issues}
    asked = {op.key for op in issues if op.key}
    known = {op.answer.get("tokenId"): op.key for op in issues if op.outcome == "ok"}
    known |= {body.get("tokenId"): key for key, body in dump.remembered.items() if key in asked}
    unkeyed = sum(not op.key and op.outcome == "info" for op in issues)
    strangers = [
        (token_id, row) for token_id, row in dump.tokens.items() if row["issued_in"] in here and token_id not in known
    ]
    tally.look("N6", sum(row["issued_in"] in here for row in dump.tokens.values()))
    for token_id, row in strangers[unkeyed:]:
        tally.blame("N6", row["issued_in"], f"Nobody asked for token {token_id} ({row['display']}).")


def _one_answer(history: Sequence[Operation], tally: Tally) -> None:
    """N7."""
    by_key: dict[str, list[Operation]] = defaultdict(list)
    for op in history:
        if op.key and op.outcome == "ok":
            by_key[op.key].append(op)
    for key, answers in by_key.items():
        first = answers[0]
        tally.look("N7")
        if len({op.body for op in answers}) > 1:
            tally.blame("N7", first.dept, f"Key {key} was answered in several ways.")
        if any((op.f, op.dept, op.asked) != (first.f, first.dept, first.asked) for op in answers):
            tally.blame("N7", first.dept, f"Key {key} was accepted for different requests.")


def _one_counter(done: Sequence[Operation], tally: Tally) -> None:
    """S1: a claim belongs to one counter."""
    holders: dict[tuple[int, int], set[str]] = defaultdict(set)
    for op in done:
        if op.f in ("call", "serve") and op.asked.get("counterId") and "tokenId" in op.answer:
            holders[op.answer["tokenId"], op.answer["claimVersion"]].add(op.asked["counterId"])
    for (token_id, claim), counters in holders.items():
        sentence = f"Token {token_id} (claim {claim}) was given to counters {', '.join(sorted(counters))}."
        tally.check("S1", "", len(counters) == 1, sentence)


def _served_once(done: Sequence[Operation], dump: Dump, tally: Tally) -> None:
    """S2: serving the next customer returns a new one each time, unless the request was a retry."""
    handed: dict[tuple[int, int], set[object]] = defaultdict(set)
    for op in done:
        if op.f != "serve" or op.answer.get("state") != "SERVED":
            continue
        token_id = op.answer["tokenId"]
        sentence = f"Token {token_id} was told to be served, and never was."
        tally.check("S2", op.dept, token_id in dump.served, sentence)
        if "tokenId" not in op.asked:
            handed[token_id, op.answer["claimVersion"]].add(op.key or id(op))
            sentence = f"Token {token_id} was handed out to be served more than once."
            tally.check("S2", op.dept, len(handed[token_id, op.answer["claimVersion"]]) == 1, sentence)


def _fenced(history: Sequence[Operation], tally: Tally) -> None:
    """S6: an accepted claim version is not older than one that was returned before the request.

    A request that may have been lost counts from when it was first sent: it may have been executed then.
    """
    done = [op for op in history if op.outcome == "ok"]
    answers: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for op in done:
        if "tokenId" in op.answer and op.ended is not None:
            answers[op.answer["tokenId"]].append((op.ended, op.answer["claimVersion"]))
    first_asked: dict[object, int] = {}
    for op in sorted(history, key=lambda op: op.invoked):
        if op.outcome != "fail":
            first_asked.setdefault(op.key or id(op), op.invoked)
    for op in done:
        if "claimVersion" not in op.asked or "tokenId" not in op.asked or op.asked["claimVersion"] is None:
            continue
        began = first_asked[op.key or id(op)]
        newest = max((claim for ended, claim in answers[op.asked["tokenId"]] if ended < began), default=0)
        claim = op.asked["claimVersion"]
        sentence = f"'{op.f}' of token {op.asked['tokenId']} with claim {claim} was accepted after claim {newest}."
        tally.check("S6", op.dept, claim >= newest, sentence)
