"""The business day ends while tokens are at counters: none is lost, and no number is issued twice."""

import asyncio

import pytest

from tests.integration.test_verify import verified
from tests.people import ANN, DESK
from tests.servers import Servers
from tests.without_http import Body, Core, open_core
from tokenq.contract.problems import ProblemCode, Refused
from tokenq.contract.verbs import Verb
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.queries import PostgresQueries
from tokenq_server.domain.commands import Issue, MoveToken, TransferToken, UndoMove
from tokenq_server.services.queries import Queries
from tokenq_server.services.setup_views import Branch


async def night_passes(core: Core, *names: str) -> None:
    """Move everything so far to yesterday."""
    for name in names:
        await core.run("UPDATE token SET day = day - 1, ended_on = ended_on - 1 WHERE department_id = %s", name)
        await core.run(
            """UPDATE outbox SET at = at - interval '1 day', payload = replace(
                 payload, '"businessDay":"' || s.day || '"', '"businessDay":"' || s.day - 1 || '"')
               FROM dept_state s WHERE s.department_id = outbox.department_id AND s.department_id = %s""",
            name,
        )
        await core.run("UPDATE dept_state SET day = day - 1 WHERE department_id = %s", name)


async def states(core: Core, name: str) -> dict[int, tuple[str, str]]:
    rows = await core.rows("SELECT token_id, display, state FROM token WHERE issued_in = %s", name)
    return {row["token_id"]: (row["display"], row["state"]) for row in rows}


async def an_emergency_ward_at_four(core: Core, name: str) -> tuple[Body, Body, list[Body]]:
    """One called, one served, three waiting, and the day ends."""
    tokens = await core.issue(name, 5)
    called, serving = await core.call(name, f"1{name}"), await core.call(name, f"2{name}")
    serving = await core.move(serving, Verb.START)
    await night_passes(core, name)
    return called, serving, sorted(tokens, key=lambda token: token["tokenNo"])[2:]


async def test_a_token_at_a_counter_stays_and_its_number_is_skipped(core: Core, servers: Servers) -> None:
    name = await core.department()
    called, serving, waiting = await an_emergency_ward_at_four(core, name)
    fresh = sorted(await core.issue(name, 3), key=lambda token: token["tokenNo"])

    now = await states(core, name)
    assert now[called["tokenId"]] == (f"{name}-001", "CALLED")
    assert now[serving["tokenId"]] == (f"{name}-002", "SERVING")
    assert {now[token["tokenId"]][1] for token in waiting} == {"EXPIRED"}
    assert [token["displayNumber"] for token in fresh] == [f"{name}-{number:03d}" for number in (3, 4, 5)]
    assert (await core.move(called, Verb.SERVE))["state"] == "SERVED"
    assert (await core.move(serving, Verb.SERVE))["state"] == "SERVED"
    tally = await verified(core, servers, name)
    assert tally.violations == {}, tally


async def test_many_numbers_are_skipped_at_once(core: Core, servers: Servers) -> None:
    """Many numbers are still in use; forty customers come at once."""
    name = await core.department(daily_cap=60)
    await core.issue(name, 25)
    for bed in range(25):
        await core.call(name, f"{name}{bed}")
    await night_passes(core, name)
    fresh = await core.issue(name, 40)

    assert sorted(token["tokenNo"] for token in fresh) == list(range(26, 66))
    await core.issue(name, 20)
    with pytest.raises(Refused) as refused:
        await core.issue(name)
    assert refused.value.problem.code is ProblemCode.DEPARTMENT_FULL
    assert "60 today" in refused.value.problem.detail
    tally = await verified(core, servers, name)
    assert tally.violations == {}, tally


async def test_a_gap_that_no_entry_explains_is_still_a_gap(core: Core, servers: Servers) -> None:
    name = await core.department()
    await an_emergency_ward_at_four(core, name)
    await core.issue(name)
    await core.run(
        "UPDATE outbox SET payload = replace(payload, '\"skipped\":2', '\"skipped\":1') WHERE department_id = %s", name
    )
    assert "N2" in (await verified(core, servers, name)).violations


