"""The hub's processes for a measurement: its own PostgreSQL, Redis and simulator, nothing between them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import requests

from hq.demo.environments import Environments
from hq.demo.fleet import Fleet
from hq.demo.processes import ProcessSpec
from hq.embedded.places import places_of
from tests.faults.kills.town import free_ports, redis_server
from tests.faults.own_hub import BASE, environments_of

_MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class BenchHub:
    """Where everything is. `database` is its address, past Django."""

    fleet: Fleet
    redis: ProcessSpec
    redis_url: str
    database: str
    spare_port: int

    def workers(self, name: str, *, count: int, concurrency: int) -> list[ProcessSpec]:
        """Celery with the threads pool, one process a core at most; not started again when told to end."""
        _web, worker, _sweep, _beat = self.fleet.hub()
        argv = list(worker.argv)
        argv[argv.index("--concurrency") + 1] = str(concurrency)
        return [replace(worker, name=f"{name}-{number}", argv=tuple(argv), restart=False) for number in range(count)]

    def twin(self, state: Path) -> tuple[ProcessSpec, str]:
        """A second simulator, with a state of its own, and its address."""
        fleet = replace(self.fleet, simulator_port=self.spare_port)
        spec = fleet.simulator()
        return replace(spec, name="twin", argv=(*spec.argv[:-1], str(state))), fleet.simulator_url

    def web(self) -> ProcessSpec:
        """One granian."""
        return self.fleet.hub()[0]

    def sweep(self) -> ProcessSpec:
        """One sweep."""
        return self.fleet.hub()[2]


def laid_out(given: Mapping[str, str], folder: Path) -> BenchHub:
    """Nothing is started yet."""
    ports = free_ports()
    places = places_of(BASE, var=folder)
    redis_port = next(ports)
    redis_url = f"redis://127.0.0.1:{redis_port}/0"
    plain = environments_of(given, folder)
    hub = Environments(given={**plain.given, "DATABASE_URL": places.url, "REDIS_URL": redis_url}, var=folder)
    fleet = Fleet(environments=hub, var=folder, web_port=next(ports), simulator_port=next(ports))
    return BenchHub(
        fleet=fleet,
        redis=redis_server(fleet, redis_port),
        redis_url=redis_url,
        database=places.url,
        spare_port=next(ports),
    )


def slow_down(provider_url: str, seconds: float) -> None:
    """Every answer of the simulator to a read or a refund takes so long; 0 for at once."""
    control = f"{provider_url}/_simulator/faults"
    requests.delete(control, timeout=10).raise_for_status()
    if seconds:
        rules = [
            {"kind": "delay", "operation": operation, "seconds": seconds, "times": None} for operation in ("get", "refund")
        ]
        requests.post(control, json={"faults": rules}, timeout=10).raise_for_status()


def sessions_opened(database: str) -> int:
    """Connections that PostgreSQL has ever accepted to this database."""
    with psycopg.connect(database, autocommit=True) as bare:
        bare.execute("SELECT pg_stat_force_next_flush()")
        row = bare.execute("SELECT sessions FROM pg_stat_database WHERE datname = current_database()").fetchone()
    return int(row[0]) if row else 0


def memory_mib(pid: int) -> float:
    """Resident memory of a process, MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / _MIB, 1)


def cpu_seconds(pid: int) -> float:
    """What it has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
