"""Stores, sales units and bindings: three set-ups as data of one model, and nothing half-made."""

from datetime import UTC, datetime
from typing import Any

import pytest

from stores import access, credentials, registry
from stores.audit import sentence_of
from stores.errors import Conflict, HubError, Invalid
from stores.models import Company, Entry, KeySet, SalesUnit, Secret, Store, StoreUnit
from tests.stores.conftest import OPENED, Ground, keys_named, person, store_in, unit_of


def counts() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Store, SalesUnit, StoreUnit, KeySet, Secret, Entry))


def refused(error: type[HubError], attempt: Any) -> HubError:
    before = counts()
    with pytest.raises(error) as told:
        attempt()
    assert counts() == before
    return told.value


def test_a_store_is_opened_and_told(ground: Ground) -> None:
    store = store_in(ground.company, "SVG", "Stavanger")
    entry = Entry.objects.latest("id")
    assert store.is_open
    assert (str(entry.chain), sentence_of(entry)) == ("SVG", "Store SVG (Nordlys Stavanger) was opened in the hub.")


@pytest.mark.parametrize(
    ("field", "value"), [("code", "x"), ("code", "A B"), ("name", ""), ("city", ""), ("country", "NOR"), ("code", "OSL")]
)
def test_a_wrong_store_is_refused(ground: Ground, field: str, value: str) -> None:
    given = {"code": "SVG", "name": "S", "city": "S", "country": "NO", "time_zone": "Europe/Oslo"} | {field: value}
    refused(Invalid, lambda: registry.open_store(ground.company, by=ground.by, **given))


@pytest.mark.parametrize(("market", "currency"), [("NO", "NOK"), ("DK", "DKK"), ("FI", "EUR"), ("SE", "SEK")])
def test_the_currency_follows_from_the_market(ground: Ground, market: str, currency: str) -> None:
    unit = registry.add_sales_unit(
        ground.oslo,
        msn="400001",
        name="U",
        market=market,
        environment="test",
        channel="online",
        valid_from=OPENED,
        by=ground.by,
    )
    assert unit.currency == currency
    assert unit.company == ground.company
    assert unit.store_units.get().channel == "online"


@pytest.mark.parametrize(
    ("field", "value"),
    [("msn", "12"), ("msn", "12345678901"), ("msn", "10000a"), ("msn", "100002"), ("market", "GB"), ("environment", "x"),
     ("channel", "pigeon"), ("prefix", "a b"), ("name", "")],
)  # fmt: skip
def test_a_wrong_sales_unit_is_refused_and_leaves_nothing(ground: Ground, field: str, value: str) -> None:
    given: dict[str, Any] = {
        "msn": "400001",
        "name": "U",
        "market": "NO",
        "environment": "simulator",
        "channel": "in_store",
        "prefix": "",
    } | {field: value}
    told = refused(Invalid, lambda: registry.add_sales_unit(ground.oslo, valid_from=OPENED, by=ground.by, **given))
    assert "100002" not in str(told)


def test_the_same_msn_may_live_in_another_environment(ground: Ground) -> None:
    unit = registry.add_sales_unit(
        ground.oslo,
        msn="100001",
        name="U",
        market="NO",
        environment="test",
        channel="in_store",
        valid_from=OPENED,
        by=ground.by,
    )
    assert unit.pk != ground.oslo_unit.pk


def share(ground: Ground, store: Store, unit: SalesUnit, prefix: str) -> StoreUnit:
    return registry.share_sales_unit(store, unit, prefix=prefix, channel="in_store", valid_from=datetime.now(UTC), by=ground.by)


def test_set_up_c_is_one_unit_told_apart_by_prefix(ground: Ground) -> None:
    unit = unit_of(ground.oslo, "100009", prefix="OSL-")
    share(ground, ground.bergen, unit, "BGO-")
    registry.bind_own_keys(unit, keys_named("shared"), by=ground.by)
    assert set(unit.store_units.values_list("store__code", "prefix")) == {("OSL", "OSL-"), ("BGO", "BGO-")}
    assert str(Entry.objects.latest("id").chain) == "HQ"


@pytest.mark.parametrize("prefix", ["OSL-", "OSL", "O", "OSL-1", "", "osl-", "Os"])
def test_a_prefix_that_another_could_be_taken_for_is_refused(ground: Ground, prefix: str) -> None:
    unit = unit_of(ground.oslo, "100009", prefix="OSL-")
    told = refused(Invalid, lambda: share(ground, ground.bergen, unit, prefix))
    assert (told.code, told.field) == ("prefix_taken", "prefix")


