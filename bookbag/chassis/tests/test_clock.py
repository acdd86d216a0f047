"""The clock of a demo, which a file can move."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from bookbag.chassis.clock import ShiftedClock


def ahead(clock: ShiftedClock) -> float:
    """Whole hours between this clock and the machine's."""
    return round((clock.now() - datetime.now(UTC)) / timedelta(hours=1))


def test_a_clock_goes_by_what_its_file_says_from_then_on(tmp_path: Path):
    file = tmp_path / "clock-shift"
    clock = ShiftedClock(file)
    assert ahead(clock) == 0
    file.write_text("7200")
    assert ahead(clock) == 2
    file.unlink()
    assert ahead(clock) == 0


def test_what_is_no_number_changes_nothing(tmp_path: Path):
    file = tmp_path / "clock-shift"
    file.write_text("tomorrow")
    assert ahead(ShiftedClock(file)) == 0
