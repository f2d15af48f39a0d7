"""The ground alone, without Vipps behind it: two stores with keys of their own, one on partner keys, headquarters."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from stores import actors, credentials, registry
from stores.actors import Actor
from stores.credentials import VippsKeys
from stores.models import Company, KeySet, SalesUnit, Store, User

OPENED = datetime.now(UTC) - timedelta(days=800)


@dataclass(frozen=True, kw_only=True)
class Ground:
    """Oslo and Bergen hold keys of their own, Trondheim sells through partner keys; `by` is who set it up."""

    company: Company
    oslo: Store
    bergen: Store
    trondheim: Store
    oslo_unit: SalesUnit
    bergen_unit: SalesUnit
    trondheim_unit: SalesUnit
    partner: KeySet
    by: Actor


def keys_named(name: str) -> VippsKeys:
    """Three values that a test recognises again."""
    return VippsKeys(client_id=f"id-{name}", client_secret=f"secret-{name}", subscription_key=f"sub-{name}")


def store_in(company: Company, code: str, city: str) -> Store:
    return registry.open_store(company, code=code, name=f"Nordlys {city}", city=city, country="NO", by=actors.hub("test"))


def unit_of(store: Store, msn: str, prefix: str = "") -> SalesUnit:
    return registry.add_sales_unit(
        store,
        msn=msn,
        name=store.city,
        market="NO",
        environment="simulator",
        prefix=prefix,
        channel="in_store",
        valid_from=OPENED,
        by=actors.hub("test"),
    )


def person(username: str, *, is_active: bool = True) -> User:
    return User.objects.create(username=username, first_name=username.title(), is_active=is_active)


def make_ground() -> Ground:
    by = actors.hub("test")
    company = Company.objects.create(name="Nordlys")
    oslo, bergen = store_in(company, "OSL", "Oslo"), store_in(company, "BGO", "Bergen")
    trondheim = store_in(company, "TRD", "Trondheim")
    oslo_unit, bergen_unit, trondheim_unit = (
        unit_of(oslo, "100001"),
        unit_of(bergen, "100002"),
        unit_of(trondheim, "100003"),
    )
    registry.bind_own_keys(oslo_unit, keys_named("OSL"), by=by)
    registry.bind_own_keys(bergen_unit, keys_named("BGO"), by=by)
    partner = credentials.make_key_set(
        company, kind="partner", name="Partner", environment="simulator", subject="partner-1", by=by
    )
    credentials.enter_keys(partner, keys_named("partner"), by=by)
    registry.bind_partner_keys(trondheim_unit, partner, by=by)
    return Ground(
        company=company,
        oslo=oslo,
        bergen=bergen,
        trondheim=trondheim,
        oslo_unit=oslo_unit,
        bergen_unit=bergen_unit,
        trondheim_unit=trondheim_unit,
        partner=partner,
        by=by,
    )


@pytest.fixture
def ground(db: None) -> Ground:
    return make_ground()