async def test_a_number_live_in_another_department_is_skipped(core: Core) -> None:
    """A transferred token keeps its number: the issuing department does not reissue it."""
    here, there = await core.department(), await core.department()
    (token,) = await core.issue(here)
    token = await core.do(TransferToken(here, ANN, token["tokenId"], there, token["claimVersion"]))
    assert (await core.call(there, f"1{there}"))["tokenId"] == token["tokenId"]
    await night_passes(core, here, there)

    assert (await core.issue(here))[0]["displayNumber"] == f"{here}-002"


async def test_a_last_minute_move_can_be_undone_after_the_day(core: Core, servers: Servers) -> None:
    """Served by mistake at 03:59, undone at 04:01; but not once someone else has the number."""
    name = await core.department()
    tokens = await core.issue(name, 2)
    served = [await core.serve(name, f"{name}{desk}") for desk in (1, 2)]
    served.sort(key=lambda token: token["tokenNo"])
    await night_passes(core, name)
    (fresh,) = await core.issue(name)
    assert fresh["displayNumber"] == served[0]["displayNumber"]

    with pytest.raises(Refused) as refused:
        await core.do(UndoMove(name, ANN, served[0]["tokenId"], counter_id=served[0]["counterId"]))
    assert refused.value.problem.code is ProblemCode.EXISTS
    undone = await core.do(UndoMove(name, ANN, served[1]["tokenId"], counter_id=served[1]["counterId"]))
    assert undone["state"] == "CALLED"
    assert (await core.issue(name))[0]["displayNumber"] == f"{name}-003"
    assert len(tokens) == 2
    tally = await verified(core, servers, name)
    assert tally.violations == {}, tally


async def test_two_processes_at_the_end_of_the_day_skip_the_same_numbers(core: Core, servers: Servers) -> None:
    name = await core.department()
    await an_emergency_ward_at_four(core, name)
    async with open_core(core.dsn, servers.redis_url) as other:
        answers = await asyncio.gather(*((core, other)[n % 2].do(Issue(name, DESK)) for n in range(40)))

    assert sorted(token["tokenNo"] for token in answers) == list(range(3, 43))


async def test_a_ward_that_keeps_its_line_loses_nobody(core: Core, servers: Servers) -> None:
    """Waiting and parked tokens keep number, place and class; a parked one still comes back."""
    name = await core.department(day_end="keep")
    tokens = await core.issue(name, 4)
    tokens.sort(key=lambda token: token["tokenNo"])
    parked = await core.move(await core.call(name, f"1{name}"), Verb.PARK)
    await night_passes(core, name)
    fresh = await core.issue(name, 2)

    assert sorted(token["displayNumber"] for token in fresh) == [f"{name}-005", f"{name}-006"]
    assert (await core.move(parked, Verb.RESUME))["state"] == "WAITING"
    called = [(await core.call(name, f"{desk}{name}"))["displayNumber"] for desk in range(6)]
    assert called == [f"{name}-{number:03d}" for number in range(1, 7)]
    tally = await verified(core, servers, name)
    assert tally.violations == {}, tally


async def test_staff_return_an_expired_token_to_the_queue(core: Core, servers: Servers) -> None:
    name = await core.department()
    _, _, waiting = await an_emergency_ward_at_four(core, name)
    (fresh,) = await core.issue(name)
    assert fresh["displayNumber"] == waiting[0]["displayNumber"]
    with pytest.raises(Refused) as refused:
        await core.do(MoveToken(name, ANN, waiting[0]["tokenId"], Verb.REINSTATE, printed=(name, f"{name}-003")))
    assert refused.value.problem.code is ProblemCode.EXISTS

    back = await core.do(MoveToken(name, ANN, waiting[1]["tokenId"], Verb.REINSTATE, printed=(name, f"{name}-004")))
    assert (back["state"], back["displayNumber"]) == ("WAITING", f"{name}-004")
    assert (await core.issue(name))[0]["displayNumber"] == f"{name}-005"
    assert (await core.call(name, f"9{name}"))["tokenId"] == back["tokenId"]
    tally = await verified(core, servers, name)
    assert tally.violations == {}, tally


