"""Days that a part of a reference may stand for: 20260314, 14032026, 260314, 2026-03, 2025."""

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import date

_EARLIEST = date(2015, 1, 1)
_YEAR, _MONTH, _DAY = r"(?P<year>20\d\d)", r"(?P<month>0[1-9]|1[0-2])", r"(?P<day>0[1-9]|[12]\d|3[01])"
# A look ahead, so that one may begin inside another. A month or a year counts where the text ends: else it is a day's.
_PATTERNS = [
    re.compile(pattern)
    for pattern in (
        f"(?={_YEAR}{_MONTH}{_DAY})",
        f"(?={_DAY}{_MONTH}{_YEAR})",
        f"(?:^|(?<=[A-Z]))(?P<year>\\d\\d){_MONTH}{_DAY}",
        f"{_YEAR}{_MONTH}\\d?$",
        f"{_YEAR}[01]?$",
    )
]


def days_in(key: str, *, today: date) -> list[tuple[date, date]]:
    """First and last day of each past time that the key may name, no two of them the same, the shortest first."""
    found = {days: None for pattern in _PATTERNS for days in _days(pattern, key) if _EARLIEST <= days[0] <= today}
    # This year is where a walk from the newest begins anyway.
    return sorted((days for days in found if _length(days) < 360 or days[1] < today), key=_length)


def _length(days: tuple[date, date]) -> int:
    return (days[1] - days[0]).days


def _days(pattern: re.Pattern[str], key: str) -> Iterator[tuple[date, date]]:
    for match in pattern.finditer(key):
        parts = match.groupdict()
        year = int(parts["year"]) if len(parts["year"]) == 4 else 2000 + int(parts["year"])
        month, day = int(parts.get("month") or 0), int(parts.get("day") or 0)
        last = day or monthrange(year, month or 12)[1]
        try:
            yield date(year, month or 1, day or 1), date(year, month or 12, last)
        except ValueError:
            continue
