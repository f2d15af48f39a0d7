"""Vipps keys go in write-only: sealed where they belong, opened for their own row, and shown nowhere."""

import copy
import itertools
import json
import pickle
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from stores import credentials, registry, vault
from stores.credentials import VippsKeys
from stores.errors import Conflict, Invalid, Misconfigured
from stores.models import Entry, KeyField, KeySet, Secret
from stores.vault import CannotUnseal
from tests.stores.conftest import Ground, keys_named


def opened(key_set: KeySet) -> tuple[str, str, str]:
    keys = credentials.unsealed_keys(KeySet.objects.get(pk=key_set.pk))
    return keys.client_id, keys.client_secret, keys.subscription_key


def key_set_of(ground: Ground, name: str) -> KeySet:
    unit = {"OSL": ground.oslo_unit, "BGO": ground.bergen_unit}[name]
    assert unit.key_set is not None
    return unit.key_set


def test_keys_that_went_in_come_out_for_their_own_key_set(ground: Ground) -> None:
    assert opened(key_set_of(ground, "OSL")) == ("id-OSL", "secret-OSL", "sub-OSL")
    assert opened(ground.partner) == ("id-partner", "secret-partner", "sub-partner")


def test_no_key_stands_anywhere_in_the_database(ground: Ground) -> None:
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT coalesce(string_agg(t::text, ' '), '') FROM \"{table}\" t")  # noqa: S608 - our own tables
            [dump] = cursor.fetchone()
            for needle in ("secret-OSL", "id-OSL", "sub-OSL", b"secret-OSL".hex()):
                assert needle not in dump, table


def test_new_keys_are_a_new_version_and_the_old_ones_stay_sealed(ground: Ground) -> None:
    key_set = key_set_of(ground, "OSL")
    before = (key_set.version, key_set.fingerprint)
    after = credentials.enter_keys(key_set, keys_named("new"), by=ground.by)
    assert (before[0], after.version) == (1, 2)
    assert after.fingerprint != before[1]
    assert after.entered_at is not None
    assert opened(after) == ("id-new", "secret-new", "sub-new")
    assert Secret.objects.filter(row_id=str(after.public_id)).count() == 6


def test_entering_keys_is_told_without_the_keys(ground: Ground) -> None:
    credentials.enter_keys(ground.partner, keys_named("new"), by=ground.by)
    entry = Entry.objects.latest("id")
    assert (entry.event, str(entry.chain)) == ("keys.entered", "HQ")
    facts = json.loads(entry.canonical)["facts"]
    assert facts == {"key_set": "Partner", "version": 2, "fingerprint": ground.partner.fingerprint}
    assert "secret-new" not in entry.canonical


@pytest.mark.django_db
def test_no_sealed_value_opens_in_another_ones_place(ground: Ground) -> None:
    credentials.enter_keys(key_set_of(ground, "OSL"), keys_named("OSL-2"), by=ground.by)
    rows = list(Secret.objects.order_by("id"))
    assert len(rows) == 12
    for here, there in itertools.permutations(rows, 2):
        Secret.objects.filter(pk=here.pk).update(sealed=there.sealed, vault_key=there.vault_key)
        key_set = KeySet.objects.get(public_id=here.row_id)
        key_set.version = here.version
        with pytest.raises(CannotUnseal):
            credentials.unsealed_keys(key_set)
        Secret.objects.filter(pk=here.pk).update(sealed=here.sealed, vault_key=here.vault_key)
    for row in rows:
        key_set = KeySet.objects.get(public_id=row.row_id)
        key_set.version = row.version
        assert credentials.unsealed_keys(key_set).value_of(KeyField(row.field))


@pytest.mark.parametrize("change", [{"environment": "production"}, {"subject": "999999"}, {"version": 2}, {"public_id": None}])
def test_a_changed_key_set_no_longer_opens(ground: Ground, change: dict[str, Any]) -> None:
    key_set = key_set_of(ground, "OSL")
    other = key_set_of(ground, "BGO")
    for column, value in change.items():
        setattr(key_set, column, value or other.public_id)
    with pytest.raises(CannotUnseal):
        credentials.unsealed_keys(key_set)


def test_a_key_set_without_keys_says_so(ground: Ground) -> None:
    empty = credentials.make_key_set(
        ground.company, kind="partner", name="Two", environment="test", subject="p-2", by=ground.by
    )
    assert not empty.has_keys
    with pytest.raises(Misconfigured) as refused:
        credentials.unsealed_keys(empty)
    assert refused.value.code == "no_keys"


def test_a_lost_field_is_unreadable(ground: Ground) -> None:
    Secret.objects.filter(row_id=str(ground.partner.public_id), field="client_id").delete()
    with pytest.raises(CannotUnseal):
        credentials.unsealed_keys(ground.partner)


def test_there_is_one_key_set_for_one_subject(ground: Ground) -> None:
    with pytest.raises(Conflict) as refused:
        credentials.make_key_set(
            ground.company, kind="partner", name="Again", environment="simulator", subject="partner-1", by=ground.by
        )
    assert refused.value.code == "key_set_exists"


@pytest.mark.parametrize(
    ("field", "value"),
    [("kind", "other"), ("environment", "moon"), ("name", " "), ("name", "n" * 121), ("subject", ""), ("subject", "s" * 41)],
)
def test_a_wrong_key_set_is_refused_by_field(ground: Ground, field: str, value: str) -> None:
    given: dict[str, Any] = {"kind": "partner", "name": "Two", "environment": "test", "subject": "p-2"} | {field: value}
    before = Entry.objects.count()
    with pytest.raises(Invalid) as refused:
        credentials.make_key_set(ground.company, by=ground.by, **given)
    assert refused.value.field == field
    assert Entry.objects.count() == before


@pytest.mark.parametrize("value", ["", "  ", "line\nbreak", "nørsk", "x" * 401])
@pytest.mark.parametrize("field", KeyField.values)
def test_a_value_no_header_can_carry_is_refused_and_not_repeated(field: str, value: str) -> None:
    given = {"client_id": "a", "client_secret": "b", "subscription_key": "c"} | {field: value}
    with pytest.raises(Invalid) as refused:
        VippsKeys(**given)
    assert refused.value.field == field
    assert not value.strip() or value not in str(refused.value)


def test_pasted_blanks_around_a_key_are_dropped() -> None:
    assert VippsKeys(client_id=" a\n", client_secret="b", subscription_key="c").client_id == "a"


def test_keys_show_themselves_to_no_one() -> None:
    keys = keys_named("OSL")
    assert repr(keys) == str(keys) == "VippsKeys(masked)"
    for leak in (pickle.dumps, copy.copy, copy.deepcopy, json.dumps):
        with pytest.raises(TypeError):
            leak(keys)


def test_sealing_without_a_public_key_leaves_the_old_keys(ground: Ground, settings: Settings) -> None:
    settings.VAULT_PUBLIC_KEYS = ""
    before = Entry.objects.count()
    with pytest.raises(vault.CannotSeal):
        registry.bind_own_keys(ground.oslo_unit, keys_named("new"), by=ground.by)
    assert Entry.objects.count() == before
    assert opened(key_set_of(ground, "OSL")) == ("id-OSL", "secret-OSL", "sub-OSL")