async def test_a_kept_token_that_ends_on_a_later_day_belongs_to_that_day(core: Core, servers: Servers) -> None:
    """A no-show by mistake is mended, the number still means that customer, and the day counts the end."""
    name = await core.department(day_end="keep")
    await core.issue(name, 2)
    await night_passes(core, name)
    (kept,) = [await core.call(name, f"1{name}")]
    missed = await core.move(kept, Verb.NO_SHOW)
    await core.serve(name, f"2{name}")
    await core.run("UPDATE token SET undo = NULL WHERE department_id = %s", name)

    database = Database(core.dsn, size=1)
    queries = PostgresQueries(database)
    typed = missed["displayNumber"]
    assert [each.token.display for each in await queries.numbered(typed, None, None)] == [typed]
    view = await Queries(queries, lambda _: None).queue(name, ANN)
    assert (view["counts"]["noShow"], view["counts"]["served"]) == (1, 1)
    await database.close()
    back = await core.do(MoveToken(name, ANN, missed["tokenId"], Verb.REINSTATE, printed=(name, typed)))
    assert back["state"] == "WAITING"
    tally = await verified(core, servers, name)
    assert tally.violations == {}, tally


async def test_whoever_expires_after_days_of_rest_may_return_on_the_day_that_follows(core: Core) -> None:
    name = await core.department()
    last = max(await core.issue(name, 3), key=lambda token: token["tokenNo"])
    for _ in range(3):
        await night_passes(core, name)
    await core.issue(name)

    back = await core.do(MoveToken(name, ANN, last["tokenId"], Verb.REINSTATE, printed=(name, f"{name}-003")))
    assert (back["state"], back["returnsUntil"]) == ("WAITING", None)


async def test_the_first_command_of_the_day_may_reinstate_who_expires_by_it(core: Core) -> None:
    """The number is the customer's own until that very moment."""
    name = await core.department()
    tokens = sorted(await core.issue(name, 2), key=lambda token: token["tokenNo"])
    await night_passes(core, name)

    printed = (name, f"{name}-001")
    back = await core.do(MoveToken(name, ANN, tokens[0]["tokenId"], Verb.REINSTATE, printed=printed))
    assert (back["state"], back["displayNumber"]) == ("WAITING", f"{name}-001")
    assert (await core.issue(name))[0]["displayNumber"] == f"{name}-002"


async def test_a_department_that_has_moved_takes_nobody_back_from_its_old_branch(core: Core) -> None:
    """That token belongs to the counters of the old branch."""
    name = await core.department()
    (token,) = await core.issue(name)
    gone = await core.move(token, Verb.CANCEL)
    branch = f"b{name.lower()}"
    await core.setup.create_branch(Branch(branch, "Another site"))
    await core.setup.change_department(name, {"branch_id": branch})

    printed = (name, f"{name}-001")
    for command in (
        MoveToken(name, ANN, gone["tokenId"], Verb.REINSTATE, printed=printed),
        UndoMove(name, ANN, gone["tokenId"], printed=printed),
    ):
        with pytest.raises(Refused) as refused:
            await core.do(command)
        assert refused.value.problem.code is ProblemCode.WRONG_STATE
        assert "moved to another branch" in refused.value.problem.detail


async def test_a_plain_number_is_found_after_its_start_was_changed(core: Core) -> None:
    name = await core.department(number_format="{number}")
    (token,) = await core.issue(name)
    await core.setup.change_department(name, {"number_start": 71})
    database = Database(core.dsn, size=1)
    await core.run("UPDATE token SET state = 'EXPIRED', ended_on = day WHERE token_id = %s", token["tokenId"])
    found = await PostgresQueries(database).numbered("1", None, None)
    assert token["tokenId"] in {each.token.token_id for each in found}
    await database.close()
