"""What the tests of the refund path share."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stores import clock
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
