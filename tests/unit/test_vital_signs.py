"""Whether a program that nobody asks anything does its work."""

from tokenq_server.services.vital_signs import STANDBY, VitalSigns


def test_a_part_is_ready_once_it_works_and_until_it_fails() -> None:
    signs = VitalSigns("taking", "sending", clock=lambda: 0.0)
    assert not signs.are_good
    signs.well("taking"), signs.well("sending")
    assert signs.are_good
    signs.ill("sending")
    assert (signs.are_good, signs.parts()) == (False, {"taking": "working", "sending": "failing"})


def test_a_part_that_says_nothing_any_more_is_stuck() -> None:
    now = [0.0]
    signs = VitalSigns("relay", clock=lambda: now[0])
    signs.well("relay")
    now[0] = 170.0
    assert signs.are_good
    now[0] = 190.0
    assert (signs.are_good, signs.parts()) == (False, {"relay": "stuck"})


def test_one_that_never_begins_is_stuck_too() -> None:
    now = [0.0]
    signs = VitalSigns("relay", clock=lambda: now[0])
    now[0] = 190.0
    assert signs.parts() == {"relay": "stuck"}


def test_whoever_waits_for_another_one_is_ready_for_as_long_as_that_takes() -> None:
    now = [0.0]
    signs = VitalSigns("relay", clock=lambda: now[0])
    signs.well("relay", STANDBY)
    now[0] = 86_400.0
    assert (signs.are_good, signs.parts()) == (True, {"relay": "standby"})
