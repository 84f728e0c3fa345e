"""A rewind where the log continued after the restore, before anyone noticed: log and topic differ."""

from tests.integration.restored_place import Place, a_lost_hour, refused
from tokenq.board.state import Fold


async def test_a_log_that_continued_after_the_restore_is_detected_and_reconciled(place: Place) -> None:
    """Kafka was unavailable and Redis empty when the API started: the log is longer now, but differs."""
    name = await a_lost_hour(place)
    place.restore()
    await place.empty_redis(name)
    async with place.core() as core:
        await core.issue(name, 20)
        await core.call(name, "9")
    await refused(place.relay().run())
    before = place.topic(name)
    done = await place.rewind()

    assert done["departments"][0]["isForked"]
    assert f"{name}-007" in done["notRestored"]  # someone else has that number now
    await place.publish()
    after = place.topic(name)
    assert after[: len(before)] == before
    board = Fold()
    for event, _ in after:
        board.apply(event)
    async with place.core() as core:
        rows = await core.rows("SELECT token_id FROM token WHERE department_id = %s AND state = 'WAITING'", name)
        assert board._logs[name].department.waiting == {row["token_id"] for row in rows}
        assert set(board._logs[name].department.at_counters) == {before[1][0].token_id}


async def test_an_id_reissued_by_another_department_is_reported(place: Place) -> None:
    """Kafka was unavailable and Redis empty: the next token, in another department, got the id."""
    async with place.core() as core:
        name, other = await core.department(), await core.department()
    place.back_up()
    async with place.core() as core:
        (lost,) = await core.issue(name)
    await place.publish()
    place.restore()
    await place.empty_redis(name)
    async with place.core() as core:
        (given,) = await core.issue(other)
    assert given["tokenId"] == lost["tokenId"]
    done = await place.rewind()
    await place.publish()
    board = Fold()
    for department in (name, other):
        for event, _ in place.topic(department):
            board.apply(event)

    assert [department["departmentId"] for department in done["departments"]] == [name]
    assert done["notRestored"] == [f"{name}-001"]
    assert board._logs[name].department.waiting == set()
    assert board._logs[other].department.waiting == {given["tokenId"]}
