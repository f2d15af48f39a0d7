"""API keys: shown once, kept as a digest, and refused from the moment they should be."""

from datetime import UTC, datetime, timedelta

import pytest

from stores import audit, clock, keys, registry
from stores.clock import Source
from stores.errors import Conflict, Invalid
from stores.keys import IssuedKey
from stores.models import ApiKey, Entry, StoreSystem
from tests.stores.conftest import Ground


@pytest.fixture
def till(ground: Ground) -> StoreSystem:
    return keys.add_system(ground.oslo, name=" Till 1 ", scopes=["refunds:write", "orders:read"], by=ground.by)


@pytest.fixture
def issued(till: StoreSystem, ground: Ground) -> IssuedKey:
    return keys.issue_key(till, by=ground.by)


def test_a_key_opens_the_door_for_its_system(till: StoreSystem, issued: IssuedKey) -> None:
    found = keys.system_for(issued.text)
    assert found == till
    assert (till.name, till.scopes) == ("Till 1", ["orders:read", "refunds:write"])


def test_a_key_has_its_form_and_is_shown_once(issued: IssuedKey) -> None:
    prefix, lookup, secret = issued.text.split("_", 2)
    assert (prefix, len(lookup), len(secret)) == ("rhk", 16, 43)
    assert secret not in repr(issued)
    assert secret not in str(issued.key)
    row = ApiKey.objects.values().get()
    assert secret.encode() not in bytes(row["digest"])
    assert len(bytes(row["digest"])) == 32
    for entry in Entry.objects.all():
        assert secret not in entry.canonical


def test_every_change_is_told_in_the_stores_chain(till: StoreSystem, issued: IssuedKey, ground: Ground) -> None:
    keys.revoke_key(issued.key, reason="lost", by=ground.by)
    entries = list(audit.timeline_of("store_system", str(till.public_id)))
    assert [entry.event for entry in entries] == ["store_system.added", "api_key.issued", "api_key.revoked"]
    assert {str(entry.chain) for entry in entries} == {"OSL"}


@pytest.mark.parametrize("place", [0, 4, 19, 20, 21, 62])
def test_a_key_with_one_character_changed_opens_nothing(issued: IssuedKey, place: int) -> None:
    other = "a" if issued.text[place] != "a" else "b"
    assert keys.system_for(issued.text[:place] + other + issued.text[place + 1 :]) is None


@pytest.mark.parametrize("text", ["", "rhk_", "Bearer x", "rhk_" + "0" * 16 + "_" + "A" * 43, "\0", "é" * 64])
def test_what_is_no_key_opens_nothing(issued: IssuedKey, text: str) -> None:
    assert keys.system_for(text) is None
    assert keys.system_for(issued.text + text + "\n") is None


def test_a_revoked_key_is_refused_at_once_and_the_other_one_not(till: StoreSystem, issued: IssuedKey, ground: Ground) -> None:
    second = keys.issue_key(till, by=ground.by)
    keys.revoke_key(issued.key, reason="lost", by=ground.by)
    assert keys.system_for(issued.text) is None
    assert keys.system_for(second.text) == till
    with pytest.raises(Conflict) as refused:
        keys.revoke_key(issued.key, reason="again", by=ground.by)
    assert refused.value.code == "already_revoked"


def test_a_key_expires_by_the_databases_clock(till: StoreSystem, ground: Ground) -> None:
    now = datetime.now(UTC)
    issued = keys.issue_key(till, expires_at=now + timedelta(hours=1), by=ground.by)
    assert keys.system_for(issued.text) == till
    with clock.bound(Source(now=lambda: now + timedelta(hours=1))):
        assert keys.system_for(issued.text) is None


def test_an_inactive_system_and_a_closed_store_are_refused(till: StoreSystem, issued: IssuedKey, ground: Ground) -> None:
    StoreSystem.objects.update(is_active=False)
    assert keys.system_for(issued.text) is None
    StoreSystem.objects.update(is_active=True)
    assert keys.system_for(issued.text) == till
    registry.close_store(ground.oslo, reason="moved", by=ground.by)
    assert keys.system_for(issued.text) is None
    till.refresh_from_db()
    with pytest.raises(Conflict):
        keys.issue_key(till, by=ground.by)
    with pytest.raises(Conflict):
        keys.add_system(ground.oslo, name="Two", scopes=["orders:read"], by=ground.by)


def test_use_is_noted_once_a_minute(issued: IssuedKey) -> None:
    start = datetime(2026, 5, 1, tzinfo=UTC)
    for seconds, noted in ((0, 0), (59, 0), (60, 60), (61, 60)):
        moment = start + timedelta(seconds=seconds)
        with clock.bound(Source(now=lambda moment=moment: moment)):  # type: ignore[misc]  # bound early, on purpose
            assert keys.system_for(issued.text) is not None
        assert ApiKey.objects.get().last_used_at == start + timedelta(seconds=noted)


def test_a_refused_key_is_not_used(issued: IssuedKey) -> None:
    assert keys.system_for(issued.text[:-1] + ("a" if issued.text[-1] != "a" else "b")) is None
    assert ApiKey.objects.get().last_used_at is None


@pytest.mark.parametrize(
    ("name", "scopes", "field"),
    [
        ("Till", [], "scopes"),
        ("Till", ["everything"], "scopes"),
        (" ", ["orders:read"], "name"),
        ("n" * 121, ["orders:read"], "name"),
    ],
)
def test_a_wrong_system_is_refused_by_field(ground: Ground, name: str, scopes: list[str], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        keys.add_system(ground.oslo, name=name, scopes=scopes, by=ground.by)
    assert refused.value.field == field
    assert not StoreSystem.objects.exists()
