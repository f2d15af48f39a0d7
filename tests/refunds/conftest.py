"""What the tests of the refund path share."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from refunds import tasks
from stores import clock, nudge
from tests.conftest import Chain


@pytest.fixture
def travel(chain: Chain) -> Iterator[Any]:
    """Moves the hub's clock and the simulator's together."""
    moved = timedelta()

    def now() -> datetime:
        return datetime.now(UTC) + moved

    def forward(by: timedelta) -> None:
        nonlocal moved
        moved += by
        chain.simulator.move_clock(by)

    with clock.bound(clock.Source(now=now, sleep=lambda _seconds: None)):
        yield forward


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What was said to the broker, instead of a broker: tasks' names and rows' ids."""
    said: list[tuple[str, str]] = []

    def publish(task: str, row_id: str) -> bool:
        said.append((task, row_id))
        return True

    monkeypatch.setattr(nudge, "publish", publish)
    return said


@pytest.fixture
def one_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """A task gives up the worker's stale connection; here it would be the test's own."""
    monkeypatch.setattr(tasks, "close_old_connections", lambda: None)
