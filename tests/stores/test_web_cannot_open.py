"""The web's process, started as it is in production: it can put keys in, and nothing that it holds takes them out."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection

from stores import credentials
from stores.models import Entry, KeySet
from tests.stores.conftest import Ground, make_ground

# Tries everything that the hub's own code offers, in a process of its own.
TRIES = """
import json, sys
import django
django.setup()
from django.conf import settings
from stores import actors, credentials, registry, rotation, sessions, vault
from stores.errors import HubError
from stores.models import Company, KeySet, Secret, SalesUnit

def code_of(attempt):
    try:
        attempt()
    except HubError as error:
        return error.code
    return "done"

by = actors.hub("web")
unit = SalesUnit.objects.get(msn="100001")
key_set = unit.key_set
row = Secret.objects.filter(row_id=str(key_set.public_id)).first()
place = vault.Context(environment=row.environment, table=row.table, row_id=row.row_id, subject=row.subject,
    field=row.field, version=row.version)
sealed = vault.Sealed(vault_key=row.vault_key, data=bytes(row.sealed))
new = credentials.VippsKeys(client_id="id-web", client_secret="secret-web", subscription_key="sub-web")
told = {
    "process": settings.PROCESS,
    "private_keys": settings.VAULT_PRIVATE_KEYS,
    "can_unseal": vault.can_unseal(),
    "open_session": code_of(lambda: sessions.open_session(unit, by=by, why="try")),
    "unsealed_keys": code_of(lambda: credentials.unsealed_keys(key_set)),
    "unseal": code_of(lambda: vault.unseal(sealed, place)),
    "unseal_for_web": code_of(lambda: vault.unseal_for_web(row.sealed.hex(), "sign-in")),
    "enter_keys": code_of(lambda: registry.bind_own_keys(unit, new, by=by)),
    "open_what_it_entered": code_of(lambda: credentials.unsealed_keys(KeySet.objects.get(pk=key_set.pk))),
}
print(json.dumps(told))
"""


def run_as(process: str, environment: dict[str, str]) -> dict[str, Any]:
    database = connection.settings_dict
    host = quote(str(database["OPTIONS"].get("host") or database["HOST"]), safe="")  # a folder for a Unix socket
    address = f"postgresql://{database['USER']}:{database['PASSWORD']}@:{database['PORT']}/{database['NAME']}?host={host}"
    done = subprocess.run(
        [sys.executable, "-c", TRIES],
        env={**environment, "DATABASE_URL": address, "PROCESS": process},
        cwd=Path(settings.BASE_DIR),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


@pytest.fixture
def committed(transactional_db: None) -> Ground:
    return make_ground()


@pytest.mark.processes
def test_the_web_process_can_enter_keys_and_open_none(committed: Ground) -> None:
    web = {name: value for name, value in os.environ.items() if not name.startswith("VAULT_PRIVATE_KEYS")}
    assert run_as("web", web) == {
        "process": "web",
        "private_keys": "",
        "can_unseal": False,
        "open_session": "keys_unreadable",
        "unsealed_keys": "keys_unreadable",
        "unseal": "keys_unreadable",
        "unseal_for_web": "keys_unreadable",
        "enter_keys": "done",
        "open_what_it_entered": "keys_unreadable",
    }
    refusals = Entry.objects.filter(event="keys.not_opened")
    assert [entry.chain.store for entry in refusals] == [committed.oslo]
    # What the web put in is right: this process, which holds the private key, opens it.
    key_set = KeySet.objects.get(sales_units__msn="100001")
    assert credentials.unsealed_keys(key_set).client_secret == "secret-web"


@pytest.mark.processes
def test_the_same_process_with_the_private_key_opens_them(committed: Ground) -> None:
    told = run_as("worker", dict(os.environ))
    assert told["can_unseal"] is True
    assert (told["open_session"], told["unsealed_keys"], told["unseal"]) == ("done", "done", "done")
    # The web's own key is another one: even with everything in hand it opens no Vipps key.
    assert told["unseal_for_web"] == "keys_unreadable"
