"""Fixtures for the Vipps tests."""

from collections.abc import Iterator

import pytest

from stores.vipps.epayment import Epayment
from stores.vipps.transport import RequestsTransport
from tests.stores.vipps.world import BERGEN, World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def bergen(world: World) -> Epayment:
    """Bergen's own session, over the simulator in this process."""
    return world.epayment(BERGEN)


@pytest.fixture
def transport() -> Iterator[RequestsTransport]:
    """The real one, for tests over sockets."""
    made = RequestsTransport()
    yield made
    made.close()
