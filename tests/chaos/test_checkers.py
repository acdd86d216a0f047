"""The checkers find what they are for, and nothing in a good history."""

from uuid import uuid4

import pytest

from tests.chaos import checkers
from tests.chaos.history import Kept, Outcome, Told, Write

pytestmark = pytest.mark.chaos


def _write(value: str, outcome: Outcome = Outcome.OK) -> Write:
    return Write(client=1, thread="t", value=value, key=value, outcome=outcome)


def _kept(value: str, seq: int) -> Kept:
    return Kept(value, "t", seq, value)


def test_what_was_written_is_there_once_and_in_order() -> None:
    writes = [_write("a"), _write("b"), _write("c", Outcome.UNKNOWN), _write("d", Outcome.REFUSED)]
    good = [_kept("a", 1), _kept("b", 2), _kept("c", 3)]
    for judged in (
        checkers.lost(writes, good),
        checkers.doubled(good),
        checkers.invented(writes, good),
        checkers.out_of_order(writes, good),
    ):
        assert judged == []
    assert checkers.lost(writes, good[1:]) == ["a"]
    assert checkers.doubled([*good, _kept("a", 4)]) == ["a"]
    assert checkers.invented(writes, [*good, _kept("d", 4)]) == ["d"]
    assert checkers.out_of_order(writes, [_kept("a", 1), _kept("b", 3)])
    assert checkers.out_of_order(writes, [_kept("a", 2), _kept("b", 1)])


def test_everybody_is_told_once_and_in_order() -> None:
    good = [_kept("a", 1), _kept("b", 2), _kept("c", 3)]
    told = [Told("p", "live", "a", 1), Told("p", "live", "b", 2), Told("p", "live", "c", 3)]
    readers = {"t": {"p"}}
    assert checkers.untold(good, told, readers, {"live"}) == []
    assert len(checkers.untold(good, told[1:], readers, {"live"})) == 1
    assert checkers.told_twice(told) == []
    assert len(checkers.told_twice([*told, told[0]])) == 1
    assert checkers.told_out_of_order(good, told) == []
    assert len(checkers.told_out_of_order(good, [Told("p", "live", "b", 1), Told("p", "live", "a", 2)])) == 1


def test_events_are_processed_or_dead_and_never_both() -> None:
    done, dead, lost = uuid4(), uuid4(), uuid4()
    assert checkers.unaccounted([done, dead], {done}, {dead}) == []
    assert len(checkers.unaccounted([done, lost], {done}, {dead})) == 1
    assert len(checkers.unaccounted([done], {done}, {done})) == 1


def test_nothing_is_handed_over_after_a_right_has_ended() -> None:
    handed = [Told("p", "email", "a"), Told("q", "email", "b")]
    assert checkers.handed_after_the_end(handed, {"p": 2.0}, {"a": 1.0, "b": 3.0}) == []
    assert len(checkers.handed_after_the_end(handed, {"p": 2.0}, {"a": 3.0, "b": 3.0})) == 1
