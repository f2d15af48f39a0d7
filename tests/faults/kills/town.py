"""Every process of a run and every link between them: PostgreSQL, Redis, simulator, web, two workers, two sweeps."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from redis import Redis

from hq.demo.environments import Environments
from hq.demo.fleet import Fleet
from hq.demo.ports import free_port
from hq.demo.probes import writes
from hq.demo.processes import ProcessSpec
from hq.demo.supervisor import Supervisor
from hq.embedded.places import DATABASE, SUPERUSER, Places, places_of
from tests.faults.own_hub import BASE
from tests.faults.proxy import Link, Target

WORKERS = ("worker-1", "worker-2")
SWEEPS = ("sweep-1", "sweep-2")
_PORTS = range(20_000, 30_000)
"""Below those that the system gives to outgoing connections, which could take one while its owner is dead."""


@dataclass(frozen=True, kw_only=True)
class Town:
    """What a run stands on. `broker` is a connection past the link, None where there is no broker at all."""

    supervisor: Supervisor
    fleet: Fleet
    places: Places
    links: Mapping[str, Link]
    broker: Redis | None

    @property
    def provider_url(self) -> str:
        """The simulator, past the link."""
        return self.fleet.simulator_url

    @property
    def hub_url(self) -> str:
        """The web, through the link that can be cut."""
        return f"http://127.0.0.1:{self.links['till-web'].port}"

    def postmaster(self) -> int:
        """The number of the database server's first process; 0 while there is none."""
        try:
            return int((self.places.cluster / "postmaster.pid").read_text().splitlines()[0])
        except (OSError, ValueError, IndexError):
            return 0


def lay_out(
    supervisor: Supervisor, environments: Environments, *, has_redis: bool, latency: float
) -> tuple[Town, tuple[ProcessSpec, ...]]:
    """The town and its processes but for the database, all still to be started."""
    ports = free_ports()
    var = environments.var
    real = Fleet(environments=environments, var=var, web_port=next(ports), simulator_port=next(ports))
    redis_port = next(ports)
    places = places_of(BASE, var=var)
    links = {
        "hub-database": Link(next(ports), Target(path=places.socket)),
        "hub-redis": Link(next(ports), Target(port=redis_port)),
        "hub-simulator": Link(next(ports), Target(port=real.simulator_port), delay=latency),
        "till-web": Link(next(ports), Target(port=real.web_port)),
    }
    given = {
        **environments.given,
        "DATABASE_URL": f"postgresql://{SUPERUSER}@127.0.0.1:{links['hub-database'].port}/{DATABASE}",
        "REDIS_URL": f"redis://127.0.0.1:{links['hub-redis'].port}/0",
    }
    if not has_redis:
        del links["hub-redis"]  # its address stays in the settings, and nobody listens there
    hub = Fleet(
        environments=Environments(given=given, var=var),
        var=var,
        web_port=real.web_port,
        simulator_port=links["hub-simulator"].port,
    )
    broker = Redis(port=redis_port, socket_timeout=2) if has_redis else None
    town = Town(supervisor=supervisor, fleet=real, places=places, links=links, broker=broker)
    return town, (real.simulator(), *([redis_server(real, redis_port)] if has_redis else []), *_doubled(hub, has_redis))


def _doubled(hub: Fleet, has_redis: bool) -> Iterator[ProcessSpec]:
    web, worker, sweep, _beat = hub.hub()
    yield web
    for name in WORKERS if has_redis else ():
        yield replace(worker, name=name)
    for name in SWEEPS:
        yield replace(sweep, name=name)


def redis_server(fleet: Fleet, port: int) -> ProcessSpec:
    """A broker that keeps nothing: what dies with it is lost."""
    nothing = ("--save", "", "--appendonly", "no", "--dir", str(fleet.var))
    return ProcessSpec(
        name="redis",
        argv=("redis-server", "--bind", "127.0.0.1", "--port", str(port), *nothing),
        env=fleet.environments.of_stranger(),
        ready=writes("Ready to accept connections"),
    )


def free_ports() -> Iterator[int]:
    port = random.randrange(_PORTS.start, _PORTS.stop - 200)
    while True:
        port = free_port(port, say=lambda _line: None)
        yield port
        port += 1
