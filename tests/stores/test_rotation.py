"""Moving to a new vault key: everything is resealed, in batches, from where it stopped, and then the old key may go."""

import json
from datetime import UTC, datetime

import pytest
from pytest_django import Settings

from stores import credentials, keys, rotation, signing, vault
from stores.models import Entry, KeySet, Secret
from tests.stores.conftest import Ground


@pytest.fixture
def new_key(ground: Ground, settings: Settings) -> str:
    public, private = vault.new_key_pair()
    settings.VAULT_PUBLIC_KEYS += f"\n{public}"
    settings.VAULT_PRIVATE_KEYS += f"\n{private}"
    return public.partition(":")[0]


def all_open() -> list[str]:
    return [credentials.unsealed_keys(key_set).client_id for key_set in KeySet.objects.order_by("id")]


def test_everything_moves_and_the_old_key_may_go(ground: Ground, new_key: str, settings: Settings) -> None:
    before = all_open()
    done = rotation.reseal(ground.company, by=ground.by, batch=4)
    assert (done.vault_key, done.count, done.unreadable) == (new_key, 9, ())
    assert set(Secret.objects.values_list("vault_key", flat=True)) == {new_key}
    settings.VAULT_PRIVATE_KEYS = settings.VAULT_PRIVATE_KEYS.splitlines()[-1]
    assert all_open() == before
    told = [json.loads(entry.canonical)["facts"] for entry in Entry.objects.filter(event="secrets.resealed").order_by("id")]
    assert [facts["count"] for facts in told] == [4, 4, 1]
    assert {facts["vault_key"] for facts in told} == {new_key}


def test_a_second_run_finds_nothing_to_do(ground: Ground, new_key: str) -> None:
    rotation.reseal(ground.company, by=ground.by)
    entries = Entry.objects.count()
    assert rotation.reseal(ground.company, by=ground.by).count == 0
    assert Entry.objects.count() == entries


def test_it_takes_up_where_it_stopped(ground: Ground, new_key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seal, calls = vault.seal, []

    def failing(secret: bytes, context: vault.Context) -> vault.Sealed:
        calls.append(context)
        if len(calls) == 6:
            raise RuntimeError
        return seal(secret, context)

    monkeypatch.setattr(vault, "seal", failing)
    with pytest.raises(RuntimeError):
        rotation.reseal(ground.company, by=ground.by, batch=4)
    assert Secret.objects.filter(vault_key=new_key).count() == 4
    assert rotation.reseal(ground.company, by=ground.by, batch=4).count == 5
    assert all_open() == ["id-OSL", "id-BGO", "id-partner"]


def test_a_value_that_does_not_open_is_named_and_left_alone(ground: Ground, new_key: str) -> None:
    rows = list(Secret.objects.order_by("id"))
    Secret.objects.filter(pk=rows[0].pk).update(sealed=rows[1].sealed)
    done = rotation.reseal(ground.company, by=ground.by)
    assert (done.count, done.unreadable) == (8, (rows[0].pk,))
    assert bytes(Secret.objects.get(pk=rows[0].pk).sealed) == bytes(rows[1].sealed)


def test_webhook_secrets_move_too(ground: Ground, new_key: str, settings: Settings) -> None:
    system = keys.add_system(ground.oslo, name="Till", scopes=["orders:read"], by=ground.by)
    both = settings.VAULT_PUBLIC_KEYS
    settings.VAULT_PUBLIC_KEYS = both.splitlines()[0]
    signing.make_secret(system, by=ground.by)
    settings.VAULT_PUBLIC_KEYS = both
    at = datetime.now(UTC)
    before = signing.sign(system, message_id="m", at=at, body="{}")
    rotation.reseal(ground.company, by=ground.by)
    settings.VAULT_PRIVATE_KEYS = settings.VAULT_PRIVATE_KEYS.splitlines()[-1]
    assert signing.sign(system, message_id="m", at=at, body="{}") == before
