"""What the tests of the sweep share: clocks moved by hand, and a broker that takes messages nobody reads."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from time import monotonic

from refunds import nudges
from refunds.models import Refund
from stores import clock
from tests.conftest import Chain
from tests.refunds.asking import ask


class Time:
    """The hub's clocks, moved by hand; sleeping moves them too."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)
        self.elapsed = 0.0

    def move(self, **much: float) -> None:
        self.now += timedelta(**much)
        self.elapsed += timedelta(**much).total_seconds()


class Broker:
    """Takes messages, or not; nobody reads them."""

    def __init__(self) -> None:
        self.is_up = True
        self.took: list[str] = []

    def publish(self, task: str, row_id: str) -> bool:
        if self.is_up and task == nudges.TASK:
            self.took.append(row_id)
        return self.is_up


@contextmanager
def moved_by_hand() -> Iterator[Time]:
    """Every clock of the hub follows this one until the block ends."""
    time = Time()
    source = clock.Source(
        now=lambda: time.now,
        monotonic=lambda: monotonic() + time.elapsed,
        sleep=lambda seconds: time.move(seconds=seconds),
    )
    with clock.bound(source):
        yield time


def seller(chain: Chain) -> Callable[[], Refund]:
    """Each call makes a new order and a refund of it."""

    def sell() -> Refund:
        number = 7000 + Refund.objects.count()
        order = chain.sold(chain.bergen, f"BGO-20261101-{number}", 100_000)
        return ask(order, 10_000, who=chain.kari, store=chain.oslo).refund

    return sell


def state_of(refund: Refund) -> str:
    """As it now stands in the database."""
    refund.refresh_from_db()
    return refund.state
