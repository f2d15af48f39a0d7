"""An unsafe start is refused, with the sentence that mends it."""

import os
import subprocess
import sys
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection

from hq import checks
from stores import vault
from stores.models import SalesUnit
from stores.search.indexes import TRIGRAM_INDEX
from tests.conftest import Chain

PROCESSES = ("web", "worker", "sweep", "beat", "command")


@pytest.fixture(autouse=True)
def safe(settings: Any) -> Any:
    """Settings with which the web may start."""
    public, private = vault.new_key_pair()
    settings.SECRET_KEY, settings.FINGERPRINT_KEY, settings.WEB_SEAL_KEY = "one", "two", "three"
    settings.VAULT_PUBLIC_KEYS, settings.VAULT_PRIVATE_KEYS = public, ""
    settings.DEBUG = settings.DEMO = False
    settings.ADMINS = settings.MANAGERS = []
    settings.VAULT_PRIVATE_KEYS_OF_THE_PAIR = private
    return settings


def test_each_process_starts_with_the_keys_it_needs_and_no_more(safe: Any) -> None:
    checks.refuse_unsafe_start("web")
    safe.WEB_SEAL_KEY = ""
    checks.refuse_unsafe_start("command")
    safe.VAULT_PRIVATE_KEYS = safe.VAULT_PRIVATE_KEYS_OF_THE_PAIR
    checks.refuse_unsafe_start("worker")
    checks.refuse_unsafe_start("sweep")
    safe.VAULT_PRIVATE_KEYS = safe.VAULT_PUBLIC_KEYS = safe.FINGERPRINT_KEY = ""
    checks.refuse_unsafe_start("beat")


@pytest.mark.parametrize("process", ["web", "worker", "sweep", "command"])
def test_a_missing_vault_key_names_what_to_set(safe: Any, process: str) -> None:
    safe.VAULT_PUBLIC_KEYS = ""
    with pytest.raises(ImproperlyConfigured) as refused:
        checks.refuse_unsafe_start(process)
    assert "set VAULT_PUBLIC_KEYS or VAULT_PUBLIC_KEYS_FILE; make a pair with manage.py vault_keys" in str(refused.value)


def test_the_sweep_says_what_to_set_in_one_line(safe: Any) -> None:
    with pytest.raises(CommandError, match="set VAULT_PRIVATE_KEYS or VAULT_PRIVATE_KEYS_FILE for it"):
        call_command("sweep", "--once")


@pytest.mark.parametrize("name", ["SECRET_KEY", "FINGERPRINT_KEY", "WEB_SEAL_KEY"])
def test_every_other_key_is_asked_for_by_name(safe: Any, name: str) -> None:
    setattr(safe, name, "")
    with pytest.raises(ImproperlyConfigured, match=f"set {name} or {name}_FILE"):
        checks.refuse_unsafe_start("web")


@pytest.mark.parametrize("process", ["web", "beat"])
def test_who_must_not_open_keys_is_not_given_the_means(safe: Any, process: str) -> None:
    safe.VAULT_PRIVATE_KEYS = safe.VAULT_PRIVATE_KEYS_OF_THE_PAIR
    with pytest.raises(ImproperlyConfigured, match=f"The {process} process holds VAULT_PRIVATE_KEYS") as refused:
        checks.refuse_unsafe_start(process)
    assert safe.VAULT_PRIVATE_KEYS_OF_THE_PAIR.partition(":")[2] not in str(refused.value)


@pytest.mark.parametrize("process", ["worker", "sweep"])
def test_who_must_open_keys_does_not_start_without(safe: Any, process: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="VAULT_PRIVATE_KEYS_FILE for it"):
        checks.refuse_unsafe_start(process)


@pytest.mark.parametrize("ring", ["no colon", "kid:not base64!", "kid:c2hvcnQ="])
def test_a_ring_that_cannot_be_read_is_refused_without_showing_it(safe: Any, ring: str) -> None:
    safe.VAULT_PUBLIC_KEYS = ring
    with pytest.raises(ImproperlyConfigured, match="is no vault key") as refused:
        checks.refuse_unsafe_start("web")
    assert ring not in str(refused.value)


def test_two_keys_of_one_value_are_refused(safe: Any) -> None:
    safe.FINGERPRINT_KEY = safe.SECRET_KEY
    with pytest.raises(ImproperlyConfigured, match="the same"):
        checks.refuse_unsafe_start("web")


def test_error_pages_are_not_mailed(safe: Any) -> None:
    safe.ADMINS = [("Per", "per@example.com")]
    with pytest.raises(ImproperlyConfigured, match="not sent by mail"):
        checks.refuse_unsafe_start("web")


@pytest.mark.parametrize("switch", ["DEBUG", "DEMO"])
def test_play_is_refused_beside_production_units(chain: Chain, safe: Any, switch: str) -> None:
    setattr(safe, switch, True)
    checks.refuse_unsafe_start("web")
    SalesUnit.objects.filter(msn="100001").update(environment="production")
    with pytest.raises(ImproperlyConfigured, match=f"{switch} is on and the database holds production sales units"):
        checks.refuse_unsafe_start("web")
    found = run_checks(tags=["database"], databases=["default"])
    assert "hub.E005" in [message.id for message in found]
    assert "hub.E005" not in [message.id for message in run_checks(tags=["database"], databases=[])]
    setattr(safe, switch, False)
    checks.refuse_unsafe_start("web")


@pytest.mark.processes
def test_manage_py_refuses_in_words() -> None:
    without = {name: value for name, value in os.environ.items() if not name.startswith("VAULT_")}
    done = subprocess.run(
        [sys.executable, "manage.py", "check"], env=without, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode != 0
    assert "set VAULT_PUBLIC_KEYS or VAULT_PUBLIC_KEYS_FILE; make a pair with manage.py vault_keys" in done.stderr


@pytest.mark.django_db
def test_a_database_without_the_trigram_index_is_told_of() -> None:
    [told] = [message for message in run_checks(tags=["database"], databases=["default"]) if message.id == "hub.W002"]
    assert "the newest 60,000 orders only" in told.msg
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE INDEX {TRIGRAM_INDEX} ON stores_order (ref_key)")
    assert [message for message in run_checks(tags=["database"], databases=["default"]) if message.id == "hub.W002"] == []
