"""What the tills did and saw, in the order it happened: invoke, then ok, fail or unknown, as Jepsen writes it."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

NOBODY = -1
"""The till of an event that is no till's."""
Kind = Literal["invoke", "ok", "fail", "unknown"]


@dataclass(frozen=True, kw_only=True)
class Event:
    """One line. `what` is ask, look or fault; `at` seconds since the run began; `refund_id` and `state` as told."""

    at: float
    till: int
    what: str
    key: str
    kind: Kind
    status: int = 0
    refund_id: str = ""
    state: str = ""
    took: float = 0.0


class History:
    """Append-only, from any thread, also into a file."""

    def __init__(self, path: Path) -> None:
        self.events: list[Event] = []
        self._began = time.monotonic()
        self._guard = threading.Lock()
        self._file = path.open("w")

    @property
    def now(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self._began

    def add(self, event: Event) -> None:
        with self._guard:
            self.events.append(event)
            self._file.write(json.dumps(asdict(event)) + "\n")

    def close(self) -> None:
        self._file.close()