def test_a_unit_without_prefix_is_not_shared(ground: Ground) -> None:
    told = refused(Invalid, lambda: share(ground, ground.bergen, ground.oslo_unit, "BGO-"))
    assert told.code == "prefix_taken"


def test_a_store_joins_a_unit_once_and_only_in_its_company(ground: Ground) -> None:
    unit = unit_of(ground.oslo, "100009", prefix="OSL-")
    refused(Invalid, lambda: share(ground, ground.oslo, unit, "OSL2-"))
    other = store_in(Company.objects.create(name="Other"), "OTH", "Skien")
    refused(Invalid, lambda: share(ground, other, unit, "OTH-"))


def test_set_up_b_binds_each_unit_to_keys_of_its_own(ground: Ground) -> None:
    key_set = ground.oslo_unit.key_set
    assert key_set is not None
    assert (key_set.kind, key_set.subject, key_set.environment, key_set.version) == ("own", "100001", "simulator", 1)
    again = registry.bind_own_keys(ground.oslo_unit, keys_named("new"), by=ground.by)
    assert (again.pk, again.version) == (key_set.pk, 2)
    events = Entry.objects.filter(chain__store=ground.oslo).order_by("id").values_list("event", flat=True)
    assert list(events) == [
        "store.opened",
        "sales_unit.added",
        "key_set.made",
        "keys.bound",
        "keys.entered",
        "keys.entered",
    ]


def test_set_up_a_binds_many_units_to_one_partner(ground: Ground) -> None:
    registry.bind_partner_keys(ground.oslo_unit, ground.partner, by=ground.by)
    assert set(ground.partner.sales_units.all()) == {ground.oslo_unit, ground.trondheim_unit}
    assert ground.oslo_unit.key_set == ground.partner
    # And back to its own keys: a new version of the same set.
    registry.bind_own_keys(ground.oslo_unit, keys_named("back"), by=ground.by)
    assert ground.oslo_unit.key_set is not None
    assert ground.oslo_unit.key_set.version == 2


def test_binding_twice_is_told_once(ground: Ground) -> None:
    before = counts()
    registry.bind_partner_keys(ground.trondheim_unit, ground.partner, by=ground.by)
    assert counts() == before


def test_keys_that_do_not_fit_are_not_bound(ground: Ground) -> None:
    other = credentials.make_key_set(
        ground.company, kind="partner", name="Two", environment="production", subject="p-2", by=ground.by
    )
    foreign = credentials.make_key_set(
        Company.objects.create(name="Other"), kind="partner", name="T", environment="simulator", subject="p-3", by=ground.by
    )
    own = ground.bergen_unit.key_set
    assert own is not None
    for key_set in (other, foreign, own):
        told = refused(Invalid, lambda key_set=key_set: registry.bind_partner_keys(ground.oslo_unit, key_set, by=ground.by))
        assert told.field == "key_set"
    assert SalesUnit.objects.get(pk=ground.oslo_unit.pk).key_set == ground.oslo_unit.key_set


def test_a_closed_store_stops_selling_and_its_unit_keeps_its_keys(ground: Ground) -> None:
    registry.close_store(ground.oslo, reason="moved", by=ground.by)
    assert not ground.oslo.is_open
    unit = ground.oslo_unit.store_units.get()
    assert unit.valid_until == ground.oslo.closed_at
    assert SalesUnit.objects.get(pk=ground.oslo_unit.pk).key_set is not None
    assert sentence_of(Entry.objects.latest("id")) == "Store OSL was closed: moved"
    told = refused(Conflict, lambda: registry.close_store(ground.oslo, reason="again", by=ground.by))
    assert told.code == "store_closed"
    refused(Conflict, lambda: unit_of(ground.oslo, "100010"))


def test_a_store_is_not_closed_without_a_reason(ground: Ground) -> None:
    assert refused(Invalid, lambda: registry.close_store(ground.oslo, reason=" ", by=ground.by)).field == "reason"
    assert Store.objects.get(pk=ground.oslo.pk).is_open


def test_a_store_that_has_not_begun_to_sell_can_close(ground: Ground) -> None:
    store = store_in(ground.company, "SVG", "Stavanger")
    later = datetime(2099, 1, 1, tzinfo=UTC)
    registry.add_sales_unit(
        store,
        msn="100011",
        name="U",
        market="NO",
        environment="test",
        channel="in_store",
        valid_from=later,
        by=access.actor_for(person("hanne")),
    )
    registry.close_store(store, reason="never opened", by=ground.by)
    assert not store.is_open
