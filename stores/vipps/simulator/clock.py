"""The simulator's clock: the machine's time plus an offset that can be moved, so that a year passes in a test."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime


class VirtualClock:
    """Unix time, shifted. `base` can be replaced by a constant to make every timestamp predictable."""

    def __init__(self, *, base: Callable[[], float] = time.time) -> None:
        self._base = base
        self.offset = 0.0

    def now(self) -> float:
        return self._base() + self.offset

    def real(self) -> float:
        """The machine's time, not moved."""
        return self._base()

    def move(self, seconds: float) -> float:
        """Returns the time that it is afterwards."""
        self.offset += seconds
        return self.now()


def moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def iso(at: float, *, digits: int = 3) -> str:
    """ISO 8601 in UTC with 3 or 7 fraction digits; Vipps writes both."""
    text = moment(at).strftime("%Y-%m-%dT%H:%M:%S.%f")
    return f"{text[:-3]}Z" if digits == 3 else f"{text}0Z"


def parse_iso(text: str) -> float:
    """Unix time. Raises ValueError; a moment without an offset is taken as UTC."""
    told = datetime.fromisoformat(text)
    return (told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp()
