"""A database and a web process of a measurement's own, gone when it ends.

With DATABASE_URL the database is made on that server (as in production, with `pg_trgm`); without, in an embedded one. One
that was kept there can be used, too, and stays.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.db import connections
from psycopg import sql

from hq.demo.database import migrate
from hq.demo.environments import Environments
from hq.demo.fleet import Fleet
from hq.demo.keys import make_keys
from hq.demo.processes import ProcessSpec
from hq.demo.supervisor import Supervisor
from hq.embedded.places import places_of
from tests import environment
from tests.faults.kills.town import free_ports
from tests.faults.own_hub import BASE, FOLDER_OPTION, environments_of, tear_down

_SERVER = "BENCH_SERVER"
"""In the environment of the second start: the server's own address, where there is one."""
_KEPT = "BENCH_KEPT"
"""There, too: whether the database was there before."""


@dataclass(frozen=True, kw_only=True)
class Scratch:
    """What a measurement stands on; `database` is its address, past Django."""

    fleet: Fleet
    supervisor: Supervisor
    database: str

    def web(self, *, workers: int = 1, threads: int = 4) -> ProcessSpec:
        """Granian as in production, and not started again when told to end."""
        spec = self.fleet.hub()[0]
        argv = list(spec.argv)
        argv[argv.index("--workers") + 1] = str(workers)
        argv[argv.index("--blocking-threads") + 1] = str(threads)
        return ProcessSpec(name="web", argv=tuple(argv), env={**spec.env, "LOG_JSON": "true"}, ready=spec.ready, restart=False)


def become_the_bench(module: str, *, kept: str | None = None) -> None:
    """Settings are read once, at start: so this process becomes the same again, with keys, folder and database of its own.

    `kept` names a database that is there already, and is taken instead.
    """
    name = module.rpartition(".")[2]
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-"))
    environments = environments_of(os.environ, folder)
    make_keys(environments.keys)
    given = os.environ.get("DATABASE_URL", "")
    server = "" if given == places_of(BASE).url else given
    environment.stop_what_was_started()
    own = places_of(BASE, var=folder).url
    if kept and not server:
        raise SystemExit("A database that was kept lies on the server that DATABASE_URL names.")
    if server:
        own = urlunsplit(urlsplit(server)._replace(path=f"/{kept or f'bench_{name}_{os.getpid()}'}"))
    if server and not kept:
        _on_server(server, "CREATE DATABASE {}", own)
    arguments = [sys.executable, "-m", module, *sys.argv[1:], FOLDER_OPTION, str(folder)]
    environs = environments.of("command", DATABASE_URL=own, LOG_JSON="true")
    os.execve(sys.executable, arguments, {**environs, _SERVER: server, _KEPT: kept or ""})  # noqa: S606 - itself


@contextmanager
def scratch(folder: Path) -> Iterator[Scratch]:
    """The database, migrated, and empty unless it was kept. Nothing else is started yet."""
    database, server, kept = os.environ["DATABASE_URL"], os.environ.pop(_SERVER), os.environ.pop(_KEPT)
    ports = free_ports()
    environments = Environments(given=dict(os.environ), var=folder)
    fleet = Fleet(environments=environments, var=folder, web_port=next(ports), simulator_port=next(ports))
    try:
        with Supervisor(folder=BASE, var=folder, say=say) as supervisor:
            if not server:
                supervisor.start(fleet.database())
            migrate()
            yield Scratch(fleet=fleet, supervisor=supervisor, database=database)
    finally:
        connections.close_all()
        if server and not kept:
            _on_server(server, "DROP DATABASE {} WITH (FORCE)", database)
        tear_down(folder)


def say(line: str) -> None:
    """To the person who waits; the last line of standard output stays the result's."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _on_server(server: str, statement: str, database: str) -> None:
    name = urlsplit(database).path.removeprefix("/")
    with psycopg.connect(server, autocommit=True) as bare:
        bare.execute(sql.SQL(statement).format(sql.Identifier(name)))
