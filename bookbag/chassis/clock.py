"""Time and identity come from here and nowhere else, so that tests can move the one and foresee the other."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol
from uuid import UUID

from uuid_utils.compat import uuid7


class Clock(Protocol):
    """Tells the instant, always aware and in UTC."""

    def now(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The machine's clock, for every process that serves people."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(slots=True)
class MovableClock:
    """A clock for tests: it stands still until it is moved."""

    instant: datetime

    def now(self) -> datetime:
        return self.instant

    def move(self, by: timedelta) -> None:
        self.instant += by


@dataclass(slots=True)
class ShiftedClock:
    """The machine's clock moved by as many seconds as a file says; as it is without one. For a demo: to look at tomorrow morning."""

    file: Path
    _read: tuple[float, timedelta] = (-1.0, timedelta())

    def now(self) -> datetime:
        try:
            changed = self.file.stat().st_mtime
        except OSError:
            return datetime.now(UTC)
        if changed != self._read[0]:
            try:
                self._read = changed, timedelta(seconds=float(self.file.read_text()))
            except (OSError, ValueError, OverflowError):
                return datetime.now(UTC) + self._read[1]  # half written: the next look finds it whole
        return datetime.now(UTC) + self._read[1]


def new_id() -> UUID:
    """A new UUIDv7. Ids are unique and roughly in order of time; nothing may depend on that order."""
    return uuid7()
