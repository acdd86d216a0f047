"""The clock on the school's wall: which date it shows at an instant, and when it shows a time of day, daylight saving included."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from bookbag.school.time.week import tidy

_DAY = 86_400
_EPOCH = date(1970, 1, 1).toordinal()

Seconds = tuple[tuple[int, int], ...]
"""Stretches of time as seconds since the epoch, [from, to), in order and not touching."""


class WallClock:
    """One zone. Dates are proleptic ordinals, instants seconds since the epoch. Remembers the years it was asked about."""

    __slots__ = ("_last", "_years", "zone")

    def __init__(self, zone: ZoneInfo) -> None:
        """Nothing is computed until an instant is asked about."""
        self.zone = zone
        self._years: dict[int, tuple[tuple[int, int, int], ...]] = {}
        self._last = (0, 0, 0)  # the stretch asked about last: (since, until, offset); replaced as a whole

    def day_of(self, second: float) -> int:
        """The date that the wall calendar shows."""
        since, until, offset = self._last
        if not since <= second < until:
            since, until, offset = self._last = self._stretch(second)
        return int((second + offset) // _DAY) + _EPOCH

    def seconds_of(self, day: int, spans: Sequence[tuple[int, int]]) -> Seconds:
        """When the clock shows these minutes on this date. Minutes that are skipped give nothing, repeated ones twice."""
        midnight = (day - _EPOCH) * _DAY
        pieces: list[tuple[int, int]] = []
        for since, until, offset in self._stretches(date.fromordinal(day).year):
            for first, last in spans:
                start = max(midnight + first * 60 - offset, since)
                end = min(midnight + last * 60 - offset, until)
                if start < end:
                    pieces.append((start, end))
        return tidy(pieces)

    def _stretch(self, second: float) -> tuple[int, int, int]:
        stretches = self._stretches(datetime.fromtimestamp(second, UTC).year)
        return stretches[bisect_right(stretches, second, key=lambda one: one[0]) - 1]

    def _stretches(self, year: int) -> tuple[tuple[int, int, int], ...]:
        """The stretches of one offset from UTC that cover a year and some days around it."""
        known = self._years.get(year)
        if known is None:
            known = self._years[year] = tuple(self._find(year))
        return known

    def _find(self, year: int) -> list[tuple[int, int, int]]:
        first = (date(year, 1, 1).toordinal() - _EPOCH - 3) * _DAY
        last = (date(year, 12, 31).toordinal() - _EPOCH + 4) * _DAY
        found: list[tuple[int, int, int]] = []
        since, offset, step = first, self._offset(first), _DAY // 4
        for second in range(first + step, last + 1, step):
            if self._offset(second) == offset:
                continue
            low, high = second - step, second
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if self._offset(middle) == offset else (low, middle)
            found.append((since, high, offset))
            since, offset = high, self._offset(high)
        found.append((since, last, offset))
        return found

    def _offset(self, second: int) -> int:
        shift = datetime.fromtimestamp(second, self.zone).utcoffset()
        return int((shift or timedelta(0)).total_seconds())
