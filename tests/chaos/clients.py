"""What clients saw, held against what the stores hold: N4 to N7, S1, S2 and S6."""

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
    """The ledger at the end: tokens by id; answers remembered under keys; which tokens were ever served."""

    tokens: Mapping[int, Row]
    remembered: Mapping[str, Mapping[str, Any]]
    served: frozenset[int]


def check_clients(history: Sequence[Operation], dump: Dump, tally: Tally) -> None:
    """Check all of it. Departments that the history does not name are not looked at."""
    done = [one for one in history if one.outcome == "ok"]
    _order_in_time(history, tally)
    _acknowledged(done, dump, tally)
    _no_phantoms(history, dump, tally)
    _one_answer(history, tally)
    _one_counter(done, tally)
    _served_once(done, dump, tally)
    _fenced(history, tally)


def _order_in_time(history: Sequence[Operation], tally: Tally) -> None:
    """N4. A key that was repeated began with its first try and was answered by its first answer."""
    began: dict[object, int] = {}
    issued: dict[tuple[str, str], dict[object, tuple[int, int, int]]] = defaultdict(dict)
    for one in history:
        if one.f != "issue":
            continue
        name = one.key or id(one)
        began.setdefault(name, one.invoked)
        if one.outcome == "ok" and one.ended is not None and "tokenNo" in one.answer:
            group = issued[one.dept, one.answer["businessDay"]]
            group.setdefault(name, (began[name], one.ended, one.answer["tokenNo"]))
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
    """N5: issued tokens as they were told, and no claim forgotten."""
    for one in done:
        told = one.answer
        if "tokenId" not in told:
            continue
        row = dump.tokens.get(told["tokenId"])
        if row is None:
            tally.check("N5", one.dept, False, f"Token {told['tokenId']} was acknowledged ({one.f}), and is not there.")
            continue
        forgotten = told["claimVersion"] > row["claim_version"]
        sentence = f"Token {told['tokenId']} was acknowledged at claim {told['claimVersion']}, which is not there."
        tally.check("N5", one.dept, not forgotten, sentence)
        if one.f == "issue":
            held = (row["issued_in"], str(row["day"]), row["number"], row["display"])
            asked = (one.dept, told["businessDay"], told["tokenNo"], told["displayNumber"])
            tally.check("N5", one.dept, held == asked, f"Token {told['tokenId']} was told as {asked} and is {held}.")


def _no_phantoms(history: Sequence[Operation], dump: Dump, tally: Tally) -> None:
    """N6."""
    issues = [one for one in history if one.f == "issue"]
    here = {one.dept for one in issues}
    asked = {one.key for one in issues if one.key}
    known = {one.answer.get("tokenId"): one.key for one in issues if one.outcome == "ok"}
    known |= {body.get("tokenId"): key for key, body in dump.remembered.items() if key in asked}
    unkeyed = sum(not one.key and one.outcome == "info" for one in issues)
    strangers = [
        (token_id, row) for token_id, row in dump.tokens.items() if row["issued_in"] in here and token_id not in known
    ]
    tally.look("N6", sum(row["issued_in"] in here for row in dump.tokens.values()))
    for token_id, row in strangers[unkeyed:]:
        tally.blame("N6", row["issued_in"], f"Nobody asked for token {token_id} ({row['display']}).")


def _one_answer(history: Sequence[Operation], tally: Tally) -> None:
    """N7."""
    by_key: dict[str, list[Operation]] = defaultdict(list)
    for one in history:
        if one.key and one.outcome == "ok":
            by_key[one.key].append(one)
    for key, answers in by_key.items():
        first = answers[0]
        tally.look("N7")
        if len({one.body for one in answers}) > 1:
            tally.blame("N7", first.dept, f"Key {key} was answered in several ways.")
        if any((one.f, one.dept, one.asked) != (first.f, first.dept, first.asked) for one in answers):
            tally.blame("N7", first.dept, f"Key {key} was accepted for different requests.")


def _one_counter(done: Sequence[Operation], tally: Tally) -> None:
    """S1: a claim belongs to one counter."""
    holders: dict[tuple[int, int], set[str]] = defaultdict(set)
    for one in done:
        if one.f in ("call", "serve") and one.asked.get("counterId") and "tokenId" in one.answer:
            holders[one.answer["tokenId"], one.answer["claimVersion"]].add(one.asked["counterId"])
    for (token_id, claim), counters in holders.items():
        sentence = f"Token {token_id} (claim {claim}) was given to counters {', '.join(sorted(counters))}."
        tally.check("S1", "", len(counters) == 1, sentence)


def _served_once(done: Sequence[Operation], dump: Dump, tally: Tally) -> None:
    """S2: a serve of the next one gives a new person each time, unless the same request was repeated."""
    handed: dict[tuple[int, int], set[object]] = defaultdict(set)
    for one in done:
        if one.f != "serve" or one.answer.get("state") != "SERVED":
            continue
        token_id = one.answer["tokenId"]
        sentence = f"Token {token_id} was told to be served, and never was."
        tally.check("S2", one.dept, token_id in dump.served, sentence)
        if "tokenId" not in one.asked:
            handed[token_id, one.answer["claimVersion"]].add(one.key or id(one))
            sentence = f"Token {token_id} was handed out to be served more than once."
            tally.check("S2", one.dept, len(handed[token_id, one.answer["claimVersion"]]) == 1, sentence)


def _fenced(history: Sequence[Operation], tally: Tally) -> None:
    """S6: an accepted claim version is not older than one that somebody had been told before this was asked.

    A request that may have got lost was asked first when it was first sent: it may have been carried out then.
    """
    done = [one for one in history if one.outcome == "ok"]
    told: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for one in done:
        if "tokenId" in one.answer and one.ended is not None:
            told[one.answer["tokenId"]].append((one.ended, one.answer["claimVersion"]))
    first_asked: dict[object, int] = {}
    for one in sorted(history, key=lambda op: op.invoked):
        if one.outcome != "fail":
            first_asked.setdefault(one.key or id(one), one.invoked)
    for one in done:
        if "claimVersion" not in one.asked or "tokenId" not in one.asked or one.asked["claimVersion"] is None:
            continue
        began = first_asked[one.key or id(one)]
        newest = max((claim for ended, claim in told[one.asked["tokenId"]] if ended < began), default=0)
        claim = one.asked["claimVersion"]
        sentence = f"'{one.f}' of token {one.asked['tokenId']} with claim {claim} was accepted after claim {newest}."
        tally.check("S6", one.dept, claim >= newest, sentence)
