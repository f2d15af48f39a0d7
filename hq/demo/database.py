"""The demo's database: migrated, and told apart from one that is not the demo's to touch."""

from datetime import UTC, datetime
from enum import Enum, auto
from pathlib import Path

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from psycopg import sql

from hq import embedded
from hq.demo.cast import COMPANY
from hq.embedded.places import DATABASE, PORT, SUPERUSER, places_of
from stores.models import Company, Secret


class Standing(Enum):
    """Whose chain a database holds."""

    EMPTY = auto()
    OURS = auto()
    LEFT_BEHIND = auto()
    """The demo's, but its keys or the simulator's payments are gone: nothing in it can be refunded any more."""
    FOREIGN = auto()


def migrate() -> None:
    """All tables as this code wants them."""
    call_command("migrate", verbosity=0, interactive=False)
    call_command("createcachetable", verbosity=0)


def standing(*, simulator_state: Path) -> Standing:
    """What the database holds, asked before it is migrated: a chain that is not the demo's stays as it is."""
    if Company._meta.db_table not in connection.introspection.table_names():
        return Standing.EMPTY
    companies = set(Company.objects.values_list("name", flat=True))
    if not companies:
        return Standing.EMPTY
    if companies != {COMPANY}:
        return Standing.FOREIGN
    ring = [line.partition(":")[0] for line in settings.VAULT_PUBLIC_KEYS.split()]
    if Secret.objects.exclude(vault_key__in=ring).exists() or not simulator_state.exists():
        return Standing.LEFT_BEHIND
    return Standing.OURS


def put_embedded_aside(base: Path, var: Path) -> str:
    """Rename the embedded database, so that nothing is lost, and make an empty one; gives the old one's new name."""
    connections.close_all()
    name = f"{DATABASE}_{datetime.now(UTC):%Y%m%d_%H%M%S}"
    socket_folder = str(places_of(base, var=var).socket_folder)
    with psycopg.connect(
        host=socket_folder, port=PORT, user=SUPERUSER, dbname="postgres", connect_timeout=10, autocommit=True
    ) as server:
        rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
        server.execute(rename.format(sql.Identifier(DATABASE), sql.Identifier(name)))
    embedded.ensure_running(base, var=var)
    return name
