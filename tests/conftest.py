"""The fixed cast: Bergen sold it, Oslo refunds it, Kari is cashier and Mona manager in Oslo, Hanne is HQ, Per sees nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pgtrigger
import pytest
from django.contrib.auth.hashers import make_password
from django.test import TransactionTestCase
from django.utils import translation

from stores import actors, credentials, keys, orders, people, registry, sessions
from stores.actors import Actor
from stores.credentials import VippsKeys
from stores.models import Channel, Company, Order, Role, SalesUnit, Scope, Store, StoreSystem, User
from stores.vipps.simulator import Keys, Simulator
from stores.vipps.wsgi_transport import WsgiTransport

PASSWORD = "a long enough pass phrase"


@pytest.fixture(autouse=True, scope="session")
def _flush_may_empty_kept_tables() -> None:
    """TransactionTestCase empties tables by TRUNCATE, which the append-only triggers refuse; a test's end may."""
    case: Any = TransactionTestCase  # the hook is private, so its stub does not know it
    teardown = case._fixture_teardown

    def ignoring(self: TransactionTestCase) -> None:
        with pgtrigger.ignore():
            teardown(self)

    case._fixture_teardown = ignoring


@pytest.fixture(autouse=True)
def _language_ends_with_its_test() -> Iterator[None]:
    """A request in Norwegian leaves its thread speaking Norwegian; the next test starts in the default language."""
    yield
    translation.deactivate()


@dataclass(frozen=True, kw_only=True)
class Chain:
    """The chain every test starts from. Bergen and Oslo have keys of their own (B), Trondheim sells through partner
    keys (A), Bodø and Hamar share one unit by prefix (C)."""

    company: Company
    simulator: Simulator
    oslo: Store
    bergen: Store
    trondheim: Store
    bodo: Store
    hamar: Store
    kari: User
    mona: User
    hanne: User
    per: User
    units: dict[str, SalesUnit]
    systems: dict[str, StoreSystem]
    by: Actor

    def sold(
        self, store: Store, reference: str, amount_minor: int, *, captured: bool = True, days_ago: float = 1
    ) -> Order:
        """An order that `store` sold: paid at the simulator and synced as its till would."""
        unit = self.units[store.code]
        paid_at = datetime.now(UTC) - timedelta(days=days_ago)
        self.simulator.add_payment(
            unit.msn,
            reference,
            amount_minor=amount_minor,
            captured_minor=amount_minor if captured else 0,
            paid_at=paid_at,
        )
        [outcome] = orders.index_orders(
            [
                orders.OrderRow(
                    reference=reference,
                    amount=orders.AmountRow(amount_minor=amount_minor, currency=unit.currency),
                    paid_at=paid_at,
                )
            ],
            system=self.systems[store.code],
            by=self.by,
        )
        assert outcome.outcome == "created", outcome
        return Order.objects.get(sales_unit=unit, reference=reference)


def _opened(keys: Keys) -> VippsKeys:
    return VippsKeys(
        client_id=keys.client_id, client_secret=keys.client_secret, subscription_key=keys.subscription_key
    )


@cache
def _hashed() -> str:
    """One hash for the whole cast: Argon2 is slow on purpose, and every test makes the cast anew."""
    return make_password(PASSWORD)


def _user(username: str, name: str) -> User:
    return User.objects.create(username=username, first_name=name, password=_hashed())


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """A fresh Vipps MobilePay behind every session of the test, in this process."""
    simulator = Simulator(seed=1)
    sessions.forget_all()
    with sessions.use_transport(WsgiTransport(simulator.wsgi)):
        yield simulator
    sessions.forget_all()


@pytest.fixture
def chain(db: None, simulator: Simulator) -> Chain:
    """The cast, on the database of the test."""
    by = actors.hub("test")
    company = Company.objects.create(name="Nordlys")
    opened = datetime.now(UTC) - timedelta(days=800)
    places = {
        "OSL": ("Oslo", "NO"),
        "BGO": ("Bergen", "NO"),
        "TRD": ("Trondheim", "NO"),
        "BOO": ("Bodø", "NO"),
        "HAM": ("Hamar", "NO"),
    }
    stores = {
        code: registry.open_store(
            company, code=code, name=f"Nordlys {city}", city=city, country=country, time_zone="Europe/Oslo", by=by
        )
        for code, (city, country) in places.items()
    }
    units: dict[str, SalesUnit] = {}
    for code, msn in (("OSL", "100001"), ("BGO", "100002"), ("TRD", "100003"), ("BOO", "100004")):
        units[code] = registry.add_sales_unit(
            stores[code],
            msn=msn,
            name=places[code][0],
            market="NO",
            environment="simulator",
            prefix="BOO-" if code == "BOO" else "",
            channel=Channel.IN_STORE,
            valid_from=opened,
            by=by,
        )
    registry.share_sales_unit(
        stores["HAM"], units["BOO"], prefix="HAM-", channel=Channel.IN_STORE, valid_from=opened, by=by
    )
    units["HAM"] = units["BOO"]
    for code in ("OSL", "BGO", "BOO"):
        registry.bind_own_keys(units[code], _opened(simulator.add_sales_unit(units[code].msn)), by=by)
    simulator.add_sales_unit(units["TRD"].msn)
    partner_keys = _opened(simulator.add_partner("partner-1", [units["TRD"].msn]))
    partner = credentials.make_key_set(
        company, kind="partner", name="Partner", environment="simulator", subject="partner-1", by=by
    )
    credentials.enter_keys(partner, partner_keys, by=by)
    registry.bind_partner_keys(units["TRD"], partner, by=by)
    for unit in units.values():
        unit.refresh_from_db()
    systems = {
        code: keys.add_system(store, name=f"Till {code}", scopes=list(Scope), by=by) for code, store in stores.items()
    }
    kari, mona, hanne, per = _user("kari", "Kari"), _user("mona", "Mona"), _user("hanne", "Hanne"), _user("per", "Per")
    people.join_store(kari, stores["OSL"], role=Role.CASHIER, by=by)
    people.join_store(mona, stores["OSL"], role=Role.MANAGER, by=by)
    for role in (Role.OPERATOR, Role.APPROVER, Role.SECURITY):
        people.join_headquarters(hanne, company, role=role, by=by)
    return Chain(
        company=company,
        simulator=simulator,
        oslo=stores["OSL"],
        bergen=stores["BGO"],
        trondheim=stores["TRD"],
        bodo=stores["BOO"],
        hamar=stores["HAM"],
        kari=kari,
        mona=mona,
        hanne=hanne,
        per=per,
        units=units,
        systems=systems,
        by=by,
    )
